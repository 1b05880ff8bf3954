//! Accounts, sessions, links, tokens and saved views: in a folder and on PostgreSQL.

use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context as Waking, Poll, Waker};

use alnager_journal::merkle::Hash;

use super::*;
use crate::{AccountError, Accounts, NewAccount, NewSession, NewToken, Note, Session};

everywhere! {
    somebody_signs_in_and_out,
    a_login_and_a_person_have_one_account,
    a_new_secret_leaves_requests_under_way_alone,
    a_session_ends_under_each_of_its_secrets,
    a_link_works_once,
    whoever_has_a_closed_account_is_out,
    a_new_password_ends_what_was_begun_with_the_old_one,
    somebody_chooses_another_login,
    what_has_expired_is_swept,
    a_token_lives_until_it_is_ended,
    views_belong_to_a_person_and_a_list,
    what_is_too_much_is_refused,
    who_is_forgotten_has_no_row,
    many_handles_at_once_make_the_tables_once,
    a_request_that_is_given_up_holds_nobody_up,
    sessions_end_while_their_secrets_are_replaced,
}

const NOW: i64 = 1_795_421_640_000_000;
const MINUTE: i64 = 60_000_000;
const DAY: i64 = 1_440 * MINUTE;
const PHC: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaA";

impl World {
    /// The accounts of a desk that has none yet.
    fn accounts(&self) -> Accounts {
        if !self.exists() {
            self.closed(0);
        }
        self.run(Accounts::open(&self.place())).unwrap()
    }

    /// Somebody new who may sign in.
    fn add_account(&self, accounts: &Accounts, login: &str) -> String {
        let account = account(login);
        self.run(accounts.add(&account)).unwrap();
        account.person
    }

    /// The accounts of a desk that is there, with one for this person, who is signed in and has a token and a view.
    pub(super) fn with_account(&self, person: &str, login: &str) -> Accounts {
        let accounts = self.run(Accounts::open(&self.place())).unwrap();
        let new = NewAccount {
            person: person.to_owned(),
            ..account(login)
        };
        self.run(async {
            accounts.add(&new).await.unwrap();
            let session = session(person, login);
            accounts.begin_session(&session).await.unwrap();
            accounts.add_token(&token(person, login)).await.unwrap();
            let view = accounts.save_view(person, "tasks", login, login);
            view.await.unwrap();
        });
        accounts
    }

    fn begin(&self, accounts: &Accounts, person: &str, secret: &str) {
        self.run(accounts.begin_session(&session(person, secret)))
            .unwrap();
    }

    fn session(&self, accounts: &Accounts, secret: &str, now: i64) -> Option<Session> {
        self.run(accounts.session(&hash(secret), now)).unwrap()
    }
}

fn account(login: &str) -> NewAccount {
    NewAccount {
        person: id().to_string(),
        login: login.to_owned(),
        password: Some(PHC.to_owned()),
        at: NOW,
    }
}

fn session(person: &str, secret: &str) -> NewSession {
    NewSession {
        hash: hash(secret),
        person: person.to_owned(),
        at: NOW,
        expires: NOW + DAY,
    }
}

fn token(person: &str, name: &str) -> NewToken {
    NewToken {
        id: name.to_owned(),
        person: person.to_owned(),
        name: format!("of {name}"),
        hash: hash(name),
        scopes: vec!["read".to_owned(), "enter:evidence".to_owned()],
        at: NOW,
        expires: Some(NOW + DAY),
    }
}

fn hash(secret: &str) -> [u8; 32] {
    Hash::of(secret.as_bytes()).0
}

/// What is refused, in the words of the message.
#[track_caller]
fn check_refused<T: std::fmt::Debug>(answer: Result<T, AccountError>, want: &str) {
    assert_eq!(answer.unwrap_err().to_string(), want);
}

const TAKEN: &str = "another account has this login already; choose another login";
const HAS_ONE: &str = "this person has an account already; change that one instead";
const NO_ACCOUNT: &str =
    "this person has no account, or a closed one; add one or open it again first";
const USED: &str = "this secret was handed out before; make a new one of 32 random bytes";

