#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod faulty;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use alnager_journal::merkle::Hash;
use expect_test::{Expect, expect};
use tempfile::TempDir;

use super::s3::{Limits, S3};
use super::{Blobs, Names};
use crate::entropy::random;
use crate::error::StoreError;
use faulty::{Act, Faulty};

/// Must be in no message.
const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIACANARY"),
    ("AWS_SECRET_ACCESS_KEY", "canary-secret"),
    ("AWS_SESSION_TOKEN", "canary-token"),
];

/// Long enough for a busy machine, short enough to wait for.
const LIMITS: Limits = Limits {
    attempts_max: 3,
    pause: Duration::from_millis(1),
    connect: Duration::from_secs(5),
    stall: Duration::from_secs(2),
    call: Duration::from_secs(20),
};

type Variables = BTreeMap<String, String>;

fn variables(pairs: &[(&str, &str)]) -> Variables {
    let owned = pairs.iter().map(|(name, value)| (*name, *value));
    owned
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn s3(place: &str, variables: &Variables) -> Result<S3, StoreError> {
    let variable = |name: &str| variables.get(name).map(OsString::from);
    S3::with_limits(place, variable, LIMITS)
}

fn blobs(place: &str, variables: &Variables) -> Blobs {
    Blobs::S3(Box::new(s3(place, variables).unwrap()))
}

/// A blob of about `len` bytes that no other test has.
fn blob(len: usize) -> Vec<u8> {
    let mut bytes = random::<32>().unwrap().to_vec();
    bytes.resize(len.max(32), b'.');
    bytes
}

/// An error as a person reads it, with its causes; checked for secrets.
fn told(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!("\n  {error}"));
        cause = error.source();
    }
    let everything = format!("{text}{error:?}");
    for secret in ["AKIACANARY", "canary", "X-Amz", "Signature="] {
        assert!(!everything.contains(secret), "{everything}");
    }
    text
}

/// A bucket of the test server, with a prefix of this test's own. `None`, and a line that says so, where there is no server.
struct Bucket {
    host: String,
    name: String,
    prefix: String,
    variables: Variables,
}

impl Bucket {
    fn find(test: &str) -> Option<Bucket> {
        let Ok(address) = std::env::var("ALNAGER_TEST_S3") else {
            let needed = "needs ALNAGER_TEST_S3; `cargo xtask test` sets it";
            let must_run = std::env::var("ALNAGER_TEST_ALL").is_ok_and(|all| all == "1");
            assert!(!must_run, "{test} {needed}");
            eprintln!("not run: {test} {needed}");
            return None;
        };
        let rest = address.strip_prefix("http://").unwrap();
        let (keys, rest) = rest.split_once('@').unwrap();
        let (access, secret) = keys.split_once(':').unwrap();
        let (host, name) = rest.split_once('/').unwrap();
        Some(Bucket {
            host: host.to_owned(),
            name: name.to_owned(),
            prefix: format!("test-{}", Hash::of(&random::<32>().unwrap())),
            variables: variables(&[
                ("AWS_ACCESS_KEY_ID", access),
                ("AWS_SECRET_ACCESS_KEY", secret),
            ]),
        })
    }

    fn place(&self, prefix: &str, host: &str) -> String {
        let Bucket { name, .. } = self;
        format!("s3://{name}/{prefix}?endpoint=http://{host}")
    }

    fn blobs(&self) -> Blobs {
        blobs(&self.place(&self.prefix, &self.host), &self.variables)
    }

    /// The same objects, seen through a proxy.
    fn through(&self, proxy: &Faulty) -> Blobs {
        blobs(&self.place(&self.prefix, &proxy.host()), &self.variables)
    }

    /// Everything in the bucket, whoever put it there.
    fn beside(&self, prefix: &str) -> Blobs {
        blobs(&self.place(prefix, &self.host), &self.variables)
    }
}

