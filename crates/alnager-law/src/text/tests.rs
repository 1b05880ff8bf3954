//! The provisions below are invented; no fragment is anybody's law.
#![allow(clippy::unwrap_used)]

use expect_test::{Expect, expect};

use super::diff::{self, OperationKind, WordBudget, Words};
use super::stamp::{self, Held, NotJudged, Stale, Wording};
use super::{ProvisionTree, cite, import, import_works};
use crate::pack::Pack;

const FORMEX: &str = r#"<?xml version="1.0" encoding="UTF-8"?><ACT>
<BIB.INSTANCE><LG.DOC>EN</LG.DOC><NO.DOC FORMAT="YN"><YEAR>2031</YEAR><NO.CURRENT>0077</NO.CURRENT></NO.DOC></BIB.INSTANCE>
<TITLE><TI><P><HT TYPE="UC">Regulation (EU) 2031/77 of the Council</HT></P><P>on kites</P></TI></TITLE>
<PREAMBLE><PREAMBLE.INIT><P>THE COUNCIL,</P></PREAMBLE.INIT><GR.VISA><VISA>Having regard to the wind<NOTE><P>OJ 1</P></NOTE>,</VISA></GR.VISA>
<GR.CONSID><GR.CONSID.INIT>Whereas:</GR.CONSID.INIT><CONSID><NP><NO.P>(1)</NO.P><TXT>Kites fly.</TXT></NP></CONSID></GR.CONSID></PREAMBLE>
<ENACTING.TERMS><DIVISION><TITLE><TI><P>CHAPTER I</P></TI><STI><P>KITES</P></STI></TITLE>
<ARTICLE IDENTIFIER="001"><TI.ART>Article 1</TI.ART><STI.ART><P>Scope</P></STI.ART>
<PARAG><NO.PARAG>1.</NO.PARAG><ALINEA><P>A kite of more than <FT TYPE="NUMBER">25000</FT> grams shall have:</P><LIST TYPE="alpha">
<ITEM><NP><NO.P>(a)</NO.P><TXT>a <QUOT.START CODE="2018"/>tail<QUOT.END CODE="2019"/>;</TXT></NP></ITEM>
<ITEM><NP><NO.P>(b)</NO.P><TXT>a string, which is:</TXT><P><LIST TYPE="roman"><ITEM><NP><NO.P>(i)</NO.P><TXT>long;</TXT></NP></ITEM></LIST></P></NP></ITEM>
</LIST></ALINEA><ALINEA>Point (a) does not apply to box kites.</ALINEA></PARAG>
<PARAG><NO.PARAG>2.</NO.PARAG><ALINEA>This&#160;Article applies from 2 May 2032 &amp; later.</ALINEA></PARAG></ARTICLE>
<ARTICLE IDENTIFIER="002"><TI.ART>Article 2</TI.ART><STI.ART><P>Other acts</P></STI.ART>
<ALINEA><P>In Article 9 of Regulation (EU) 2030/1, the following is added:</P><QUOT.S LEVEL="1"><PARAG><NO.PARAG><QUOT.START CODE="2018"/>3.</NO.PARAG><ALINEA>Kites are toys.<QUOT.END CODE="2019"/></ALINEA></PARAG></QUOT.S>.</ALINEA></ARTICLE>
</DIVISION></ENACTING.TERMS>
<FINAL><P>This Regulation shall be binding.</P><SIGNATURE><P>Done.</P></SIGNATURE></FINAL></ACT>"#;

const FORMEX_ANNEX: &str = r#"<ANNEX><BIB.INSTANCE><LG.DOC>EN</LG.DOC><NO.DOC FORMAT="YN"><YEAR>2031</YEAR><NO.CURRENT>77</NO.CURRENT></NO.DOC></BIB.INSTANCE>
<TITLE><TI><P>ANNEX II</P></TI><STI><P>Kinds of kites</P></STI></TITLE><CONTENTS>
<GR.SEQ LEVEL="1"><TITLE><TI><P>Section A. Small kites</P></TI></TITLE><P>Small are:</P><LIST TYPE="ARAB"><ITEM><NP><NO.P>1.</NO.P><TXT>sleds.</TXT></NP></ITEM></LIST></GR.SEQ>
<GR.SEQ LEVEL="1"><TITLE><TI><P>Section B</P></TI><STI><P>Large kites</P></STI></TITLE><LIST TYPE="DASH"><ITEM><P>boxes,</P></ITEM><ITEM><P>deltas.</P></ITEM></LIST></GR.SEQ>
</CONTENTS></ANNEX>"#;

