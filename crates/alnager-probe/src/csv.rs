//! Comma-separated text: UTF-8, a header, quotes as in RFC 4180.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};
use sha2::{Digest, Sha256};

use crate::error::{ProbeError, Problem, Row, choices};
use crate::intake::{self, Fault, ROWS_COLUMN, Sink, count};
use crate::records::{self, Take};
use crate::source::{Opened, Packing, Progress, RECORD_BYTES_MAX, Unit, hex};

/// Bytes read at a time.
const BUFFER_BYTES: usize = 256 << 10;

const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Takes in the rows of a file and hashes its bytes on the way, so that it is read once; gives the SHA-256.
pub(crate) fn read(
    sink: &mut dyn Sink,
    opened: &Opened,
    progress: &dyn Fn(Progress),
) -> Result<String, ProbeError> {
    sink.intake().compare_floats(&|_| false);
    let (hash, n_read) = (RefCell::new(Sha256::new()), Cell::new(0_u64));
    let unpacked = opened.unpacked(|bytes| {
        hash.borrow_mut().update(bytes);
        n_read.set(n_read.get() + bytes.len() as u64);
    })?;
    let text = Text { opened };
    let mut record = ByteRecord::new();
    let mut reader = text.begin(unpacked, &mut record)?;
    let fields = text.fields(&record, sink.intake().columns())?;
    let is_count = |name: &[u8]| name == ROWS_COLUMN.as_bytes();
    let count_at = record.iter().position(is_count);
    if count_at.is_some() && !sink.takes_counts() {
        return Err(ProbeError::NeedsRows {
            name: opened.name.clone(),
        });
    }
    let mut last_at = record_at(&record);
    let mut n_told = 0;
    while text.next(&mut reader, &mut record)? {
        last_at = record_at(&record);
        let times = count_at.map(|at| count(&record[at])).transpose();
        let times = times
            .map_err(|problem| text.wrong(record_at(&record), 0, Some(ROWS_COLUMN), problem))?;
        let taken = intake::row(sink, &|column| &record[fields[column]], times);
        if let Err(fault) = taken {
            return Err(text.fault(&record, &fields, sink.intake().columns(), fault));
        }
        if n_read.get() > n_told {
            n_told = n_read.get();
            progress(Progress {
                done: n_told.min(opened.n_bytes),
                total: opened.n_bytes,
                unit: Unit::Bytes,
            });
        }
    }
    drop(reader);
    if let Some(quote_at) = text.open_quote(last_at)? {
        return Err(text.wrong(quote_at, 0, None, Problem::OpenQuote));
    }
    sink.flush()
        .map_err(|fault| text.fault(&record, &fields, sink.intake().columns(), fault))?;
    Ok(hex(hash.into_inner()))
}

/// Reads every record of a file with all its columns. `take` is given each, and whether it says to go on.
pub(crate) fn records(
    opened: &Opened,
    progress: &dyn Fn(Progress),
    take: &mut Take<'_>,
) -> Result<(), ProbeError> {
    let n_read = Cell::new(0_u64);
    let unpacked = opened.unpacked(|bytes| n_read.set(n_read.get() + bytes.len() as u64))?;
    let text = Text { opened };
    let mut record = ByteRecord::new();
    let mut reader = text.begin(unpacked, &mut record)?;
    let mut columns: Vec<String> = Vec::with_capacity(record.len());
    for (at, name) in record.iter().enumerate() {
        let mark: &[u8] = if at == 0 { &BYTE_ORDER_MARK } else { &[] };
        let name = std::str::from_utf8(name.strip_prefix(mark).unwrap_or(name));
        let name = name.map_err(|_| text.wrong(record_at(&record), 0, None, Problem::NotUtf8))?;
        columns.push(name.to_owned());
    }
    records::check_columns(&opened.name, &columns)?;
    let all: Vec<usize> = (0..columns.len()).collect();
    let (mut last_at, mut n_told) = (record_at(&record), 0);
    while text.next(&mut reader, &mut record)? {
        last_at = record_at(&record);
        let mut values = Vec::with_capacity(columns.len());
        for (column, value) in record.iter().enumerate() {
            let Ok(value) = std::str::from_utf8(value) else {
                let fault = Fault {
                    row: 0,
                    column: Some(column),
                    problem: Problem::NotUtf8,
                };
                return Err(text.fault(&record, &all, &columns, fault));
            };
            values.push(Some(value.to_owned()));
        }
        if !take(&columns, values) {
            return Ok(());
        }
        if n_read.get() > n_told {
            n_told = n_read.get();
            progress(Progress {
                done: n_told.min(opened.n_bytes),
                total: opened.n_bytes,
                unit: Unit::Bytes,
            });
        }
    }
    drop(reader);
    match text.open_quote(last_at)? {
        Some(quote_at) => Err(text.wrong(quote_at, 0, None, Problem::OpenQuote)),
        None => Ok(()),
    }
}

