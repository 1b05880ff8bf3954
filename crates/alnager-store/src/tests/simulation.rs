//! Histories made of a seed, with a small model beside them that is compared after every step.
//!
//! A seed gives people, commands, instants, ids, faults of the storage and of the network to a witness. One history is run
//! again alone with `ALNAGER_SEED`; `ALNAGER_SEEDS` says how many there are.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use alnager_journal::merkle::verify_consistency;
use alnager_journal::note::{Signature, SigningKey, VerifyingKey};
use alnager_journal::witness::{Held, Refusal, Request, judge};
use alnager_office::people::Basis;
use alnager_office::state::State;
use alnager_office::task::{NewTask, Why};
use jiff::Timestamp;

use super::*;
use crate::desk::Files;
use crate::fault::Faults;
use crate::log::Log;
use crate::{By, Fork, Order};

/// Histories of a normal run.
const SEEDS: u64 = 200;
/// Steps of a history.
const STEPS: u64 = 40;
/// People who can act at any time.
const N_PEOPLE: u64 = 5;

struct Random(Entropy);

impl Random {
    fn number(&mut self) -> u64 {
        u64::from_be_bytes(self.0.bytes().unwrap())
    }

    /// Below `n`.
    fn below(&mut self, n: u64) -> u64 {
        self.number() % n
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn id(&mut self) -> Uuid {
        self.0.id(UNIX_MS).unwrap()
    }
}

/// What a command changes, as far as the model knows.
#[derive(Clone, Debug)]
enum Effect {
    Nothing,
    Evidence(String),
    Ruling(String, bool),
    Task(String),
    Done(String),
    Hold(String),
    Release(String),
    Erasure(String),
}

/// A command that was submitted at least once.
struct Asked {
    command: Command,
    effect: Effect,
    actor: String,
    at: String,
}

/// What is expected of the journal. Cloned with a copy of it, and taken back with it.
#[derive(Clone, Default)]
struct Model {
    /// The command of each entry.
    commands: Vec<Uuid>,
    /// The entries of each command.
    runs: BTreeMap<Uuid, (u64, u64)>,
    acknowledged: BTreeMap<Uuid, (u64, u64)>,
    files: BTreeSet<String>,
    rulings: BTreeMap<String, bool>,
    tasks: BTreeSet<String>,
    done: BTreeSet<String>,
    holds: BTreeSet<String>,
    erasures: BTreeSet<String>,
    /// Checkpoints that were seen, smallest first.
    signed: Vec<SignedCheckpoint>,
    cosigned: Vec<(u64, String)>,
}

impl Model {
    fn apply(&mut self, effect: &Effect) {
        match effect.clone() {
            Effect::Nothing => {}
            Effect::Evidence(file) => drop(self.files.insert(file)),
            Effect::Ruling(evidence, is_accepted) => {
                self.rulings.insert(evidence, is_accepted);
            }
            Effect::Task(what) => drop(self.tasks.insert(what)),
            Effect::Done(task) => drop(self.done.insert(task)),
            Effect::Hold(person) => drop(self.holds.insert(person)),
            Effect::Release(person) => drop(self.holds.remove(&person)),
            Effect::Erasure(person) => drop(self.erasures.insert(person)),
        }
    }
}

/// A witness, with what it has promised to remember.
struct Witness {
    key: SigningKey,
    held: BTreeMap<String, Held>,
    logs: Vec<VerifyingKey>,
    unix_s: u64,
}

impl Witness {
    fn answer(&mut self, body: &str) -> Result<Signature, Refusal> {
        let request = Request::parse(body.as_bytes())?;
        let origin = request.checkpoint.checkpoint().origin().to_owned();
        let held = self.held.get(&origin).copied();
        let accepted = judge(&request, &self.logs, held.unwrap_or_else(Held::nothing))?;
        self.held.insert(origin, accepted.held);
        self.unix_s += 1;
        Ok(self.key.cosign(accepted.note.text(), self.unix_s))
    }
}

/// What a submission may end with.
enum Answer {
    Entered {
        first: u64,
        end: u64,
        already: bool,
    },
    Refused,
    /// The entries are there, and the guard is behind.
    Behind,
    /// Nothing was entered now.
    Failed,
    Unknown,
}

struct Simulation<'w> {
    world: &'w World,
    seed: u64,
    step: u64,
    random: Random,
    desks: Vec<Desk>,
    model: Model,
    asked: BTreeMap<Uuid, Asked>,
    people: Vec<String>,
    n_named: u64,
    n_documents: u32,
    /// Names by person id, as the journal once had them.
    names: BTreeMap<String, String>,
    /// Ids of people whose names must never be read again.
    gone: BTreeSet<String>,
    copy: Option<(Vec<u8>, Model)>,
    witness: Witness,
    unix_ms: u64,
    /// Whether a fault has struck in this step.
    has_struck: bool,
    told: Vec<String>,
}

