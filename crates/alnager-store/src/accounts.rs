//! Who may sign in to a desk: accounts, sessions, one-time links, tokens and saved views.
//!
//! They are no part of the journal: nothing here is signed, and nobody makes it anew. Of a secret only the SHA-256 is kept; whoever
//! holds a secret of 32 random bytes is found by its hash, so nothing is compared byte by byte. Instants are microseconds since
//! 1970-01-01 UTC and are handed in. What expires at an instant is valid before it, and no more at it.

pub(crate) mod schema;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use alnager_journal::merkle::Hash;
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

use self::schema as sql;
use crate::database::{Address, Arg, Database, Durability, Row};
use crate::entropy::random;
use crate::error::StoreError;
use crate::fault::Faults;
use crate::folder::{self, ACCOUNTS, Found};
use crate::place::Place;
use crate::schema::Kind;

/// Most characters of a login, a purpose, or the name of a token, list or view.
const NAME_MAX: usize = 200;
/// Most characters of a view's query.
const QUERY_MAX: usize = 4_000;
/// Most tokens of a person that have not expired.
const TOKENS_MAX: usize = 100;
/// Most saved views of a person, in all lists together.
const VIEWS_MAX: usize = 200;

/// Most scopes of a token.
const SCOPES_MAX: usize = 50;
/// Most characters of a stored password hash.
const PASSWORD_MAX: usize = 1_000;
/// How often the use of a session or token is written down: once a minute, in microseconds.
const USE_NOTED_EVERY: i64 = 60_000_000;
/// Most connections at once; whoever comes later waits.
const CONNECTIONS_MAX: usize = 4;

/// Why accounts were not read or changed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Another account has this login.
    #[error("another account has this login already; choose another login")]
    LoginTaken,
    /// The person has an account.
    #[error("this person has an account already; change that one instead")]
    PersonHasAccount,
    /// There is no account that could be used.
    #[error("this person has no account, or a closed one; add one or open it again first")]
    NoAccount,
    /// The secret is known already.
    #[error("this secret was handed out before; make a new one of 32 random bytes")]
    SecretUsed,
    /// The person has a token of this id.
    #[error("this person has a token with this id already; choose another id")]
    TokenExists,
    /// A person is named otherwise than by an id.
    #[error(
        "a person is named here by the id that the journal gave them, a UUID; look the id up in the desk"
    )]
    NoPerson,
    /// A text is too long, too short, or not of one line.
    #[error("`{field}` must be one line of `{min}` to `{max}` characters; write it again")]
    Text {
        /// Which text.
        field: &'static str,
        /// Fewest characters.
        min: usize,
        /// Most characters.
        max: usize,
    },
    /// The scopes of a token are not in order.
    #[error(
        "a token has at most `{SCOPES_MAX}` scopes, each one word of at most `{NAME_MAX}` characters; name fewer or shorter ones"
    )]
    Scopes,
    /// A password came as it is.
    #[error(
        "a password is stored as a hash that begins with `$argon2id$`, never as it is; hash it first"
    )]
    NotHashed,
    /// There are too many.
    #[error("a person has at most `{max}` {what}; delete one that is no longer needed first")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The most there may be.
        max: usize,
    },
    /// The database does not do what it is asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An account to be added.
#[derive(Clone)]
pub struct NewAccount {
    /// The person's id in the journal.
    pub person: String,
    /// What they sign in with, 1 to 200 characters. Kept without blanks around it and in lower case; nobody else has the same.
    pub login: String,
    /// The hash of their password as a PHC string; `None` for somebody who sets it later or signs in elsewhere.
    pub password: Option<String>,
    /// Now.
    pub at: i64,
}

impl std::fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewAccount")
            .field("person", &self.person)
            .finish_non_exhaustive()
    }
}

/// Somebody who may sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The person's id in the journal.
    pub person: String,
    /// What they sign in with, in lower case.
    pub login: String,
    /// The hash of their password as a PHC string. `None`: no password opens this account.
    pub password: Option<String>,
    /// When the password was set last. `None` where there is none.
    pub password_at: Option<i64>,
    /// When the account was added.
    pub created_at: i64,
    /// Since when it is closed. `None`: it is open.
    pub closed_at: Option<i64>,
}

