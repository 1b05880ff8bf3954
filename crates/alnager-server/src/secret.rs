//! Secrets that people carry: session cookies, links for one use, tokens. The server keeps their hashes alone.

use alnager_work::error::JobError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Bytes of a secret: more than anybody can guess.
const LEN: usize = 32;

/// A secret, in the form it is carried in.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// A new one.
    pub fn new() -> Result<Secret, JobError> {
        Ok(Secret(URL_SAFE_NO_PAD.encode(random::<LEN>()?)))
    }

    /// One that somebody carries. Any text: what is not a secret of ours has a hash that is not known.
    pub fn carried(text: &str) -> Secret {
        Secret(text.to_owned())
    }

    /// Its text, for a cookie or a link.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the server keeps of it.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// Whether two secrets are one, in a time that does not tell where they differ.
    pub fn is(&self, other: &Secret) -> bool {
        is_same(&self.hash(), &other.hash())
    }
}

/// What shows that a form came from a page of a session. It stays the same while the session's secret is replaced, so that a form that
/// somebody has been filling in for an hour is still taken.
#[derive(Clone, PartialEq, Eq)]
pub struct FormKey([u8; LEN]);

impl std::fmt::Debug for FormKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormKey(…)")
    }
}

impl FormKey {
    /// That of the session that began with a secret of this hash.
    pub fn of(first_hash: &[u8; LEN]) -> FormKey {
        let hash = Sha256::new().chain_update(b"alnager form\0");
        FormKey(hash.chain_update(first_hash).finalize().into())
    }

    /// A token for a form, masked anew each time: pages are compressed, and a token that stays the same could be guessed from their
    /// length.
    pub fn token(&self) -> Result<String, JobError> {
        let mask = random::<LEN>()?;
        let masked = xor(self.0, mask);
        Ok(URL_SAFE_NO_PAD.encode([mask, masked].concat()))
    }

    /// Whether a form's token belongs to this session.
    pub fn is_key_of(&self, token: &str) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else {
            return false;
        };
        let Some((mask, masked)) = bytes.split_first_chunk::<LEN>() else {
            return false;
        };
        let Ok(masked) = <[u8; LEN]>::try_from(masked) else {
            return false;
        };
        is_same(&xor(masked, *mask), &self.0)
    }
}

/// Random bytes.
pub fn random<const N: usize>() -> Result<[u8; N], JobError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        JobError::Internal(format!("the system gives no random numbers: {error}"))
    })?;
    Ok(bytes)
}

fn xor(mut one: [u8; LEN], other: [u8; LEN]) -> [u8; LEN] {
    one.iter_mut()
        .zip(other)
        .for_each(|(one, other)| *one ^= other);
    one
}

fn is_same(one: &[u8; LEN], other: &[u8; LEN]) -> bool {
    let differs = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    differs == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_form_token_belongs_to_one_session_and_never_reads_the_same() {
        let key = || FormKey::of(&Secret::new().unwrap().hash());
        let (one, other) = (key(), key());
        let (first, second) = (one.token().unwrap(), one.token().unwrap());
        assert_ne!(first, second);
        assert!(one.is_key_of(&first) && one.is_key_of(&second));
        assert!(!other.is_key_of(&first));
        for wrong in ["", "x", &first[1..], &format!("{first}A")] {
            assert!(!one.is_key_of(wrong), "{wrong}");
        }
    }
}