impl Drop for Simulation<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Simulation {
                seed, step, told, ..
            } = self;
            println!(
                "step {step} of seed {seed}; run it alone with ALNAGER_SEED={seed}:\n{}",
                told.join("\n")
            );
        }
    }
}

impl<'w> Simulation<'w> {
    fn new(world: &'w World, seed: u64) -> Simulation<'w> {
        let mut random = Random(Entropy::Seeded(seed));
        let fresh = Fresh {
            org: random.id(),
            origin: ORIGIN.to_owned(),
        };
        let entropy = Entropy::Seeded(random.number());
        let place = world.place();
        let opened = Desk::open_or_new_with(&place, fresh, Faults::default(), entropy);
        let desk = world.run(opened).unwrap();
        let witness = Witness {
            key: SigningKey::new("example.net/witness", &[7; 32]).unwrap(),
            held: BTreeMap::new(),
            logs: Vec::new(),
            unix_s: UNIX_MS / 1_000,
        };
        let mut simulation = Simulation {
            world,
            seed,
            step: 0,
            random,
            desks: vec![desk],
            model: Model::default(),
            asked: BTreeMap::new(),
            people: Vec::new(),
            n_named: 0,
            n_documents: 0,
            names: BTreeMap::new(),
            gone: BTreeSet::new(),
            copy: None,
            witness,
            unix_ms: UNIX_MS,
            has_struck: false,
            told: Vec::new(),
        };
        (0..N_PEOPLE).for_each(|_| simulation.new_person());
        let review = simulation.review();
        let id = simulation.ask(review, Effect::Nothing);
        if let Some(asked) = simulation.asked.get_mut(&id) {
            AT.clone_into(&mut asked.at);
        }
        simulation.enter(&[(id, None)], 0);
        simulation.observe();
        simulation
    }

    /// Runs the whole history; the root it ends with.
    fn run(mut self) -> (u64, Hash) {
        for step in 1..=STEPS {
            self.step = step;
            self.act();
            self.observe();
        }
        self.verify();
        let checkpoint = self.desks[0].checkpoint().checkpoint();
        (checkpoint.size(), checkpoint.root())
    }

    fn tell(&mut self, what: impl Into<String>) {
        self.told.push(format!("{:>3} {}", self.step, what.into()));
    }

    fn new_person(&mut self) {
        self.n_named += 1;
        self.people.push(format!("Person Number{}", self.n_named));
    }

    fn person(&mut self) -> String {
        let at = self.random.below(self.people.len() as u64);
        self.people[at as usize].clone()
    }

    fn place(&self) -> Place {
        self.world.place()
    }

    /// Opens the desk again without faults.
    fn open(&mut self) -> Desk {
        let mut desk = self.world.open().unwrap();
        desk.entropy = Entropy::Seeded(self.random.number());
        desk
    }

    /// The clock of whoever asks; now and then it is set back.
    fn now(&mut self) -> String {
        match self.random.chance(8) {
            true => self.unix_ms -= self.random.below(86_400_000),
            false => self.unix_ms += self.random.below(600_000),
        }
        let at = Timestamp::from_millisecond(self.unix_ms as i64).unwrap();
        at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
    }

    fn ask(&mut self, command: Command, effect: Effect) -> Uuid {
        let id = self.random.id();
        let (actor, mut at) = (self.person(), self.now());
        if self.random.chance(1) {
            at = "yesterday".to_owned();
        }
        self.asked.insert(
            id,
            Asked {
                command,
                effect,
                actor,
                at,
            },
        );
        id
    }

    fn review(&mut self) -> Command {
        let (owner, submitter) = (self.person(), self.person());
        let text = format!(
            "schema = 'alnager.system/1'\nid = 'sys'\nname = 'S'\norganisation = '{ORGANISATION}'\nowner = '{owner}'\n\
             purpose = 'p'\nstage = 'validation'\n\
             [facts]\ndecides = {{ value = true, by = '{owner}', on = 2026-01-01, basis = 'b' }}\n\
             [[evidence]]\nfile = 'minutes.md'\nkind = 'minutes'\nrequirements = ['X-before']\neffective = 2026-01-01\n\
             submitted_by = '{submitter}'\n"
        );
        let World { book, policy, .. } = self.world;
        let declaration = Declaration::parse("system.toml", &text, book, policy).unwrap();
        match self.world.review() {
            Command::Review(review) => Command::Review(Box::new(Review {
                declaration,
                ..*review
            })),
            other => other,
        }
    }

    /// Some command: many are valid, some are not.
    fn command(&mut self) -> (Command, Effect) {
        let person = self.person();
        let reason = "because".to_owned();
        match self.random.below(24) {
            0 | 1 => (self.review(), Effect::Nothing),
            2..=7 => {
                let is_new = self.n_documents == 0 || self.random.chance(85);
                self.n_documents += u32::from(is_new);
                let n = match is_new {
                    true => self.n_documents,
                    false => 1 + self.random.below(u64::from(self.n_documents)) as u32,
                };
                let mut command = self.world.evidence(n);
                if let Command::AddEvidence { offered, .. } = &mut command {
                    offered.declared.submitted_by = person;
                }
                (command, Effect::Evidence(format!("minutes-{n}.md")))
            }
            8..=11 => {
                let n = 1 + self.random.below(self.model.files.len() as u64 + 1);
                let is_accepted = self.random.chance(60);
                let evidence = format!("E{n}");
                let ruling = EvidenceRuling {
                    evidence: evidence.clone(),
                    requirements: Vec::new(),
                    reason,
                };
                let command = match is_accepted {
                    true => Command::AcceptEvidence(ruling),
                    false => Command::RejectEvidence(ruling),
                };
                (command, Effect::Ruling(evidence, is_accepted))
            }
            12..=15 => {
                let what = format!("do {}", self.random.below(40));
                let task = NewTask {
                    what: what.clone(),
                    why: Why::Reason(reason),
                    system: self.random.chance(50).then(|| "sys".to_owned()),
                    requirement: None,
                    owner: person,
                    due: "2027-01-31".parse().unwrap(),
                };
                (Command::OpenTasks(vec![task]), Effect::Task(what))
            }
            16 | 17 => {
                let task = format!("T{}", 1 + self.random.below(12));
                let command = Command::FinishTask {
                    task: task.clone(),
                    note: reason,
                };
                (command, Effect::Done(task))
            }
            18 | 19 => {
                let command = Command::PlaceHold {
                    person: person.clone(),
                    reason,
                };
                (command, Effect::Hold(person))
            }
            20 => {
                let command = Command::ReleaseHold {
                    person: person.clone(),
                    reason,
                };
                (command, Effect::Release(person))
            }
            21 => {
                let command = Command::ConfirmFact {
                    system: "sys".to_owned(),
                    fact: "decides".to_owned(),
                    value: None,
                    basis: reason,
                };
                (command, Effect::Nothing)
            }
            22 => {
                let command = Command::AdoptFramework {
                    pack: "x".to_owned(),
                    is_adopted: self.random.chance(50),
                    reason,
                };
                (command, Effect::Nothing)
            }
            _ => {
                // Asked for, and left for later.
                let command = erasure(&person);
                (command, Effect::Erasure(person))
            }
        }
    }

    /// One step: something is done with one of the desks, which may have a fault.
    fn act(&mut self) {
        self.has_struck = false;
        let at = self.random.below(self.desks.len() as u64) as usize;
        let what = self.random.below(100);
        let is_faulty = self.random.chance(30);
        let (calls, stays_down) = (self.random.below(36), self.random.chance(30));
        let fault = [Fault::Refused, Fault::AnswerLost, Fault::Torn][self.random.below(3) as usize];
        if is_faulty {
            self.tell(format!(
                "fault {fault:?} after {calls}, stays down: {stays_down}"
            ));
            self.desks[at].faults.plan(calls, fault, stays_down);
        }
        match what {
            0..34 => self.submit(at, 1),
            34..46 => {
                let n = 2 + self.random.below(5);
                self.submit(at, n);
            }
            46..52 => self.submit_again(at),
            52..58 => self.erase(at),
            58..62 => self.rotate_log_key(at),
            62..65 => {
                self.tell(format!("desk {at}: another kek"));
                let done = self.world.run(self.desks[at].rotate_kek());
                self.excuse(done);
            }
            65..69 => {
                self.tell(format!("desk {at} is opened again"));
                drop(self.desks.remove(at));
                // With faults of its own.
                let faults = Faults::default();
                if is_faulty {
                    faults.plan(calls, fault, stays_down);
                }
                let opened = self
                    .world
                    .run(Desk::open_with(&self.place(), faults.clone()));
                let has_struck = faults.has_struck();
                faults.clear();
                match opened {
                    Ok(mut desk) => {
                        desk.entropy = Entropy::Seeded(self.random.number());
                        self.desks.insert(at, desk);
                    }
                    Err(error) => assert!(has_struck, "{error}: {error:?}"),
                }
            }
            65..73 if self.desks.len() < 3 => {
                self.tell("one more desk");
                let desk = self.open();
                self.desks.push(desk);
            }
            69..73 => {
                self.tell(format!("desk {at} is closed"));
                let desk = self.desks.remove(at);
                self.world.run(desk.close()).unwrap();
            }
            73..76 => self.copy(),
            76..79 => self.put_back(),
            79..82 => {
                self.tell(format!("desk {at}: rebuild"));
                let done = self.world.run(self.desks[at].rebuild(&|_, _| {}));
                self.excuse(done);
            }
            82..86 => {
                self.tell(format!("desk {at}: snapshot"));
                let done = self.world.run(self.desks[at].write_snapshot());
                self.excuse(done);
            }
            86..92 => self.ask_witness(at),
            92..96 => self.read_earlier(at),
            _ => {
                self.calm();
                self.verify();
            }
        }
        self.calm();
        // Some steps have taken the desk away.
        if self.has_struck && stays_down && at < self.desks.len() {
            self.tell(format!("desk {at} is killed"));
            drop(self.desks.remove(at));
        }
    }

    /// A failure is in order if there was a fault. Whether it went well.
    fn excuse<T>(&mut self, done: Result<T, impl std::error::Error>) -> Option<T> {
        match done {
            Ok(done) => Some(done),
            Err(error) => {
                self.calm();
                assert!(self.has_struck, "{error}: {error:?}");
                self.tell(format!("failed: {error}"));
                None
            }
        }
    }

    /// Enters `n` commands at once: sometimes one of them twice, sometimes one decided on an older journal.
    fn submit(&mut self, at: usize, n: u64) {
        let mut group: Vec<(Uuid, Option<u64>)> = Vec::new();
        for _ in 0..n {
            if !group.is_empty() && self.random.chance(15) {
                let twice = group[self.random.below(group.len() as u64) as usize].0;
                group.push((twice, None));
                continue;
            }
            let (command, effect) = self.command();
            let expected = self
                .random
                .chance(15)
                .then(|| self.desks[at].size() - self.random.below(2));
            // Behind it the same name would be that of somebody new.
            let is_last = matches!(effect, Effect::Erasure(_));
            group.push((self.ask(command, effect), expected));
            if is_last {
                break;
            }
        }
        self.enter(&group, at);
    }

    /// Submits commands of earlier again, whatever became of them.
    fn submit_again(&mut self, at: usize) {
        let ids: Vec<Uuid> = self.asked.keys().copied().collect();
        let n = 1 + self.random.below(3);
        let mut group: Vec<_> = (0..n)
            .map(|_| ids[self.random.below(ids.len() as u64) as usize])
            .filter(|id| {
                // Nobody who was erased acts again, or is named again. Whoever was named and erased in one group was never seen by name.
                let asked = &self.asked[id];
                let shown = format!("{:?} {}", asked.command, asked.actor);
                let retired = |name: &&String| !self.people.contains(*name);
                let names = self.names.values().chain(&self.model.erasures);
                !names.filter(retired).any(|name| mentions(&shown, name))
            })
            .map(|id| (id, None))
            .collect();
        let is_erasure = |id: &Uuid| matches!(self.asked[id].effect, Effect::Erasure(_));
        if let Some(last) = group.iter().position(|(id, _)| is_erasure(id)) {
            group.truncate(last + 1);
        }
        if !group.is_empty() {
            self.enter(&group, at);
        }
    }

    fn enter(&mut self, group: &[(Uuid, Option<u64>)], at: usize) {
        let world = self.world;
        let contexts: Vec<Context<'_>> = group
            .iter()
            .map(|(id, _)| context(world, &mut self.random, &self.asked[id].actor))
            .collect();
        let orders: Vec<Order<'_>> = group
            .iter()
            .zip(&contexts)
            .map(|((id, expected), with)| Order {
                id: *id,
                at: &self.asked[id].at,
                command: &self.asked[id].command,
                with,
                expected: *expected,
            })
            .collect();
        let answers = world.run(self.desks[at].enter_all(&orders));
        drop(orders);
        assert_eq!(answers.len(), group.len());
        self.calm();
        let has_struck = self.has_struck;
        let before = self.model.runs.clone();
        let mut ends = Vec::new();
        for ((id, _), answer) in group.iter().zip(answers) {
            let shown = match &answer {
                Ok(receipt) => format!(
                    "{}..{}, already: {}",
                    receipt.first, receipt.end, receipt.already
                ),
                Err(error) => error.to_string(),
            };
            let effect = self.asked[id].effect.clone();
            self.tell(format!("desk {at}: {id} {effect:?}: {shown}"));
            if let Ok(receipt) = &answer {
                self.check_receipt(at, receipt);
            }
            ends.push((*id, judged(answer, has_struck)));
        }
        self.observe();
        let mut n_behind = 0;
        for (id, end) in &ends {
            let (was, is) = (before.get(id), self.model.runs.get(id));
            let is_twice = group.iter().filter(|(other, _)| other == id).count() > 1;
            match *end {
                Answer::Entered {
                    first,
                    end,
                    already,
                } if first < end => {
                    assert_eq!(is, Some(&(first, end)), "{id}");
                    assert!(already == was.is_some() || is_twice, "{id}");
                    self.model.acknowledged.insert(*id, (first, end));
                }
                // Later in the group it may be in order.
                Answer::Entered { .. } | Answer::Refused => {
                    assert!(is.is_none() || is_twice, "{id}")
                }
                Answer::Failed => assert!(is == was || is_twice, "{id} was entered"),
                Answer::Behind => n_behind += u64::from(is.is_some()),
                Answer::Unknown => {}
            }
        }
        if ends.iter().any(|(_, end)| matches!(end, Answer::Behind)) {
            assert!(n_behind > 0, "nothing was entered");
        }
    }

    fn check_receipt(&self, at: usize, receipt: &Receipt) {
        let signed = SignedCheckpoint::parse(receipt.checkpoint.as_bytes()).unwrap();
        let stated = signed.checkpoint();
        assert_eq!(
            (stated.size(), stated.root(), stated.origin()),
            (receipt.size, receipt.root, receipt.origin.as_str())
        );
        assert!(receipt.first <= receipt.end && receipt.end <= receipt.size);
        let desk = &self.desks[at];
        assert!(receipt.size <= desk.size());
    }

    /// Erases someone, or finishes what was left of it.
    fn erase(&mut self, at: usize) {
        let person = match self.desks[at]
            .state()
            .erased
            .iter()
            .find(|(_, erased)| erased.executed.is_none())
        {
            Some((id, _)) if self.random.chance(60) => id.clone(),
            _ => {
                let name = self.person();
                match self.desks[at].state().person(&name) {
                    Some(id) => id.to_owned(),
                    None => return,
                }
            }
        };
        let Some(name) = self.names.get(&person).cloned() else {
            return;
        };
        self.tell(format!("desk {at}: erase {name}"));
        let request = erasure(&person);
        let id = self.random.id();
        let (actor, at_instant) = (self.person(), self.now());
        let asked = Asked {
            command: request.clone(),
            effect: Effect::Erasure(name.clone()),
            actor: actor.clone(),
            at: at_instant.clone(),
        };
        self.asked.insert(id, asked);
        let finish_id = self.random.id();
        self.asked.insert(
            finish_id,
            Asked {
                command: request.clone(),
                effect: Effect::Erasure(name.clone()),
                actor: actor.clone(),
                at: at_instant.clone(),
            },
        );
        let (first, second) = (
            context(self.world, &mut self.random, &actor),
            context(self.world, &mut self.random, &actor),
        );
        let order = Order {
            id,
            at: &at_instant,
            command: &request,
            with: &first,
            expected: None,
        };
        let finish = By {
            id: finish_id,
            at: &at_instant,
            with: &second,
        };
        let done = self
            .world
            .run(self.desks[at].erase(&person, &order, &finish));
        // Submitted again it would be another command.
        self.observe();
        if !self.model.runs.contains_key(&finish_id) {
            self.asked.remove(&finish_id);
        }
        match done {
            Ok(_) => {
                self.retire(&name);
                assert!(self.desks[at].state().erased[&person].executed.is_some());
            }
            Err(CommitError::Refused(why)) => self.tell(format!("refused: {why}")),
            Err(error) => {
                self.retire(&name);
                self.excuse(Err::<(), _>(error));
            }
        }
    }

    /// Whoever is, or is being, erased does nothing any more.
    fn retire(&mut self, name: &str) {
        if let Some(at) = self.people.iter().position(|known| known == name) {
            self.people.remove(at);
            self.new_person();
        }
    }

    fn rotate_log_key(&mut self, at: usize) {
        let is_drop = self.desks[at].signers.old().is_some();
        self.tell(format!(
            "desk {at}: {} the log's key",
            if is_drop { "drop" } else { "rotate" }
        ));
        let command = Command::UnpinPack {
            pack: "none".to_owned(),
        };
        let id = self.ask(command, Effect::Nothing);
        let (actor, instant) = (self.person(), self.now());
        let with = context(self.world, &mut self.random, &actor);
        let by = By {
            id,
            at: &instant,
            with: &with,
        };
        let desk = &mut self.desks[at];
        let done = match is_drop {
            true => self.world.run(desk.drop_log_key(&by, "it is time")),
            false => self.world.run(desk.rotate_log_key(&by, "it is time")),
        };
        if is_drop {
            // An older copy is signed by a key that is gone.
            self.copy = None;
        }
        match done {
            Err(CommitError::Store(StoreError::TwoKeys | StoreError::OneKey)) => {}
            Err(CommitError::Refused(why)) => self.tell(format!("refused: {why}")),
            done => drop(self.excuse(done)),
        }
    }

    fn copy(&mut self) {
        self.tell("all are closed, and the journal is copied");
        self.close_all();
        let journal = fs::read(self.world.dir().join("journal.db")).unwrap();
        self.copy = Some((journal, self.model.clone()));
    }

    fn close_all(&mut self) {
        // Whoever opens the desk moves the guard on, where a fault has left it behind.
        let opened = self.open();
        self.desks.push(opened);
        for desk in self.desks.drain(..) {
            self.world.run(desk.close()).unwrap();
        }
        assert!(!self.world.dir().join("journal.db-wal").exists());
    }

    /// An older copy of the journal takes its place, and goes on under another origin.
    fn put_back(&mut self) {
        let Some((journal, model)) = self.copy.take() else {
            return;
        };
        self.close_all();
        let had = self.model.commands.len();
        self.tell(format!(
            "a copy of {} entries is put back for {had}",
            model.commands.len()
        ));
        fs::write(self.world.dir().join("journal.db"), journal).unwrap();
        let is_older = model.commands.len() < had;
        self.model = model;
        let mut desk = self.open();
        assert_eq!(desk.forked().is_some(), is_older);
        self.desks.push(desk);
        if !is_older {
            return;
        }
        let (command, effect) = self.command();
        let id = self.ask(command, effect);
        self.enter(&[(id, None)], 0);
        assert!(!self.model.runs.contains_key(&id), "it was written to");
        desk = self.desks.remove(0);
        let id = self.random.id();
        self.ask_nothing(id);
        let (actor, instant) = (self.person(), self.now());
        for is_calm in [false, true] {
            let calls = self.random.below(40);
            if !is_calm && self.random.chance(50) {
                desk.faults.plan(calls, Fault::AnswerLost, false);
            }
            let with = context(self.world, &mut self.random, &actor);
            let fork = Fork {
                by: By {
                    id,
                    at: &instant,
                    with: &with,
                },
                origin: None,
                reason: "an older copy is all there is",
            };
            let done = self.world.run(desk.fork(&fork));
            let has_struck = desk.faults.has_struck();
            desk.faults.clear();
            match done {
                Ok(receipt) => {
                    assert_eq!(receipt.origin, desk.origin());
                    break;
                }
                // It was done before, and the answer was lost.
                Err(CommitError::Store(StoreError::NotForked)) if is_calm => {}
                Err(error) => {
                    assert!(has_struck, "{error}: {error:?}");
                    drop(desk);
                    desk = self.open();
                }
            }
        }
        assert_eq!(desk.forked(), None);
        self.tell(format!("the log is called {} now", desk.origin()));
        self.desks.push(desk);
        self.observe();
        assert!(self.model.runs.contains_key(&id));
    }

    /// Makes a command known that the desk puts together itself.
    fn ask_nothing(&mut self, id: Uuid) {
        let command = Command::UnpinPack {
            pack: "none".to_owned(),
        };
        let made = self.ask(command, Effect::Nothing);
        let asked = self.asked.remove(&made).unwrap();
        self.asked.insert(id, asked);
    }

    /// Offers the checkpoint to the witness, over a network that loses and doubles.
    fn ask_witness(&mut self, at: usize) {
        let read = self.world.run(self.desks[at].catch_up());
        if self.excuse(read).is_none() || self.desks[at].forked().is_some() {
            return;
        }
        let desk = &self.desks[at];
        let (checkpoint, size) = (desk.checkpoint().clone(), desk.size());
        let mut old = [0, self.random.below(size + 1)][self.random.below(2) as usize];
        for _ in 0..2 {
            let proof = self.world.run(self.desks[at].consistency_proof(old, size));
            let Some(proof) = self.excuse(proof) else {
                return;
            };
            let request = Request {
                old,
                proof: proof.unwrap(),
                checkpoint: checkpoint.clone(),
            };
            if self.random.chance(15) {
                return self.tell("the request is lost");
            }
            let body = request.to_string();
            let mut answer = self.witness.answer(&body);
            if self.random.chance(15) {
                let again = self.witness.answer(&body);
                // Of the same size it is cosigned again; of another one the witness says what it holds.
                assert!(
                    matches!(again, Ok(_) | Err(Refusal::OtherSize { .. })),
                    "{again:?}"
                );
                answer = again.or(answer);
            }
            if self.random.chance(15) {
                return self.tell("the answer is lost");
            }
            match answer {
                Ok(line) => {
                    let known = line.to_string();
                    self.tell(format!("the witness cosigns {size} entries"));
                    let kept = self
                        .world
                        .run(self.desks[at].add_cosignatures(size, vec![line]));
                    if self.excuse(kept).is_some() {
                        self.model.cosigned.push((size, known));
                    }
                    return;
                }
                Err(Refusal::OtherSize { size: held }) => {
                    assert!(
                        held <= size,
                        "the witness has seen {held} entries of {size}"
                    );
                    old = held;
                }
                Err(refused) => panic!("the witness sees a fork: {refused}"),
            }
        }
    }

    fn read_earlier(&mut self, at: usize) {
        let size = self.random.below(self.desks[at].size() + 1);
        self.tell(format!("desk {at}: the state of {size} entries"));
        let earlier = self.world.run(self.desks[at].state_at(size));
        if let Some(earlier) = self.excuse(earlier) {
            assert_eq!(earlier.unwrap().size, size);
        }
    }

    /// Reads the journal as it is now, and compares everything with the model.
    fn observe(&mut self) {
        if self.desks.is_empty() {
            let desk = self.open();
            self.desks.push(desk);
        }
        self.calm();
        for desk in &mut self.desks {
            self.world.run(desk.catch_up()).unwrap();
        }
        self.compare();
    }

    /// Ends all faults, and keeps in mind whether one has struck.
    fn calm(&mut self) {
        for desk in &self.desks {
            self.has_struck |= desk.faults.has_struck();
            desk.faults.clear();
        }
    }

    fn compare(&mut self) {
        let desk = &self.desks[0];
        let state = desk.state();
        for other in &self.desks[1..] {
            assert_eq!(*other.state(), *state, "two desks say two things");
            assert_eq!(
                other.checkpoint().to_string(),
                desk.checkpoint().to_string()
            );
        }
        let from = self.model.commands.len() as u64;
        assert!(from <= desk.size(), "entries are gone");
        let entries = self.world.run(desk.entries(from, desk.size())).unwrap();
        assert_eq!(entries.len() as u64, desk.size() - from);
        for (index, entry) in entries {
            let command = entry.command;
            let asked = self.asked.get(&command);
            let asked = asked.unwrap_or_else(|| panic!("nobody asked for {command}"));
            match self.model.runs.get_mut(&command) {
                None => {
                    self.model.runs.insert(command, (index, index + 1));
                    self.model.apply(&asked.effect);
                }
                Some(run) => {
                    assert_eq!(run.1, index, "{command} was entered twice");
                    run.1 += 1;
                }
            }
            self.model.commands.push(command);
        }
        for (id, run) in &self.model.acknowledged {
            assert_eq!(self.model.runs.get(id), Some(run), "{id} was acknowledged");
        }
        for (id, name) in &state.people {
            let before = self.names.insert(id.clone(), name.clone());
            assert!(before.is_none_or(|before| before == *name));
        }
        self.compare_state(&state);
        self.compare_signed();
    }

    fn compare_state(&mut self, state: &State) {
        let files: BTreeSet<String> = state
            .evidence
            .values()
            .map(|evidence| evidence.submitted.file.clone())
            .collect();
        assert_eq!(files, self.model.files);
        for (id, evidence) in &state.evidence {
            let decided = evidence.decisions.values().next_back();
            let decided = decided.map(|decision| decision.is_accepted);
            assert_eq!(decided, self.model.rulings.get(id).copied(), "{id}");
        }
        let tasks: BTreeSet<String> = state
            .tasks
            .values()
            .map(|task| task.opened.what.clone())
            .collect();
        assert_eq!(tasks, self.model.tasks);
        let done = state.tasks.iter().filter(|(_, task)| task.done.is_some());
        let done: BTreeSet<String> = done.map(|(id, _)| id.clone()).collect();
        assert_eq!(done, self.model.done);
        // Whoever was named and erased in one group was never seen by name.
        let named = |ids: &mut dyn Iterator<Item = &String>| -> BTreeSet<String> {
            ids.filter_map(|id| self.names.get(id).cloned()).collect()
        };
        assert_eq!(named(&mut state.holds.keys()), self.model.holds);
        assert_eq!(state.erased.len(), self.model.erasures.len());
        assert!(named(&mut state.erased.keys()).is_subset(&self.model.erasures));

        let tombstones = {
            let desk = &mut self.desks[0];
            let org = desk.org();
            self.world
                .run(desk.files.get_mut().keys.tombstones(org))
                .unwrap()
        };
        self.gone.extend(
            tombstones
                .iter()
                .map(|tombstone| tombstone.owner.to_string()),
        );
        let erased = self.model.erasures.iter();
        let gone = self.gone.iter().filter_map(|id| self.names.get(id));
        for name in erased.chain(gone).cloned().collect::<Vec<_>>() {
            assert_eq!(state.person(&name), None, "`{name}` is named again");
            self.retire(&name);
        }
        assert!(self.gone.iter().all(|id| !state.people.contains_key(id)));
    }

    /// Every checkpoint continues the one before.
    fn compare_signed(&mut self) {
        let desk = &self.desks[0];
        let now = desk.checkpoint().clone();
        now.note().verify(&desk.known).unwrap();
        for key in &desk.known {
            if !self.witness.logs.contains(key) {
                self.witness.logs.push(key.clone());
            }
        }
        if let Some(before) = self.model.signed.last() {
            let (old, new) = (before.checkpoint(), now.checkpoint());
            if old.size() == new.size() {
                assert_eq!(before.to_string(), now.to_string());
                return;
            }
            let proof = self
                .world
                .run(desk.consistency_proof(old.size(), new.size()));
            verify_consistency(
                old.size(),
                old.root(),
                new.size(),
                new.root(),
                &proof.unwrap().unwrap(),
            )
            .unwrap();
        }
        self.model.signed.push(now);
    }

    /// Everything: the desk against itself, the state against a fold from nothing, what was signed against what is there.
    fn verify(&mut self) {
        self.tell("verify");
        let report = self.world.verify();
        assert!(report.is_sound(), "{}", shown(&report));
        let opened = self.open();
        self.desks.push(opened);
        let last = self.desks.len() - 1;
        for desk in &mut self.desks {
            self.world.run(desk.catch_up()).unwrap();
            let refolded = self.world.run(refolded(desk)).unwrap();
            assert_eq!(*refolded, *desk.state());
        }
        let desk = self.desks.remove(last);
        for signed in &self.model.signed {
            let checkpoint = signed.checkpoint();
            let root = self.world.run(desk.root_at(checkpoint.size())).unwrap();
            assert_eq!(root, Some(checkpoint.root()));
        }
        for (size, line) in &self.model.cosigned {
            let kept = self.world.run(desk.cosignatures(*size)).unwrap();
            assert!(kept.iter().any(|kept| kept.to_string() == *line));
        }
        let checkpoint = desk.checkpoint().checkpoint();
        if let Some((id, (first, _))) = self.model.acknowledged.iter().next_back() {
            let proof = self
                .world
                .run(desk.inclusion_proof(*first, checkpoint.size()))
                .unwrap()
                .unwrap();
            let entry = self.world.run(desk.entry(*first)).unwrap().unwrap();
            assert_eq!(entry.command, *id);
            let leaf = leaf_hash(&entry.to_bytes().unwrap());
            verify_inclusion(leaf, *first, checkpoint.size(), &proof, checkpoint.root()).unwrap();
        }
    }
}

fn context<'w>(world: &'w World, random: &mut Random, actor: &str) -> Context<'w> {
    Context {
        ids: (0..20).map(|_| random.id()).collect(),
        ..world.context(actor)
    }
}