fn somebody_signs_in_and_out(world: &World) {
    let accounts = world.accounts();
    let person = id().to_string();
    let new = NewAccount {
        person: person.clone(),
        login: " Rita@Harbour.Example ".to_owned(),
        password: None,
        at: NOW,
    };
    world.run(accounts.add(&new)).unwrap();
    let link = hash("a link");
    world
        .run(accounts.invite(&link, Some(&person), "first password", NOW + DAY))
        .unwrap();
    let redeemed = world
        .run(accounts.redeem(&link, "first password", NOW))
        .unwrap()
        .unwrap();
    assert_eq!(redeemed.person.as_deref(), Some(person.as_str()));
    world
        .run(accounts.set_password(&person, PHC, NOW + 1))
        .unwrap();

    let account = world
        .run(accounts.by_login("RITA@harbour.example"))
        .unwrap()
        .unwrap();
    assert_eq!(account.login, "rita@harbour.example");
    assert_eq!(account.password.as_deref(), Some(PHC));
    assert_eq!(
        (account.created_at, account.password_at),
        (NOW, Some(NOW + 1))
    );
    assert!(!account.is_closed() && !format!("{account:?}{new:?}").contains("itarita"));
    assert_eq!(
        world.run(accounts.of_person(&person)).unwrap(),
        Some(account.clone())
    );
    assert_eq!(world.run(accounts.all()).unwrap(), [account]);
    assert_eq!(world.run(accounts.by_login("somebody")).unwrap(), None);

    world.begin(&accounts, &person, "a secret");
    let seen_at = |now| {
        world
            .run(accounts.touch_session(&hash("a secret"), now))
            .unwrap();
        world.session(&accounts, "a secret", now).unwrap().seen_at
    };
    assert_eq!(seen_at(NOW + MINUTE - 1), NOW);
    assert_eq!(seen_at(NOW + MINUTE), NOW + MINUTE);
    assert_eq!(seen_at(NOW + MINUTE + 1), NOW + MINUTE);
    let session = world.session(&accounts, "a secret", NOW + DAY - 1).unwrap();
    assert_eq!((session.began_at, session.expires), (NOW, NOW + DAY));
    assert_eq!(
        (session.person, session.grace_until),
        (person.clone(), None)
    );
    assert_eq!(world.session(&accounts, "a secret", NOW + DAY), None);
    assert_eq!(world.session(&accounts, "another", NOW), None);

    for _ in 0..2 {
        world.run(accounts.end_session(&hash("a secret"))).unwrap();
        assert_eq!(world.session(&accounts, "a secret", NOW), None);
    }
    world.begin(&accounts, &person, "one");
    world.begin(&accounts, &person, "two");
    world.run(accounts.end_sessions(&person)).unwrap();
    assert_eq!(world.session(&accounts, "one", NOW), None);
    assert_eq!(world.session(&accounts, "two", NOW), None);
}

fn a_login_and_a_person_have_one_account(world: &World) {
    let accounts = world.accounts();
    let ada = world.add_account(&accounts, "ada");
    check_refused(world.run(accounts.add(&account(" ADA"))), TAKEN);
    for login in ["ada", "ada-2"] {
        let person = ada.clone();
        let again = NewAccount {
            person,
            ..account(login)
        };
        check_refused(world.run(accounts.add(&again)), HAS_ONE);
    }
    // Whichever way the id is written.
    let again = NewAccount {
        person: ada.to_uppercase(),
        ..account("ada-3")
    };
    check_refused(world.run(accounts.add(&again)), HAS_ONE);
    assert_eq!(world.run(accounts.all()).unwrap().len(), 1);
    let nobody = id().to_string();
    assert_eq!(world.run(accounts.of_person(&nobody)).unwrap(), None);
    check_refused(
        world.run(accounts.set_password(&nobody, PHC, NOW)),
        NO_ACCOUNT,
    );
    check_refused(
        world.run(accounts.set_closed(&nobody, true, NOW)),
        NO_ACCOUNT,
    );
    check_refused(
        world.run(accounts.begin_session(&session(&nobody, "x"))),
        NO_ACCOUNT,
    );
    check_refused(
        world.run(accounts.add_token(&token(&nobody, "x"))),
        NO_ACCOUNT,
    );
}

