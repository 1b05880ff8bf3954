//! The inventory: one row a system, worked out once for each moment, so that a request only filters, sorts and pages.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use alnager_office::declaration::Stage;
use alnager_office::derived::Derived;
use alnager_office::gate::{Status, Verdict};
use alnager_office::launch::LaunchStanding;
use alnager_office::state::State;
use alnager_office::system::System;
use jiff::civil::Date;

use crate::form::Fields;
use crate::session::escaped;

/// Every system, and what systems can be chosen by.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// The systems, by their ids.
    pub rows: Vec<SystemRow>,
    /// The places that any of them is in, in the order of the alphabet.
    pub places: Vec<String>,
}

/// One system.
#[derive(Debug, Clone)]
pub struct SystemRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The name of who answers for it.
    pub owner: String,
    /// Where it stands in its life.
    pub stage: Stage,
    /// The verdict; `None` while it is worked out.
    pub verdict: Option<Verdict>,
    /// Where it is sold, run, or affects people, as answered.
    pub places: Vec<String>,
    /// How much stands in the way.
    pub n_blockers: usize,
    /// The next day on which something about it begins, and what.
    pub next: Option<(Date, Next)>,
    /// How the decision on going live stands.
    pub launch: LaunchStanding,
    /// Whether it is built, bought, or built around what others made.
    pub made: Made,
    /// What a search looks through, in small letters: id, name, owner, purpose.
    found_by: String,
    /// Name and owner in small letters, to sort by.
    sorted_by: (String, String),
}

/// What begins on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The system's use.
    Use,
    /// A requirement that binds.
    Requirement,
}

/// Who made a system, as far as the facts say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Made {
    /// The organisation, from its own parts.
    Built,
    /// The organisation, around models, data or services of others.
    Embedded,
    /// Somebody else; the organisation uses or sells it.
    Bought,
    /// Nobody answered.
    Unknown,
}

/// The roles of those who make a system.
const MAKERS: [&str; 5] = [
    "provider",
    "product_manufacturer",
    "gpai_provider",
    "developer",
    "frontier_developer",
];

impl Made {
    /// All of them.
    pub const ALL: [Made; 4] = [Made::Built, Made::Embedded, Made::Bought, Made::Unknown];

    /// Its word in addresses.
    pub fn word(self) -> &'static str {
        match self {
            Made::Built => "built",
            Made::Embedded => "embedded",
            Made::Bought => "bought",
            Made::Unknown => "unknown",
        }
    }

    /// What the facts `roles` and `has_third_party_components` say. Without the second a maker's system is its own.
    fn of(system: &System) -> Made {
        let answer = |fact: &str| {
            system
                .facts
                .get(fact)
                .map(|fact| fact.answer.value.as_str())
        };
        let Some(roles) = answer("roles").filter(|roles| !roles.is_empty()) else {
            return Made::Unknown;
        };
        let makes = roles.split(',').any(|role| MAKERS.contains(&role));
        match (makes, answer("has_third_party_components")) {
            (true, Some("true")) => Made::Embedded,
            (true, _) => Made::Built,
            (false, _) => Made::Bought,
        }
    }
}

impl Inventory {
    /// Works it out.
    pub fn of(state: &State, derived: &Derived, today: Date) -> Inventory {
        let systems = state.systems.iter();
        let rows: Vec<SystemRow> = systems
            .map(|(id, system)| SystemRow::of(id, system, state, derived, today))
            .collect();
        let places: BTreeSet<&String> = rows.iter().flat_map(|row| &row.places).collect();
        Inventory {
            places: places.into_iter().cloned().collect(),
            rows,
        }
    }

    /// The systems a query asks for, in its order.
    pub fn find<'i>(&'i self, query: &Query, derived: &Derived) -> Vec<&'i SystemRow> {
        let words: Vec<String> = query
            .words
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        let owner = query.owner.to_lowercase();
        let rows = self.rows.iter();
        let mut found: Vec<&SystemRow> = rows
            .filter(|row| {
                words
                    .iter()
                    .all(|word| row.found_by.contains(word.as_str()))
            })
            .filter(|row| {
                query
                    .verdict
                    .is_none_or(|verdict| row.verdict == Some(verdict))
            })
            .filter(|row| query.stage.is_none_or(|stage| row.stage == stage))
            .filter(|row| query.made.is_none_or(|made| row.made == made))
            .filter(|row| query.place.is_empty() || row.places.contains(&query.place))
            .filter(|row| owner.is_empty() || row.sorted_by.1.contains(&owner))
            .filter(|row| query.binds.is_empty() || binds(derived, &row.id, &query.binds))
            .collect();
        // They come by their ids, and a stable sort keeps equals so.
        match query.is_down {
            false => found.sort_by(|one, other| one.compare(other, query.sort)),
            true => found.sort_by(|one, other| other.compare(one, query.sort)),
        }
        found
    }
}

