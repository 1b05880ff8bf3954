//! The tables of accounts and every statement they are asked.

/// The tables, in SQLite's words; `upgrade` turns them into PostgreSQL's. Instants are microseconds since 1970-01-01 UTC.
pub(crate) const TABLES: &str = "
CREATE TABLE account (
    person      BLOB    NOT NULL PRIMARY KEY CHECK (length(person) = 16),
    login       TEXT    NOT NULL UNIQUE,
    password    TEXT,
    password_at INTEGER,
    created_at  INTEGER NOT NULL,
    closed_at   INTEGER
) STRICT;

CREATE TABLE account_invitation (
    hash    BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    person  BLOB    CHECK (length(person) = 16),
    purpose TEXT    NOT NULL,
    expires INTEGER NOT NULL
) STRICT;

CREATE TABLE account_session (
    hash        BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    person      BLOB    NOT NULL CHECK (length(person) = 16),
    first_hash  BLOB    NOT NULL CHECK (length(first_hash) = 32),
    began_at    INTEGER NOT NULL,
    issued_at   INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    expires     INTEGER NOT NULL,
    grace_until INTEGER
) STRICT;
CREATE INDEX account_session_by_person ON account_session (person);

CREATE TABLE account_token (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    person     BLOB    NOT NULL CHECK (length(person) = 16),
    id         TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    scopes     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires    INTEGER,
    used_at    INTEGER,
    UNIQUE (person, id)
) STRICT;

CREATE TABLE account_view (
    person BLOB NOT NULL CHECK (length(person) = 16),
    list   TEXT NOT NULL,
    name   TEXT NOT NULL,
    query  TEXT NOT NULL,
    PRIMARY KEY (person, list, name)
) STRICT;
";

/// Every table, for whoever forgets a person.
pub(super) const NAMES: [&str; 5] = [
    "account",
    "account_invitation",
    "account_session",
    "account_token",
    "account_view",
];

/// What deletes every row of a person; the account first, because whoever begins a session or adds a token locks it.
pub(super) const FORGET: [&str; 5] = [
    "DELETE FROM account WHERE person = $1",
    "DELETE FROM account_invitation WHERE person = $1",
    "DELETE FROM account_session WHERE person = $1",
    "DELETE FROM account_token WHERE person = $1",
    "DELETE FROM account_view WHERE person = $1",
];

pub(super) const INSERT_ACCOUNT: &str = "
INSERT INTO account (person, login, password, password_at, created_at)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING";
pub(super) const SELECT_ACCOUNTS: &str =
    "SELECT person, login, password, password_at, created_at, closed_at FROM account";
pub(super) const SELECT_ACCOUNT_BY_LOGIN: &str = "
SELECT person, login, password, password_at, created_at, closed_at
  FROM account
 WHERE login = $1";
pub(super) const SELECT_ACCOUNT_OF_PERSON: &str = "
SELECT person, login, password, password_at, created_at, closed_at
  FROM account
 WHERE person = $1";
/// On SQLite the transaction that asks is the only writer already.
pub(super) const LOCK_ACCOUNT_SQLITE: &str = "SELECT closed_at FROM account WHERE person = $1";
pub(super) const LOCK_ACCOUNT_POSTGRES: &str =
    "SELECT closed_at FROM account WHERE person = $1 FOR UPDATE";
pub(super) const SET_PASSWORD: &str =
    "UPDATE account SET password = $2, password_at = $3 WHERE person = $1";
/// Changes nothing where another account has the login.
pub(super) const SET_LOGIN: &str = "
UPDATE account SET login = $2, password = $3, password_at = $4
 WHERE person = $1 AND NOT EXISTS (SELECT 1 FROM account o WHERE o.login = $2 AND o.person <> $1)";
pub(super) const CLOSE_ACCOUNT: &str =
    "UPDATE account SET closed_at = $2 WHERE person = $1 AND closed_at IS NULL";
pub(super) const REOPEN_ACCOUNT: &str = "UPDATE account SET closed_at = NULL WHERE person = $1";

pub(super) const INSERT_INVITATION: &str = "
INSERT INTO account_invitation (hash, person, purpose, expires)
VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING";
pub(super) const SELECT_INVITATION: &str = "
SELECT person, purpose, expires
  FROM account_invitation
 WHERE hash = $1 AND purpose = $2 AND expires > $3";
pub(super) const TAKE_INVITATION: &str = "
DELETE FROM account_invitation
 WHERE hash = $1 AND purpose = $2 AND expires > $3
RETURNING person, purpose, expires";
pub(super) const DELETE_INVITATIONS: &str = "DELETE FROM account_invitation WHERE person = $1";

pub(super) const INSERT_SESSION: &str = "
INSERT INTO account_session (hash, person, first_hash, began_at, issued_at, seen_at, expires)
VALUES ($1, $2, $1, $3, $3, $3, $4)
    ON CONFLICT DO NOTHING";
