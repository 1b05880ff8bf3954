use super::*;

fn none(_: &str) -> Option<String> {
    None
}

#[track_caller]
fn check(address: &str, token: &str, want: &str) {
    match Remote::new(address, token, None, &none) {
        Ok(_) => assert_eq!(want, ""),
        Err(error) => {
            assert!(error.is_input());
            let words = error.to_string();
            assert!(!want.is_empty() && words.contains(want), "{words}");
            assert!(token.trim().is_empty() || !words.contains(token), "{words}");
        }
    }
}

#[test]
fn an_address_names_an_organisation_and_keeps_the_token_secret() {
    check("https://alnager.example/group", "alt_123", "");
    check("https://alnager.example/group/", "alt_123", "");
    check("http://127.0.0.1:8420/group", "alt_123", "");
    check("https://alnager.example", "alt_123", "no organisation");
    check(
        "https://alnager.example/group?x=1",
        "alt_123",
        "no organisation",
    );
    check("http://alnager.example/group", "alt_123", "in the clear");
    check("https://alnager.example/group", " ", "no token");
    check("https://alnager.example/group", "alt\n123", "no token");
}

#[test]
fn a_file_without_a_certificate_is_refused() {
    let new = |pem: &[u8]| Remote::new("https://alnager.example/group", "alt_1", Some(pem), &none);
    let error = new(b"not a certificate")
        .err()
        .map(|error| error.to_string());
    assert!(error.is_some_and(|words| words.contains("ALNAGER_CA_FILE")));
}

#[test]
fn what_a_server_says_is_wrong_is_said_here() {
    let body = br#"{"type":"x","title":"Invalid","status":422,"detail":"declaration: line 3: no"}"#;
    assert_eq!(
        problem(422, body),
        "the server refuses: declaration: line 3: no"
    );
    assert!(problem(401, b"").contains("token"));
    assert!(problem(404, b"<html>").contains("no desk at this address"));
    assert!(problem(418, b"").contains("answers 418"));
}