impl Account {
    /// Whether nobody may sign in with it now.
    pub fn is_closed(&self) -> bool {
        self.closed_at.is_some()
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("person", &self.person)
            .field("closed_at", &self.closed_at)
            .finish_non_exhaustive()
    }
}

/// What a one-time link was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The person it is for; `None` where that is not known yet.
    pub person: Option<String>,
    /// What it is for, as it was given.
    pub purpose: String,
    /// When it would have ended.
    pub expires: i64,
}

/// A session to be begun.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// The person's id in the journal.
    pub person: String,
    /// Now.
    pub at: i64,
    /// When it ends in any case.
    pub expires: i64,
}

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The person's id in the journal.
    pub person: String,
    /// When they signed in; a new secret does not change it.
    pub began_at: i64,
    /// SHA-256 of the secret it began with; a new secret does not change it.
    pub first_hash: [u8; 32],
    /// When this secret was handed out.
    pub issued_at: i64,
    /// When they were seen last, to the minute.
    pub seen_at: i64,
    /// When it ends in any case; a new secret does not change it.
    pub expires: i64,
    /// Until when this secret is still taken beside the one that replaced it. `None`: it is the newest one.
    pub grace_until: Option<i64>,
}

/// A token to be added.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What the person calls it by when it is ended, 1 to 200 characters; no other token of the person has the same.
    pub id: String,
    /// The person's id in the journal.
    pub person: String,
    /// What the person calls it, 1 to 200 characters.
    pub name: String,
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// What it may do: at most 50 words.
    pub scopes: Vec<String>,
    /// Now.
    pub at: i64,
    /// When it ends. `None`: when it is ended.
    pub expires: Option<i64>,
}

/// A token with which a program acts for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is called by when it is ended.
    pub id: String,
    /// The person's id in the journal.
    pub person: String,
    /// What the person calls it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was added.
    pub created_at: i64,
    /// When it ends. `None`: when it is ended.
    pub expires: Option<i64>,
    /// When it was used last, to the minute. `None`: never.
    pub used_at: Option<i64>,
}

/// A list as somebody wants to see it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Its name.
    pub name: String,
    /// What is asked of the list.
    pub query: String,
}

/// People who may sign in to a desk, their sessions, links, tokens and saved views. Operational: no part of the journal.
///
/// In a desk that is a folder they are the file `accounts.db`; on PostgreSQL they lie beside the keys. A copy of this handle shares
/// its connections, which belong to the runtime that made them.
#[derive(Clone)]
pub struct Accounts {
    pool: Arc<Pool>,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts")
            .field("at", &self.pool.address.shown())
            .finish_non_exhaustive()
    }
}

impl Accounts {
    /// Opens the accounts of a desk that is there, and makes their tables when it has none yet.
    pub async fn open(place: &Place) -> Result<Accounts, StoreError> {
        if place.look().await? == Found::Nothing {
            return Err(StoreError::Absent { dir: place.shown() });
        }
        make(place).await?;
        let address = place.accounts();
        let database = Database::open(&address, Kind::Accounts, Faults::default()).await?;
        Ok(Accounts {
            pool: Arc::new(Pool {
                address,
                free: Mutex::new(vec![database]),
                permits: Semaphore::new(CONNECTIONS_MAX),
            }),
        })
    }

    /// Adds an account. One a person, and one a login.
    pub async fn add(&self, account: &NewAccount) -> Result<(), AccountError> {
        let person = person_of(&account.person)?;
        let login = folded(&account.login);
        check_text("login", &login, 1, NAME_MAX)?;
        let password = account.password.as_deref();
        password.map(check_password).transpose()?;
        let args = [
            Arg::Bytes(person.as_bytes()),
            Arg::Text(&login),
            Arg::MaybeText(password),
            Arg::MaybeInt(password.map(|_| account.at)),
            Arg::Int(account.at),
        ];
        let mut work = self.pool.begin().await?;
        if work.database.change(sql::INSERT_ACCOUNT, &args).await? == 0 {
            let same = work
                .database
                .all(sql::SELECT_ACCOUNT_OF_PERSON, &args[..1], account_row)
                .await?;
            work.undo().await;
            return Err(match same.is_empty() {
                true => AccountError::LoginTaken,
                false => AccountError::PersonHasAccount,
            });
        }
        Ok(work.commit().await?)
    }