fn in_folder() -> (TempDir, Blobs) {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::new(dir.path().to_owned());
    (dir, blobs)
}

/// What every place of blobs does.
fn check_place(blobs: &Blobs) {
    let sealed: Vec<Vec<u8>> = [32, 1000, 300_000].map(blob).to_vec();
    let mut names: Vec<Hash> = sealed.iter().map(|bytes| Hash::of(bytes)).collect();
    names.sort_unstable();
    assert_eq!(blobs.read(names[0]).unwrap(), None);
    assert_eq!(blobs.names().unwrap().names, []);

    blobs.write(&[]).unwrap();
    blobs.write(&sealed).unwrap();
    blobs.write(&sealed[..1]).unwrap();
    for bytes in &sealed {
        assert_eq!(blobs.read(Hash::of(bytes)).unwrap().as_ref(), Some(bytes));
    }
    let Names {
        names: found,
        others,
    } = blobs.names().unwrap();
    assert_eq!((found, others), (names.clone(), 0));
    assert_eq!(blobs.count_orphans(|name| name == names[1]).unwrap(), 2);

    blobs.remove(names[0]).unwrap();
    blobs.remove(names[0]).unwrap();
    assert_eq!(blobs.read(names[0]).unwrap(), None);
    assert_eq!(blobs.names().unwrap().names, names[1..]);
}

#[test]
fn a_folder_keeps_blobs() {
    let (_dir, blobs) = in_folder();
    check_place(&blobs);
}

#[test]
fn a_folder_tells_what_is_torn_or_foreign() {
    let (dir, blobs) = in_folder();
    let sealed = blob(1000);
    let name = Hash::of(&sealed);
    blobs.write(std::slice::from_ref(&sealed)).unwrap();
    let path = dir
        .path()
        .join(&name.to_string()[..2])
        .join(name.to_string());
    fs::write(&path, &sealed[..500]).unwrap();
    assert!(matches!(blobs.read(name), Err(StoreError::Damaged { .. })));
    // The right bytes in a place where nobody looks.
    fs::write(dir.path().join(name.to_string()), &sealed).unwrap();
    fs::write(dir.path().join("unfinished-1"), "half").unwrap();
    assert_eq!(blobs.names().unwrap().others, 2);
}

#[test]
fn an_object_store_keeps_blobs() {
    let Some(bucket) = Bucket::find("an_object_store_keeps_blobs") else {
        return;
    };
    check_place(&bucket.blobs());
    assert_eq!(bucket.beside("nothing-here").names().unwrap().names, []);
}

#[test]
fn an_object_store_lists_more_than_one_page() {
    let Some(bucket) = Bucket::find("an_object_store_lists_more_than_one_page") else {
        return;
    };
    let blobs = bucket.blobs();
    let sealed: Vec<Vec<u8>> = (0..1100).map(|_| blob(32)).collect();
    blobs.write(&sealed).unwrap();
    let mut names: Vec<Hash> = sealed.iter().map(|bytes| Hash::of(bytes)).collect();
    names.sort_unstable();
    assert_eq!(blobs.names().unwrap().names, names);
    // Seen from the prefix above, none of them lies where a blob would.
    let (above, _) = bucket.prefix.split_at(5);
    let above = bucket.beside(above.trim_end_matches('-'));
    assert_eq!(above.names().unwrap().names, []);
}

#[test]
fn an_object_store_refuses_wrong_keys() {
    let Some(bucket) = Bucket::find("an_object_store_refuses_wrong_keys") else {
        return;
    };
    let mut wrong = bucket.variables.clone();
    wrong.insert("AWS_SECRET_ACCESS_KEY".into(), "canary-secret".into());
    let blobs = blobs(&bucket.place(&bucket.prefix, &bucket.host), &wrong);
    let told = told(&blobs.write(&[blob(32)]).unwrap_err());
    assert!(told.contains("403 `SignatureDoesNotMatch`"), "{told}");
}