/// Whether a pack or a requirement binds a system, now or from a later day.
fn binds(derived: &Derived, system: &str, what: &str) -> bool {
    let Some(standing) = derived.system(system) else {
        return false;
    };
    standing.requirements.iter().any(|requirement| {
        requirement.binds
            && (*requirement.id == *what || *requirement.pack == *what)
            && match requirement.status {
                Status::Met | Status::Gap | Status::Unknown | Status::Ahead | Status::Waiting => {
                    true
                }
                Status::Ended | Status::NotApplicable | Status::Noted => false,
            }
    })
}

impl SystemRow {
    fn of(id: &str, system: &System, state: &State, derived: &Derived, today: Date) -> SystemRow {
        let declaration = &system.declaration;
        let standing = derived.system(id);
        let owner = state.name(&declaration.owner);
        let places = system
            .facts
            .get("places")
            .map(|fact| fact.answer.value.as_str());
        let places = places
            .unwrap_or_default()
            .split(',')
            .filter(|place| !place.is_empty());
        let begins = declaration.go_live_on.filter(|day| *day > today);
        let begins = begins.map(|day| (day, Next::Use));
        let asked = standing
            .and_then(|standing| standing.next_day)
            .filter(|day| *day > today);
        let asked = asked.map(|day| (day, Next::Requirement));
        let found_by = [id, &declaration.name, &owner, &declaration.purpose]
            .join("\n")
            .to_lowercase();
        SystemRow {
            id: id.to_owned(),
            name: declaration.name.clone(),
            stage: declaration.stage,
            verdict: standing.map(|standing| standing.verdict),
            places: places.map(str::to_owned).collect(),
            n_blockers: standing.map_or(0, |standing| standing.blockers.len()),
            next: begins.into_iter().chain(asked).min_by_key(|(day, _)| *day),
            launch: state.launch_standing(id, today),
            made: Made::of(system),
            sorted_by: (declaration.name.to_lowercase(), owner.to_lowercase()),
            owner,
            found_by,
        }
    }

    /// Its name in small letters.
    pub fn name_in_small(&self) -> &str {
        &self.sorted_by.0
    }

    fn compare(&self, other: &SystemRow, by: Sort) -> Ordering {
        // What is not known comes last.
        let rank = |row: &SystemRow| match row.verdict {
            Some(Verdict::Hold) => 0,
            Some(Verdict::Undecided) => 1,
            Some(Verdict::Clear) => 2,
            None => 3,
        };
        let day = |row: &SystemRow| (row.next.is_none(), row.next.map(|(day, _)| day));
        match by {
            Sort::Id => self.id.cmp(&other.id),
            Sort::Name => self.sorted_by.0.cmp(&other.sorted_by.0),
            Sort::Stage => (self.stage as u8).cmp(&(other.stage as u8)),
            Sort::Owner => self.sorted_by.1.cmp(&other.sorted_by.1),
            Sort::Verdict => rank(self).cmp(&rank(other)),
            Sort::Place => (self.places.is_empty(), &self.places)
                .cmp(&(other.places.is_empty(), &other.places)),
            Sort::Blockers => self.n_blockers.cmp(&other.n_blockers),
            Sort::Next => day(self).cmp(&day(other)),
            Sort::Launch => launch_rank(&self.launch).cmp(&launch_rank(&other.launch)),
            Sort::Made => self.made.cmp(&other.made),
        }
    }
}

/// What needs somebody first.
fn launch_rank(launch: &LaunchStanding) -> u8 {
    match launch {
        LaunchStanding::NeedsSecond { .. } => 0,
        LaunchStanding::Superseded { .. } => 1,
        LaunchStanding::Lapsed { .. } => 2,
        LaunchStanding::NotDecided => 3,
        LaunchStanding::Refused => 4,
        LaunchStanding::Withdrawn => 5,
        LaunchStanding::Conditional { .. } => 6,
        LaunchStanding::Approved => 7,
    }
}

