//! Objects of an S3-compatible store as files: they are fetched to a folder of their own, and read from there.

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore as _, ObjectStoreExt as _};
use tempfile::TempDir;

use crate::error::ProbeError;
use crate::source::{Progress, Source, Unit, is_data};

/// One object, all below a folder, or those that meet a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objects {
    bucket: String,
    key: String,
    endpoint: Option<String>,
    region: Option<String>,
    /// Those of the tests' server; the program takes them from the environment alone.
    #[cfg(test)]
    credentials: Option<(String, String)>,
}

/// Objects that were fetched; their files are removed with it.
#[derive(Debug)]
pub struct Fetched {
    /// The file of a single object, or the folder of many.
    source: Source,
    _folder: TempDir,
}

impl Fetched {
    /// The files, as a source.
    pub fn source(&self) -> &Source {
        &self.source
    }
}

impl Objects {
    /// What begins the address of an object.
    pub const SCHEME: &'static str = "s3://";

    /// Objects at `s3://bucket/key?endpoint=https://host:port&region=eu-central-1`; a key that ends in `/` is a folder, and `*`
    /// stands for any signs. Credentials come from the environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    /// `AWS_SESSION_TOKEN`, or the variables of a web identity or of a container), never from the address.
    pub fn new(address: &str) -> Result<Self, ProbeError> {
        let wrong = |problem: &str| ProbeError::Address {
            problem: format!(
                "{problem}; write it like `s3://bucket/folder/data.parquet?endpoint=https://host:port&region=eu-central-1`"
            ),
        };
        let rest = address
            .strip_prefix(Self::SCHEME)
            .ok_or_else(|| wrong("the address of an object begins with `s3://`"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, key) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err(wrong("the address names no bucket"));
        }
        if bucket.contains('@') {
            return Err(wrong(
                "credentials do not stand in an address: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ));
        }
        let mut objects = Objects {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            endpoint: None,
            region: None,
            #[cfg(test)]
            credentials: None,
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("endpoint", value)) if value.contains('@') => {
                    return Err(wrong("credentials do not stand in an address"));
                }
                Some(("endpoint", value))
                    if value.starts_with("https://") || value.starts_with("http://") =>
                {
                    objects.endpoint = Some(value.to_owned());
                }
                Some(("region", value)) if !value.is_empty() => {
                    objects.region = Some(value.to_owned());
                }
                _ => return Err(wrong("behind `?` stand `endpoint` and `region` only")),
            }
        }
        Ok(objects)
    }

