//! Forms: the fields a browser sends, some of them several times.

use uuid::Uuid;

/// The fields of a form, in the order sent.
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the fields of a form or a query. Bytes that are no text are shown as such.
    pub fn read(bytes: &[u8]) -> Fields {
        let pairs = bytes.split(|byte| *byte == b'&');
        let pairs = pairs.filter(|pair| !pair.is_empty()).map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = match at {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &[][..]),
            };
            (decoded(name), decoded(value))
        });
        Fields(pairs.collect())
    }

    /// A field, without space around it; empty where it was not sent.
    pub fn text(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// A field that may be left empty.
    pub fn optional(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// Every value of a field.
    pub fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        let same = self.0.iter().filter(move |(known, _)| known == name);
        same.map(|(_, value)| value.trim())
    }

    /// Every field, in the order sent.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.trim()))
    }

    /// The key of a form, so that sending it twice is once.
    pub fn once(&self) -> Option<Uuid> {
        self.text("once").parse().ok()
    }
}

/// A part of a form as text: `+` is a space, `%41` a byte.
fn decoded(part: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut at = 0;
    while let Some(byte) = part.get(at) {
        let pair = part.get(at + 1..at + 3);
        let hex = pair.and_then(|pair| std::str::from_utf8(pair).ok());
        let hex = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                at += 3;
            }
            (b'+', _) => {
                bytes.push(b' ');
                at += 1;
            }
            (byte, _) => {
                bytes.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_kept_in_order() {
        let fields = Fields::read(b"a=1&role=x&role=y+z&b=%C3%A9%2B%zz&c&=&a=2");
        assert_eq!(fields.text("a"), "1");
        assert_eq!(fields.all("role").collect::<Vec<_>>(), ["x", "y z"]);
        assert_eq!(fields.text("b"), "é+%zz");
        assert_eq!(fields.optional("c"), None);
        assert_eq!(fields.text("missing"), "");
    }
}
