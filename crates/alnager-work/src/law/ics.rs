//! A calendar file (iCalendar, RFC 5545) of all-day events.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;

/// One all-day event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IcsEvent {
    /// What makes it the same event when the file is written again; the same day, thing and scope have the same one.
    pub uid: String,
    /// The day.
    pub day: Date,
    /// One line.
    pub summary: String,
    /// More; may have several lines.
    pub description: String,
    /// What sort of event it is.
    pub category: String,
}

/// Longest line in octets, without its end.
///
/// Source: RFC 5545, section 3.1.
const LINE_BYTES_MAX: usize = 75;

/// A calendar of all-day events, as a file. `made_at` is the instant the events are said to have been made.
pub fn write(events: &[IcsEvent], made_at: Timestamp) -> String {
    let stamp = made_at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut text = String::new();
    for line in [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Alnager//law calendar//EN",
        "CALSCALE:GREGORIAN",
    ] {
        fold(line, &mut text);
    }
    for event in events {
        let day = |day: Date| day.strftime("%Y%m%d").to_string();
        fold("BEGIN:VEVENT", &mut text);
        fold(&format!("UID:{}", escaped(&event.uid)), &mut text);
        fold(&format!("DTSTAMP:{stamp}"), &mut text);
        fold(&format!("DTSTART;VALUE=DATE:{}", day(event.day)), &mut text);
        // The end of an all-day event is the first day after it (RFC 5545, section 3.6.1); without one it is that day alone.
        if let Ok(end) = event.day.tomorrow() {
            fold(&format!("DTEND;VALUE=DATE:{}", day(end)), &mut text);
        }
        fold(&format!("SUMMARY:{}", escaped(&event.summary)), &mut text);
        if !event.description.is_empty() {
            fold(
                &format!("DESCRIPTION:{}", escaped(&event.description)),
                &mut text,
            );
        }
        fold(
            &format!("CATEGORIES:{}", escaped(&event.category)),
            &mut text,
        );
        fold("TRANSP:TRANSPARENT", &mut text);
        fold("END:VEVENT", &mut text);
    }
    fold("END:VCALENDAR", &mut text);
    text
}

/// A text value: backslash, semicolon, comma and line ends are marked; other control characters cannot stand in a file.
///
/// Source: RFC 5545, section 3.3.11.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.replace("\r\n", "\n").chars() {
        match letter {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(letter);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push(letter),
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
    }
    out
}

/// Writes a line, broken so that none is too long and no letter is cut: a line that goes on begins with a space.
fn fold(line: &str, text: &mut String) {
    let mut rest = line;
    let mut room = LINE_BYTES_MAX;
    while rest.len() > room {
        let cut = rest.floor_char_boundary(room);
        // Writing to a string cannot fail.
        let _ = write!(text, "{}\r\n ", &rest[..cut]);
        rest = &rest[cut..];
        room = LINE_BYTES_MAX - 1;
    }
    text.push_str(rest);
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use expect_test::expect;
    use jiff::civil::date;

    use super::*;

    fn event(summary: &str) -> IcsEvent {
        IcsEvent {
            uid: "euaia-9-begins-20271202@law.alnager".to_owned(),
            day: date(2027, 12, 31),
            summary: summary.to_owned(),
            description: "Art 9; EU AI Act\ncredit, cv".to_owned(),
            category: "begins".to_owned(),
        }
    }

    #[test]
    fn a_calendar_is_written_as_the_standard_says() {
        let made_at = "2026-11-23T08:00:00Z".parse().unwrap();
        let text = write(&[event("EUAIA-9 begins")], made_at);
        assert!(text.ends_with("\r\n"));
        expect![[r#"
            BEGIN:VCALENDAR
            VERSION:2.0
            PRODID:-//Alnager//law calendar//EN
            CALSCALE:GREGORIAN
            BEGIN:VEVENT
            UID:euaia-9-begins-20271202@law.alnager
            DTSTAMP:20261123T080000Z
            DTSTART;VALUE=DATE:20271231
            DTEND;VALUE=DATE:20280101
            SUMMARY:EUAIA-9 begins
            DESCRIPTION:Art 9\; EU AI Act\ncredit\, cv
            CATEGORIES:begins
            TRANSP:TRANSPARENT
            END:VEVENT
            END:VCALENDAR
        "#]]
        .assert_eq(&text.replace("\r\n", "\n"));
    }

    #[test]
    fn long_lines_are_broken_between_letters_and_can_be_joined_again() {
        let made_at = "2026-11-23T08:00:00Z".parse().unwrap();
        for letter in ["a", "ü", "漢", "🙂"] {
            for n in 60..80 {
                let summary = format!("{}{}", "x".repeat(n), letter.repeat(60));
                let text = write(&[event(&summary)], made_at);
                assert!(text.split("\r\n").all(|line| line.len() <= LINE_BYTES_MAX));
                let joined = text.replace("\r\n ", "");
                assert!(joined.contains(&format!("SUMMARY:{summary}\r\n")));
            }
        }
    }

    #[test]
    fn no_text_can_end_its_line() {
        let made_at = "2026-11-23T08:00:00Z".parse().unwrap();
        let text = write(&[event("a\r\nEND:VEVENT\u{7}\rb")], made_at);
        assert!(text.contains("SUMMARY:a\\nEND:VEVENTb\r\n"), "{text}");
    }
}
