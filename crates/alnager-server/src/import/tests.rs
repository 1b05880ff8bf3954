#![allow(clippy::unwrap_used)]

use std::io::Write as _;

use expect_test::{Expect, expect};
use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::*;

const FACTS: &str = r#"
schema = "alnager.facts/1"
version = "1"

[fact.places]
type = "set"
values = ["EU", "UK", "US", "US-CO"]
within = { US-CO = "US" }
question = "Where?"
serves = ["all"]

[fact.is_ai_system]
type = "bool"
question = "Is it AI?"
serves = ["all"]

[fact.employees]
type = "number"
question = "How many?"
serves = ["all"]

[fact.org_size]
type = "enum"
values = ["micro", "small_mid_cap"]
question = "How big?"
serves = ["all"]
"#;

fn preview(table: &Table) -> Preview {
    let vocabulary = Vocabulary::parse("facts.toml", FACTS).unwrap();
    place(
        table,
        &With {
            vocabulary: &vocabulary,
            organisation: "Acme",
            importer: "Ines",
            today: "2026-12-01".parse().unwrap(),
            file: "list.csv",
            is_known: &|id| id == "known",
        },
    )
}

/// What a file becomes, one line each: columns, systems, known ones, refused rows, fields without a place, remarks.
fn shown(preview: &Preview) -> String {
    let mut lines: Vec<String> = Vec::new();
    for column in &preview.columns {
        let mark = if column.field.is_some() { "=" } else { "?" };
        lines.push(format!(
            "{} {mark} {} ({})",
            column.name, column.words, column.n_filled
        ));
    }
    for (row, declared) in &preview.systems {
        let facts: Vec<String> = declared
            .facts
            .iter()
            .map(|(name, fact)| format!("{name}={}", fact.value))
            .collect();
        lines.push(format!(
            "{row}: {} `{}` for `{}`, {} of {}, {}{} [{}]",
            declared.id,
            declared.name,
            declared.purpose,
            declared.owner,
            declared.team.join("+"),
            declared.stage.word(),
            declared
                .go_live_on
                .map_or(String::new(), |day| format!(" {day}")),
            facts.join(" ")
        ));
    }
    for (row, id) in &preview.existing {
        lines.push(format!("{row}: known {id}"));
    }
    for (row, why) in &preview.refused {
        lines.push(format!("{row}: refused: {why}"));
    }
    for unplaced in &preview.unplaced {
        lines.push(format!(
            "{}: {} `{}`: {}",
            unplaced.row, unplaced.column, unplaced.value, unplaced.why
        ));
    }
    lines.extend(preview.remarks.iter().cloned());
    lines.join("\n")
}

#[track_caller]
fn check(file: &str, bytes: &[u8], want: Expect) {
    let found = match read(file, bytes) {
        Ok(table) => shown(&preview(&table)),
        Err(error) => error.to_string(),
    };
    want.assert_eq(&found);
}

