//! The commands, one function each: do the job, print what came of it, give the exit code.

use std::path::{Path, PathBuf};

use alnager_journal::note::VerifyingKey;
use alnager_journal::policy::{Cosigned, Policy};
use alnager_journal::verify::{Status, Trust};
use alnager_office::decide::EvidenceRuling;
use alnager_office::state::State;
use alnager_report::why as why_report;
use alnager_store::Place;
use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::records::{self, Entered, NewEvidence, NewSignature};
use alnager_work::remote::is_address;
use alnager_work::verify::{self, Verification, with_causes};
use alnager_work::why;
use serde_json::{Value, json};

use crate::arguments::{
    Arguments, Command, DESK, EvidenceCommand, FactCommand, Format, Ruling, Shared,
};
use crate::audit;
use crate::crosswalk;
use crate::desk;
use crate::dossier;
use crate::journal;
use crate::law::{self, LawCommand};
use crate::new;
use crate::opinion;
use crate::people::{self, PeopleCommand};
use crate::review;
use crate::segment::{self, SegmentCommand};
use crate::serve;
use crate::settings;
use crate::task;
use crate::terminal::{Bar, complain, say, stop_between_requests};
use crate::witness;

/// Done; for a review, clear.
pub(crate) const CLEAR: u8 = 0;
/// A review's verdict is hold, or a dossier or desk does not hold together.
pub(crate) const HOLD: u8 = 1;
/// Wrong use or input.
pub(crate) const WRONG_INPUT: u8 = 2;
/// A review's verdict is undecided.
pub(crate) const UNDECIDED: u8 = 3;
/// The machine did not do its part.
pub(crate) const COULD_NOT_FINISH: u8 = 4;

/// Runs a command and gives its exit code.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let mut builder = match arguments.command {
        Command::Serve(_) | Command::Demo(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("the program could not start: {error}"));
            return COULD_NOT_FINISH;
        }
    };
    match runtime.block_on(command(arguments)) {
        Ok(code) => code,
        Err(error) => {
            let code = if error.is_inconclusive() {
                UNDECIDED
            } else if error.is_input() {
                WRONG_INPUT
            } else {
                COULD_NOT_FINISH
            };
            let words = with_causes(&error);
            complain(&words);
            if arguments.shared.format == Format::Json {
                say(
                    &json!({ "schema": "alnager.error/1", "error": words, "exit": code })
                        .to_string(),
                );
            }
            code
        }
    }
}

