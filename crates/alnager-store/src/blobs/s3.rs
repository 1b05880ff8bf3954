//! Blobs in an S3-compatible object store: the object `prefix/7f/7f3a…`.
//!
//! Requests are signed in their query (Signature Version 4), so no address of a request is ever shown: it holds the session
//! token, and whoever sees it can repeat the request for five minutes. A request that was not answered is repeated, with
//! growing pauses; objects never change, so that does no harm.

mod address;
mod credentials;

use std::ffi::OsString;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use alnager_journal::merkle::Hash;
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Credentials, S3Action};
use ureq::http::Response;
use ureq::{Agent, Body};

use super::Names;
use crate::error::StoreError;

use address::Address;
use credentials::Source;

pub(crate) use address::SCHEME;

/// Why an object store cannot be used. Names the store, the bucket, the key and what was answered, and never a secret.
#[derive(Debug, thiserror::Error)]
pub enum ObjectStoreError {
    /// The place of the blobs is not written as one.
    #[error(
        "the place of the blobs cannot be used: {reason}; write it like `s3://bucket/prefix?endpoint=https://host:port&region=eu-central-1`"
    )]
    Place {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There are no credentials.
    #[error("there are no credentials for the object store: {reason}")]
    Credentials {
        /// What is missing or wrong, and where.
        reason: String,
    },
    /// The store says no.
    #[error(
        "the object store refuses to {what} {at}: it answered {status} `{code}`; check the bucket, the region, the credentials and what they allow, and this machine's clock"
    )]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// The object, or the objects that were to be listed.
        at: Box<At>,
        /// The status of HTTP.
        status: u16,
        /// The store's own word for it; `-` when it gave none.
        code: String,
    },
    /// The store did not answer, or not as it should, however often it was asked.
    #[error(
        "the object store could not {what} {at}, asked {n_attempts} times: {reason}; nothing is lost, so try again when it answers"
    )]
    Unavailable {
        /// What was asked for.
        what: &'static str,
        /// The object, or the objects that were to be listed.
        at: Box<At>,
        /// How often it was asked.
        n_attempts: u32,
        /// What happened the last time.
        reason: String,
    },
    /// What answers is no object store.
    #[error("what answers for {at} is no object store: {reason}; check the endpoint")]
    Foreign {
        /// The object, or the objects that were to be listed.
        at: Box<At>,
        /// What it did.
        reason: &'static str,
    },
}

/// An object, or all objects whose keys begin with `key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// Scheme, host and port.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The key; it ends in `/`, or is empty, where objects are listed.
    pub key: String,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let At {
            endpoint,
            bucket,
            key,
        } = self;
        write!(f, "`{key}` in bucket `{bucket}` at `{endpoint}`")
    }
}

/// How long the store is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) attempts_max: u32,
    /// The pause before the second attempt; each further one is twice as long.
    pub(super) pause: Duration,
    /// For reaching the store.
    pub(super) connect: Duration,
    /// For the store to read or write anything at all.
    pub(super) stall: Duration,
    /// For one request and its answer.
    pub(super) call: Duration,
}

const LIMITS: Limits = Limits {
    attempts_max: 5,
    pause: Duration::from_millis(200),
    connect: Duration::from_secs(5),
    stall: Duration::from_secs(15),
    call: Duration::from_secs(300),
};

/// How long a signed request may be repeated by whoever has seen it.
const SIGNED_FOR: Duration = Duration::from_secs(300);

/// Requests at the same time.
const N_PARALLEL: usize = 8;

/// Versions of one object that are removed at most; a blob is written once or twice.
const N_VERSIONS_MAX: u32 = 1000;

/// A store takes at most 5 GiB in one request.
const BYTES_MAX: u64 = 5 << 30;

/// An answer that is not a blob: an error, or a page of a list with at most 1,000 keys.
const ANSWER_BYTES_MAX: u64 = 8 << 20;

/// A bucket's folder of blobs.
pub(crate) struct S3 {
    address: Address,
    credentials: Source,
    agent: Agent,
    limits: Limits,
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3({})", self.location(self.address.prefix.clone()))
    }
}

/// What became of one attempt.
enum Tried<T> {
    Done(T),
    /// Worth another attempt.
    Again(String),
    Failed(StoreError),
}

