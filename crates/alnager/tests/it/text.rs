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