async fn command(arguments: &Arguments) -> Result<u8, JobError> {
    let shared = &arguments.shared;
    let uses_law = match &arguments.command {
        Command::Verify { .. }
        | Command::Dossier(_)
        | Command::Desk(_)
        | Command::Journal(_)
        | Command::Witness(_)
        | Command::Serve(_)
        | Command::Demo(_) => false,
        Command::Audit(command) => command.uses_law(),
        Command::Law(command) => command.uses_law(),
        Command::New(_)
        | Command::Review(_)
        | Command::Gate(_)
        | Command::Why { .. }
        | Command::Fact(_)
        | Command::Evidence(_)
        | Command::Task(_)
        | Command::Opinion(_) => true,
        Command::People(_) | Command::Hold(_) | Command::Erase(_) | Command::Segment(_) => false,
    };
    let reads_record = match &arguments.command {
        Command::People(_) | Command::Hold(_) | Command::Erase(_) => true,
        Command::Segment(SegmentCommand::List { .. }) => true,
        Command::Law(LawCommand::Pack(command)) => command.reads_record(),
        _ => uses_law,
    };
    if shared.recorded.is_some() && !reads_record {
        return Err(JobError::Input(
            "this command asks nothing of the desk's record as it was; leave out --recorded"
                .to_owned(),
        ));
    }
    let asks_server = matches!(arguments.command, Command::Review(_) | Command::Gate(_))
        && is_address(&shared.desk);
    // The law in use on the desk: what is shipped, with the packs installed there.
    let flags = match uses_law {
        true if asks_server => told(shared, Place::default()),
        true => flags(shared)?.at_desk().await?,
        false => flags(shared)?,
    };
    if matches!(arguments.command, Command::Review(_) | Command::Audit(_)) {
        stop_between_requests();
    }
    match &arguments.command {
        Command::New(arguments) => new::run(&flags, arguments, shared.format),
        Command::Review(arguments) => review::review(arguments, shared, &flags).await,
        Command::Gate(arguments) => review::gate(arguments, shared, &flags).await,
        Command::Why {
            requirement,
            system,
        } => why_command(&flags, requirement, system, shared.format).await,
        Command::Fact(FactCommand::Confirm {
            system,
            fact,
            value,
            basis,
        }) => {
            let entered =
                records::confirm_fact(&flags, system, fact, value.as_deref(), basis).await?;
            let known = entered.state.systems.get(system.as_str());
            let value = known
                .and_then(|known| known.facts.get(fact.as_str()))
                .map_or("", |fact| fact.answer.value.as_str());
            let words = format!(
                "`{fact}` = `{value}` of `{system}` is confirmed by {}",
                entered.actor
            );
            acknowledge(&entered, &words, shared.format)
        }
        Command::Evidence(command) => evidence(&flags, command, shared.format).await,
        Command::Verify {
            dossier,
            key,
            policy,
            data,
        } => verify_command(
            dossier,
            &trust(key.as_deref(), policy.as_deref())?,
            data.as_deref(),
            shared.format,
        ),
        Command::Dossier(arguments) => dossier::run(&flags, arguments, shared.format).await,
        Command::Law(command) => law::run(&flags, command, shared.format).await,
        Command::Audit(command) => audit::run(&flags, command, shared.format).await,
        Command::People(PeopleCommand::List) => people::list(&flags, shared.format).await,
        Command::Erase(arguments) => people::erase(&flags, arguments, shared.format).await,
        Command::Hold(command) => people::hold(&flags, command, shared.format).await,
        Command::Journal(command) => journal::run(&flags, command, shared.format).await,
        Command::Witness(command) => witness::run(command, shared.format).await,
        Command::Task(command) => task::run(&flags, command, shared.format).await,
        Command::Opinion(command) => opinion::run(&flags, command, shared.format).await,
        Command::Segment(command) => segment::run(&flags, command, shared.format).await,
        Command::Desk(command) => desk::run(&flags, command, shared.format).await,
        Command::Serve(arguments) => serve::serve(&shared.desk, arguments).await.map(|()| CLEAR),
        Command::Demo(arguments) => {
            let desk = (shared.desk != DESK).then(|| PathBuf::from(&shared.desk));
            serve::show(desk, arguments).await.map(|()| CLEAR)
        }
    }
}

fn flags(shared: &Shared) -> Result<Flags, JobError> {
    if is_address(&shared.desk) {
        return Err(JobError::Input(format!(
            "--desk: this command works on the desk itself; at `{}` a server is asked by `alnager review` and `alnager gate` alone, and by its API",
            shared.desk
        )));
    }
    Ok(told(shared, settings::place(&shared.desk)?))
}

fn told(shared: &Shared, desk: Place) -> Flags {
    Flags {
        desk,
        actor: shared.actor.clone(),
        at: shared.at,
        known: shared.known,
        recorded: shared.recorded,
        law: None,
    }
}

pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

async fn why_command(
    flags: &Flags,
    requirement: &str,
    system: &str,
    format: Format,
) -> Result<u8, JobError> {
    let bar = Bar::new();
    let why = why::why(flags, requirement, system, &|progress| bar.show(progress)).await;
    bar.done();
    let why = why?;
    let name = |id: &str| why.state.name(id);
    let (book, judged) = (&why.library.book, why.judged.as_ref());
    say(&match format {
        Format::Text => {
            let words = why_report::words(&why.explanation, book, judged, &name);
            format!("{}\n\n{}", words.trim_end(), why.source)
        }
        Format::Json => pretty(&why_report::json(&why.explanation, book, judged, &name)),
    });
    Ok(CLEAR)
}

