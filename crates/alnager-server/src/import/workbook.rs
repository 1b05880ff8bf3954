//! Workbooks (XLSX): the first visible sheet as rows of text.
//!
//! Read here and not by a library, because the file comes from anybody: the ones there are trust the sizes that a file states about itself.
//! A workbook is a ZIP of XML files; we read those of them that hold the sheet, its texts and its formats of days, as a stream, and stop
//! where one is larger or deeper than any inventory.

use std::collections::HashMap;
use std::io::{BufReader, Error, ErrorKind, Read};

use flate2::bufread::DeflateDecoder;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{
    CELL_BYTES_MAX, COLUMNS_MAX, ImportError, ROWS_MAX, Rows, Table, too_much, unreadable,
};

/// Most bytes that everything in a workbook may have unpacked.
const UNPACKED_MAX: u64 = 100 << 20;
/// Most files in a workbook.
const FILES_MAX: usize = 5_000;
/// Most bytes of one element's start, or of one text.
const PIECE_MAX: usize = 256 << 10;
/// How deep elements lie within elements.
const DEPTH_MAX: usize = 64;
/// Most texts that a workbook shares among its cells, and the most bytes they may have.
const SHARED_MAX: usize = 1_000_000;
const SHARED_BYTES_MAX: usize = 32 << 20;

/// Reads the first visible sheet.
pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Table, ImportError> {
    let zip = Zip::open(file, bytes)?;
    let book = book(&zip)?;
    let Some(first) = book.sheets.iter().find(|sheet| !sheet.is_hidden) else {
        return Err(zip.wrong("it has no visible sheet"));
    };
    let places = relations(&zip)?;
    let part = places
        .get(&first.relation)
        .ok_or_else(|| zip.wrong("its first sheet is not in it"))?;
    let shared = shared(&zip)?;
    let formats = formats(&zip)?;
    let mut sheet = Sheet {
        zip: &zip,
        shared: &shared,
        formats: &formats,
        is_1904: book.is_1904,
        rows: Rows::new(file),
        is_named: false,
        at: 0,
        next_column: 0,
        cells: Vec::new(),
    };
    sheet.read(part)?;
    let mut rows = sheet.rows;
    let others: Vec<&str> = book
        .sheets
        .iter()
        .filter(|sheet| sheet.relation != first.relation)
        .map(|sheet| sheet.name.as_str())
        .collect();
    if !others.is_empty() {
        rows.table.remarks.push(format!(
            "only the sheet `{}` was read; not `{}`",
            first.name,
            others.join("`, `")
        ));
    }
    rows.finish()
}

/// A ZIP file and where its parts lie.
struct Zip<'b> {
    file: &'b str,
    bytes: &'b [u8],
    parts: HashMap<String, Part>,
}

/// A part of a ZIP file.
#[derive(Debug, Clone, Copy)]
struct Part {
    is_packed: bool,
    start: usize,
    n_bytes: usize,
}