/// The same act as a page of the portal.
const XHTML: &str = r##"
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><script>if (1 < 2) { go(); }</script></head><body><ul><li>Menu<br></ul>
<div id="document1" class="tabContent">
<table><tbody><tr><td><p class="oj-hd-lg">EN</p></td></tr></tbody></table>
<p class="oj-doc-ti">REGULATION (EU) 2031/77 OF THE COUNCIL</p><p class="oj-doc-ti">on kites</p>
<div id="pbl_1"><p class="oj-normal">THE COUNCIL,</p>
<div id="cit_1"><p class="oj-normal">Having regard to the wind <a id="ntc1-X" href="#ntr1-X">(<span>1</span>)</a>,</p></div>
<p class="oj-normal">Whereas:</p>
<div id="rct_1"><table><tbody><tr><td><p>(1)</p></td><td><p class="oj-normal">Kites fly.</p></td></tr></tbody></table></div>
<p class="oj-normal">HAS ADOPTED THIS REGULATION:</p></div>
<div id="cpt_I"><p class="oj-ti-section-1">CHAPTER I</p><p class="oj-ti-section-2"><span>KITES</span></p>
<div id="art_1"><p class="oj-ti-art">Article 1</p><div class="eli-title"><p class="oj-sti-art">Scope</p></div>
<div id="001.001"><p class="oj-normal">1.&#160;&#160; A kite of more than 25 000 grams shall have:</p>
<table><tbody><tr><td><p>(a)</p></td><td><p class="oj-normal">a ‘tail’;</p></td></tr></tbody></table>
<table><tbody><tr><td><p>(b)</p></td><td><p class="oj-normal">a string, which is:</p>
<table><tbody><tr><td><p>(i)</p></td><td><p class="oj-normal">long;</p></td></tr></tbody></table></td></tr></tbody></table>
<p class="oj-normal">Point (a) does not apply to box kites.</p></div>
<div id="001.002"><p class="oj-normal">2.&#160;&#160; This Article applies from 2 May 2032 &amp; later.</p></div></div>
<div id="art_2"><p class="oj-ti-art">Article 2</p><p class="oj-sti-art">Other acts</p>
<p class="oj-normal">In Article 9 of Regulation (EU) 2030/1, the following is added:</p><div id="009.003"><p class="oj-normal">‘3.&#160;&#160; Kites are toys.’.</p></div></div></div>
<div id="fnp_1"><div class="oj-final"><p class="oj-normal">This Regulation shall be binding.</p><p class="oj-normal">Done.</p></div></div>
<hr class="oj-note"/><p class="oj-note"><a id="ntr1-X" href="#ntc1-X">(1)</a> OJ 1</p>
<hr class="oj-doc-sep"/><div><p class="oj-doc-ti">ANNEX II</p><p class="oj-doc-ti">Kinds of kites</p>
<p class="oj-ti-grseq-1">Section A. Small kites</p><p class="oj-normal">Small are:</p>
<table><tbody><tr><td/><td><p>1.</p></td><td><span>sleds.</span></td></tr></tbody></table>
<p class="oj-ti-grseq-1">Section B</p><p class="oj-ti-grseq-1">Large kites</p>
<table><tbody><tr><td><p>—</p></td><td><p>boxes,</p></td></tr></tbody></table>
<table><tbody><tr><td><p>—</p></td><td><p>deltas.</p></td></tr></tbody></table></div>
<hr class="oj-separator"/><p class="oj-normal">ELI: somewhere</p></div></body></html>
"##;

const ECFR: &str = r#"<?xml version="1.0"?><DLPSTEXTCLASS><TEXT><BODY><ECFRBRWS><AMDDATE>X</AMDDATE>
<DIV1 N="99" NODE="99:1" TYPE="TITLE"><HEAD>Title 99—Kites</HEAD>
<DIV5 N="7" NODE="99:1.0.1" TYPE="PART"><HEAD>PART 7—STRINGS</HEAD><AUTH><HED>Authority:</HED><PSPACE>99 U.S.C. 1</PSPACE></AUTH>
<DIV8 N="§ 7.1" TYPE="SECTION"><HEAD>§ 7.1   Strings.</HEAD>
<P>(a) <I>Length.</I> (1) A string is long.</P><P>(2) It is one of:</P><P>(i) hemp;</P><P>(ii) silk.</P>
<P>(b) Strings are checked.</P><P>This also holds at night.</P>
<CITA TYPE="N">[1 FR 1]</CITA></DIV8>
<DIV8 N="§ 7.2" TYPE="SECTION"><HEAD>§ 7.2   Letters.</HEAD>
<P>(g) One.</P><P>(h) Two.</P><P>(i) Three.</P><P>(j) Four.</P></DIV8>
</DIV5></DIV1></ECFRBRWS></BODY></TEXT></DLPSTEXTCLASS>"#;

