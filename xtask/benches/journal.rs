//! What the journal costs: durable commands from many submitters, groups of a thousand, proofs, checking and starting at a
//! million entries; with a raw `fsync` and a bare SQLite insert beside them in the same run. Started by
//! `cargo xtask bench journal`.
//!
//! Rates are by the wall clock, because waiting for the disk is what is measured; the disk and the bare database are measured
//! beside them for that reason. CPU = user + system time of this process.

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alnager_audit::policy::Policy;
use alnager_journal::merkle::{leaf_hash, verify_inclusion};
use alnager_journal::proof::Proof;
use alnager_law::book::Book;
use alnager_law::fact::Vocabulary;
use alnager_law::pack::Register;
use alnager_law::requirement::AsOf;
use alnager_office::decide::{Blob, Command, Context, Review};
use alnager_office::declaration::Declaration;
use alnager_office::event::BookStamp;
use alnager_office::gate::{Gate, ReportStamp};
use alnager_store::{Depth, Desk, Fresh, Order, Place, Standing, Submission, Writer};
use anyhow::{Context as _, Result, ensure};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use uuid::Uuid;

const AT: &str = "2026-11-23T08:14:00.000000Z";

/// How long each number of submitters submits.
const SUBMITTING: Duration = Duration::from_secs(3);

/// Commands of one group in bulk.
const GROUP: usize = 1_000;

/// Entries of the large desk, unless an argument says otherwise.
const LARGE: u64 = 1_000_000;

/// Parts that may be asked for alone.
const PARTS: [&str; 2] = ["submitters", "large"];

/// Asks for ids in no order, as some clients make them: the journal's and the bare table's index is then written to all over.
const UNORDERED: &str = "unordered";

/// Writes whose `fsync` is timed.
const FSYNCS: usize = 200;

const FACTS: &str = "
schema = 'alnager.facts/1'
version = '1'
[fact.decides]
type = 'bool'
question = 'Does it decide?'
serves = ['all']
";
const EVIDENCE: &str = "
schema = 'alnager.evidence/1'
version = '1'
[kind.minutes]
title = 'Minutes'
what = 'w'
";
const POLICY: &str = "
schema = 'alnager.policy/1'
id = 'test'
version = '1'
title = 'Policy'
from = 2020-01-01
known = 2019-01-01
confidence_level = 0.95
min_group = 10
reference_min = 10
approved = { by = 'A', role = 'B', on = 2020-01-01 }
[[test]]
id = 'impact-ratio'
question = 'bias'
metric = 'impact_ratio'
low = '0.80'
high = '1.25'
what = 'w'
when = 'false'
source = 'yardstick'
cite = 'c'
";
const DECLARATION: &str = "
schema = 'alnager.system/1'
id = 'sys'
name = 'S'
organisation = 'O'
owner = 'Rita'
purpose = 'p'
stage = 'validation'
[facts]
decides = { value = true, by = 'Rita', on = 2026-01-01, basis = 'b' }
";

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let large = words.iter().find_map(|word| word.parse().ok());
    let large: u64 = large.unwrap_or(LARGE);
    let folder = tempfile::Builder::new()
        .prefix("alnager-bench-")
        .tempdir_in(
            std::env::var_os("ALNAGER_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from),
        )?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    println!("journal, on {}", folder.path().display());
    let fsync = raw_fsync(folder.path())?;
    println!(
        "raw: write 4 kB and fsync: median {:.2} ms, 99 of 100 below {:.2} ms",
        ms(quantile(&fsync, 0.5)),
        ms(quantile(&fsync, 0.99))
    );
    let standing = Arc::new(standing()?);
    let is_asked = |part: &str| {
        !words.iter().any(|word| PARTS.contains(&word.as_str()))
            || words.iter().any(|word| word == part)
    };
    let submitters: &[usize] = if is_asked(PARTS[0]) {
        &[1, 8, 64, 256]
    } else {
        &[]
    };
    for &submitters in submitters {
        let dir = folder.path().join(format!("desk-{submitters}"));
        runtime.block_on(many(&dir, &standing, submitters, &runtime))?;
    }
    if is_asked(PARTS[1]) {
        runtime.block_on(at_size(&folder.path().join("large"), &standing, large))?;
    }
    Ok(())
}