impl<'b> Zip<'b> {
    /// Reads the directory at the file's end.
    fn open(file: &'b str, bytes: &'b [u8]) -> Result<Zip<'b>, ImportError> {
        let mut zip = Zip {
            file,
            bytes,
            parts: HashMap::new(),
        };
        let cut = || {
            unreadable(
                file,
                "the file is cut short or no workbook; save it as XLSX again",
            )
        };
        // The end record has 22 bytes and a comment of at most 65,535.
        let from = bytes.len().saturating_sub(22 + 65_535);
        let end = bytes[from..]
            .windows(4)
            .rposition(|mark| mark == b"PK\x05\x06")
            .ok_or_else(cut)?
            + from;
        let n_parts = zip.number(end + 10, 2).ok_or_else(cut)?;
        let mut at = zip.number(end + 16, 4).ok_or_else(cut)?;
        if n_parts > FILES_MAX {
            return Err(too_much(file, "parts", FILES_MAX));
        }
        let mut unpacked: u64 = 0;
        for _ in 0..n_parts {
            let number = |offset: usize, n: usize| zip.number(at + offset, n).ok_or_else(cut);
            if bytes.get(at..at + 4) != Some(b"PK\x01\x02") {
                return Err(cut());
            }
            unpacked += number(24, 4)? as u64;
            let (name, extra, comment) = (number(28, 2)?, number(30, 2)?, number(32, 2)?);
            let local = number(42, 4)?;
            let (method, flags, n_bytes) = (number(10, 2)?, number(8, 2)?, number(20, 4)?);
            let text = bytes.get(at + 46..at + 46 + name).ok_or_else(cut)?;
            let text = String::from_utf8_lossy(text)
                .trim_start_matches('/')
                .to_owned();
            let skipped = zip
                .number(local + 26, 2)
                .zip(zip.number(local + 28, 2))
                .ok_or_else(cut)?;
            let start = local + 30 + skipped.0 + skipped.1;
            if flags & 1 == 1 {
                return Err(unreadable(
                    file,
                    "it is encrypted; save it without a password",
                ));
            }
            if !matches!(method, 0 | 8) {
                return Err(unreadable(
                    file,
                    "it is packed in a way that workbooks are not; save it as XLSX again",
                ));
            }
            at += 46 + name + extra + comment;
            let part = Part {
                is_packed: method == 8,
                start,
                n_bytes,
            };
            zip.parts.insert(text, part);
        }
        match unpacked > UNPACKED_MAX {
            true => Err(unreadable(
                file,
                "it unpacks to more than 100 MB, which no inventory does; save the sheet as CSV",
            )),
            false => Ok(zip),
        }
    }

    /// A number of `n` bytes, the least first.
    fn number(&self, at: usize, n: usize) -> Option<usize> {
        let bytes = self.bytes.get(at..at.checked_add(n)?)?;
        Some(
            bytes
                .iter()
                .rev()
                .fold(0, |number, byte| (number << 8) | usize::from(*byte)),
        )
    }

    fn wrong(&self, problem: &str) -> ImportError {
        unreadable(self.file, problem)
    }

    /// Walks through the elements of a part; nothing where there is no such part.
    fn walk(
        &self,
        name: &str,
        visit: &mut dyn FnMut(Step<'_>) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let Some(part) = self.parts.get(name) else {
            return Ok(());
        };
        let packed = part.start.checked_add(part.n_bytes);
        let packed = packed.and_then(|end| self.bytes.get(part.start..end));
        let packed = packed.ok_or_else(|| self.wrong("it is cut short; save it again"))?;
        let unpacked: Box<dyn Read + '_> = match part.is_packed {
            true => Box::new(DeflateDecoder::new(packed)),
            false => Box::new(packed),
        };
        // What a part states about its size need not be so.
        let mut reader = Reader::from_reader(BufReader::new(Pieces::new(unpacked)));
        reader.config_mut().check_end_names = false;
        let (mut buffer, mut depth) = (Vec::new(), 0_usize);
        loop {
            buffer.clear();
            let event = reader.read_event_into(&mut buffer);
            let event = event.map_err(|error| {
                self.wrong(&format!(
                    "its part `{name}` is damaged ({error}); save it again"
                ))
            })?;
            match event {
                Event::Start(start) => {
                    depth += 1;
                    if depth > DEPTH_MAX {
                        return Err(
                            self.wrong(&format!("its part `{name}` is deeper than any sheet"))
                        );
                    }
                    visit(Step::Start(&start))?;
                }
                Event::Empty(start) => {
                    visit(Step::Start(&start))?;
                    visit(Step::End(start.local_name().as_ref()))?;
                }
                Event::End(end) => {
                    depth = depth.saturating_sub(1);
                    visit(Step::End(end.local_name().as_ref()))?;
                }
                Event::Text(text) => visit(Step::Text(&text))?,
                Event::GeneralRef(reference) => {
                    let character = match reference.as_ref() {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => reference.resolve_char_ref().ok().flatten(),
                    };
                    let mut bytes = [0; 4];
                    if let Some(character) = character {
                        visit(Step::Text(character.encode_utf8(&mut bytes)))?;
                    }
                }
                Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_) => {}
                Event::Eof => return Ok(()),
            }
        }
    }
}

