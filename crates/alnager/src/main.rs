//! The Alnager command line.

mod arguments;
mod audit;
mod crosswalk;
mod desk;
mod journal;
mod law;
mod new;
mod people;
mod run;
mod settings;
mod task;
mod terminal;
mod witness;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;

use clap::Parser as _;

/// What the last panic said. A panic inside a data reader is caught there and becomes a message about the file, so nothing is
/// printed until one gets this far.
static PANIC: Mutex<String> = Mutex::new(String::new());

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        if let Ok(mut text) = PANIC.lock() {
            *text = panic.to_string();
        }
    }));
    let code = match catch_unwind(AssertUnwindSafe(
        || run::run(&arguments::Arguments::parse()),
    )) {
        Ok(code) => code,
        Err(_) => {
            let text = PANIC.lock().map(|text| text.clone()).unwrap_or_default();
            terminal::complain(&format!(
                "a mistake in the program: {text}; nothing was acknowledged, please report this"
            ));
            run::COULD_NOT_FINISH
        }
    };
    // Whatever is left to print; a reader that has gone away is no failure of ours.
    let _ = std::io::stdout().flush();
    ExitCode::from(code)
}
