//! Trust policies (C2SP `tlog-policy`): which logs to believe, and which witnesses must have cosigned.

use std::collections::BTreeMap;

use crate::checkpoint::SignedCheckpoint;
use crate::decimal;
use crate::note::{KeyKind, NoteError, VerifyingKey};

/// Longest policy file, bytes.
pub const POLICY_LEN_MAX: usize = 1_000_000;

/// A reader's own rules: a checkpoint counts when one of the logs signed it and the quorum of witnesses cosigned it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<VerifyingKey>,
    /// Witnesses and groups in the order of the file, so that a group only names what stands before it.
    parties: Vec<Party>,
    /// Place of the quorum among `parties`; `None` asks for no cosignature.
    quorum: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Party {
    /// Boxed, as a key holds its unpacked point and is much larger than a group.
    Witness(Box<Witness>),
    Group {
        needed: usize,
        members: Vec<usize>,
    },
}

/// A witness as a policy lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The name the policy gives it; opaque bytes.
    pub name: Vec<u8>,
    /// Its key.
    pub key: VerifyingKey,
    /// The address below which it takes checkpoints, where the line has one; opaque bytes.
    pub url: Option<Vec<u8>>,
}

/// By whom a checkpoint is signed that a reader accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The log's key whose signature fits.
    pub log: VerifyingKey,
    /// The witnesses whose cosignatures fit, in the order of the policy; empty without a policy.
    pub witnesses: Vec<Cosigned>,
}

/// A witness that has cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The name the policy gives it; opaque bytes.
    pub name: Vec<u8>,
    /// The latest instant it states, seconds since 1970-01-01 UTC.
    pub unix_s: u64,
}

/// Why a policy is malformed, or does not accept a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The file is too long.
    #[error(
        "the policy has `{len}` bytes, more than `{POLICY_LEN_MAX}`; leave out logs and witnesses you do not use"
    )]
    TooLong {
        /// Its length, bytes.
        len: usize,
    },
    /// A line breaks the format.
    #[error("line `{line}` of the policy: {reason}")]
    Line {
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong and what to do.
        reason: &'static str,
    },
    /// A key on a line breaks its format.
    #[error("line `{line}` of the policy: the key is refused")]
    Key {
        /// Number of the line, from 1.
        line: usize,
        /// Why.
        source: NoteError,
    },
    /// There is no `quorum` line.
    #[error("the policy has no `quorum` line; end it with `quorum none` to ask for no witness")]
    NoQuorum,
    /// No log of the policy has the checkpoint's origin.
    #[error(
        "the policy lists no log with the origin of this checkpoint; add a `log` line with its key"
    )]
    UnknownLog,
    /// The checkpoint's signatures do not fit the policy's keys.
    #[error("the checkpoint's signatures do not satisfy the policy")]
    Signatures(#[from] NoteError),
    /// No log of the policy has signed.
    #[error("none of the policy's logs has signed the checkpoint")]
    Unsigned,
    /// Too few witnesses have cosigned.
    #[error(
        "the checkpoint lacks the cosignatures that the policy's quorum asks for; `{n_cosigned}` witnesses have cosigned, and these that the quorum counts have not: {missing}"
    )]
    Quorum {
        /// Number of witnesses of the policy that have cosigned.
        n_cosigned: usize,
        /// The names, in backticks, of the witnesses that the quorum counts and that have not; unusual characters escaped.
        missing: String,
    },
}

impl Policy {
    /// Reads a policy file.
    pub fn parse(bytes: &[u8]) -> Result<Policy, PolicyError> {
        if bytes.len() > POLICY_LEN_MAX {
            return Err(PolicyError::TooLong { len: bytes.len() });
        }
        let mut reader = Reader::default();
        let lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').collect();
        for (at, text) in lines.iter().enumerate() {
            let line = at + 1;
            let refused = |reason| PolicyError::Line { line, reason };
            if text
                .iter()
                .any(|b| *b == 0x7f || (*b < b' ' && *b != b'\t'))
            {
                return Err(refused("it has a control character; only tabs are allowed"));
            }
            let is_blank = |b: &u8| *b == b' ' || *b == b'\t';
            let items: Vec<&[u8]> = text
                .split(is_blank)
                .filter(|item| !item.is_empty())
                .collect();
            if items.first().is_some_and(|item| !item.starts_with(b"#")) {
                if line == lines.len() {
                    return Err(refused("it does not end in a newline"));
                }
                reader.line(line, &items)?;
            }
        }
        let quorum = reader.quorum.ok_or(PolicyError::NoQuorum)?;
        Ok(Policy {
            logs: reader.logs,
            parties: reader.parties,
            quorum,
        })
    }