fn erasure(person: &str) -> Command {
    Command::ErasePerson {
        person: person.to_owned(),
        basis: Basis::Objection,
        reason: "asked for".to_owned(),
    }
}

/// Whether a text has this name, and not only a longer one.
fn mentions(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let after = text[at + name.len()..].chars().next();
        !after.is_some_and(|after| after.is_ascii_digit())
    })
}

fn judged(answer: Result<Receipt, CommitError>, has_struck: bool) -> Answer {
    let error = match answer {
        Ok(Receipt {
            first,
            end,
            already,
            ..
        }) => {
            return Answer::Entered {
                first,
                end,
                already,
            };
        }
        Err(CommitError::Refused(_) | CommitError::Conflict { .. }) => return Answer::Refused,
        Err(CommitError::Store(error)) => error,
    };
    let error = match &error {
        StoreError::Shared(error) => error,
        error => error,
    };
    match error {
        StoreError::GuardBehind { .. } => Answer::Behind,
        StoreError::Unknown { .. } => Answer::Unknown,
        StoreError::Instant { .. } => Answer::Refused,
        StoreError::Forked { .. } => Answer::Failed,
        error => {
            assert!(has_struck, "{error}: {error:?}");
            Answer::Failed
        }
    }
}

/// The state folded from the first entry on, whatever the desk has in memory.
async fn refolded(desk: &mut Desk) -> Result<Arc<State>, StoreError> {
    let (size, root) = (desk.size(), desk.log.edge.root());
    let mut log = Log::new(desk.log.org);
    let Files { journal, keys } = desk.files.get_mut();
    log.catch_up(size, root, journal, keys, &mut desk.ring)
        .await?;
    Ok(log.state)
}

fn history(seed: u64) -> (u64, Hash) {
    let world = World::new();
    Simulation::new(&world, seed).run()
}

#[test]
fn histories_of_many_seeds_keep_what_they_promise() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    if let Some(seed) = number("ALNAGER_SEED") {
        println!("seed {seed}: {:?}", history(seed));
        return;
    }
    let n = number("ALNAGER_SEEDS").unwrap_or(SEEDS);
    let next = AtomicU64::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= n {
                        return;
                    }
                    history(seed);
                    if seed > 0 && seed.is_multiple_of(500) {
                        println!("seed {seed} is done");
                    }
                }
            });
        }
    });
}

#[test]
fn a_seed_gives_the_same_history_again() {
    let [one, two] = [history(5), history(5)];
    assert_eq!(one, two);
    assert!(one.0 > 20, "{one:?}");
    assert_ne!(one, history(6));
}
