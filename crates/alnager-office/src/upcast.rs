//! Old kinds of entries: what was written once is read forever, through a chain of small steps to the kind of today.
//!
//! A kind whose payload gets another form gets a new name, such as `system.reviewed.v2`, and the old name a step here. A step is never changed
//! and never taken out.

use serde_json::Value;

/// One step from an older form to the next.
pub(crate) struct Step {
    /// The kind as it was written.
    pub(crate) from: &'static str,
    /// The kind it becomes.
    pub(crate) to: &'static str,
    /// What becomes of the payload.
    pub(crate) change: fn(Value) -> Value,
}

/// The steps, the oldest first: each is followed by the later ones from the kind it leads to.
pub(crate) const STEPS: &[Step] = &[];

/// The kind of today for a kind as written, and the payload in its form; `None` where it was written in that form already.
pub(crate) fn to_current<'k>(
    steps: &[Step],
    kind: &'k str,
    payload: &[u8],
) -> Result<(&'k str, Option<Vec<u8>>), serde_json::Error> {
    let mut current = kind;
    let mut changed: Option<Value> = None;
    for step in steps {
        if step.from != current {
            continue;
        }
        let value = match changed {
            Some(value) => value,
            None => serde_json::from_slice(payload)?,
        };
        changed = Some((step.change)(value));
        current = step.to;
    }
    let payload = changed
        .map(|value| serde_json::to_vec(&value))
        .transpose()?;
    Ok((current, payload))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    /// Two changes of form: a count became a list, then the list got a name.
    const TABLE: &[Step] = &[
        Step {
            from: "thing.seen",
            to: "thing.seen.v2",
            change: |old| json!({ "ids": vec![0; old["n"].as_u64().unwrap_or(0) as usize] }),
        },
        Step {
            from: "other.seen",
            to: "thing.seen",
            change: |old| old,
        },
        Step {
            from: "thing.seen.v2",
            to: "thing.seen.v3",
            change: |old| json!({ "name": "n", "ids": old["ids"] }),
        },
    ];

    #[track_caller]
    fn check(kind: &str, payload: &str, want: &str) {
        let got = match to_current(TABLE, kind, payload.as_bytes()) {
            Ok((kind, None)) => format!("{kind} as written"),
            Ok((kind, Some(bytes))) => format!("{kind} {}", String::from_utf8(bytes).unwrap()),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, want);
    }

    #[test]
    fn an_old_form_is_read_through_every_later_step() {
        check(
            "thing.seen",
            r#"{"n":2}"#,
            r#"thing.seen.v3 {"name":"n","ids":[0,0]}"#,
        );
        check(
            "thing.seen.v2",
            r#"{"ids":[7]}"#,
            r#"thing.seen.v3 {"name":"n","ids":[7]}"#,
        );
    }

    #[test]
    fn the_form_of_today_and_what_no_step_knows_stay_as_written() {
        check("thing.seen.v3", "not even JSON", "thing.seen.v3 as written");
        check("person.named", "{}", "person.named as written");
    }

    #[test]
    fn a_step_leads_only_to_later_ones_so_that_every_chain_ends() {
        check("other.seen", "{}", "thing.seen {}");
    }

    #[test]
    fn an_old_payload_that_is_not_json_is_an_error() {
        let error = to_current(TABLE, "thing.seen", b"{").unwrap_err();
        assert!(error.is_eof());
    }
}