    /// Fetches them to a folder of their own.
    pub fn fetch(&self, progress: &dyn Fn(Progress)) -> Result<Fetched, ProbeError> {
        if !self.has_credentials() {
            return Err(ProbeError::NoCredentials {
                name: self.to_string(),
            });
        }
        let failed = |said: String| ProbeError::Objects {
            name: self.to_string(),
            said,
        };
        let folder = tempfile::Builder::new()
            .prefix("alnager-")
            .tempdir()
            .map_err(|error| failed(error.to_string()))?;
        let (tell, told) = std::sync::mpsc::channel();
        // A thread of its own, because whoever measures may be inside a runtime already.
        let fetched = std::thread::scope(|scope| {
            let path = folder.path();
            let fetching = scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                runtime.block_on(self.fetch_to(path, &tell))
            });
            told.iter().for_each(progress);
            match fetching.join() {
                Ok(fetched) => fetched,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        let fetched = fetched.map_err(|error| failed(error.to_string()));
        let path = match fetched?.as_slice() {
            [] => {
                return Err(ProbeError::NoObjects {
                    name: self.to_string(),
                });
            }
            [only] if self.is_single() => only.clone(),
            _ => folder.path().to_owned(),
        };
        Ok(Fetched {
            source: Source::Files { path },
            _folder: folder,
        })
    }

    /// Whether the environment names somebody. Without, the store's library would ask the machine's cloud who it is: a call that
    /// nobody asked for.
    fn has_credentials(&self) -> bool {
        #[cfg(test)]
        if self.credentials.is_some() {
            return true;
        }
        const EITHER: [&str; 4] = [
            "AWS_ACCESS_KEY_ID",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ];
        EITHER.iter().any(|name| std::env::var_os(name).is_some())
    }

    /// Whether the key names one object.
    fn is_single(&self) -> bool {
        !self.is_pattern() && !self.key.is_empty() && !self.key.ends_with('/')
    }

    fn is_pattern(&self) -> bool {
        self.key.contains(['*', '['])
    }

    async fn fetch_to(
        &self,
        folder: &Path,
        tell: &std::sync::mpsc::Sender<Progress>,
    ) -> Result<Vec<PathBuf>, Box<dyn std::error::Error + Send + Sync>> {
        let store = self.store()?;
        let objects = self.found(&store).await?;
        let total = objects.iter().map(|object| object.size).sum();
        let mut done = 0;
        let mut files = Vec::with_capacity(objects.len());
        for object in &objects {
            // Below the bucket's name, so that messages tell which object they are about.
            let mut path = folder.join(&self.bucket);
            path.extend(object.location.parts().map(|part| part.as_ref().to_owned()));
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let mut file = File::create(&path)?;
            let mut bytes = store.get(&object.location).await?.into_stream();
            while let Some(some) = bytes.next().await {
                let some = some?;
                file.write_all(&some)?;
                done += some.len() as u64;
                let _ = tell.send(Progress {
                    done: done.min(total),
                    total,
                    unit: Unit::Bytes,
                });
            }
            files.push(path);
        }
        Ok(files)
    }

    /// The objects, sorted by their keys.
    async fn found(&self, store: &AmazonS3) -> object_store::Result<Vec<ObjectMeta>> {
        if self.is_single() {
            return Ok(vec![store.head(&Key::parse(&self.key)?).await?]);
        }
        let plain: Vec<&str> = self
            .key
            .split('/')
            .take_while(|part| !part.contains(['*', '[']))
            .filter(|part| !part.is_empty())
            .collect();
        let base = plain.join("/");
        let prefix = (!base.is_empty()).then(|| Key::parse(&base)).transpose()?;
        let pattern = self
            .is_pattern()
            .then(|| glob::Pattern::new(&self.key))
            .transpose();
        let pattern = pattern.map_err(|error| object_store::Error::Generic {
            store: "pattern",
            source: Box::new(error),
        })?;
        let mut found = Vec::new();
        let mut listed = store.list(prefix.as_ref());
        while let Some(object) = listed.next().await {
            let object = object?;
            let key = object.location.as_ref();
            let is_wanted = match &pattern {
                // As among files: `*` stays within a folder.
                Some(pattern) => {
                    pattern.matches_with(
                        key,
                        glob::MatchOptions {
                            require_literal_separator: true,
                            ..glob::MatchOptions::default()
                        },
                    ) && is_data(Path::new(key))
                }
                None => is_data(Path::new(key)),
            };
            if is_wanted {
                found.push(object);
            }
        }
        found.sort_by(|one, other| one.location.cmp(&other.location));
        Ok(found)
    }

    fn store(&self) -> object_store::Result<AmazonS3> {
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(&self.bucket);
        if let Some(endpoint) = &self.endpoint {
            builder = builder
                .with_endpoint(endpoint)
                .with_virtual_hosted_style_request(false)
                .with_allow_http(endpoint.starts_with("http://"));
        }
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        #[cfg(test)]
        if let Some((key, secret)) = &self.credentials {
            builder = builder
                .with_access_key_id(key)
                .with_secret_access_key(secret);
        }
        builder.build()
    }
}

impl fmt::Display for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use object_store::PutPayload;

    use super::*;
    use crate::{Wanted, WantedKind, read_rows};

