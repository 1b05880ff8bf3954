//! Plain text in a given width: wrapped with a hanging indent, fitted on one line, or cut at a word.
//!
//! Width is counted in characters. Characters that steer a terminal never pass: names of groups and files come from outside.

/// The lead, then the text wrapped at `width`; every further line is indented by `indent`. Ends with a line break.
///
/// A word longer than the width is not broken, so that a path or a hash can be copied.
pub fn hung(lead: &str, indent: usize, text: &str, width: usize) -> String {
    let mut out = harmless(lead);
    let mut used = length(&out);
    let mut at_start = true;
    for word in text.split_whitespace().map(harmless) {
        let gap = usize::from(!at_start);
        if used + gap + length(&word) > width && used > indent {
            let kept = out.trim_end().len();
            out.truncate(kept);
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            used = indent;
        } else if !at_start {
            out.push(' ');
            used += 1;
        }
        used += length(&word);
        out.push_str(&word);
        at_start = false;
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// As many items as fit in `room` characters, joined by commas, and how many more there are. At least one item is shown.
pub(crate) fn fitted(items: &[String], room: usize) -> String {
    for n in (1..=items.len()).rev() {
        let more = if n < items.len() {
            format!(" and {} more", items.len() - n)
        } else {
            String::new()
        };
        let text = harmless(&format!("{}{more}", items[..n].join(", ")));
        if n == 1 || length(&text) <= room {
            return text;
        }
    }
    String::new()
}

/// The text if it has at most `room` characters, otherwise cut at a word and marked with `…`.
pub(crate) fn shortened(text: &str, room: usize) -> String {
    let text = harmless(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    let Some((end, _)) = text.char_indices().nth(room) else {
        return text;
    };
    let cut = text[..end].rfind(' ').filter(|cut| *cut > 0);
    let last = text[..end].char_indices().last().map_or(0, |(at, _)| at);
    format!(
        "{}…",
        text[..cut.unwrap_or(last)].trim_end_matches([',', ';', ':', '.', '(', ' '])
    )
}

/// As much of the text as takes up to `n_lines` lines when it is [`hung`] after this lead.
pub(crate) fn cut(lead: &str, indent: usize, text: &str, width: usize, n_lines: usize) -> String {
    let mut room = n_lines * width;
    loop {
        let short = shortened(text, room);
        if room < 8 || hung(lead, indent, &short, width).lines().count() <= n_lines {
            return short;
        }
        room -= 4;
    }
}

/// Its length in characters.
pub(crate) fn length(text: &str) -> usize {
    text.chars().count()
}

/// The text with control characters replaced, those that turn the direction of writing included.
pub fn harmless(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() || turns(character) {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect()
}

/// Whether a character turns the direction of writing, and so could show our own words in another order.
pub(crate) fn turns(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_lines_hang() {
        assert_eq!(
            hung("next  ", 6, "narrow the gap, then review", 18),
            "next  narrow the\n      gap, then\n      review\n"
        );
    }

    #[test]
    fn a_long_word_is_not_broken() {
        assert_eq!(
            hung("", 2, "see /a/very/long/path now", 8),
            "see\n  /a/very/long/path\n  now\n"
        );
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let items = ["Asian 32", "Native American 18", "Other 7"].map(str::to_owned);
        assert_eq!(fitted(&items, 80), "Asian 32, Native American 18, Other 7");
        assert_eq!(fitted(&items, 30), "Asian 32 and 2 more");
        assert_eq!(fitted(&items, 3), "Asian 32 and 2 more");
    }

    #[test]
    fn a_text_is_cut_at_a_word() {
        assert_eq!(shortened("narrow the gap", 14), "narrow the gap");
        assert_eq!(shortened("narrow the gap", 13), "narrow the…");
        assert_eq!(shortened("incomprehensible", 6), "incom…");
    }

    #[test]
    fn a_text_is_cut_to_lines() {
        assert_eq!(
            cut(
                "Lee: ",
                2,
                "stop, or show with counsel that it is not caught",
                16,
                2
            ),
            "stop, or show with…"
        );
        assert_eq!(
            cut("Lee: ", 2, "stop, or show it", 16, 2),
            "stop, or show it"
        );
    }

    #[test]
    fn a_terminal_is_not_steered() {
        assert_eq!(
            hung("", 0, "group \u{1b}[31mred", 40),
            "group \u{fffd}[31mred\n"
        );
        assert_eq!(fitted(&["a\u{7}b".to_owned()], 40), "a\u{fffd}b");
        assert_eq!(shortened("a\u{7}b", 40), "a\u{fffd}b");
    }
}