    /// The account with this login, open or closed.
    pub async fn by_login(&self, login: &str) -> Result<Option<Account>, AccountError> {
        let login = folded(login);
        // No such login could have been added.
        if check_text("login", &login, 1, NAME_MAX).is_err() {
            return Ok(None);
        }
        let args = [Arg::Text(&login)];
        let found = self
            .pool
            .read(sql::SELECT_ACCOUNT_BY_LOGIN, &args, account_row);
        Ok(found.await?.pop())
    }

    /// The account of a person, open or closed.
    pub async fn of_person(&self, person: &str) -> Result<Option<Account>, AccountError> {
        let person = person_of(person)?;
        let args = [Arg::Bytes(person.as_bytes())];
        let found = self
            .pool
            .read(sql::SELECT_ACCOUNT_OF_PERSON, &args, account_row);
        Ok(found.await?.pop())
    }

    /// Every account, open or closed, in the order of their logins.
    pub async fn all(&self) -> Result<Vec<Account>, AccountError> {
        let mut all = self
            .pool
            .read(sql::SELECT_ACCOUNTS, &[], account_row)
            .await?;
        all.sort_by(|one, two| one.login.cmp(&two.login));
        Ok(all)
    }

    /// Sets the hash of a password. Ends the person's sessions and the links that were sent to them; tokens stay.
    pub async fn set_password(
        &self,
        person: &str,
        password: &str,
        at: i64,
    ) -> Result<(), AccountError> {
        let person = person_of(person)?;
        check_password(password)?;
        let who = [Arg::Bytes(person.as_bytes())];
        let args = [who[0], Arg::Text(password), Arg::Int(at)];
        let mut work = self.pool.begin().await?;
        if work.database.change(sql::SET_PASSWORD, &args).await? == 0 {
            work.undo().await;
            return Err(AccountError::NoAccount);
        }
        work.database.change(sql::DELETE_SESSIONS, &who).await?;
        work.database.change(sql::DELETE_INVITATIONS, &who).await?;
        Ok(work.commit().await?)
    }

    /// Gives an account another login and password, in one. Ends the person's sessions and the links that were sent to them; tokens
    /// stay.
    pub async fn set_login(
        &self,
        person: &str,
        login: &str,
        password: &str,
        at: i64,
    ) -> Result<(), AccountError> {
        let person = person_of(person)?;
        let login = folded(login);
        check_text("login", &login, 1, NAME_MAX)?;
        check_password(password)?;
        let who = [Arg::Bytes(person.as_bytes())];
        let args = [who[0], Arg::Text(&login), Arg::Text(password), Arg::Int(at)];
        let mut work = self.pool.begin().await?;
        if work.lock(person).await? == Standing::None {
            work.undo().await;
            return Err(AccountError::NoAccount);
        }
        if work.database.change(sql::SET_LOGIN, &args).await? == 0 {
            work.undo().await;
            return Err(AccountError::LoginTaken);
        }
        work.database.change(sql::DELETE_SESSIONS, &who).await?;
        work.database.change(sql::DELETE_INVITATIONS, &who).await?;
        Ok(work.commit().await?)
    }

    /// Closes an account, which ends the person's sessions, tokens and links; or opens it again. One that is closed stays closed since
    /// when it was.
    pub async fn set_closed(
        &self,
        person: &str,
        is_closed: bool,
        at: i64,
    ) -> Result<(), AccountError> {
        let person = person_of(person)?;
        let who = [Arg::Bytes(person.as_bytes())];
        let mut work = self.pool.begin().await?;
        if work.lock(person).await? == Standing::None {
            work.undo().await;
            return Err(AccountError::NoAccount);
        }
        if is_closed {
            let args = [who[0], Arg::Int(at)];
            work.database.change(sql::CLOSE_ACCOUNT, &args).await?;
            work.database.change(sql::DELETE_SESSIONS, &who).await?;
            work.database.change(sql::DELETE_TOKENS, &who).await?;
            work.database.change(sql::DELETE_INVITATIONS, &who).await?;
        } else {
            work.database.change(sql::REOPEN_ACCOUNT, &who).await?;
        }
        Ok(work.commit().await?)
    }

