#![allow(clippy::unwrap_used)]

use super::*;
use crate::review::read_declaration;

fn flags() -> Flags {
    Flags {
        actor: Some("Ruth \"R.\" Ansorge".to_owned()),
        ..Flags::default()
    }
}

#[test]
fn a_new_declaration_reads_back_and_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let new = NewSystem {
        dir: folder.path().join("chat bot"),
        ..NewSystem::default()
    };
    let made = new_system(&flags(), &new).unwrap();
    assert_eq!(made.id, "chat-bot");
    let library = crate::library::shipped().unwrap();
    let declaration = read_declaration(&library, &made.file).unwrap();
    assert_eq!(declaration.name, "chat bot");
    assert_eq!(declaration.owner, "Ruth \"R.\" Ansorge");
    assert!(declaration.facts.is_empty() && declaration.audits.is_empty());
    let before = std::fs::read(&made.file).unwrap();
    let again = new_system(&flags(), &new).unwrap_err();
    assert!(again.is_input() && again.to_string().contains("is there already"));
    assert_eq!(std::fs::read(&made.file).unwrap(), before);
}

#[test]
fn what_does_not_fit_is_told_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let new = NewSystem {
        dir: folder.path().join("x"),
        id: Some("Not An Id".to_owned()),
        ..NewSystem::default()
    };
    assert!(new_system(&flags(), &new).unwrap_err().is_input());
    assert!(!folder.path().join("x").exists());
}

/// Every line but words of explanation takes its part once its `#` is taken away.
#[test]
fn what_is_commented_out_reads_once_it_is_filled_in() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("x");
    let new = NewSystem {
        dir,
        name: Some("Credit".to_owned()),
        organisation: Some("Example Group".to_owned()),
        purpose: None,
        ..NewSystem::default()
    };
    let made = new_system(&flags(), &new).unwrap();
    let text = std::fs::read_to_string(&made.file).unwrap();
    let library = crate::library::shipped().unwrap();
    let mut filled = String::new();
    let mut n_facts = 0;
    for line in text.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let name = bare.split(" = ").next().unwrap_or_default();
        let fact = library.book.vocabulary.get(name);
        if let Some(kind) = fact.filter(|_| bare.contains("{ value = …")) {
            let value = match &kind.of {
                FactType::Bool => "true".to_owned(),
                FactType::Number | FactType::Date => "\"none\"".to_owned(),
                FactType::Enum(values) => format!("\"{}\"", values[0]),
                FactType::Set(_) => "[]".to_owned(),
            };
            filled.push_str(&bare.replacen('…', &value, 1));
            n_facts += 1;
        } else if bare.starts_with("[[") || (bare.contains(" = ") && !bare.starts_with("#")) {
            filled.push_str(bare);
        } else if !line.starts_with('#') {
            filled.push_str(line);
        }
        filled.push('\n');
    }
    std::fs::write(&made.file, filled).unwrap();
    let declaration = read_declaration(&library, &made.file).unwrap();
    let adopted = library.book.vocabulary.kinds().iter();
    let n_adopted = adopted.filter(|kind| kind.adopts.is_some()).count();
    assert_eq!(n_facts + n_adopted, made.n_facts);
    assert_eq!(declaration.facts.len(), n_facts);
    assert_eq!(declaration.audits.len(), 1);
    assert_eq!(declaration.evidence.len(), 1);
    assert_eq!(declaration.limits.len(), 1);
    assert_eq!(declaration.absences.len(), 1);
    assert!(declaration.go_live_on.is_some() && declaration.what_if.is_some());
}