/// Stops at what no text may hold and at a record that does not end.
struct Watched<'f> {
    text: Box<dyn Read + 'f>,
    /// Bytes of text read so far.
    n_read: u64,
    /// Where the record begins that is being read.
    record_at: u64,
    /// Why it stopped, and at which byte.
    stopped: Cell<Option<(u64, Problem)>>,
}

impl Watched<'_> {
    fn stop(&self, at: u64, problem: Problem) -> io::Error {
        self.stopped.set(Some((at, problem)));
        io::Error::other("stopped")
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.n_read - self.record_at > RECORD_BYTES_MAX {
            return Err(self.stop(self.record_at, Problem::LongRecord));
        }
        let n = self.text.read(buffer)?;
        let read = &buffer[..n];
        if self.n_read == 0 && (read.starts_with(&[0xff, 0xfe]) || read.starts_with(&[0xfe, 0xff]))
        {
            return Err(self.stop(0, Problem::Utf16));
        }
        if let Some(at) = read.iter().position(|byte| *byte == 0) {
            return Err(self.stop(self.n_read + at as u64, Problem::Nul));
        }
        self.n_read += n as u64;
        Ok(n)
    }
}

/// A text file, to find places in.
struct Text<'f> {
    opened: &'f Opened,
}

impl<'f> Text<'f> {
    /// Begins to read, with the header as the first record.
    fn begin(
        &self,
        text: Box<dyn Read + 'f>,
        header: &mut ByteRecord,
    ) -> Result<Reader<Watched<'f>>, ProbeError> {
        let watched = Watched {
            text,
            n_read: 0,
            record_at: 0,
            stopped: Cell::new(None),
        };
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(watched);
        match self.next(&mut reader, header)? {
            true => Ok(reader),
            false => Err(ProbeError::Empty {
                file: self.opened.name.clone(),
            }),
        }
    }

    /// Reads the next record; false at the end.
    fn next(
        &self,
        reader: &mut Reader<Watched<'_>>,
        record: &mut ByteRecord,
    ) -> Result<bool, ProbeError> {
        reader.get_mut().record_at = reader.position().byte();
        let error = match reader.read_byte_record(record) {
            Ok(more) => return Ok(more),
            Err(error) => error,
        };
        if let Some((at, problem)) = reader.get_ref().stopped.take() {
            return Err(self.wrong(at, 0, None, problem));
        }
        match error.into_kind() {
            ErrorKind::UnequalLengths {
                pos,
                expected_len,
                len,
            } => {
                let at = pos.map_or(0, |pos| pos.byte());
                if let Some(quote_at) = self.open_quote(at)? {
                    return Err(self.wrong(quote_at, 0, None, Problem::OpenQuote));
                }
                Err(self.wrong(
                    at,
                    0,
                    None,
                    Problem::Ragged {
                        found: len,
                        expected: expected_len,
                    },
                ))
            }
            ErrorKind::Io(source) => Err(self.opened.unreadable(source)),
            kind => Err(self
                .opened
                .unreadable(io::Error::other(format!("{kind:?}")))),
        }
    }

    /// Finds the columns in the header.
    fn fields(&self, header: &ByteRecord, columns: &[String]) -> Result<Vec<usize>, ProbeError> {
        let file = || self.opened.name.clone();
        columns
            .iter()
            .map(|column| {
                let mut found = header
                    .iter()
                    .enumerate()
                    .filter(|(_, name)| *name == column.as_bytes())
                    .map(|(at, _)| at);
                match (found.next(), found.next()) {
                    (Some(at), None) => Ok(at),
                    (Some(_), Some(_)) => Err(ProbeError::TwoColumns {
                        file: file(),
                        column: column.clone(),
                    }),
                    (None, _) => {
                        if let Some(quote_at) = self.open_quote(record_at(header))? {
                            return Err(self.wrong(quote_at, 0, None, Problem::OpenQuote));
                        }
                        let names: Result<Vec<&str>, _> =
                            header.iter().map(std::str::from_utf8).collect();
                        let names = names.map_err(|_| {
                            self.wrong(record_at(header), 0, None, Problem::NotUtf8)
                        })?;
                        Err(ProbeError::NoColumn {
                            file: file(),
                            column: column.clone(),
                            hint: hint(column, &names),
                        })
                    }
                }
            })
            .collect()
    }

    fn fault(
        &self,
        record: &ByteRecord,
        fields: &[usize],
        columns: &[String],
        fault: Fault,
    ) -> ProbeError {
        match fault.column {
            None => ProbeError::content(&self.opened.name, None, None, fault.problem),
            Some(column) => {
                // A field before this one may hold line breaks.
                let within = record
                    .iter()
                    .take(fields[column])
                    .map(|field| Lines::default().count(field))
                    .sum();
                self.wrong(
                    record_at(record),
                    within,
                    Some(&columns[column]),
                    fault.problem,
                )
            }
        }
    }

    /// A problem `n_lines` lines below the line of a byte.
    fn wrong(&self, at: u64, n_lines: u64, column: Option<&str>, problem: Problem) -> ProbeError {
        match self.line(at) {
            Ok(line) => ProbeError::content(
                &self.opened.name,
                Some(Row::Line(line + n_lines)),
                column,
                problem,
            ),
            Err(source) => self.opened.unreadable(source),
        }
    }

    /// The line of a byte; where a line break stands there, of the first byte after it that is none.
    ///
    /// Reads the file a second time up to that byte, which only an error asks for.
    fn line(&self, at: u64) -> io::Result<u64> {
        let text = self.opened.unpacked(|_| {}).map_err(io::Error::other)?;
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, text);
        let (mut lines, mut n_lines, mut left) = (Lines::default(), 1, at);
        loop {
            let bytes = reader.fill_buf()?;
            let before = left.min(bytes.len() as u64) as usize;
            let breaks = bytes[before..]
                .iter()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                .count();
            let n = if left > before as u64 {
                before
            } else {
                before + breaks
            };
            n_lines += lines.count(&bytes[..n]);
            left -= before as u64;
            if n == 0 || n < bytes.len() {
                return Ok(n_lines);
            }
            reader.consume(n);
        }
    }

    /// The text from a byte on. A packed file is read up to there again.
    fn after(&self, at: u64) -> Result<Box<dyn Read + '_>, ProbeError> {
        let unreadable = |source| self.opened.unreadable(source);
        if self.opened.packing == Packing::Plain {
            let mut file = self.opened.rewound()?;
            file.seek(SeekFrom::Start(at)).map_err(unreadable)?;
            return Ok(Box::new(file));
        }
        let mut text = self.opened.unpacked(|_| {})?;
        io::copy(&mut text.by_ref().take(at), &mut io::sink()).map_err(unreadable)?;
        Ok(text)
    }

    /// Where the quote stands that is still open at the end of the file, if the record that begins at `at` is the last one and
    /// has such a quote. The reader takes a missing quote for granted at the end of a file; we do not.
    fn open_quote(&self, at: u64) -> Result<Option<u64>, ProbeError> {
        let unreadable = |source| self.opened.unreadable(source);
        let mut text = self.after(at)?;
        let reader = BufReader::with_capacity(BUFFER_BYTES, &mut text);
        let (mut state, mut open_at, mut read_at) = (Quote::FieldStart, 0, at);
        for byte in reader.take(2 * RECORD_BYTES_MAX).bytes() {
            let byte = byte.map_err(unreadable)?;
            // A byte-order mark belongs to no field.
            let next = if read_at < 3 && BYTE_ORDER_MARK[read_at as usize] == byte {
                state
            } else {
                state.after(byte)
            };
            match (state, next) {
                (Quote::FieldStart, Quote::Open) => open_at = read_at,
                (Quote::Open | Quote::FieldStart, _) => {}
                // The record ends in order; what follows is another one.
                (Quote::Plain | Quote::Closed, Quote::FieldStart) if byte != b',' => {
                    return Ok(None);
                }
                (Quote::Plain | Quote::Closed, _) => {}
            }
            state = next;
            read_at += 1;
        }
        Ok((state == Quote::Open).then_some(open_at))
    }
}