#[test]
fn a_table_becomes_systems_and_says_what_it_could_not_place() {
    check(
        "list.csv",
        "\u{feff}ID;System name;Use case;Owner;Builders;Status;Go-live;Country;is AI system;Employees;Vendor score\r\n\
         cv-1;CV ranking;Rank applicants;Ruth;\"Tom; Ann\";production;2.8.2026;european union;yes;1 200;7\r\n\
         ;Chat;Answer customers;;;;08/02/2026;;perhaps;;\r\n\
         ;Notes;Summarise meetings;;;pilot;;;;;\r\n\
         known;Known;Something;;;;;;;;\r\n\
         cv-1;Other;Something;;;;;;;;\r\n\
         ;;Something;;;;;;;;\r\n\
         ;Nameless;;;;;;;;;\r\n\
         ;Places;Somewhere;;;;;Mars, US-CO;;none;;more\r\n"
            .as_bytes(),
        expect![[r#"
            ID = id (3)
            System name = name (7)
            Use case = purpose (7)
            Owner = owner (1)
            Builders = team (1)
            Status = stage (2)
            Go-live = go_live_on (2)
            Country = places (2)
            is AI system = is_ai_system (2)
            Employees = employees (2)
            Vendor score ? no field has this name; valid are `id`, `name`, `purpose`, `owner`, `team`, `stage`, `go_live_on`, `time_zone`, `organisation`, `employees`, `is_ai_system`, `org_size`, `places` (1)
            1: cv-1 `CV ranking` for `Rank applicants`, Ruth of Tom+Ann, in_use 2026-08-02 [employees=1.2e3 is_ai_system=true places=EU]
            8: places `Places` for `Somewhere`, Ines of Ines, proposed [employees=none]
            4: known known
            2: refused: `08/02/2026` is no day that can be read one way only; write it as `2026-08-02`
            3: refused: `pilot` is no stage, and a wrong one would be judged wrongly; write one of `proposed`, `development`, `validation`, `in_use`, `retired`
            5: refused: the id `cv-1` is that of row 1 already; give each system an id of its own in a column `id`
            6: refused: it has no name; fill a column `name`
            7: refused: it does not say what it is for, on which the law turns; fill a column `purpose`
            1: Vendor score `7`: no field has this name; valid are `id`, `name`, `purpose`, `owner`, `team`, `stage`, `go_live_on`, `time_zone`, `organisation`, `employees`, `is_ai_system`, `org_size`, `places`
            8: column 12 `more`: it stands behind the last column that has a name
            8: Country `Mars, US-CO`: it is left unknown: `Mars` is no answer; valid are `EU`, `UK`, `US`, `US-CO`"#]],
    );
}

#[test]
fn two_columns_of_one_field_and_properties_are_told_apart() {
    check(
        "list.csv",
        b"name,description,purpose,owner,organisation\nA,first,second,Ruth,Acme\nB,,only,Ruth,Other\n",
        expect![[r#"
            name = name (2)
            description = purpose (1)
            purpose = purpose (2)
            owner = owner (2)
            organisation = organisation (2)
            2: a `A` for `first`, Ruth of Ruth, proposed []
            3: refused: it is a system of `Other`, and this desk belongs to `Acme`; import it there
            2: purpose `second`: the row says the same field in column `description` already"#]],
    );
}

#[test]
fn what_is_no_table_is_refused_with_what_to_do() {
    check(
        "empty.csv",
        b"name,purpose\n\n",
        expect![
            "`empty.csv` holds no systems; a table has a row of column names and then one row for each system"
        ],
    );
    check(
        "bytes.csv",
        b"name\n\xff\xfe",
        expect![
            "`bytes.csv` cannot be read: it is neither a workbook nor text in UTF-8; save it as `CSV UTF-8` or as XLSX"
        ],
    );
    check(
        "other.json",
        b"{\"a\": 1}",
        expect![
            "`other.json` cannot be read: it is JSON and no CycloneDX file (`bomFormat` does not say so); export the ML-BOM again, or use a table"
        ],
    );
    check(
        "broken.json",
        b"{\"a\": ",
        expect![
            "`broken.json` cannot be read: it is no JSON (EOF while parsing a value at line 1 column 6)"
        ],
    );
    check(
        "cut.xlsx",
        b"PK\x03\x04",
        expect![
            "`cut.xlsx` cannot be read: the file is cut short or no workbook; save it as XLSX again"
        ],
    );
    let wide = vec!["a"; COLUMNS_MAX + 1].join(",");
    check(
        "wide.csv",
        wide.as_bytes(),
        expect!["`wide.csv` has more than 500 columns; split it and import the parts"],
    );
    let long = format!("name\n{}", "x\n".repeat(ROWS_MAX + 1));
    check(
        "long.csv",
        long.as_bytes(),
        expect!["`long.csv` has more than 20000 rows; split it and import the parts"],
    );
    let large = format!("name\n{}", "x".repeat(CELL_BYTES_MAX + 1));
    check(
        "large.csv",
        large.as_bytes(),
        expect![
            "`large.csv` cannot be read: a cell of row 2 has more than 32768 bytes; shorten it"
        ],
    );
}

#[test]
fn the_models_of_an_ml_bom_become_systems() {
    let bom = r#"{
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "metadata": {"component": {"type": "application", "name": "shop", "components": []}},
        "components": [
            {"type": "library", "name": "left-pad"},
            {"type": "machine-learning-model", "bom-ref": "m1", "name": "Ranker", "version": "2",
             "modelCard": {"modelParameters": {"task": "ranking"}, "considerations": {"useCases": ["Rank", "Sort"]}},
             "properties": [{"name": "alnager:owner", "value": "Ruth"}, {"name": "places", "value": "EU,UK"}, {"name": "name", "value": "x"}]},
            {"type": "machine-learning-model", "name": "Silent"}
        ]
    }"#;
    check(
        "bom.json",
        bom.as_bytes(),
        expect![[r#"
        bom-ref ? no field has this name; valid are `id`, `name`, `purpose`, `owner`, `team`, `stage`, `go_live_on`, `time_zone`, `organisation`, `employees`, `is_ai_system`, `org_size`, `places` (1)
        name = name (2)
        version ? no field has this name; valid are `id`, `name`, `purpose`, `owner`, `team`, `stage`, `go_live_on`, `time_zone`, `organisation`, `employees`, `is_ai_system`, `org_size`, `places` (1)
        modelCard.modelParameters.task ? no field has this name; valid are `id`, `name`, `purpose`, `owner`, `team`, `stage`, `go_live_on`, `time_zone`, `organisation`, `employees`, `is_ai_system`, `org_size`, `places` (1)
        modelCard.considerations.useCases = purpose (1)
        properties.alnager:owner = owner (1)
        properties.places = places (1)
        properties.name ? no field has this name; did you mean `name`? (1)
        1: ranker `Ranker` for `Rank; Sort`, Ruth of Ruth, proposed [places=EU,UK]
        2: refused: it does not say what it is for, on which the law turns; fill a column `purpose`
        1: bom-ref `m1`: no field has this name; valid are `id`, `name`, `purpose`, `owner`, `team`, `stage`, `go_live_on`, `time_zone`, `organisation`, `employees`, `is_ai_system`, `org_size`, `places`
        1: version `2`: no field has this name; valid are `id`, `name`, `purpose`, `owner`, `team`, `stage`, `go_live_on`, `time_zone`, `organisation`, `employees`, `is_ai_system`, `org_size`, `places`
        1: modelCard.modelParameters.task `ranking`: no field has this name; valid are `id`, `name`, `purpose`, `owner`, `team`, `stage`, `go_live_on`, `time_zone`, `organisation`, `employees`, `is_ai_system`, `org_size`, `places`
        1: properties.name `x`: no field has this name; did you mean `name`?
        2 components of other types than `machine-learning-model` are no systems and were left out"#]],
    );
}

#[test]
fn days_are_read_one_way_or_not_at_all() {
    let read = |text| day(text).ok().map(|day| day.to_string());
    for (text, want) in [
        ("2026-08-02", Some("2026-08-02")),
        ("2026-08-02T10:00:00Z", Some("2026-08-02")),
        ("2.8.2026", Some("2026-08-02")),
        ("25/12/2026", Some("2026-12-25")),
        ("12/25/2026", Some("2026-12-25")),
        ("08/08/2026", Some("2026-08-08")),
        ("08/02/2026", None),
        ("2/3/26", None),
        ("soon", None),
        ("", None),
    ] {
        assert_eq!(read(text).as_deref(), want, "{text}");
    }
}

#[test]
fn ids_are_made_of_names() {
    assert_eq!(slug("  CV Ranking (v2)! "), "cv-ranking-v2");
    assert_eq!(slug("数据"), "");
    assert_eq!(slug(&"a-".repeat(50)).len(), 63);
    for (id, want) in [
        ("a", true),
        ("", false),
        ("-a", false),
        ("A", false),
        ("import", false),
    ] {
        assert_eq!(is_id(id), want, "{id}");
    }
}

/// A ZIP file of these parts; `stated`: the unpacked size that its directory states for each.
fn zip(parts: &[(&str, &str)], stated: Option<u32>) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in parts {
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(text.as_bytes()).unwrap();
        let packed = packer.finish().unwrap();
        let size = stated.unwrap_or(text.len() as u32);
        let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend((packed.len() as u32).to_le_bytes());
        common.extend(size.to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend((file.len() as u32).to_le_bytes());
        directory.extend(name.as_bytes());
        file.extend(b"PK\x03\x04");
        file.extend(&common);
        file.extend(name.as_bytes());
        file.extend(packed);
    }
    let at = file.len() as u32;
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(
        [
            (parts.len() as u16).to_le_bytes(),
            (parts.len() as u16).to_le_bytes(),
        ]
        .concat(),
    );
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(at.to_le_bytes());
    file.extend([0, 0]);
    file
}

const BOOK: &str = r#"<?xml version="1.0"?><workbook xmlns:r="r"><sheets><sheet name="Hidden" r:id="r0" state="hidden"/><sheet name="AI" r:id="r1"/><sheet name="Notes" r:id="r2"/></sheets></workbook>"#;
const RELATIONS: &str = r#"<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Target="/xl/worksheets/sheet2.xml"/></Relationships>"#;
const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="&quot;day&quot; 0"/><numFmt numFmtId="165" formatCode="yyyy\-mm\-dd"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="165"/><xf numFmtId="164"/></cellXfs></styleSheet>"#;
const SHARED: &str = r#"<sst uniqueCount="99999999999999"><si><t>name</t></si><si><r><t>CV </t></r><r><t>&amp; more</t></r><rPh><t>no</t></rPh></si></sst>"#;

fn workbook(sheet: &str, shared: &str, stated: Option<u32>) -> Vec<u8> {
    zip(
        &[
            ("xl/workbook.xml", BOOK),
            ("xl/_rels/workbook.xml.rels", RELATIONS),
            ("xl/styles.xml", STYLES),
            ("xl/sharedStrings.xml", shared),
            ("xl/worksheets/sheet1.xml", sheet),
        ],
        stated,
    )
}

#[test]
fn a_workbook_is_read_with_its_days_and_shared_texts() {
    let sheet = r#"<worksheet><sheetData>
        <row r="1"/>
        <row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3" t="inlineStr"><is><t>purpose</t></is></c><c r="C3" t="str"><v>go live</v></c><c r="D3" t="str"><v>is_ai_system</v></c><c r="E3" t="str"><v>employees</v></c></row>
        <row r="4"><c r="A4" t="s"><v>1</v></c><c r="B4" t="str"><v>Rank</v></c><c r="C4" s="1"><v>46236.5</v></c><c r="D4" t="b"><v>1</v></c><c r="E4" s="3"><v>12</v></c><c r="H4"><v>9</v></c></row>
        <row><c t="str"><v>Next</v></c><c t="str"><v>Sort</v></c><c s="2"><v>1</v></c></row>
    </sheetData></worksheet>"#;
    check(
        "book.xlsx",
        &workbook(sheet, SHARED, None),
        expect![[r#"
        name = name (2)
        purpose = purpose (2)
        go live = go_live_on (2)
        is_ai_system = is_ai_system (1)
        employees = employees (1)
        4: cv-more `CV & more` for `Rank`, Ines of Ines, proposed 2026-08-02 [employees=1.2e1 is_ai_system=true]
        5: next `Next` for `Sort`, Ines of Ines, proposed 1899-12-31 []
        4: column 8 `9`: it stands behind the last column that has a name
        only the sheet `AI` was read; not `Hidden`, `Notes`"#]],
    );
}

#[test]
fn workbooks_that_would_take_all_memory_are_refused() {
    let refused = |bytes: &[u8]| read("bomb.xlsx", bytes).unwrap_err().to_string();
    let sheet = "<worksheet><sheetData/></worksheet>";
    // One that says how large it is.
    assert!(refused(&workbook(sheet, SHARED, Some(30 << 20))).contains("100 MB"));
    // One that does not: small pieces without an end.
    let many = format!("<sst>{}</sst>", "<si/>".repeat(SHARED_TEXTS + 1));
    assert!(refused(&workbook(sheet, &many, Some(10))).contains("more than"));
    // One text, one tag, one attribute that never ends, and marks inside of them.
    let text = format!("<sst><si><t>{}</t></si></sst>", ">".repeat(1 << 20));
    assert!(refused(&workbook(sheet, &text, None)).contains("larger than any cell"));
    let tag = format!("<sst a=\"{}\"/>", "<".repeat(1 << 20));
    assert!(refused(&workbook(sheet, &tag, None)).contains("larger than any cell"));
    let comment = format!("<sst><!--{}--></sst>", "<>".repeat(1 << 20));
    assert!(refused(&workbook(sheet, &comment, None)).contains("markup"));
    let deep = "<a>".repeat(1_000);
    assert!(refused(&workbook(sheet, &deep, None)).contains("deeper"));
    // One short text shared by very many cells.
    let shared = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(CELL_BYTES_MAX));
    let cells = "<c t=\"s\"><v>0</v></c>".repeat(400);
    let rows = format!(
        "<sheetData>{}</sheetData>",
        format!("<row>{cells}</row>").repeat(50)
    );
    assert!(refused(&workbook(&rows, &shared, None)).contains("bytes of text"));
}

const SHARED_TEXTS: usize = 1_000_000;

#[test]
fn an_ml_bom_that_would_take_all_time_is_refused() {
    let refused = |text: &str| read("bom.json", text.as_bytes()).unwrap_err().to_string();
    let many = format!("[{}]", "{},".repeat(300_000));
    assert!(refused(&many).contains("more than"));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(refused(&deep).contains("no JSON"));
    let name = "n".repeat(1_000);
    let long = format!(
        "{{\"bomFormat\":\"CycloneDX\",\"components\":[{{\"type\":\"machine-learning-model\",\"{name}\":[1]}}]}}"
    );
    assert!(refused(&long).contains("path"));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400), mark in 0..3_usize) {
        let starts: [&[u8]; 3] = [b"", b"PK\x03\x04", b"{\"bomFormat\":\"CycloneDX\","];
        let bytes = [starts[mark], &bytes].concat();
        if let Ok(table) = read("any", &bytes) {
            let preview = preview(&table);
            let n = preview.systems.len() + preview.existing.len() + preview.refused.len();
            proptest::prop_assert_eq!(n, table.rows.len());
        }
    }

    #[test]
    fn every_cell_of_a_table_is_placed_refused_or_named(cells in proptest::collection::vec("[a-z ,;0-9]{0,8}", 12)) {
        let rows: Vec<String> = cells.chunks(4).map(|row| row.iter().map(|cell| format!("\"{cell}\"")).collect::<Vec<_>>().join(",")).collect();
        let text = format!("name,purpose,employees,other\n{}", rows.join("\n"));
        if let Ok(table) = read("any.csv", text.as_bytes()) {
            let preview = preview(&table);
            let n_others = table.rows.iter().flat_map(|row| &row.cells).filter(|(column, _)| *column == 3).count();
            proptest::prop_assert!(preview.n_unplaced >= n_others);
        }
    }
}
