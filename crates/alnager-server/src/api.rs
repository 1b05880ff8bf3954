//! The JSON API: everything a page can do, a token can do. Its document (OpenAPI 3.1) is made of the same calls that add the routes, so
//! that no route is missing in it.
//!
//! Requests and answers have types of their own here, one file a subject, each with one conversion. Errors are problem documents
//! ([`crate::problem`]); lists go on behind a cursor; what is entered is entered once under an `Idempotency-Key`; records have an `ETag`.

mod ask;
mod comments;
mod cursor;
mod evidence;
mod facts;
mod gate;
mod journal;
mod law;
mod me;
mod once;
mod open_api;
mod opinions;
mod people;
mod reviews;
mod shape;
mod systems;
mod tasks;

#[cfg(test)]
mod tests;

use axum::http::Method;

use crate::access::Action;
use crate::route::Routes;

pub use once::Onces;
pub use open_api::document;

use open_api::{Api, Told};

/// Where the API lies in an organisation.
pub const BASE: &str = "/{org}/api/v1";

/// The whole path of a route of the API.
macro_rules! at {
    ($path:literal) => {
        concat!("/{org}/api/v1", $path)
    };
}

/// Adds every route of the API, and one for its document.
pub fn routes(routes: Routes) -> Routes {
    all(Api::new(routes)).into_routes()
}

fn all(api: Api) -> Api {
    let api = of_reviews(of_systems(api));
    let api = of_evidence(api);
    let api = of_law(api);
    let api = of_work(of_opinions(api));
    of_journal(api)
}

fn of_systems(api: Api) -> Api {
    api.get(
        at!("/me"),
        Action::Read,
        Told::new("Me", "me", "Who the token stands for, and what it may be used for.").gives::<me::Me>(),
        me::show,
    )
    .get(
        at!("/systems"),
        Action::Read,
        Told::new("Systems", "listSystems", "Systems with how they stand.")
            .query::<systems::Wanted>()
            .lists::<systems::SystemSummary>(),
        systems::list,
    )
    .add(
        Method::POST,
        at!("/systems"),
        Action::Declare,
        Told::new("Systems", "declareSystem", "Declares a system that is new: its fields, or a whole `system.toml`.")
            .takes::<systems::NewSystem>()
            .or_toml()
            .makes::<systems::System>(201),
        systems::declare,
    )
    .get(
        at!("/systems/{system}"),
        Action::Read,
        Told::new("Systems", "showSystem", "One system: its declaration, its facts, and how it stands.")
            .gives::<systems::System>()
            .with_etag(),
        systems::show,
    )
    .add(
        Method::PUT,
        at!("/systems/{system}"),
        Action::Declare,
        Told::new("Systems", "redeclareSystem", "Declares a system anew. Sent as fields, its audits, limits, evidence and absences stay.")
            .takes::<systems::NewSystem>()
            .or_toml()
            .makes::<systems::System>(200)
            .needs_match(),
        systems::redeclare,
    )
    .get(
        at!("/systems/{system}/requirements"),
        Action::Read,
        Told::new("Systems", "listSystemRequirements", "What law and policy ask of a system, and how each requirement fares.")
            .query::<systems::RequirementsWanted>()
            .lists::<systems::SystemRequirement>(),
        systems::requirements,
    )
    .get(
        at!("/systems/{system}/gate"),
        Action::Read,
        Told::new("Gate", "showGate", "The verdict, what stands in the way, exceptions, and the decision on going live. `X-Gate` has the verdict.")
            .gives::<gate::Gate>()
            .with_etag()
            .with_header("X-Gate", "The verdict: `clear`, `hold` or `undecided`."),
        gate::show,
    )
    .add(
        Method::POST,
        at!("/systems/{system}/launch"),
        Action::Decide,
        Told::new("Gate", "decideLaunch", "Decides on going live, on a system's latest review.")
            .takes::<gate::NewLaunch>()
            .makes::<gate::Gate>(201)
            .may_match(),
        gate::launch,
    )
    .add(
        Method::POST,
        at!("/systems/{system}/exceptions"),
        Action::Except,
        Told::new("Gate", "grantException", "Grants an exception from a requirement or a test, until a day.")
            .takes::<gate::NewException>()
            .makes::<gate::Exception>(201)
            .may_match(),
        gate::except,
    )
    .add(
        Method::POST,
        at!("/exceptions/{exception}/end"),
        Action::Except,
        Told::new("Gate", "endException", "Ends an exception before its day.")
            .takes::<shape::Reason>()
            .makes::<gate::Exception>(200),
        gate::end_exception,
    )
    .add(
        Method::POST,
        at!("/systems/{system}/facts"),
        Action::Answer,
        Told::new("Facts", "answerFacts", "Answers facts of a system: all or, when one is refused, none.")
            .takes::<facts::NewAnswers>()
            .makes::<facts::Facts>(201)
            .may_match(),
        facts::answer,
    )
    .add(
        Method::POST,
        at!("/systems/{system}/facts/{fact}/confirm"),
        Action::Confirm,
        Told::new("Facts", "confirmFact", "Confirms an answer, on behalf of somebody outside the building team.")
            .takes::<facts::NewConfirmation>()
            .makes::<facts::Fact>(200)
            .may_match(),
        facts::confirm,
    )
}