fn a_new_secret_leaves_requests_under_way_alone(world: &World) {
    let accounts = world.accounts();
    let person = world.add_account(&accounts, "ada");
    world.begin(&accounts, &person, "one");
    let rotate = |old: &str, new: &str, now: i64| {
        let grace_until = now + MINUTE;
        world.run(accounts.rotate_session(&hash(old), &hash(new), now, grace_until))
    };
    assert!(rotate("one", "two", NOW + 10).unwrap());
    let (old, new) = (
        world
            .session(&accounts, "one", NOW + 10 + MINUTE - 1)
            .unwrap(),
        world
            .session(&accounts, "two", NOW + 10 + MINUTE - 1)
            .unwrap(),
    );
    assert_eq!(old.grace_until, Some(NOW + 10 + MINUTE));
    assert_eq!(new.grace_until, None);
    assert_eq!((old.began_at, old.expires), (new.began_at, new.expires));
    assert_eq!([old.first_hash, new.first_hash], [hash("one"); 2]);
    assert_eq!([old.issued_at, new.issued_at], [NOW, NOW + 10]);
    assert_eq!(world.session(&accounts, "one", NOW + 10 + MINUTE), None);
    // It was replaced, never was, has expired, or was used.
    assert!(!rotate("one", "three", NOW + 20).unwrap());
    assert!(!rotate("none", "three", NOW + 20).unwrap());
    assert!(!rotate("two", "three", NOW + DAY).unwrap());
    check_refused(rotate("two", "one", NOW + 20), USED);
    assert!(rotate("two", "three", NOW + 30).unwrap());
    check_refused(
        world.run(accounts.begin_session(&session(&person, "three"))),
        USED,
    );
}

fn a_session_ends_under_each_of_its_secrets(world: &World) {
    let accounts = world.accounts();
    let person = world.add_account(&accounts, "ada");
    for ended in ["one", "two", "three"] {
        world.begin(&accounts, &person, "one");
        world.begin(&accounts, &person, "elsewhere");
        for (old, new) in [("one", "two"), ("two", "three")] {
            let (old, new) = (hash(old), hash(new));
            let rotated = world.run(accounts.rotate_session(&old, &new, NOW, NOW + DAY));
            assert!(rotated.unwrap());
        }
        world.run(accounts.end_session(&hash(ended))).unwrap();
        let left = ["one", "two", "three", "elsewhere"]
            .map(|secret| world.session(&accounts, secret, NOW).is_some());
        assert_eq!(left, [false, false, false, true], "{ended}");
        world.run(accounts.end_sessions(&person)).unwrap();
    }
}

fn a_link_works_once(world: &World) {
    let (one, two) = (world.accounts(), world.accounts());
    let link = hash("a link");
    let redeem = |purpose: &str, now| world.run(one.redeem(&link, purpose, now)).unwrap();
    world
        .run(one.invite(&link, None, "join", NOW + DAY))
        .unwrap();
    check_refused(world.run(two.invite(&link, None, "join", NOW)), USED);
    let look = |purpose: &str, now| world.run(two.invitation(&link, purpose, now)).unwrap();
    for (purpose, now, is_there) in [
        ("join", NOW, true),
        ("another purpose", NOW, false),
        ("join", NOW + DAY, false),
    ] {
        assert_eq!(look(purpose, now).is_some(), is_there, "{purpose}");
    }
    assert_eq!(redeem("another purpose", NOW), None);
    assert_eq!(redeem("join", NOW + DAY), None);
    let n_redeemed = world.run(async {
        let tries: Vec<_> = (0..50)
            .map(|n| {
                let accounts = if n % 2 == 0 { one.clone() } else { two.clone() };
                tokio::spawn(async move { accounts.redeem(&link, "join", NOW + DAY - 1).await })
            })
            .collect();
        let mut n_redeemed = 0;
        for tried in tries {
            n_redeemed += usize::from(tried.await.unwrap().unwrap().is_some());
        }
        n_redeemed
    });
    assert_eq!(n_redeemed, 1);
    assert_eq!(redeem("join", NOW), None);
    assert_eq!(look("join", NOW), None);
}

