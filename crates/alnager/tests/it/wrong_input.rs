//! Wrong input: a clear error, exit 2, and the desk as it was.

use std::collections::BTreeMap;
use std::path::Path;

use crate::Place;

const CSV: &str = "y,d,g\n1,1,a\n0,0,a\n1,0,b\n0,1,b\n1,1,a\n0,0,b\n";

/// A small system; `tables` is the audit, `facts` the facts.
fn declaration(facts: &str, audit: &str) -> String {
    format!(
        "schema = 'alnager.system/1'\nid = 'small'\nname = 'Small'\norganisation = 'O'\nowner = 'Rita'\npurpose = 'p'\nstage = 'validation'\n[facts]\n{facts}\n{audit}"
    )
}

const AUDIT: &str = "[[audit]]\nname = 'one'\ndata = 'data.csv'\nlabel = { column = 'y', positive = '1' }\ndecision = { column = 'd', positive = '1', favourable = '1' }\n[[audit.attribute]]\ncolumn = 'g'\ncharacteristic = 'sex'\nreference = 'a'\n";

/// Every file of a folder, so that any change shows.
fn files(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
}

/// A desk with one good review, then the wrong one: exit 2, every word of `says` in the message, and no byte of the desk changed.
#[track_caller]
fn check(toml: &str, data: Option<(&str, &[u8])>, says: &[&str]) {
    let place = Place::new();
    place.write("good/system.toml", declaration("", AUDIT));
    place.write("good/data.csv", CSV);
    let good = place.run(&[
        "review",
        "good",
        "--known",
        "2026-11-23",
        "--at",
        "2026-12-01",
    ]);
    assert_eq!(good.code, 3, "{}{}", good.out, good.err);
    let mut before = BTreeMap::new();
    files(&place.path(".alnager"), &mut before);

    place.write("bad/system.toml", toml);
    if let Some((name, bytes)) = data {
        place.write(&format!("bad/{name}"), bytes);
    }
    let ran = place.run(&[
        "review",
        "bad",
        "--known",
        "2026-11-23",
        "--at",
        "2026-12-01",
    ]);
    assert_eq!(ran.code, 2, "exit {}: {}{}", ran.code, ran.out, ran.err);
    for word in says {
        assert!(ran.err.contains(word), "`{word}` is not in: {}", ran.err);
    }
    assert!(
        ran.err.starts_with("error: ") && ran.out.is_empty(),
        "{}{}",
        ran.out,
        ran.err
    );
    let mut after = BTreeMap::new();
    files(&place.path(".alnager"), &mut after);
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    for (name, bytes) in &before {
        assert!(after[name] == *bytes, "`{name}` changed");
    }
}

fn data(bytes: &[u8], says: &[&str]) {
    check(&declaration("", AUDIT), Some(("data.csv", bytes)), says);
}

#[test]
fn a_missing_column_names_the_nearest() {
    data(b"y,dd,g\n1,1,a\n", &["data.csv", "`d`", "dd"]);
}

#[test]
fn an_unknown_fact_names_file_line_and_the_nearest() {
    check(
        &declaration(
            "is_ai_sistem = { value = true, by = 'a', on = 2026-01-01, basis = 'b' }",
            "",
        ),
        None,
        &[
            "system.toml, line 9",
            "is_ai_sistem",
            "did you mean `is_ai_system`?",
        ],
    );
}

#[test]
fn a_label_with_three_values_names_them() {
    data(
        b"y,d,g\n1,1,a\n0,0,a\n2,0,b\n",
        &["data.csv", "`y`", "line 4"],
    );
}

#[test]
fn an_empty_reference_group_is_an_error() {
    data(b"y,d,g\n1,1,b\n0,0,b\n", &["data.csv", "`a`"]);
}

#[test]
fn a_nan_score_names_its_line() {
    let audit = AUDIT.replace(
        "decision = { column = 'd', positive = '1', favourable = '1' }",
        "decision = { column = 's', at_least = 0.5, favourable = 'at_least' }",
    );
    check(
        &declaration("", &audit),
        Some(("data.csv", b"y,s,g\n1,0.5,a\n0,NaN,a\n")),
        &["data.csv", "line 3", "`s`"],
    );
}

#[test]
fn latin_1_text_is_named_as_such() {
    data(
        b"y,d,g\n1,1,a\n0,0,M\xfcller\n",
        &["data.csv", "line 3", "UTF-8"],
    );
}

