//! Stand-in until the tables are there.
#![allow(missing_docs)]
use crate::error::StoreError;
use crate::place::Place;
use std::sync::{Arc, Mutex, PoisonError};
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("somebody else signs in with this name")]
    LoginTaken,
    #[error("they have an account")]
    PersonHasAccount,
    #[error(transparent)]
    Store(#[from] StoreError),
}
#[derive(Clone, Debug)]
pub struct Account {
    pub person: String,
    pub login: String,
    pub password: Option<String>,
    pub is_closed: bool,
}
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub person: String,
    pub login: String,
    pub password: Option<String>,
    pub at: i64,
}
#[derive(Clone, Debug)]
pub struct Invitation {
    pub person: Option<String>,
}
#[derive(Clone, Debug)]
pub struct NewSession {
    pub hash: [u8; 32],
    pub person: String,
    pub at: i64,
    pub expires: i64,
}
#[derive(Clone, Debug)]
pub struct Session {
    pub person: String,
    pub began_at: i64,
    pub seen_at: i64,
    pub expires: i64,
}
#[derive(Clone, Debug)]
pub struct NewToken {
    pub id: String,
    pub person: String,
    pub name: String,
    pub hash: [u8; 32],
    pub scopes: Vec<String>,
    pub at: i64,
    pub expires: Option<i64>,
}
#[derive(Clone, Debug)]
pub struct Token {
    pub id: String,
    pub person: String,
    pub name: String,
    pub scopes: Vec<String>,
    pub expires: Option<i64>,
    pub used_at: Option<i64>,
}
#[derive(Clone, Debug)]
pub struct View {
    pub name: String,
    pub query: String,
}
#[derive(Default)]
struct In {
    accounts: Vec<Account>,
    links: Vec<([u8; 32], Option<String>, String, i64)>,
    sessions: Vec<([u8; 32], Session)>,
    tokens: Vec<([u8; 32], Token)>,
    views: Vec<(String, String, View)>,
}
#[derive(Clone)]
pub struct Accounts(Arc<Mutex<In>>);
type R<T> = Result<T, AccountError>;
impl Accounts {
    fn i(&self) -> std::sync::MutexGuard<'_, In> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub async fn open(_: &Place) -> Result<Accounts, StoreError> {
        Ok(Accounts(Arc::default()))
    }
    pub async fn add(&self, a: &NewAccount) -> R<()> {
        self.i().accounts.push(Account {
            person: a.person.clone(),
            login: a.login.trim().to_lowercase(),
            password: a.password.clone(),
            is_closed: false,
        });
        Ok(())
    }
    pub async fn by_login(&self, l: &str) -> R<Option<Account>> {
        Ok(self
            .i()
            .accounts
            .iter()
            .find(|a| a.login == l.trim().to_lowercase())
            .cloned())
    }
    pub async fn of_person(&self, p: &str) -> R<Option<Account>> {
        Ok(self.i().accounts.iter().find(|a| a.person == p).cloned())
    }
    pub async fn all(&self) -> R<Vec<Account>> {
        Ok(self.i().accounts.clone())
    }
    pub async fn set_password(&self, p: &str, h: &str, _: i64) -> R<()> {
        for a in &mut self.i().accounts {
            if a.person == p {
                a.password = Some(h.to_owned());
            }
        }
        Ok(())
    }
    pub async fn set_login(&self, p: &str, l: &str, h: &str, _: i64) -> R<()> {
        for a in &mut self.i().accounts {
            if a.person == p {
                a.password = Some(h.to_owned());
                a.login = l.to_owned();
            }
        }
        Ok(())
    }
    pub async fn set_closed(&self, p: &str, c: bool, _: i64) -> R<()> {
        for a in &mut self.i().accounts {
            if a.person == p {
                a.is_closed = c;
            }
        }
        Ok(())
    }
    pub async fn invite(&self, h: &[u8; 32], p: Option<&str>, w: &str, e: i64) -> R<()> {
        self.i()
            .links
            .push((*h, p.map(str::to_owned), w.to_owned(), e));
        Ok(())
    }
    pub async fn invitation(&self, h: &[u8; 32], w: &str, n: i64) -> R<Option<Invitation>> {
        Ok(self
            .i()
            .links
            .iter()
            .find(|l| l.0 == *h && l.2 == w && l.3 > n)
            .map(|l| Invitation {
                person: l.1.clone(),
            }))
    }
    pub async fn redeem(&self, h: &[u8; 32], w: &str, n: i64) -> R<Option<Invitation>> {
        let mut i = self.i();
        let at = i
            .links
            .iter()
            .position(|l| l.0 == *h && l.2 == w && l.3 > n);
        Ok(at.map(|at| Invitation {
            person: i.links.remove(at).1,
        }))
    }
    pub async fn begin_session(&self, s: &NewSession) -> R<()> {
        self.i().sessions.push((
            s.hash,
            Session {
                person: s.person.clone(),
                began_at: s.at,
                seen_at: s.at,
                expires: s.expires,
            },
        ));
        Ok(())
    }
    pub async fn session(&self, h: &[u8; 32], n: i64) -> R<Option<Session>> {
        Ok(self
            .i()
            .sessions
            .iter()
            .find(|s| s.0 == *h && s.1.expires > n)
            .map(|s| s.1.clone()))
    }
    pub async fn rotate_session(
        &self,
        _o: &[u8; 32],
        _n: &[u8; 32],
        _at: i64,
        _g: i64,
        _e: i64,
    ) -> R<bool> {
        Ok(false)
    }
    pub async fn end_session(&self, h: &[u8; 32]) -> R<()> {
        self.i().sessions.retain(|s| s.0 != *h);
        Ok(())
    }
    pub async fn add_token(&self, t: &NewToken) -> R<()> {
        self.i().tokens.push((
            t.hash,
            Token {
                id: t.id.clone(),
                person: t.person.clone(),
                name: t.name.clone(),
                scopes: t.scopes.clone(),
                expires: t.expires,
                used_at: None,
            },
        ));
        Ok(())
    }
    pub async fn token(&self, h: &[u8; 32], _: i64) -> R<Option<Token>> {
        Ok(self
            .i()
            .tokens
            .iter()
            .find(|t| t.0 == *h)
            .map(|t| t.1.clone()))
    }
    pub async fn tokens_of(&self, p: &str) -> R<Vec<Token>> {
        Ok(self
            .i()
            .tokens
            .iter()
            .filter(|t| t.1.person == p)
            .map(|t| t.1.clone())
            .collect())
    }
    pub async fn end_token(&self, p: &str, id: &str) -> R<bool> {
        let mut i = self.i();
        let n = i.tokens.len();
        i.tokens.retain(|t| !(t.1.person == p && t.1.id == id));
        Ok(i.tokens.len() < n)
    }
    pub async fn save_view(&self, p: &str, l: &str, n: &str, q: &str) -> R<()> {
        self.i().views.push((
            p.to_owned(),
            l.to_owned(),
            View {
                name: n.to_owned(),
                query: q.to_owned(),
            },
        ));
        Ok(())
    }
    pub async fn views(&self, p: &str, l: &str) -> R<Vec<View>> {
        Ok(self
            .i()
            .views
            .iter()
            .filter(|v| v.0 == p && v.1 == l)
            .map(|v| v.2.clone())
            .collect())
    }
    pub async fn drop_view(&self, p: &str, l: &str, n: &str) -> R<()> {
        self.i()
            .views
            .retain(|v| !(v.0 == p && v.1 == l && v.2.name == n));
        Ok(())
    }
}