fn whoever_has_a_closed_account_is_out(world: &World) {
    let accounts = world.accounts();
    let (ada, rita) = (
        world.add_account(&accounts, "ada"),
        world.add_account(&accounts, "rita"),
    );
    let link = hash("a link");
    for person in [&ada, &rita] {
        world.begin(&accounts, person, person);
        world
            .run(accounts.add_token(&token(person, person)))
            .unwrap();
    }
    world
        .run(accounts.invite(&link, Some(&ada), "reset", NOW + DAY))
        .unwrap();
    world.run(accounts.set_closed(&ada, true, NOW + 5)).unwrap();
    world.run(accounts.set_closed(&ada, true, NOW + 6)).unwrap();
    let is_in = |person: &str| {
        let hash = hash(person);
        let has_token = world.run(accounts.token(&hash, NOW)).unwrap().is_some();
        (world.session(&accounts, person, NOW).is_some(), has_token)
    };
    let is_out = || {
        assert_eq!(is_in(&ada), (false, false));
        assert_eq!(is_in(&rita), (true, true));
        assert_eq!(world.run(accounts.tokens_of(&ada)).unwrap(), []);
        assert_eq!(
            world.run(accounts.redeem(&link, "reset", NOW)).unwrap(),
            None
        );
    };
    is_out();
    check_refused(
        world.run(accounts.begin_session(&session(&ada, "x"))),
        NO_ACCOUNT,
    );
    check_refused(world.run(accounts.add_token(&token(&ada, "x"))), NO_ACCOUNT);
    let closed = world.run(accounts.by_login("ada")).unwrap().unwrap();
    assert_eq!(
        (closed.closed_at, closed.is_closed()),
        (Some(NOW + 5), true)
    );

    // Opened again it is the same account, and nothing of before works.
    world
        .run(accounts.set_closed(&ada, false, NOW + 7))
        .unwrap();
    is_out();
    let open = world.run(accounts.by_login("ada")).unwrap().unwrap();
    assert_eq!(
        (open.closed_at, open.password.as_deref()),
        (None, Some(PHC))
    );
    world.begin(&accounts, &ada, &ada);
    assert_eq!(is_in(&ada), (true, false));
}

fn a_new_password_ends_what_was_begun_with_the_old_one(world: &World) {
    let accounts = world.accounts();
    let (ada, rita) = (
        world.add_account(&accounts, "ada"),
        world.add_account(&accounts, "rita"),
    );
    for person in [&ada, &rita] {
        world.begin(&accounts, person, person);
        let link = hash(person);
        world
            .run(accounts.invite(&link, Some(person), "reset", NOW + DAY))
            .unwrap();
    }
    world.run(accounts.add_token(&token(&ada, "ci"))).unwrap();
    world.run(accounts.set_password(&ada, PHC, NOW)).unwrap();
    for (person, is_left) in [(&ada, false), (&rita, true)] {
        assert_eq!(world.session(&accounts, person, NOW).is_some(), is_left);
        let redeemed = world.run(accounts.redeem(&hash(person), "reset", NOW));
        assert_eq!(redeemed.unwrap().is_some(), is_left);
    }
    assert!(
        world
            .run(accounts.token(&hash("ci"), NOW))
            .unwrap()
            .is_some()
    );
    check_refused(
        world.run(accounts.set_password(&ada, "correct horse", NOW)),
        "a password is stored as a hash that begins with `$argon2id$`, never as it is; hash it first",
    );
}