pub(super) const SELECT_SESSION: &str = "
SELECT s.person, s.first_hash, s.began_at, s.issued_at, s.seen_at, s.expires, s.grace_until
  FROM account_session s
  JOIN account a ON a.person = s.person
 WHERE s.hash = $1 AND s.expires > $2 AND a.closed_at IS NULL
   AND (s.grace_until IS NULL OR s.grace_until > $2)";
pub(super) const SELECT_SESSION_PERSON: &str = "SELECT person FROM account_session WHERE hash = $1";
pub(super) const SELECT_SESSION_UNSEEN: &str =
    "SELECT seen_at FROM account_session WHERE hash = $1 AND seen_at <= $2";
pub(super) const TOUCH_SESSION: &str =
    "UPDATE account_session SET seen_at = $3 WHERE hash = $1 AND seen_at <= $2";
pub(super) const RETIRE_SESSION: &str = "
UPDATE account_session SET grace_until = $3
 WHERE hash = $1 AND expires > $2 AND grace_until IS NULL";
pub(super) const CONTINUE_SESSION: &str = "
INSERT INTO account_session (hash, person, first_hash, began_at, issued_at, seen_at, expires)
SELECT $2, person, first_hash, began_at, $3, $3, expires FROM account_session WHERE hash = $1
    ON CONFLICT DO NOTHING";
pub(super) const DELETE_SESSION: &str = "
DELETE FROM account_session
 WHERE person = $2
   AND first_hash = (SELECT first_hash FROM account_session WHERE hash = $1)";
pub(super) const DELETE_SESSIONS: &str = "DELETE FROM account_session WHERE person = $1";

pub(super) const INSERT_TOKEN: &str = "
INSERT INTO account_token (hash, person, id, name, scopes, created_at, expires)
VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT DO NOTHING";
pub(super) const COUNT_TOKENS: &str =
    "SELECT count(*) FROM account_token WHERE person = $1 AND (expires IS NULL OR expires > $2)";
pub(super) const SELECT_TOKEN_OF_ID: &str =
    "SELECT 1 FROM account_token WHERE person = $1 AND id = $2";
pub(super) const SELECT_TOKEN: &str = "
SELECT t.person, t.id, t.name, t.scopes, t.created_at, t.expires, t.used_at
  FROM account_token t
  JOIN account a ON a.person = t.person
 WHERE t.hash = $1 AND (t.expires IS NULL OR t.expires > $2) AND a.closed_at IS NULL";
pub(super) const SELECT_TOKENS_OF_PERSON: &str = "
SELECT person, id, name, scopes, created_at, expires, used_at
  FROM account_token
 WHERE person = $1";
pub(super) const SELECT_TOKEN_UNUSED: &str =
    "SELECT hash FROM account_token WHERE hash = $1 AND (used_at IS NULL OR used_at <= $2)";
pub(super) const USE_TOKEN: &str = "
UPDATE account_token SET used_at = $3
 WHERE hash = $1 AND (used_at IS NULL OR used_at <= $2)";
pub(super) const DELETE_TOKEN: &str = "DELETE FROM account_token WHERE person = $1 AND id = $2";
pub(super) const DELETE_TOKENS: &str = "DELETE FROM account_token WHERE person = $1";

/// What deletes whatever has expired.
pub(super) const SWEEP_SQLITE: [&str; 3] = [
    "DELETE FROM account_invitation WHERE expires <= $1",
    "DELETE FROM account_session WHERE expires <= $1 OR grace_until <= $1",
    "DELETE FROM account_token WHERE expires <= $1",
];
/// The same; rows that somebody else is deleting are left to them, because two who wait for each other's rows would wait for ever.
pub(super) const SWEEP_POSTGRES: [&str; 3] = [
    "DELETE FROM account_invitation
      WHERE hash IN (SELECT hash FROM account_invitation WHERE expires <= $1 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM account_session
      WHERE hash IN (SELECT hash FROM account_session
                      WHERE expires <= $1 OR grace_until <= $1 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM account_token
      WHERE hash IN (SELECT hash FROM account_token WHERE expires <= $1 FOR UPDATE SKIP LOCKED)",
];

pub(super) const SAVE_VIEW: &str = "
INSERT INTO account_view (person, list, name, query)
VALUES ($1, $2, $3, $4)
    ON CONFLICT (person, list, name) DO UPDATE SET query = excluded.query";
pub(super) const COUNT_OTHER_VIEWS: &str =
    "SELECT count(*) FROM account_view WHERE person = $1 AND NOT (list = $2 AND name = $3)";
pub(super) const SELECT_VIEWS: &str =
    "SELECT name, query FROM account_view WHERE person = $1 AND list = $2";
pub(super) const DELETE_VIEW: &str =
    "DELETE FROM account_view WHERE person = $1 AND list = $2 AND name = $3";