/// Whatever happens to one request on its way, the next one mends it; whatever happens to each of them, it is told, and
/// nothing is there that was not written whole.
#[test]
fn faults_on_the_way_to_an_object_store() {
    let Some(bucket) = Bucket::find("faults_on_the_way_to_an_object_store") else {
        return;
    };
    let faults = [
        Act::Drop,
        Act::CutRequest,
        Act::ChangeRequest,
        Act::LoseAnswer,
        Act::CutAnswer,
        Act::ChangeAnswer,
        Act::answer(500, "<Code>InternalError</Code>"),
        Act::answer(503, "<Code>SlowDown</Code>"),
        Act::answer(502, "<html>"),
    ];
    for fault in faults {
        let proxy = Faulty::before(&bucket.host);
        let far = bucket.through(&proxy);
        let near = bucket.blobs();
        let sealed = blob(100_000);
        let (name, sealed) = (Hash::of(&sealed), vec![sealed]);

        proxy.then(std::slice::from_ref(&fault), Act::Pass);
        far.write(&sealed).unwrap();
        assert_eq!(near.read(name).unwrap().as_ref(), sealed.first());
        proxy.then(std::slice::from_ref(&fault), Act::Pass);
        assert_eq!(
            far.read(name).unwrap().as_ref(),
            sealed.first(),
            "{fault:?}"
        );
        proxy.then(std::slice::from_ref(&fault), Act::Pass);
        // A list has no hash; one whose bytes were changed may be malformed or name something else, and TLS keeps that away.
        if fault != Act::ChangeAnswer {
            assert!(far.names().unwrap().names.contains(&name), "{fault:?}");
        }
        proxy.then(std::slice::from_ref(&fault), Act::Pass);
        far.remove(name).unwrap();
        assert_eq!(near.read(name).unwrap(), None, "{fault:?}");

        proxy.then(&[], fault.clone());
        let written = far.write(&sealed);
        let there = near.read(name);
        match &fault {
            // A changed answer to a write is still its answer.
            Act::ChangeAnswer | Act::CutAnswer => {}
            _ => drop(told(&written.unwrap_err())),
        }
        match there {
            Ok(there) => assert!(there.is_none() || there.as_ref() == sealed.first()),
            // This server keeps what it refuses for its checksum.
            Err(error) => assert!(fault == Act::ChangeRequest, "{fault:?}: {error}"),
        }
        near.write(&sealed).unwrap();
        let read = far.read(name);
        match &fault {
            // Nothing of a read is on its way to the store but its head.
            Act::CutRequest | Act::ChangeRequest => assert!(read.unwrap().is_some()),
            Act::ChangeAnswer => assert!(matches!(read, Err(StoreError::Damaged { .. }))),
            _ => drop(told(&read.unwrap_err())),
        }
        near.remove(name).unwrap();
    }
}

fn check_told(acts: &[Act], ask: impl Fn(&Blobs) -> Result<(), StoreError>, expected: Expect) {
    let server = Faulty::alone();
    let place = format!("s3://bucket/desk?endpoint=http://{}", server.host());
    let blobs = blobs(&place, &variables(&KEYS));
    let (then, last) = acts.split_at(acts.len() - 1);
    server.then(then, last[0].clone());
    let told = match ask(&blobs) {
        Ok(()) => "done".to_owned(),
        Err(error) => told(&error),
    };
    let told = told.replace(&server.host(), "HOST");
    expected.assert_eq(&format!("{told}\nrequests: {}", server.n_requests()));
}

fn write(blobs: &Blobs) -> Result<(), StoreError> {
    blobs.write(&[b"bytes".to_vec()])
}

fn read(blobs: &Blobs) -> Result<(), StoreError> {
    blobs.read(Hash::of(b"bytes")).map(drop)
}

fn names(blobs: &Blobs) -> Result<(), StoreError> {
    blobs.names().map(drop)
}

fn remove(blobs: &Blobs) -> Result<(), StoreError> {
    blobs.remove(Hash::of(b"bytes"))
}

