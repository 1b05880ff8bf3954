//! The organisation: what it declared, who confirmed what, which evidence it holds, and what its gates decided.
//!
//! State is a fold over the journal: [`state::State::apply`] takes events one by one. [`decide::decide`] turns a command into events, or
//! refuses it. Both are pure: same input, same output.

pub mod assess;
pub mod audit;
pub mod comment;
pub mod counsel;
pub mod coverage;
pub mod crosswalk;
pub mod decide;
pub mod declaration;
pub mod deed;
pub mod derived;
pub mod dossier;
pub mod event;
pub mod evidence;
pub mod exception;
pub mod gate;
pub mod launch;
pub mod log;
pub mod opinion;
pub mod packs;
pub mod people;
pub mod role;
pub mod segment;
pub mod signal;
pub mod signature;
pub mod snapshot;
pub mod state;
pub mod system;
pub mod task;
mod upcast;
