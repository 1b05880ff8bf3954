//! The audits beside `fairness`: a few rows each, and what a wrong flag says.

use serde_json::{Value, json};

use crate::Place;

/// Ten applications; one lacks its income.
const LOANS: &str = "\
id,deny,race,sex,income,purpose,grade,score,paid
1,0,White,m,9,car,A,0.9,90
2,0,White,f,7,home,A,0.8,75
3,1,White,m,2,car,C,0.3,20
4,0,White,f,5,home,B,0.6,60
5,1,Black,m,6,car,C,0.5,45
6,0,Black,f,8,home,B,0.8,85
7,1,Black,m,4,home,C,0.2,30
8,0,Black,f,3,car,B,0.6,40
9,0,Asian,m,6,car,A,0.7,75
10,1,Asian,f,,home,C,0.4,35
";

fn run(line: &str) -> crate::Ran {
    let place = Place::new();
    place.write("loans.csv", LOANS);
    place.run(&words(line))
}

/// The words of a line; a quoted part is one word.
fn words(line: &str) -> Vec<&str> {
    let parts = line.split('\'').enumerate();
    parts
        .flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().collect(),
            _ => vec![part],
        })
        .collect()
}

#[track_caller]
fn json_of(line: &str) -> Value {
    let ran = run(&format!("audit {line} --format json"));
    assert_eq!(ran.code, 0, "{line}: {}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

/// The text for people has each of these.
#[track_caller]
fn text_has(line: &str, parts: &[&str]) {
    let ran = run(&format!("audit {line}"));
    assert_eq!(ran.code, 0, "{line}: {}", ran.err);
    for part in parts {
        assert!(
            ran.out.contains(part),
            "{line}: `{part}` is not in\n{}",
            ran.out
        );
    }
}

/// Ends with 2, and the error has each of these.
#[track_caller]
fn wrong(line: &str, parts: &[&str]) {
    let ran = run(&format!("audit {line}"));
    assert_eq!(ran.code, 2, "{line}: {}{}", ran.out, ran.err);
    for part in parts {
        assert!(
            ran.err.contains(part),
            "{line}: `{part}` is not in\n{}",
            ran.err
        );
    }
}

#[test]
fn classes() {
    let line = "classes loans.csv --category grade --attr race --ref race=White";
    let figures = json_of(&format!("{line} --order A,B,C"));
    assert_eq!(figures["counts"]["Black"], json!({"A": 0, "B": 2, "C": 2}));
    assert_eq!(figures["ratio_vs_reference"]["Black"]["B"], json!(2.0));
    assert_eq!(figures["cumulative_share"]["White"]["B"], json!(0.75));
    assert_eq!(figures["rows_read"], json!(10));
    text_has(line, &["Share over that of White", "Chi-square"]);
    wrong(
        &format!("{line} --order A,C"),
        &["--order: loans.csv, column `grade`", "leaves out `B`"],
    );
    wrong(
        "classes loans.csv --category grade --attr race --ref race=Whte",
        &["--ref", "column `race`", "did you mean `White`?"],
    );
    wrong(
        "classes loans.csv --category grade --attr race --ref sex=m",
        &["--ref", "`sex` is not the attribute audited, `race`"],
    );
    wrong(
        "classes loans.csv --category grad --attr race --ref race=White",
        &["loans.csv", "`grad`", "did you mean `grade`?"],
    );
    let both =
        json_of("classes loans.csv --category grade --attr race*sex --ref 'race*sex=White|m'");
    assert_eq!(both["counts"]["Black|f"]["B"], json!(2));
}

#[test]
fn numeric() {
    let line = "numeric loans.csv --predicted score --actual paid --attr race --ref race=White";
    let figures = json_of(line);
    assert_eq!(figures["groups"]["Asian"]["n"], json!(2));
    assert_eq!(figures["groups"]["White"]["mean_true"], json!(61.25));
    assert!(figures["vs_reference"]["Black"]["welch_p"].is_number());
    assert!(figures["vs_reference"].get("White").is_none());
    text_has(line, &["Against White", "Spearman"]);
    wrong(
        "numeric loans.csv --predicted purpose --actual paid --attr race --ref race=White",
        &["loans.csv", "column `purpose`", "`car` is not a number"],
    );
    let some = json_of(&format!("{line} --where 'sex == \"f\"'"));
    assert_eq!(some["n"], json!(5));
}

#[test]
fn ranking() {
    let line = "ranking loans.csv --score score --id id --attr race --top 2,5";
    let figures = json_of(line);
    // 2 and 6 have the same score; the lower id comes first.
    assert_eq!(
        figures["topk_share"]["2"],
        json!({"Asian": 0.0, "Black": 0.0, "White": 1.0})
    );
    assert_eq!(figures["skew"]["2"]["skew"]["Asian"], Value::Null);
    text_has(line, &["score descending, ties by id ascending", "NDKL"]);
    wrong(
        "ranking loans.csv --score score --attr race --top 2",
        &["--id", "share the score `0.8`"],
    );
    wrong(
        "ranking loans.csv --score score --id id --attr race --top 11",
        &["--top", "the first 11", "the list has 10"],
    );
    wrong(
        "ranking loans.csv --score score --id id --attr race --top 0",
        &["--top", "at least 1"],
    );
}

/// Enough rows for a model, made by a rule.
fn many() -> String {
    let mut text = "deny,race,afam,income,purpose\n".to_owned();
    for row in 0..120_usize {
        let race = ["White", "White", "Black", "Asian"][row % 4];
        let deny = u8::from(row * 11 % 17 + 4 * usize::from(row % 4 == 2) > 9);
        let income = if row == 7 {
            String::new()
        } else {
            (row * row * 7 % 19).to_string()
        };
        let purpose = ["car", "home", "home"][row * 5 % 7 % 3];
        text.push_str(&format!(
            "{deny},{race},{},{income},{purpose}\n",
            u8::from(race == "Black")
        ));
    }
    text
}

#[track_caller]
fn many_json(line: &str) -> Value {
    let place = Place::new();
    place.write("many.csv", many());
    let ran = place.run(&words(&format!("audit {line} --format json")));
    assert_eq!(ran.code, 0, "{line}: {}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[track_caller]
fn many_wrong(line: &str, parts: &[&str]) {
    let place = Place::new();
    place.write("many.csv", many());
    let ran = place.run(&words(&format!("audit {line}")));
    assert_eq!(ran.code, 2, "{line}: {}{}", ran.out, ran.err);
    for part in parts {
        assert!(
            ran.err.contains(part),
            "{line}: `{part}` is not in\n{}",
            ran.err
        );
    }
}

#[test]
fn lending() {
    let figures = many_json(
        "lending many.csv --outcome deny --favorable 0 --protected afam --controls income,purpose",
    );
    assert_eq!(
        (&figures["n"], &figures["n_left_out"]),
        (&json!(119), &json!(1))
    );
    assert_eq!(figures["bases"], json!({"purpose": "home"}));
    let names: Vec<&String> = figures["logit"]["params"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(names, ["const", "afam", "income", "purpose=car"]);
    let groups = many_json(
        "lending many.csv --outcome deny --favorable 0 --protected race --ref race=White --controls income,purpose",
    );
    assert!(groups["average_marginal_effect"]["race=Black"].is_number());
    assert_eq!(groups["raw"]["race"]["groups"]["White"]["n"], json!(60));
    let coded = many_json(
        "lending many.csv --outcome deny --favorable 0 --protected afam --controls purpose,income --where 'income < 5' --categories income",
    );
    assert!(
        coded["logit"]["params"]
            .as_object()
            .unwrap()
            .keys()
            .any(|name| name.starts_with("income="))
    );

    let line = "lending many.csv --outcome deny --favorable 0";
    many_wrong(
        &format!("{line} --protected race --controls income"),
        &["--ref", "column `race`", "name the group compared with"],
    );
    many_wrong(
        &format!("{line} --protected race --ref race=Green --controls income"),
        &["--ref", "no row has `Green`"],
    );
    many_wrong(
        &format!("{line} --protected afam --ref race=White"),
        &["--ref", "`race` is not among the protected attributes"],
    );
    many_wrong(
        &format!("{line} --protected afam --controls deny"),
        &["--controls", "`deny` is the outcome"],
    );
    many_wrong(
        &format!("{line} --protected afam --controls income --categories purpose"),
        &["--categories", "`purpose`"],
    );
    many_wrong(
        "lending many.csv --outcome race --favorable White --protected afam",
        &["--outcome", "column `race`", "two values"],
    );
    many_wrong(
        "lending many.csv --outcome deny --favorable no --protected afam",
        &["--favorable", "no row has `no`"],
    );
    many_wrong(
        &format!("{line} --protected afam --controls race"),
        &[
            "many.csv: the model cannot be fitted",
            "combination of the columns before it",
        ],
    );
}

#[test]
fn lending_speaks_of_raw_and_controlled_and_never_of_a_self_test() {
    let place = Place::new();
    place.write("many.csv", many());
    let line = "audit lending many.csv --outcome deny --favorable 0 --protected race --ref race=White --controls income,purpose";
    let ran = place.run(&words(line));
    assert_eq!(ran.code, 0, "{}", ran.err);
    for part in [
        "ratio (AIR)",
        "SMD",
        "controlled",
        "Held fixed: income, purpose",
        "1 row is left out",
    ] {
        assert!(ran.out.contains(part), "`{part}` is not in\n{}", ran.out);
    }
    assert!(!ran.out.to_lowercase().contains("self-test"));
}

#[test]
fn oaxaca() {
    let figures =
        many_json("oaxaca many.csv --outcome deny --protected afam --factors income,purpose");
    let of = |path: &str| figures.pointer(path).and_then(Value::as_f64).unwrap();
    let sum = of("/twofold_reference_coefs/explained") + of("/twofold_reference_coefs/unexplained");
    assert!((sum - of("/gap")).abs() < 1e-12);
    assert_eq!(figures["n_left_out"], json!(1));
    let three = many_json(
        "oaxaca many.csv --outcome deny --protected race --ref race=White --group Black --factors income",
    );
    assert_eq!(three["n_group"], json!(30));
    many_wrong(
        "oaxaca many.csv --outcome deny --protected race --ref race=White --factors income",
        &["--group", "`Asian`, `Black`"],
    );
    many_wrong(
        "oaxaca many.csv --outcome deny --protected race --ref race=White --group White --factors income",
        &["--group", "is the reference"],
    );
    many_wrong(
        "oaxaca many.csv --outcome purpose --protected afam --factors income",
        &["column `purpose`", "is not a number"],
    );
}

#[test]
fn reweigh() {
    let place = Place::new();
    place.write("loans.csv", LOANS);
    let ran = place.run(&words(
        "audit reweigh loans.csv --label deny --attr sex --out weights.csv --format json",
    ));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let figures: Value = serde_json::from_str(&ran.out).unwrap();
    // 5 of 10 are women, 4 of 10 were refused, one of them a woman: 5 · 4 / (10 · 1).
    assert_eq!(figures["counts"]["f|1"], json!(1));
    assert_eq!(figures["weights"]["f|1"], json!(2.0));
    assert_eq!(
        place.read("weights.csv").lines().next(),
        Some("sex,deny,n,weight")
    );
    wrong(
        "reweigh loans.csv --label deny --attr deny",
        &["--attr", "is the label"],
    );
    text_has(
        "reweigh loans.csv --label deny --attr sex",
        &["independent of each other"],
    );
}

#[test]
fn proxy() {
    let kinds = ["hispanic", "white", "black", "api", "aian", "mult_other"];
    let row = |name: [f64; 6], here: [f64; 6], decision: &str| {
        let mut members = serde_json::Map::new();
        for (at, kind) in kinds.iter().enumerate() {
            members.insert(format!("name_{kind}"), json!(name[at]));
            members.insert(format!("here_given_{kind}"), json!(here[at]));
        }
        members.insert("decision".to_owned(), json!(decision));
        Value::Object(members).to_string()
    };
    let rows = [
        row(
            [0.5, 0.5, 0.0, 0.0, 0.0, 0.0],
            [0.003, 0.001, 0.0, 0.0, 0.0, 0.0],
            "yes",
        ),
        row(
            [0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.001, 0.0, 0.0, 0.0, 0.0],
            "no",
        ),
    ];
    let place = Place::new();
    place.write("people.jsonl", rows.join("\n"));
    let ran = place.run(&words(
        "audit proxy people.jsonl --decision decision --favorable yes --format json",
    ));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let figures: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(figures["rows"][0]["bisg_hispanic"], json!(0.75));
    assert_eq!(figures["rates"]["by_category"]["white"]["rate"], json!(0.2));
    let ran = place.run(&words("audit proxy people.jsonl"));
    assert!(
        ran.out.contains("2 people estimated by surname and place"),
        "{}",
        ran.out
    );
    for (line, part) in [
        (
            "audit proxy people.jsonl --decision decision",
            "--favorable",
        ),
        (
            "audit proxy people.jsonl --decision decision --favorable maybe",
            "no row has `maybe`",
        ),
        (
            "audit proxy people.jsonl --ref blue",
            "there is no category `blue`",
        ),
    ] {
        let ran = place.run(&words(line));
        assert_eq!(ran.code, 2, "{line}: {}", ran.err);
        assert!(ran.err.contains(part), "{line}: {}", ran.err);
    }
}

#[test]
fn strata() {
    let figures = json_of("strata --table 10,10,40,40 --table 16,64,4,16");
    assert_eq!(figures["stratified"]["mh_odds_ratio"], json!(1.0));
    assert_eq!(figures["crude"]["table"], json!([[26, 74], [44, 56]]));
    text_has(
        "strata --table 10,10,40,40 --table 16,64,4,16",
        &["Within 2 strata", "All together"],
    );
    wrong(
        "strata --table 1,2,3",
        &["--table", "`1,2,3` is not four counts"],
    );
    wrong(
        "strata --table 1,2,3,-4",
        &["--table", "is not four counts"],
    );
    wrong("strata --table 1,2,3,4 --confidence 2", &["--confidence"]);
}
