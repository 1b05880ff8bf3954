//! Decimal numbers as the log formats write them: one spelling per number.

/// The number written in `text`: ASCII digits only, no sign, no leading zero except `0` itself, at most `u64::MAX`.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let digits = text.as_bytes();
    let one_spelling = digits == b"0" || digits.first().is_some_and(|first| *first != b'0');
    if !one_spelling || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn there_is_one_spelling_per_number() {
        for (text, number) in [
            ("0", Some(0)),
            ("7", Some(7)),
            ("20852163", Some(20_852_163)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("", None),
            ("00", None),
            ("07", None),
            ("+7", None),
            ("-7", None),
            (" 7", None),
            ("7 ", None),
            ("٧", None),
        ] {
            assert_eq!(parse(text), number, "{text:?}");
        }
    }
}
