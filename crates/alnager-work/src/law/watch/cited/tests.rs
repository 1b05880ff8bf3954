#![allow(clippy::unwrap_used)]

use super::*;

#[track_caller]
fn check(text: &str, want: &str) {
    let parts = cfr_parts(text).into_iter().map(|part| part.to_string());
    let found: Vec<String> = parts.chain(celex(text)).collect();
    assert_eq!(found.join(", "), want, "{text}");
}

#[test]
fn citations_name_parts_and_acts() {
    check(
        "15 U.S.C. 1691 et seq.; 12 CFR part 1002 (Regulation B), amended",
        "12 CFR 1002",
    );
    check("45 CFR 92.210 (89 FR 37522, 6 May 2024)", "45 CFR 92");
    check("29 CFR 1607.4(D), 29 C.F.R. § 1607.6", "29 CFR 1607");
    check("42 U.S.C. 3601-3619; 24 CFR part 100", "24 CFR 100");
    check(
        "Regulation (EU) 2024/1689 (OJ L, 2024/1689), amended by Regulation (EU) 2026/1744",
        "32024R1689, 32026R1744",
    );
    check("Directive (EU) 2016/680", "32016L0680");
    check(
        "Regulation (EC) No 45/2001; Directive 95/46/EC",
        "32001R0045, 31995L0046",
    );
}

#[test]
fn other_codes_are_not_the_federal_one() {
    check(
        "Local Law 144 of 2021; N.Y.C. Admin. Code 20-870 to 20-874; 6 RCNY 5-300",
        "",
    );
    check("2 CCR 11008.1; Rules 4 CCR 904-6", "");
    check("Regulation B", "");
    check("CFR 12; 99 CFR 1", "");
}

#[test]
fn a_title_may_stand_alone() {
    for (text, want) in [
        ("12", Some("12 CFR")),
        ("12 CFR", Some("12 CFR")),
        ("12 CFR 1002", Some("12 CFR 1002")),
        ("12 CFR part 1002", Some("12 CFR 1002")),
        ("51", None),
        ("0", None),
        ("twelve", None),
        ("12 CFR 1002; 29 CFR 1607", None),
    ] {
        assert_eq!(
            CfrPart::parse(text).map(|part| part.to_string()).as_deref(),
            want,
            "{text}"
        );
    }
}

#[test]
fn versions_and_corrigenda_are_the_same_act() {
    for (other, want) in [
        ("32024R1689", true),
        ("02024R1689-20260727", true),
        ("32024R1689R(01)", true),
        ("32024R1690", false),
        ("32024L1689", false),
        ("52024R1689", false),
        ("12024R1689", false),
        ("", false),
        ("é", false),
    ] {
        assert_eq!(is_same_act("32024R1689", other), want, "{other}");
    }
}

#[test]
fn a_celex_number_has_its_form() {
    for (text, want) in [
        ("32024R1689", true),
        ("02024R1689-20260727", true),
        ("32024R1689R(01)", true),
        ("62024CC0286", true),
        ("32024", false),
        ("2024R1689/20260727", false),
        ("32024R1689&x=1", false),
        ("32024R16é9", false),
        ("é2024R1689", false),
    ] {
        assert_eq!(is_celex(text), want, "{text}");
    }
}