fn record_at(record: &ByteRecord) -> u64 {
    record.position().map_or(0, csv::Position::byte)
}

fn hint(column: &str, names: &[&str]) -> String {
    match names {
        [only] if only.contains([';', '\t', '|']) => {
            "the header has no comma; write the file with commas between its fields".to_owned()
        }
        names => choices(column, "columns", names),
    }
}

/// Counts line breaks: `\n`, `\r\n` and a lone `\r`.
#[derive(Default)]
struct Lines {
    after_return: bool,
}

impl Lines {
    fn count(&mut self, bytes: &[u8]) -> u64 {
        let mut n = 0;
        for byte in bytes {
            n += u64::from(*byte == b'\r' || (*byte == b'\n' && !self.after_return));
            self.after_return = *byte == b'\r';
        }
        n
    }
}

/// Where a reader of quoted text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote {
    FieldStart,
    Plain,
    Open,
    /// After a quote within quotes: closed, unless another quote follows.
    Closed,
}

impl Quote {
    fn after(self, byte: u8) -> Quote {
        match (self, byte) {
            (Quote::FieldStart | Quote::Closed, b'"') => Quote::Open,
            (Quote::Open, b'"') => Quote::Closed,
            (Quote::Open, _) => Quote::Open,
            (Quote::FieldStart | Quote::Plain | Quote::Closed, b',' | b'\r' | b'\n') => {
                Quote::FieldStart
            }
            (Quote::FieldStart | Quote::Plain | Quote::Closed, _) => Quote::Plain,
        }
    }
}
