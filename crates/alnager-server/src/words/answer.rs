//! The texts of answering facts.

/// The texts of answering facts.
#[derive(Debug)]
#[expect(
    missing_docs,
    reason = "a text's name says what it is for, and its value what it is"
)]
pub struct Answer {
    pub yes: &'static str,
    pub no: &'static str,
    pub none: &'static str,
    pub none_of_them: &'static str,
    pub complete: &'static str,
    pub choose: &'static str,
    pub none_or_some: &'static str,
    pub none_or_one: &'static str,
    pub no_number: &'static str,
    pub no_day: &'static str,
}

/// English.
pub const EN: Answer = Answer {
    yes: "yes",
    no: "no",
    none: "there is none",
    none_of_them: "none of them",
    complete: "Choose all that hold: what is not chosen counts as not so.",
    choose: "choose an answer",
    none_or_some: "choose either some of them, or `none of them`",
    none_or_one: "give one answer, or say that there is none",
    no_number: "write a number such as 2500, without thousands marks",
    no_day: "write a day such as 2026-08-02",
};