    /// Keeps the hash of a one-time link, for a person or for whoever holds it.
    pub async fn invite(
        &self,
        secret_hash: &[u8; 32],
        person: Option<&str>,
        purpose: &str,
        expires: i64,
    ) -> Result<(), AccountError> {
        let person = person.map(person_of).transpose()?;
        check_text("purpose", purpose, 1, NAME_MAX)?;
        let args = [
            Arg::Bytes(secret_hash),
            Arg::MaybeBytes(person.as_ref().map(|person| person.as_bytes().as_slice())),
            Arg::Text(purpose),
            Arg::Int(expires),
        ];
        let mut work = self.pool.begin().await?;
        if work.database.change(sql::INSERT_INVITATION, &args).await? == 0 {
            work.undo().await;
            return Err(AccountError::SecretUsed);
        }
        Ok(work.commit().await?)
    }

    /// The one-time link with this secret, which is not used up. `None` when there is none for this purpose.
    pub async fn invitation(
        &self,
        secret_hash: &[u8; 32],
        purpose: &str,
        now: i64,
    ) -> Result<Option<Invitation>, AccountError> {
        if check_text("purpose", purpose, 1, NAME_MAX).is_err() {
            return Ok(None);
        }
        let args = [Arg::Bytes(secret_hash), Arg::Text(purpose), Arg::Int(now)];
        let found = self
            .pool
            .read(sql::SELECT_INVITATION, &args, invitation_row);
        Ok(found.await?.pop())
    }

    /// Uses up a one-time link. `None` when there is none for this purpose: it never was, was used, or has expired.
    ///
    /// Of many who try at once, one gets it. What is done with it afterwards may fail; then a new link is needed.
    pub async fn redeem(
        &self,
        secret_hash: &[u8; 32],
        purpose: &str,
        now: i64,
    ) -> Result<Option<Invitation>, AccountError> {
        if check_text("purpose", purpose, 1, NAME_MAX).is_err() {
            return Ok(None);
        }
        let args = [Arg::Bytes(secret_hash), Arg::Text(purpose), Arg::Int(now)];
        let mut work = self.pool.begin().await?;
        let taken = work
            .database
            .all(sql::TAKE_INVITATION, &args, invitation_row)
            .await?
            .pop();
        work.commit().await?;
        Ok(taken)
    }

    /// Begins a session of somebody who has an open account.
    pub async fn begin_session(&self, session: &NewSession) -> Result<(), AccountError> {
        let person = person_of(&session.person)?;
        let args = [
            Arg::Bytes(&session.hash),
            Arg::Bytes(person.as_bytes()),
            Arg::Int(session.at),
            Arg::Int(session.expires),
        ];
        let mut work = self.pool.begin().await?;
        if work.lock(person).await? != Standing::Open {
            work.undo().await;
            return Err(AccountError::NoAccount);
        }
        if work.database.change(sql::INSERT_SESSION, &args).await? == 0 {
            work.undo().await;
            return Err(AccountError::SecretUsed);
        }
        Ok(work.commit().await?)
    }

    /// The session with this secret. `None` when there is none: it never was, was ended, or has expired, or the account is closed.
    pub async fn session(
        &self,
        hash: &[u8; 32],
        now: i64,
    ) -> Result<Option<Session>, AccountError> {
        let args = [Arg::Bytes(hash), Arg::Int(now)];
        let found = self.pool.read(sql::SELECT_SESSION, &args, session_row);
        Ok(found.await?.pop())
    }

    /// Notes that somebody was seen now; writes at most once a minute. Does not make the session last longer.
    pub async fn touch_session(&self, hash: &[u8; 32], now: i64) -> Result<(), AccountError> {
        let texts = [sql::SELECT_SESSION_UNSEEN, sql::TOUCH_SESSION];
        Ok(self.pool.note_use(texts, hash, now).await?)
    }

    /// Gives a session a new secret. The old one is still taken until `grace_until`, so that requests under way do not fail.
    ///
    /// `false`, and nothing is changed, when there is no such session, or when its secret was replaced already: of many requests that try
    /// at once, one replaces it.
    pub async fn rotate_session(
        &self,
        old: &[u8; 32],
        new: &[u8; 32],
        now: i64,
        grace_until: i64,
    ) -> Result<bool, AccountError> {
        let mut work = self.pool.begin().await?;
        let Some(person) = work.person_of_session(old).await? else {
            work.undo().await;
            return Ok(false);
        };
        // The account first: whoever ends all its sessions meanwhile must find the new row as well.
        let args = [Arg::Bytes(old), Arg::Int(now), Arg::Int(grace_until)];
        if work.lock(person).await? != Standing::Open
            || work.database.change(sql::RETIRE_SESSION, &args).await? == 0
        {
            work.undo().await;
            return Ok(false);
        }
        let args = [Arg::Bytes(old), Arg::Bytes(new), Arg::Int(now)];
        if work.database.change(sql::CONTINUE_SESSION, &args).await? == 0 {
            work.undo().await;
            return Err(AccountError::SecretUsed);
        }
        work.commit().await?;
        Ok(true)
    }