fn of_reviews(api: Api) -> Api {
    api.add(
        Method::POST,
        at!("/reviews/plan"),
        Action::Review,
        Told::new(
            "Reviews",
            "planReview",
            "Checks a declaration before anything is measured: what a review needs. Enters nothing.",
        )
        .takes::<reviews::NewPlan>()
        .gives::<reviews::Plan>(),
        reviews::plan,
    )
    .add(
        Method::POST,
        at!("/reviews"),
        Action::Review,
        Told::new(
            "Reviews",
            "review",
            "Reviews a system whose audits were counted elsewhere: declares it, submits its evidence, judges, and seals the whole or nothing.",
        )
        .takes::<reviews::NewReview>()
        .makes::<reviews::ReviewFound>(201)
        .with_header("X-Gate", "The verdict: `clear`, `hold` or `undecided`."),
        reviews::make,
    )
    .get(
        at!("/systems/{system}/review"),
        Action::Read,
        Told::new(
            "Reviews",
            "showReview",
            "What a review would find now, on what was measured last: in words, as JSON, as JUnit, and as a report. Seals nothing.",
        )
        .query::<reviews::Wanted>()
        .gives::<reviews::ReviewFound>()
        .with_header("X-Gate", "The verdict: `clear`, `hold` or `undecided`."),
        reviews::show,
    )
}

fn of_evidence(api: Api) -> Api {
    api.get(
        at!("/evidence"),
        Action::Read,
        Told::new(
            "Evidence",
            "listEvidence",
            "Evidence in the order it was submitted.",
        )
        .query::<evidence::Wanted>()
        .lists::<evidence::Evidence>(),
        evidence::list,
    )
    .get(
        at!("/evidence/{evidence}"),
        Action::Read,
        Told::new(
            "Evidence",
            "showEvidence",
            "One piece of evidence, with what was decided about it.",
        )
        .gives::<evidence::Evidence>()
        .with_etag(),
        evidence::show,
    )
    .get(
        at!("/evidence/{evidence}/document"),
        Action::Read,
        Told::new(
            "Evidence",
            "readDocument",
            "The document, as it was submitted.",
        )
        .gives_bytes("application/octet-stream"),
        evidence::document,
    )
    .add(
        Method::POST,
        at!("/systems/{system}/evidence"),
        Action::Submit,
        Told::new(
            "Evidence",
            "submitEvidence",
            "Submits a document of at most 20 MB as evidence.",
        )
        .takes::<evidence::NewEvidence>()
        .makes::<evidence::Evidence>(201)
        .may_match(),
        evidence::submit,
    )
    .add(
        Method::POST,
        at!("/evidence/{evidence}/rulings"),
        Action::Rule,
        Told::new(
            "Evidence",
            "ruleOnEvidence",
            "Accepts or rejects evidence, by somebody other than who submitted it.",
        )
        .takes::<evidence::NewRuling>()
        .makes::<evidence::Evidence>(201)
        .may_match(),
        evidence::rule,
    )
    .add(
        Method::POST,
        at!("/evidence/{evidence}/offers"),
        Action::Submit,
        Told::new(
            "Evidence",
            "offerEvidence",
            "Offers evidence on record for further requirements.",
        )
        .takes::<evidence::NewOffer>()
        .makes::<evidence::Evidence>(201)
        .may_match(),
        evidence::offer,
    )
}

fn of_law(api: Api) -> Api {
    api.get(
        at!("/packs"),
        Action::Read,
        Told::new(
            "Law",
            "listPacks",
            "The packs of law, standards and policy in use.",
        )
        .query::<shape::Paging>()
        .lists::<law::PackSummary>(),
        law::packs,
    )
    .get(
        at!("/packs/{pack}"),
        Action::Read,
        Told::new("Law", "showPack", "One pack with its requirements.")
            .gives::<law::Pack>()
            .with_etag(),
        law::pack,
    )
    .get(
        at!("/requirements/{requirement}"),
        Action::Read,
        Told::new(
            "Law",
            "showRequirement",
            "One requirement in our words, with its citation and counsel's reading.",
        )
        .gives::<law::Requirement>()
        .with_etag(),
        law::requirement,
    )
    .add(
        Method::POST,
        at!("/requirements/{requirement}/readings"),
        Action::Advise,
        Told::new(
            "Law",
            "recordReading",
            "Records how the organisation reads a requirement.",
        )
        .takes::<law::NewReading>()
        .makes::<law::Requirement>(201)
        .may_match(),
        law::read,
    )
}