    /// The logs to believe.
    pub fn logs(&self) -> &[VerifyingKey] {
        &self.logs
    }

    /// The witnesses, in the order of the file.
    pub fn witnesses(&self) -> impl Iterator<Item = &Witness> {
        self.parties.iter().filter_map(|party| match party {
            Party::Witness(witness) => Some(witness.as_ref()),
            Party::Group { .. } => None,
        })
    }

    /// Whether a log signed the checkpoint and the quorum of witnesses cosigned it. Any signature by a key of the
    /// policy that does not fit makes the checkpoint refused.
    pub fn accept(&self, signed: &SignedCheckpoint) -> Result<Accepted, PolicyError> {
        let origin = signed.checkpoint().origin();
        let logs: Vec<&VerifyingKey> = self
            .logs
            .iter()
            .filter(|log| log.name() == origin)
            .collect();
        if logs.is_empty() {
            return Err(PolicyError::UnknownLog);
        }
        let witnesses = self.witnesses().map(|witness| &witness.key);
        let known: Vec<VerifyingKey> = logs.iter().copied().chain(witnesses).cloned().collect();
        let checked = signed.note().verify(&known)?;
        let log = logs
            .into_iter()
            .find(|log| checked.iter().any(|by| by.key == *log))
            .ok_or(PolicyError::Unsigned)?;

        let mut cosigned = Vec::new();
        // A group stands after its members, so one pass settles all of them.
        let mut present: Vec<bool> = Vec::with_capacity(self.parties.len());
        for party in &self.parties {
            present.push(match party {
                Party::Group { needed, members } => {
                    members.iter().filter(|at| present[**at]).count() >= *needed
                }
                Party::Witness(witness) => {
                    let latest = checked
                        .iter()
                        .filter(|by| *by.key == witness.key)
                        .filter_map(|by| by.unix_s)
                        .max();
                    cosigned.extend(latest.map(|unix_s| Cosigned {
                        name: witness.name.clone(),
                        unix_s,
                    }));
                    latest.is_some()
                }
            });
        }
        if let Some(at) = self.quorum.filter(|at| !present[*at]) {
            return Err(PolicyError::Quorum {
                n_cosigned: cosigned.len(),
                missing: self.missing(at, &present).join(", "),
            });
        }
        Ok(Accepted {
            log: log.clone(),
            witnesses: cosigned,
        })
    }
    /// The witnesses below a party that are not present, as names for messages, in the order in which groups name them.
    fn missing(&self, at: usize, present: &[bool]) -> Vec<String> {
        match &self.parties[at] {
            Party::Witness(_) if present[at] => Vec::new(),
            Party::Witness(witness) => {
                let name = String::from_utf8_lossy(&witness.name);
                vec![format!("`{}`", name.escape_default())]
            }
            // Members stand before their group, so this ends.
            Party::Group { members, .. } => {
                let below = members.iter();
                below
                    .flat_map(|member| self.missing(*member, present))
                    .collect()
            }
        }
    }
}

#[derive(Default)]
struct Reader {
    logs: Vec<VerifyingKey>,
    parties: Vec<Party>,
    /// Place of each named party; whether a group has it as a member already.
    names: BTreeMap<Vec<u8>, (usize, bool)>,
    quorum: Option<Option<usize>>,
}

impl Reader {
    fn line(&mut self, line: usize, items: &[&[u8]]) -> Result<(), PolicyError> {
        let refused = |reason| PolicyError::Line { line, reason };
        match *items {
            [b"log", key] | [b"log", key, _] => {
                let key = read_key(line, key, KeyKind::Ed25519)?;
                if self.logs.iter().any(|log| log.to_bytes() == key.to_bytes()) {
                    return Err(refused(
                        "this log's key stands on an earlier line; leave one out",
                    ));
                }
                self.logs.push(key);
            }
            [b"witness", name, key, ref url @ ..] if url.len() <= 1 => {
                let key = read_key(line, key, KeyKind::Cosignature)?;
                let same = |party: &Party| matches!(party, Party::Witness(before) if before.key.to_bytes() == key.to_bytes());
                if self.parties.iter().any(same) {
                    return Err(refused(
                        "this witness's key stands on an earlier line; leave one out",
                    ));
                }
                let witness = Witness {
                    name: name.to_vec(),
                    key,
                    url: url.first().map(|url| url.to_vec()),
                };
                self.define(line, name, Party::Witness(Box::new(witness)))?;
            }
            [b"group", name, threshold, ref members @ ..] => {
                let needed = read_threshold(threshold, members.len()).ok_or(refused(
                    "a group needs `all`, `any` or a number from 1 to the number of its members",
                ))?;
                let members = members
                    .iter()
                    .map(|member| self.join(line, member))
                    .collect::<Result<_, _>>()?;
                self.define(line, name, Party::Group { needed, members })?;
            }
            [b"quorum", name] => {
                if self.quorum.is_some() {
                    return Err(refused("there is a `quorum` line already; leave one out"));
                }
                let at = match name {
                    b"none" => None,
                    name => Some(
                        self.names
                            .get(name)
                            .ok_or(refused("the quorum is not defined on an earlier line"))?
                            .0,
                    ),
                };
                self.quorum = Some(at);
            }
            _ => {
                return Err(refused(
                    "expected `log KEY [URL]`, `witness NAME KEY [URL]`, `group NAME all|any|K NAME…` or `quorum NAME|none`",
                ));
            }
        }
        Ok(())
    }

