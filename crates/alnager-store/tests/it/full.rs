//! A disk that is really full: a small one in memory, mounted for the test.

use std::fs;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use alnager_store::{CommitError, Desk, Place, StoreError};
use tempfile::TempDir;

use super::{commit, hold, id, new_desk, person, run, standing, tasks_for, verify};

/// A mounted disk, unmounted when dropped.
struct Disk {
    folder: TempDir,
}

impl Disk {
    /// `None` where mounting is not allowed.
    fn mount(size: &str) -> Option<Disk> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let mounted = Process::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Disk { folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Process::new("umount").arg(self.folder.path()).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            println!("`{}` is still mounted", self.folder.path().display());
        }
    }
}

#[test]
fn a_disk_that_is_full_takes_nothing_and_loses_nothing() {
    let Some(disk) = Disk::mount("4m") else {
        println!("not run: this user may not mount a disk");
        return;
    };
    let standing = standing();
    let (place, mut desk) = new_desk(disk.path(), &standing, 1);
    // What else lies on the disk takes what is left of it, but for some pages.
    let other = disk.path().join("other");
    let mut n = 0;
    let writes = |path: &Path, n: usize| fs::write(path, vec![7; n * 4_096]);
    while writes(&other, n + 1).is_ok() {
        n += 1;
    }
    writes(&other, n - 12).unwrap();

    let (mut n_entered, mut places) = (0, true);
    let (failed, error) = loop {
        let (id, command) = (id(), hold(&person(0), places));
        match run(commit(&mut desk, &standing, id, &command)) {
            Ok(_) => (n_entered, places) = (n_entered + 1, !places),
            Err(error) => break ((id, command), error),
        }
        assert!(n_entered < 5_000, "the disk is never full");
    };
    assert!(
        matches!(error, CommitError::Store(StoreError::DiskFull { .. })),
        "{error}: {error:?}"
    );
    println!("full after {n_entered} more entries");
    // Whatever was entered is there, and can be read, here and by whoever opens the desk now.
    let size = desk.size();
    assert_eq!(run(desk.entries(0, size)).unwrap().len() as u64, size);
    assert!(run(desk.payload(size - 1)).unwrap().is_some());
    let mut second = run(Desk::open(&place)).unwrap();
    assert_eq!(*second.state(), *desk.state());
    // Others fail in the same way, also with a key to be made.
    let tasks = tasks_for(std::iter::once("Somebody New".to_owned()));
    for (id, command) in [failed.clone(), (id(), tasks)] {
        let again = run(commit(&mut second, &standing, id, &command)).unwrap_err();
        assert!(
            matches!(again, CommitError::Store(StoreError::DiskFull { .. })),
            "{again}: {again:?}"
        );
    }
    assert_eq!(verify(&place).size, size);

    fs::remove_file(other).unwrap();
    for (nth, desk) in [&mut desk, &mut second].into_iter().enumerate() {
        let receipt = run(commit(desk, &standing, failed.0, &failed.1)).unwrap();
        assert_eq!((receipt.first, receipt.already), (size, nth == 1));
    }
    assert_eq!(verify(&place).size, size + 1);
}

#[test]
fn a_desk_on_a_disk_that_is_read_only_is_read_and_checked() {
    let Some(disk) = Disk::mount("64m") else {
        println!("not run: this user may not mount a disk");
        return;
    };
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/desk-1.tar.zst");
    let archive = zstd::decode_all(fs::File::open(golden).unwrap()).unwrap();
    tar::Archive::new(archive.as_slice())
        .unpack(disk.path())
        .unwrap();
    let standing = standing();
    let elsewhere = disk.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let (newer, mut desk) = new_desk(&elsewhere, &standing, 1);
    run(commit(&mut desk, &standing, id(), &hold(&person(0), true))).unwrap();
    let desk_size = desk.size();
    run(desk.close()).unwrap();
    let mount = |option: &str| {
        let mounted = Process::new("mount")
            .args(["-o", option])
            .arg(disk.path())
            .status();
        assert!(mounted.unwrap().success());
    };
    mount("remount,ro");
    // A desk of the first format, and one of today's.
    let older = Place::from(disk.path().join("desk"));
    for (place, size, notes) in [(older, 25, 1), (newer, desk_size, 0)] {
        let mut desk = run(Desk::open(&place)).unwrap();
        assert_eq!((desk.size(), desk.state().size), (size, size));
        let tasks = tasks_for(std::iter::once("Somebody New".to_owned()));
        let refused = run(commit(&mut desk, &standing, id(), &tasks));
        assert!(
            matches!(
                refused,
                Err(CommitError::Store(StoreError::ReadOnly { .. }))
            ),
            "{refused:?}"
        );
        run(desk.close()).unwrap();
        let report = verify(&place);
        assert!(report.is_sound(), "{:?}", report.problems);
        assert_eq!(report.notes.len(), notes, "{:?}", report.notes);
    }
    mount("remount,rw");
}
