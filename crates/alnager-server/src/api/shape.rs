//! Shapes that many answers share.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::at::At;

/// A person.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Person {
    /// The id: stays when the name changes or is erased.
    pub id: String,
    /// The name; where it was erased, what stands in its place.
    pub name: String,
}

impl Person {
    /// The person with an id.
    pub(super) fn of(at: &At, id: &str) -> Person {
        Person {
            id: id.to_owned(),
            name: at.name(id),
        }
    }
}

/// What something was entered with.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Receipt {
    /// The entries of the journal, by their indexes; none where everything was on record already.
    pub entries: Vec<u64>,
    /// Number of entries under the checkpoint.
    pub size: u64,
    /// Root hash over these entries, base64.
    pub root: String,
    /// The signed checkpoint.
    pub checkpoint: String,
    /// When it was entered, RFC 3339 in UTC.
    pub at: String,
}

impl Receipt {
    /// A receipt of the store.
    pub(super) fn of(receipt: &alnager_store::Receipt) -> Receipt {
        Receipt {
            entries: (receipt.first..receipt.end).collect(),
            size: receipt.size,
            root: receipt.root.to_base64(),
            checkpoint: receipt.checkpoint.clone(),
            at: receipt.at.clone(),
        }
    }
}

/// The answer to what was entered.
#[derive(Debug, Serialize)]
pub(super) struct Written<T> {
    /// What it was entered with.
    pub receipt: Receipt,
    /// What was made or changed, as it is now.
    pub made: T,
}

/// Some rows of a list.
#[derive(Debug, Serialize)]
pub(super) struct List<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the list goes on; `null` at its end.
    pub next: Option<String>,
}

/// Which rows of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Number of rows, 50 without it.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// Why something is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    /// Why, in words; without anybody's name.
    #[schema(min_length = 1)]
    pub reason: String,
}

/// What the gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// Ready for a person's decision.
    Clear,
    /// A gap or a failed test stands in the way.
    Hold,
    /// Something is unknown or inconclusive, or nothing was asked for.
    Undecided,
}

impl Verdict {
    /// A verdict of the office.
    pub(super) fn of(verdict: alnager_office::gate::Verdict) -> Verdict {
        match verdict {
            alnager_office::gate::Verdict::Clear => Verdict::Clear,
            alnager_office::gate::Verdict::Hold => Verdict::Hold,
            alnager_office::gate::Verdict::Undecided => Verdict::Undecided,
        }
    }

    /// Its word, as the header `X-Gate` has it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Verdict::Clear => "clear",
            Verdict::Hold => "hold",
            Verdict::Undecided => "undecided",
        }
    }

    /// The exit code that the command line has for it.
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Verdict::Clear => 0,
            Verdict::Hold => 1,
            Verdict::Undecided => 3,
        }
    }
}

/// How a requirement fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// Every kind of evidence it needs is accepted and in date, or measured.
    Met,
    /// Its absence is stated, its evidence was rejected or has expired, or its test failed.
    Gap,
    /// Neither shown nor denied.
    Unknown,
    /// It governs from a later day.
    Ahead,
    /// Its day has come, but not its trigger.
    Waiting,
    /// It no longer governs.
    Ended,
    /// It does not concern the system.
    NotApplicable,
    /// A risk, a gap of the law or a safe harbour: shown, never blocking.
    Noted,
}

impl Status {
    /// A status of the office.
    pub(super) fn of(status: alnager_office::gate::Status) -> Status {
        use alnager_office::gate::Status as Known;
        match status {
            Known::Met => Status::Met,
            Known::Gap => Status::Gap,
            Known::Unknown => Status::Unknown,
            Known::Ahead => Status::Ahead,
            Known::Waiting => Status::Waiting,
            Known::Ended => Status::Ended,
            Known::NotApplicable => Status::NotApplicable,
            Known::Noted => Status::Noted,
        }
    }
}

/// What a person decided, and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Decided {
    /// Who.
    pub by: Person,
    /// When.
    pub on: Date,
    /// Why, or what was done.
    pub reason: String,
}
