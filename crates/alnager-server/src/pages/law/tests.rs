#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use alnager_law::text::import;
use alnager_law::text::stamp::Wording;
use alnager_office::counsel::{NewText, Opinion};
use alnager_office::decide::{Blob, Command};
use alnager_office::role::Role;
use alnager_work::law::text::to_json;
use alnager_work::library::sha256;

use super::*;
use crate::organisation::Asked;
use crate::tests::Street;

/// Enters a command for somebody, past the pages.
async fn entered(street: &Street, name: &str, command: Command) {
    let organisation = street.house.seats["one"].organisation().unwrap();
    let person = organisation.moment().state.person(name).unwrap().to_owned();
    let asked = Asked {
        command,
        person: &person,
        id: None,
        n_ids: 0,
    };
    organisation.enter(asked).await.unwrap();
}

/// The part of a page in the row about something.
fn row<'p>(page: &'p str, of: &str) -> &'p str {
    let start = page.find(&format!("<tr data-of=\"{of}\">")).unwrap();
    let rest = &page[start..];
    &rest[..rest.find("</tr>").unwrap()]
}

#[tokio::test]
async fn the_law_in_force_depends_on_both_days() {
    let street = Street::open(&["one"]).await;
    let board = street.with_role("one", Role::Board).await;
    let page = board.get("/law?at=2020-01-01").await.is(200).text();
    let of = format!("0 {} ", EN.shared.of);
    assert!(row(&page, "eu-ai-act").contains(&of), "{page}");
    assert!(!row(&page, "gdpr").contains(&of));
    let page = board
        .get("/law?at=2026-11-30&known=2000-01-01")
        .await
        .is(200);
    assert!(
        row(&page.text(), "eu-ai-act").contains(&of),
        "nobody knew it then"
    );
    let page = board.get("/law?kind=bill").await.is(200).text();
    assert!(page.contains("data-of=\"br-pl2338\"") && !page.contains("data-of=\"gdpr\""));
    let page = board.get("/law?at=%3Cb%3E").await.is(422).text();
    assert!(page.contains("&lt;b&gt;") && !page.contains("<b>"));
}

#[tokio::test]
async fn a_pack_shows_how_its_requirements_fare() {
    let street = Street::open(&["one"]).await;
    let board = street.with_role("one", Role::Board).await;
    let page = board.get("/law/eu-ai-act?q=EUAIA-9").await.is(200).text();
    assert!(page.contains("/one/law/requirements/EUAIA-9\""));
    assert!(!page.contains("/one/law/requirements/EUAIA-5-1-a\""));
    let organisation = street.house.seats["one"].organisation().unwrap();
    let across = organisation.moment().digest.requirements["EUAIA-9"];
    let shown = fares(across).into_string();
    assert!(
        across != Across::default() && page.contains(&shown),
        "{page}"
    );
    board.get("/law/no-such-pack").await.is(404);
}

#[tokio::test]
async fn a_framework_is_adopted_and_what_somebody_else_decided_is_not_undone() {
    let street = Street::open(&["one"]).await;
    let legal = street.with_role("one", Role::Legal).await;
    let path = "/law/us-sr26-2/adoption";
    let bare = legal.post(path, &[("decision", "adopt")]).await.is(422);
    assert!(bare.text().contains("role=\"alert\""));
    let typed = [("decision", "adopt"), ("reason", "our banks ask for it")];
    legal.post(path, &typed).await.is(303);
    let page = legal.get("/law/us-sr26-2").await.is(200).text();
    assert!(page.contains("our banks ask for it") && page.contains(EN.law.drop));
    // Somebody who still saw it as not adopted.
    let officer = street.with_role("one", Role::Officer).await;
    let late = officer.post(path, &[("decision", "adopt"), ("reason", "so <do> I")]);
    let late = late.await.is(409).text();
    assert!(late.contains("so &lt;do&gt; I"), "{late}");
    let binding = [("decision", "adopt"), ("reason", "x")];
    legal.post("/law/gdpr/adoption", &binding).await.is(422);
    let board = street.with_role("one", Role::Board).await;
    board.post(path, &typed).await.is(403);
    let page = board.get("/law/us-sr26-2").await.is(200).text();
    assert!(!page.contains("<button type=\"submit\" name=\"decision\""));
}

