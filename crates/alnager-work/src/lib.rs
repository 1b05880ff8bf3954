//! The jobs that the command line and the server share. One function per job; the world (clock, files, randomness) is touched here.

pub mod acting;
pub mod audit;
pub mod dossier;
pub mod error;
pub mod files;
pub mod found;
pub mod gate;
pub mod journal;
pub mod law;
pub mod library;
pub mod new;
pub mod opinion;
pub mod people;
pub mod records;
pub mod remote;
pub mod review;
pub mod segment;
pub mod source;
pub mod task;
pub mod upkeep;
pub mod verify;
pub mod why;
pub mod witness;