    /// Ends a session, under its old secrets and its new one. One that is not there is ended.
    pub async fn end_session(&self, hash: &[u8; 32]) -> Result<(), AccountError> {
        let mut work = self.pool.begin().await?;
        if let Some(person) = work.person_of_session(hash).await? {
            work.lock(person).await?;
            let args = [Arg::Bytes(hash), Arg::Bytes(person.as_bytes())];
            work.database.change(sql::DELETE_SESSION, &args).await?;
        }
        Ok(work.commit().await?)
    }

    /// Ends every session of a person.
    pub async fn end_sessions(&self, person: &str) -> Result<(), AccountError> {
        let person = person_of(person)?;
        let mut work = self.pool.begin().await?;
        work.lock(person).await?;
        let args = [Arg::Bytes(person.as_bytes())];
        work.database.change(sql::DELETE_SESSIONS, &args).await?;
        Ok(work.commit().await?)
    }

    /// Deletes links, sessions and tokens that have expired; how many, with each secret of a session counted.
    pub async fn sweep(&self, now: i64) -> Result<u64, AccountError> {
        let mut work = self.pool.begin().await?;
        let texts = match work.database.is_server() {
            true => sql::SWEEP_POSTGRES,
            false => sql::SWEEP_SQLITE,
        };
        let mut n_swept = 0;
        for text in texts {
            n_swept += work.database.change(text, &[Arg::Int(now)]).await?;
        }
        work.commit().await?;
        Ok(n_swept)
    }

    /// Adds a token to an open account. A person has at most 100 that have not expired.
    pub async fn add_token(&self, token: &NewToken) -> Result<(), AccountError> {
        let person = person_of(&token.person)?;
        check_text("id", &token.id, 1, NAME_MAX)?;
        check_text("name", &token.name, 1, NAME_MAX)?;
        let scopes = joined(&token.scopes)?;
        let who = Arg::Bytes(person.as_bytes());
        let args = [
            Arg::Bytes(&token.hash),
            who,
            Arg::Text(&token.id),
            Arg::Text(&token.name),
            Arg::Text(&scopes),
            Arg::Int(token.at),
            Arg::MaybeInt(token.expires),
        ];
        let mut work = self.pool.begin().await?;
        if work.lock(person).await? != Standing::Open {
            work.undo().await;
            return Err(AccountError::NoAccount);
        }
        if work
            .count(sql::COUNT_TOKENS, &[who, Arg::Int(token.at)])
            .await?
            >= TOKENS_MAX as u64
        {
            work.undo().await;
            return Err(AccountError::TooMany {
                what: "tokens",
                max: TOKENS_MAX,
            });
        }
        if work.database.change(sql::INSERT_TOKEN, &args).await? == 0 {
            let args = [who, Arg::Text(&token.id)];
            let same = work.database.query(sql::SELECT_TOKEN_OF_ID, &args).await?;
            work.undo().await;
            return Err(match same.is_empty() {
                true => AccountError::SecretUsed,
                false => AccountError::TokenExists,
            });
        }
        Ok(work.commit().await?)
    }

    /// The token with this secret. `None` when there is none: it never was, was ended, or has expired, or the account is closed.
    pub async fn token(&self, hash: &[u8; 32], now: i64) -> Result<Option<Token>, AccountError> {
        let args = [Arg::Bytes(hash), Arg::Int(now)];
        let found = self.pool.read(sql::SELECT_TOKEN, &args, token_row);
        Ok(found.await?.pop())
    }

    /// Notes that a token was used now; writes at most once a minute.
    pub async fn touch_token(&self, hash: &[u8; 32], now: i64) -> Result<(), AccountError> {
        let texts = [sql::SELECT_TOKEN_UNUSED, sql::USE_TOKEN];
        Ok(self.pool.note_use(texts, hash, now).await?)
    }

