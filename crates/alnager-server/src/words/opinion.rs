//! The texts about audit opinions.

use alnager_office::opinion::Conclusion;

/// The texts about audit opinions.
#[derive(Debug)]
#[expect(
    missing_docs,
    reason = "a text's name says what it is for, and its value what it is"
)]
pub struct Opinion {
    pub title: &'static str,
    pub none: &'static str,
    pub lead: &'static str,
    pub given_by: &'static str,
    pub given_on: &'static str,
    pub first: &'static str,
    pub root: &'static str,
    pub proof: &'static str,
    pub checkpoint: &'static str,
    pub basis: &'static str,
    pub basis_note: &'static str,
    pub moved: &'static str,
    pub not_moved: &'static str,
    pub about_system: &'static str,
    pub about_organisation: &'static str,
    pub moved_meanwhile: &'static str,
    pub own_key: &'static str,
    pub no_own_key: &'static str,
    pub earlier: &'static str,
    pub withdrawn: &'static str,
    pub replaced: &'static str,
    pub stands: &'static str,
    pub give: &'static str,
    pub to_form: &'static str,
    pub form_lead: &'static str,
    pub conclusion: &'static str,
    pub conclusion_missing: &'static str,
    pub size: &'static str,
    pub size_note: &'static str,
    pub size_wrong: &'static str,
    pub root_note: &'static str,
    pub root_wrong: &'static str,
    pub key_note: &'static str,
    pub withdraw: &'static str,
    pub system: &'static str,
    pub opinion: &'static str,
    pub day: &'static str,
    pub record: &'static str,
}

impl Opinion {
    /// What a conclusion is called.
    pub fn conclusion(&self, conclusion: Conclusion) -> &'static str {
        match conclusion {
            Conclusion::Unmodified => "unmodified opinion",
            Conclusion::Qualified => "qualified opinion",
            Conclusion::Adverse => "adverse opinion",
            Conclusion::Disclaimer => "disclaimer of opinion",
        }
    }

    /// What a conclusion means.
    pub fn means(&self, conclusion: Conclusion) -> &'static str {
        match conclusion {
            Conclusion::Unmodified => "the record shows what it claims, in all that matters",
            Conclusion::Qualified => {
                "the record shows what it claims, except for what the basis names"
            }
            Conclusion::Adverse => {
                "the record does not show what it claims, and what is wrong pervades it"
            }
            Conclusion::Disclaimer => "there was not enough to go by, so there is no opinion",
        }
    }
}

/// English.
pub const EN: Opinion = Opinion {
    title: "Audit opinions",
    none: "No audit opinion stands.",
    lead: "An independent auditor's conclusion on the record of this system. It changes no verdict.",
    given_by: "Given by",
    given_on: "Given on",
    first: "the first",
    root: "Root hash over them",
    proof: "Proof of the entry (.tlog-proof)",
    checkpoint: "Checkpoint it was given on",
    basis: "Basis",
    basis_note: "What was examined, and why that leads to the conclusion. It stays in the journal. Name nobody in it, so that a person can be erased.",
    moved: "The record has moved since:",
    not_moved: "The record has not moved since.",
    about_system: "about the system",
    about_organisation: "about the organisation",
    moved_meanwhile: "the record moved while you wrote; look at what is new, then send the opinion again on the record as it is now, or name the entries you read",
    own_key: "Signed by the auditor with their own key",
    no_own_key: "The key of this desk's log signs it, and no key of the auditor.",
    earlier: "Earlier opinions",
    withdrawn: "withdrawn",
    replaced: "replaced by a later one",
    stands: "stands",
    give: "Give the opinion",
    to_form: "Give an audit opinion",
    form_lead: "Your opinion is sealed with what you read: the number of entries of the journal, and the root hash over them. Whoever had a hand in the system or its record gives none.",
    conclusion: "Conclusion",
    conclusion_missing: "choose what you conclude",
    size: "Entries you read",
    size_note: "The journal as it is now; or what the checkpoint of your dossier says.",
    size_wrong: "write the number of entries you read",
    root_note: "As your dossier or checkpoint has it; empty to take this journal's.",
    root_wrong: "a root hash is base64 with 44 letters, as in the third line of a checkpoint",
    key_note: "To sign with a key of your own as well, use `alnager opinion text`, `alnager audit sign` and `alnager opinion give --signature`.",
    withdraw: "Withdraw",
    system: "System",
    opinion: "Opinion",
    day: "Day",
    record: "Record",
};