/// Submitters that each wait for their answer before they submit again.
async fn many(
    dir: &Path,
    standing: &Arc<Standing>,
    submitters: usize,
    runtime: &tokio::runtime::Runtime,
) -> Result<()> {
    let desk = new_desk(dir, standing).await?;
    let before = desk.size();
    let writer = Writer::start(desk)?;
    let (cpu, start) = (cpu_s()?, Instant::now());
    let tasks: Vec<_> = (0..submitters)
        .map(|_| {
            let (writer, standing) = (writer.clone(), Arc::clone(standing));
            runtime.spawn(async move {
                let mut waits = Vec::new();
                while start.elapsed() < SUBMITTING {
                    let submission = confirm(&standing)?;
                    let asked = Instant::now();
                    writer.submit(submission).await?;
                    waits.push(asked.elapsed());
                }
                anyhow::Ok(waits)
            })
        })
        .collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await??);
    }
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_s()? - cpu);
    let size = writer.state().size;
    ensure!(
        size - before == waits.len() as u64,
        "{} answers and {} entries",
        waits.len(),
        size - before
    );
    drop(writer);
    let (groups, _) = checkpoints(dir).await?;
    let a_group = (waits.len() as f64 / groups as f64).max(1.0).round() as usize;
    let bare = bare_sqlite(dir, a_group).await?;
    waits.sort_unstable();
    println!(
        "{submitters:>3} submitters: {:>7.0} commands/s durable, wait median {:.2} ms, 99 of 100 below {:.2} ms, {:.0} us CPU each; \
         {a_group} a group; bare SQLite with such groups {:>7.0} rows/s, ratio {:.2}",
        waits.len() as f64 / wall,
        ms(quantile(&waits, 0.5)),
        ms(quantile(&waits, 0.99)),
        cpu * 1e6 / waits.len() as f64,
        bare,
        waits.len() as f64 / wall / bare
    );
    Ok(())
}

/// A desk with very many entries.
async fn at_size(dir: &Path, standing: &Arc<Standing>, size: u64) -> Result<()> {
    let mut desk = new_desk(dir, standing).await?;
    let (mut n, mut wall, mut cpu) = (0, 0.0, 0.0);
    while desk.size() < size {
        // What clients do is not counted: ids and words of their own.
        let group: Vec<Submission> = (0..GROUP)
            .map(|_| confirm(standing))
            .collect::<Result<_>>()?;
        let organisation = desk.org().to_string();
        let contexts: Vec<Context<'_>> = group
            .iter()
            .map(|submission| context(standing, &organisation, submission))
            .collect();
        let orders: Vec<Order<'_>> = group
            .iter()
            .zip(&contexts)
            .map(|(submission, with)| Order {
                id: submission.id,
                at: AT,
                command: &submission.command,
                with,
                expected: None,
            })
            .collect();
        let (cpu_before, start) = (cpu_s()?, Instant::now());
        let answers = desk.enter_all(&orders).await;
        wall += start.elapsed().as_secs_f64();
        cpu += cpu_s()? - cpu_before;
        for answer in answers {
            answer?;
            n += 1;
        }
    }
    let rate = f64::from(n) / wall;
    let bare = bare_sqlite(dir, GROUP).await?;
    println!(
        "bulk: {rate:.0} commands/s in groups of {GROUP}, {:.1} us CPU each, {n} entries; bare SQLite with such groups {bare:.0} rows/s, \
         ratio {:.2}",
        cpu * 1e6 / f64::from(n),
        rate / bare
    );

    let size = desk.size();
    let start = Instant::now();
    let hashes = desk
        .inclusion_proof(size / 3, size)
        .await?
        .context("no proof")?;
    let making = start.elapsed();
    let entry = desk
        .entry(size / 3)
        .await?
        .context("no entry")?
        .to_bytes()?;
    let proof = Proof {
        extra: None,
        index: size / 3,
        hashes,
        checkpoint: desk.checkpoint().clone(),
    };
    let (text, known) = (proof.to_string(), [desk.verifier_key().clone()]);
    const CHECKS: u32 = 2_000;
    let checking = cpu_s()?;
    for _ in 0..CHECKS {
        let proof = Proof::parse(black_box(text.as_bytes()))?;
        proof.checkpoint.note().verify(&known)?;
        let stated = proof.checkpoint.checkpoint();
        let leaf = leaf_hash(&entry);
        verify_inclusion(
            leaf,
            proof.index,
            stated.size(),
            &proof.hashes,
            stated.root(),
        )?;
    }
    println!(
        "proof among {size}: {} hashes, {} bytes as a file, made in {:.1} ms; proof and signature checked in {:.0} us CPU",
        proof.hashes.len(),
        text.len(),
        ms(making),
        (cpu_s()? - checking) * 1e6 / f64::from(CHECKS)
    );
    desk.keep_snapshot().await?;
    desk.close().await?;

    let (cpu, start, before) = (cpu_s()?, Instant::now(), resident_mb()?);
    let desk = Desk::open(&Place::from(dir)).await?;
    println!(
        "start at {size} entries from a snapshot: {:.3} s wall, {:.3} s CPU, {:.0} MB more resident",
        start.elapsed().as_secs_f64(),
        cpu_s()? - cpu,
        resident_mb()? - before
    );
    desk.close().await?;
    let (cpu, start) = (cpu_s()?, Instant::now());
    let report = Desk::verify(&Place::from(dir)).await?;
    ensure!(report.is_sound(), "{:?}", report.problems);
    println!(
        "verify {size} entries, payloads opened, state refolded, {} checkpoints, {} tiles: {:.2} s wall, {:.2} s CPU",
        report.checkpoints,
        report.tiles,
        start.elapsed().as_secs_f64(),
        cpu_s()? - cpu
    );
    let (cpu, start) = (cpu_s()?, Instant::now());
    let report = Desk::verify_with(&Place::from(dir), Depth::Log, &|_, _| {}).await?;
    ensure!(report.is_sound(), "{:?}", report.problems);
    println!(
        "verify {size} entries, the log alone: {:.2} s wall, {:.2} s CPU",
        start.elapsed().as_secs_f64(),
        cpu_s()? - cpu
    );
    Ok(())
}