#[test]
fn zero_rows_are_an_error() {
    data(b"y,d,g\n", &["data.csv", "no rows"]);
}

#[test]
fn an_empty_file_is_an_error() {
    data(b"", &["data.csv"]);
}

#[test]
fn a_parquet_file_cut_in_half_is_damaged() {
    let audit = AUDIT.replace("data.csv", "data.parquet");
    check(
        &declaration("", &audit),
        Some((
            "data.parquet",
            b"PAR1\x15\x04\x15\x10\x15\x14L\x15\x02\x15\x00\x12\x00\x00",
        )),
        &["data.parquet"],
    );
}

#[test]
fn a_directory_is_not_a_data_file() {
    check(
        &declaration("", AUDIT),
        Some(("data.csv/inner", b"x")),
        &["data.csv", "folder"],
    );
}

#[test]
fn a_line_without_end_fails_fast() {
    let mut bytes = b"y,d,g\n1,1,a\n0,0,".to_vec();
    bytes.resize(20 << 20, b'x');
    data(&bytes, &["data.csv", "line 3"]);
}

#[test]
fn a_ragged_line_names_itself() {
    data(b"y,d,g\n1,1,a\n0,0\n", &["data.csv", "line 3"]);
}

#[test]
fn a_data_file_that_is_not_there() {
    check(&declaration("", AUDIT), None, &["data.csv"]);
}

#[test]
fn another_format_is_named() {
    let audit = AUDIT.replace("data.csv", "data.xlsx");
    check(
        &declaration("", &audit),
        Some(("data.xlsx", b"PK")),
        &["data.xlsx", "csv"],
    );
}

#[test]
fn broken_toml_names_its_line() {
    check(
        "schema = 'alnager.system/1'\nid = \n",
        None,
        &["system.toml, line 2", "not TOML"],
    );
}

#[test]
fn a_missing_field_is_named() {
    check(
        "schema = 'alnager.system/1'\nid = 'x'\n",
        None,
        &["system.toml", "`owner`", "missing"],
    );
}

#[test]
fn a_wrong_type_says_what_was_expected() {
    check(
        &declaration(
            "is_ai_system = { value = 'yes', by = 'a', on = 2026-01-01, basis = 'b' }",
            "",
        ),
        None,
        &["line 9", "facts.is_ai_system.value", "true or false"],
    );
}

#[test]
fn a_value_outside_the_list_names_the_nearest() {
    check(
        &declaration(
            "uses = { value = ['credit_scorring'], by = 'a', on = 2026-01-01, basis = 'b' }",
            "",
        ),
        None,
        &["credit_scorring", "credit_scoring"],
    );
}

#[test]
fn an_unknown_kind_of_evidence_names_the_nearest() {
    let evidence = "[[evidence]]\nfile = 'a.md'\nkind = 'dpiaa'\nrequirements = ['GDPR-35']\neffective = 2026-01-01\nsubmitted_by = 'Rita'\n";
    check(&declaration("", evidence), None, &["dpiaa", "`dpia`"]);
}

#[test]
fn evidence_whose_file_is_missing_is_named() {
    let evidence = "[[evidence]]\nfile = 'a.md'\nkind = 'dpia'\nrequirements = ['GDPR-35']\neffective = 2026-01-01\nsubmitted_by = 'Rita'\n";
    check(&declaration("", evidence), None, &["a.md", "evidence"]);
}

#[test]
fn a_limit_laxer_than_the_policy_is_refused() {
    check(
        &declaration(
            "",
            "[[limit]]\ntest = 'impact-ratio'\nlow = '0.70'\nwhy = 'w'\n",
        ),
        None,
        &["line 10", "stricter", "0.80"],
    );
}

#[test]
fn a_second_limit_for_the_same_test_is_refused() {
    let limits = "[[limit]]\ntest = 'impact-ratio'\nlow = '0.85'\nwhy = 'w'\n[[limit]]\ntest = 'impact-ratio'\nhigh = '1.25'\nwhy = 'w'\n";
    check(
        &declaration("", limits),
        None,
        &["line 14", "impact-ratio", "keep one"],
    );
}

