//! Hashes of passwords: Argon2id (RFC 9106) as PHC strings.
//!
//! [`hash`] and [`verify`] each take some hundredths of a second of one processor and 19 MiB of memory: call them on a thread that may
//! block, never among async tasks, and let only as many run at once as there are processors.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::entropy::random;
use crate::error::StoreError;

/// Fewest characters of a password. NIST SP 800-63B asks for 8 beside a second factor, and 15 without one; the length is what counts,
/// so nothing is asked of the kinds of characters.
pub const LEN_MIN: usize = 12;
/// Most characters of a password, so that nobody is kept busy with a book.
pub const LEN_MAX: usize = 1_000;

/// Memory in KiB, passes and lanes: the OWASP Password Storage Cheat Sheet, second option for Argon2id.
const COST: Cost = Cost {
    m: 19_456,
    t: 2,
    p: 1,
};
/// The most that a stored hash may ask for, so that a forged one cannot exhaust the machine: 256 MiB, 16 passes, 16 lanes.
const COST_MAX: Cost = Cost {
    m: 1 << 18,
    t: 16,
    p: 16,
};
const SALT_LEN: usize = 16;
const HASH_LEN: usize = 32;

/// The hash of nobody's password, of today's cost.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$zLhG13hS9dUjEcmXC7Tplw$g2GibGw12qdUdGEIoWVCJTa99UulKjy05/Ipd5rJ1h8";

/// Why a password is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// It is too short.
    #[error(
        "a password has at least `{LEN_MIN}` characters; choose a longer one, of several words for instance"
    )]
    TooShort,
    /// It is too long.
    #[error("a password has at most `{LEN_MAX}` characters; choose a shorter one")]
    TooLong,
    /// It is the login.
    #[error("the password is the same as the login; choose another one")]
    IsLogin,
    /// It cannot be hashed.
    #[error("the password cannot be hashed; free some memory and try again")]
    Hash(#[source] argon2::Error),
    /// There is no salt.
    #[error(transparent)]
    Random(StoreError),
}

/// Hashes a new password of whoever signs in as `login`, under a fresh salt. A PHC string.
pub fn hash(password: &str, login: &str) -> Result<String, PasswordError> {
    check(password, login)?;
    let salt = random::<SALT_LEN>().map_err(PasswordError::Random)?;
    salted(password, &salt)
}

/// Whether a new password is long enough, not too long, and not the login.
pub fn check(password: &str, login: &str) -> Result<(), PasswordError> {
    let n_chars = password.chars().take(LEN_MAX + 1).count();
    let folded = |text: &str| text.trim().to_lowercase();
    match n_chars {
        ..LEN_MIN => Err(PasswordError::TooShort),
        n_chars if n_chars > LEN_MAX => Err(PasswordError::TooLong),
        _ if folded(password) == folded(login) => Err(PasswordError::IsLogin),
        _ => Ok(()),
    }
}

/// Whether this is the password whose hash was stored.
///
/// `None` is for a login that nobody has, or an account without a password: it takes as long as any other and is `false`, so that
/// nobody learns who has an account. So does a stored text that is no hash.
pub fn verify(password: &str, stored: Option<&str>) -> bool {
    // Whoever sends more learns nothing by hearing so at once.
    if password.chars().take(LEN_MAX + 1).count() > LEN_MAX {
        return false;
    }
    let parsed = stored.and_then(Phc::parse);
    let is_known = parsed.is_some();
    let Some(phc) = parsed.or_else(|| Phc::parse(NOBODY)) else {
        return false;
    };
    stretch(password, &phc.salt, phc.cost).is_ok_and(|found| same(&found, &phc.hash)) && is_known
}

/// Whether a stored hash was made at another cost than today's, so that it should be made anew when its password is next at hand.
/// A text that is no hash is outdated.
pub fn is_outdated(stored: &str) -> bool {
    Phc::parse(stored).is_none_or(|phc| phc.cost != COST)
}

/// Memory in KiB, passes and lanes of Argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    m: u32,
    t: u32,
    p: u32,
}

/// A parsed PHC string.
struct Phc {
    cost: Cost,
    salt: Vec<u8>,
    hash: [u8; HASH_LEN],
}

impl Phc {
    /// Reads `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, both in base64 without padding.
    fn parse(text: &str) -> Option<Phc> {
        let rest = text.strip_prefix("$argon2id$v=19$")?;
        let mut parts = rest.split('$');
        let mut costs = parts.next()?.split(',');
        let mut number = |name: &str| costs.next()?.strip_prefix(name)?.parse::<u32>().ok();
        let cost = Cost {
            m: number("m=")?,
            t: number("t=")?,
            p: number("p=")?,
        };
        let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        let hash = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        let is_bearable = cost.m <= COST_MAX.m && cost.t <= COST_MAX.t && cost.p <= COST_MAX.p;
        (is_bearable && costs.next().is_none() && parts.next().is_none()).then_some(())?;
        Some(Phc {
            cost,
            salt,
            hash: hash.try_into().ok()?,
        })
    }
}