const REGML: &str = r#"<?xml version='1.0'?><regulation xmlns="eregs"><fdsys><cfrTitleNum>99</cfrTitleNum><title>KITES</title></fdsys>
<preamble><effectiveDate>2031-05-01</effectiveDate></preamble><part label="700"><tableOfContents><tocSecEntry target="700-1"/></tableOfContents>
<content><subpart label="700-Subpart"><content>
<section label="700-1"><subject>§ 700.1 Tails.</subject>
<paragraph label="700-1-a" marker="(a)"><title type="keyterm">Tails.</title><content>A <ref target="700-1">kite</ref> has a tail.</content>
<paragraph label="700-1-a-1" marker="(1)"><content>It is red.</content></paragraph></paragraph></section></content></subpart>
<appendix label="700-A"><appendixTitle>Appendix A</appendixTitle><appendixSection label="700-A-p1"><paragraph label="700-A-p1-1" marker="1."><content>Draw a kite.</content></paragraph><paragraph marker=""><content>In colour.</content></paragraph></appendixSection></appendix>
<interpretations label="700-Interp"><title>Interpretations</title><interpSection label="700-1-Interp"><interpParagraph label="700-1-a-Interp" target="700-1-a"><content/><interpParagraph label="700-1-a-Interp-1" marker="1."><content>Paper tails count.</content></interpParagraph></interpParagraph></interpSection></interpretations>
</content></part></regulation>"#;

/// Addresses below the work, names and texts.
fn outline(tree: &ProvisionTree) -> String {
    let mut out = format!("{} [{}] {}\n", tree.work, tree.language, tree.title);
    for provision in &tree.provisions[1..] {
        let id = provision
            .id
            .strip_prefix(&tree.work)
            .unwrap_or(&provision.id);
        let heading = format!("{} ", provision.heading);
        let heading = heading.trim_start();
        out.push_str(&format!(
            "{id} | {} | {heading}{}\n",
            provision.source_label, provision.text
        ));
    }
    out
}

#[track_caller]
fn check(text: &str, want: Expect) {
    want.assert_eq(&outline(&import("text.xml", text.as_bytes()).unwrap()));
}

#[track_caller]
fn refused(bytes: &[u8], want: Expect) {
    want.assert_eq(&import("text.xml", bytes).unwrap_err().to_string());
}

fn act() -> ProvisionTree {
    let files = [
        ("act.xml", FORMEX.as_bytes()),
        ("annex.xml", FORMEX_ANNEX.as_bytes()),
    ];
    import_works(&files).unwrap().remove(0)
}

