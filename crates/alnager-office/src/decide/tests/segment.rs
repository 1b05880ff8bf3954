//! Segments: about a system that is there, of some rows and not too many, counted and never held.

use alnager_journal::merkle::Hash;
use alnager_journal::segment::{ROWS, SegmentError, Stated};

use super::*;
use crate::deed::Deed;
use crate::segment::{NewSegment, Segments, Span};

fn segment(n_rows: u64) -> NewSegment {
    NewSegment {
        system: "sys".to_owned(),
        stated: Stated {
            columns: vec!["at".to_owned(), "decision".to_owned()],
            n_rows,
            root: Hash::of(b"rows"),
        },
        time: Some(Span {
            column: "at".to_owned(),
            first: "2026-11-23T08:00:00Z".parse().unwrap(),
            last: "2026-11-23T09:00:00Z".parse().unwrap(),
        }),
        rows: Blob {
            name: ROWS.to_owned(),
            media: "application/vnd.apache.parquet".to_owned(),
            bytes: std::sync::Arc::new(b"rows".to_vec()),
        },
    }
}

fn reviewed() -> World {
    let mut world = World::new();
    world.review(
        PLAIN,
        &evidence("dpia", "X-before", "2027-01-01"),
        "2026-11-23",
    );
    world
}

fn seal(world: &mut World, new: NewSegment) -> Result<Vec<Decided>, Refused> {
    world.act("Olga", &Command::SealSegment(Box::new(new)))
}

#[test]
fn a_segment_is_entered_with_its_rows_and_counted() {
    let mut world = reviewed();
    let moved = world.state.moved.clone();
    let decided = seal(&mut world, segment(3)).unwrap();
    let sealed = decided.last().unwrap();
    assert_eq!(sealed.blobs.len(), 1);
    assert_eq!(
        sealed.subjects,
        [world.state.systems["sys"].subject.clone()]
    );
    let payload = sealed.event.to_payload().unwrap();
    assert_eq!(Stated::parse(&payload).unwrap(), segment(3).stated);
    let last = world.state.size - 1;
    seal(&mut world, segment(10_000)).unwrap();
    let want = Segments {
        n_segments: 2,
        n_rows: 10_003,
        last: world.state.size - 1,
    };
    assert!(want.last > last);
    assert_eq!(world.state.segments["sys"], want);
    // What a system decides from day to day is not what an opinion on its record was given on.
    assert_eq!(world.state.moved, moved);
    let olga = world.state.person("Olga").unwrap();
    assert!(world.state.deeds_of("sys", olga).contains(&Deed::Sealed));
}

#[test]
fn what_is_no_segment_of_a_system_is_refused() {
    let mut world = reviewed();
    let before = world.state.size;
    let mut refused = |change: &dyn Fn(&mut NewSegment)| {
        let mut new = segment(3);
        change(&mut new);
        seal(&mut world, new).unwrap_err()
    };
    assert!(matches!(
        refused(&|new| new.system = "other".to_owned()),
        Refused::NoSystem { .. }
    ));
    let of_rows = |refused: Refused| match refused {
        Refused::Segment(problem) => *problem,
        other => panic!("{other}"),
    };
    assert!(matches!(
        of_rows(refused(&|new| new.stated.n_rows = 0)),
        SegmentError::Empty
    ));
    assert!(matches!(
        of_rows(refused(&|new| new.stated.n_rows = 10_001)),
        SegmentError::TooManyRows { n_rows: 10_001 }
    ));
    assert!(matches!(
        of_rows(refused(&|new| new.stated.columns.push("at".to_owned()))),
        SegmentError::Columns
    ));
    for change in [
        (|time| time.column = "when".to_owned()) as fn(&mut Span),
        |time| std::mem::swap(&mut time.first, &mut time.last),
    ] {
        let refused = refused(&|new| new.time.as_mut().into_iter().for_each(change));
        assert_eq!(
            refused.to_string(),
            "the time of a segment is one of its columns, and the first instant in it does not come after the last"
        );
    }
    assert_eq!(world.state.size, before);
}
