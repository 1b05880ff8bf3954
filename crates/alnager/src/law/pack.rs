//! `alnager law pack`: check, test, sign, install and pin packs, and trust keys that sign them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use alnager_law::check::{Checked, Finding};
use alnager_store::Receipt;
use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::files::write_whole;
use alnager_work::law::pack::{self, CaseResult, Installed, Listed, PackOrigin};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, HOLD, pretty};
use crate::terminal::say;

/// Commands about packs.
#[derive(Debug, Subcommand)]
pub(crate) enum PackCommand {
    /// Check packs: every name exists, every date is in order, every branch can be reached. Exit code 1 when there is an error
    Check(Folders),
    /// Run the cases of packs. Exit code 1 when one comes out differently
    Test(Folders),
    /// Make a key that signs packs
    Keygen {
        /// The name in signatures: no spaces, no `+`
        #[arg(long, value_name = "NAME", default_value = "alnager.local/packs")]
        name: String,
        /// The new file of the secret key
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Sign a pack: one file to hand on
    Sign {
        /// The folder that holds `pack.toml`
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// The file of the secret key, as `keygen` wrote it
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Where the signed pack goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Trust a key to sign packs for this desk
    Trust(TrustArguments),
    /// End the trust in a key; what was installed stays
    Distrust(TrustArguments),
    /// List the keys that are trusted to sign packs
    Keys,
    /// Install a signed pack on the desk: a trusted key, signature, hashes, check and cases must all hold
    Install {
        /// The signed pack
        file: PathBuf,
        /// The trusted key it must be signed with; without it any that the desk trusts
        #[arg(long, value_name = "VKEY")]
        key: Option<String>,
    },
    /// Keep a version in use though newer ones come
    Pin {
        /// The pack's id
        pack: String,
        /// The version; without it the one in use
        #[arg(long)]
        version: Option<String>,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Let newer versions in again
    Unpin {
        /// The pack's id
        pack: String,
    },
    /// List the packs in use and where they come from
    List,
}

/// A key to trust or distrust.
#[derive(Debug, Args)]
pub(crate) struct TrustArguments {
    /// The key, as `keygen` printed it; compare it with what its owner says on another way than the pack's
    #[arg(value_name = "VKEY")]
    pub(crate) key: String,
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
}

/// Folders of packs.
#[derive(Debug, Args)]
pub(crate) struct Folders {
    /// Folders that hold a `pack.toml`; without any, the packs in use
    #[arg(value_name = "DIR")]
    pub(crate) folders: Vec<PathBuf>,
}

impl PackCommand {
    /// Whether it reads the desk's record, or refuses an earlier one itself because it enters something.
    pub(crate) fn reads_record(&self) -> bool {
        match self {
            PackCommand::Check(_)
            | PackCommand::Test(_)
            | PackCommand::Trust(_)
            | PackCommand::Distrust(_)
            | PackCommand::Keys
            | PackCommand::Install { .. }
            | PackCommand::Pin { .. }
            | PackCommand::Unpin { .. }
            | PackCommand::List => true,
            PackCommand::Keygen { .. } | PackCommand::Sign { .. } => false,
        }
    }
}

/// Does what was asked.
pub(crate) async fn run(
    flags: &Flags,
    command: &PackCommand,
    format: Format,
) -> Result<u8, JobError> {
    match command {
        PackCommand::Check(arguments) => {
            let flags = flags.clone().at_desk().await?;
            Ok(show_check(
                &pack::check(&flags, &arguments.folders)?,
                format,
            ))
        }
        PackCommand::Test(arguments) => {
            let flags = flags.clone().at_desk().await?;
            Ok(show_test(&pack::test(&flags, &arguments.folders)?, format))
        }
        PackCommand::Keygen { name, out } => {
            let key = pack::keygen(name, out)?.to_string();
            let words = format!(
                "{key}\nthe secret key lies in {}; whoever installs your packs needs the line above, and nobody needs the file",
                out.display()
            );
            print(
                format,
                &words,
                json!({ "key": key, "file": out.display().to_string() }),
            );
            Ok(CLEAR)
        }
        PackCommand::Sign { folder, key, out } => {
            let (bytes, signed) = pack::sign(folder, key)?;
            write_whole(out, &bytes)?;
            let (id, version, key) = (&signed.id, &signed.version, &signed.key);
            let words = format!(
                "`{id}` {version} is signed: {}\nverify it with {key}",
                out.display()
            );
            let value = json!({ "id": id, "version": version, "key": key, "file": out.display().to_string() });
            print(format, &words, value);
            Ok(CLEAR)
        }
        PackCommand::Install { file, key } => {
            show_installed(&pack::install(flags, file, key.as_deref()).await?, format);
            Ok(CLEAR)
        }
        PackCommand::Trust(arguments) => trust(flags, arguments, true, format).await,
        PackCommand::Distrust(arguments) => trust(flags, arguments, false, format).await,
        PackCommand::Keys => {
            let state = pack::trusted(flags).await?;
            let words = state.keys.iter().map(|(key, trusted)| {
                let (by, on, reason) = (state.name(&trusted.by), trusted.on, &trusted.reason);
                format!("{key}: trusted by {by} on {on}: {reason}")
            });
            let mut words: Vec<String> = words.collect();
            if words.is_empty() {
                words.push("no key is trusted".to_owned());
            }
            let values = state.keys.iter().map(|(key, trusted)| {
                json!({
                    "key": key,
                    "by": state.name(&trusted.by),
                    "on": trusted.on.to_string(),
                    "reason": trusted.reason,
                    "entry": trusted.at,
                })
            });
            print(format, &words.join("\n"), values.collect());
            Ok(CLEAR)
        }
        PackCommand::Pin {
            pack,
            version,
            reason,
        } => {
            let (version, receipt) = pack::pin(flags, pack, version.as_deref(), reason).await?;
            let words = format!("`{pack}` stays at version {version}{}", entry(&receipt));
            print(format, &words, json!({ "id": pack, "pinned": version }));
            Ok(CLEAR)
        }
        PackCommand::Unpin { pack } => {
            let receipt = pack::unpin(flags, pack).await?;
            let words = format!("`{pack}` is no longer pinned{}", entry(&receipt));
            print(format, &words, json!({ "id": pack, "pinned": null }));
            Ok(CLEAR)
        }
        PackCommand::List => {
            let listed = pack::list(flags).await?;
            let lines: Vec<String> = listed.iter().map(listed_words).collect();
            let values: Vec<Value> = listed.iter().map(listed_json).collect();
            print(format, &lines.join("\n"), Value::Array(values));
            Ok(CLEAR)
        }
    }
}

async fn trust(
    flags: &Flags,
    arguments: &TrustArguments,
    is_trusted: bool,
    format: Format,
) -> Result<u8, JobError> {
    let (key, receipt) = pack::trust(flags, &arguments.key, is_trusted, &arguments.reason).await?;
    let word = if is_trusted {
        "trusted"
    } else {
        "not trusted any more"
    };
    let words = format!("`{key}` is {word} to sign packs{}", entry(&receipt));
    print(
        format,
        &words,
        json!({ "key": key.to_string(), "trusted": is_trusted }),
    );
    Ok(CLEAR)
}

fn show_installed(installed: &Installed, format: Format) {
    let (id, version) = (&installed.id, &installed.version);
    let mut words: String = installed.warnings.iter().map(line).collect();
    words.push_str(&match &installed.receipt {
        Some(receipt) => format!(
            "`{id}` {version} is installed, {} of its cases held{}",
            counted(installed.n_compared, "statement"),
            entry(receipt)
        ),
        None => format!("`{id}` {version} is in use already; nothing was entered"),
    });
    let warnings: Vec<Value> = installed.warnings.iter().map(finding).collect();
    let value = json!({
        "id": id,
        "version": version,
        "key": installed.key,
        "entry": installed.receipt.as_ref().map(|receipt| receipt.end - 1),
        "statements": installed.n_compared,
        "warnings": warnings,
    });
    print(format, &words, value);
}

fn print(format: Format, words: &str, value: Value) {
    say(&match format {
        Format::Text => words.to_owned(),
        Format::Json => pretty(&value),
    });
}

/// A number with its word, of which there is one or several.
fn counted(n: usize, word: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {word}{plural}")
}

/// Where a command was entered; nothing when it entered nothing.
fn entry(receipt: &Receipt) -> String {
    if receipt.first == receipt.end {
        " (it was so already)".to_owned()
    } else {
        format!(" (entry {} of {})", receipt.end - 1, receipt.origin)
    }
}

fn show_check(checked: &Checked, format: Format) -> u8 {
    let n_errors = checked.n_errors();
    let mut words: String = checked.findings.iter().map(line).collect();
    for covered in &checked.coverage {
        words.push_str(&format!(
            "{}: {} mention {} of {}\n",
            covered.pack,
            counted(covered.n_cases, "case"),
            covered.n_mentioned,
            counted(covered.n_requirements, "requirement")
        ));
    }
    words.push_str(&format!(
        "{}, {}",
        counted(n_errors, "error"),
        counted(checked.findings.len() - n_errors, "warning")
    ));
    let findings: Vec<Value> = checked.findings.iter().map(finding).collect();
    let coverage = checked.coverage.iter().map(|covered| {
        json!({
            "pack": covered.pack,
            "cases": covered.n_cases,
            "mentioned": covered.n_mentioned,
            "requirements": covered.n_requirements,
        })
    });
    let coverage: Vec<Value> = coverage.collect();
    print(
        format,
        &words,
        json!({ "findings": findings, "coverage": coverage }),
    );
    if n_errors == 0 { CLEAR } else { HOLD }
}

fn line(finding: &Finding) -> String {
    let place = match finding.line {
        0 => finding.file.clone(),
        line => format!("{}, line {line}", finding.file),
    };
    format!(
        "{}: {place}: {}; {}\n",
        finding.severity.word(),
        finding.what,
        finding.advice
    )
}

fn finding(finding: &Finding) -> Value {
    json!({
        "severity": finding.severity.word(),
        "file": finding.file,
        "line": finding.line,
        "what": finding.what,
        "advice": finding.advice,
    })
}

fn show_test(results: &[CaseResult], format: Format) -> u8 {
    let mut words = String::new();
    let (mut n_compared, mut n_failed) = (0, 0);
    for result in results {
        let shown = &result.shown;
        n_compared += shown.n_compared;
        let head = format!("{} {}", result.pack, result.case);
        if shown.differences.is_empty() {
            words.push_str(&format!(
                "{head}: passed, {}\n",
                counted(shown.n_compared, "statement")
            ));
        } else {
            n_failed += 1;
            words.push_str(&format!("{head}: DIFFERS\n"));
            for difference in &shown.differences {
                words.push_str(&format!("    {difference}\n"));
            }
        }
        if !shown.skipped.is_empty() {
            let names: Vec<&str> = shown.skipped.iter().map(String::as_str).collect();
            words.push_str(&format!("    of packs not in use: {}\n", names.join(", ")));
        }
    }
    let packs: BTreeSet<&str> = results.iter().map(|result| result.pack.as_str()).collect();
    words.push_str(&format!(
        "{} of {}, {}, {} differ",
        counted(results.len(), "case"),
        counted(packs.len(), "pack"),
        counted(n_compared, "statement"),
        counted(n_failed, "case")
    ));
    let cases = results.iter().map(|result| {
        json!({
            "pack": result.pack,
            "case": result.case,
            "statements": result.shown.n_compared,
            "differences": result.shown.differences,
            "skipped": result.shown.skipped,
        })
    });
    let cases: Vec<Value> = cases.collect();
    print(format, &words, json!({ "cases": cases }));
    if n_failed == 0 { CLEAR } else { HOLD }
}

fn listed_words(listed: &Listed) -> String {
    let origin = match &listed.origin {
        PackOrigin::Shipped => "shipped".to_owned(),
        PackOrigin::Installed { key } => format!("installed, signed with {key}"),
        PackOrigin::Kept => "kept by its pin".to_owned(),
    };
    let pinned = if listed.is_pinned { ", pinned" } else { "" };
    let others = match listed.others.is_empty() {
        true => String::new(),
        false => format!("; also at hand: {}", listed.others.join(", ")),
    };
    format!(
        "{} {} ({}): {origin}{pinned}{others}",
        listed.id, listed.version, listed.title
    )
}

fn listed_json(listed: &Listed) -> Value {
    let (origin, key) = match &listed.origin {
        PackOrigin::Shipped => ("shipped", None),
        PackOrigin::Installed { key } => ("installed", Some(key)),
        PackOrigin::Kept => ("kept", None),
    };
    json!({
        "id": listed.id,
        "version": listed.version,
        "title": listed.title,
        "origin": origin,
        "key": key,
        "pinned": listed.is_pinned,
        "others": listed.others,
    })
}