fn somebody_chooses_another_login(world: &World) {
    let accounts = world.accounts();
    let (ada, rita) = (
        world.add_account(&accounts, "ada"),
        world.add_account(&accounts, "rita"),
    );
    world.begin(&accounts, &ada, "a session");
    let set =
        |person: &str, login: &str| world.run(accounts.set_login(person, login, PHC, NOW + MINUTE));
    check_refused(set(&ada, "Rita"), TAKEN);
    check_refused(set(&id().to_string(), "somebody"), NO_ACCOUNT);
    assert!(world.session(&accounts, "a session", NOW).is_some());
    set(&ada, " Ada.L ").unwrap();
    set(&rita, "rita").unwrap();
    let found = world.run(accounts.by_login("ada.l")).unwrap().unwrap();
    assert_eq!((found.person, found.password_at), (ada, Some(NOW + MINUTE)));
    assert_eq!(world.run(accounts.by_login("ada")).unwrap(), None);
    assert_eq!(world.session(&accounts, "a session", NOW), None);
}

fn what_has_expired_is_swept(world: &World) {
    let accounts = world.accounts();
    let person = world.add_account(&accounts, "ada");
    for (secret, expires) in [("short", NOW + MINUTE), ("long", NOW + DAY)] {
        let hash = hash(secret);
        let begun = NewSession {
            expires,
            ..session(&person, secret)
        };
        world.run(accounts.begin_session(&begun)).unwrap();
        world
            .run(accounts.invite(&hash, None, "join", expires))
            .unwrap();
        let added = NewToken {
            expires: Some(expires),
            ..token(&person, secret)
        };
        world.run(accounts.add_token(&added)).unwrap();
    }
    let for_ever = NewToken {
        expires: None,
        ..token(&person, "for ever")
    };
    world.run(accounts.add_token(&for_ever)).unwrap();
    let [old, new] = ["long", "longer"].map(hash);
    let rotated = accounts.rotate_session(&old, &new, NOW, NOW + MINUTE);
    assert!(world.run(rotated).unwrap());
    let sweep = |now| world.run(accounts.sweep(now)).unwrap();
    assert_eq!(sweep(NOW + MINUTE - 1), 0);
    // A link, a token, a session, and an old secret of another.
    assert_eq!((sweep(NOW + MINUTE), sweep(NOW + MINUTE)), (4, 0));
    assert!(world.session(&accounts, "longer", NOW).is_some());
    assert_eq!(sweep(NOW + DAY), 3);
    let tokens = world.run(accounts.tokens_of(&person)).unwrap();
    assert_eq!(tokens.len(), 1);
    assert_eq!(
        (tokens[0].name.as_str(), tokens[0].expires),
        ("of for ever", None)
    );
}

fn a_token_lives_until_it_is_ended(world: &World) {
    let accounts = world.accounts();
    let (ada, rita) = (
        world.add_account(&accounts, "ada"),
        world.add_account(&accounts, "rita"),
    );
    world.run(accounts.add_token(&token(&ada, "ci"))).unwrap();
    let same_secret = NewToken {
        id: "other".to_owned(),
        ..token(&ada, "ci")
    };
    check_refused(world.run(accounts.add_token(&same_secret)), USED);
    let same_id = NewToken {
        hash: hash("other"),
        ..token(&ada, "ci")
    };
    let want = "this person has a token with this id already; choose another id";
    check_refused(world.run(accounts.add_token(&same_id)), want);

    let found = |now| world.run(accounts.token(&hash("ci"), now)).unwrap();
    let token = found(NOW).unwrap();
    assert_eq!(
        (token.person.as_str(), token.id.as_str()),
        (ada.as_str(), "ci")
    );
    assert_eq!((token.name.as_str(), token.used_at), ("of ci", None));
    assert_eq!(token.scopes, ["read", "enter:evidence"]);
    assert_eq!(found(NOW + DAY), None);
    let used_at = |now| {
        world.run(accounts.touch_token(&hash("ci"), now)).unwrap();
        found(now).unwrap().used_at
    };
    assert_eq!(used_at(NOW + 1), Some(NOW + 1));
    assert_eq!(used_at(NOW + MINUTE), Some(NOW + 1));
    assert_eq!(used_at(NOW + MINUTE + 1), Some(NOW + MINUTE + 1));

    let end = |person: &str, id: &str| world.run(accounts.end_token(person, id)).unwrap();
    assert!(!end(&rita, "ci") && !end(&ada, "other") && !end(&ada, ""));
    assert!(end(&ada, "ci") && !end(&ada, "ci"));
    assert_eq!(found(NOW), None);
}

