//! `cargo xtask interop`: do log libraries that nobody here wrote accept our logs, and refuse damaged ones?
//!
//! Every peer comes from a package registry, pinned; what it says is its own, only the reading of files and lines is
//! ours (`xtask/interop`). A key and a witness are made for the run, logs of every size in [`SIZES`] are published and
//! proven, and each damage of [`damage::of`] is shown to every peer that looks at such a place at all.

mod damage;
mod log;
mod peer;

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::target_directory;
use damage::Damage;
use log::Log;
use peer::{Peer, Peers};

/// One entry; around the first full tile; two levels of tiles, the upper one full and partial; three.
const SIZES: [u64; 6] = [1, 255, 256, 257, 70_000, 200_001];

/// The kinds of damage, in the table's order.
const KINDS: [&str; 8] = [
    "tile", "bundle", "root", "size", "sign", "hash", "length", "leaf",
];

/// Publishes the logs, asks every peer, and fails where one accepts what is damaged or refuses what is not.
pub(crate) fn interop(root: &Path) -> Result<()> {
    let place = target_directory(root)?.join("interop");
    let peers = Peers::prepare(root, &place)?;
    let whole = Log::new(*SIZES.iter().max().context("there are sizes")?)?;
    println!(
        "{:<22} {:>8}  accepted  {}",
        "who",
        "entries",
        KINDS.map(|kind| format!("{kind:<7}")).join("")
    );
    let mut wrong = Vec::new();
    for size in SIZES {
        let folder = place.join("logs").join(size.to_string());
        whole.publish(size, &folder.join("intact"))?;
        let damages = damage::of(&whole, size)?;
        for one in &damages {
            one.write(&folder.join(&one.name))?;
        }
        for peer in peer::ALL {
            let shown = show(&peers, peer, &folder, &damages, &mut wrong)?;
            println!("{:<22} {size:>8}  {shown}", peer.title);
        }
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot clear `{}`", folder.display()))?;
    }
    println!("\na/b: a of b damages of that kind refused; -: nothing of that kind for this peer");
    for peer in peer::ALL {
        for (part, why) in peer.cannot {
            println!("{} does not check {}: {why}", peer.title, part.words());
        }
    }
    println!("a log of one entry has proofs without hashes, so none can be changed or left out");
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(())
}

/// One row of the table; what is not as it should be goes into `wrong`.
fn show(
    peers: &Peers,
    peer: &Peer,
    folder: &Path,
    damages: &[Damage],
    wrong: &mut Vec<String>,
) -> Result<String> {
    let looks_at = |damage: &&Damage| peer.cannot.iter().all(|(part, _)| *part != damage.part);
    let asked: Vec<&Damage> = damages.iter().filter(looks_at).collect();
    let mut names = vec!["intact"];
    names.extend(asked.iter().map(|damage| damage.name.as_str()));
    let said = peers.ask(peer, folder, &names)?;
    let place = |name: &str| format!("{} on {}/{name}", peer.title, folder.display());
    let verdict = |name: &str| {
        let words = said.get(name).map(String::as_str);
        words.with_context(|| format!("{} said nothing", place(name)))
    };
    let intact = verdict("intact")?;
    if intact != "accepted" {
        wrong.push(format!("{}: refused: {intact}", place("intact")));
    }
    let mut cells = String::new();
    for kind in KINDS {
        let of_kind: Vec<_> = asked.iter().filter(|damage| damage.kind == kind).collect();
        let mut n_refused = 0;
        for damage in &of_kind {
            match verdict(&damage.name)? {
                "accepted" => wrong.push(format!("{}: accepted", place(&damage.name))),
                _ => n_refused += 1,
            }
        }
        let cell = match of_kind.len() {
            0 => "-".to_owned(),
            n => format!("{n_refused}/{n}"),
        };
        cells.push_str(&format!("{cell:<7}"));
    }
    let accepted = if intact == "accepted" { "yes" } else { "NO" };
    Ok(format!("{accepted:<10}{cells}"))
}
