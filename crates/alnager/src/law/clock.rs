//! `alnager law clock`.

use alnager_work::acting::Flags;
use alnager_work::error::JobError;
use alnager_work::law::clock::{ClockQuestion, Listed, Ran, clock, list};
use clap::Args;
use jiff::civil::DateTime;
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::run::{CLEAR, pretty};
use crate::terminal::say;

/// Which clock, from when.
#[derive(Debug, Args)]
pub(crate) struct ClockArguments {
    /// List all clocks
    #[arg(long, conflicts_with_all = ["clock", "start", "tz", "holidays", "aware", "fact"])]
    pub(crate) list: bool,
    /// The clock, such as GDPR-33
    #[arg(long, value_name = "CLOCK", required_unless_present = "list")]
    pub(crate) clock: Option<String>,
    /// The event that starts it, local time such as 2026-11-20T16:20:00
    #[arg(long, value_name = "TIME", required_unless_present = "list")]
    pub(crate) start: Option<String>,
    /// The time zone of the place, such as Europe/Berlin
    #[arg(long, value_name = "ZONE", required_unless_present = "list")]
    pub(crate) tz: Option<String>,
    /// Whose public holidays count, such as DE; may be repeated, and then all count
    #[arg(long, value_name = "CODE")]
    pub(crate) holidays: Vec<String>,
    /// When the organisation became aware, where that is another time
    #[arg(long, value_name = "TIME")]
    pub(crate) aware: Option<String>,
    /// A fact, such as credit_institution=true; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) fact: Vec<String>,
}

/// Runs a clock, or lists them, and prints.
pub(crate) fn run(
    flags: &Flags,
    arguments: &ClockArguments,
    format: Format,
) -> Result<u8, JobError> {
    if arguments.list {
        let clocks = list(flags)?;
        say(&match format {
            Format::Text => list_words(&clocks),
            Format::Json => pretty(&list_json(&clocks)),
        });
        return Ok(CLEAR);
    }
    let asked = ClockQuestion {
        clock: arguments.clock.clone().unwrap_or_default(),
        start: arguments.start.clone().unwrap_or_default(),
        zone: arguments.tz.clone().unwrap_or_default(),
        holidays: arguments.holidays.clone(),
        aware: arguments.aware.clone(),
        facts: arguments.fact.clone(),
    };
    let ran = clock(flags, &asked)?;
    say(&match format {
        Format::Text => words(&ran),
        Format::Json => pretty(&json!({
            "strict": ran.deadline.strict.map(wall),
            "legal": ran.deadline.legal.map(wall),
            "why": ran.deadline.why,
        })),
    });
    Ok(CLEAR)
}

fn wall(at: DateTime) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn words(ran: &Ran) -> String {
    let time = |at: Option<DateTime>, meaning: &str| match at {
        Some(at) => format!(
            "{} {} ({meaning})",
            at.strftime("%A %Y-%m-%d %H:%M:%S"),
            ran.zone
        ),
        None => "none, see why".to_owned(),
    };
    let clock = &ran.clock;
    let mut lines = vec![
        format!("{}: {} ({})", clock.id, clock.limit, clock.cite),
        format!("  to      {}", clock.to),
        format!("  from    {}", clock.start),
        format!("  strict  {}", time(ran.deadline.strict, "plan on this")),
        format!("  legal   {}", time(ran.deadline.legal, "outer limit")),
        "  why".to_owned(),
    ];
    lines.extend(ran.deadline.why.iter().map(|why| format!("    - {why}")));
    lines.join("\n")
}

fn list_words(clocks: &[Listed]) -> String {
    let lines = clocks.iter().map(|clock| {
        format!(
            "{}  {}: {} to {}, from {} ({})",
            clock.regime, clock.id, clock.limit, clock.to, clock.start, clock.cite
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn list_json(clocks: &[Listed]) -> Value {
    let clocks = clocks.iter().map(|clock| {
        json!({
            "clock": clock.id,
            "regime": clock.regime,
            "to": clock.to,
            "start": clock.start,
            "limit": clock.limit,
            "calendar": clock.calendar,
            "cite": clock.cite,
        })
    });
    Value::Array(clocks.collect())
}
