//! `alnager law stamp`.

use std::path::PathBuf;

use alnager_law::text::stamp::{Stamp, Stamps};
use alnager_work::error::JobError;
use alnager_work::law::text::stamp;
use clap::Args;
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, pretty};
use crate::terminal::say;

/// What to stamp.
#[derive(Debug, Args)]
pub(crate) struct StampArguments {
    /// The pack's folder; `provisions.toml` is written there
    #[arg(value_name = "DIR")]
    pub(crate) pack: PathBuf,
    /// The official texts it was written against; an act before its annexes
    #[arg(long = "text", value_name = "FILE", required = true, num_args = 1..)]
    pub(crate) texts: Vec<PathBuf>,
}

/// Stamps and prints what could not be stamped.
pub(crate) fn run(arguments: &StampArguments, format: Format) -> Result<u8, JobError> {
    let stamps = stamp(&arguments.pack, &arguments.texts)?;
    say(&match format {
        Format::Text => words(&stamps),
        Format::Json => pretty(&summary(&stamps)),
    });
    Ok(CLEAR)
}

/// Requirements whose every provision has a hash.
fn n_whole(stamps: &Stamps) -> usize {
    let is_whole = |stamp: &&Stamp| {
        stamp.missing.is_empty()
            && !stamp.provisions.is_empty()
            && stamp
                .provisions
                .iter()
                .all(|stamped| stamped.sha256.is_some())
    };
    stamps.stamps.iter().filter(is_whole).count()
}

fn summary(stamps: &Stamps) -> Value {
    let later = |stamp: &Stamp| {
        let later = stamp
            .provisions
            .iter()
            .filter(|stamped| stamped.sha256.is_none());
        later.map(|stamped| stamped.id.clone()).collect::<Vec<_>>()
    };
    let open = stamps.stamps.iter().filter_map(|stamp| {
        let later = later(stamp);
        let is_open = !later.is_empty() || !stamp.missing.is_empty();
        is_open.then(
            || json!({ "id": stamp.requirement, "later_wording": later, "missing": stamp.missing }),
        )
    });
    json!({
        "pack": stamps.pack,
        "n_requirements": stamps.stamps.len(),
        "n_stamped": n_whole(stamps),
        "open": open.collect::<Vec<_>>(),
    })
}

fn words(stamps: &Stamps) -> String {
    let mut lines = vec![format!(
        "{}: {} of {} requirements stamped with every provision they cite",
        stamps.pack,
        n_whole(stamps),
        stamps.stamps.len()
    )];
    for stamp in &stamps.stamps {
        for stamped in stamp
            .provisions
            .iter()
            .filter(|stamped| stamped.sha256.is_none())
        {
            lines.push(format!(
                "  {}: `{}` is cited as changed later; this text does not say how",
                stamp.requirement, stamped.id
            ));
        }
        for missing in &stamp.missing {
            lines.push(format!(
                "  {}: `{missing}` is not in these texts",
                stamp.requirement
            ));
        }
    }
    lines.join("\n")
}
