//! Every text of the pages, and how a language writes dates and numbers. A second language is a second value of [`Words`].
//!
//! A room's texts lie in a file of its own in `words/`. What a person typed, what law says and what the office answers is not here: it is
//! shown as it stands.

#![expect(
    missing_docs,
    reason = "a text's name says what it is for, and its value what it is"
)]

use alnager_office::gate::{Status, Verdict};
use alnager_office::role::Role;
use jiff::civil::Date;

pub mod answer;
pub mod evidence;
pub mod gate;
pub mod import;
pub mod intake;
pub mod journal;
pub mod lab;
pub mod law;
pub mod opinion;
pub mod search;
pub mod shared;
pub mod specimen;
pub mod system;
pub mod systems;
pub mod tasks;
pub mod today;

/// The texts of one language.
#[derive(Debug)]
pub struct Words {
    /// The language, as HTML has it.
    pub language: &'static str,
    /// The frame of every page.
    pub frame: Frame,
    /// The rooms' names.
    pub rooms: Rooms,
    /// What is said when something is refused.
    pub refusal: Refusals,
    /// Setting an organisation up.
    pub setup: Setup,
    /// Signing in.
    pub sign_in: SignIn,
    /// People and roles.
    pub people: People,
    /// One's own account.
    pub account: Account,
    /// What several rooms share.
    pub shared: shared::Shared,
    /// The specimen page.
    pub specimen: specimen::Specimen,
    /// The room Gate.
    pub gate: gate::Gate,
    /// The room Evidence.
    pub evidence: evidence::Evidence,
    /// The room Tasks.
    pub tasks: tasks::Tasks,
    /// The room Today.
    pub today: today::Today,
    /// The audit lab.
    pub lab: lab::Lab,
    /// The page of one system.
    pub system: system::System,
    /// Answering facts.
    pub answer: answer::Answer,
    /// The room Systems.
    pub systems: systems::Systems,
    /// Importing a list of systems.
    pub import: import::Import,
    /// The room Intake.
    pub intake: intake::Intake,
    /// The search across rooms.
    pub search: search::Search,
    /// The room Journal.
    pub journal: journal::Journal,
    /// The room Law.
    pub law: law::Law,
    /// Audit opinions.
    pub opinion: opinion::Opinion,
}

/// The frame of every page.
#[derive(Debug)]
pub struct Frame {
    pub product: &'static str,
    pub skip: &'static str,
    pub rooms: &'static str,
    pub today: &'static str,
    pub palette: &'static str,
    pub why: &'static str,
    pub save: &'static str,
    pub cancel: &'static str,
    pub reason: &'static str,
    pub nobody: &'static str,
}

/// The rooms' names.
#[derive(Debug)]
pub struct Rooms {
    pub today: &'static str,
    pub systems: &'static str,
    pub intake: &'static str,
    pub law: &'static str,
    pub lab: &'static str,
    pub gate: &'static str,
    pub evidence: &'static str,
    pub journal: &'static str,
    pub people: &'static str,
    pub account: &'static str,
}

/// What is said when something is refused.
#[derive(Debug)]
pub struct Refusals {
    pub sign_in: &'static str,
    pub not_found: &'static str,
    pub forbidden: &'static str,
    pub invalid: &'static str,
    pub conflict: &'static str,
    pub too_large: &'static str,
    pub too_often: &'static str,
    pub unavailable: &'static str,
    pub internal: &'static str,
    pub back: &'static str,
    pub may_not: &'static str,
    pub other_form: &'static str,
    pub form_too_large: &'static str,
}

/// Setting an organisation up.
#[derive(Debug)]
pub struct Setup {
    pub title: &'static str,
    pub lead: &'static str,
    pub not_yet: &'static str,
    pub organisation: &'static str,
    pub name: &'static str,
    pub name_missing: &'static str,
    pub login: &'static str,
    pub login_note: &'static str,
    pub password: &'static str,
    pub password_note: &'static str,
    pub begin: &'static str,
    pub reason: &'static str,
    pub link_used: &'static str,
}