    /// The tokens of a person, the oldest first; those that have expired too, until they are swept.
    pub async fn tokens_of(&self, person: &str) -> Result<Vec<Token>, AccountError> {
        let person = person_of(person)?;
        let args = [Arg::Bytes(person.as_bytes())];
        let found = self
            .pool
            .read(sql::SELECT_TOKENS_OF_PERSON, &args, token_row);
        let mut tokens = found.await?;
        tokens.sort_by(|one, two| (one.created_at, &one.id).cmp(&(two.created_at, &two.id)));
        Ok(tokens)
    }

    /// Ends a token; `false` when the person has none of this id.
    pub async fn end_token(&self, person: &str, id: &str) -> Result<bool, AccountError> {
        let person = person_of(person)?;
        if check_text("id", id, 1, NAME_MAX).is_err() {
            return Ok(false);
        }
        let args = [Arg::Bytes(person.as_bytes()), Arg::Text(id)];
        Ok(self.pool.change(sql::DELETE_TOKEN, &args).await? > 0)
    }

    /// Saves a view of a list, in the place of one with the same name. A person has at most 200 in all lists together.
    ///
    /// A person needs no account for it. On PostgreSQL requests at the same moment may go past the limit by as many as they are.
    pub async fn save_view(
        &self,
        person: &str,
        list: &str,
        name: &str,
        query: &str,
    ) -> Result<(), AccountError> {
        let person = person_of(person)?;
        check_text("list", list, 1, NAME_MAX)?;
        check_text("name", name, 1, NAME_MAX)?;
        check_text("query", query, 0, QUERY_MAX)?;
        let args = [
            Arg::Bytes(person.as_bytes()),
            Arg::Text(list),
            Arg::Text(name),
            Arg::Text(query),
        ];
        let mut work = self.pool.begin().await?;
        if work.count(sql::COUNT_OTHER_VIEWS, &args[..3]).await? >= VIEWS_MAX as u64 {
            work.undo().await;
            return Err(AccountError::TooMany {
                what: "saved views",
                max: VIEWS_MAX,
            });
        }
        work.database.change(sql::SAVE_VIEW, &args).await?;
        Ok(work.commit().await?)
    }

    /// A person's views of a list, in the order of their names.
    pub async fn views(&self, person: &str, list: &str) -> Result<Vec<View>, AccountError> {
        let person = person_of(person)?;
        if check_text("list", list, 1, NAME_MAX).is_err() {
            return Ok(Vec::new());
        }
        let args = [Arg::Bytes(person.as_bytes()), Arg::Text(list)];
        let mut views = self.pool.read(sql::SELECT_VIEWS, &args, view_row).await?;
        views.sort_by(|one, two| one.name.cmp(&two.name));
        Ok(views)
    }

    /// Deletes a view; `false` when there is none of this name.
    pub async fn drop_view(
        &self,
        person: &str,
        list: &str,
        name: &str,
    ) -> Result<bool, AccountError> {
        let person = person_of(person)?;
        if [list, name]
            .iter()
            .any(|text| check_text("name", text, 1, NAME_MAX).is_err())
        {
            return Ok(false);
        }
        let args = [
            Arg::Bytes(person.as_bytes()),
            Arg::Text(list),
            Arg::Text(name),
        ];
        Ok(self.pool.change(sql::DELETE_VIEW, &args).await? > 0)
    }

    /// Deletes every row of a person, and every byte of them in the files; waits for readers. May be repeated.
    pub async fn forget(&self, person: &str) -> Result<(), AccountError> {
        let person = person_of(person)?;
        let mut lease = self.pool.lease().await?;
        forget(&mut lease.database, person).await?;
        lease.give_back();
        Ok(())
    }
}

/// Forgets a person in the accounts of a desk; one that has none stays without.
pub(crate) async fn forget_in(
    place: &Place,
    person: Uuid,
    faults: Faults,
) -> Result<(), StoreError> {
    let address = place.accounts();
    let is_there = match &address {
        Address::File(path) => folder::is_there(path)?,
        Address::Server(_) => {
            let mut database = Database::connect(&address, faults.clone()).await?;
            let is_there = database.has_tables(Kind::Accounts).await?;
            database.close().await?;
            is_there
        }
    };
    if !is_there {
        return Ok(());
    }
    let mut database = Database::open(&address, Kind::Accounts, faults).await?;
    forget(&mut database, person).await?;
    database.close().await
}