#[test]
fn formex_gives_addressed_provisions() {
    expect![[r#"
        eli/reg/2031/77 [en] REGULATION (EU) 2031/77 OF THE COUNCIL on kites
        /cit_1 | Citation 1 | Having regard to the wind,
        /rct_1 | Recital 1 | Kites fly.
        /cpt_I | CHAPTER I | KITES 
        /art_1 | Article 1 | Scope 
        /art_1/par_1 | Article 1(1) | A kite of more than 25 000 grams shall have:
        /art_1/par_1/pnt_a | Article 1(1)(a) | a ‘tail’;
        /art_1/par_1/pnt_b | Article 1(1)(b) | a string, which is:
        /art_1/par_1/pnt_b/pnt_i | Article 1(1)(b)(i) | long;
        /art_1/par_1/sub_2 | Article 1(1), subparagraph 2 | Point (a) does not apply to box kites.
        /art_1/par_2 | Article 1(2) | This Article applies from 2 May 2032 & later.
        /art_2 | Article 2 | Other acts In Article 9 of Regulation (EU) 2030/1, the following is added: ‘3. Kites are toys.’.
        /fnp_1 | Final | This Regulation shall be binding.
        /anx_II | Annex II | Kinds of kites 
        /anx_II/sct_A | Annex II, Section A | Small kites Small are:
        /anx_II/sct_A/pnt_1 | Annex II, Section A, point 1 | sleds.
        /anx_II/sct_B | Annex II, Section B | Large kites 
        /anx_II/sct_B/ind_1 | Annex II, Section B, indent 1 | boxes,
        /anx_II/sct_B/ind_2 | Annex II, Section B, indent 2 | deltas.
    "#]].assert_eq(&outline(&act()));
}

#[test]
fn the_page_of_an_act_has_the_addresses_and_the_texts_of_its_formex() {
    let (formex, xhtml) = (act(), import("act.html", XHTML.as_bytes()).unwrap());
    assert_eq!(outline(&xhtml), outline(&formex));
    assert_eq!(xhtml.root_hash(), formex.root_hash());
}

#[test]
fn ecfr_paragraphs_nest_by_their_designations() {
    check(
        ECFR,
        expect![[r#"
        us/cfr/t99 [en] Title 99—Kites
        /p7 | Part 7 | PART 7—STRINGS 
        /s7.1 | § 7.1 | Strings. 
        /s7.1/a | § 7.1(a) | Length. 
        /s7.1/a/1 | § 7.1(a)(1) | A string is long.
        /s7.1/a/2 | § 7.1(a)(2) | It is one of:
        /s7.1/a/2/i | § 7.1(a)(2)(i) | hemp;
        /s7.1/a/2/ii | § 7.1(a)(2)(ii) | silk.
        /s7.1/b | § 7.1(b) | Strings are checked.
        /s7.1/b/sub_2 | § 7.1(b), subparagraph 2 | This also holds at night.
        /s7.2 | § 7.2 | Letters. 
        /s7.2/g | § 7.2(g) | One.
        /s7.2/h | § 7.2(h) | Two.
        /s7.2/i | § 7.2(i) | Three.
        /s7.2/j | § 7.2(j) | Four.
    "#]],
    );
}

#[test]
fn regml_labels_become_addresses() {
    check(
        REGML,
        expect![[r#"
        us/cfr/t99/p700 [en] KITES
        /subpart | 700-Subpart | 
        us/cfr/t99/s700.1 | 700-1 | § 700.1 Tails. 
        us/cfr/t99/s700.1/a | 700-1-a | Tails. A kite has a tail.
        us/cfr/t99/s700.1/a/1 | 700-1-a-1 | It is red.
        /app_A | 700-A | Appendix A 
        /app_A/p1 | 700-A-p1 | 
        /app_A/p1/1 | 700-A-p1-1 | Draw a kite.
        /app_A/p1/sub_2 | 700-A-p1, subparagraph 2 | In colour.
        /interp | 700-Interp | Interpretations 
        us/cfr/t99/s700.1/interp | 700-1-Interp | 
        us/cfr/t99/s700.1/a/interp | 700-1-a-Interp | 
        us/cfr/t99/s700.1/a/interp/1 | 700-1-a-Interp-1 | Paper tails count.
    "#]],
    );
    assert_eq!(
        import("r.xml", REGML.as_bytes()).unwrap().valid_from,
        Some("2031-05-01".parse().unwrap())
    );
}

#[test]
fn every_hash_follows_from_the_texts() {
    for text in [FORMEX, FORMEX_ANNEX, XHTML, ECFR, REGML] {
        let mut tree = import("text.xml", text.as_bytes()).unwrap();
        assert_eq!(tree.check(), Ok(()));
        let last = tree.provisions.len() - 1;
        tree.provisions[last].text.push('x');
        assert_eq!(tree.check(), Err(last));
    }
}

#[test]
fn a_changed_word_changes_the_hash_of_everything_above_it_and_of_nothing_beside() {
    let old = import("old.xml", FORMEX.as_bytes()).unwrap();
    let new = import("new.xml", FORMEX.replace("long;", "short;").as_bytes()).unwrap();
    let changed = old
        .provisions
        .iter()
        .zip(&new.provisions)
        .filter(|(a, b)| a.subtree != b.subtree);
    let ids: Vec<&str> = changed.map(|(a, _)| a.source_label.as_str()).collect();
    assert_eq!(
        ids,
        [
            "",
            "CHAPTER I",
            "Article 1",
            "Article 1(1)",
            "Article 1(1)(b)",
            "Article 1(1)(b)(i)"
        ]
    );
}

#[test]
fn every_cut_of_every_text_is_refused() {
    for text in [FORMEX, FORMEX_ANNEX, XHTML, ECFR, REGML] {
        let text = text.trim();
        for at in (0..text.len() - 1).filter(|at| text.is_char_boundary(*at)) {
            let error = import("text.xml", &text.as_bytes()[..at]).unwrap_err();
            assert!(
                error.problem.contains("official source") || error.problem.contains("EUR-Lex"),
                "{at}: {error}"
            );
        }
    }
}

#[test]
fn wrong_input_is_refused_with_place_and_advice() {
    refused(
        b"",
        expect!["text.xml: the file is empty; fetch it again from the official source"],
    );
    refused(
        b"\xff\xfe<\0A\0",
        expect!["text.xml: the file is UTF-16; save it as UTF-8"],
    );
    refused(
        b"<ACT>\n\n<TI>caf\xe9</TI></ACT>",
        expect![
            "text.xml, line 3: this is not UTF-8 text (another encoding, or not a text at all); save it as UTF-8, or name the XML or HTML file"
        ],
    );
    refused(
        b"{\"catalog\": {}}",
        expect![
            "text.xml: this is neither XML nor HTML; Formex 4, EUR-Lex XHTML, eCFR XML and RegML can be imported"
        ],
    );
    refused(
        b"<catalog/>",
        expect![
            "text.xml: `<catalog>` is the root of no format known here; Formex 4, EUR-Lex XHTML, eCFR XML and RegML can be imported"
        ],
    );
    refused(
        b"<DOC><FMX/></DOC>",
        expect![
            "text.xml: this Formex file is a manifest: it lists the files of a publication and holds no provision; import the act and the annexes it names"
        ],
    );
    refused(
        b"<notice/>",
        expect![
            "text.xml: this RegML file is a notice: it holds changes, not the regulation; name the regulation's file"
        ],
    );
    refused(
        b"<FEDREG/>",
        expect![
            "text.xml: this is an issue or document of the Federal Register, which announces changes and is no codified text; Formex 4, EUR-Lex XHTML, eCFR XML and RegML can be imported"
        ],
    );
    refused(
        b"<pLaw/>",
        expect![
            "text.xml: this is USLM, which is not read yet; Formex 4, EUR-Lex XHTML, eCFR XML and RegML can be imported"
        ],
    );
    refused(
        b"<html><body><p>Hello</p></body></html>",
        expect![
            "text.xml: the page has no title with the act's number, such as `Regulation (EU) 2016/679`; save the page of an act from EUR-Lex"
        ],
    );
    refused(
        b"<ACT>\n<TI>a</ACT>",
        expect![
            "text.xml, line 2: `</ACT>` stands where `</TI>` is due; the file is damaged: fetch it again from the official source"
        ],
    );
    refused(
        b"<ACT>\n<TI>a",
        expect![
            "text.xml, line 2: the file is cut off: `<TI>` of line 2 is never closed; fetch it again from the official source"
        ],
    );
    refused(
        b"<ACT><TI>&kite;</TI></ACT>",
        expect![
            "text.xml, line 1: `&kite` stands for nothing in XML, and entities are never expanded here; take the file from the official source"
        ],
    );
    let bomb = b"<!DOCTYPE ACT [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><ACT>&b;</ACT>";
    refused(
        bomb,
        expect![
            "text.xml, line 1: the document type defines its own entities, which official texts never do; take the file from the official source"
        ],
    );
    refused(
        "<A>".repeat(5000).as_bytes(),
        expect![
            "text.xml, line 1: more than 200 elements lie inside each other; this is no official text"
        ],
    );
    refused(
        &vec![b' '; super::TEXT_BYTES_MAX + 1],
        expect!["text.xml: the text is longer than 64 MiB; import its parts"],
    );
}

#[test]
fn parts_of_other_works_and_files_named_twice_are_told_apart() {
    let other = FORMEX_ANNEX.replace("<NO.CURRENT>77<", "<NO.CURRENT>78<");
    let two = import_works(&[("a", FORMEX.as_bytes()), ("b", other.as_bytes())]).unwrap();
    let works: Vec<&str> = two.iter().map(|tree| tree.work.as_str()).collect();
    assert_eq!(works, ["eli/reg/2031/77", "eli/act/2031/78"]);
    let twice = import_works(&[("a", FORMEX.as_bytes()), ("b", FORMEX.as_bytes())]);
    expect!["b: `eli/reg/2031/77/cit_1` was in an earlier file already; name each file once"]
        .assert_eq(&twice.unwrap_err().to_string());
}

/// Changes of `FORMEX`, each `from => to`; what the diff says about them.
#[track_caller]
fn changes(edits: &[(&str, &str)], want: Expect) {
    let mut edited = FORMEX.to_owned();
    for (from, to) in edits {
        assert!(edited.contains(from), "{from}");
        edited = edited.replace(from, to);
    }
    let old = import("old.xml", FORMEX.as_bytes()).unwrap();
    let new = import("new.xml", edited.as_bytes()).unwrap();
    let mut out = String::new();
    for operation in diff::diff(&old, &new) {
        let after = operation
            .after
            .as_ref()
            .map_or("", |side| side.label.as_str());
        out.push_str(&format!(
            "{} {} > {after} {:?}\n",
            operation.kind.word(),
            operation.label(),
            operation.dates
        ));
    }
    want.assert_eq(&out);
    let same: Vec<OperationKind> = diff::diff(&old, &old).into_iter().map(|o| o.kind).collect();
    assert_eq!(same, []);
}

const TAIL: &str = r#"<ITEM><NP><NO.P>(a)</NO.P><TXT>a <QUOT.START CODE="2018"/>tail<QUOT.END CODE="2019"/>;</TXT></NP></ITEM>"#;

#[test]
fn a_reworded_provision_is_replaced() {
    changes(
        &[(
            "Point (a) does not apply to box kites.",
            "Point (a) does not apply to any box kites.",
        )],
        expect![[r#"
        replaced Article 1(1), subparagraph 2 > Article 1(1), subparagraph 2 []
    "#]],
    );
}

#[test]
fn what_is_gone_stands_where_it_stood() {
    changes(
        &[(TAIL, ""), ("Kites fly.", "Kites may fly.")],
        expect![[r#"
        replaced Recital 1 > Recital 1 []
        deleted Article 1(1)(a) >  []
    "#]],
    );
}

#[test]
fn a_new_point_renumbers_those_behind_it() {
    let new = TAIL.replace("tail", "knot");
    let edits = [
        (
            "<NO.P>(b)</NO.P><TXT>a string, which is:",
            "<NO.P>(c)</NO.P><TXT>a string, which is:",
        ),
        (TAIL, &format!("{TAIL}{}", new.replace("(a)", "(b)"))),
    ];
    changes(
        &edits,
        expect![[r#"
            inserted Article 1(1)(b) > Article 1(1)(b) []
            renumbered Article 1(1)(b) > Article 1(1)(c) []
        "#]],
    );
}

#[test]
fn an_article_under_another_number_is_one_change() {
    changes(
        &[("Article 2<", "Article 2a<")],
        expect![[r#"
        renumbered Article 2 > Article 2a []
    "#]],
    );
}

#[test]
fn an_article_in_another_chapter_is_moved() {
    let chapter = "</DIVISION><DIVISION><TITLE><TI><P>CHAPTER II</P></TI></TITLE><ARTICLE IDENTIFIER=\"002\">";
    changes(
        &[("<ARTICLE IDENTIFIER=\"002\">", chapter)],
        expect![[r#"
        inserted CHAPTER II > CHAPTER II []
        moved Article 2 > Article 2 []
    "#]],
    );
}

#[test]
fn a_new_date_is_a_shifted_date() {
    changes(
        &[("2 May 2032", "9 June 2033")],
        expect![[r#"
        date_shifted Article 1(2) > Article 1(2) [("2 May 2032", "9 June 2033")]
    "#]],
    );
    changes(
        &[("2 May 2032", "9 June 2033"), ("later.", "after.")],
        expect![[r#"
        replaced Article 1(2) > Article 1(2) []
    "#]],
    );
}

#[test]
fn words_show_the_shortest_way() {
    let show = |before: &str, after: &str| -> String {
        let runs = diff::words(before, after, &mut WordBudget::default());
        let runs = runs.into_iter().map(|run| match run {
            Words::Same(text) => text,
            Words::Gone(text) => format!("[-{text}-]"),
            Words::New(text) => format!("{{+{text}+}}"),
        });
        runs.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(show("a b c d", "a x c d"), "a [-b-] {+x+} c d");
    assert_eq!(show("a b c", "a b c"), "a b c");
    assert_eq!(show("", "a"), "{+a+}");
    assert_eq!(show("a b", ""), "[-a b-]");
    assert_eq!(show("a b c a", "b c a d"), "[-a-] b c a {+d+}");
}

/// The provisions that citations of the act name.
#[track_caller]
fn cites(citation: &str, want: &str) {
    let tree = act();
    let finder = cite::Finder::new(&tree);
    let pins = finder
        .pins(citation)
        .into_iter()
        .map(|pin| match pin.found {
            Ok(at) => tree.provisions[at].id.replace("eli/reg/2031/77/", ""),
            Err(why) => format!("{}: {why:?}", pin.cite),
        });
    assert_eq!(pins.collect::<Vec<_>>().join(" + "), want, "{citation}");
}

#[test]
fn citations_name_provisions() {
    cites("Art 1(1)(b)(i)", "art_1/par_1/pnt_b/pnt_i");
    cites("Article 1", "art_1");
    cites("Art 1-2", "art_1 + art_2");
    cites("Art 1(1)(a), (2)", "art_1/par_1/pnt_a + art_1/par_2");
    cites("Art 1(1)(a)-(b)", "art_1/par_1/pnt_a + art_1/par_1/pnt_b");
    cites("Art 1(1) second subpara", "art_1/par_1/sub_2");
    cites(
        "Art 1(1), third paragraph",
        "Art 1(1), third paragraph: NotInText",
    );
    cites(
        "Recital 1; Annex II Section A point 1",
        "rct_1 + anx_II/sct_A/pnt_1",
    );
    cites("Annex II A(1)", "anx_II/sct_A/pnt_1");
    cites("Art 1(1a) as amended", "Art 1(1a): NotInText");
    cites(
        "Reg (EU) 2030/1 Art 1, Art 2",
        "Reg (EU) 2030/1 Art 1: OtherWork + Art 2: OtherWork",
    );
    cites("the wind", "the wind: NotUnderstood");
    let last = "4294967295";
    cites(
        &format!("Art {last}-{last}"),
        &format!("Art {last}: NotInText + Art {last}: NotInText"),
    );
}

#[test]
fn one_citation_locates_one_provision() {
    let tree = import("r.xml", REGML.as_bytes()).unwrap();
    let locate = |citation| cite::locate(&tree, citation).map(|provision| provision.id.as_str());
    assert_eq!(locate("99 CFR 700.1(a)(1)"), None);
    assert_eq!(locate("700.1(a)(1)"), Some("us/cfr/t99/s700.1/a/1"));
    assert_eq!(locate("700.1(a) and comment 1(a)-1"), None);
    assert_eq!(locate("700.9"), None);
}

#[test]
fn a_requirement_is_stale_when_its_provision_changed() {
    let pack = Pack::parse("pack.toml", PACK).unwrap();
    let stamps = stamp::make(&pack, &[act()]);
    let text = stamp::write(&stamps);
    assert_eq!(stamp::parse("provisions.toml", &text).unwrap(), stamps);
    assert_eq!(stamps.hold(&Wording::of(&act())).stale, []);

    let edited = FORMEX
        .replace("long;", "short;")
        .replace("Article 2<", "Article 3<");
    let annex = FORMEX_ANNEX.replace("sleds.", "sledges.");
    let files = [("new.xml", edited.as_bytes()), ("x.xml", annex.as_bytes())];
    let stale = stamps
        .hold(&Wording::of(&import_works(&files).unwrap()[0]))
        .stale;
    let seen: Vec<String> = stale
        .iter()
        .map(
            |Stale {
                 requirement,
                 provision,
                 is,
                 ..
             }| format!("{requirement} {provision} {}", is.is_some()),
        )
        .collect();
    // KITE-3 is written against a later wording: this text says nothing about it.
    assert_eq!(
        seen,
        [
            "KITE-1 eli/reg/2031/77/art_1 true",
            "KITE-2 eli/reg/2031/77/art_2 false",
            "KITE-2 eli/reg/2031/77/anx_II true"
        ]
    );
}

#[test]
fn the_act_without_its_annexes_says_nothing_of_them() {
    let pack = Pack::parse("kites.toml", PACK).unwrap();
    let stamps = stamp::make(&pack, &[act()]);
    let alone = import("act.xml", FORMEX.as_bytes()).unwrap();
    let Held { stale, unjudged } = stamps.hold(&Wording::of(&alone));
    assert_eq!(stale, []);
    let seen: Vec<(&str, &str, NotJudged)> = unjudged
        .iter()
        .map(|one| (one.requirement.as_str(), one.provision.as_str(), one.why))
        .collect();
    let annex = "eli/reg/2031/77/anx_II";
    assert!(
        seen.contains(&("KITE-2", annex, NotJudged::NoAnnexes)),
        "{seen:?}"
    );
    assert!(
        seen.iter()
            .any(|(id, _, why)| *id == "KITE-3" && *why == NotJudged::LaterWording),
        "{seen:?}"
    );
    assert!(
        import("x.xml", FORMEX_ANNEX.as_bytes())
            .unwrap()
            .is_annex_alone()
    );
    assert!(!alone.is_annex_alone() && !act().is_annex_alone());
}

#[test]
fn stamps_know_their_language() {
    let pack = Pack::parse("kites.toml", PACK).unwrap();
    let stamps = stamp::make(&pack, &[act()]);
    let work = "eli/reg/2031/77";
    assert_eq!(stamps.other_language(work, "de"), Some("en"));
    assert_eq!(stamps.other_language(work, "en"), None);
    assert_eq!(stamps.other_language("eli/reg/2031/78", "de"), None);
}

#[test]
fn any_word_can_be_stamped() {
    let pack = Pack::parse("kites.toml", PACK).unwrap();
    let mut stamps = stamp::make(&pack, &[act()]);
    stamps.stamps[0].requirement = "a\"b\\c".to_owned();
    stamps.stamps[0].missing = vec!["\u{7f}\u{200b}\u{301}\t'\"".to_owned()];
    let text = stamp::write(&stamps);
    assert_eq!(stamp::parse("provisions.toml", &text).unwrap(), stamps);
}

#[test]
fn the_budget_of_words_is_one_for_the_whole_diff() {
    let mut budget = WordBudget { n_pairs: 20 };
    let mut show = || diff::words("a x b", "c x d", &mut budget).len();
    // Nine pairs of words each time: gone, new, same, gone, new; then all at once.
    assert_eq!([show(), show(), show()], [5, 5, 2]);
}

#[test]
fn a_cell_is_told_from_a_label_by_its_first_words() {
    let start = |cell: &str| {
        let document = super::xml::read("cell", cell, 1).unwrap();
        super::xhtml::start_of(document.root())
    };
    assert_eq!(start("<td> <p>\u{a0}(a) </p>\n</td>"), "(a)");
    assert_eq!(start("<td><p>1<br/>2</p><p class='note'>n</p></td>"), "1 2");
    assert_eq!(start("<td><p> </p><table><tr><td/></tr></table></td>"), "");
    let long = format!("<td><p>{}</p></td>", "word ".repeat(1_000));
    assert!(start(&long).len() < 100);
    let many = format!("<td>{}</td>", "<p>word</p>".repeat(1_000));
    assert!(start(&many).len() < 100);
}

#[test]
fn two_files_of_one_us_text_are_refused() {
    let twice = import_works(&[("a", ECFR.as_bytes()), ("b", ECFR.as_bytes())]);
    let error = twice.unwrap_err().to_string();
    assert!(error.starts_with("b: `us/cfr/"), "{error}");
    assert!(error.contains("a US text is one file"), "{error}");
}

#[test]
fn an_annex_of_another_language_or_format_is_refused() {
    let german = FORMEX_ANNEX.replace(">EN<", ">DE<");
    for (name, annex) in [("de.xml", german.as_str()), ("page.html", XHTML)] {
        let joined = import_works(&[("a", FORMEX.as_bytes()), (name, annex.as_bytes())]);
        let error = joined.unwrap_err().to_string();
        assert!(
            error.contains("files of one format and language"),
            "{error}"
        );
    }
}

const PACK: &str = r#"
schema = "alnager.pack/1"
id = "kites"
version = "1"
title = "Kites"
short = "Kites"
jurisdiction = "EU"
kind = "regulation"
binding = true
citation = "Regulation (EU) 2031/77"
confidence = "A"
[status]
state = "in_force"
as_of = 2031-06-01
known_as_of = 2031-06-01
[[applies.all]]
from = 2031-01-01
known = 2031-01-01
cite = "Art 2"
[[requirement]]
id = "KITE-1"
kind = "duty"
who = ["flyer"]
what = "Have a tail."
how = "Add a tail."
cite = "Art 1"
when = "true"
applies = ["all"]
phase = "before_use"
role = "engineer"
evidence = ["tail"]
controls = ["CC01"]
[[requirement]]
id = "KITE-2"
kind = "duty"
who = ["flyer"]
what = "Tell."
how = "Tell."
cite = "Art 2, Annex II"
when = "true"
applies = ["all"]
phase = "before_use"
role = "engineer"
evidence = ["tail"]
controls = ["CC01"]
[[requirement]]
id = "KITE-3"
kind = "duty"
who = ["flyer"]
what = "Fly."
how = "Fly."
cite = "Art 1(1) as replaced, 1(9)"
when = "true"
applies = ["all"]
phase = "before_use"
role = "engineer"
evidence = ["tail"]
controls = ["CC01"]
"#;

proptest::proptest! {
    /// Damage of any kind ends in a tree whose hashes hold or in an error, never in a crash.
    #[test]
    fn damaged_texts_are_refused_or_whole(
        which in 0_usize..5,
        edits in proptest::collection::vec((0.0..1.0_f64, "[<>&/\"a(1).’ ]{0,3}", 0_usize..4), 1..6),
    ) {
        let mut text = [FORMEX, FORMEX_ANNEX, XHTML, ECFR, REGML][which].to_owned();
        for (share, insert, n_removed) in edits {
            let mut from = (share * text.len() as f64) as usize;
            while !text.is_char_boundary(from) { from -= 1; }
            let to = text[from..].char_indices().nth(n_removed).map_or(text.len(), |(at, _)| from + at);
            text.replace_range(from..to, &insert);
        }
        if let Ok(tree) = import("text.xml", text.as_bytes()) {
            proptest::prop_assert_eq!(tree.check(), Ok(()));
            proptest::prop_assert!(diff::diff(&tree, &tree).is_empty());
        }
    }

    /// Citations of any kind end in pins, never in a crash.
    #[test]
    fn any_citation_is_taken(citation in "(Art|Annex|Recital|12 CFR|comment|and|,|;|second subpara|\\(|\\)|-|[0-9.]{1,6}|[a-z]| ){0,12}") {
        let tree = act();
        for pin in cite::Finder::new(&tree).pins(&citation) {
            if let Ok(at) = pin.found {
                proptest::prop_assert!(at < tree.provisions.len());
            }
        }
    }
}