/// Signing in.
#[derive(Debug)]
pub struct SignIn {
    pub title: &'static str,
    pub login: &'static str,
    pub password: &'static str,
    pub enter: &'static str,
    pub wrong: &'static str,
    pub login_missing: &'static str,
    pub login_taken: &'static str,
    pub link_title: &'static str,
    pub link_lead: &'static str,
    pub link_spent: &'static str,
    pub choose: &'static str,
}

/// People and roles.
#[derive(Debug)]
pub struct People {
    pub title: &'static str,
    pub lead: &'static str,
    pub person: &'static str,
    pub login: &'static str,
    pub roles: &'static str,
    pub no_account: &'static str,
    pub no_roles: &'static str,
    pub closed: &'static str,
    pub invite: &'static str,
    pub invite_lead: &'static str,
    pub invited: &'static str,
    pub change: &'static str,
    pub close: &'static str,
    pub reopen: &'static str,
    pub new_link: &'static str,
    pub not_own: &'static str,
}

/// One's own account.
#[derive(Debug)]
pub struct Account {
    pub title: &'static str,
    pub roles: &'static str,
    pub password: &'static str,
    pub old_password: &'static str,
    pub new_password: &'static str,
    pub change: &'static str,
    pub changed: &'static str,
    pub tokens: &'static str,
    pub tokens_lead: &'static str,
    pub token_name: &'static str,
    pub token_scopes: &'static str,
    pub token_days: &'static str,
    pub token_new: &'static str,
    pub token_shown: &'static str,
    pub token_end: &'static str,
    pub token_never: &'static str,
    pub token_used: &'static str,
    pub token_expires: &'static str,
    pub no_tokens: &'static str,
    pub sign_out: &'static str,
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// English.
pub static EN: Words = Words {
    language: "en",
    frame: Frame {
        product: "Alnager",
        skip: "Skip to the content",
        rooms: "Rooms",
        today: "Today is",
        palette: "Find",
        why: "why",
        save: "Save",
        cancel: "Cancel",
        reason: "Reason",
        nobody: "nobody",
    },
    rooms: Rooms {
        today: "Today",
        systems: "Systems",
        intake: "New use",
        law: "Law",
        lab: "Audit lab",
        gate: "Gate",
        evidence: "Evidence",
        journal: "Journal",
        people: "People",
        account: "Your account",
    },
    refusal: Refusals {
        sign_in: "Sign in first",
        not_found: "Nothing here",
        forbidden: "Not yours to do",
        invalid: "Not done yet",
        conflict: "Changed meanwhile",
        too_large: "Too large",
        too_often: "Too many attempts",
        unavailable: "Not now",
        internal: "Something went wrong here",
        back: "Back to today",
        may_not: "your roles do not allow this; whoever looks after people can change them",
        other_form: "this form does not come from a page you have open here; open the page again and send it from there",
        form_too_large: "a form carries at most 1 MB of text",
    },
    setup: Setup {
        title: "Set up Alnager",
        lead: "The desk of your organisation is empty. Say whose it is, and who looks after it first.",
        not_yet: "This desk is not set up yet. Whoever started the server has the link to do it.",
        organisation: "Organisation",
        name: "Your name",
        name_missing: "say your name: the journal records who does what",
        login: "Sign-in name",
        login_note: "An e-mail address, or any name you will remember.",
        password: "Password",
        password_note: "At least 12 characters.",
        begin: "Open the desk",
        reason: "first administrator of the desk",
        link_used: "this link sets up nothing any more",
    },
    sign_in: SignIn {
        title: "Sign in",
        login: "Sign-in name",
        password: "Password",
        enter: "Sign in",
        wrong: "name and password do not belong together",
        login_missing: "choose a sign-in name",
        login_taken: "somebody else signs in with this name; choose another one",
        link_title: "Welcome",
        link_lead: "This link signs you in once. Choose how you will sign in from now on.",
        link_spent: "this link was used before, or has expired; ask for a new one",
        choose: "Whose desk?",
    },
    people: People {
        title: "People",
        lead: "Who may do what. Roles are entered in the journal; accounts are not.",
        person: "Person",
        login: "Sign-in name",
        roles: "Roles",
        no_account: "no account",
        no_roles: "no role: signs in to nothing",
        closed: "closed",
        invite: "Invite somebody",
        invite_lead: "They get a link for one use, valid for seven days. Nothing is sent: give it to them yourself.",
        invited: "Give this link to them. It is shown once, works once, and expires in seven days.",
        change: "Change roles",
        close: "Close the account",
        reopen: "Open it again",
        new_link: "New sign-in link",
        not_own: "nobody closes their own account; have another administrator do it",
    },
    account: Account {
        title: "Your account",
        roles: "Your roles",
        password: "Password",
        old_password: "Password now",
        new_password: "New password",
        change: "Change it",
        changed: "Your password is changed, and every other session has ended.",
        tokens: "Tokens for programs",
        tokens_lead: "A token lets a program do what you may do, within its scopes.",
        token_name: "What it is for",
        token_scopes: "What it may do",
        token_days: "Days it is valid",
        token_new: "Make a token",
        token_shown: "This is the token. It is shown once; keep it where only the program reads it.",
        token_end: "End it",
        token_never: "never",
        token_used: "Last used",
        token_expires: "Valid until",
        no_tokens: "You have no tokens.",
        sign_out: "Sign out",
    },
    shared: shared::EN,
    specimen: specimen::EN,
    gate: gate::EN,
    evidence: evidence::EN,
    tasks: tasks::EN,
    today: today::EN,
    lab: lab::EN,
    system: system::EN,
    systems: systems::EN,
    answer: answer::EN,
    import: import::EN,
    intake: intake::EN,
    search: search::EN,
    journal: journal::EN,
    law: law::EN,
    opinion: opinion::EN,
};

impl Words {
    /// A day, such as `2 Dec 2026`.
    pub fn day(&self, day: Date) -> String {
        let month = usize::try_from(day.month() - 1).ok();
        let month = month.and_then(|month| MONTHS.get(month)).unwrap_or(&"");
        format!("{} {month} {}", day.day(), day.year())
    }