fn views_belong_to_a_person_and_a_list(world: &World) {
    let accounts = world.accounts();
    let (ada, rita) = (id().to_string(), id().to_string());
    for (person, list, name, query) in [
        (&ada, "tasks", "mine", "owner=ada"),
        (&ada, "tasks", "late", "due=past"),
        (&ada, "systems", "mine", ""),
        (&rita, "tasks", "mine", "owner=rita"),
        (&ada, "tasks", "mine", "owner=ada&open=1"),
    ] {
        world
            .run(accounts.save_view(person, list, name, query))
            .unwrap();
    }
    let shown = |person: &str, list: &str| -> Vec<String> {
        let views = world.run(accounts.views(person, list)).unwrap();
        views
            .iter()
            .map(|view| format!("{}: {}", view.name, view.query))
            .collect()
    };
    assert_eq!(
        shown(&ada, "tasks"),
        ["late: due=past", "mine: owner=ada&open=1"]
    );
    assert_eq!(shown(&ada, "systems"), ["mine: "]);
    assert_eq!(shown(&rita, "tasks"), ["mine: owner=rita"]);
    let dropped = |name: &str| world.run(accounts.drop_view(&ada, "tasks", name)).unwrap();
    assert!(dropped("mine") && !dropped("mine") && !dropped(""));
    assert_eq!(shown(&ada, "tasks"), ["late: due=past"]);
}

fn what_is_too_much_is_refused(world: &World) {
    let accounts = world.accounts();
    let want = |field: &str, min: usize, max: usize| {
        format!("`{field}` must be one line of `{min}` to `{max}` characters; write it again")
    };
    let long = |n: usize| "é".repeat(n);
    for login in ["", "  ", "a\nb", "a\0b", &long(201)] {
        let answer = world.run(accounts.add(&account(login)));
        check_refused(answer, &want("login", 1, 200));
        assert_eq!(world.run(accounts.by_login(login)).unwrap(), None);
    }
    let person = world.add_account(&accounts, &long(200));
    let by_name = NewAccount {
        person: PEOPLE[0].to_owned(),
        ..account("x")
    };
    check_refused(
        world.run(accounts.add(&by_name)),
        "a person is named here by the id that the journal gave them, a UUID; look the id up in the desk",
    );

    let token = |n: usize| token(&person, &n.to_string());
    for scopes in [
        vec![String::new()],
        vec!["a b".to_owned()],
        vec!["a".to_owned(); 51],
    ] {
        let answer = world.run(accounts.add_token(&NewToken { scopes, ..token(0) }));
        let want = "a token has at most `50` scopes, each one word of at most `200` characters; name fewer or shorter ones";
        check_refused(answer, want);
    }
    let name = long(201);
    let answer = world.run(accounts.add_token(&NewToken { name, ..token(0) }));
    check_refused(answer, &want("name", 1, 200));
    for n in 0..100 {
        world.run(accounts.add_token(&token(n))).unwrap();
    }
    check_refused(
        world.run(accounts.add_token(&token(100))),
        "a person has at most `100` tokens; delete one that is no longer needed first",
    );
    // Those that have expired do not count.
    let later = NewToken {
        at: NOW + DAY,
        expires: None,
        ..token(100)
    };
    world.run(accounts.add_token(&later)).unwrap();

    let save = |n: usize, query: &str| {
        let (list, name) = (format!("list-{}", n % 3), n.to_string());
        world.run(accounts.save_view(&person, &list, &name, query))
    };
    check_refused(save(0, &long(4_001)), &want("query", 0, 4_000));
    for n in 0..200 {
        save(n, &long(4_000)).unwrap();
    }
    check_refused(
        save(200, ""),
        "a person has at most `200` saved views; delete one that is no longer needed first",
    );
    save(199, "in the place of another").unwrap();
}