#[tokio::test]
async fn a_reading_is_recorded_once_and_a_second_one_sees_the_first() {
    let street = Street::open(&["one"]).await;
    let legal = street.with_role("one", Role::Legal).await;
    let path = "/law/requirements/EUAIA-9";
    let send = format!("{path}/reading");
    let page = legal.get(path).await.is(200).text();
    assert!(page.contains(EN.law.reading_none));
    let text = ("reading", "a <risk> file is enough");
    let bare = legal.post(&send, &[text]).await.is(422).text();
    assert!(bare.contains("a &lt;risk&gt; file is enough"), "{bare}");
    let empty = [("opinion", "adopted"), ("reading", " ")];
    legal.post(&send, &empty).await.is(422);
    legal
        .post(&send, &[("opinion", "adopted"), text])
        .await
        .is(303);
    let page = legal.get(path).await.is(200).text();
    assert!(page.contains(EN.law.reading_counts) && page.contains("a &lt;risk&gt; file"));
    // The officer's page was open before that.
    let officer = street.with_role("one", Role::Officer).await;
    let late = [("opinion", "rejected"), ("reading", "not ours")];
    let late = officer.post(&send, &late).await.is(409).text();
    assert!(late.contains("not ours") && late.contains("a &lt;risk&gt; file"));
    let seen = late.split("name=\"seen\" value=\"").nth(1).unwrap();
    let seen = seen.split('"').next().unwrap();
    let again = [
        ("opinion", "rejected"),
        ("reading", "not ours"),
        ("seen", seen),
    ];
    officer.post(&send, &again).await.is(303);
    let organisation = street.house.seats["one"].organisation().unwrap();
    let state = organisation.moment().state.clone();
    let reading = &state.counsel.readings["EUAIA-9"];
    assert_eq!(
        (reading.opinion, reading.text.as_str()),
        (Opinion::Rejected, "not ours")
    );
    let board = street.with_role("one", Role::Board).await;
    board.post(&send, &again).await.is(403);
    legal
        .post("/law/requirements/NO-1/reading", &again)
        .await
        .is(404);
}

/// An act under the AI Act's name that says something else.
const ACT: &str = "<ACT><BIB.INSTANCE><NO.DOC><YEAR>2024</YEAR><NO.CURRENT>1689</NO.CURRENT></NO.DOC><LG.DOC>EN</LG.DOC></BIB.INSTANCE>\
<TITLE><TI><P>Regulation (EU) 2024/1689</P></TI></TITLE><ENACTING.TERMS><ARTICLE><TI.ART>Article 8</TI.ART><ALINEA>Kites stay down.</ALINEA></ARTICLE>\
<ARTICLE><TI.ART>Article 9</TI.ART><ALINEA>Kites &lt;fly&gt;.</ALINEA></ARTICLE></ENACTING.TERMS></ACT>";