impl S3 {
    pub(super) fn at(
        place: &str,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<S3, StoreError> {
        S3::with_limits(place, variable, LIMITS)
    }

    pub(super) fn with_limits(
        place: &str,
        variable: impl Fn(&str) -> Option<OsString>,
        limits: Limits,
    ) -> Result<S3, StoreError> {
        let address = Address::parse(place)?;
        let credentials = Source::find(variable)?;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(limits.connect))
            .timeout_per_read(Some(limits.stall))
            .timeout_per_write(Some(limits.stall))
            .timeout_per_call(Some(limits.call));
        if address.is_plain {
            // A proxy would see what is signed.
            config = config.proxy(None);
        }
        Ok(S3 {
            address,
            credentials,
            agent: config.build().new_agent(),
            limits,
        })
    }

    pub(super) fn write(&self, sealed: &[Vec<u8>]) -> Result<(), StoreError> {
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(bytes) = sealed.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.put(bytes).inspect_err(|_| {
                    // The others need not begin what the caller gives up.
                    next.store(sealed.len(), Ordering::Relaxed);
                })?;
            }
            Ok(())
        };
        if sealed.len() <= 1 {
            return work();
        }
        std::thread::scope(|scope| {
            let n_threads = sealed.len().min(N_PARALLEL);
            let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(work)).collect();
            let done = threads.into_iter().map(|thread| match thread.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            done.fold(Ok(()), Result::and)
        })
    }

    pub(super) fn read(&self, name: Hash) -> Result<Option<Vec<u8>>, StoreError> {
        let key = self.key(name);
        let at = self.location(key.clone());
        let mut is_other = false;
        let read = self.retry("read", &at, |credentials| {
            is_other = false;
            let url = self
                .address
                .bucket
                .get_object(Some(credentials), &key)
                .sign(SIGNED_FOR);
            let mut response = match self.agent.get(url.as_str()).call() {
                Ok(response) => response,
                Err(error) => return again(&error),
            };
            if response.status() != 200 {
                return match refusal(&mut response) {
                    Refusal::NoKey => Tried::Done(None),
                    refusal => refusal.tried("read", &at),
                };
            }
            let body = response.body_mut().with_config().limit(BYTES_MAX);
            match body.read_to_vec() {
                Ok(bytes) if super::is_whole(name, &bytes) => Tried::Done(Some(bytes)),
                Ok(_) => {
                    is_other = true;
                    Tried::Again("the bytes do not have the hash they are named by".to_owned())
                }
                Err(error) => again(&error),
            }
        });
        match read {
            Err(_) if is_other => Err(StoreError::damaged(format!(
                "the object {at} does not have the hash it is named by"
            ))),
            read => read,
        }
    }

    pub(super) fn remove(&self, name: Hash) -> Result<(), StoreError> {
        let key = self.key(name);
        let at = self.location(key.clone());
        if !self.delete(&key, &at, None)? {
            return Ok(());
        }
        // A bucket that keeps versions hid the object and kept its bytes. The newest version, be it a mark of removal, is
        // removed until there is none.
        for _ in 0..N_VERSIONS_MAX {
            match self.newest(&key, &at)? {
                None => return Ok(()),
                Some(version) => {
                    self.delete(&key, &at, Some(&version))?;
                }
            }
        }
        Err(ObjectStoreError::Foreign {
            at: Box::new(at),
            reason: "it shows ever more versions of one object",
        }
        .into())
    }

    pub(super) fn names(&self) -> Result<Names, StoreError> {
        let at = self.location(self.address.prefix.clone());
        let mut found = Names::default();
        let mut token: Option<String> = None;
        loop {
            let page = self.page(&at, token.as_deref())?;
            for object in page.contents {
                match self.name(&object.key) {
                    Some(name) => found.names.push(name),
                    None => found.others += 1,
                }
            }
            match page.next_continuation_token {
                None => return Ok(found),
                Some(next) if token.as_ref() == Some(&next) => {
                    return Err(ObjectStoreError::Foreign {
                        at: Box::new(at),
                        reason: "it lists the same page again and again",
                    }
                    .into());
                }
                Some(next) => token = Some(next),
            }
        }
    }

    fn put(&self, sealed: &[u8]) -> Result<(), StoreError> {
        let name = Hash::of(sealed);
        let key = self.key(name);
        let at = self.location(key.clone());
        let checksum = name.to_base64();
        self.retry("write", &at, |credentials| {
            let mut put = self.address.bucket.put_object(Some(credentials), &key);
            // Signed, so the store takes these bytes and no others.
            put.headers_mut().insert(CHECKSUM, checksum.as_str());
            let url = put.sign(SIGNED_FOR);
            let request = self.agent.put(url.as_str()).header(CHECKSUM, &checksum);
            let mut response = match request.send(sealed) {
                Ok(response) => response,
                Err(error) => return again(&error),
            };
            if response.status() != 200 {
                return refusal(&mut response).tried("write", &at);
            }
            match response.headers().contains_key("etag") {
                true => Tried::Done(()),
                // Whatever says yes to everything: a landing page, a proxy.
                false => Tried::Failed(foreign(&at, "it takes an object without an `ETag`")),
            }
        })
    }

    /// Removes the object, or one version of it; whether the bucket keeps older ones.
    fn delete(&self, key: &str, at: &At, version: Option<&str>) -> Result<bool, StoreError> {
        self.retry("remove", at, |credentials| {
            let mut delete = self.address.bucket.delete_object(Some(credentials), key);
            if let Some(version) = version {
                delete.query_mut().insert("versionId", version);
            }
            let url = delete.sign(SIGNED_FOR);
            let mut response = match self.agent.delete(url.as_str()).call() {
                Ok(response) => response,
                Err(error) => return again(&error),
            };
            match response.status().as_u16() {
                200 | 204 => {
                    let headers = response.headers();
                    let keeps = headers.contains_key(VERSION) || headers.contains_key(MARK);
                    Tried::Done(keeps)
                }
                _ => match refusal(&mut response) {
                    Refusal::NoKey => Tried::Done(false),
                    // Someone else was faster.
                    Refusal::Other { code, .. } if code == "NoSuchVersion" => Tried::Done(true),
                    refusal => refusal.tried("remove", at),
                },
            }
        })
    }

    /// The newest version of an object, which may be the mark that it was removed.
    fn newest(&self, key: &str, at: &At) -> Result<Option<String>, StoreError> {
        self.retry("look at", at, |credentials| {
            let get = self.address.bucket.get_object(Some(credentials), key);
            let url = get.sign(SIGNED_FOR);
            let request = self.agent.get(url.as_str()).header("range", "bytes=0-0");
            let mut response = match request.call() {
                Ok(response) => response,
                Err(error) => return again(&error),
            };
            let version = response.headers().get(VERSION);
            let version = version
                .and_then(|version| version.to_str().ok())
                .map(str::to_owned);
            match response.status().as_u16() {
                200 | 206 if version.is_none() => {
                    Tried::Failed(foreign(at, "it keeps versions and does not name them"))
                }
                200 | 206 => Tried::Done(version),
                _ => match refusal(&mut response) {
                    Refusal::NoKey => Tried::Done(version),
                    refusal => refusal.tried("look at", at),
                },
            }
        })
    }

    fn page(
        &self,
        at: &At,
        token: Option<&str>,
    ) -> Result<rusty_s3::actions::ListObjectsV2Response, StoreError> {
        self.retry("list", at, |credentials| {
            let mut list = self.address.bucket.list_objects_v2(Some(credentials));
            list.with_prefix(at.key.as_str());
            if let Some(token) = token {
                list.with_continuation_token(token);
            }
            let url = list.sign(SIGNED_FOR);
            let mut response = match self.agent.get(url.as_str()).call() {
                Ok(response) => response,
                Err(error) => return again(&error),
            };
            if response.status() != 200 {
                return refusal(&mut response).tried("list", at);
            }
            let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
            let text = match body.read_to_string() {
                Ok(text) => text,
                Err(error) => return again(&error),
            };
            match ListObjectsV2::parse_response(&text) {
                Ok(page) => Tried::Done(page),
                Err(_) => Tried::Again("the list it sent is cut off or malformed".to_owned()),
            }
        })
    }

    /// Asks until there is an answer, at most as often as the limits allow.
    fn retry<T>(
        &self,
        what: &'static str,
        at: &At,
        mut ask: impl FnMut(&Credentials) -> Tried<T>,
    ) -> Result<T, StoreError> {
        let mut pause = self.limits.pause;
        let mut n_attempts = 1;
        loop {
            let reason = match ask(&self.credentials.read()?) {
                Tried::Done(done) => return Ok(done),
                Tried::Failed(error) => return Err(error),
                Tried::Again(reason) => reason,
            };
            if n_attempts >= self.limits.attempts_max {
                return Err(ObjectStoreError::Unavailable {
                    what,
                    at: Box::new(at.clone()),
                    n_attempts,
                    reason,
                }
                .into());
            }
            std::thread::sleep(pause);
            pause *= 2;
            n_attempts += 1;
        }
    }

    fn key(&self, name: Hash) -> String {
        let name = name.to_string();
        format!("{}{}/{name}", self.address.prefix, &name[..2])
    }

    /// The blob that an object is; `None` when it is none.
    fn name(&self, key: &str) -> Option<Hash> {
        let name = Hash::from_hex(key.rsplit('/').next()?)?;
        (self.key(name) == key).then_some(name)
    }

    fn location(&self, key: String) -> At {
        At {
            endpoint: self.address.endpoint.clone(),
            bucket: self.address.bucket.name().to_owned(),
            key,
        }
    }
}