fn who_is_forgotten_has_no_row(world: &World) {
    let accounts = world.accounts();
    let people = ["ada", "rita"].map(|login| {
        let person = world.add_account(&accounts, login);
        world.begin(&accounts, &person, login);
        world
            .run(accounts.add_token(&token(&person, login)))
            .unwrap();
        world
            .run(accounts.save_view(&person, "tasks", "mine", ""))
            .unwrap();
        let link = hash(login);
        world
            .run(accounts.invite(&link, Some(&person), "reset", NOW + DAY))
            .unwrap();
        person
    });
    for _ in 0..2 {
        world.run(accounts.forget(&people[0])).unwrap();
    }
    for (login, person, is_left) in [("ada", &people[0], false), ("rita", &people[1], true)] {
        let hash = hash(login);
        let left = world.run(async {
            [
                accounts.by_login(login).await.unwrap().is_some(),
                accounts.session(&hash, NOW).await.unwrap().is_some(),
                accounts.token(&hash, NOW).await.unwrap().is_some(),
                !accounts.tokens_of(person).await.unwrap().is_empty(),
                !accounts.views(person, "tasks").await.unwrap().is_empty(),
                accounts
                    .redeem(&hash, "reset", NOW)
                    .await
                    .unwrap()
                    .is_some(),
            ]
        });
        assert_eq!(left, [is_left; 6], "{login}");
    }
}

fn many_handles_at_once_make_the_tables_once(world: &World) {
    world.closed(0);
    let place = world.place();
    let logins = world.run(async {
        let makers: Vec<_> = (0..8)
            .map(|n| {
                let place = place.clone();
                tokio::spawn(async move {
                    let accounts = Accounts::open(&place).await.unwrap();
                    accounts.add(&account(&format!("{n}"))).await.unwrap();
                    accounts
                })
            })
            .collect();
        let mut handles = Vec::new();
        for maker in makers {
            handles.push(maker.await.unwrap());
        }
        handles[3].all().await.unwrap().len()
    });
    assert_eq!(logins, 8);
    let unfinished = tree_of(&world.dir())
        .into_iter()
        .filter(|path| path.to_string_lossy().contains("unfinished"));
    assert_eq!(unfinished.count(), 0);
    assert_eq!(shown(&world.verify()), "");
}

