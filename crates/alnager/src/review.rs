//! `review` and `gate`: on a desk of this machine, or at a server.

use std::path::{Path, PathBuf};

use alnager_office::gate::{Gate, Verdict};
use alnager_report::screen;
use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::files::write_whole;
use alnager_work::found::head;
use alnager_work::gate;
use alnager_work::remote::{Remote, is_address};
use alnager_work::review::{self, Request};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::arguments::{Format, Shared};
use crate::run::{CLEAR, HOLD, UNDECIDED, pretty};
use crate::settings;
use crate::terminal::{self, Bar, say};

/// What `review` is told.
#[derive(Debug, Args)]
pub(crate) struct ReviewArguments {
    /// The folder that holds `system.toml`
    #[arg(value_name = "DIR")]
    system: PathBuf,
    /// What the gate looks at
    #[arg(long, value_enum, default_value_t = GateName::Launch)]
    gate: GateName,
    /// Where report and dossier go; without it ./reviews/SYSTEM/ENTRY
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    ci: CiArguments,
}

/// What `gate` is told.
#[derive(Debug, Args)]
pub(crate) struct GateArguments {
    /// The system's id
    system: String,
    /// What the gate looks at
    #[arg(long, value_enum, default_value_t = GateName::Launch)]
    gate: GateName,
    /// Ask whether people have decided that it may be live, instead of the verdict: for a deployment
    #[arg(long)]
    approved: bool,
    #[command(flatten)]
    ci: CiArguments,
}

/// What a pipeline needs.
#[derive(Debug, Args)]
struct CiArguments {
    /// Also write the result as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// The token for a server, made on the desk's Account page; rather in ALNAGER_TOKEN, which no list of processes shows
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
}

/// What the gate looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum GateName {
    /// Requirements and tests, before use
    Launch,
    /// The measurements alone, for a model team's pipeline
    Tests,
}

/// A review, wherever it was made.
struct Shown {
    verdict: Verdict,
    words: String,
    review: Value,
    junit: String,
    report: PathBuf,
    dossier: Option<PathBuf>,
    receipt: String,
}

impl GateName {
    fn known(self) -> Gate {
        match self {
            GateName::Launch => Gate::Launch,
            GateName::Tests => Gate::Tests,
        }
    }
}

impl CiArguments {
    /// The server asked; `None` where the desk is on this machine.
    fn remote(&self, desk: &str) -> Result<Option<Remote>, JobError> {
        if !is_address(desk) {
            return match self.token {
                Some(_) => Err(JobError::Input(
                    "--token is for a server; name it with --desk https://host/organisation"
                        .to_owned(),
                )),
                None => Ok(None),
            };
        }
        let token = match &self.token {
            Some(token) => Some(token.clone()),
            None => settings::token()?,
        };
        let token = token.ok_or_else(|| {
            JobError::Input(
                "a server wants to know who asks: make a token with the scopes `read` and `review` on the desk's Account page, and give it in ALNAGER_TOKEN"
                    .to_owned(),
            )
        })?;
        let certificates = settings::certificates()?;
        let environment = |name: &str| std::env::var(name).ok();
        Remote::new(desk, &token, certificates.as_deref(), &environment).map(Some)
    }

    fn write(&self, junit: &str) -> Result<(), JobError> {
        match &self.junit {
            Some(path) => write_whole(path, junit.as_bytes()),
            None => Ok(()),
        }
    }
}

