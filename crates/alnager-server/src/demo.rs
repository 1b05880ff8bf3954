//! The demonstration: the desk of a small organisation made of the examples, with a history of months.
//!
//! Everything goes the way it goes for anybody: commands, decided by the office, sealed in the journal. Only the clock of each step is
//! set back, so that there is a past to look at.

use std::path::Path;
use std::sync::Arc;

use alnager_office::comment::About;
use alnager_office::decide::{Command, EvidenceRuling, OfferedEvidence};
use alnager_office::declaration::DeclaredEvidence;
use alnager_office::evidence::Evidence;
use alnager_office::exception::NewException;
use alnager_office::gate::Gate;
use alnager_office::opinion::{Conclusion, NewAuditOpinion};
use alnager_office::role::Role;
use alnager_office::system::NewDeclaration;
use alnager_office::task::{NewTask, Why};
use alnager_store::{AccountError, Desk, NewAccount, Place};
use alnager_work::acting::{Acting, Flags};
use alnager_work::error::JobError;
use alnager_work::library::sha256;
use alnager_work::opinion::read_in;
use alnager_work::review;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::folder::{Folder, file_error};
use crate::house::Seat;
use crate::organisation::Organisation;
use crate::secret::Secret;
use crate::session;

/// A file of the demonstration: its path and its bytes.
macro_rules! example {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../../examples/", $path)))),+]
    };
}

/// The examples: real data, made-up people.
const EXAMPLES: &[(&str, &[u8])] = example![
    "credit/system.toml",
    "credit/data.csv",
    "credit/evidence/age_basis.md",
    "credit/evidence/breach_procedure.md",
    "credit/evidence/data_sheet.md",
    "credit/evidence/dpia.md",
    "credit/evidence/human_review_procedure.md",
    "credit/evidence/lawful_basis.md",
    "credit/evidence/literacy_plan.md",
    "credit/evidence/privacy_notice.md",
    "credit/evidence/processing_record.md",
    "credit/evidence/rights_procedure.md",
    "credit/evidence/security_review.md",
    "credit/evidence/technical_file.md",
    "recidivism/system.toml",
    "recidivism/data.csv",
    "recidivism/evidence/data_sheet.md",
    "recidivism/evidence/risk_register.md",
    "recidivism/evidence/special_category_necessity.md",
    "vendor/system.toml",
];

/// Made-up systems that nobody has measured.
const DECLARED: &[(&str, &str)] = &[
    ("cv-screen", include_str!("demo/cv-screen.toml")),
    (
        "support-assistant",
        include_str!("demo/support-assistant.toml"),
    ),
    ("meeting-notes", include_str!("demo/meeting-notes.toml")),
    ("fraud-watch", include_str!("demo/fraud-watch.toml")),
];

/// The organisation of the examples.
const ORGANISATION: &str = "Example Group";

/// Who runs the demonstration's desk.
const OFFICER: &str = "Ines Marchetti";

/// People with their roles.
const PEOPLE: [(&str, &[Role]); 8] = [
    (OFFICER, &[Role::Officer, Role::Administrator]),
    ("Henrik Lund", &[Role::Legal]),
    ("Clara Osei", &[Role::PrivacyOfficer]),
    ("Tomas Beran", &[Role::Engineer]),
    ("Ruth Ansorge", &[Role::SystemOwner]),
    ("Vera Novak", &[Role::Validator]),
    ("Aiko Tanaka", &[Role::Auditor]),
    ("Johanna Brandt", &[Role::Board]),
];

/// What a link that signs in without a choice is for.
pub const ENTER: &str = "enter";

/// How long the links of the demonstration work, in microseconds.
const LINK: i64 = 24 * 3_600 * 1_000_000;

/// Reviews: how many days ago, by whom, of what.
type Reviews = &'static [(i64, &'static str, &'static str)];

const FIRST_REVIEWS: Reviews = &[
    (54, "Piet Vermaas", "recidivism"),
    (52, "Tomas Beran", "credit"),
];
const LAST_REVIEWS: Reviews = &[(6, "Tomas Beran", "credit")];

/// A document that is submitted by itself.
struct Document {
    /// How many days ago.
    days_ago: i64,
    system: &'static str,
    file: &'static str,
    kind: &'static str,
    requirement: &'static str,
    by: &'static str,
    /// How many days before today it counts for the first time.
    effective: i64,
    /// How many days after today it no longer counts.
    expires: i64,
    text: &'static str,
}

