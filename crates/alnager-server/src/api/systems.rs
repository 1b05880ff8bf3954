//! Systems: declared, and how they stand.

use std::collections::BTreeMap;

use alnager_law::read::ReadError;
use alnager_law::requirement::AsOf;
use alnager_office::assess::{Assessment, cited};
use alnager_office::decide::Command;
use alnager_office::declaration::{Declaration, Stage as KnownStage};
use alnager_office::gate::Judged;
use alnager_office::system::{NewDeclaration, System as Known};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::{Table, Value as Item};
use utoipa::{IntoParams, ToSchema};

use crate::api::ask::{Ask, Asked, TOML, list as listed, tagged, worked_out};
use crate::api::cursor::{self, Key};
use crate::api::facts::{Fact, FactValue};
use crate::api::gate::Launch;
use crate::api::shape::{Person, Status, Verdict};
use crate::at::At;
use crate::refusal::Refusal;

/// Where a system stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    /// An idea.
    Proposed,
    /// Being built.
    Development,
    /// Being tested.
    Validation,
    /// In use.
    InUse,
    /// No longer in use.
    Retired,
}

impl Stage {
    fn of(stage: KnownStage) -> Stage {
        match stage {
            KnownStage::Proposed => Stage::Proposed,
            KnownStage::Development => Stage::Development,
            KnownStage::Validation => Stage::Validation,
            KnownStage::InUse => Stage::InUse,
            KnownStage::Retired => Stage::Retired,
        }
    }

    fn known(self) -> KnownStage {
        match self {
            Stage::Proposed => KnownStage::Proposed,
            Stage::Development => KnownStage::Development,
            Stage::Validation => KnownStage::Validation,
            Stage::InUse => KnownStage::InUse,
            Stage::Retired => KnownStage::Retired,
        }
    }
}

/// What a list of systems is ordered by.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sort {
    /// Their ids.
    #[default]
    Id,
    /// Their names.
    Name,
    /// The day they are judged on, the earliest first. A page after the first may repeat a system whose day has changed.
    Day,
}

/// Which systems.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Number of rows, 50 without it.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Those with this verdict.
    #[param(inline)]
    verdict: Option<Verdict>,
    /// Those in this stage.
    #[param(inline)]
    stage: Option<Stage>,
    /// Those that this person answers for, by id or name.
    owner: Option<String>,
    /// Those whose id, name or purpose has these words.
    search: Option<String>,
    /// The order.
    #[param(inline)]
    sort: Option<Sort>,
}

/// A system as a row.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SystemSummary {
    /// The id.
    id: String,
    /// The name.
    name: String,
    /// Where it stands in its life.
    stage: Stage,
    /// Who answers for it.
    owner: Person,
    /// The verdict; `null` while it is worked out.
    verdict: Option<Verdict>,
    /// The day it is judged on.
    judged_on: Date,
    /// Numbers of requirements; `null` while they are worked out.
    counts: Option<Counts>,
    /// The next day on which a binding requirement begins, where there is one.
    next_day: Option<Date>,
    /// How many things stand in the way; `null` while that is worked out.
    n_blockers: Option<usize>,
    /// How the decision on going live stands.
    launch: Launch,
    /// The latest entry about it: its `ETag` without the quotes.
    head: u64,
}

/// Numbers of requirements by how they fare.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Counts {
    /// Binding and in force.
    in_force: usize,
    /// Of those, met.
    met: usize,
    /// Of those, gaps.
    gap: usize,
    /// Of those, unknown.
    unknown: usize,
    /// Binding, and may apply once a fact is settled.
    may_apply: usize,
    /// Binding, from a later day.
    ahead: usize,
    /// Binding, waiting for their trigger.
    waiting: usize,
    /// Voluntary, adopted and in force.
    voluntary: usize,
}