/// Reviews a system.
pub(crate) async fn review(
    arguments: &ReviewArguments,
    shared: &Shared,
    flags: &Flags,
) -> Result<u8, JobError> {
    let request = Request {
        system: arguments.system.clone(),
        gate: arguments.gate.known(),
        out: arguments.out.clone(),
    };
    let remote = arguments.ci.remote(&shared.desk)?;
    let bar = Bar::new();
    let progress = |progress| bar.show(progress);
    let shown = match &remote {
        Some(remote) => {
            let sealed = remote.review(&request, flags, &progress).await;
            bar.done();
            let sealed = sealed?;
            Shown {
                verdict: sealed.answer.verdict,
                words: sealed.answer.words,
                review: sealed.answer.review,
                junit: sealed.answer.junit,
                report: sealed.report,
                dossier: sealed.dossier,
                receipt: sealed.receipt,
            }
        }
        None => {
            let reviewed = review::review(&request, flags, &progress).await;
            bar.done();
            here(reviewed?)?
        }
    };
    arguments.ci.write(&shown.junit)?;
    let path = |path: &Path| path.display().to_string();
    let (report, dossier) = (path(&shown.report), shown.dossier.as_deref().map(path));
    match shared.format {
        Format::Text => {
            let none = match remote {
                Some(_) => "none: taking one needs the scope `prove` and a role that may",
                None => "none",
            };
            let dossier = dossier.as_deref().unwrap_or(none);
            let style = terminal::style();
            let left = screen::left_behind(&report, dossier, &shown.receipt, style);
            say(&format!("{}{left}", shown.words));
        }
        Format::Json => {
            let mut review = shown.review;
            review["report"] = json!(report);
            review["dossier"] = json!(dossier);
            say(&pretty(&review));
        }
    }
    Ok(code(shown.verdict))
}

/// A review on a desk of this machine.
fn here(reviewed: review::Reviewed) -> Result<Shown, JobError> {
    let found = reviewed.found;
    let receipt = reviewed.receipt;
    let journal = receipt.as_ref().map(head);
    let words = receipt.map(|receipt| {
        format!(
            "sealed as entry {} of {}, root {}",
            receipt.end - 1,
            receipt.origin,
            receipt.root.to_base64()
        )
    });
    Ok(Shown {
        verdict: found.view.verdict,
        words: found.words(terminal::style()),
        review: found.json(None, None, journal),
        junit: found.junit()?,
        report: reviewed.report,
        dossier: reviewed.dossier,
        receipt: words.unwrap_or_else(|| "looking back: nothing was sealed".to_owned()),
    })
}

/// Says how a gate stands.
pub(crate) async fn gate(
    arguments: &GateArguments,
    shared: &Shared,
    flags: &Flags,
) -> Result<u8, JobError> {
    let (system, looks_at) = (&arguments.system, arguments.gate.known());
    let (verdict, words, review, junit, launch) = match arguments.ci.remote(&shared.desk)? {
        Some(remote) => {
            let answer = remote.gate(system, looks_at, flags)?;
            let launch = (answer.launch, answer.may_be_live);
            (
                answer.verdict,
                answer.words,
                answer.review,
                answer.junit,
                launch,
            )
        }
        None => {
            let stands = gate::gate(system, looks_at, flags).await?;
            let (found, launch) = (stands.found, stands.launch);
            (
                found.view.verdict,
                found.words(terminal::style()),
                found.json(None, None, None),
                found.junit()?,
                (launch.word().to_owned(), launch.may_be_live()),
            )
        }
    };
    arguments.ci.write(&junit)?;
    let (word, may_be_live) = launch;
    match shared.format {
        Format::Text => say(&format!("{words}{}", launch_words(&word, may_be_live))),
        Format::Json => {
            let launch = json!({ "state": word, "may_be_live": may_be_live });
            say(&pretty(&json!({ "review": review, "launch": launch })));
        }
    }
    Ok(match arguments.approved {
        false => code(verdict),
        true if may_be_live => CLEAR,
        true => match word.as_str() {
            "refused" | "withdrawn" | "lapsed" => HOLD,
            _ => UNDECIDED,
        },
    })
}

fn launch_words(word: &str, may_be_live: bool) -> String {
    let live = match may_be_live {
        true => "may be live",
        false => "may not be live",
    };
    format!("launch   {}: {live}\n", word.replace('_', " "))
}

fn code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Clear => CLEAR,
        Verdict::Hold => HOLD,
        Verdict::Undecided => UNDECIDED,
    }
}