#[test]
fn a_favourable_decision_that_was_never_made_is_refused() {
    let audit = AUDIT.replace("favourable = '1'", "favourable = 'yes'");
    check(
        &declaration("", &audit),
        Some(("data.csv", CSV.as_bytes())),
        &["data.csv", "`yes`", "`1` and `0`"],
    );
}

#[test]
fn a_column_has_one_part_to_play() {
    let same = AUDIT.replace("column = 'y'", "column = 'd'");
    check(
        &declaration("", &same),
        None,
        &["line 10", "`d`", "observed outcome"],
    );
    let protected = AUDIT.replace("column = 'g'", "column = 'y'");
    check(
        &declaration("", &protected),
        None,
        &["`y`", "attribute and also"],
    );
}

#[test]
fn two_groupings_of_one_name_are_refused() {
    let audit = format!(
        "{AUDIT}[[audit.attribute]]\ncolumn = 'h'\ncharacteristic = 'sex'\n[[audit.attribute]]\ncolumn = 'g*h'\ncharacteristic = 'religion'\n[[audit.intersection]]\ncolumns = ['g', 'h']\n"
    );
    check(&declaration("", &audit), None, &["two groupings", "`g*h`"]);
}

#[test]
fn a_team_without_members_is_refused() {
    let text = declaration("", AUDIT).replace("owner = 'Rita'", "owner = 'Rita'\nteam = []");
    check(&text, None, &["line 6", "team", "at least one person"]);
}

#[test]
fn a_document_outside_the_folder_is_refused() {
    let evidence = "[[evidence]]\nfile = '../good/data.csv'\nkind = 'dpia'\nrequirements = ['GDPR-35']\neffective = 2026-01-01\nsubmitted_by = 'Rita'\n";
    check(
        &declaration("", evidence),
        None,
        &["../good/data.csv", "outside the folder"],
    );
}

#[test]
fn an_attribute_with_too_many_groups_asks_for_bins() {
    let mut bytes = b"y,d,g\n".to_vec();
    for at in 0..60 {
        bytes.extend(
            format!(
                "{},{},{}\n",
                at % 2,
                at % 2,
                if at == 0 {
                    "a".to_owned()
                } else {
                    at.to_string()
                }
            )
            .bytes(),
        );
    }
    data(&bytes, &["data.csv", "`g`", "50"]);
}

#[test]
fn another_organisations_declaration_is_refused() {
    check(
        &declaration("", AUDIT).replace("organisation = 'O'", "organisation = 'P'"),
        Some(("data.csv", CSV.as_bytes())),
        &["`O`", "`P`"],
    );
}

#[test]
fn a_byte_order_mark_and_an_empty_group_are_accepted() {
    let place = Place::new();
    place.write(
        "system/system.toml",
        format!("\u{feff}{}", declaration("", AUDIT)),
    );
    place.write("system/data.csv", format!("\u{feff}{CSV}1,1,\n"));
    let (_, review) = place.review(&["--at", "2026-12-01"]);
    assert_eq!(review["figures"]["attrs"]["g"]["n_unknown"], 1);
    // Nobody in this group has the outcome 1: its rate among them is undefined, not 0.
    place.write("system/data.csv", "y,d,g\n1,1,a\n0,0,a\n0,0,b\n");
    let (_, review) = place.review(&["--at", "2026-12-01"]);
    assert!(review["figures"]["attrs"]["g"]["groups"]["b"]["tpr"].is_null());
}

#[test]
fn a_wrong_command_line_is_exit_2() {
    let place = Place::new();
    for wrong in [
        &["review"][..],
        &["review", "nowhere"],
        &["nonsense"],
        &["why", "X-1", "--system", "nowhere"],
        &["desk", "verify"],
        &["verify", "nowhere"],
        &["review", ".", "--at", "tomorrow"],
    ] {
        let ran = place.run(wrong);
        assert_eq!(ran.code, 2, "{wrong:?}: {}{}", ran.out, ran.err);
        assert!(!place.path(".alnager").exists());
    }
}

#[test]
fn a_new_desk_appears_whole_or_not_at_all() {
    let place = Place::new();
    place.write("bad/system.toml", declaration("", AUDIT));
    place.write("bad/data.csv", "y,d,g\n");
    assert_eq!(place.run(&["review", "bad"]).code, 2);
    let left: Vec<_> = std::fs::read_dir(place.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["bad"], "something was left behind");
}