const CHECKSUM: &str = "x-amz-checksum-sha256";
const VERSION: &str = "x-amz-version-id";
const MARK: &str = "x-amz-delete-marker";

/// An answer that is not what was asked for.
enum Refusal {
    /// There is no such object, though there is such a bucket.
    NoKey,
    Other {
        status: u16,
        code: String,
    },
}

/// Codes of a refusal that another attempt may not meet: what was sent was cut off or changed on its way.
const PASSING: [&str; 6] = [
    "BadDigest",
    "IncompleteBody",
    "RequestTimeout",
    "SlowDown",
    "OperationAborted",
    "XAmzContentSHA256Mismatch",
];

impl Refusal {
    fn tried<T>(self, what: &'static str, at: &At) -> Tried<T> {
        let (status, code) = match self {
            Refusal::NoKey => (404, NO_KEY.to_owned()),
            Refusal::Other { status, code } => (status, code),
        };
        let passes = status >= 500
            || status == 429
            || status == 408
            // Half an answer to a read says nothing about what is there.
            || (status == 404 && code == NO_CODE)
            || PASSING.contains(&code.as_str());
        match passes {
            true => Tried::Again(format!("it answered {status} `{code}`")),
            false => Tried::Failed(
                ObjectStoreError::Refused {
                    what,
                    at: Box::new(at.clone()),
                    status,
                    code,
                }
                .into(),
            ),
        }
    }
}