async fn evidence(
    flags: &Flags,
    command: &EvidenceCommand,
    format: Format,
) -> Result<u8, JobError> {
    match command {
        EvidenceCommand::Add {
            system,
            file,
            kind,
            requirements,
            effective,
            expires,
            signature,
            auditor,
        } => {
            let signature = signature.clone().zip(auditor.clone());
            let signature = signature.map(|(note, auditor)| NewSignature { note, auditor });
            let new = NewEvidence {
                system: system.clone(),
                file: file.clone(),
                kind: kind.clone(),
                requirements: requirements.clone(),
                effective: *effective,
                expires: *expires,
                signature,
            };
            let entered = records::add_evidence(flags, &new).await?;
            let newest = entered
                .state
                .evidence
                .values()
                .max_by_key(|evidence| evidence.submitted_at);
            let submitted = newest.map(|evidence| &evidence.submitted);
            let id = submitted.map_or("", |submitted| submitted.evidence.as_str());
            let signature = submitted.and_then(|submitted| submitted.signature.as_ref());
            let words = match signature {
                None => format!(
                    "{id} is submitted by {}; someone else must accept it",
                    entered.actor
                ),
                Some(signature) => format!(
                    "{id} is submitted by {}, signed by {} with {}; someone outside the team must compare that key with what the auditor says, and accept it",
                    entered.actor,
                    entered.state.name(&signature.auditor),
                    signature.key
                ),
            };
            acknowledge(&entered, &words, format)
        }
        EvidenceCommand::Proposals { system } => {
            crosswalk::proposals(flags, system.as_deref(), format).await
        }
        EvidenceCommand::Offer {
            evidence,
            requirements,
        } => crosswalk::offer(flags, evidence, requirements, format).await,
        EvidenceCommand::Accept(ruling) => rule(flags, ruling, true, format).await,
        EvidenceCommand::Reject(ruling) => rule(flags, ruling, false, format).await,
        EvidenceCommand::List { system } => {
            let state = records::state(flags).await?;
            say(&list(&state, system.as_deref(), format));
            Ok(CLEAR)
        }
    }
}

async fn rule(
    flags: &Flags,
    ruling: &Ruling,
    accept: bool,
    format: Format,
) -> Result<u8, JobError> {
    let asked = EvidenceRuling {
        evidence: ruling.evidence.clone(),
        requirements: ruling.requirements.clone(),
        reason: ruling.reason.clone(),
    };
    let entered = records::rule_on_evidence(flags, asked, accept).await?;
    let word = if accept { "accepted" } else { "rejected" };
    let mut words = format!("{} is {word} by {}", ruling.evidence, entered.actor);
    let known = entered.state.evidence.get(&ruling.evidence);
    if let Some(signature) = known.and_then(|known| known.submitted.signature.as_ref()) {
        words.push_str(&format!("; it is signed with {}", signature.key));
    }
    acknowledge(&entered, &words, format)
}

pub(crate) fn acknowledge(entered: &Entered, words: &str, format: Format) -> Result<u8, JobError> {
    let receipt = &entered.receipt;
    say(&match format {
        Format::Text => format!("{words} (entry {} of {})", receipt.end - 1, receipt.origin),
        Format::Json => json!({
            "done": words,
            "journal": { "origin": receipt.origin, "size": receipt.size, "root": receipt.root.to_base64() },
        })
        .to_string(),
    });
    Ok(CLEAR)
}

fn list(state: &State, system: Option<&str>, format: Format) -> String {
    let mut known: Vec<_> = state
        .evidence
        .values()
        .filter(|evidence| system.is_none_or(|system| evidence.submitted.system == system))
        .collect();
    known.sort_by_key(|evidence| evidence.submitted_at);
    let decision = |evidence: &alnager_office::evidence::Evidence, requirement: &str| match evidence
        .decisions
        .get(requirement)
    {
        None => "awaits a decision".to_owned(),
        Some(decision) if decision.is_accepted => format!(
            "accepted by {} on {}",
            state.name(&decision.by),
            decision.on
        ),
        Some(decision) => format!(
            "rejected by {} on {}: {}",
            state.name(&decision.by),
            decision.on,
            decision.reason
        ),
    };
    if format == Format::Json {
        let rows: Vec<Value> = known
            .iter()
            .map(|evidence| {
                let submitted = &evidence.submitted;
                let decisions: serde_json::Map<String, Value> =
                    evidence.considered().map(|id| (id.clone(), json!(decision(evidence, id)))).collect();
                json!({
                    "id": submitted.evidence, "system": submitted.system, "file": submitted.file, "kind": submitted.kind,
                    "effective": submitted.effective, "expires": submitted.expires, "sha256": submitted.sha256,
                    "submitted_by": state.name(&submitted.submitted_by), "replaced_by": evidence.replaced_by, "requirements": decisions,
                    "signature": submitted.signature.as_ref().map(|signature| json!({
                        "auditor": state.name(&signature.auditor), "key": signature.key, "note": signature.note,
                    })),
                })
            })
            .collect();
        return pretty(&json!({ "evidence": rows }));
    }
    if known.is_empty() {
        return "no evidence is submitted; name some in `system.toml`, or use `alnager evidence add`".to_owned();
    }
    let mut lines = Vec::new();
    for evidence in known {
        let submitted = &evidence.submitted;
        let expires = submitted
            .expires
            .map_or(String::new(), |day| format!(", expires {day}"));
        let replaced = evidence
            .replaced_by
            .as_ref()
            .map_or(String::new(), |newer| format!(", replaced by {newer}"));
        lines.push(format!(
            "{:<4} {} ({}) of {}, by {}{expires}{replaced}",
            submitted.evidence,
            submitted.file,
            submitted.kind,
            submitted.system,
            state.name(&submitted.submitted_by)
        ));
        lines.extend(submitted.signature.iter().map(|signature| {
            let auditor = state.name(&signature.auditor);
            format!("       signed by {auditor} with {}", signature.key)
        }));
        lines.extend(
            evidence
                .considered()
                .map(|id| format!("       {id}: {}", decision(evidence, id))),
        );
    }
    lines.join("\n")
}