fn salted(password: &str, salt: &[u8; SALT_LEN]) -> Result<String, PasswordError> {
    let Cost { m, t, p } = COST;
    let hash = stretch(password, salt, COST).map_err(PasswordError::Hash)?;
    let [salt, hash] = [salt.as_slice(), &hash].map(|bytes| STANDARD_NO_PAD.encode(bytes));
    Ok(format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${hash}"))
}

fn stretch(password: &str, salt: &[u8], cost: Cost) -> Result<[u8; HASH_LEN], argon2::Error> {
    let params = Params::new(cost.m, cost.t, cost.p, Some(HASH_LEN))?;
    let mut hash = [0; HASH_LEN];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
        password.as_bytes(),
        salt,
        &mut hash,
    )?;
    Ok(hash)
}

/// Compares all bytes, wherever the first difference is.
fn same(one: &[u8; HASH_LEN], two: &[u8; HASH_LEN]) -> bool {
    let differences = one
        .iter()
        .zip(two)
        .fold(0, |all, (one, two)| all | (one ^ two));
    std::hint::black_box(differences) == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::time::Instant;

    use super::*;

    const PASSWORD: &str = "correct horse battery";

    #[test]
    fn a_password_opens_its_own_hash_alone() {
        let stored = hash(PASSWORD, "ada").unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        assert!(verify(PASSWORD, Some(&stored)) && !is_outdated(&stored));
        for wrong in ["", "correct horse batterz", "correct horse battery "] {
            assert!(!verify(wrong, Some(&stored)), "{wrong}");
        }
        assert_ne!(
            hash(PASSWORD, "ada").unwrap(),
            stored,
            "each has its own salt"
        );
        assert!(!verify(PASSWORD, None));
    }

    /// The string is one of `test.c` of the reference implementation, https://github.com/P-H-C/phc-winner-argon2.
    #[test]
    fn others_hashes_are_read() {
        let stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(verify("password", Some(stored)));
        assert!(!verify("passwore", Some(stored)) && is_outdated(stored));
    }

    #[test]
    fn what_is_no_hash_opens_for_nobody() {
        let stored = salted(PASSWORD, &[7; SALT_LEN]).unwrap();
        for wrong in [
            String::new(),
            PASSWORD.to_owned(),
            stored.replace("argon2id", "argon2i"),
            stored.replace("v=19", "v=16"),
            stored.replace("p=1", "p=1,k=1"),
            stored.replace("m=19456", "m=4294967295"),
            stored.replace("m=19456", "m=0"),
            stored.replace("t=2", "t=0"),
            format!("{stored}$"),
            stored[..stored.len() - 2].to_owned(),
        ] {
            assert!(!verify(PASSWORD, Some(&wrong)), "{wrong}");
            assert!(is_outdated(&wrong), "{wrong}");
        }
    }

    #[test]
    fn a_new_password_is_long_enough_and_not_the_login() {
        let check = |password: &str| match check(password, "Rita@Harbour.Example") {
            Ok(()) => "taken".to_owned(),
            Err(error) => error.to_string(),
        };
        let short = "a password has at least `12` characters; choose a longer one, of several words for instance";
        assert_eq!(check(&"ü".repeat(11)), short);
        assert_eq!(check(&"ü".repeat(12)), "taken");
        assert_eq!(check(&"ü".repeat(1_000)), "taken");
        let long = "a password has at most `1000` characters; choose a shorter one";
        assert_eq!(check(&"ü".repeat(1_001)), long);
        let login = "the password is the same as the login; choose another one";
        assert_eq!(check(" rita@harbour.example"), login);
        assert!(hash("short", "ada").is_err());
        assert!(!verify(&"ü".repeat(1_001), None));
    }

    #[test]
    fn nobody_costs_as_much_as_somebody() {
        assert!(!is_outdated(NOBODY), "of today's cost");
        let stored = salted(PASSWORD, &[7; SALT_LEN]).unwrap();
        let took = |stored: Option<&str>| {
            let all = (0..5).map(|_| {
                let began = Instant::now();
                assert!(!verify("another password", stored));
                began.elapsed()
            });
            all.min().unwrap()
        };
        let (somebody, nobody) = (took(Some(&stored)), took(None));
        // Widely: other tests run beside this one. Without the work it would be a thousandth.
        assert!(nobody > somebody / 4, "{nobody:?}, {somebody:?}");
    }
}
