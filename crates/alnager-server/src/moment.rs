//! Moments: what a page is made of. Never changed; a newer one takes its place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use alnager_audit::measures::Measures;
use alnager_law::requirement::AsOf;
use alnager_office::assess::{Assessment, assess};
use alnager_office::derived::{Derived, DerivedSystem, Interner, derive};
use alnager_office::gate::Gate;
use alnager_office::state::State;
use alnager_office::system::System;
use alnager_store::{Desk, Standing, Writer};
use alnager_work::dossier::sealed_measures;
use alnager_work::error::JobError;
use alnager_work::law::pack;
use alnager_work::library::{self, Library};
use alnager_work::review::gate_day;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::sync::watch;

use crate::digest::Digest;
use crate::pages::Needs;

/// The organisation at one moment: everything the journal says, the law in use, and what follows from both.
#[derive(Debug, Clone)]
pub struct Moment {
    /// Everything the journal says.
    pub state: Arc<State>,
    /// The law and policy in use.
    pub library: Arc<Library>,
    /// The same, as commands are decided by it.
    pub standing: Arc<Standing>,
    /// How every system stands.
    pub derived: Derived,
    /// What was measured of each system, with the review that sealed it.
    pub measures: Arc<HashMap<String, Measured>>,
    /// Today in the organisation's time zone.
    pub today: Date,
    /// What rooms show across all systems.
    pub digest: Arc<Digest>,
    /// What waits for each person, once somebody has asked for it.
    pub needs: Arc<Asked>,
    /// How many systems are still to be worked out.
    pub n_behind: usize,
}

/// What waits for each person: worked out when they first ask, and kept as long as the moment.
#[derive(Debug, Default)]
pub struct Asked(Mutex<HashMap<String, Arc<Needs>>>);

impl Asked {
    /// What waits for a person.
    pub fn of(&self, person: &str, work: impl FnOnce() -> Needs) -> Arc<Needs> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known().get(person).cloned();
        found.unwrap_or_else(|| {
            let needs = Arc::new(work());
            known().insert(person.to_owned(), Arc::clone(&needs));
            needs
        })
    }
}

/// What a review sealed of measurements.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The review's entry.
    pub review: u64,
    /// The measures.
    pub measures: Arc<Vec<Measures>>,
    /// Warnings of the measurement.
    pub warnings: Arc<Vec<String>>,
}

/// How often the clock is looked at: the day changes at midnight whether or not anybody writes.
const LOOK: Duration = Duration::from_secs(20);

/// How long many systems are worked out before what is known so far is published.
const PUBLISH: Duration = Duration::from_millis(400);

impl Moment {
    /// How a system stands; `None` while that is worked out, or where there is no such system.
    pub fn standing(&self, system: &str) -> Option<&Arc<DerivedSystem>> {
        self.derived.system(system)
    }

    /// The day a system is judged on: that of going live, or today once it is in use; law known today counts.
    pub fn when(&self, system: &System) -> AsOf {
        when(system, self.today)
    }

    /// A system's whole assessment, worked out now: requirements with their proofs, tests, blockers. A few milliseconds at most.
    pub fn assessment(&self, system: &str, as_of: Option<AsOf>) -> Option<Assessment> {
        self.assessment_at(system, as_of, Gate::Launch)
    }

    /// The same, of what a gate looks at.
    pub fn assessment_at(
        &self,
        system: &str,
        as_of: Option<AsOf>,
        gate: Gate,
    ) -> Option<Assessment> {
        let known = self.state.systems.get(system)?;
        let measures = self.measures.get(system);
        let measures = measures.map_or_else(Vec::new, |found| found.measures.as_ref().clone());
        let (book, policy) = (&self.library.book, &self.library.policy);
        let when = as_of.unwrap_or_else(|| self.when(known));
        assess(&self.state, system, book, policy, measures, when, gate)
            .ok()
            .flatten()
    }

    /// Warnings of a system's latest measurement.
    pub fn warnings(&self, system: &str) -> Vec<String> {
        let measured = self.measures.get(system);
        measured.map_or_else(Vec::new, |found| found.warnings.as_ref().clone())
    }
}

fn standing(library: &Library) -> Standing {
    Standing {
        book: library.book.clone(),
        policy: library.policy.clone(),
        stamp: library.stamp.clone(),
        texts: library.texts.clone(),
    }
}

fn when(system: &System, today: Date) -> AsOf {
    AsOf {
        valid: gate_day(&system.declaration).unwrap_or(today),
        known: today,
    }
}

/// Keeps the moment up to date, in a thread of its own. It ends when nobody looks at moments any more.
pub struct Deriver {
    desk: Desk,
    zone: TimeZone,
    shared: Interner,
}