fn standing() -> Result<Standing> {
    let vocabulary = Vocabulary::parse("f", FACTS)?;
    let evidence = Register::parse("e", EVIDENCE, "kind")?;
    Ok(Standing {
        book: Book::new(vocabulary, evidence, Register::default(), Vec::new())?,
        policy: Policy::parse("q", POLICY)?,
        stamp: BookStamp { files: Vec::new() },
        texts: Blob {
            name: "book.json".to_owned(),
            media: "application/json".to_owned(),
            bytes: Arc::new(b"{}".to_vec()),
        },
    })
}

async fn new_desk(dir: &Path, standing: &Arc<Standing>) -> Result<Desk> {
    let fresh = Fresh {
        org: id()?,
        origin: "example.org/bench".to_owned(),
    };
    let mut desk = Desk::open_or_new(&Place::from(dir), fresh).await?;
    let day = "2026-11-23".parse()?;
    let declaration =
        Declaration::parse("system.toml", DECLARATION, &standing.book, &standing.policy)?;
    let review = Command::Review(Box::new(Review {
        declaration,
        evidence: Vec::new(),
        measures: Vec::new(),
        when: AsOf {
            valid: day,
            known: day,
        },
        gate: Gate::Launch,
        warnings: Vec::new(),
        report: ReportStamp {
            form: "none".to_owned(),
            previous: None,
        },
        documents: Vec::new(),
    }));
    let mut first = confirm(standing)?;
    first.ids = (0..20).map(|_| id()).collect::<Result<_>>()?;
    let with = context(standing, "", &first);
    desk.commit(id()?, AT, &review, &with).await?;
    Ok(desk)
}

fn context<'s>(standing: &'s Standing, organisation: &str, submission: &Submission) -> Context<'s> {
    Context {
        book: &standing.book,
        policy: &standing.policy,
        stamp: standing.stamp.clone(),
        texts: standing.texts.clone(),
        organisation: organisation.to_owned(),
        actor: submission.actor.clone(),
        today: submission.today,
        ids: submission.ids.clone(),
    }
}

/// A fact is confirmed once more: one entry, and the state keeps its size.
fn confirm(standing: &Arc<Standing>) -> Result<Submission> {
    Ok(Submission {
        id: id()?,
        at: AT.to_owned(),
        command: Command::ConfirmFact {
            system: "sys".to_owned(),
            fact: "decides".to_owned(),
            value: Some("true".to_owned()),
            basis: "read again".to_owned(),
        },
        standing: Arc::clone(standing),
        actor: "Tomas".to_owned(),
        today: "2026-11-23".parse()?,
        ids: vec![id()?, id()?],
        expected: None,
    })
}