/// A step on the way through a part.
enum Step<'e> {
    Start(&'e BytesStart<'e>),
    Text(&'e str),
    End(&'e str),
}

/// Lets XML through as long as it is made of small pieces, and of no more than a workbook may hold. A reader of XML keeps a whole piece in
/// memory, so that this bounds what it takes.
struct Pieces<R> {
    inner: R,
    n_left: u64,
    piece: Piece,
    n_bytes: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Text,
    Opened,
    Tag,
    Quoted(u8),
    Instruction { may_end: bool },
}

impl<R: Read> Pieces<R> {
    fn new(inner: R) -> Pieces<R> {
        Pieces {
            inner,
            n_left: UNPACKED_MAX,
            piece: Piece::Text,
            n_bytes: 0,
        }
    }

    fn pass(&mut self, byte: u8) -> Result<(), Error> {
        let next = match (self.piece, byte) {
            (Piece::Text, b'<') => Piece::Opened,
            (Piece::Text, _) => Piece::Text,
            // Comments and the like, which workbooks have none of, may hold any mark.
            (Piece::Opened, b'!') => {
                return Err(Error::new(
                    ErrorKind::InvalidData,
                    "markup that sheets do not have",
                ));
            }
            (Piece::Opened, b'?') => Piece::Instruction { may_end: false },
            (Piece::Opened | Piece::Tag, b'>') => Piece::Text,
            (Piece::Opened | Piece::Tag, b'"' | b'\'') => Piece::Quoted(byte),
            (Piece::Opened | Piece::Tag, _) => Piece::Tag,
            (Piece::Quoted(mark), _) if mark == byte => Piece::Tag,
            (Piece::Quoted(mark), _) => Piece::Quoted(mark),
            (Piece::Instruction { may_end: true }, b'>') => Piece::Text,
            (Piece::Instruction { .. }, _) => Piece::Instruction {
                may_end: byte == b'?',
            },
        };
        let begins = next == Piece::Opened || (next == Piece::Text && self.piece != Piece::Text);
        self.n_bytes = if begins { 0 } else { self.n_bytes + 1 };
        self.piece = next;
        match self.n_bytes > PIECE_MAX {
            true => Err(Error::new(
                ErrorKind::InvalidData,
                "a text larger than any cell's",
            )),
            false => Ok(()),
        }
    }
}

impl<R: Read> Read for Pieces<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        let left = self.n_left.checked_sub(n as u64);
        self.n_left =
            left.ok_or_else(|| Error::new(ErrorKind::InvalidData, "more than it says it is"))?;
        for byte in &buffer[..n] {
            self.pass(*byte)?;
        }
        Ok(n)
    }
}

/// An attribute's value; references in it are written out.
fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = start.attributes();
    let attributes = attributes.with_checks(false);
    let found = attributes
        .filter_map(Result::ok)
        .find(|found| found.key.as_ref() == name)?;
    let version = quick_xml::XmlVersion::Implicit1_0;
    let value = found.normalized_value(version);
    value.ok().map(|value| value.into_owned())
}

#[derive(Default)]
struct Book {
    sheets: Vec<Listed>,
    /// Whether days count from 1904.
    is_1904: bool,
}

/// A sheet as the workbook lists it.
struct Listed {
    name: String,
    relation: String,
    is_hidden: bool,
}

fn book(zip: &Zip<'_>) -> Result<Book, ImportError> {
    let mut book = Book::default();
    zip.walk("xl/workbook.xml", &mut |step| {
        let Step::Start(start) = step else {
            return Ok(());
        };
        match start.local_name().as_ref() {
            "workbookPr" => {
                let from = attribute(start, "date1904");
                book.is_1904 = from.is_some_and(|value| value == "1" || value == "true");
            }
            "sheet" => book.sheets.push(Listed {
                name: attribute(start, "name").unwrap_or_default(),
                relation: attribute(start, "r:id").unwrap_or_default(),
                is_hidden: attribute(start, "state").is_some_and(|state| state != "visible"),
            }),
            _ => {}
        }
        Ok(())
    })?;
    Ok(book)
}

/// Where the parts lie that the workbook names.
fn relations(zip: &Zip<'_>) -> Result<HashMap<String, String>, ImportError> {
    let mut places = HashMap::new();
    zip.walk("xl/_rels/workbook.xml.rels", &mut |step| {
        if let Step::Start(start) = step
            && let Some((id, target)) = attribute(start, "Id").zip(attribute(start, "Target"))
        {
            let place = match target.strip_prefix('/') {
                Some(whole) => whole.to_owned(),
                None => format!("xl/{target}"),
            };
            places.insert(id, place);
        }
        Ok(())
    })?;
    Ok(places)
}