    #[test]
    fn an_address_names_bucket_and_key_and_no_secret() {
        for (address, problem) in [
            ("https://bucket/a.csv", "begins with `s3://`"),
            ("s3:///a.csv", "names no bucket"),
            (
                "s3://key:secret@bucket/a.csv",
                "credentials do not stand in an address",
            ),
            (
                "s3://bucket/a.csv?token=secret",
                "`endpoint` and `region` only",
            ),
            (
                "s3://bucket/a.csv?endpoint=host",
                "`endpoint` and `region` only",
            ),
        ] {
            let error = Objects::new(address).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        let objects = Objects::new("s3://bucket/a/b.csv?region=eu-central-1").unwrap();
        assert_eq!(objects.to_string(), "s3://bucket/a/b.csv");
        assert!(objects.is_single());
        assert!(!Objects::new("s3://bucket").unwrap().is_single());
        assert!(!Objects::new("s3://bucket/a/*.csv").unwrap().is_single());
    }

    /// The values of column `x`, in order.
    fn read(objects: &Objects) -> Result<Vec<f64>, ProbeError> {
        let fetched = objects.fetch(&|_| {})?;
        let wanted = Wanted {
            columns: vec![("x".to_owned(), WantedKind::Number)],
            ..Wanted::default()
        };
        let rows = read_rows(&wanted, fetched.source(), &|_| {})?;
        Ok(rows.numbers.concat())
    }

    #[test]
    fn objects_are_read_as_files() {
        let Ok(address) = std::env::var("ALNAGER_TEST_S3") else {
            let must_run = std::env::var("ALNAGER_TEST_ALL").is_ok_and(|all| all == "1");
            let needed =
                "objects_are_read_as_files needs ALNAGER_TEST_S3; `cargo xtask test` sets it";
            assert!(!must_run, "{needed}");
            eprintln!("not run: {needed}");
            return;
        };
        let rest = address.strip_prefix("http://").unwrap();
        let (credentials, place) = rest.split_once('@').unwrap();
        let (key, secret) = credentials.split_once(':').unwrap();
        let (host, bucket) = place.split_once('/').unwrap();
        let folder = format!("probe-{}", std::process::id());
        let at = |key_of_object: &str| {
            let address = format!(
                "s3://{bucket}/{folder}/{key_of_object}?endpoint=http://{host}&region=us-east-1"
            );
            Objects {
                credentials: Some((key.to_owned(), secret.to_owned())),
                ..Objects::new(&address).unwrap()
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let store = at("").store().unwrap();
            for (name, text) in [
                ("one.csv", "x\n1\n2\n"),
                ("deep/two.jsonl", "{\"x\": 3}\n"),
                ("_aside.csv", "x\n9\n"),
                ("notes.txt", "no data"),
            ] {
                let key = Key::parse(format!("{folder}/{name}")).unwrap();
                store.put(&key, PutPayload::from(text)).await.unwrap();
            }
        });
        assert_eq!(read(&at("one.csv")).unwrap(), [1.0, 2.0]);
        assert_eq!(read(&at("")).unwrap(), [3.0, 1.0, 2.0]);
        assert_eq!(read(&at("deep/*.jsonl")).unwrap(), [3.0]);
        let nothing = read(&at("nothing/")).unwrap_err();
        assert!(matches!(nothing, ProbeError::NoObjects { .. }), "{nothing}");
        let missing = read(&at("missing.csv")).unwrap_err();
        assert!(matches!(missing, ProbeError::Objects { .. }), "{missing}");
        // An error of the data names the object it stands in.
        let wrong = Wanted {
            columns: vec![("y".to_owned(), WantedKind::Number)],
            ..Wanted::default()
        };
        let fetched = at("one.csv").fetch(&|_| {}).unwrap();
        let error = read_rows(&wrong, fetched.source(), &|_| {}).unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&format!("{bucket}/{folder}/one.csv")),
            "{error}"
        );
    }
}
