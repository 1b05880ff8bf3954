//! The Alnager command line.

mod arguments;
mod audit;
mod crosswalk;
mod desk;
mod dossier;
mod journal;
mod law;
mod new;
mod opinion;
mod people;
mod review;
mod run;
mod segment;
mod serve;
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
    keep_secrets_out_of_dumps();
    keep_within_memory();
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

/// Whoever starts this program on a file of somebody else's may bound what it takes: a file made to fill the memory then ends this
/// process alone.
fn keep_within_memory() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let bytes = std::env::var(alnager_server::child::MEMORY_MAX).ok();
        if let Some(bytes) = bytes.and_then(|bytes| bytes.parse().ok()) {
            let limit = Rlimit {
                current: Some(bytes),
                maximum: Some(bytes),
            };
            let _ = setrlimit(Resource::Data, limit);
        }
    }
}

/// Keys and passphrases are in memory while the program runs: a crash must not write them to a file, and no other process of the user
/// may read them there.
fn keep_secrets_out_of_dumps() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{
            DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit,
        };
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        // Where the system refuses, the program is no worse off than without it.
        let _ = setrlimit(Resource::Core, none);
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