    /// How far away a day is.
    pub fn days_left(&self, days: i64) -> String {
        match days {
            0 => "today".to_owned(),
            1 => "tomorrow".to_owned(),
            -1 => "yesterday".to_owned(),
            days if days < 0 => format!("{} days ago", self.number(days.unsigned_abs())),
            days => format!("in {} days", self.number(days.unsigned_abs())),
        }
    }

    /// A whole number, its thousands apart.
    pub fn number(&self, number: u64) -> String {
        let digits = number.to_string();
        let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                shown.push(',');
            }
            shown.push(digit);
        }
        shown
    }

    /// A count with its noun, such as `1 system` or `12 systems`.
    pub fn count(&self, number: usize, one: &str, many: &str) -> String {
        let noun = if number == 1 { one } else { many };
        format!("{} {noun}", self.number(number as u64))
    }

    /// A verdict in a word.
    pub fn verdict(&self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Clear => "clear",
            Verdict::Hold => "hold",
            Verdict::Undecided => "undecided",
        }
    }

    /// How a requirement fares, in a word.
    pub fn status(&self, status: Status) -> &'static str {
        status.word()
    }

    /// A role's title.
    pub fn role(&self, role: Role) -> &'static str {
        role.title()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn days_and_numbers_are_written_as_in_english() {
        assert_eq!(EN.day("2026-12-02".parse().unwrap()), "2 Dec 2026");
        let numbers = [0, 999, 1_000, 1_234_567].map(|number| EN.number(number));
        assert_eq!(numbers, ["0", "999", "1,000", "1,234,567"]);
        let days = [-3, -1, 0, 1, 1_200].map(|days| EN.days_left(days));
        assert_eq!(
            days,
            [
                "3 days ago",
                "yesterday",
                "today",
                "tomorrow",
                "in 1,200 days"
            ]
        );
        assert_eq!(EN.count(1, "system", "systems"), "1 system");
        assert_eq!(EN.count(2_000, "system", "systems"), "2,000 systems");
    }
}
