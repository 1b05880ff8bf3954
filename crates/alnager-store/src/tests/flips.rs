//! One bit changed anywhere: it is found, or it changed nothing that anybody is told.

use super::*;
use crate::secret::Unlock;

/// `SplitMix64` (Steele, Lea and Flood 2014).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }
}

/// State and checkpoint, and every payload and blob.
type Seen = (String, Vec<Option<Vec<u8>>>);

/// What of a desk can be read.
fn seen(world: &World, place: &Place) -> Result<Seen, StoreError> {
    let desk = world.run(Desk::open(place))?;
    let mut seen = Vec::new();
    for index in 0..desk.size() {
        seen.push(world.run(desk.payload(index))?.map(|payload| payload.bytes));
        for name in ["document", "report.html", "book.json"] {
            seen.push(world.run(desk.blob(index, name))?.map(|blob| blob.bytes));
        }
    }
    Ok((format!("{:?} {}", desk.state(), desk.checkpoint()), seen))
}

fn check(unlock: &Unlock, documents: u32, flips: usize, seed: u64) {
    println!("seed {seed}");
    let world = World::new();
    let place = world.place().unlocked(unlock.clone());
    let mut desk = world.desk(1);
    let with = world.context(PEOPLE[0]);
    let commands: Vec<Command> = (100..100 + documents).map(|n| world.evidence(n)).collect();
    let orders: Vec<Order<'_>> = commands
        .iter()
        .map(|command| order(id(), command, &with))
        .collect();
    assert!(world.run(desk.enter_all(&orders)).iter().all(Result::is_ok));
    world.run(desk.write_snapshot()).unwrap();
    world.run(desk.seal_secrets(unlock.clone())).unwrap();
    world.run(desk.close()).unwrap();
    let sound = world.run(Desk::verify(&place)).unwrap();
    assert_eq!(shown(&sound), "");
    let summary = |report: &DeskReport| {
        let counts = (
            report.contents.unwrap().payloads,
            report.contents.unwrap().blobs,
            report.contents.unwrap().erased,
            report.checkpoints,
            report.tiles,
        );
        (report.size, report.root, report.checkpoint.clone(), counts)
    };
    let before = seen(&world, &place).unwrap();

    let mut random = Seeded(seed);
    let blobs: Vec<PathBuf> = tree_of(&world.dir().join("blobs"))
        .into_iter()
        .filter(|path| path.is_file())
        .collect();
    let file = |name: &str| world.dir().join(name);
    let (mut n_found, mut n_nothing) = (0, 0);
    for _ in 0..flips {
        // Half of them in the journal, and some in everything else.
        let path = match random.below(10) {
            0..=4 => file("journal.db"),
            5..=6 => file("keys.db"),
            7 => blobs[random.below(blobs.len())].clone(),
            8 => file("kek"),
            _ => file("log.key"),
        };
        let whole = fs::read(&path).unwrap();
        let (at, bit) = (random.below(whole.len()), random.below(8));
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << bit;
        fs::write(&path, &bytes).unwrap();
        let flip = format!("seed {seed}: bit {bit} of byte {at} of {}", path.display());
        match world.run(Desk::verify(&place)) {
            Ok(report) if report.is_sound() => {
                assert_eq!(summary(&report), summary(&sound), "{flip}");
                let is_database = path.extension().is_some_and(|extension| extension == "db");
                assert!(is_database, "{flip} is evidence");
                // Whoever reads sees the same, or is told.
                if let Ok(after) = seen(&world, &place) {
                    assert!(after == before, "{flip} is seen by a reader");
                }
                n_nothing += 1;
            }
            Ok(_) | Err(_) => n_found += 1,
        }
        for rest in [
            "journal.db-wal",
            "journal.db-shm",
            "keys.db-wal",
            "keys.db-shm",
        ] {
            drop(fs::remove_file(file(rest)));
        }
        fs::write(&path, &whole).unwrap();
    }
    println!("{flips} flips: {n_found} found, {n_nothing} in room that means nothing");
    assert!(n_found > flips / 3, "{n_found} of {flips}");
    assert_eq!(shown(&world.run(Desk::verify(&place)).unwrap()), "");
}

#[test]
fn flips_in_a_desk() {
    let flips = if is_long() { 2_000 } else { 200 };
    check(&Unlock::Open, 5, flips, 20_261_130);
}

#[test]
fn flips_in_a_desk_with_a_full_tile() {
    let flips = if is_long() { 200 } else { 10 };
    check(&Unlock::Open, 260, flips, 7);
}

#[test]
fn flips_in_a_sealed_desk() {
    let flips = if is_long() { 500 } else { 50 };
    check(&Unlock::Key([5; 32]), 5, flips, 11);
}
