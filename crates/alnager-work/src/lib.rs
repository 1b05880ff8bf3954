//! The jobs that the command line and the server share.

pub mod library;
