//! What mapping costs: every pack in `packs/`, one system and ten thousand, and the crate `cel` on the same conditions in the same
//! run. Started by `cargo xtask bench law`.
//!
//! CPU = time this thread ran, as the kernel's scheduler counts it. Wall time is left out: other programs change it.

#[path = "../tests/oracle/cel.rs"]
mod cel;
#[path = "../tests/oracle/random.rs"]
#[expect(dead_code, reason = "the benchmark draws answers only, no rules")]
mod random;

use std::collections::BTreeMap;
use std::fs::read_to_string;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use ::cel::{Context as Variables, Program};
use alnager_law::book::Book;
use alnager_law::fact::{Facts, Vocabulary};
use alnager_law::pack::{Pack, Register, RequirementText};
use alnager_law::requirement::{AsOf, Requirement, Ruled, Standing, requirements, requirements_on};
use alnager_law::rule::Rule;
use anyhow::{Context, Result, ensure};
use jiff::civil::{Date, date};

use crate::random::Random;

const SEED: u64 = 20_261_123;

const N_SYSTEMS: usize = 10_000;

/// Systems whose mapping is measured by how much is known, and beside `cel`.
const N_SAMPLE: usize = 500;

/// Passes over the sample in one run: one pass is not much longer than the kernel's tick.
const N_PASSES: usize = 10;

/// Times that a job is run; the median counts.
const N_RUNS: usize = 9;

const ONE_CPU_US_MAX: f64 = 150.0;
const ALL_CPU_S_MAX: f64 = 2.0;

/// The day before and the day on which most of the EU AI Act begins to govern.
const YESTERDAY: Date = date(2026, 8, 1);
const TODAY: Date = date(2026, 8, 2);

fn on(valid: Date) -> AsOf {
    AsOf {
        valid,
        known: date(2026, 11, 23),
    }
}

fn main() -> Result<()> {
    let root =
        std::env::var_os("CARGO_MANIFEST_DIR").context("start it with `cargo xtask bench law`")?;
    let book = book(&Path::new(&root).join("../packs"))?;
    let n_packs = book.packs().count();
    let n_requirements: usize = book.packs().map(|pack| pack.requirements.len()).sum();
    println!(
        "map {n_requirements} requirements of {n_packs} packs, {} facts, release, one core, median of {N_RUNS} runs",
        book.vocabulary.kinds().len()
    );
    let one_cpu_us = one(&book)?;
    let all_cpu_s = all(&book)?;
    midnight(&book)?;
    beside_cel(&book)?;
    println!(
        "  target    one system < {ONE_CPU_US_MAX} µs, {N_SYSTEMS} systems < {ALL_CPU_S_MAX} s"
    );
    ensure!(
        one_cpu_us < ONE_CPU_US_MAX && all_cpu_s < ALL_CPU_S_MAX,
        "one mapping needs up to {one_cpu_us:.0} µs and {N_SYSTEMS} systems {all_cpu_s:.2} s: above the target"
    );
    Ok(())
}

/// One mapping by how much is known; returns the slowest, in µs.
fn one(book: &Book) -> Result<f64> {
    let mut slowest: f64 = 0.0;
    for (percent, name) in [(100, "all facts"), (50, "half"), (0, "none")] {
        let systems = systems(book, N_SAMPLE, |_| percent);
        let cpu_s = median_cpu_s(|| {
            for facts in (0..N_PASSES).flat_map(|_| &systems) {
                black_box(requirements(book, facts, on(TODAY)));
            }
        })?;
        let cpu_us = cpu_s * 1e6 / (N_PASSES * N_SAMPLE) as f64;
        println!("  one       {cpu_us:6.1} µs  {name} answered");
        slowest = slowest.max(cpu_us);
    }
    Ok(slowest)
}

/// Every system once, each with another share of its facts answered.
fn all(book: &Book) -> Result<f64> {
    let systems = systems(book, N_SYSTEMS, |random| random.below(101));
    let mut counts = BTreeMap::new();
    let cpu_s = median_cpu_s(|| {
        counts.clear();
        for facts in &systems {
            for requirement in requirements(book, facts, on(TODAY)) {
                *counts.entry(word(&requirement)).or_insert(0_u64) += 1;
            }
        }
    })?;
    println!("  all       {cpu_s:6.2} s   {N_SYSTEMS} systems: {counts:?}");
    Ok(cpu_s)
}