pub(crate) fn trust(key: Option<&str>, policy: Option<&Path>) -> Result<Trust, JobError> {
    if let Some(key) = key {
        let key = VerifyingKey::parse(key)
            .map_err(|error| JobError::Input(format!("--key: {}", with_causes(&error))))?;
        return Ok(Trust::Key(key));
    }
    match policy {
        None => Ok(Trust::Unstated),
        Some(path) => Ok(Trust::Policy(read_policy(path)?)),
    }
}

/// Reads the file of a `--policy`.
pub(crate) fn read_policy(path: &Path) -> Result<Policy, JobError> {
    let bytes = std::fs::read(path).map_err(|error| {
        JobError::Input(format!(
            "--policy: `{}` cannot be read: {error}",
            path.display()
        ))
    })?;
    Policy::parse(&bytes)
        .map_err(|error| JobError::Input(format!("--policy: {}", with_causes(&error))))
}

fn verify_command(
    dossier: &Path,
    trust: &Trust,
    data: Option<&Path>,
    format: Format,
) -> Result<u8, JobError> {
    if let Some(code) = segment::verify(dossier, trust, format)? {
        return match data {
            None => Ok(code),
            Some(_) => Err(JobError::Input(
                "--data recounts what a dossier states; the proof of a row has its row, so leave it out"
                    .to_owned(),
            )),
        };
    }
    let found = verify::verify_dossier(dossier, trust, data)?;
    let consistent = found.as_ref().is_ok_and(|found| found.differs.is_empty());
    match format {
        Format::Text => match &found {
            Ok(found) => say(&verification_words(found)),
            Err(refused) => say(&format!("refused: {refused}")),
        },
        Format::Json => match &found {
            Ok(found) => say(&pretty(&verification_json(found))),
            Err(refused) => say(&pretty(
                &json!({ "consistent": false, "refused": refused.to_string() }),
            )),
        },
    }
    Ok(if consistent { CLEAR } else { HOLD })
}