impl Deriver {
    /// Works out the first moment of a desk and starts the thread that follows the writer.
    pub async fn start(
        desk: Desk,
        writer: &Writer,
        zone: TimeZone,
    ) -> Result<watch::Receiver<Arc<Moment>>, JobError> {
        let mut deriver = Deriver {
            desk,
            zone,
            shared: Interner::default(),
        };
        let library = deriver.library(&writer.state()).await?;
        let first = Moment {
            state: writer.state(),
            standing: Arc::new(standing(&library)),
            library: Arc::new(library),
            derived: Derived::default(),
            measures: Arc::default(),
            today: deriver.today(),
            digest: Arc::default(),
            needs: Arc::default(),
            n_behind: writer.state().systems.len(),
        };
        let (publish, moments) = watch::channel(Arc::new(first));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| JobError::Internal(format!("no further thread: {error}")))?;
        let writer = writer.clone();
        std::thread::Builder::new()
            .name("alnager-derive".to_owned())
            .spawn(move || runtime.block_on(deriver.follow(&writer, &publish)))
            .map_err(|error| JobError::Internal(format!("no further thread: {error}")))?;
        Ok(moments)
    }

    fn today(&self) -> Date {
        Timestamp::now().to_zoned(self.zone.clone()).date()
    }

    /// The law in use: what ships, with what the desk has installed.
    async fn library(&mut self, state: &State) -> Result<Library, JobError> {
        if state.packs.is_empty() {
            return Ok(library::shipped()?);
        }
        let files = pack::desk_files(&self.desk, state).await?;
        Ok(library::of_files(&files)?)
    }

    async fn follow(mut self, writer: &Writer, publish: &watch::Sender<Arc<Moment>>) {
        while !publish.is_closed() {
            let known = publish.borrow().clone();
            let state = writer.state();
            let today = self.today();
            let is_behind = known.n_behind > 0;
            if state.size == known.state.size && today == known.today && !is_behind {
                let news = writer.state_from(state.size + 1);
                tokio::select! {
                    found = news => if found.is_none() { return },
                    () = tokio::time::sleep(LOOK) => {}
                    () = publish.closed() => return,
                }
                continue;
            }
            self.bring_up(&known, state, today, publish).await;
        }
    }

    /// Works out what changed since a moment, publishing on the way where that takes long.
    async fn bring_up(
        &mut self,
        known: &Moment,
        state: Arc<State>,
        today: Date,
        publish: &watch::Sender<Arc<Moment>>,
    ) {
        let mut moment = Moment {
            state,
            today,
            ..known.clone()
        };
        if moment.state.packs != known.state.packs {
            // A pack that does not fit leaves the law as it was; `alnager law pack list` says so.
            if let Ok(library) = self.library(&moment.state).await {
                moment.standing = Arc::new(standing(&library));
                moment.library = Arc::new(library);
                moment.derived = Derived::default();
            }
        }
        // Reading what was measured needs the entries up to here.
        let _ = self.desk.catch_up().await;
        self.desk.share(&moment.state);
        let behind = moment
            .derived
            .behind(&moment.state, &|system| when(system, today));
        moment.n_behind = behind.len();
        let mut published = Instant::now();
        for system in behind {
            self.measure(&mut moment, &system).await;
            self.put(&mut moment, &system);
            moment.n_behind -= 1;
            if published.elapsed() > PUBLISH {
                moment.digest = Arc::new(Digest::of(&moment.state, &moment.derived, today));
                moment.needs = Arc::default();
                publish.send_replace(Arc::new(moment.clone()));
                published = Instant::now();
            }
        }
        moment.n_behind = 0;
        self.shared.forget_unused();
        moment.digest = Arc::new(Digest::of(&moment.state, &moment.derived, today));
        moment.needs = Arc::default();
        publish.send_replace(Arc::new(moment));
    }

    /// Reads what a system's latest review measured, where that is not known yet. What cannot be read counts as not measured.
    async fn measure(&mut self, moment: &mut Moment, id: &str) {
        let Some(system) = moment.state.systems.get(id) else {
            return;
        };
        let Some(review) = &system.review else {
            return;
        };
        let known = moment.measures.get(id).map(|measured| measured.review);
        if known == Some(review.at) {
            return;
        }
        let sealed = sealed_measures(&self.desk, review.at, &system.declaration.audits).await;
        if let Ok((measures, warnings)) = sealed {
            let measured = Measured {
                review: review.at,
                measures: Arc::new(measures),
                warnings: Arc::new(warnings),
            };
            Arc::make_mut(&mut moment.measures).insert(id.to_owned(), measured);
        }
    }

    fn put(&mut self, moment: &mut Moment, id: &str) {
        let Some(system) = moment.state.systems.get(id) else {
            return;
        };
        let when = when(system, moment.today);
        let measured = moment.measures.get(id);
        let measures = measured.map_or_else(Vec::new, |found| found.measures.as_ref().clone());
        let (book, policy) = (&moment.library.book, &moment.library.policy);
        let found = derive(
            &moment.state,
            id,
            book,
            policy,
            measures,
            when,
            &mut self.shared,
        );
        if let Ok(Some(standing)) = found {
            moment.derived.put(id, standing);
        }
    }
}
