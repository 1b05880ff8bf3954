//! The terminal: width, colour, progress, and words to it.

use std::cell::RefCell;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use alnager_probe::{Progress, Unit};
use alnager_report::screen::Style;
use alnager_server::child;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Nothing that takes less than this shows a bar.
const QUIET: Duration = Duration::from_secs(2);

/// Prints a text; a reader that has gone away is no failure of ours.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
}

/// Prints what went wrong, on the error stream.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "error: {text}");
}

/// Colour only on a terminal, and never where NO_COLOR is set.
pub(crate) fn style() -> Style {
    let terminal = console::Term::stdout();
    let is_terminal = std::io::stdout().is_terminal();
    let colour = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let columns = std::env::var("COLUMNS").ok();
    let width = match (
        columns.and_then(|columns| columns.parse().ok()),
        is_terminal,
    ) {
        (Some(columns), _) => columns,
        (None, true) => usize::from(terminal.size().1),
        (None, false) => 100,
    };
    Style {
        colour,
        width: width.clamp(40, 120),
    }
}

/// A progress bar on the error stream that appears when measuring takes longer than two seconds.
pub(crate) struct Bar {
    start: Instant,
    bar: RefCell<Option<ProgressBar>>,
    /// Whether a program wants to be told, in lines.
    is_told: bool,
}

impl Bar {
    pub(crate) fn new() -> Self {
        Bar {
            start: Instant::now(),
            bar: RefCell::new(None),
            is_told: std::env::var_os(child::PROGRESS).is_some(),
        }
    }

    /// Shows how far the measuring has come.
    pub(crate) fn show(&self, progress: Progress) {
        if self.is_told {
            eprintln!(
                "{} {} of {}",
                child::PROGRESS,
                progress.done,
                progress.total
            );
            return;
        }
        if self.start.elapsed() < QUIET || !std::io::stderr().is_terminal() {
            return;
        }
        let mut bar = self.bar.borrow_mut();
        let bar = bar.get_or_insert_with(|| {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        });
        let unit = match progress.unit {
            Unit::Bytes => "measuring {bar:30} {bytes} of {total_bytes}, {eta} left",
            Unit::Rows => "measuring {bar:30} {human_pos} of {human_len} rows, {eta} left",
            Unit::Files => "measuring {bar:30} {human_pos} of {human_len} files, {eta} left",
            Unit::Counts => "counting in the database, {human_pos} combinations of values so far",
            Unit::Steps => "computing {bar:30} {human_pos} of {human_len}, {eta} left",
            Unit::Answers => "asking {bar:30} {human_pos} of {human_len} rows answered, {eta} left",
        };
        if let Ok(style) = ProgressStyle::with_template(unit) {
            bar.set_style(style);
        }
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    }

    /// Shows how many of the systems are done.
    pub(crate) fn count(&self, done: u64, total: u64) {
        self.steps("judging", "systems", done, total);
    }

    /// Shows how many things are done.
    pub(crate) fn steps(&self, doing: &str, things: &str, done: u64, total: u64) {
        if self.start.elapsed() < QUIET || !std::io::stderr().is_terminal() {
            return;
        }
        let mut bar = self.bar.borrow_mut();
        let bar = bar.get_or_insert_with(|| {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        });
        let words =
            format!("{doing} {{bar:30}} {{human_pos}} of {{human_len}} {things}, {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&words) {
            bar.set_style(style);
        }
        bar.set_length(total);
        bar.set_position(done);
    }

    /// Takes the bar away.
    pub(crate) fn done(&self) {
        if let Some(bar) = self.bar.borrow_mut().take() {
            bar.finish_and_clear();
        }
    }
}

/// Ctrl-C while a service is asked: no further request begins, and the answers of those under way are kept. At any other time, and
/// the second time, it ends the program at once.
pub(crate) fn stop_between_requests() {
    #[cfg(unix)]
    {
        use alnager_probe::endpoint::{STOPPING, Stopping};
        use signal_hook::consts::SIGINT;
        use signal_hook::flag::{register, register_conditional_shutdown};
        use std::sync::Arc;

        const INTERRUPTED: i32 = 128 + SIGINT;
        let Stopping { stop, is_idle } = &*STOPPING;
        // In the order in which they are to be asked. Where the system refuses, ctrl-c ends the program as it always does.
        let registered = register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(is_idle))
            .and_then(|_| register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(stop)))
            .and_then(|_| register(SIGINT, Arc::clone(stop)));
        drop(registered);
    }
}
