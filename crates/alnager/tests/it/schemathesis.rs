//! The API under requests that schemathesis makes of its own document: by the rules, and against them.
//!
//! `cargo xtask schemathesis` installs it and runs this; without it there is nothing to run.

use std::process::Command;

use crate::ci::{OFFICER, token};
use crate::serve::Server;

/// The program.
const PROGRAM: &str = "ALNAGER_TEST_SCHEMATHESIS";

/// How many requests it makes of each operation in each phase.
const EXAMPLES: &str = "ALNAGER_TEST_EXAMPLES";

const SCOPES: &str = "read prove declare answer confirm submit rule decide except advise audit review task comment administer";

#[test]
fn no_request_breaks_the_server_or_the_document() {
    let Ok(program) = std::env::var(PROGRAM) else {
        return;
    };
    let examples = std::env::var(EXAMPLES).unwrap_or_else(|_| "50".to_owned());
    let folder = tempfile::tempdir().unwrap();
    let server = Server::demo(&folder.path().join("example-group"));
    let token = token(&server, OFFICER, SCOPES);
    let api = format!("http://{}/example-group/api/v1", server.address);
    let config = crate::examples().join("../crates/alnager/tests/it/schemathesis.toml");
    let done = Command::new(program)
        .current_dir(folder.path())
        .arg("--config-file")
        .arg(config.canonicalize().unwrap())
        .args(["run", &format!("{api}/openapi.json"), "--url", &api])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--max-examples", &examples, "--continue-on-failure"])
        .status()
        .unwrap();
    assert!(done.success(), "see what it found above");
    let mut client = server.enter_as(OFFICER + 1);
    assert_eq!(client.get("/example-group/today").status, 200);
    assert_eq!(client.get("/example-group/journal").status, 200);
}