async fn forget(database: &mut Database, person: Uuid) -> Result<(), StoreError> {
    database.begin(Durability::Full).await?;
    for text in sql::FORGET {
        database
            .change(text, &[Arg::Bytes(person.as_bytes())])
            .await?;
    }
    database.commit().await?;
    database.write_anew().await?;
    database.forget(&sql::NAMES).await
}

/// Makes the tables, if they are not there.
async fn make(place: &Place) -> Result<(), StoreError> {
    let address = place.accounts();
    match &address {
        Address::File(path) => match folder::is_there(path)? {
            true => Ok(()),
            false => make_file(path).await,
        },
        Address::Server(_) => {
            let mut making = Database::connect(&address, Faults::default()).await?;
            making.lock_making(Kind::Accounts).await?;
            let made = Database::create(&address, Kind::Accounts, Faults::default()).await?;
            made.close().await?;
            making.close().await
        }
    }
}

/// Makes the file under another name, so that whoever comes at the same time finds one that is whole or none.
async fn make_file(path: &Path) -> Result<(), StoreError> {
    let suffix = Hash::of(&random::<32>()?).to_string();
    let unfinished = path.with_file_name(format!("{ACCOUNTS}.unfinished-{}", &suffix[..16]));
    folder::create_file(&unfinished, &[])?;
    let address = Address::File(unfinished.clone());
    let made = match Database::create(&address, Kind::Accounts, Faults::default()).await {
        Ok(database) => database.close().await,
        Err(error) => Err(error),
    };
    let appeared = made.and_then(|()| folder::link_file(&unfinished, path));
    let removed = folder::remove_file(&unfinished);
    appeared.and(removed)
}

/// Connections that are shared by all copies of a handle.
struct Pool {
    address: Address,
    free: Mutex<Vec<Database>>,
    permits: Semaphore,
}

impl Pool {
    /// A connection of one's own, which waits until one is free.
    async fn lease(&self) -> Result<Lease<'_>, StoreError> {
        // Nobody closes the semaphore.
        let permit = self
            .permits
            .acquire()
            .await
            .map_err(|_| StoreError::Stopped)?;
        let free = self
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let database = match free {
            Some(database) => database,
            None => Database::connect(&self.address, Faults::default()).await?,
        };
        Ok(Lease {
            pool: self,
            database,
            _permit: permit,
        })
    }

    /// A connection in a transaction.
    async fn begin(&self) -> Result<Lease<'_>, StoreError> {
        let mut lease = self.lease().await?;
        lease.database.begin(Durability::Full).await?;
        Ok(lease)
    }

    async fn read<T>(
        &self,
        text: &'static str,
        args: &[Arg<'_>],
        read: fn(&Row) -> sqlx::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut lease = self.lease().await?;
        let rows = lease.database.all(text, args, read).await?;
        lease.give_back();
        Ok(rows)
    }

    /// One change in a transaction of its own; the number of rows.
    async fn change(&self, text: &'static str, args: &[Arg<'_>]) -> Result<u64, StoreError> {
        let mut work = self.begin().await?;
        let n_changed = work.database.change(text, args).await?;
        work.commit().await?;
        Ok(n_changed)
    }

    /// Notes a use when the last one is a minute ago: looks first, because whoever only looks waits for nobody.
    async fn note_use(
        &self,
        [look, note]: [&'static str; 2],
        hash: &[u8; 32],
        now: i64,
    ) -> Result<(), StoreError> {
        let before = now.saturating_sub(USE_NOTED_EVERY);
        let args = [Arg::Bytes(hash), Arg::Int(before), Arg::Int(now)];
        let due = self.read(look, &args[..2], |_| Ok(())).await?;
        if !due.is_empty() {
            self.change(note, &args).await?;
        }
        Ok(())
    }
}

/// A connection in use. Whoever drops it instead of giving it back, because something failed or nobody waits any more, closes it,
/// and with it its transaction.
struct Lease<'p> {
    pool: &'p Pool,
    database: Database,
    _permit: SemaphorePermit<'p>,
}

/// What an account allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Open,
    Closed,
    None,
}