/// A system.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct System {
    #[serde(flatten)]
    summary: SystemSummary,
    /// The organisation.
    organisation: String,
    /// What it is for.
    purpose: String,
    /// Who builds it.
    team: Vec<Person>,
    /// The day it goes into use.
    go_live_on: Option<Date>,
    /// Its time zone.
    time_zone: Option<String>,
    /// Why the declaration is hypothetical, if it is.
    what_if: Option<String>,
    /// Owners by role or requirement.
    owners: BTreeMap<String, Person>,
    /// The facts, by name.
    facts: Vec<Fact>,
    /// The entry that declared it last.
    declared_at: u64,
    /// The latest review.
    review: Option<Review>,
    /// The highest fine a breach may cost, in words, with its citation.
    fine: Option<Fine>,
}

/// What a review decided.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Review {
    /// Its entry: what a decision on going live names.
    entry: u64,
    /// The verdict's word.
    verdict: String,
    /// The day judged.
    judged_on: Date,
}

/// A fine.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Fine {
    /// How much, in words.
    max: String,
    /// The citation.
    citation: String,
}

/// A declaration. People are given by name or id.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSystem {
    /// The permanent id: lower-case letters, digits and hyphens.
    #[schema(pattern = "^[a-z0-9][a-z0-9-]*$", max_length = 60)]
    id: String,
    /// The name.
    #[schema(min_length = 1)]
    name: String,
    /// What it is for.
    #[schema(min_length = 1)]
    purpose: String,
    /// Who answers for it.
    #[schema(min_length = 1)]
    owner: String,
    /// Where it stands in its life.
    stage: Stage,
    /// Who builds it; the owner without it.
    team: Option<Vec<String>>,
    /// The day it goes into use.
    go_live_on: Option<Date>,
    /// Its time zone, an IANA name.
    time_zone: Option<String>,
    /// Why the declaration is hypothetical, if it is.
    what_if: Option<String>,
    /// Owners by role or requirement.
    owners: Option<BTreeMap<String, String>>,
    /// Facts by name. Left out in a later declaration, those of the last one stay.
    facts: Option<BTreeMap<String, NewFact>>,
}

/// A fact of a declaration.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewFact {
    /// The answer.
    value: FactValue,
    /// On what basis.
    #[schema(min_length = 1)]
    basis: String,
    /// Who answered; whoever asks without it.
    by: Option<String>,
    /// When; today without it.
    on: Option<Date>,
}

/// Lists systems.
pub(super) async fn list(at: At, Ask(wanted): Ask<Wanted>) -> Result<Response, Refusal> {
    let sort = wanted.sort.unwrap_or_default();
    let name = match sort {
        Sort::Id => "systems by id",
        Sort::Name => "systems by name",
        Sort::Day => "systems by day",
    };
    let owner = wanted.owner.as_deref();
    let owner = owner.map(|owner| at.state().person(owner).unwrap_or(owner));
    let words = wanted.search.as_deref().map(str::to_lowercase);
    let fits = |id: &str, system: &Known| {
        let declaration = &system.declaration;
        let has = |words: &str| {
            let texts = [id, &declaration.name, &declaration.purpose];
            texts.iter().any(|text| text.to_lowercase().contains(words))
        };
        let verdict = || {
            at.moment
                .standing(id)
                .map(|found| Verdict::of(found.verdict))
        };
        owner.is_none_or(|owner| declaration.owner == owner)
            && wanted
                .stage
                .is_none_or(|stage| declaration.stage == stage.known())
            && words.as_deref().is_none_or(has)
            && wanted
                .verdict
                .is_none_or(|wanted| verdict() == Some(wanted))
    };
    let key = |id: &String, system: &Known| -> Key {
        let sort = match sort {
            Sort::Id => String::new(),
            Sort::Name => system.declaration.name.to_lowercase(),
            Sort::Day => at.moment.when(system).valid.to_string(),
        };
        (sort, id.clone())
    };
    let rows = at.state().systems.iter();
    let rows = rows.filter(|(id, system)| fits(id, system));
    let rows = rows
        .map(|(id, system)| (key(id, system), (id, system)))
        .collect();
    let (rows, next) = cursor::page(name, rows, wanted.cursor.as_deref(), wanted.limit)?;
    let rows = rows
        .into_iter()
        .map(|(id, system)| SystemSummary::of(&at, id, system));
    listed((rows.collect(), next))
}