/// The texts that cells share. Readings beside Asian text are no part of it.
fn shared(zip: &Zip<'_>) -> Result<Vec<String>, ImportError> {
    let mut texts: Vec<String> = Vec::new();
    let (mut n_bytes, mut is_text, mut is_reading) = (0, false, false);
    zip.walk("xl/sharedStrings.xml", &mut |step| {
        match step {
            Step::Start(start) => match start.local_name().as_ref() {
                "si" => texts.push(String::new()),
                "t" => is_text = true,
                "rPh" => is_reading = true,
                _ => {}
            },
            Step::End("t") => is_text = false,
            Step::End("rPh") => is_reading = false,
            Step::End(_) => {}
            Step::Text(text) => {
                if let Some(last) = texts.last_mut().filter(|_| is_text && !is_reading) {
                    last.push_str(text);
                    n_bytes += text.len();
                }
            }
        }
        // A text may be shared by every cell: one that is too long for a cell is refused where it is read.
        if texts.last().is_some_and(|text| text.len() > CELL_BYTES_MAX) {
            return Err(zip.wrong(&format!(
                "a cell has more than {CELL_BYTES_MAX} bytes; shorten it"
            )));
        }
        match texts.len() > SHARED_MAX || n_bytes > SHARED_BYTES_MAX {
            true => Err(too_much(zip.file, "texts", SHARED_MAX)),
            false => Ok(()),
        }
    })?;
    Ok(texts)
}

/// For each format of cells, whether it shows a day.
fn formats(zip: &Zip<'_>) -> Result<Vec<bool>, ImportError> {
    let mut own: HashMap<String, bool> = HashMap::new();
    let (mut formats, mut is_cell) = (Vec::new(), false);
    zip.walk("xl/styles.xml", &mut |step| {
        match step {
            Step::Start(start) => match start.local_name().as_ref() {
                "numFmt" => {
                    if let Some((id, code)) =
                        attribute(start, "numFmtId").zip(attribute(start, "formatCode"))
                    {
                        own.insert(id, shows_day(&code));
                    }
                }
                "cellXfs" => is_cell = true,
                "xf" if is_cell && formats.len() < SHARED_MAX => {
                    let id = attribute(start, "numFmtId").unwrap_or_default();
                    let built_in = id
                        .parse()
                        .is_ok_and(|id: u16| matches!(id, 14..=17 | 22 | 27..=36 | 50..=58));
                    formats.push(own.get(&id).copied().unwrap_or(built_in));
                }
                _ => {}
            },
            Step::End("cellXfs") => is_cell = false,
            Step::End(_) | Step::Text(_) => {}
        }
        Ok(())
    })?;
    Ok(formats)
}

/// Whether a format shows a day: it has a year or a day outside of what it quotes.
fn shows_day(code: &str) -> bool {
    let mut ends = None;
    let mut letters = code.chars();
    while let Some(letter) = letters.next() {
        match (ends, letter) {
            (Some(end), letter) if end == letter => ends = None,
            (Some(_), _) => {}
            (None, '"') => ends = Some('"'),
            (None, '[') => ends = Some(']'),
            (None, '\\' | '_' | '*') => drop(letters.next()),
            (None, 'd' | 'D' | 'y' | 'Y') => return true,
            (None, _) => {}
        }
    }
    false
}

/// A day as a workbook counts it. The first counts from 1900 as if that had been a leap year.
fn counted_day(number: f64, is_1904: bool) -> Option<Date> {
    let start = match is_1904 {
        true => date(1904, 1, 1),
        false => date(1899, 12, 30),
    };
    let days = number.floor();
    let fits = (0.0..3_000_000.0).contains(&days);
    fits.then(|| start.checked_add((days as i64).days()).ok())
        .flatten()
}

/// The sheet in reading.
struct Sheet<'a> {
    zip: &'a Zip<'a>,
    shared: &'a [String],
    formats: &'a [bool],
    is_1904: bool,
    rows: Rows<'a>,
    is_named: bool,
    /// The row read last.
    at: usize,
    next_column: usize,
    cells: Vec<(usize, String)>,
}

/// The cell in reading.
#[derive(Default)]
struct Cell {
    column: usize,
    kind: String,
    format: usize,
    text: String,
}