fn of_work(api: Api) -> Api {
    api.get(
        at!("/tasks"),
        Action::Read,
        Told::new("Tasks", "listTasks", "Tasks in the order they were opened.")
            .query::<tasks::Wanted>()
            .lists::<tasks::Task>(),
        tasks::list,
    )
    .add(
        Method::POST,
        at!("/tasks"),
        Action::Task,
        Told::new(
            "Tasks",
            "openTask",
            "Opens a task. One that is open already is not opened again.",
        )
        .takes::<tasks::NewTask>()
        .makes::<tasks::Task>(201),
        tasks::open,
    )
    .add(
        Method::POST,
        at!("/tasks/{task}/finish"),
        Action::Task,
        Told::new("Tasks", "finishTask", "Says that a task is done.")
            .takes::<tasks::Finished>()
            .makes::<tasks::Task>(200),
        tasks::finish,
    )
    .get(
        at!("/comments"),
        Action::Read,
        Told::new(
            "Comments",
            "listComments",
            "Comments in the order they were made, on one thing or on all.",
        )
        .query::<comments::Wanted>()
        .lists::<comments::Comment>(),
        comments::list,
    )
    .add(
        Method::POST,
        at!("/comments"),
        Action::Comment,
        Told::new(
            "Comments",
            "comment",
            "Comments on a system, a requirement, evidence or a task.",
        )
        .takes::<comments::NewComment>()
        .makes::<comments::Comment>(201),
        comments::make,
    )
    .get(
        at!("/people"),
        Action::Administer,
        Told::new(
            "People",
            "listPeople",
            "People with their roles and accounts.",
        )
        .query::<shape::Paging>()
        .lists::<people::Member>(),
        people::list,
    )
    .add(
        Method::POST,
        at!("/people"),
        Action::Administer,
        Told::new(
            "People",
            "grantRoles",
            "Gives a person these roles and no others; they may be new.",
        )
        .takes::<people::NewRoles>()
        .makes::<people::Member>(201),
        people::grant,
    )
}

fn of_opinions(api: Api) -> Api {
    api.get(
        at!("/systems/{system}/opinions"),
        Action::Read,
        Told::new(
            "Opinions",
            "listOpinions",
            "Audit opinions on a system, in the order they were given.",
        )
        .query::<shape::Paging>()
        .lists::<opinions::AuditOpinion>(),
        opinions::list,
    )
    .add(
        Method::POST,
        at!("/systems/{system}/opinions"),
        Action::Opine,
        Told::new(
            "Opinions",
            "giveOpinion",
            "Gives an audit opinion on a state of the journal, by an auditor who had no hand in the system.",
        )
        .takes::<opinions::NewOpinion>()
        .makes::<opinions::AuditOpinion>(201),
        opinions::give,
    )
    .add(
        Method::POST,
        at!("/opinions/{opinion}/withdraw"),
        Action::Opine,
        Told::new(
            "Opinions",
            "withdrawOpinion",
            "Withdraws an audit opinion of one's own.",
        )
        .takes::<shape::Reason>()
        .makes::<opinions::AuditOpinion>(200),
        opinions::withdraw,
    )
}

fn of_journal(api: Api) -> Api {
    api.get(
        at!("/journal/entries"),
        Action::Prove,
        Told::new(
            "Journal",
            "listEntries",
            "Entries of the journal, the oldest first.",
        )
        .query::<journal::Wanted>()
        .lists::<journal::Entry>(),
        journal::list,
    )
    .get(
        at!("/journal/entries/{entry}"),
        Action::Prove,
        Told::new(
            "Journal",
            "showEntry",
            "One entry, with what it says where that was not erased.",
        )
        .gives::<journal::WholeEntry>()
        .with_etag(),
        journal::show,
    )
    .get(
        at!("/journal/entries/{entry}/proof"),
        Action::Prove,
        Told::new(
            "Journal",
            "proveEntry",
            "The proof that an entry is in the journal, as a `tlog-proof` file.",
        )
        .gives_text(),
        journal::proof,
    )
    .get(
        at!("/journal/checkpoint"),
        Action::Prove,
        Told::new(
            "Journal",
            "readCheckpoint",
            "The checkpoint signed last, with what witnesses have signed under it.",
        )
        .gives_text(),
        journal::checkpoint,
    )
    .get(
        at!("/dossiers/{system}"),
        Action::Prove,
        Told::new(
            "Journal",
            "takeDossier",
            "Everything an outsider needs to check one system, in one file, with what witnesses have signed under its checkpoint.",
        )
        .query::<journal::DossierWanted>()
        .gives_bytes("application/octet-stream"),
        journal::dossier,
    )
    .add(
        Method::POST,
        at!("/dossiers/{system}"),
        Action::Prove,
        Told::new(
            "Journal",
            "drawDossier",
            "Enters that a system's dossier is drawn, by whom, for whom and why. The file taken then holds all that the system's last review rests on.",
        )
        .takes::<journal::NewDossier>()
        .makes::<journal::DrawnDossier>(201),
        journal::draw_dossier,
    )
}