/// Shows a system.
pub(super) async fn show(at: At) -> Result<Response, Refusal> {
    let system = System::of(&at, at.named("system"))?;
    let tag = tag(&at, at.named("system"))?;
    // How it stands changes with the day as well, so it is always sent.
    tagged(&HeaderMap::new(), &tag, &system)
}

/// Declares a new system.
pub(super) async fn declare(asked: Asked) -> Result<Response, Refusal> {
    let declaration = declared(&asked, None)?;
    let (id, slug) = (declaration.id.clone(), asked.at.organisation.slug.clone());
    let mut response = enter(&asked, declaration, None, StatusCode::CREATED).await?;
    let place = format!("/{slug}/api/v1/systems/{id}");
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// Declares a system anew.
pub(super) async fn redeclare(asked: Asked) -> Result<Response, Refusal> {
    asked.need_match()?;
    let id = asked.at.named("system");
    let known = asked.at.state().systems.get(id).ok_or(Refusal::NotFound)?;
    let declaration = declared(&asked, Some(known))?;
    if declaration.id != id {
        return Err(Refusal::field(
            "id",
            format!("the address names `{id}`, and an id never changes; say the same in both"),
        ));
    }
    // A version that never was is refused by the office, unless the same request was entered before.
    let expected = match asked.matches(&tag(&asked.at, id)?) {
        true => known.declared_at,
        false => u64::MAX,
    };
    match enter(&asked, declaration, Some(expected), StatusCode::OK).await {
        Err(Refusal::Conflict(_)) => Err(Refusal::Stale),
        answer => answer,
    }
}

async fn enter(
    asked: &Asked,
    declaration: Declaration,
    expected: Option<u64>,
    status: StatusCode,
) -> Result<Response, Refusal> {
    let id = declaration.id.clone();
    let mut n_people = 0;
    declaration.clone().people(&mut |_| n_people += 1);
    let new = NewDeclaration {
        declaration,
        expected,
    };
    let command = Command::DeclareSystem(Box::new(new));
    let receipt = asked.enter_with(command, n_people).await?;
    let at = asked.at.again();
    let mut response = asked.written(status, &receipt, System::of(&at, &id)?)?;
    if let Ok(tag) = HeaderValue::from_str(&tag(&at, &id)?) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// The declaration in a body: fields, or a whole file. `known`: the system as it is, where it is declared anew.
fn declared(asked: &Asked, known: Option<&Known>) -> Result<Declaration, Refusal> {
    asked.need_media(&["application/json", TOML])?;
    if asked.media == TOML {
        let text = std::str::from_utf8(&asked.bytes);
        let text = text.map_err(|_| Refusal::Malformed("the body is no UTF-8".to_owned()))?;
        return parsed(&asked.at, text, true);
    }
    let new: NewSystem = asked.json()?;
    let keeps_facts = new.facts.is_none();
    let table = new.table(&asked.at);
    let text = toml::to_string(&table)
        .map_err(|_| Refusal::Invalid("the declaration cannot be written as TOML".to_owned()))?;
    let mut declaration = parsed(&asked.at, &text, false)?;
    if let Some(known) = known {
        let last = &known.declaration;
        declaration.audits.clone_from(&last.audits);
        declaration.limits.clone_from(&last.limits);
        declaration.evidence.clone_from(&last.evidence);
        declaration.absences.clone_from(&last.absences);
        if keeps_facts {
            declaration.facts.clone_from(&last.facts);
        }
    }
    Ok(declaration)
}

pub(super) fn parsed(at: &At, text: &str, has_lines: bool) -> Result<Declaration, Refusal> {
    let library = &at.moment.library;
    let read = Declaration::parse("system.toml", text, &library.book, &library.policy);
    read.map_err(|error: ReadError| Refusal::Field {
        words: match has_lines && error.line > 0 {
            true => format!("line {}: {}", error.line, error.problem),
            false => error.problem,
        },
        field: error.field,
    })
}

impl NewSystem {
    /// The declaration as a file would have it, so that both are checked in one place.
    fn table(self, at: &At) -> Table {
        let organisation = at.state().organisation.as_ref();
        let organisation = organisation.map_or("", |known| known.name.as_str());
        let mut table = Table::new();
        let mut put = |name: &str, item: Option<Item>| {
            if let Some(item) = item {
                table.insert(name.to_owned(), item);
            }
        };
        put("schema", Some(Item::from("alnager.system/1")));
        put("organisation", Some(Item::from(organisation)));
        put("id", Some(Item::from(self.id)));
        put("name", Some(Item::from(self.name)));
        put("purpose", Some(Item::from(self.purpose)));
        put("owner", Some(Item::from(self.owner)));
        put("stage", Some(Item::from(self.stage.known().word())));
        put("team", self.team.map(Item::from));
        put("go_live_on", self.go_live_on.map(day));
        put("time_zone", self.time_zone.map(Item::from));
        put("what_if", self.what_if.map(Item::from));
        put("owners", self.owners.map(Item::from));
        let facts = self.facts.map(|facts| {
            let facts = facts.into_iter().map(|(name, fact)| (name, fact.table(at)));
            Item::Table(facts.collect())
        });
        put("facts", facts);
        table
    }
}

impl NewFact {
    fn table(self, at: &At) -> Item {
        let by = self.by.unwrap_or_else(|| at.name(&at.who.person));
        let on = day(self.on.unwrap_or_else(|| at.today()));
        let pairs = [
            ("value", self.value.item()),
            ("basis", Item::from(self.basis)),
            ("by", Item::from(by)),
            ("on", on),
        ];
        let pairs = pairs.into_iter();
        Item::Table(pairs.map(|(name, item)| (name.to_owned(), item)).collect())
    }
}

/// A day as TOML has it; one of a year that TOML does not have stays a text, which the reader of declarations refuses.
fn day(day: Date) -> Item {
    let text = day.to_string();
    match text.parse() {
        Ok(day) => Item::Datetime(day),
        Err(_) => Item::String(text),
    }
}

/// The `ETag` of a system: the latest entry about it.
pub(super) fn tag(at: &At, id: &str) -> Result<String, Refusal> {
    let system = at.state().systems.get(id).ok_or(Refusal::NotFound)?;
    Ok(format!("\"{}\"", head(at, system)))
}

fn head(at: &At, system: &Known) -> u64 {
    let head = at.state().heads.get(&system.subject);
    head.copied().unwrap_or(system.declared_at)
}

impl SystemSummary {
    fn of(at: &At, id: &str, system: &Known) -> SystemSummary {
        let standing = at.moment.standing(id);
        let declaration = &system.declaration;
        SystemSummary {
            id: id.to_owned(),
            name: declaration.name.clone(),
            stage: Stage::of(declaration.stage),
            owner: Person::of(at, &declaration.owner),
            verdict: standing.map(|found| Verdict::of(found.verdict)),
            judged_on: at.moment.when(system).valid,
            counts: standing.map(|found| Counts::of(&found.counts)),
            next_day: standing.and_then(|found| found.next_day),
            n_blockers: standing.map(|found| found.blockers.len()),
            launch: Launch::of(at, id),
            head: head(at, system),
        }
    }
}

impl Counts {
    fn of(counts: &alnager_office::assess::Counts) -> Counts {
        Counts {
            in_force: counts.in_force,
            met: counts.met,
            gap: counts.gap,
            unknown: counts.unknown,
            may_apply: counts.may_apply,
            ahead: counts.ahead,
            waiting: counts.waiting,
            voluntary: counts.voluntary,
        }
    }
}

impl System {
    fn of(at: &At, id: &str) -> Result<System, Refusal> {
        let system = at.state().systems.get(id).ok_or(Refusal::NotFound)?;
        let declaration = &system.declaration;
        let owners = declaration.owners.iter();
        let fine = at.moment.standing(id).and_then(|found| found.fine.clone());
        Ok(System {
            summary: SystemSummary::of(at, id, system),
            organisation: declaration.organisation.clone(),
            purpose: declaration.purpose.clone(),
            team: declaration
                .team
                .iter()
                .map(|one| Person::of(at, one))
                .collect(),
            go_live_on: declaration.go_live_on,
            time_zone: declaration.time_zone.clone(),
            what_if: declaration.what_if.clone(),
            owners: owners
                .map(|(role, one)| (role.clone(), Person::of(at, one)))
                .collect(),
            facts: Fact::all(at, system),
            declared_at: system.declared_at,
            review: system.review.as_ref().map(|review| Review {
                entry: review.at,
                verdict: review.verdict.clone(),
                judged_on: review.judged_on,
            }),
            fine: fine.map(|(max, citation)| Fine { max, citation }),
        })
    }
}

/// Which requirements of a system.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct RequirementsWanted {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Number of rows, 50 without it.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Those that fare like this.
    #[param(inline)]
    status: Option<Status>,
    /// Those that do not concern the system as well.
    all: Option<bool>,
    /// The day judged; without it the day of going live, or today once the system is in use.
    valid: Option<Date>,
    /// Law published by the end of this day counts; today without it.
    known: Option<Date>,
}

/// What a requirement asks of a system, and how it fares.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SystemRequirement {
    /// Its id.
    id: String,
    /// Its pack.
    pack: String,
    /// What it asks.
    what: String,
    /// The citation.
    citation: String,
    /// How it fares.
    status: Status,
    /// Why, in words.
    why: String,
    /// What to do next, in words; empty where there is nothing to do.
    next: String,
    /// The first day it governs, where one is known.
    from: Option<Date>,
    /// How far it can be enforced, in words.
    force: String,
    /// Whether it may stand in the way.
    binds: bool,
    /// Who owns it.
    owner: Person,
    /// The evidence that was looked at.
    evidence: Vec<String>,
}

