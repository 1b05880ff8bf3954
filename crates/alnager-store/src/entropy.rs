//! Randomness: the operating system's, or in a simulation a seed's.

use alnager_journal::dossier::Disclosed;
use uuid::{Builder, Uuid};

use crate::error::StoreError;
use crate::seal::SALT_LEN;

/// Where random bytes come from.
#[derive(Clone, Debug)]
pub(crate) enum Entropy {
    /// The operating system, asked for many bytes at once.
    System(Pool),
    /// A seed, so that a simulation can be run again. Never in the program itself.
    #[cfg(test)]
    Seeded(u64),
}

impl Entropy {
    /// That of the operating system.
    pub(crate) fn system() -> Entropy {
        Entropy::System(Pool::default())
    }

    /// Fresh random bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        match self {
            Entropy::System(pool) => pool.take(),
            #[cfg(test)]
            Entropy::Seeded(state) => Ok([(); N].map(|()| splitmix(state))),
        }
    }

    /// Bytes with a fresh salt.
    pub(crate) fn salted(&mut self, bytes: Vec<u8>) -> Result<Disclosed, StoreError> {
        let salt = self.bytes::<SALT_LEN>()?;
        Ok(Disclosed { salt, bytes })
    }

    /// A new UUID of version 7 for the instant `unix_ms`, milliseconds since 1970-01-01 UTC.
    pub(crate) fn id(&mut self, unix_ms: u64) -> Result<Uuid, StoreError> {
        Ok(Builder::from_unix_timestamp_millis(unix_ms, &self.bytes()?).into_uuid())
    }
}

/// Random bytes that are handed out once, each wiped as it is.
#[derive(Default)]
pub(crate) struct Pool(Vec<u8>);

impl Pool {
    /// Bytes asked for at a time.
    const LEN: usize = 4_096;

    fn take<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        if self.0.len() < N {
            self.0 = random::<{ Pool::LEN }>()?.to_vec();
        }
        let from = self.0.len().saturating_sub(N);
        let mut bytes = [0; N];
        if let Some(taken) = self.0.get_mut(from..).filter(|taken| taken.len() == N) {
            bytes.copy_from_slice(taken);
            taken.fill(0);
        } else {
            return random();
        }
        self.0.truncate(from);
        Ok(bytes)
    }
}

impl Clone for Pool {
    /// A copy begins empty, so that no byte is handed out twice.
    fn clone(&self) -> Pool {
        Pool::default()
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(StoreError::Random)?;
    Ok(bytes)
}

/// One byte of the generator `SplitMix64` (Steele, Lea and Flood 2014).
#[cfg(test)]
fn splitmix(state: &mut u64) -> u8 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)).to_be_bytes()[0]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn new_ids_are_of_version_7() {
        let mut entropy = Entropy::system();
        let ids = [(); 2].map(|()| entropy.id(1_795_000_000_000).unwrap());
        assert_ne!(ids[0], ids[1]);
        assert_eq!(ids.map(|id| id.get_version_num()), [7, 7]);
    }

    #[test]
    fn no_byte_of_a_pool_is_handed_out_twice() {
        let mut pool = Pool::default();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1_000 {
            assert!(seen.insert(pool.take::<24>().unwrap().to_vec()));
            assert!(seen.insert(pool.take::<10>().unwrap().to_vec()));
        }
        let n = pool.0.len();
        let rest = pool.0[..n - 32].to_vec();
        assert!(pool.clone().0.is_empty());
        pool.take::<32>().unwrap();
        assert_eq!(pool.0, rest);
        // More than a pool holds comes from the operating system itself.
        assert_ne!(pool.take::<5_000>().unwrap(), [0; 5_000]);
    }

    #[test]
    fn a_seed_gives_the_same_bytes_again() {
        let [mut one, mut two] = [Entropy::Seeded(7), Entropy::Seeded(7)];
        assert_eq!(one.bytes::<40>().unwrap(), two.bytes::<40>().unwrap());
        assert_ne!(
            one.bytes::<40>().unwrap(),
            Entropy::Seeded(8).bytes::<40>().unwrap()
        );
    }
}