fn verification_words(found: &Verification) -> String {
    let journal = &found.journal;
    let signer = journal.signer.to_string();
    let signer = signer.escape_default();
    let signed = if journal.trusted {
        format!("signed by the key you trust, {signer}")
    } else {
        format!("signed by {signer}, which you have not said you trust (--key, --policy)")
    };
    let counts = &journal.counts;
    let mut lines = Vec::new();
    match found.differs.is_empty() {
        true => lines.push(format!("consistent; {signed}")),
        false => lines.push(format!(
            "NOT consistent: {} claims are contradicted; {signed}",
            found.differs.len()
        )),
    }
    lines.push(format!(
        "journal {}, {} entries, root {}",
        journal.origin.escape_default(),
        journal.size,
        journal.root.to_base64()
    ));
    lines.extend(cosigned_words(&journal.witnesses));
    if !journal.unchecked.is_empty() {
        let names = journal.unchecked.join(", ");
        lines.push(format!(
            "signed also by {}, which was not checked (--policy names the witnesses you trust)",
            names.escape_default()
        ));
    }
    lines.push(format!(
        "as of the first {} entries; of what was entered later this file says nothing",
        journal.size
    ));
    lines.push(format!(
        "here {} entries: {} payloads intact, {} withheld, {} erased; {} blobs intact, {} not here",
        journal.entries.len(),
        counts.intact,
        counts.withheld,
        counts.erased,
        counts.blobs_intact,
        counts.blobs_absent
    ));
    let erased = erased(found);
    lines.extend(erased.map(|(index, kind, under)| {
        format!("entry {index} ({kind}) was erased under entry {under}")
    }));
    for (index, system, verdict, day) in &found.reviews {
        lines.push(format!(
            "entry {index}: `{system}` judged for {day}: {verdict}"
        ));
    }
    if let Some(law) = &found.law {
        let shipped = match law.foreign.as_slice() {
            [] => "all as shipped with this program".to_owned(),
            foreign => format!("NOT as shipped with this program: {}", foreign.join(", ")),
        };
        let n = law.packs.len();
        lines.push(format!(
            "judged under {n} packs, {shipped} (`--format json` names them)"
        ));
        lines.push(law.policy.clone());
    }
    lines.push(format!(
        "recomputed {}, needs the rows or a withheld table {}, differs {}",
        found.n_recomputed,
        found.n_withheld,
        found.differs.len()
    ));
    if found.n_recounted > 0 {
        lines.push(format!(
            "count tables counted again from the rows: {}",
            found.n_recounted
        ));
    }
    lines.extend(found.notes.iter().map(|words| format!("note: {words}")));
    lines.extend(
        found
            .differs
            .iter()
            .map(|words| format!("differs: {words}")),
    );
    lines.join("\n")
}

/// The witnesses that have cosigned, a line each.
pub(crate) fn cosigned_words(witnesses: &[Cosigned]) -> Vec<String> {
    let line = |witness: &Cosigned| {
        let name = String::from_utf8_lossy(&witness.name);
        format!(
            "cosigned by {} at {} s after 1970-01-01 UTC",
            name.escape_default(),
            witness.unix_s
        )
    };
    witnesses.iter().map(line).collect()
}

/// The witnesses that have cosigned, for programs.
pub(crate) fn cosigned_json(witnesses: &[Cosigned]) -> Vec<Value> {
    let row = |witness: &Cosigned| json!({ "name": String::from_utf8_lossy(&witness.name), "unix_s": witness.unix_s });
    witnesses.iter().map(row).collect()
}

/// What was erased: the entry, its kind, and the entry that says so.
fn erased(found: &Verification) -> impl Iterator<Item = (u64, &str, u64)> {
    let entries = found.journal.entries.iter();
    entries.filter_map(|entry| match entry.payload {
        Status::Erased { under } => Some((entry.index, entry.kind.as_str(), under)),
        Status::Intact | Status::Withheld => None,
    })
}

fn verification_json(found: &Verification) -> Value {
    let journal = &found.journal;
    let reviews: Vec<Value> = found
        .reviews
        .iter()
        .map(|(index, system, verdict, day)| json!({ "entry": index, "system": system, "verdict": verdict, "judged_on": day }))
        .collect();
    json!({
        "consistent": found.differs.is_empty(),
        "trusted": journal.trusted,
        "signer": journal.signer.to_string(),
        "journal": { "origin": journal.origin, "size": journal.size, "root": journal.root.to_base64() },
        "witnesses": cosigned_json(&journal.witnesses),
        "unchecked": journal.unchecked,
        "entries": journal.entries.len(),
        "payloads": { "intact": journal.counts.intact, "withheld": journal.counts.withheld, "erased": journal.counts.erased },
        "erased": erased(found).map(|(index, kind, under)| json!({ "entry": index, "kind": kind, "under": under })).collect::<Vec<_>>(),
        "reviews": reviews,
        "recomputed": found.n_recomputed,
        "withheld": found.n_withheld,
        "recounted": found.n_recounted,
        "law": found.law.as_ref().map(|law| json!({
            "packs": law.packs, "policy": law.policy, "not_as_shipped": law.foreign,
        })),
        "notes": found.notes,
        "differs": found.differs,
    })
}
