//! Reads the one spelling of an entry straight through, without a tree of JSON values in between.

use uuid::Uuid;

use super::{Blob, Entry, Subject};
use crate::canonical::INTEGER_MAX;
use crate::decimal;
use crate::merkle::Hash;

/// The entry in `bytes`, if they are spelled as [`Entry::to_bytes`] spells it. Whether its fields keep their rules is not looked at;
/// a text that would need an escape keeps none of them, and is not read.
pub(super) fn spelled(bytes: &[u8]) -> Option<Entry> {
    let mut reader = Reader { rest: bytes };
    reader.literal("{\"actor\":")?;
    let actor = reader.id()?;
    reader.literal(",\"at\":")?;
    let at = reader.text()?.to_owned();
    reader.literal(",\"blobs\":[")?;
    let blobs = reader.list(Reader::blob)?;
    reader.literal(",\"command\":")?;
    let command = reader.id()?;
    reader.literal(",\"commit\":")?;
    let commit = reader.hash()?;
    reader.literal(",\"id\":")?;
    let id = reader.id()?;
    reader.literal(",\"kind\":")?;
    let kind = reader.text()?.to_owned();
    reader.literal(",\"org\":")?;
    let org = reader.id()?;
    reader.literal(",\"refs\":[")?;
    let refs = reader.list(Reader::natural)?;
    reader.literal(",\"subjects\":[")?;
    let subjects = reader.list(Reader::subject)?;
    reader.literal(",\"v\":")?;
    let v = reader.natural()?;
    reader.literal("}")?;
    reader.rest.is_empty().then_some(Entry {
        v,
        kind,
        id,
        org,
        actor,
        subjects,
        at,
        command,
        commit,
        blobs,
        refs,
    })
}

/// What is still to be read.
struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    fn literal(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text.as_bytes())?;
        Some(())
    }

    /// A string without escapes.
    fn text(&mut self) -> Option<&'b str> {
        let rest = self.rest.strip_prefix(b"\"")?;
        let is_end = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < 0x20;
        let (text, rest) = rest.split_at_checked(rest.iter().position(is_end)?)?;
        self.rest = rest.strip_prefix(b"\"")?;
        std::str::from_utf8(text).ok()
    }

    /// A UUID with hyphens, in lower case.
    fn id(&mut self) -> Option<Uuid> {
        let text = self.text()?;
        // Every other form that is accepted has another length.
        let is_plain = text.len() == 36 && !text.bytes().any(|byte| byte.is_ascii_uppercase());
        Uuid::try_parse(text).ok().filter(|_| is_plain)
    }

    fn hash(&mut self) -> Option<Hash> {
        Hash::from_hex(self.text()?)
    }

    fn natural(&mut self) -> Option<u64> {
        let is_digit = |byte: &u8| byte.is_ascii_digit();
        let end = self.rest.iter().position(|byte| !is_digit(byte))?;
        let (digits, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        let number = decimal::parse(std::str::from_utf8(digits).ok()?)?;
        (number <= INTEGER_MAX).then_some(number)
    }

    /// The items of a list whose `[` was read, up to its `]`.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        if self.literal("]").is_some() {
            return Some(items);
        }
        loop {
            items.push(item(self)?);
            if self.literal("]").is_some() {
                return Some(items);
            }
            self.literal(",")?;
        }
    }

    fn blob(&mut self) -> Option<Blob> {
        self.literal("{\"commit\":")?;
        let commit = self.hash()?;
        self.literal(",\"len\":")?;
        let len = self.natural()?;
        self.literal(",\"media\":")?;
        let media = self.text()?.to_owned();
        self.literal(",\"name\":")?;
        let name = self.text()?.to_owned();
        self.literal("}")?;
        Some(Blob {
            name,
            commit,
            len,
            media,
        })
    }

    fn subject(&mut self) -> Option<Subject> {
        self.literal("{\"id\":")?;
        let id = self.id()?;
        self.literal(",\"prev\":")?;
        let prev = match self.literal("null") {
            Some(()) => None,
            None => Some(self.natural()?),
        };
        self.literal("}")?;
        Some(Subject { id, prev })
    }
}
