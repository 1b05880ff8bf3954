//! Passwords: what is kept of one is a hash that takes memory and time to try.
//!
//! Hashing takes tens of milliseconds: a server does it off its async threads.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::error::StoreError;

/// The fewest characters of a password.
pub const MIN: usize = 12;

/// The most characters of a password.
pub const MAX: usize = 1_000;

/// Memory in KiB, passes and lanes.
///
/// Source: OWASP Password Storage Cheat Sheet, second recommended setting of Argon2id.
const COST: (u32, u32, u32) = (19_456, 2, 1);

const SALT_LEN: usize = 16;
const HASH_LEN: usize = 32;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// It is short.
    #[error("a password has at least {MIN} characters; a few words one can remember do")]
    Short,
    /// It is long beyond use.
    #[error("a password has at most {MAX} characters; choose a shorter one")]
    Long,
    /// It is the sign-in name.
    #[error("the password is the sign-in name; choose something else")]
    Login,
    /// It is one character again and again.
    #[error("the password is one character repeated; choose something else")]
    Repeated,
}

/// Whether a password may be chosen with a sign-in name.
pub fn check(password: &str, login: &str) -> Result<(), WeakPassword> {
    let n = password.chars().count();
    let mut letters = password.chars();
    let first = letters.next();
    if n < MIN {
        Err(WeakPassword::Short)
    } else if n > MAX {
        Err(WeakPassword::Long)
    } else if password.trim().to_lowercase() == login.trim().to_lowercase() {
        Err(WeakPassword::Login)
    } else if letters.all(|letter| Some(letter) == first) {
        Err(WeakPassword::Repeated)
    } else {
        Ok(())
    }
}

/// What is kept of a password: a text in the form of the Password Hashing Competition, with a salt of its own.
pub fn hash(password: &str) -> Result<String, StoreError> {
    let mut salt = [0; SALT_LEN];
    getrandom::fill(&mut salt).map_err(StoreError::Random)?;
    let hash = stretch(password, &salt, COST);
    assert!(
        hash.is_some(),
        "the cost and the lengths are ones that Argon2 takes"
    );
    let (m, t, p) = COST;
    let hash = STANDARD_NO_PAD.encode(hash.unwrap_or_default());
    let salt = STANDARD_NO_PAD.encode(salt);
    Ok(format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${hash}"))
}

/// Whether a password is the one whose hash is kept. Without one the answer is no and takes as long, so that nobody learns whether there
/// is such an account.
pub fn verify(password: &str, kept: Option<&str>) -> bool {
    let kept = kept.and_then(Kept::parse);
    let (salt, cost) = kept
        .as_ref()
        .map_or(([0; SALT_LEN].to_vec(), COST), |kept| {
            (kept.salt.clone(), kept.cost)
        });
    // A password that could never have been chosen is not stretched.
    if password.chars().count() > MAX {
        return false;
    }
    let Some(found) = stretch(password, &salt, cost) else {
        return false;
    };
    let Some(kept) = kept else {
        return false;
    };
    let differs = found
        .iter()
        .zip(&kept.hash)
        .fold(0, |all, (one, other)| all | (one ^ other));
    differs == 0 && kept.hash.len() == HASH_LEN
}

/// A hash that is kept, taken apart.
struct Kept {
    cost: (u32, u32, u32),
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Kept {
    fn parse(text: &str) -> Option<Kept> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let mut cost = parts.next()?.split(',');
        let mut number = |name: &str| cost.next()?.strip_prefix(name)?.parse().ok();
        let cost = (number("m=")?, number("t=")?, number("p=")?);
        let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        let hash = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        Some(Kept { cost, salt, hash })
    }
}

fn stretch(password: &str, salt: &[u8], (m, t, p): (u32, u32, u32)) -> Option<[u8; HASH_LEN]> {
    let params = Params::new(m, t, p, Some(HASH_LEN)).ok()?;
    let mut hash = [0; HASH_LEN];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut hash)
        .ok()?;
    Some(hash)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let kept = hash("correct horse battery").unwrap();
        assert!(
            kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{kept}"
        );
        assert!(verify("correct horse battery", Some(&kept)));
        assert!(!verify("correct horse batter", Some(&kept)));
        assert!(!verify("correct horse battery", None));
        assert!(!verify("correct horse battery", Some("nonsense")));
        assert_ne!(kept, hash("correct horse battery").unwrap());
    }

    #[test]
    fn a_hash_that_another_program_made_is_known() {
        // Made with the reference implementation's command line: m = 64 KiB, t = 2, p = 1, salt `somesalt`.
        let kept = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(verify("password", Some(kept)));
    }

    #[test]
    fn weak_passwords_are_refused() {
        let cases = [
            ("short", WeakPassword::Short),
            ("Mira@Example.org", WeakPassword::Login),
            ("aaaaaaaaaaaaa", WeakPassword::Repeated),
        ];
        for (password, why) in cases {
            assert_eq!(check(password, "mira@example.org"), Err(why));
        }
        assert_eq!(check(&"ab".repeat(501), ""), Err(WeakPassword::Long));
        assert_eq!(check("a few words will do", "mira"), Ok(()));
    }
}
