//! What can go wrong with an endpoint: what a person can mend, and what leaves a run inconclusive.

use std::io;

/// What is wrong with a declared endpoint, its secret, or what it is asked. A person can mend it.
#[derive(Debug, thiserror::Error)]
pub enum EndpointProblem {
    /// The address does not read.
    #[error("this is no address that can be asked; write it as https://vendor.example/score")]
    Url,
    /// A secret that would travel readable.
    #[error(
        "a secret over http could be read on the way; use https (http is for this machine only)"
    )]
    Readable,
    /// No such environment variable, or an empty one.
    #[error(
        "the environment variable `{name}`, which holds the secret, is not set; set it and ask again"
    )]
    NoVariable {
        /// The variable.
        name: String,
    },
    /// The file of the secret cannot be read.
    #[error("the file of the secret, `{path}`, cannot be read; check `file` and its permissions")]
    SecretFile {
        /// The file.
        path: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A secret that cannot be sent.
    #[error("the secret in `{place}` {why}")]
    Secret {
        /// The variable or file.
        place: String,
        /// What is wrong with it, never the secret.
        why: &'static str,
    },
    /// The name of the header does not read.
    #[error("`{header}` is no name of a header; correct `auth`")]
    Header {
        /// The name.
        header: String,
    },
    /// The proxy in the environment cannot be used.
    #[error(transparent)]
    Proxy(#[from] crate::http::ProxyError),
    /// No input is declared.
    #[error("no input is declared, so there is nothing to ask")]
    NoInputs,
    /// No canary row is asked for.
    #[error("no canary row is asked for; say with `canaries` how many, such as 20")]
    NoCanaries,
    /// The request cannot be made of the inputs.
    #[error("`request`: {why}")]
    Request {
        /// What is wrong.
        why: String,
    },
    /// A value that the protocol cannot leave out.
    #[error(
        "row {row} has no `{input}`, and this protocol cannot leave a number out; complete the data, or leave such rows out with `where`"
    )]
    Missing {
        /// The row among those asked, counted from 1.
        row: usize,
        /// The input.
        input: String,
    },
    /// A text where the tensor takes numbers.
    #[error(
        "the input `{input}` holds texts, and the tensor `{tensor}` takes numbers; leave `tensor` out"
    )]
    TextInTensor {
        /// The input.
        input: String,
        /// The tensor.
        tensor: String,
    },
    /// The model says that it has no such input.
    #[error("the model has no input `{input}`; it has {found}")]
    NoInput {
        /// The input declared.
        input: String,
        /// The inputs it lists, in backticks.
        found: String,
    },
    /// The endpoint refuses.
    #[error("it refused with status {status}{said}; {hint}")]
    Refused {
        /// The status.
        status: u16,
        /// What it said, plain and short and without the secret, after `: `; or nothing.
        said: String,
        /// What to look at.
        hint: &'static str,
    },
    /// The endpoint leads elsewhere.
    #[error(
        "it leads to `{to}` (status {status}), and nothing was asked there, for secret and rows are sent to the declared address only; if it has moved, correct `url`"
    )]
    Elsewhere {
        /// The status.
        status: u16,
        /// Where it leads.
        to: String,
    },
    /// Its certificate is not trusted.
    #[error("it cannot be trusted: {why}; check the address")]
    Untrusted {
        /// What the reader of certificates said.
        why: String,
    },
}

/// Why an endpoint's answers are no measurement. Nothing of them is counted; what was kept lies in the answers file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It did not answer, however often it was asked.
    #[error(
        "it did not answer {n_attempts} times in a row, the last time because {last}; ask again later"
    )]
    Outage {
        /// How often a request was made.
        n_attempts: u32,
        /// What happened the last time.
        last: String,
    },
    /// It asks for a longer pause than is allowed.
    #[error("it asks to come back in {wait_s} s; ask again then")]
    Later {
        /// The pause asked for, in seconds.
        wait_s: u64,
    },
    /// An answer is too long.
    #[error("an answer has more than {bytes_max} bytes; lower `batch`")]
    TooLong {
        /// The bound.
        bytes_max: u64,
    },
    /// An answer is not in the protocol's form.
    #[error("an answer cannot be read: {why}")]
    Malformed {
        /// What is wrong, without the answer.
        why: String,
    },
    /// The version stated is not the one declared.
    #[error(
        "it says that its version is `{said}`, declared is `{declared}`; ask its maker which one answers, then correct `version`"
    )]
    OtherVersion {
        /// The version declared.
        declared: String,
        /// The version stated.
        said: String,
    },
    /// The version changed during the run.
    #[error(
        "its version changed from {before} to {after} while it was asked; begin anew with a new answers file"
    )]
    VersionChanged {
        /// The version first stated.
        before: String,
        /// The version stated later.
        after: String,
    },
    /// Two answers of one look state two versions.
    #[error("it says at one time that its version is {one} and {other}; look again later")]
    VersionBetween {
        /// One.
        one: String,
        /// The other.
        other: String,
    },
    /// The answers on canary rows changed during the run.
    #[error(
        "it changed while it was asked: {n_differ} of {n} canary rows are answered otherwise than at the start; begin anew with a new answers file"
    )]
    Changed {
        /// Canary rows with another answer.
        n_differ: usize,
        /// Canary rows.
        n: usize,
    },
    /// The run was stopped.
    #[error("the run was stopped; the same command goes on where it ended")]
    Stopped,
}

/// What is wrong with a file that a run keeps, line by line.
#[derive(Debug, thiserror::Error)]
pub enum KeptProblem {
    /// It cannot be opened, read or written.
    #[error(
        "the file cannot be opened, read or written; check its folder, its permissions and its disk"
    )]
    Io(#[source] io::Error),
    /// Another run writes to it.
    #[error("another run is using this file; wait until it ends")]
    InUse,
    /// It is something else.
    #[error("this file does not hold `{schema}`, and it is never overwritten; name a new file")]
    Foreign {
        /// What it should hold.
        schema: &'static str,
    },
    /// It belongs to something else.
    #[error(
        "this file belongs to another `{member}` ({holds}, now {now}), and it is never overwritten; name a new file, or go on with what it belongs to"
    )]
    Bound {
        /// What differs.
        member: String,
        /// What the file holds.
        holds: String,
        /// What is asked now.
        now: String,
    },
    /// A line that does not read.
    #[error(
        "line {line} cannot be read, so the file is damaged: {why}; restore it from a copy, or name a new file"
    )]
    Damaged {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
}