/// Made-up documents: one that soon expires, one that has expired.
const DOCUMENTS: [Document; 2] = [
    Document {
        days_ago: 131,
        system: "fraud-watch",
        file: "security_review.md",
        kind: "security_review",
        requirement: "GDPR-32",
        by: "Priya Raman",
        effective: 353,
        expires: 12,
        text: "# Security review\n\nMade up. Access, keys and logs of the scoring service, looked at once a year; nothing serious was found.\n",
    },
    Document {
        days_ago: 126,
        system: "support-assistant",
        file: "literacy_plan.md",
        kind: "training_plan",
        requirement: "EUAIA-4",
        by: "Jonas Weber",
        effective: 374,
        expires: -9,
        text: "# What the support team learns\n\nMade up. Two hours before anybody works beside the assistant, and again after a year.\n",
    },
];

/// A decision on evidence.
struct Ruling {
    /// How many days ago.
    days_ago: i64,
    by: &'static str,
    system: &'static str,
    file: &'static str,
    is_accepted: bool,
    reason: &'static str,
}

/// What was decided on evidence. The rest waits.
const RULINGS: [Ruling; 6] = [
    Ruling {
        days_ago: 119,
        by: "Clara Osei",
        system: "fraud-watch",
        file: "security_review.md",
        is_accepted: true,
        reason: "Covers access, keys and logs; the finding on old accounts was closed in May.",
    },
    Ruling {
        days_ago: 112,
        by: OFFICER,
        system: "support-assistant",
        file: "literacy_plan.md",
        is_accepted: true,
        reason: "Says who learns what before working beside the assistant; due again after a year.",
    },
    Ruling {
        days_ago: 45,
        by: "Henrik Lund",
        system: "credit",
        file: "evidence/lawful_basis.md",
        is_accepted: true,
        reason: "The basis fits the contract that is asked for, and what it does not cover is said.",
    },
    Ruling {
        days_ago: 38,
        by: "Vera Novak",
        system: "credit",
        file: "evidence/data_sheet.md",
        is_accepted: false,
        reason: "Poor for today, as it says itself: name the day on which the bank's own applications replace these, and submit it again.",
    },
    Ruling {
        days_ago: 31,
        by: OFFICER,
        system: "credit",
        file: "evidence/literacy_plan.md",
        is_accepted: true,
        reason: "Names the people, the course and the day by which each has taken it.",
    },
    Ruling {
        days_ago: 17,
        by: "Vera Novak",
        system: "credit",
        file: "evidence/technical_file.md",
        is_accepted: true,
        reason: "Complete for what is built; sections 1 and 2 were checked against the code.",
    },
];

/// Fills a desk with the organisation, unless it has one already.
pub async fn fill(place: &Place) -> Result<(), JobError> {
    if Desk::exists(place).await {
        return Ok(());
    }
    let files = Folder::new()?;
    for (name, bytes) in EXAMPLES {
        let path = files.path().join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| file_error(folder, error))?;
        }
        std::fs::write(&path, bytes).map_err(|error| file_error(&path, error))?;
    }
    let mut story = Story::begin(place).await?;
    story.people().await?;
    story.declarations(files.path()).await?;
    story.reviews(files.path(), FIRST_REVIEWS).await?;
    story.documents().await?;
    story.rulings().await?;
    story.reviews(files.path(), LAST_REVIEWS).await?;
    story.decisions().await?;
    story.desk.close().await?;
    Ok(())
}

/// The steps of the demonstration, each by a person some days ago.
struct Story {
    desk: Desk,
    acting: Acting,
    now: Timestamp,
}

impl Story {
    async fn begin(place: &Place) -> Result<Story, JobError> {
        let flags = Flags {
            desk: place.clone(),
            actor: Some(OFFICER.to_owned()),
            ..Flags::default()
        };
        let acting = Acting::begin(&flags)?;
        let desk = acting.desk_or_new().await?;
        Ok(Story {
            desk,
            now: acting.now,
            acting,
        })
    }

    /// Sets the clock back and says who acts.
    fn by(&mut self, days_ago: i64, actor: &str) {
        // Some minutes later each time, so that no two steps fall on one instant.
        let minutes = i64::try_from(self.desk.size()).unwrap_or(0);
        let at = self.now - (days_ago * 24).hours() + minutes.minutes() - 10.hours();
        self.acting.now = at;
        self.acting.actor = actor.to_owned();
    }