/// What systems are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Their ids.
    #[default]
    Id,
    /// Their names.
    Name,
    /// Their stages.
    Stage,
    /// Their owners.
    Owner,
    /// Their verdicts: what holds first.
    Verdict,
    /// Where they are.
    Place,
    /// How much stands in the way.
    Blockers,
    /// What comes next.
    Next,
    /// The decision on going live.
    Launch,
    /// Who made them.
    Made,
}

impl Sort {
    /// All of them, in the order of the columns.
    pub const ALL: [Sort; 10] = [
        Sort::Name,
        Sort::Id,
        Sort::Stage,
        Sort::Owner,
        Sort::Verdict,
        Sort::Place,
        Sort::Blockers,
        Sort::Next,
        Sort::Launch,
        Sort::Made,
    ];

    /// Its word in addresses.
    pub fn word(self) -> &'static str {
        match self {
            Sort::Id => "id",
            Sort::Name => "name",
            Sort::Stage => "stage",
            Sort::Owner => "owner",
            Sort::Verdict => "verdict",
            Sort::Place => "place",
            Sort::Blockers => "blockers",
            Sort::Next => "next",
            Sort::Launch => "launch",
            Sort::Made => "made",
        }
    }
}

/// What somebody asks of the inventory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Words that id, name, owner or purpose must have.
    pub words: String,
    /// The verdict.
    pub verdict: Option<Verdict>,
    /// The stage.
    pub stage: Option<Stage>,
    /// A part of the owner's name.
    pub owner: String,
    /// A place.
    pub place: String,
    /// A pack or a requirement that binds.
    pub binds: String,
    /// Who made it.
    pub made: Option<Made>,
    /// The order.
    pub sort: Sort,
    /// Whether it is turned around.
    pub is_down: bool,
}

/// The verdicts, in the order of urgency.
pub const VERDICTS: [Verdict; 3] = [Verdict::Hold, Verdict::Undecided, Verdict::Clear];

/// The stages, in the order of a system's life.
pub const STAGES: [Stage; 5] = [
    Stage::Proposed,
    Stage::Development,
    Stage::Validation,
    Stage::InUse,
    Stage::Retired,
];

impl Query {
    /// Reads the fields of an address. Words that mean nothing ask for nothing.
    pub fn read(fields: &Fields) -> Query {
        let word = |name: &str| fields.text(name);
        let sort = Sort::ALL
            .into_iter()
            .find(|sort| sort.word() == word("sort"));
        Query {
            words: word("q").to_owned(),
            verdict: VERDICTS
                .into_iter()
                .find(|verdict| verdict.word() == word("verdict")),
            stage: STAGES
                .into_iter()
                .find(|stage| stage.word() == word("stage")),
            owner: word("owner").to_owned(),
            place: word("place").to_owned(),
            binds: word("binds").to_owned(),
            made: Made::ALL
                .into_iter()
                .find(|made| made.word() == word("made")),
            sort: sort.unwrap_or_default(),
            is_down: word("down") == "1",
        }
    }

    /// The same as the fields of an address; empty where nothing is asked.
    pub fn fields(&self) -> String {
        let sort = if self.sort == Sort::default() {
            ""
        } else {
            self.sort.word()
        };
        let parts = [
            ("q", self.words.as_str()),
            ("verdict", self.verdict.map_or("", Verdict::word)),
            ("stage", self.stage.map_or("", Stage::word)),
            ("owner", &self.owner),
            ("place", &self.place),
            ("binds", &self.binds),
            ("made", self.made.map_or("", Made::word)),
            ("sort", sort),
            ("down", if self.is_down { "1" } else { "" }),
        ];
        let filled = parts.into_iter().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<String> = filled
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        pairs.join("&")
    }

    /// The same in the order of a column; turned around where it is that already.
    pub fn sorted(&self, by: Sort) -> Query {
        Query {
            sort: by,
            is_down: self.sort == by && !self.is_down,
            ..self.clone()
        }
    }

    /// Whether it asks for some systems only.
    pub fn is_filtered(&self) -> bool {
        let unsorted = Query {
            sort: Sort::default(),
            is_down: false,
            ..self.clone()
        };
        unsorted != Query::default()
    }
}
