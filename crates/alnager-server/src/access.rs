//! Who may do what. Everything is denied that is not listed here.

use alnager_office::role::Role;
use alnager_office::system::System;
use imbl::OrdSet;

/// What somebody wants to do. Every route declares one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// See a page that anybody may see: signing in, health, style sheets.
    Enter,
    /// Look after one's own account: password, tokens, saved views.
    Account,
    /// Read systems, law, evidence, gates.
    Read,
    /// Read the journal, and take dossiers out of it.
    Prove,
    /// Declare a system, or propose a use.
    Declare,
    /// Answer facts.
    Answer,
    /// Confirm answers.
    Confirm,
    /// Submit evidence.
    Submit,
    /// Accept or reject evidence.
    Rule,
    /// Decide on going live.
    Decide,
    /// Grant exceptions, and end them.
    Except,
    /// Decide about law itself: readings, frameworks, wordings.
    Advise,
    /// Run audits.
    Audit,
    /// Review a system that is declared and measured elsewhere: declares it, submits its evidence, seals what was counted.
    Review,
    /// Open and finish tasks.
    Task,
    /// Comment.
    Comment,
    /// Give audit opinions, and withdraw one's own.
    Opine,
    /// Look after people and their roles.
    Administer,
}

/// What an action is about.
#[derive(Debug, Clone, Copy)]
pub enum Resource<'a> {
    /// The organisation as a whole.
    Organisation,
    /// A system.
    System(&'a System),
}

/// Who acts, as far as it matters for what they may do.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// The person's id.
    pub person: &'a str,
    /// Their roles.
    pub roles: &'a OrdSet<Role>,
}

impl Action {
    /// All of them.
    pub const ALL: [Action; 18] = [
        Action::Enter,
        Action::Account,
        Action::Read,
        Action::Prove,
        Action::Declare,
        Action::Answer,
        Action::Confirm,
        Action::Submit,
        Action::Rule,
        Action::Decide,
        Action::Except,
        Action::Advise,
        Action::Audit,
        Action::Review,
        Action::Task,
        Action::Comment,
        Action::Opine,
        Action::Administer,
    ];

    /// Its word: the scope of a token that may do it.
    pub fn word(self) -> &'static str {
        match self {
            Action::Enter => "enter",
            Action::Account => "account",
            Action::Read => "read",
            Action::Prove => "prove",
            Action::Declare => "declare",
            Action::Answer => "answer",
            Action::Confirm => "confirm",
            Action::Submit => "submit",
            Action::Rule => "rule",
            Action::Decide => "decide",
            Action::Except => "except",
            Action::Advise => "advise",
            Action::Audit => "audit",
            Action::Review => "review",
            Action::Task => "task",
            Action::Comment => "comment",
            Action::Opine => "opine",
            Action::Administer => "administer",
        }
    }

    /// What a word stands for.
    pub fn of(word: &str) -> Option<Action> {
        Action::ALL.into_iter().find(|action| action.word() == word)
    }
}

/// Whether somebody may do something to something.
///
/// Engineers and system owners change only what they build or own; everybody else's right holds for every system. Separation of duties
/// (nobody rules on their own evidence, no author approves) is the office's, and holds whatever roles somebody has.
pub fn authorize(actor: Actor<'_>, action: Action, resource: Resource<'_>) -> bool {
    let is_own = match resource {
        Resource::Organisation => true,
        Resource::System(system) => system.builders.contains(actor.person),
    };
    actor.roles.iter().any(|role| grants(*role, action, is_own))
        || action == Action::Enter
        || (action == Action::Account && !actor.roles.is_empty())
}

/// What one role may do; `is_own`: to a system that the person builds or owns, or to no system in particular.
fn grants(role: Role, action: Action, is_own: bool) -> bool {
    match action {
        Action::Enter | Action::Account | Action::Read => true,
        Action::Prove => !matches!(role, Role::Engineer | Role::SystemOwner | Role::Board),
        Action::Declare | Action::Answer | Action::Submit => match role {
            Role::Officer | Role::Legal | Role::Validator | Role::PrivacyOfficer => true,
            Role::Engineer | Role::SystemOwner => is_own,
            Role::Auditor | Role::Board | Role::Administrator => false,
        },
        Action::Confirm | Action::Rule => matches!(
            role,
            Role::Officer | Role::Legal | Role::Validator | Role::PrivacyOfficer
        ),
        Action::Decide => matches!(role, Role::Officer | Role::Legal | Role::PrivacyOfficer),
        Action::Except => matches!(role, Role::Officer | Role::Legal),
        Action::Advise => matches!(role, Role::Officer | Role::Legal),
        Action::Audit => matches!(
            role,
            Role::Officer | Role::Engineer | Role::Validator | Role::Auditor
        ),
        Action::Review => match role {
            Role::Officer | Role::Validator => true,
            Role::Engineer => is_own,
            _ => false,
        },
        Action::Task => !matches!(role, Role::Auditor | Role::Board | Role::Administrator),
        Action::Comment => !matches!(role, Role::Administrator),
        Action::Opine => role == Role::Auditor,
        Action::Administer => role == Role::Administrator,
    }
}