    fn today(&self) -> Date {
        self.now.to_zoned(TimeZone::UTC).date()
    }

    async fn enter(
        &mut self,
        days_ago: i64,
        actor: &str,
        command: Command,
    ) -> Result<(), JobError> {
        self.by(days_ago, actor);
        let declaration = match &command {
            Command::DeclareSystem(new) => Some(new.declaration.clone()),
            _ => None,
        };
        let with = self.acting.context(&self.desk, declaration.as_ref())?;
        self.acting
            .commit(&mut self.desk, &command, &with)
            .await
            .map(drop)
    }

    async fn people(&mut self) -> Result<(), JobError> {
        let organisation = ORGANISATION.to_owned();
        self.enter(178, OFFICER, Command::OpenDesk { organisation })
            .await?;
        for (person, roles) in PEOPLE {
            let command = Command::GrantRoles {
                person: person.to_owned(),
                roles: roles.to_vec(),
                reason: "opening of the desk".to_owned(),
            };
            self.enter(178, OFFICER, command).await?;
        }
        Ok(())
    }

    async fn declarations(&mut self, files: &Path) -> Result<(), JobError> {
        let vendor = files.join("vendor/system.toml");
        let mut declared = vec![review::read_declaration(&self.acting.library, &vendor)?];
        for (name, text) in DECLARED {
            let path = files.join(format!("{name}.toml"));
            std::fs::write(&path, text).map_err(|error| file_error(&path, error))?;
            declared.push(review::read_declaration(&self.acting.library, &path)?);
        }
        for (declaration, days_ago) in declared.into_iter().zip([12, 104, 170, 75, 160]) {
            let actor = declaration.owner.clone();
            let new = NewDeclaration {
                declaration,
                expected: None,
            };
            let command = Command::DeclareSystem(Box::new(new));
            self.enter(days_ago, &actor, command).await?;
        }
        Ok(())
    }

    async fn reviews(&mut self, files: &Path, reviews: Reviews) -> Result<(), JobError> {
        for (days_ago, actor, system) in reviews {
            self.review(*days_ago, actor, files, system).await?;
        }
        Ok(())
    }

    async fn documents(&mut self) -> Result<(), JobError> {
        for document in &DOCUMENTS {
            let day = |days: i64| self.today().saturating_add(days.days());
            let offered = OfferedEvidence {
                declared: DeclaredEvidence {
                    file: document.file.to_owned(),
                    kind: document.kind.to_owned(),
                    requirements: vec![document.requirement.to_owned()],
                    effective: day(-document.effective),
                    expires: Some(day(document.expires)),
                    submitted_by: document.by.to_owned(),
                    signature: None,
                },
                sha256: sha256(document.text.as_bytes()),
                bytes: Arc::new(document.text.as_bytes().to_vec()),
                note: None,
            };
            let command = Command::AddEvidence {
                system: document.system.to_owned(),
                offered,
            };
            self.enter(document.days_ago, document.by, command).await?;
        }
        Ok(())
    }

    async fn rulings(&mut self) -> Result<(), JobError> {
        for ruling in &RULINGS {
            let state = self.desk.state();
            let is_meant = |evidence: &&Evidence| {
                evidence.submitted.system == ruling.system && evidence.submitted.file == ruling.file
            };
            let found = state.evidence.values().find(is_meant);
            let found = found.ok_or_else(|| {
                JobError::Internal(format!("the demonstration has no `{}`", ruling.file))
            })?;
            let decided = EvidenceRuling {
                evidence: found.submitted.evidence.clone(),
                requirements: Vec::new(),
                reason: ruling.reason.to_owned(),
            };
            let command = match ruling.is_accepted {
                true => Command::AcceptEvidence(decided),
                false => Command::RejectEvidence(decided),
            };
            self.enter(ruling.days_ago, ruling.by, command).await?;
        }
        Ok(())
    }

    async fn review(
        &mut self,
        days_ago: i64,
        actor: &str,
        files: &Path,
        system: &str,
    ) -> Result<(), JobError> {
        self.by(days_ago, actor);
        let file = files.join(system).join("system.toml");
        let mut draft = review::draft(&self.acting, &file, Gate::Launch)?;
        let with = self.acting.context(&self.desk, Some(&draft.declaration))?;
        review::measure(&mut draft, &self.desk.state(), &with, &file, &|_| {})?;
        review::seal(&self.acting, &mut self.desk, &mut draft, &with)
            .await
            .map(drop)
    }