/// A new id, of now: clients' commands carry the clock's, so that an index over them grows at its end.
fn id() -> Result<Uuid> {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("{error}"))?;
    if std::env::args().any(|word| word == UNORDERED) {
        let mut all = [0; 16];
        getrandom::fill(&mut all).map_err(|error| anyhow::anyhow!("{error}"))?;
        let version = uuid::Version::SortRand;
        let id = uuid::Builder::from_bytes(all).with_version(version);
        return Ok(id.with_variant(uuid::Variant::RFC4122).into_uuid());
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let unix_ms = u64::try_from(now.as_millis())?;
    Ok(uuid::Builder::from_unix_timestamp_millis(unix_ms, &bytes).into_uuid())
}

fn raw_fsync(dir: &Path) -> Result<Vec<Duration>> {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.join("fsync"))?;
    let mut times = Vec::new();
    for _ in 0..FSYNCS {
        file.write_all(&[7; 4096])?;
        let start = Instant::now();
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

/// Rows a second of a bare table of entries and payloads, in groups of this size, in the same mode.
async fn bare_sqlite(dir: &Path, a_group: usize) -> Result<f64> {
    let path = dir.with_extension("bare.db");
    File::create(&path)?;
    let mut link: SqliteConnection = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
        .disable_statement_logging()
        .connect()
        .await?;
    let tables = "
        CREATE TABLE entry (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, command BLOB NOT NULL, entry BLOB NOT NULL) STRICT;
        CREATE INDEX by_command ON entry (command);
        CREATE TABLE payload (seq INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;";
    sqlx::raw_sql(tables).execute(&mut link).await?;
    let (entry, payload) = (vec![7_u8; 560], vec![7_u8; 240]);
    let (mut n, start) = (0_i64, Instant::now());
    while start.elapsed() < SUBMITTING {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut link).await?;
        let mut left = a_group;
        while left > 0 {
            let some = left.min(1_000);
            let mut entries =
                sqlx::QueryBuilder::new("INSERT INTO entry (seq, id, command, entry) ");
            let ids: Vec<(Uuid, Uuid)> = (0..some)
                .map(|_| Ok((id()?, id()?)))
                .collect::<Result<_>>()?;
            entries.push_values(ids.iter().enumerate(), |mut row, (at, (own, command))| {
                row.push_bind(n + at as i64)
                    .push_bind(own.as_bytes().as_slice())
                    .push_bind(command.as_bytes().as_slice())
                    .push_bind(entry.as_slice());
            });
            entries.build().execute(&mut link).await?;
            let mut payloads = sqlx::QueryBuilder::new("INSERT INTO payload (seq, sealed) ");
            payloads.push_values(0..some, |mut row, at| {
                row.push_bind(n + at as i64).push_bind(payload.as_slice());
            });
            payloads.build().execute(&mut link).await?;
            n += some as i64;
            left -= some;
        }
        sqlx::query("COMMIT").execute(&mut link).await?;
    }
    let rate = n as f64 / start.elapsed().as_secs_f64();
    link.close().await?;
    std::fs::remove_file(&path)?;
    Ok(rate)
}

/// How many checkpoints were signed, which is how many groups there were, and the newest one's size.
async fn checkpoints(dir: &Path) -> Result<(u64, u64)> {
    let mut link = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(dir.join("journal.db"))
        .disable_statement_logging()
        .connect()
        .await?;
    let (count, size): (i64, i64) = sqlx::query_as("SELECT count(*), max(size) FROM checkpoint")
        .fetch_one(&mut link)
        .await?;
    link.close().await?;
    Ok((
        count.unsigned_abs().saturating_sub(1).max(1),
        size.unsigned_abs(),
    ))
}

fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let at = (sorted.len() as f64 * share) as usize;
    sorted
        .get(at.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn cpu_s() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after = stat
        .rsplit_once(") ")
        .context("no name in /proc/self/stat")?
        .1;
    let fields: Vec<&str> = after.split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    let (user, system) = (ticks(11), ticks(12));
    Ok((user.context("no user time")? + system.context("no system time")?) / 100.0)
}

fn resident_mb() -> Result<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: f64 = statm
        .split(' ')
        .nth(1)
        .context("no resident pages")?
        .parse()?;
    Ok(pages * 4_096.0 / 1e6)
}
