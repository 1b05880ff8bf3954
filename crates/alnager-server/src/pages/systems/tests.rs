#![allow(clippy::unwrap_used)]

use alnager_office::role::Role;
use axum::http::{Method, header};

use crate::tests::{Answer, Street, Visitor};

/// Sends a form with a file.
async fn upload(visitor: &Visitor, path: &str, file: &str, bytes: &[u8]) -> Answer {
    let mut body = format!(
        "--mark\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file}\"\r\nContent-Type: text/csv\r\n\r\n"
    )
    .into_bytes();
    body.extend(bytes);
    body.extend(b"\r\n--mark--\r\n");
    let path = format!("{path}?form={}", visitor.form_token());
    let media = [(header::CONTENT_TYPE, "multipart/form-data; boundary=mark")];
    visitor.send(Method::POST, &path, &media, body).await
}

#[tokio::test]
async fn the_list_is_filtered_sorted_and_exported() {
    let street = Street::open(&["one"]).await;
    let visitor = street.with_role("one", Role::Officer).await;
    let all = visitor.get("/systems").await.is(200).text();
    assert!(all.contains("data-of=\"credit\""), "{all}");
    let some = visitor
        .get("/systems?q=credit&sort=name&down=1")
        .await
        .is(200)
        .text();
    assert!(some.contains("data-of=\"credit\"") && some.contains("aria-sort=\"descending\""));
    let none = visitor
        .get("/systems?q=nothing%20like%20it")
        .await
        .is(200)
        .text();
    assert!(!none.contains("data-of="));
    let bound = visitor.get("/systems?binds=eu-ai-act").await.is(200).text();
    assert!(bound.contains("data-of="));
    visitor
        .get("/systems?page=99999999999999999999")
        .await
        .is(200);
    let file = visitor.get("/systems.csv?q=credit").await.is(200);
    assert!(file.media.starts_with("text/csv"));
    let text = file.text();
    assert!(
        text.contains("\"credit\",") && !text.contains("\"cv-screen\","),
        "{text}"
    );
}

#[tokio::test]
async fn a_list_is_looked_at_and_then_declared() {
    let street = Street::open(&["one"]).await;
    let visitor = street.with_role("one", Role::Officer).await;
    visitor.get("/systems/import").await.is(200);
    let table = b"name,purpose,owner,places,shoe size\nNew <i>one</i>,Rank,Ruth Ansorge,EU,44\ncredit,Known already,,,\nNo purpose,,,,\n";
    let answer = upload(&visitor, "/systems/import", "list.csv", table)
        .await
        .is(303);
    let path = answer.location.strip_prefix("/one").unwrap().to_owned();
    let page = visitor.get(&path).await.is(200).text();
    assert!(
        page.contains("New &lt;i&gt;one&lt;/i&gt;") && page.contains("shoe size"),
        "{page}"
    );
    // Nobody else finds it.
    street
        .with_role("one", Role::Legal)
        .await
        .get(&path)
        .await
        .is(422);
    let done = visitor.post(&path, &[]).await.is(200).text();
    assert!(done.contains("1 system is declared"), "{done}");
    let listed = visitor.get("/systems?q=new-i-one-i").await.text();
    assert!(listed.contains("data-of=\"new-i-one-i\""), "{listed}");
    visitor.post(&path, &[]).await.is(422);
}

#[tokio::test]
async fn what_is_no_list_comes_back_with_the_reason() {
    let street = Street::open(&["one"]).await;
    let visitor = street.with_role("one", Role::Officer).await;
    let answer = upload(&visitor, "/systems/import", "list.xlsx", b"PK\x03\x04")
        .await
        .is(422);
    assert!(answer.text().contains("cut short"));
    upload(&visitor, "/systems/import", "empty.csv", b"")
        .await
        .is(422);
    visitor.post("/systems/import", &[]).await.is(422);
    let large = vec![b'a'; 11 << 20];
    upload(&visitor, "/systems/import", "large.csv", &large)
        .await
        .is(413);
    let board = street.with_role("one", Role::Board).await;
    board.get("/systems/import").await.is(403);
}