    fn define(&mut self, line: usize, name: &[u8], party: Party) -> Result<(), PolicyError> {
        let refused = |reason| PolicyError::Line { line, reason };
        if name == b"none" {
            return Err(refused("the name `none` is taken; choose another"));
        }
        if self
            .names
            .insert(name.to_vec(), (self.parties.len(), false))
            .is_some()
        {
            return Err(refused(
                "the name is defined on an earlier line; choose another",
            ));
        }
        self.parties.push(party);
        Ok(())
    }

    fn join(&mut self, line: usize, member: &[u8]) -> Result<usize, PolicyError> {
        let refused = |reason| PolicyError::Line { line, reason };
        let (at, is_member) = self
            .names
            .get_mut(member)
            .ok_or(refused("a member is not defined on an earlier line"))?;
        if *is_member {
            return Err(refused(
                "a member is in a group already; each name may be in one group only",
            ));
        }
        *is_member = true;
        Ok(*at)
    }
}

fn read_key(line: usize, text: &[u8], kind: KeyKind) -> Result<VerifyingKey, PolicyError> {
    let not_text = PolicyError::Line {
        line,
        reason: "the key is not UTF-8",
    };
    let key = VerifyingKey::parse(std::str::from_utf8(text).map_err(|_| not_text)?);
    let key = key.map_err(|source| PolicyError::Key { line, source })?;
    if key.kind() != kind {
        return Err(PolicyError::Line {
            line,
            reason: "a log's key must be of type `0x01`, a witness's of type `0x04`",
        });
    }
    Ok(key)
}