    async fn decisions(&mut self) -> Result<(), JobError> {
        let soon = self.today().saturating_add(9.days());
        let later = self.today().saturating_add(33.days());
        let task = |what: &str, system: &str, owner: &str, due: Date| NewTask {
            what: what.to_owned(),
            why: Why::Reason("monthly meeting on AI systems".to_owned()),
            system: Some(system.to_owned()),
            requirement: None,
            owner: owner.to_owned(),
            due,
        };
        let tasks = vec![
            task(
                "Find an independent auditor for the bias audit of the CV screening",
                "cv-screen",
                OFFICER,
                soon,
            ),
            task(
                "Say in the chat window that customers talk to a machine",
                "support-assistant",
                "Jonas Weber",
                later,
            ),
        ];
        self.enter(5, OFFICER, Command::OpenTasks(tasks)).await?;
        let exception = NewException {
            system: "recidivism".to_owned(),
            subject: "impact-ratio".to_owned(),
            reason: "the score is kept to show what it did; nobody decides by it".to_owned(),
            measures: "access for the audit team alone; no interface to case files".to_owned(),
            expires: self.today().saturating_add(120.days()),
        };
        self.enter(4, OFFICER, Command::GrantException(Box::new(exception)))
            .await?;
        let comment = Command::Comment {
            about: About::System("credit".to_owned()),
            text: "The threshold of 0.6 was chosen before the last two quarters of data; please say why it still stands.".to_owned(),
        };
        self.enter(3, "Vera Novak", comment).await?;
        self.opinion().await
    }

    /// What the auditor concludes on the record as it was before.
    async fn opinion(&mut self) -> Result<(), JobError> {
        let read = read_in(&self.desk, "credit", None, None).await?;
        let opinion = NewAuditOpinion {
            system: "credit".to_owned(),
            conclusion: Conclusion::Qualified,
            basis: "Read: every entry about the system, its last review recomputed from the sealed counts, and the documents offered as evidence. The figures follow from the counts. Except: most of the evidence was accepted by nobody when this was read, and the threshold of 0.6 has no basis on record.".to_owned(),
            size: read.size,
            root: read.root,
            note: None,
        };
        self.enter(2, "Aiko Tanaka", Command::GiveOpinion(Box::new(opinion)))
            .await
    }
}

/// Links that sign in as the people of the demonstration, the officer first: who, and the path.
pub async fn links(seat: &Seat) -> Result<Vec<(String, String)>, JobError> {
    let Some(organisation) = seat.organisation() else {
        return Ok(Vec::new());
    };
    let mut links = Vec::new();
    for (name, roles) in PEOPLE {
        let titles: Vec<&str> = roles.iter().map(|role| role.title()).collect();
        let path = link(organisation, name).await?;
        links.push((format!("{name} ({})", titles.join(", ")), path));
    }
    Ok(links)
}

async fn link(organisation: &Organisation, name: &str) -> Result<String, JobError> {
    let secret = Secret::new()?;
    let person = settle(organisation, name).await?;
    let expires = session::now() + LINK;
    let invited = organisation
        .accounts
        .invite(&secret.hash(), Some(&person), ENTER, expires)
        .await;
    invited.map_err(internal)?;
    Ok(format!(
        "/{}/welcome/{}",
        organisation.slug,
        secret.reveal()
    ))
}

/// Gives somebody an account without a password where they have none; their id.
pub async fn settle(organisation: &Organisation, name: &str) -> Result<String, JobError> {
    let moment = organisation.moment();
    let person = moment.state.person(name).map(str::to_owned);
    let person = person
        .ok_or_else(|| JobError::Internal(format!("`{name}` is nobody of the demonstration")))?;
    let accounts = &organisation.accounts;
    let account = accounts.of_person(&person).await.map_err(internal)?;
    if account.is_none() {
        let account = NewAccount {
            person: person.clone(),
            login: name.replace(' ', "."),
            password: None,
            at: session::now(),
        };
        accounts.add(&account).await.map_err(internal)?;
    }
    Ok(person)
}

fn internal(error: AccountError) -> JobError {
    JobError::Internal(error.to_string())
}