const NO_KEY: &str = "NoSuchKey";
const NO_CODE: &str = "-";

/// Reads an error's code. The rest of it is left alone: it may repeat the request with its token.
fn refusal(response: &mut Response<Body>) -> Refusal {
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
    let text = body.read_to_string().unwrap_or_default();
    let code = text
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"))
        .map(|(code, _)| code)
        .filter(|code| code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric()));
    match code {
        Some(NO_KEY) if status == 404 => Refusal::NoKey,
        code => Refusal::Other {
            status,
            code: code.unwrap_or(NO_CODE).to_owned(),
        },
    }
}

fn foreign(at: &At, reason: &'static str) -> StoreError {
    let at = Box::new(at.clone());
    ObjectStoreError::Foreign { at, reason }.into()
}

/// What befell a request, in words of its own: some of the library's errors repeat the signed address.
fn again<T>(error: &ureq::Error) -> Tried<T> {
    Tried::Again(match error {
        ureq::Error::Timeout(_) => "it did not answer in time".to_owned(),
        ureq::Error::Io(error) => format!("the connection failed ({error})"),
        ureq::Error::HostNotFound => "its host has no address".to_owned(),
        ureq::Error::Rustls(error) => format!("it cannot be trusted ({error})"),
        ureq::Error::Protocol(_) => "what it sent is cut off, or not HTTP".to_owned(),
        ureq::Error::BodyExceedsLimit(_) => "it sent too much".to_owned(),
        _ => "the connection failed".to_owned(),
    })
}
