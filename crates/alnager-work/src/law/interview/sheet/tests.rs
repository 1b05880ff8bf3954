#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};

use super::*;
use crate::library::shipped;

const HEAD: &str = "schema = 'alnager.system/1'
id = 'x'
name = 'X'   # the name
organisation = 'Example Group'
owner = 'Ruth Ansorge'
purpose = 'A test.'
stage = 'development'
";

/// Sets `name=value` (or takes `name` away) in a declaration that ends so; shows how it then ends.
#[track_caller]
fn check(rest: &str, change: &str, want: Expect) {
    let library = shipped().unwrap();
    let path = Path::new("system.toml");
    let text = format!("{HEAD}{rest}");
    let before = parse(path, &text, &library).unwrap();
    let (name, value) = change.split_once('=').unwrap_or((change, ""));
    let kind = library.book.vocabulary.get(name).unwrap();
    let value = change.contains('=').then(|| kind.parse(value).unwrap());
    let given = value.as_ref().map(|value| Given {
        value,
        by: "Ruth \"R.\" Ansorge",
        on: "2026-11-23".parse().unwrap(),
        basis: "file, \\section 1",
    });
    let (text, _) = edit(path, &text, &library, &before, kind, given.as_ref()).unwrap();
    let tail = text.strip_prefix(HEAD).unwrap();
    want.assert_eq(tail);
}

#[test]
fn an_answer_takes_the_place_of_its_comment() {
    check(
        "[facts]\n# Is it?\n# is_ai_system = { value = … }\n# is_generative = …\n",
        "is_ai_system=true",
        expect![[r#"
            [facts]
            # Is it?
            is_ai_system = { value = true, by = 'Ruth "R." Ansorge', on = 2026-11-23, basis = 'file, \section 1' }
            # is_generative = …
        "#]],
    );
}

#[test]
fn a_comment_in_another_table_is_left_alone() {
    check(
        "[facts]\n\n[owners]\n# is_ai_system = { value = … }\nlegal = 'Ruth Ansorge'\n",
        "is_ai_system=true",
        expect![[r#"
            [facts]
            is_ai_system = { value = true, by = 'Ruth "R." Ansorge', on = 2026-11-23, basis = 'file, \section 1' }

            [owners]
            # is_ai_system = { value = … }
            legal = 'Ruth Ansorge'
        "#]],
    );
}

#[test]
fn without_a_table_of_facts_one_is_made() {
    check(
        "",
        "places=EU,US-NYC",
        expect![[r#"

        [facts]
        places = { value = ["EU", "US", "US-NY", "US-NYC"], by = 'Ruth "R." Ansorge', on = 2026-11-23, basis = 'file, \section 1' }
    "#]],
    );
}

#[test]
fn a_new_answer_replaces_the_old_and_leaves_the_comments() {
    check(
        "[facts]\n# asked twice\nemployees = { value = 3, by = 'A', on = 2026-01-01, basis = 'b' } # counted\n\
         is_model = { value = false, by = 'A', on = 2026-01-01, basis = 'b' }\n",
        "employees=12.5",
        expect![[r#"
            [facts]
            employees = { value = 12.5, by = 'Ruth "R." Ansorge', on = 2026-11-23, basis = 'file, \section 1' } # counted
            is_model = { value = false, by = 'A', on = 2026-01-01, basis = 'b' }
        "#]],
    );
    check(
        "[facts.employees]\nvalue = 3\nby = 'A'\non = 2026-01-01\nbasis = 'b'\n",
        "employees=none",
        expect![[r#"

            [facts]
            employees = { value = "none", by = 'Ruth "R." Ansorge', on = 2026-11-23, basis = 'file, \section 1' }
        "#]],
    );
}

#[test]
fn an_answer_can_be_taken_away() {
    check(
        "[facts]\nplaced_on_market = { value = 2026-01-01, by = 'A', on = 2026-01-01, basis = 'b' }\n\
         is_model = { value = false, by = 'A', on = 2026-01-01, basis = 'b' }\n",
        "placed_on_market",
        expect![[r#"
            [facts]
            is_model = { value = false, by = 'A', on = 2026-01-01, basis = 'b' }
        "#]],
    );
}

#[test]
fn every_type_of_answer_is_written() {
    check(
        "",
        "placed_on_market=2026-09-15",
        expect![[r#"

        [facts]
        placed_on_market = { value = 2026-09-15, by = 'Ruth "R." Ansorge', on = 2026-11-23, basis = 'file, \section 1' }
    "#]],
    );
    check(
        "",
        "emotion_context=none",
        expect![[r#"

        [facts]
        emotion_context = { value = "none", by = 'Ruth "R." Ansorge', on = 2026-11-23, basis = 'file, \section 1' }
    "#]],
    );
    check(
        "",
        "training_flops=3e25",
        expect![[r#"

        [facts]
        training_flops = { value = 3e25, by = 'Ruth "R." Ansorge', on = 2026-11-23, basis = 'file, \section 1' }
    "#]],
    );
    check(
        "",
        "roles=",
        expect![[r#"

        [facts]
        roles = { value = [], by = 'Ruth "R." Ansorge', on = 2026-11-23, basis = 'file, \section 1' }
    "#]],
    );
}

#[test]
fn a_json_file_keeps_what_else_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("facts.json");
    std::fs::write(
        &path,
        r#"{"id": "G03", "facts": {"employees": 3, "roles": ["provider"]}, "at": "2026-11-23"}"#,
    )
    .unwrap();
    let library = shipped().unwrap();
    let mut sheet = Sheet::object(path.clone()).unwrap();
    let kind = |name: &str| library.book.vocabulary.get(name).unwrap();
    let flops = Value::Number(3e25);
    let given = |value| Given {
        value,
        by: "",
        on: "2026-11-23".parse().unwrap(),
        basis: "",
    };
    sheet
        .write(&library, kind("training_flops"), Some(&given(&flops)))
        .unwrap();
    sheet.write(&library, kind("roles"), None).unwrap();
    expect![[r#"
        {
          "id": "G03",
          "facts": {
            "employees": 3,
            "training_flops": 3e+25
          },
          "at": "2026-11-23"
        }
    "#]]
    .assert_eq(&std::fs::read_to_string(&path).unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
