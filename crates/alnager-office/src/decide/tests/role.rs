//! Roles: granted by administrators, the first by whoever comes first; the last administrator stays.

use super::*;
use crate::people::Basis;
use crate::role::Role;

/// What comes of `actor person roles…`: the roles the person has then, or why not.
fn grant(world: &mut World, words: &str) -> String {
    let mut words = words.split(' ');
    let (actor, person) = (words.next().unwrap(), words.next().unwrap());
    let command = Command::GrantRoles {
        person: person.to_owned(),
        roles: words.map(|word| Role::of(word).unwrap()).collect(),
        reason: "r".to_owned(),
    };
    match world.act(actor, &command) {
        Ok(_) => {
            let roles = world.state.roles_of(world.state.person(person).unwrap());
            let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
            words.join(" ")
        }
        Err(refused) => refused.to_string(),
    }
}

#[test]
fn a_role_has_one_word_everywhere() {
    for role in Role::ALL {
        let json = serde_json::to_string(&role).unwrap();
        assert_eq!(json, format!("\"{}\"", role.word()));
        assert_eq!(Role::of(role.word()), Some(role));
        assert!(!role.title().is_empty());
    }
    assert_eq!(Role::of("king"), None);
}

#[test]
fn whoever_comes_first_makes_themselves_an_administrator() {
    let mut world = World::new();
    let first =
        "nobody has a role yet; make yourself an administrator first, then grant roles to others";
    assert_eq!(grant(&mut world, "Rita Tom administrator"), first);
    assert_eq!(grant(&mut world, "Rita Rita officer"), first);
    check(
        &grant(&mut world, "Rita rita administrator officer"),
        expect!["officer administrator"],
    );
    check(&grant(&mut world, "Rita Tom legal"), expect!["legal"]);
    check(
        &grant(&mut world, "Tom Tom administrator"),
        expect!["only an administrator of this desk grants roles; ask one to do it"],
    );
}

#[test]
fn the_last_administrator_stays_one_and_is_not_erased() {
    let mut world = World::new();
    grant(&mut world, "Rita Rita administrator");
    check(
        &grant(&mut world, "Rita Rita legal"),
        expect!["`Rita` is the only administrator; make somebody else one first"],
    );
    grant(&mut world, "Rita Tom administrator legal");
    check(&grant(&mut world, "Tom Rita"), expect![""]);
    assert_eq!(world.state.roles.len(), 1);
    let erase = Command::ErasePerson {
        person: "Tom".to_owned(),
        basis: Basis::Other,
        reason: "r".to_owned(),
    };
    check(
        &world.act("Rita", &erase).unwrap_err().to_string(),
        expect!["`Tom` is the only administrator; make somebody else one first"],
    );
}

#[test]
fn the_same_set_again_is_refused() {
    let mut world = World::new();
    grant(&mut world, "Rita Rita administrator");
    check(
        &grant(&mut world, "Rita Rita administrator"),
        expect!["`Rita` has these roles and no others already; there is nothing to decide"],
    );
    check(
        &grant(&mut world, "Rita Tom"),
        expect!["`Tom` has these roles and no others already; there is nothing to decide"],
    );
}

#[test]
fn an_erased_person_has_no_roles() {
    let mut world = World::new();
    grant(&mut world, "Rita Rita administrator");
    grant(&mut world, "Rita Tom board");
    let tom = world.state.person("Tom").unwrap().to_owned();
    let erase = Command::ErasePerson {
        person: "Tom".to_owned(),
        basis: Basis::Other,
        reason: "r".to_owned(),
    };
    world.act("Rita", &erase).unwrap();
    assert!(world.state.roles_of(&tom).is_empty());
    let again = grant(&mut world, &format!("Rita {tom} board"));
    assert!(again.ends_with("they are erased under entry 4"), "{again}");
}