impl Lease<'_> {
    /// Locks an account, so that whoever begins something for its person and whoever ends all of it do so one after the other.
    async fn lock(&mut self, person: Uuid) -> Result<Standing, StoreError> {
        let text = match self.database.is_server() {
            true => sql::LOCK_ACCOUNT_POSTGRES,
            false => sql::LOCK_ACCOUNT_SQLITE,
        };
        let args = [Arg::Bytes(person.as_bytes())];
        let found: Vec<Option<i64>> = self.database.all(text, &args, |row| row.get(0)).await?;
        Ok(match found.first() {
            None => Standing::None,
            Some(None) => Standing::Open,
            Some(Some(_)) => Standing::Closed,
        })
    }

    async fn person_of_session(&mut self, hash: &[u8; 32]) -> Result<Option<Uuid>, StoreError> {
        let args = [Arg::Bytes(hash)];
        let read = |row: &Row| row.array(0).map(Uuid::from_bytes);
        let found = self.database.all(sql::SELECT_SESSION_PERSON, &args, read);
        Ok(found.await?.pop())
    }

    async fn count(&mut self, text: &'static str, args: &[Arg<'_>]) -> Result<u64, StoreError> {
        let counts = self.database.all(text, args, |row| row.natural(0)).await?;
        Ok(counts.first().copied().unwrap_or_default())
    }

    async fn commit(mut self) -> Result<(), StoreError> {
        self.database.commit().await?;
        self.give_back();
        Ok(())
    }

    async fn undo(mut self) {
        self.database.rollback().await;
        self.give_back();
    }

    fn give_back(self) {
        let mut free = self
            .pool
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        free.push(self.database);
    }
}

fn person_of(person: &str) -> Result<Uuid, AccountError> {
    Uuid::try_parse(person).map_err(|_| AccountError::NoPerson)
}

fn folded(login: &str) -> String {
    login.trim().to_lowercase()
}

fn check_text(field: &'static str, text: &str, min: usize, max: usize) -> Result<(), AccountError> {
    let n_chars = text.chars().take(max + 1).count();
    match (min..=max).contains(&n_chars) && !text.chars().any(char::is_control) {
        true => Ok(()),
        false => Err(AccountError::Text { field, min, max }),
    }
}

fn check_password(password: &str) -> Result<(), AccountError> {
    match password.starts_with("$argon2id$") {
        true => check_text("password", password, 1, PASSWORD_MAX),
        false => Err(AccountError::NotHashed),
    }
}

/// Scopes as one text, with a blank between them.
fn joined(scopes: &[String]) -> Result<String, AccountError> {
    let is_word = |scope: &String| {
        check_text("scope", scope, 1, NAME_MAX).is_ok() && !scope.contains(char::is_whitespace)
    };
    match scopes.len() <= SCOPES_MAX && scopes.iter().all(is_word) {
        true => Ok(scopes.join(" ")),
        false => Err(AccountError::Scopes),
    }
}

fn person_at(row: &Row, at: usize) -> sqlx::Result<String> {
    Ok(Uuid::from_bytes(row.array(at)?).to_string())
}

fn account_row(row: &Row) -> sqlx::Result<Account> {
    Ok(Account {
        person: person_at(row, 0)?,
        login: row.get(1)?,
        password: row.get(2)?,
        password_at: row.get(3)?,
        created_at: row.get(4)?,
        closed_at: row.get(5)?,
    })
}

fn invitation_row(row: &Row) -> sqlx::Result<Invitation> {
    let person: Option<Vec<u8>> = row.get(0)?;
    Ok(Invitation {
        person: match person {
            Some(_) => Some(person_at(row, 0)?),
            None => None,
        },
        purpose: row.get(1)?,
        expires: row.get(2)?,
    })
}

fn session_row(row: &Row) -> sqlx::Result<Session> {
    Ok(Session {
        person: person_at(row, 0)?,
        first_hash: row.array(1)?,
        began_at: row.get(2)?,
        issued_at: row.get(3)?,
        seen_at: row.get(4)?,
        expires: row.get(5)?,
        grace_until: row.get(6)?,
    })
}

fn token_row(row: &Row) -> sqlx::Result<Token> {
    let scopes: String = row.get(3)?;
    Ok(Token {
        person: person_at(row, 0)?,
        id: row.get(1)?,
        name: row.get(2)?,
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        created_at: row.get(4)?,
        expires: row.get(5)?,
        used_at: row.get(6)?,
    })
}

fn view_row(row: &Row) -> sqlx::Result<View> {
    Ok(View {
        name: row.get(0)?,
        query: row.get(1)?,
    })
}