#[test]
fn a_server_that_does_not_do_its_work_is_told() {
    let no =
        |status, code: &str| Act::answer(status, &format!("<Error><Code>{code}</Code></Error>"));
    check_told(
        &[no(403, "AccessDenied")],
        write,
        expect![[r#"
        the object store refuses to write `desk/27/277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9` in bucket `bucket` at `http://HOST`: it answered 403 `AccessDenied`; check the bucket, the region, the credentials and what they allow, and this machine's clock
        requests: 1"#]],
    );
    check_told(
        &[no(301, "PermanentRedirect")],
        write,
        expect![[r#"
        the object store refuses to write `desk/27/277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9` in bucket `bucket` at `http://HOST`: it answered 301 `PermanentRedirect`; check the bucket, the region, the credentials and what they allow, and this machine's clock
        requests: 1"#]],
    );
    check_told(
        &[no(503, "SlowDown")],
        write,
        expect![[r#"
        the object store could not write `desk/27/277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9` in bucket `bucket` at `http://HOST`, asked 3 times: it answered 503 `SlowDown`; nothing is lost, so try again when it answers
        requests: 3"#]],
    );
    check_told(
        &[Act::answer(200, "<html>Welcome</html>")],
        write,
        expect![[r#"
            what answers for `desk/27/277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9` in bucket `bucket` at `http://HOST` is no object store: it takes an object without an `ETag`; check the endpoint
            requests: 1"#]],
    );
    check_told(
        &[Act::Stall],
        read,
        expect![[r#"
        the object store could not read `desk/27/277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9` in bucket `bucket` at `http://HOST`, asked 3 times: it did not answer in time; nothing is lost, so try again when it answers
        requests: 3"#]],
    );
    check_told(
        &[Act::Drop],
        read,
        expect![[r#"
        the object store could not read `desk/27/277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9` in bucket `bucket` at `http://HOST`, asked 3 times: the connection failed (Peer disconnected); nothing is lost, so try again when it answers
        requests: 3"#]],
    );
    check_told(
        &[Act::answer(200, "other bytes")],
        read,
        expect![[r#"
        the desk is damaged: the object `desk/27/277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9` in bucket `bucket` at `http://HOST` does not have the hash it is named by; see what `alnager desk verify` still finds sound, or put a backup in its place
        requests: 3"#]],
    );
    check_told(
        &[Act::answer(404, "<html>not found</html>")],
        read,
        expect![[r#"
            the object store could not read `desk/27/277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9` in bucket `bucket` at `http://HOST`, asked 3 times: it answered 404 `-`; nothing is lost, so try again when it answers
            requests: 3"#]],
    );
    check_told(
        &[no(404, "NoSuchBucket")],
        read,
        expect![[r#"
        the object store refuses to read `desk/27/277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9` in bucket `bucket` at `http://HOST`: it answered 404 `NoSuchBucket`; check the bucket, the region, the credentials and what they allow, and this machine's clock
        requests: 1"#]],
    );
    // A bucket that is gone is not a blob that is gone.
    check_told(
        &[no(404, "NoSuchBucket")],
        names,
        expect![[r#"
        the object store refuses to list `desk/` in bucket `bucket` at `http://HOST`: it answered 404 `NoSuchBucket`; check the bucket, the region, the credentials and what they allow, and this machine's clock
        requests: 1"#]],
    );
    check_told(
        &[no(404, "NoSuchBucket")],
        remove,
        expect![[r#"
        the object store refuses to remove `desk/27/277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9` in bucket `bucket` at `http://HOST`: it answered 404 `NoSuchBucket`; check the bucket, the region, the credentials and what they allow, and this machine's clock
        requests: 1"#]],
    );
    check_told(
        &[no(404, "NoSuchKey")],
        read,
        expect![[r#"
        done
        requests: 1"#]],
    );
    check_told(
        &[Act::answer(200, "<ListBucketResult")],
        names,
        expect![[r#"
            the object store could not list `desk/` in bucket `bucket` at `http://HOST`, asked 3 times: the list it sent is cut off or malformed; nothing is lost, so try again when it answers
            requests: 3"#]],
    );
    check_told(
        &[Act::answer(200, SAME_PAGE)],
        names,
        expect![[r#"
        what answers for `desk/` in bucket `bucket` at `http://HOST` is no object store: it lists the same page again and again; check the endpoint
        requests: 2"#]],
    );
    // The store repeats what it was asked, token and all.
    let echo = "<Code>SignatureDoesNotMatch</Code>canary-token X-Amz-Signature";
    check_told(
        &[Act::answer(403, echo)],
        remove,
        expect![[r#"
        the object store refuses to remove `desk/27/277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9` in bucket `bucket` at `http://HOST`: it answered 403 `SignatureDoesNotMatch`; check the bucket, the region, the credentials and what they allow, and this machine's clock
        requests: 1"#]],
    );
    check_told(
        &[Act::answer(403, "<Code>canary token</Code>")],
        remove,
        expect![[r#"
            the object store refuses to remove `desk/27/277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9` in bucket `bucket` at `http://HOST`: it answered 403 `-`; check the bucket, the region, the credentials and what they allow, and this machine's clock
            requests: 1"#]],
    );
}

const SAME_PAGE: &str = r#"<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>true</IsTruncated><NextContinuationToken>a</NextContinuationToken></ListBucketResult>"#;

/// A bucket that keeps versions only hides what is removed; the bytes must go all the same.
#[test]
fn every_version_is_removed() {
    let mark = "x-amz-delete-marker: true\r\nx-amz-version-id: m1\r\n";
    let no_key = "<Error><Code>NoSuchKey</Code></Error>";
    let version = |id: &str| format!("x-amz-version-id: {id}\r\n");
    let server = Faulty::alone();
    let place = format!("s3://bucket/desk?endpoint=http://{}", server.host());
    let blobs = blobs(&place, &variables(&KEYS));
    server.then(
        &[
            Act::answer_with(204, mark, ""),
            Act::answer_with(404, mark, no_key),
            Act::answer_with(204, mark, ""),
            Act::answer_with(206, &version("v2"), "b"),
            Act::answer_with(204, &version("v2"), ""),
            Act::answer_with(206, &version("v1"), "b"),
            Act::answer_with(204, &version("v1"), ""),
            Act::answer(404, no_key),
        ],
        Act::answer(500, ""),
    );
    remove(&blobs).unwrap();
    let asked = server.asked().into_iter().map(|asked| {
        let (path, query) = asked.split_once('?').unwrap();
        let versions = query
            .split('&')
            .filter(|pair| pair.starts_with("versionId"));
        format!(
            "{} {}\n",
            &path[..path.len() - 60],
            versions.collect::<String>()
        )
    });
    expect![[r#"
        DELETE /bucket/desk/27/2770 
        GET /bucket/desk/27/2770 
        DELETE /bucket/desk/27/2770 versionId=m1
        GET /bucket/desk/27/2770 
        DELETE /bucket/desk/27/2770 versionId=v2
        GET /bucket/desk/27/2770 
        DELETE /bucket/desk/27/2770 versionId=v1
        GET /bucket/desk/27/2770 
    "#]]
    .assert_eq(&asked.collect::<String>());
}

#[test]
fn a_blob_that_cannot_be_written_stops_the_others() {
    let server = Faulty::alone();
    let place = format!("s3://bucket/desk?endpoint=http://{}", server.host());
    let blobs = blobs(&place, &variables(&KEYS));
    server.then(&[], Act::answer(403, "<Code>AccessDenied</Code>"));
    let sealed: Vec<Vec<u8>> = (0..500).map(|_| blob(32)).collect();
    blobs.write(&sealed).unwrap_err();
    assert!(server.n_requests() < 100, "{}", server.n_requests());
}

fn check_place_text(place: &str, expected: Expect) {
    let shown = match s3(place, &variables(&KEYS)) {
        Ok(s3) => format!("{s3:?}"),
        Err(error) => told(&error)
            .replace("the place of the blobs cannot be used: ", "")
            .replace("; write it like `s3://bucket/prefix?endpoint=https://host:port&region=eu-central-1`", ""),
    };
    expected.assert_eq(&shown);
}

#[test]
fn places() {
    check_place_text(
        "s3://bucket/a/b?endpoint=https://minio.example:9000&region=eu-central-1",
        expect!["S3(`a/b/` in bucket `bucket` at `https://minio.example:9000`)"],
    );
    check_place_text(
        "s3://bucket?region=eu-central-1",
        expect!["S3(`` in bucket `bucket` at `https://s3.eu-central-1.amazonaws.com`)"],
    );
    check_place_text(
        "s3://bucket/?endpoint=http://localhost:9000/",
        expect!["S3(`` in bucket `bucket` at `http://localhost:9000`)"],
    );
    check_place_text(
        "s3://bucket/a?endpoint=http://[::1]:9000",
        expect!["S3(`a/` in bucket `bucket` at `http://[::1]:9000`)"],
    );
    check_place_text(
        "s3://bucket/a?endpoint=https://x.example/storage/s3",
        expect!["S3(`a/` in bucket `bucket` at `https://x.example/storage/s3`)"],
    );
    check_place_text(
        "s3://bucket/a",
        expect!["it names neither an endpoint nor a region"],
    );
    check_place_text(
        "s3://AKIACANARY:canary@bucket/a?region=x",
        expect!["its bucket is not 3 to 63 lower-case letters, digits, `-` and `.`"],
    );
    check_place_text(
        "s3://b/a?region=x",
        expect!["its bucket is not 3 to 63 lower-case letters, digits, `-` and `.`"],
    );
    check_place_text(
        "s3://bucket/a/../b?region=x",
        expect![
            "its prefix is not names of letters, digits, `-`, `_` and `.` with `/` between them"
        ],
    );
    check_place_text(
        "s3://bucket//a?region=x",
        expect![
            "its prefix is not names of letters, digits, `-`, `_` and `.` with `/` between them"
        ],
    );
    check_place_text(
        "s3://bucket/a?region=EU",
        expect!["its region is not lower-case letters, digits and `-`"],
    );
    check_place_text(
        "s3://bucket/a?region=x&region=y",
        expect!["`endpoint` or `region` is there twice"],
    );
    check_place_text(
        "s3://bucket/a?secret=canary",
        expect![
            "behind its `?` stands something else than `endpoint=…` and `region=…`; credentials never stand there"
        ],
    );
    check_place_text(
        "s3://bucket/a?endpoint=https://AKIACANARY:canary@x.example",
        expect!["its endpoint is no address like `https://host:port`"],
    );
    check_place_text(
        "s3://bucket/a?endpoint=x.example:9000",
        expect!["its endpoint is no address like `https://host:port`"],
    );
    check_place_text(
        "s3://bucket/a?endpoint=http://minio.example:9000",
        expect!["its endpoint is reached without TLS and lies on another machine; use `https://`"],
    );
    check_place_text(
        "s3://bucket/a?endpoint=http://127.0.0.1.example:9000",
        expect!["its endpoint is reached without TLS and lies on another machine; use `https://`"],
    );
}

fn check_credentials(variables: &Variables, dir: &Path, expected: Expect) {
    let shown = match s3("s3://bucket?region=x", variables) {
        Ok(_) => "taken".to_owned(),
        Err(error) => told(&error).replace(&dir.display().to_string(), "DIR"),
    };
    expected.assert_eq(&shown.replace("there are no credentials for the object store: ", ""));
}

#[test]
fn credentials_of_the_environment() {
    let dir = Path::new("/nowhere");
    check_credentials(&variables(&KEYS), dir, expect!["taken"]);
    check_credentials(&variables(&KEYS[..2]), dir, expect!["taken"]);
    check_credentials(
        &variables(&KEYS[..1]),
        dir,
        expect![
            "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or name a file that holds them in `ALNAGER_S3_CREDENTIALS`"
        ],
    );
    check_credentials(
        &variables(&[]),
        dir,
        expect![
            "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or name a file that holds them in `ALNAGER_S3_CREDENTIALS`"
        ],
    );
    check_credentials(
        &variables(&[("AWS_ACCESS_KEY_ID", "a b"), ("AWS_SECRET_ACCESS_KEY", "c")]),
        dir,
        expect!["the variable `AWS_ACCESS_KEY_ID` holds something else than a key"],
    );
    let missing = variables(&[("ALNAGER_S3_CREDENTIALS", "/nowhere/s3")]);
    check_credentials(
        &missing,
        dir,
        expect![[r#"
        `DIR/s3` cannot be read or written
          No such file or directory (os error 2)"#]],
    );
}

#[cfg(unix)]
#[test]
fn credentials_of_a_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s3");
    let set = variables(&[("ALNAGER_S3_CREDENTIALS", path.to_str().unwrap())]);
    let check = |text: &str, mode, expected| {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        check_credentials(&set, dir.path(), expected);
    };
    let whole =
        "# of the desk\n\nAWS_ACCESS_KEY_ID = AKIACANARY\nAWS_SECRET_ACCESS_KEY=canary-secret\n";
    check(whole, 0o600, expect!["taken"]);
    check(
        whole,
        0o640,
        expect!["the file `DIR/s3` may be read by others; take that away with `chmod 600`"],
    );
    check(
        "AWS_ACCESS_KEY_ID=AKIACANARY\n",
        0o600,
        expect!["the file `DIR/s3` lacks `AWS_ACCESS_KEY_ID` or `AWS_SECRET_ACCESS_KEY`"],
    );
    check(
        "AWS_ACCESS_KEY_ID='canary'\n",
        0o600,
        expect!["line 1 of `DIR/s3` has no plain value; write it without quotes and spaces"],
    );
    check(
        "[default]\n",
        0o600,
        expect![
            "line 1 of `DIR/s3` is none of `AWS_ACCESS_KEY_ID=…`, `AWS_SECRET_ACCESS_KEY=…` and `AWS_SESSION_TOKEN=…`"
        ],
    );
    check(
        "AWS_ACCESS_KEY_ID=canary\nAWS_ACCESS_KEY_ID=canary\n",
        0o600,
        expect!["line 2 of `DIR/s3` says something a second time"],
    );
}

#[cfg(unix)]
#[test]
fn credentials_may_be_replaced_while_the_program_runs() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s3");
    let put = |key: &str| {
        let text = format!("AWS_ACCESS_KEY_ID={key}\nAWS_SECRET_ACCESS_KEY=s\n");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    put("first");
    let server = Faulty::alone();
    let place = format!("s3://bucket/desk?endpoint=http://{}", server.host());
    let set = variables(&[("ALNAGER_S3_CREDENTIALS", path.to_str().unwrap())]);
    let blobs = blobs(&place, &set);
    server.then(&[], Act::answer_with(200, "etag: x\r\n", ""));
    write(&blobs).unwrap();
    put("second");
    write(&blobs).unwrap();
    let asked = server.asked();
    assert!(
        asked[0].contains("X-Amz-Credential=first") && asked[1].contains("X-Amz-Credential=second")
    );
}

#[test]
fn a_place_is_a_bucket_or_a_folder() {
    assert!(matches!(
        Blobs::at("some/folder").unwrap(),
        Blobs::Folder(_)
    ));
    assert!(matches!(
        Blobs::at("s3://x"),
        Err(StoreError::ObjectStore(_))
    ));
}
