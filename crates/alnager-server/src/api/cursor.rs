//! Cursors: where a list goes on. What is added meanwhile moves nothing that was seen.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::refusal::Refusal;

/// Rows of a list where nothing else is asked for.
pub(super) const LIMIT: u32 = 50;

/// Most rows of a list.
pub(super) const LIMIT_MAX: u32 = 200;

/// What a list is ordered by: a text, then an id that is unique.
pub(super) type Key = (String, String);

/// An index as a text that sorts as the index does.
pub(super) fn indexed(index: u64) -> String {
    format!("{index:020}")
}

/// The rows that were asked for, and where the list goes on. `list`: its name, with its order; a cursor of another one does not fit.
pub(super) fn page<T>(
    list: &str,
    mut rows: Vec<(Key, T)>,
    cursor: Option<&str>,
    limit: Option<u32>,
) -> Result<(Vec<T>, Option<String>), Refusal> {
    let limit = rows_wanted(limit)?;
    if let Some(cursor) = cursor {
        let after = read(list, cursor)?;
        rows.retain(|(key, _)| *key > after);
    }
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    let next = match rows.len() > limit {
        true => rows.get(limit - 1).map(|(key, _)| written(list, key)),
        false => None,
    };
    rows.truncate(limit);
    Ok((rows.into_iter().map(|(_, row)| row).collect(), next))
}

/// How many rows are asked for.
pub(super) fn rows_wanted(limit: Option<u32>) -> Result<usize, Refusal> {
    let limit = limit.unwrap_or(LIMIT);
    match (1..=LIMIT_MAX).contains(&limit) {
        true => Ok(usize::try_from(limit).unwrap_or(usize::MAX)),
        false => Err(Refusal::field(
            "limit",
            format!("a list has 1 to {LIMIT_MAX} rows at once"),
        )),
    }
}

/// A cursor's text.
pub(super) fn written(list: &str, key: &Key) -> String {
    let parts = serde_json::json!([list, key.0, key.1]);
    URL_SAFE_NO_PAD.encode(parts.to_string())
}

/// What a cursor's text says.
pub(super) fn read(list: &str, cursor: &str) -> Result<Key, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let parts =
        bytes.and_then(|bytes| serde_json::from_slice::<(String, String, String)>(&bytes).ok());
    match parts {
        Some((of, sort, id)) if of == list => Ok((sort, id)),
        Some(_) | None => Err(Refusal::field(
            "cursor",
            "this is no cursor of this list in this order; take `next` of the page before, or leave it out to begin anew".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn rows(names: &[&str]) -> Vec<(Key, String)> {
        let rows = names.iter();
        rows.map(|name| ((String::new(), (*name).to_owned()), (*name).to_owned()))
            .collect()
    }

    #[test]
    fn what_is_added_meanwhile_repeats_nothing_and_hides_nothing() {
        let (first, next) = page("l", rows(&["d", "b", "f"]), None, Some(2)).unwrap();
        assert_eq!(first, ["b", "d"]);
        let more = rows(&["a", "b", "c", "d", "e", "f"]);
        let (second, next) = page("l", more, next.as_deref(), Some(2)).unwrap();
        assert_eq!(second, ["e", "f"]);
        assert_eq!(next, None);
    }

    #[test]
    fn a_cursor_fits_its_own_list() {
        let cursor = written("one", &("a".to_owned(), "b".to_owned()));
        assert!(read("one", &cursor).is_ok());
        for (list, cursor) in [("two", cursor.as_str()), ("one", "x"), ("one", "")] {
            assert!(read(list, cursor).is_err(), "{list} {cursor}");
        }
        assert!(rows_wanted(Some(0)).is_err());
        assert!(rows_wanted(Some(201)).is_err());
    }
}