fn read_threshold(text: &[u8], n_members: usize) -> Option<usize> {
    let needed = match text {
        b"all" => n_members,
        b"any" => 1,
        digits => usize::try_from(decimal::parse(std::str::from_utf8(digits).ok()?)?).ok()?,
    };
    (1..=n_members).contains(&needed).then_some(needed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::merkle::empty_root;
    use crate::note::SigningKey;

    const LOG: &str = "example.org/log";

    fn key(name: &str, seed: u8) -> SigningKey {
        SigningKey::new(name, &[seed; 32]).unwrap()
    }

    /// The policy text with `LOG`, `OTHER` and `W1` to `W4` replaced by keys.
    fn with_keys(policy: &str) -> String {
        let mut text = policy
            .replace(
                "OTHER",
                &key("example.org/other", 9)
                    .verifying_key(KeyKind::Ed25519)
                    .to_string(),
            )
            .replace(
                "LOG",
                &key(LOG, 1).verifying_key(KeyKind::Ed25519).to_string(),
            );
        for n in 1..=4 {
            let witness =
                key(&format!("example.org/w{n}"), 10 + n).verifying_key(KeyKind::Cosignature);
            text = text.replace(&format!("W{n}"), &witness.to_string());
        }
        text
    }

    /// Shows what a policy makes of a checkpoint signed by the log with seed `log` and cosigned by these witnesses.
    #[track_caller]
    fn check(policy: &str, log: u8, witnesses: &[u8], want: Expect) {
        let policy = Policy::parse(with_keys(policy).as_bytes()).unwrap();
        let checkpoint = Checkpoint::new(LOG, 0, empty_root()).unwrap();
        let text = checkpoint.to_string();
        let cosignatures = witnesses.iter().map(|n| {
            key(&format!("example.org/w{n}"), 10 + n).cosign(&text, 1_000 + u64::from(*n))
        });
        let signed = SignedCheckpoint::sign(checkpoint, &[&key(LOG, log)]).unwrap();
        let signed = signed.with(cosignatures.collect()).unwrap();
        want.assert_eq(&match policy.accept(&signed) {
            Ok(accepted) => {
                let witness = |by: &Cosigned| {
                    format!("{} at {}", String::from_utf8_lossy(&by.name), by.unix_s)
                };
                format!(
                    "accepted, {:?}",
                    accepted.witnesses.iter().map(witness).collect::<Vec<_>>()
                )
            }
            Err(error) => error.to_string(),
        });
    }

    #[test]
    fn the_log_must_have_signed() {
        check("log LOG\nquorum none\n", 1, &[], expect!["accepted, []"]);
        check(
            "log LOG https://example.org\nquorum none\n",
            1,
            &[3],
            expect!["accepted, []"],
        );
        check(
            "log OTHER\nlog LOG\nquorum none\n",
            1,
            &[],
            expect!["accepted, []"],
        );
        check(
            "log LOG\nquorum none\n",
            2,
            &[],
            expect!["the checkpoint's signatures do not satisfy the policy"],
        );
        check(
            "log LOG\nwitness a W1\nquorum a\n",
            2,
            &[1],
            expect!["none of the policy's logs has signed the checkpoint"],
        );
        check(
            "log OTHER\nquorum none\n",
            1,
            &[],
            expect![
                "the policy lists no log with the origin of this checkpoint; add a `log` line with its key"
            ],
        );
        check(
            "quorum none\n",
            1,
            &[],
            expect![
                "the policy lists no log with the origin of this checkpoint; add a `log` line with its key"
            ],
        );
    }

    #[test]
    fn the_quorum_must_have_cosigned() {
        check(
            "log LOG\nwitness a W1\nquorum a\n",
            1,
            &[1],
            expect![[r#"accepted, ["a at 1001"]"#]],
        );
        check(
            "log LOG\nwitness a W1\nquorum a\n",
            1,
            &[2],
            expect![
                "the checkpoint lacks the cosignatures that the policy's quorum asks for; `0` witnesses have cosigned, and these that the quorum counts have not: `a`"
            ],
        );
        check(
            "log LOG\nwitness a W1\nquorum none\n",
            1,
            &[1],
            expect![[r#"accepted, ["a at 1001"]"#]],
        );
        let nested = "# two of three, and the other\n\nlog LOG\n\twitness a W1 \nwitness b W2\nwitness c W3\nwitness d W4\n\
                      group some 2 a b c\ngroup both all some d\nquorum both\n";
        check(
            nested,
            1,
            &[1, 3, 4],
            expect![[r#"accepted, ["a at 1001", "c at 1003", "d at 1004"]"#]],
        );
        check(
            nested,
            1,
            &[1, 2, 3],
            expect![
                "the checkpoint lacks the cosignatures that the policy's quorum asks for; `3` witnesses have cosigned, and these that the quorum counts have not: `d`"
            ],
        );
        check(
            nested,
            1,
            &[1, 1, 4],
            expect![
                "the checkpoint lacks the cosignatures that the policy's quorum asks for; `2` witnesses have cosigned, and these that the quorum counts have not: `b`, `c`"
            ],
        );
        check(
            "log LOG\nwitness a W1\nwitness b W2\ngroup g any a b\nquorum g\n",
            1,
            &[2],
            expect![[r#"accepted, ["b at 1002"]"#]],
        );
    }

    #[test]
    fn the_witnesses_are_listed_with_their_addresses() {
        let text = "witness a W1\nwitness b W2 https://b.example/w\ngroup g any a b\nquorum g\n";
        let policy = Policy::parse(with_keys(text).as_bytes()).unwrap();
        let shown = policy.witnesses().map(|witness| {
            let url = witness.url.as_deref().map(String::from_utf8_lossy);
            (witness.key.name().to_owned(), url.map(String::from))
        });
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                ("example.org/w1".to_owned(), None),
                (
                    "example.org/w2".to_owned(),
                    Some("https://b.example/w".to_owned())
                ),
            ]
        );
    }

    #[test]
    fn a_bad_cosignature_of_a_known_witness_spoils_the_checkpoint() {
        let policy =
            Policy::parse(with_keys("log LOG\nwitness a W1\nquorum none\n").as_bytes()).unwrap();
        let signed = SignedCheckpoint::sign(
            Checkpoint::new(LOG, 0, empty_root()).unwrap(),
            &[&key(LOG, 1)],
        )
        .unwrap();
        let signed = signed
            .with(vec![key("example.org/w1", 11).cosign("another text\n", 7)])
            .unwrap();
        assert!(matches!(
            policy.accept(&signed),
            Err(PolicyError::Signatures(NoteError::BadSignature { .. }))
        ));
    }

    /// Shows why a policy is refused.
    #[track_caller]
    fn check_refused(policy: &str, want: Expect) {
        want.assert_eq(
            &Policy::parse(with_keys(policy).as_bytes())
                .unwrap_err()
                .to_string(),
        );
    }

    #[test]
    fn a_malformed_policy_is_refused_with_its_line() {
        check_refused(
            "",
            expect![
                "the policy has no `quorum` line; end it with `quorum none` to ask for no witness"
            ],
        );
        check_refused(
            "log LOG\n",
            expect![
                "the policy has no `quorum` line; end it with `quorum none` to ask for no witness"
            ],
        );
        check_refused(
            "quorum none",
            expect!["line `1` of the policy: it does not end in a newline"],
        );
        check_refused(
            "quorum none\nquorum none\n",
            expect!["line `2` of the policy: there is a `quorum` line already; leave one out"],
        );
        check_refused(
            "quorum a\nwitness a W1\n",
            expect!["line `1` of the policy: the quorum is not defined on an earlier line"],
        );
        check_refused(
            "log\n",
            expect![
                "line `1` of the policy: expected `log KEY [URL]`, `witness NAME KEY [URL]`, `group NAME all|any|K NAME…` or `quorum NAME|none`"
            ],
        );
        check_refused(
            "Log LOG\n",
            expect![
                "line `1` of the policy: expected `log KEY [URL]`, `witness NAME KEY [URL]`, `group NAME all|any|K NAME…` or `quorum NAME|none`"
            ],
        );
        check_refused(
            "log LOG\nlog LOG\n",
            expect![
                "line `2` of the policy: this log's key stands on an earlier line; leave one out"
            ],
        );
        check_refused(
            "witness a W1\nwitness b W1\n",
            expect![
                "line `2` of the policy: this witness's key stands on an earlier line; leave one out"
            ],
        );
        check_refused(
            "witness a W1\nwitness a W2\n",
            expect![
                "line `2` of the policy: the name is defined on an earlier line; choose another"
            ],
        );
        check_refused(
            "witness none W1\n",
            expect!["line `1` of the policy: the name `none` is taken; choose another"],
        );
        check_refused(
            "witness a LOG\n",
            expect![
                "line `1` of the policy: a log's key must be of type `0x01`, a witness's of type `0x04`"
            ],
        );
        check_refused(
            "log W1\n",
            expect![
                "line `1` of the policy: a log's key must be of type `0x01`, a witness's of type `0x04`"
            ],
        );
        check_refused(
            "log nonsense\n",
            expect!["line `1` of the policy: the key is refused"],
        );
        check_refused(
            "group g all\n",
            expect![
                "line `1` of the policy: a group needs `all`, `any` or a number from 1 to the number of its members"
            ],
        );
        check_refused(
            "witness a W1\ngroup g 2 a\n",
            expect![
                "line `2` of the policy: a group needs `all`, `any` or a number from 1 to the number of its members"
            ],
        );
        check_refused(
            "witness a W1\ngroup g 0 a\n",
            expect![
                "line `2` of the policy: a group needs `all`, `any` or a number from 1 to the number of its members"
            ],
        );
        check_refused(
            "group g any g\n",
            expect!["line `1` of the policy: a member is not defined on an earlier line"],
        );
        check_refused(
            "witness a W1\ngroup g any a none\n",
            expect!["line `2` of the policy: a member is not defined on an earlier line"],
        );
        check_refused(
            "witness a W1\ngroup g any a a\n",
            expect![
                "line `2` of the policy: a member is in a group already; each name may be in one group only"
            ],
        );
        check_refused(
            "witness a W1\ngroup g any a\ngroup h any a\n",
            expect![
                "line `3` of the policy: a member is in a group already; each name may be in one group only"
            ],
        );
        check_refused(
            "quorum none\r\n",
            expect!["line `1` of the policy: it has a control character; only tabs are allowed"],
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(
            text in "((log|witness|group|quorum|none|all|any|a|b|2|LOG|W1|W2)[ \t\n]){0,12}", bytes in proptest::collection::vec(any::<u8>(), 0..100),
        ) {
            let _ = Policy::parse(with_keys(&text).as_bytes());
            let _ = Policy::parse(&bytes);
        }
    }
}