/// What the night changes: the standings of today against yesterday's.
fn midnight(book: &Book) -> Result<()> {
    let systems = systems(book, N_SYSTEMS, |random| random.below(101));
    let (mut n_changed, mut n_systems_changed) = (0, 0);
    let cpu_s = median_cpu_s(|| {
        (n_changed, n_systems_changed) = (0, 0);
        for facts in &systems {
            // What the facts decide is worked out once for both days.
            let reader = book.reader(facts, on(TODAY).known);
            let yesterday = requirements_on(&reader, YESTERDAY);
            let today = requirements_on(&reader, TODAY);
            let pairs = yesterday.iter().zip(&today);
            let n = pairs
                .filter(|(before, after)| before.standing != after.standing)
                .count();
            n_changed += n;
            n_systems_changed += usize::from(n > 0);
        }
    })?;
    println!(
        "  midnight  {cpu_s:6.2} s   {N_SYSTEMS} systems from {YESTERDAY} to {TODAY}: {n_changed} requirements of {n_systems_changed} systems change"
    );
    Ok(())
}

/// The crate `cel` answers the conditions, and nothing else; we map, dates and doubts included.
fn beside_cel(book: &Book) -> Result<()> {
    let systems = systems(book, N_SAMPLE, |_| 100);
    let peer = Peer::new(book)?;
    // Filling the variables is not measured: our facts are at hand too.
    let mut contexts: Vec<Variables<'_, '_>> =
        systems.iter().map(|facts| variables(book, facts)).collect();
    let (mut n_theirs, mut n_ours) = (0, 0);
    let mut pairs = Vec::new();
    for _ in 0..N_RUNS {
        let theirs = cpu_s(|| {
            for _ in 0..N_PASSES {
                n_theirs = contexts
                    .iter_mut()
                    .map(|context| peer.n_hold(context))
                    .sum();
            }
        })?;
        let ours = cpu_s(|| {
            for _ in 0..N_PASSES {
                n_ours = systems
                    .iter()
                    .map(|facts| n_hold(book, facts))
                    .sum::<usize>();
            }
        })?;
        pairs.push((theirs / ours, theirs * 1e6 / (N_PASSES * N_SAMPLE) as f64));
    }
    ensure!(
        n_ours == n_theirs,
        "in {N_SAMPLE} systems {n_ours} conditions hold for us and {n_theirs} for cel"
    );
    pairs.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (ratio, cpu_us) = pairs[N_RUNS / 2];
    println!(
        "  cel       {cpu_us:6.1} µs  all facts answered, the conditions alone; {n_ours} hold for both"
    );
    println!(
        "  ratio     {ratio:6.1}     cel's conditions / our whole mapping, median of the runs"
    );
    Ok(())
}

/// The conditions of the book as the crate `cel` reads them.
struct Peer {
    /// Derived facts, each behind those it asks for.
    derived: Vec<(String, Program)>,
    requirements: Vec<Program>,
}

impl Peer {
    fn new(book: &Book) -> Result<Peer> {
        let program = |rule: &Rule| {
            let text = cel::text(rule, &book.vocabulary, &|at| book.derived(at).name.clone());
            Program::compile(&text).with_context(|| format!("cel does not read `{text}`"))
        };
        let mut order = Vec::new();
        (0..book.derived_facts().len()).for_each(|at| after_its_parts(book, at, &mut order));
        let derived = order.into_iter().map(|at| {
            let one = book.derived(at);
            Ok((one.name.clone(), program(&one.rule)?))
        });
        let derived = derived.collect::<Result<_>>()?;
        let texts = book.packs().flat_map(|pack| &pack.requirements);
        let requirements = texts.map(|text| program(&condition(book, text)?));
        Ok(Peer {
            derived,
            requirements: requirements.collect::<Result<_>>()?,
        })
    }

    /// Requirements whose condition holds; works out the derived facts first.
    fn n_hold(&self, context: &mut Variables<'_, '_>) -> usize {
        for (name, program) in &self.derived {
            let truth = program.execute(context).unwrap_or(::cel::Value::Null);
            context.add_variable_from_value(name.as_str(), truth);
        }
        let holds = |program: &&Program| program.execute(context) == Ok(::cel::Value::Bool(true));
        self.requirements.iter().filter(holds).count()
    }
}

/// Requirements whose condition holds, by our mapping.
fn n_hold(book: &Book, facts: &Facts) -> usize {
    let found = requirements(book, facts, on(TODAY));
    let out = Standing::NotApplicable(Ruled::ByFacts);
    found.iter().filter(|one| one.standing != out).count()
}

