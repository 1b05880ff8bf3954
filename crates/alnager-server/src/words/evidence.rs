//! The texts of the room Evidence.

use alnager_office::evidence::Standing;

use crate::digest::Shelf;

/// The texts of the room Evidence.
#[derive(Debug)]
#[expect(
    missing_docs,
    reason = "a text's name says what it is for, and its value what it is"
)]
pub struct Evidence {
    pub lead: &'static str,
    pub empty: &'static str,
    pub empty_action: &'static str,
    pub queue: &'static str,
    pub queue_note: &'static str,
    pub queue_none: &'static str,
    pub all: &'static str,
    pub by_standing: &'static str,
    pub search: &'static str,
    pub document: &'static str,
    pub system: &'static str,
    pub kind: &'static str,
    pub by: &'static str,
    pub stands: &'static str,
    pub requirement: &'static str,
    pub requirements: &'static str,
    pub decision: &'static str,
    pub reason: &'static str,
    pub effective: &'static str,
    pub expires: &'static str,
    pub never: &'static str,
    pub hash: &'static str,
    pub hash_note: &'static str,
    pub submitted: &'static str,
    pub shared: &'static str,
    pub signed: &'static str,
    pub replaces: &'static str,
    pub replaced_by: &'static str,
    pub take: &'static str,
    pub withheld: &'static str,
    pub rule: &'static str,
    pub rule_lead: &'static str,
    pub accept: &'static str,
    pub reject: &'static str,
    pub own: &'static str,
    pub may_not: &'static str,
    pub was_replaced: &'static str,
    pub choose: &'static str,
    pub choose_ruling: &'static str,
    pub offer: &'static str,
    pub offer_lead: &'static str,
    pub offer_none: &'static str,
    pub offer_other: &'static str,
    pub offer_other_note: &'static str,
    pub offer_send: &'static str,
    pub controls: &'static str,
    pub differs: &'static str,
    pub not_decided: &'static str,
}

/// English.
pub const EN: Evidence = Evidence {
    lead: "What was submitted to show that requirements are met, and what a second person made of it.",
    empty: "No evidence was submitted yet. A document counts once somebody other than its submitter has accepted it, with a reason. Submit the first one on a system's page.",
    empty_action: "Go to the systems",
    queue: "For you to decide on",
    queue_note: "Submitted by others; the oldest first.",
    queue_none: "Nothing waits for your decision.",
    all: "All evidence",
    by_standing: "By how it stands",
    search: "Id, file, kind, system or requirement",
    document: "Document",
    system: "System",
    kind: "Kind",
    by: "Submitted by",
    stands: "How it stands",
    requirement: "Requirement",
    requirements: "Offered for",
    decision: "Decision",
    reason: "Reason",
    effective: "Counts from",
    expires: "Counts until",
    never: "no end",
    hash: "SHA-256",
    hash_note: "Of the document's bytes. Whoever has the document can work it out again and compare.",
    submitted: "Submitted in",
    shared: "for the whole organisation; every system inherits it",
    signed: "Signed by an independent auditor",
    replaces: "Replaces",
    replaced_by: "Replaced by",
    take: "Download the document",
    withheld: "the document was erased; its hash remains",
    rule: "Accept or reject",
    rule_lead: "Choose what you decide on, and say why.",
    accept: "Accept",
    reject: "Reject",
    own: "You submitted it; somebody else decides on it.",
    may_not: "Your roles do not decide on evidence.",
    was_replaced: "A newer version took its place; decide on that one.",
    choose: "choose at least one requirement to decide on",
    choose_ruling: "say whether you accept or reject it",
    offer: "Offer it for more",
    offer_lead: "Evidence accepted for one requirement may serve others that ask for the same control. Nothing counts before somebody has accepted it there.",
    offer_none: "No further requirement asks for the same controls.",
    offer_other: "Another requirement",
    offer_other_note: "Its id; it must take this kind of evidence.",
    offer_send: "Offer it",
    controls: "common control",
    differs: "asks differently",
    not_decided: "nobody has decided",
};

impl Evidence {
    /// How evidence stands over all it is offered for.
    pub fn shelf(&self, shelf: Shelf) -> &'static str {
        match shelf {
            Shelf::Awaiting => "awaiting a decision",
            Shelf::Expired => "expired",
            Shelf::Expiring => "expiring within 90 days",
            Shelf::Accepted => "accepted",
            Shelf::Rejected => "rejected",
            Shelf::Replaced => "replaced",
        }
    }

    /// How evidence stands for one requirement.
    pub fn standing(&self, standing: Standing) -> &'static str {
        match standing {
            Standing::Accepted => "accepted",
            Standing::Submitted => "awaiting a decision",
            Standing::NotYetEffective => "accepted; counts later",
            Standing::Expired => "expired",
            Standing::Rejected => "rejected",
        }
    }
}