#[tokio::test]
async fn the_official_text_stands_beside_the_norm_and_a_changed_one_is_confirmed() {
    let street = Street::open(&["one"]).await;
    let legal = street.with_role("one", Role::Legal).await;
    let path = "/law/requirements/EUAIA-9";
    let page = legal.get(path).await.is(200).text();
    assert!(page.contains(EN.law.not_imported) && page.contains("alnager law import"));
    let send = format!("{path}/wording");
    legal.post(&send, &[("why", "same")]).await.is(422);
    let tree = import("act.xml", ACT.as_bytes()).unwrap();
    let json = to_json(&tree).to_string().into_bytes();
    let wording = Wording::of(&tree);
    let hashes = wording.provisions.iter();
    let text = NewText {
        work: tree.work.clone(),
        file: "act.xml".to_owned(),
        valid_from: None,
        sha256: sha256(&json),
        n_provisions: tree.provisions.len() as u64,
        language: wording.language.clone(),
        provisions: hashes
            .map(|(id, hash)| (id.clone(), hash.to_string()))
            .collect(),
        stale: Vec::new(),
        replaces: None,
        tree: Blob {
            name: "provisions.json".to_owned(),
            media: "application/json".to_owned(),
            bytes: Arc::new(json),
        },
    };
    entered(&street, "Henrik Lund", Command::ImportText(Box::new(text))).await;
    for _ in 0..2 {
        // The second time it is opened already.
        let page = legal.get(path).await.is(200).text();
        assert!(
            page.contains("Kites &lt;fly&gt;.") && !page.contains("Kites stay down"),
            "{page}"
        );
        assert!(page.contains("it reads differently") || page.contains("reads differently"));
    }
    legal.post(&send, &[("why", "")]).await.is(422);
    let why = [("why", "only kites were added")];
    legal.post(&send, &why).await.is(303);
    let page = legal.get(path).await.is(200).text();
    assert!(page.contains("only kites were added") && !page.contains(EN.law.stale));
    let late = legal
        .post(&send, &[("why", "<me> too")])
        .await
        .is(422)
        .text();
    assert!(!late.contains("<me>"));
}

#[tokio::test]
async fn what_changes_between_two_days_is_told_with_the_systems_it_meets() {
    let street = Street::open(&["one"]).await;
    let board = street.with_role("one", Role::Board).await;
    let page = board
        .get("/law/changes?from=2026-07-01&to=2028-01-01")
        .await
        .is(200);
    let page = page.text();
    assert!(page.contains("datetime=\"2027-12-02\""), "{page}");
    assert!(page.contains("/one/law/requirements/EUAIA-9\""));
    assert!(page.contains("<tr data-of=\"credit\">"), "{page}");
    assert!(
        !page.contains(EN.law.learned),
        "both days have the same knowledge"
    );
    // The day on which high-risk duties begin was moved in July 2026.
    let query = "from=2026-07-01&to=2028-01-01&known_from=2026-07-01&known_to=2026-11-30";
    let page = board
        .get(&format!("/law/changes?{query}"))
        .await
        .is(200)
        .text();
    assert!(page.contains(EN.law.learned));
    let credit = row(&page, "credit");
    assert!(credit.contains("moved: "), "{credit}");
    let same = board
        .get("/law/changes?from=2026-07-01&to=2026-07-01")
        .await
        .is(200);
    let same = same.text();
    assert!(same.contains(EN.law.differs_none) && same.contains(EN.law.impact_none));
    let swapped = board
        .get("/law/changes?from=2027-01-01&to=2026-01-01")
        .await
        .is(422);
    assert!(swapped.text().contains("exchange them"));
    let wrong = board
        .get("/law/changes?from=%22%3E%3Cb%3E")
        .await
        .is(422)
        .text();
    assert!(!wrong.contains("<b>") && wrong.contains("&lt;b&gt;"));
}

#[tokio::test]
async fn a_comment_on_a_requirement_comes_back_to_it() {
    let street = Street::open(&["one"]).await;
    let board = street.with_role("one", Role::Board).await;
    let comment = [("about", "requirement/GDPR-9"), ("text", "why <us>?")];
    let answer = board.post("/comments", &comment).await.is(303);
    assert_eq!(answer.location, "/one/law/requirements/GDPR-9#comments");
    let page = board.get("/law/requirements/GDPR-9").await.is(200).text();
    assert!(page.contains("why &lt;us&gt;?"));
    // Who it concerns is what the moment says.
    let organisation = street.house.seats["one"].organisation().unwrap();
    let moment = organisation.moment();
    let concerns = |status| {
        use alnager_office::gate::Status;
        !matches!(status, Status::Ended | Status::NotApplicable)
    };
    for (system, standing) in moment.derived.systems() {
        let mut own = standing.requirements.iter();
        let is_listed = page.contains(&format!("<tr data-of=\"{system}\">"));
        let found = own.any(|one| &*one.id == "GDPR-9" && concerns(one.status));
        assert_eq!(is_listed, found, "{system}");
    }
}