/// When a requirement concerns a system: its condition, and none of its exceptions.
fn condition(book: &Book, text: &RequirementText) -> Result<Rule> {
    let mut rules = vec![book.bind_condition(&text.when)?];
    for exception in &text.unless {
        rules.push(Rule::Not(Box::new(book.bind_condition(exception)?)));
    }
    Ok(Rule::All(rules))
}

/// Positions of derived facts, each behind those it asks for.
fn after_its_parts(book: &Book, at: usize, order: &mut Vec<usize>) {
    if order.contains(&at) {
        return;
    }
    let mut parts = Vec::new();
    book.derived(at).rule.leaves(&mut |leaf| {
        if let Rule::Derived(part) = leaf {
            parts.push(*part);
        }
    });
    parts
        .into_iter()
        .for_each(|part| after_its_parts(book, part, order));
    order.push(at);
}

/// The answers as variables of `cel`.
fn variables(book: &Book, facts: &Facts) -> Variables<'static, 'static> {
    let mut context = Variables::default();
    for (at, kind) in book.vocabulary.kinds().iter().enumerate() {
        if let Some(answer) = facts.answer(at) {
            context.add_variable_from_value(kind.name.as_str(), cel::value(&answer.value));
        }
    }
    context
}

/// Systems with random facts, as many answered as `percent` says. Guarded answers are confirmed where all facts are known: the
/// crate `cel` has no third answer.
fn systems(book: &Book, n: usize, percent: impl Fn(&mut Random) -> usize) -> Vec<Facts> {
    let mut random = Random(SEED);
    let mut systems = Vec::with_capacity(n);
    for _ in 0..n {
        let percent = percent(&mut random);
        let mut facts = if percent == 100 {
            Facts::hypothetical(false)
        } else {
            Facts::new()
        };
        random::answer(&mut random, &book.vocabulary, percent, &mut facts);
        systems.push(facts);
    }
    systems
}

fn word(requirement: &Requirement) -> &'static str {
    match requirement.standing {
        Standing::InForce { .. } => "in force",
        Standing::Ahead { .. } => "ahead",
        Standing::Waiting { .. } => "waiting",
        Standing::Ended { .. } => "ended",
        Standing::NotApplicable(_) => "not applicable",
        Standing::Unknown { .. } => "unknown",
    }
}

fn median_cpu_s(mut job: impl FnMut()) -> Result<f64> {
    let mut runs = Vec::with_capacity(N_RUNS);
    for _ in 0..N_RUNS {
        runs.push(cpu_s(&mut job)?);
    }
    runs.sort_by(f64::total_cmp);
    Ok(runs[N_RUNS / 2])
}

fn cpu_s(job: impl FnOnce()) -> Result<f64> {
    let before = cpu_ns()?;
    job();
    Ok((cpu_ns()? - before) as f64 / 1e9)
}

/// First field of proc_pid_schedstat: nanoseconds this thread ran. The kernel brings it up to date at each of its ticks, so what is
/// measured must take many of them.
fn cpu_ns() -> Result<u64> {
    let text = read_to_string("/proc/thread-self/schedstat").context("the bench needs Linux")?;
    let first = text
        .split_whitespace()
        .next()
        .context("an empty schedstat")?;
    first.parse().context("an unknown form of schedstat")
}

fn book(packs: &Path) -> Result<Book> {
    let text = |path: PathBuf| {
        read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))
    };
    let register = |name: &str, table: &str| -> Result<Register> {
        Ok(Register::parse(name, &text(packs.join(name))?, table)?)
    };
    let vocabulary = Vocabulary::parse("facts.toml", &text(packs.join("facts.toml"))?)?;
    let mut bound = Vec::new();
    for kind in ["law", "framework"] {
        let mut folders = std::fs::read_dir(packs.join(kind))?.collect::<Result<Vec<_>, _>>()?;
        folders.sort_by_key(std::fs::DirEntry::file_name);
        for folder in folders {
            let file = folder.path().join("pack.toml");
            bound.push(Pack::parse(&file.display().to_string(), &text(file)?)?);
        }
    }
    let (evidence, controls) = (
        register("evidence.toml", "kind")?,
        register("controls.toml", "control")?,
    );
    Ok(Book::new(vocabulary, evidence, controls, bound)?)
}