impl Sheet<'_> {
    fn read(&mut self, part: &str) -> Result<(), ImportError> {
        let mut cell: Option<Cell> = None;
        let (mut is_text, mut is_reading) = (false, false);
        let zip = self.zip;
        zip.walk(part, &mut |step| {
            match step {
                Step::Start(start) => match start.local_name().as_ref() {
                    "row" => self.begin_row(start)?,
                    "c" => cell = Some(self.begin_cell(start)?),
                    "v" | "t" => is_text = true,
                    "rPh" => is_reading = true,
                    _ => {}
                },
                Step::Text(text) => {
                    if let Some(cell) = cell.as_mut().filter(|_| is_text && !is_reading) {
                        cell.text.push_str(text);
                        if cell.text.len() > CELL_BYTES_MAX {
                            return Err(zip.wrong(&format!(
                                "a cell of row {} has more than {CELL_BYTES_MAX} bytes; shorten it",
                                self.at
                            )));
                        }
                    }
                }
                Step::End("v" | "t") => is_text = false,
                Step::End("rPh") => is_reading = false,
                Step::End("c") => {
                    if let Some(cell) = cell.take() {
                        let text = self.shown(&cell);
                        self.cells.push((cell.column, text));
                    }
                }
                Step::End("row") => self.end_row()?,
                Step::End(_) => {}
            }
            Ok(())
        })
    }

    fn begin_row(&mut self, start: &BytesStart<'_>) -> Result<(), ImportError> {
        let said = attribute(start, "r").and_then(|text| text.parse().ok());
        self.at = said.unwrap_or(self.at + 1);
        self.next_column = 0;
        self.cells.clear();
        // Rows beyond what is read may be empty ones with a format; only what they hold counts.
        match self.at > 100 * ROWS_MAX {
            true => Err(too_much(self.zip.file, "rows", ROWS_MAX)),
            false => Ok(()),
        }
    }

    fn begin_cell(&mut self, start: &BytesStart<'_>) -> Result<Cell, ImportError> {
        let column = match attribute(start, "r") {
            Some(place) => column(&place).ok_or_else(|| {
                self.zip
                    .wrong(&format!("a cell of row {} has no place", self.at))
            })?,
            None => self.next_column,
        };
        if self.cells.len() >= 4 * COLUMNS_MAX {
            return Err(too_much(self.zip.file, "columns", COLUMNS_MAX));
        }
        self.next_column = column + 1;
        let format = attribute(start, "s").and_then(|text| text.parse().ok());
        Ok(Cell {
            column,
            kind: attribute(start, "t").unwrap_or_default(),
            format: format.unwrap_or(0),
            text: String::new(),
        })
    }

    /// What a cell shows.
    fn shown(&self, cell: &Cell) -> String {
        match cell.kind.as_str() {
            "s" => {
                let at = cell.text.parse().ok();
                at.and_then(|at: usize| self.shared.get(at))
                    .cloned()
                    .unwrap_or_default()
            }
            "b" if cell.text == "1" => "yes".to_owned(),
            "b" => "no".to_owned(),
            "" | "n" => {
                let number = cell.text.parse().ok();
                let number: Option<f64> =
                    number.filter(|_| self.formats.get(cell.format) == Some(&true));
                let day = number.and_then(|number| counted_day(number, self.is_1904));
                day.map_or_else(|| cell.text.clone(), |day| day.to_string())
            }
            _ => cell.text.clone(),
        }
    }

    /// Takes the row in: the first that holds something names the columns.
    fn end_row(&mut self) -> Result<(), ImportError> {
        let cells = std::mem::take(&mut self.cells);
        if self.is_named {
            return self.rows.take(self.at, cells);
        }
        if cells.iter().all(|(_, text)| text.trim().is_empty()) {
            return Ok(());
        }
        self.is_named = true;
        let n_columns = cells
            .iter()
            .map(|(column, _)| column + 1)
            .max()
            .unwrap_or(0);
        if n_columns > COLUMNS_MAX {
            return Err(too_much(self.zip.file, "columns", COLUMNS_MAX));
        }
        let mut names = vec![String::new(); n_columns];
        for (column, text) in cells {
            names[column] = text.trim().to_owned();
        }
        self.rows.name_columns(names)
    }
}

/// The column of a place such as `AB12`, from 0.
fn column(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic);
    let number = letters.fold(0_usize, |number, letter| {
        number
            .saturating_mul(26)
            .saturating_add(usize::from(letter.to_ascii_uppercase() - b'A') + 1)
    });
    number.checked_sub(1).filter(|column| *column < 16_384)
}