/// Lists what law and policy ask of a system.
pub(super) async fn requirements(
    at: At,
    Ask(wanted): Ask<RequirementsWanted>,
) -> Result<Response, Refusal> {
    let id = at.named("system").to_owned();
    let system = at.state().systems.get(&id).ok_or(Refusal::NotFound)?;
    let when = at.moment.when(system);
    let when = AsOf {
        valid: wanted.valid.unwrap_or(when.valid),
        known: wanted.known.unwrap_or(when.known),
    };
    let moment = std::sync::Arc::clone(&at.moment);
    let found = worked_out(move || moment.assessment(&id, Some(when))).await?;
    let assessment: Assessment = found.ok_or(Refusal::NotFound)?;
    let shown = assessment.judged.iter().filter(|judged| {
        let concerns = judged.asks() || judged.counts();
        let status = Status::of(judged.status);
        (wanted.all == Some(true) || concerns)
            && wanted.status.is_none_or(|wanted| wanted == status)
    });
    let key = |at: usize| {
        (
            cursor::indexed(u64::try_from(at).unwrap_or(u64::MAX)),
            String::new(),
        )
    };
    let rows = shown
        .enumerate()
        .map(|(at, judged)| (key(at), judged))
        .collect();
    let (rows, next) = cursor::page(
        "requirements of a system",
        rows,
        wanted.cursor.as_deref(),
        wanted.limit,
    )?;
    let rows = rows
        .into_iter()
        .map(|judged| SystemRequirement::of(&at, judged));
    listed((rows.collect(), next))
}

impl SystemRequirement {
    fn of(at: &At, judged: &Judged) -> SystemRequirement {
        let text = judged.requirement.text();
        SystemRequirement {
            id: text.id.clone(),
            pack: judged.requirement.pack().id.clone(),
            what: text.what.clone(),
            citation: cited(judged),
            status: Status::of(judged.status),
            why: judged.why.clone(),
            next: judged.next.clone(),
            from: judged.from(),
            force: judged.requirement.force.words(),
            binds: judged.binds,
            owner: Person::of(at, &judged.owner),
            evidence: judged.evidence.clone(),
        }
    }
}