fn a_request_that_is_given_up_holds_nobody_up(world: &World) {
    let (one, two) = (world.accounts(), world.accounts());
    let person = world.add_account(&one, "ada");
    let began = std::time::Instant::now();
    for n_polls in 0..12 {
        world.run(async {
            let mut given_up = pin!(one.set_password(&person, PHC, NOW));
            for _ in 0..n_polls {
                let mut waking = Waking::from_waker(Waker::noop());
                if let Poll::Ready(done) = given_up.as_mut().poll(&mut waking) {
                    done.unwrap();
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        });
        // Both the same handle and another one go on at once.
        world.run(one.set_password(&person, PHC, NOW)).unwrap();
        world.run(two.set_password(&person, PHC, NOW)).unwrap();
    }
    let took = began.elapsed();
    assert!(took < std::time::Duration::from_secs(20), "{took:?}");
}

fn sessions_end_while_their_secrets_are_replaced(world: &World) {
    let (one, two) = (world.accounts(), world.accounts());
    let person = world.add_account(&one, "ada");
    for n in 0..20 {
        let secret = |at: usize| hash(&format!("{n} {at}"));
        world.begin(&one, &person, &format!("{n} 0"));
        let left = world.run(async {
            let rotating = {
                let one = one.clone();
                tokio::spawn(async move {
                    for at in 0..20 {
                        let (old, new) =
                            (hash(&format!("{n} {at}")), hash(&format!("{n} {}", at + 1)));
                        one.rotate_session(&old, &new, NOW, NOW + DAY)
                            .await
                            .unwrap();
                    }
                })
            };
            tokio::time::sleep(std::time::Duration::from_millis(n)).await;
            // A secret that was swept away ends nothing any more, so that of the odd rounds must still be there.
            let swept_at = if n % 2 == 0 { NOW + DAY } else { NOW };
            let sweeping = tokio::spawn({
                let one = one.clone();
                async move { one.sweep(swept_at).await.map(drop) }
            });
            if n % 2 == 0 {
                two.end_sessions(&person).await.unwrap();
            } else {
                two.end_session(&secret(0)).await.unwrap();
            }
            sweeping.await.unwrap().unwrap();
            rotating.await.unwrap();
            let mut left = 0;
            for at in 0..=20 {
                left += usize::from(one.session(&secret(at), NOW).await.unwrap().is_some());
            }
            left
        });
        assert_eq!(left, 0, "round {n}");
    }
}

#[test]
fn who_is_forgotten_is_in_no_byte_of_the_file() {
    let world = World::new();
    let accounts = world.accounts();
    let mut state = 7_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state >> 33
    };
    // Rows of many lengths, so that they move between pages.
    let mut words = BTreeMap::new();
    for n in 0..if is_long() { 2_000 } else { 250 } {
        let word = format!("word{}x", random());
        let login = format!(
            "{word}{}",
            "z".repeat(usize::try_from(random() % 150).unwrap())
        );
        let person = world.add_account(&accounts, &login);
        let query = login.repeat(usize::try_from(1 + random() % 12).unwrap());
        world
            .run(accounts.save_view(&person, "tasks", &login, &query))
            .unwrap();
        world
            .run(accounts.add_token(&token(&person, &login)))
            .unwrap();
        words.insert((random(), n), (person, word));
    }
    let files = || -> Vec<u8> {
        let files = tree_of(&world.dir()).into_iter();
        let files = files.filter(|path| path.to_string_lossy().contains("accounts.db"));
        files.flat_map(|path| fs::read(path).unwrap()).collect()
    };
    let is_there = |bytes: &[u8], word: &str| {
        bytes
            .windows(word.len())
            .any(|window| window == word.as_bytes())
    };
    for (at, (person, word)) in words.values().take(40).enumerate() {
        if at == 0 {
            assert!(is_there(&files(), word));
        }
        world.run(accounts.forget(person)).unwrap();
        assert!(!is_there(&files(), word), "{at}: {word}");
    }
    let (_, word) = words.values().last().unwrap();
    assert!(is_there(&files(), word));
}

#[test]
fn the_file_is_its_owners_alone_and_no_part_of_a_copy() {
    let world = World::new();
    let accounts = world.accounts();
    world.add_account(&accounts, "ada");
    let path = world.dir().join("accounts.db");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for name in ["accounts.db", "accounts.db-wal", "accounts.db-shm"] {
            let mode = fs::metadata(world.dir().join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert_eq!(shown(&world.verify()), "");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let note = Note::OpenToOthers {
            file: "accounts.db",
        };
        assert_eq!(world.verify().notes, [note]);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    let [backup, keys, moved] =
        ["backup", "backup-keys", "moved"].map(|name| world.folder.path().join(name));
    world
        .run(Desk::backup(&world.place(), &backup, &|_, _| {}))
        .unwrap();
    world.run(Desk::backup_keys(&world.place(), &keys)).unwrap();
    // What is put back is the journal; accounts stay as they are.
    world
        .run(Desk::restore(&backup, None, &world.place(), &|_, _| {}))
        .unwrap();
    assert!(world.run(accounts.by_login("ada")).unwrap().is_some());
    assert_eq!(shown(&world.verify()), "");
    let to = Place::from(moved.clone());
    world
        .run(Desk::move_to(&world.place(), &to, &|_, _| {}))
        .unwrap();
    for copy in [backup, keys, moved] {
        assert!(
            tree_of(&copy)
                .iter()
                .all(|path| !path.ends_with("accounts.db"))
        );
    }
    let accounts = world.run(Accounts::open(&to)).unwrap();
    assert_eq!(world.run(accounts.all()).unwrap(), []);
}

#[test]
fn where_there_is_no_desk_there_are_no_accounts() {
    let world = World::new();
    let refused = world.run(Accounts::open(&world.place()));
    assert!(
        matches!(refused, Err(StoreError::Absent { .. })),
        "{refused:?}"
    );
    assert!(!world.dir().exists());
    world.closed(0);
    fs::write(world.dir().join("accounts.db"), b"something else").unwrap();
    let refused = world.run(Accounts::open(&world.place()));
    assert!(
        matches!(refused, Err(StoreError::Damaged { .. })),
        "{refused:?}"
    );
}
