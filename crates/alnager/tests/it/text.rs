//! Official texts: import, compare, stamp. The act is invented.

use serde_json::{Value, json};

use crate::Place;

const ACT: &str = "<ACT><BIB.INSTANCE><NO.DOC><YEAR>2031</YEAR><NO.CURRENT>77</NO.CURRENT></NO.DOC><LG.DOC>EN</LG.DOC></BIB.INSTANCE>\
<TITLE><TI><P>Regulation (EU) 2031/77</P></TI></TITLE><ENACTING.TERMS>\
<ARTICLE><TI.ART>Article 1</TI.ART><ALINEA>A kite that flies by night carries a red lamp.</ALINEA></ARTICLE>\
<ARTICLE><TI.ART>Article 2</TI.ART><ALINEA>It applies from 2 May 2032.</ALINEA></ARTICLE></ENACTING.TERMS></ACT>";

#[test]
fn a_text_becomes_a_tree_and_a_tree_can_be_compared() {
    let place = Place::new();
    place.write("old.xml", ACT);
    let new = ACT
        .replace("red lamp", "green lamp")
        .replace("2 May 2032", "1 June 2032");
    place.write("new.xml", new);
    let ran = place.run(&["law", "import", "old.xml", "--out", "old.json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.starts_with("eli/reg/2031/77 (formex, en)\n"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("2 provisions\n       2  article\n"),
        "{}",
        ran.out
    );

    let ran = place.run(&["law", "diff", "old.json", "new.xml", "--format", "json"]);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    let operations = found["operations"].as_array().unwrap();
    let seen: Vec<Value> = operations
        .iter()
        .map(|o| json!([o["label"], o["kind"], o["dates"]]))
        .collect();
    let want = [
        json!(["Article 1", "replaced", []]),
        json!(["Article 2", "date_shifted", [["2 May 2032", "1 June 2032"]]]),
    ];
    assert_eq!(seen, want);
    assert!(
        operations
            .iter()
            .all(|o| o["before"] != o["after"] && o["before"].is_string())
    );

    let ran = place.run(&["law", "diff", "old.xml", "new.xml"]);
    assert!(ran.out.contains("replaced  Article 1\n"), "{}", ran.out);
    assert!(
        ran.out.contains("carries a [-red-] {+green+} lamp."),
        "{}",
        ran.out
    );
}

#[test]
fn a_text_that_is_cut_off_leaves_nothing() {
    let place = Place::new();
    place.write("act.xml", &ACT[..ACT.len() - 20]);
    let ran = place.run(&["law", "import", "act.xml", "--out", "act.json"]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(
        ran.err.contains("act.xml, line 1: the file is cut off"),
        "{}",
        ran.err
    );
    assert!(!place.path("act.json").exists());
}

#[test]
fn two_works_are_not_compared() {
    let place = Place::new();
    place.write("a.xml", ACT);
    place.write("b.xml", ACT.replace(">77<", ">78<"));
    let ran = place.run(&["law", "diff", "a.xml", "b.xml"]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("are two works"), "{}", ran.err);
}

/// The act in the place of one that a shipped pack is stamped with: every article reads differently.
fn stamped_act(year: &str, number: &str) -> String {
    ACT.replace("2031</YEAR>", &format!("{year}</YEAR>"))
        .replace(">77<", &format!(">{number}<"))
        .replace("2031/77", &format!("{year}/{number}"))
}

/// The AI Act, whose pack is stamped with its annexes too.
fn ai_act() -> String {
    stamped_act("2024", "1689")
}

/// An annex of a real act, without a word of it.
const ANNEX: &str = "<ANNEX><BIB.INSTANCE><NO.DOC><YEAR>2024</YEAR><NO.CURRENT>1689</NO.CURRENT></NO.DOC><LG.DOC>EN</LG.DOC></BIB.INSTANCE>\
<TITLE><TI><P>ANNEX I</P></TI></TITLE><CONTENTS><P>Kites.</P></CONTENTS></ANNEX>";

#[test]
fn an_annex_without_its_act_is_refused() {
    let place = Place::new();
    place.write("annex.xml", ANNEX);
    let ran = place.run(&["law", "import", "annex.xml"]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(
        ran.err.contains("name the act first, then its annexes"),
        "{}",
        ran.err
    );
}

#[test]
fn a_text_in_another_language_than_the_stamps_is_refused() {
    let place = Place::new();
    let act = ai_act();
    place.write("de.xml", act.replace(">EN<", ">DE<"));
    let ran = place.run(&["law", "import", "de.xml"]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("import the text in `en`"), "{}", ran.err);

    place.write("en.xml", act);
    let ran = place.run(&["law", "import", "en.xml", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    let list = found["not_judged"].as_array().unwrap();
    assert_eq!(found["n_not_judged"], list.len());
    let stale = found["stale"].as_array().unwrap();
    let in_annex = |value: &&Value| value["provision"].as_str().unwrap().contains("/anx_");
    // The act came without its annexes: they are not judged, and its articles are.
    assert!(!stale.is_empty() && !stale.iter().any(|one| in_annex(&one)));
    let annexes: Vec<&Value> = list.iter().filter(in_annex).collect();
    assert!(annexes.iter().any(|one| one["why"] == "no_annexes"));
    assert!(list.iter().any(|one| one["why"] == "not_stamped"));
    let ran = place.run(&["law", "import", "en.xml"]);
    let words = format!(
        "{} cited provisions are not judged by this text",
        list.len()
    );
    assert!(ran.out.contains(&words), "{}", ran.out);
}

#[test]
fn a_text_the_desk_held_before_comes_back_with_a_reason_from_outside_the_team_only() {
    let place = Place::with("credit");
    place.review(&[]);
    place.write("a.xml", ai_act());
    place.write("b.xml", ai_act().replace("red lamp", "green lamp"));
    let import = |file: &str, who: &str, rest: &[&str]| {
        place.run(&[&["law", "import", file, "--as", who], rest].concat())
    };
    for file in ["a.xml", "b.xml"] {
        let ran = import(file, "Vera Novak", &[]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    }
    let ran = import("a.xml", "Vera Novak", &[]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("before, and another since"), "{}", ran.err);
    let reason = ["--replace", "--reason", "b was a draft"];
    let ran = import("a.xml", "Tomas Beran", &reason);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("someone outside the team"), "{}", ran.err);
    let ran = import("a.xml", "Vera Novak", &reason);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn a_stale_requirement_is_recomputed_from_the_dossier() {
    let place = Place::with("credit");
    let (_, before) = place.review(&[]);
    place.write("a.xml", stamped_act("2016", "679"));
    let ran = place.run(&["law", "import", "a.xml", "--as", "Vera Novak"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let (_, review) = place.review(&[]);
    let n_stale = |review: &Value| review.to_string().matches("stale: the official").count();
    assert_eq!(n_stale(&before), 0);
    assert!(n_stale(&review) > 0);
    let dossier = place.path(review["dossier"].as_str().unwrap());
    let ran = place.run(&["verify", dossier.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}
