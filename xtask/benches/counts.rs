//! PostgreSQL counts the rows of an audit: what goes over the wire, and what it costs beside the same `GROUP BY` by hand.
//!
//! `cargo xtask bench counts [ROWS]` starts a server and runs it. The server does the work, so the times are by the wall clock.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use alnager_audit::declared::Audit;
use alnager_probe::{Database, From, Source, measure};
use anyhow::{Context as _, Result, ensure};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

/// Rows, unless an argument says otherwise.
const ROWS: u64 = 10_000_000;

/// Times that each is run; the median counts.
const N_RUNS: usize = 3;

/// What is counted: two attributes, an outcome, a decision by a threshold, a score of a million values at four cuts.
const AUDIT: &str = "
    name = 'counts'
    data = 'a database'
    label = { column = 'repaid', positive = '1' }
    decision = { column = 'score', at_least = 0.5, favourable = 'at_least' }
    score = { column = 'score', cuts = [0.25, 0.5, 0.75, 0.9] }
    attribute = [{ column = 'sex', characteristic = 'sex' }, { column = 'race', characteristic = 'race_ethnicity' }]
    intersection = [{ columns = ['sex', 'race'] }]";

const BY_HAND: &str = "
SELECT sex, race, repaid, width_bucket(score, ARRAY[0.25, 0.5, 0.75, 0.9]::double precision[]) AS level, count(*)
  FROM applicants GROUP BY sex, race, repaid, level";

fn main() -> Result<()> {
    let n: u64 = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(ROWS);
    let url = std::env::var("ALNAGER_BENCH_POSTGRES")
        .context("ALNAGER_BENCH_POSTGRES is not set; run `cargo xtask bench counts`")?;
    let audit = Audit::read(&alnager_law::read::read("bench", AUDIT)?)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (n_bytes, by_hand) = runtime.block_on(fill(&url, n))?;
    println!(
        "{n} rows in PostgreSQL, {:.0} MB on its disk",
        n_bytes as f64 / 1e6
    );

    let told = Arc::new(AtomicU64::new(0));
    let through = through_a_meter(&url, &told)?;
    let source = Source::Database(Database::new(
        &through,
        From::Table("applicants".to_owned()),
    )?);
    let mut walls = Vec::new();
    let mut n_cells = 0;
    for _ in 0..N_RUNS {
        told.store(0, Ordering::Relaxed);
        let start = Instant::now();
        let measured = measure(&audit, &source)?;
        walls.push(start.elapsed().as_secs_f64());
        ensure!(measured.measures.data.n_rows == n, "rows were lost");
        n_cells = measured.measures.table.cells.len();
    }
    walls.sort_by(f64::total_cmp);
    let wall = walls[N_RUNS / 2];
    println!(
        "counted for an audit in {wall:.2} s wall, by hand in {by_hand:.2} s (ratio {:.2}); {} bytes came over the wire, {n_cells} groups",
        wall / by_hand,
        told.load(Ordering::Relaxed)
    );
    Ok(())
}

/// Makes the table; gives its size on disk and how long the same count takes by hand.
async fn fill(url: &str, n: u64) -> Result<(i64, f64)> {
    let mut link = PgConnection::connect(url).await?;
    let rows = format!(
        "DROP TABLE IF EXISTS applicants;
         CREATE UNLOGGED TABLE applicants AS
         SELECT (ARRAY['F', 'M'])[1 + mixed % 2] AS sex,
                (ARRAY['A', 'B', 'C', 'D', 'E'])[1 + mixed / 2 % 5] AS race,
                (mixed / 10 % 3 > 0)::int AS repaid,
                (mixed % 1000003) / 1000003.0::double precision AS score
           FROM (SELECT (i * 7919 + i / 13) % 1000000007 AS mixed FROM generate_series(1, {n}::bigint) AS i) AS rows;
         ANALYZE applicants"
    );
    link.execute(sqlx::raw_sql(AssertSqlSafe(rows))).await?;
    let size = link
        .fetch_one("SELECT pg_total_relation_size('applicants')")
        .await?
        .try_get(0)?;
    let mut walls = Vec::new();
    for _ in 0..N_RUNS {
        let start = Instant::now();
        link.fetch_all(BY_HAND).await?;
        walls.push(start.elapsed().as_secs_f64());
    }
    walls.sort_by(f64::total_cmp);
    link.close().await?;
    Ok((size, walls[N_RUNS / 2]))
}

/// The same address through a meter of what the server says.
fn through_a_meter(url: &str, told: &Arc<AtomicU64>) -> Result<String> {
    let (before, rest) = url.split_once('@').context("the address has no user")?;
    let (server, database) = rest
        .split_once('/')
        .context("the address has no database")?;
    let server = server.to_owned();
    let meter = TcpListener::bind("127.0.0.1:0")?;
    let through = format!(
        "{before}@{}/{database}?sslmode=disable",
        meter.local_addr()?
    );
    let told = Arc::clone(told);
    std::thread::spawn(move || {
        for client in meter.incoming().flatten() {
            let Ok(server) = TcpStream::connect(&server) else {
                continue;
            };
            let pairs = (client.try_clone(), server.try_clone());
            let (Ok(to_client), Ok(to_server)) = pairs else {
                continue;
            };
            let told = Arc::clone(&told);
            std::thread::spawn(move || pass(client, to_server, None));
            std::thread::spawn(move || pass(server, to_client, Some(&told)));
        }
    });
    Ok(through)
}

fn pass(mut from: TcpStream, mut to: TcpStream, told: Option<&AtomicU64>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        if let Some(told) = told {
            told.fetch_add(n as u64, Ordering::Relaxed);
        }
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
