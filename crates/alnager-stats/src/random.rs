//! Random numbers from a seed, the same on every machine and in every version.
//!
//! A sealed bootstrap is recomputed years later, so nothing here may ever change: a better method gets
//! a new name and the old one stays. The generator works in whole numbers. The deviates use only +, -,
//! ·, / and √, which IEEE 754 rounds the same everywhere; logarithm and exponential are our own below,
//! because those of the platform differ in the last digit. (A 32-bit x86 processor without SSE2
//! rounds otherwise and is not supported.) Not for secrets.
//! Source: xoshiro256++, Blackman and Vigna 2021, ACM Transactions on Mathematical Software 47, 36;
//! SplitMix64, Steele, Lea and Flood 2014, ACM SIGPLAN Notices 49 (10), 453-472.

use std::f64::consts::{LN_2, SQRT_2};

use crate::proportion::COUNT_MAX;

/// A stream of random numbers: xoshiro256++, its state filled by SplitMix64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Random {
        Random::filled(seed)
    }

    /// Stream `index` of a seed: each replicate has its own, so that any one can be drawn alone.
    ///
    /// Their states are consecutive parts of one SplitMix64 sequence and never the same.
    pub fn stream(seed: u64, index: u64) -> Random {
        Random::filled(mix(seed).wrapping_add(index.wrapping_mul(GOLDEN.wrapping_mul(4))))
    }

    fn filled(start: u64) -> Random {
        let output = |i: u64| mix(start.wrapping_add(GOLDEN.wrapping_mul(i)));
        Random {
            state: [output(1), output(2), output(3), output(4)],
        }
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number from 0 to below 1, a multiple of 2^-53.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A standard normal deviate, by the polar method; the second of each pair is dropped.
    ///
    /// Source: Marsaglia and Bray 1964, SIAM Review 6, 260-264.
    pub fn normal(&mut self) -> f64 {
        loop {
            let x = 2.0 * self.uniform() - 1.0;
            let y = 2.0 * self.uniform() - 1.0;
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * ln(square) / square).sqrt();
            }
        }
    }

    /// The number of successes in `n` trials with the chance `share` each.
    ///
    /// `None` unless 0 <= `share` <= 1 and `n` <= [`COUNT_MAX`]. By inversion where under ten are
    /// expected of the rarer outcome, else by transformed rejection with squeeze (BTRS).
    ///
    /// Source: inversion, Kachitvichyanukul and Schmeiser 1988, Communications of the ACM 31, 216-222;
    /// BTRS, Hörmann 1993, Journal of Statistical Computation and Simulation 46, 101-110, its last
    /// comparison with Loader's form of the masses (see `mass.rs`), which keeps its digits at any `n`.
    pub fn binomial(&mut self, n: u64, share: f64) -> Option<u64> {
        if !(0.0..=1.0).contains(&share) || n > COUNT_MAX {
            return None;
        }
        Some(if share <= 0.5 {
            self.rarer(n, share)
        } else {
            n - self.rarer(n, 1.0 - share)
        })
    }

    /// `n` draws spread over cells in proportion to `weights`, into `counts`, one per cell.
    ///
    /// By conditional binomials in the order given; fastest with the heaviest cells first. A cell
    /// of weight 0 gets none. `None` if the lengths differ, if `n` or the sum of the weights is above
    /// [`COUNT_MAX`], or if all weights are 0 and `n` is not.
    pub fn multinomial(&mut self, n: u64, weights: &[u64], counts: &mut [u64]) -> Option<()> {
        let all = total(weights)?;
        if weights.len() != counts.len() || n > COUNT_MAX || (all == 0 && n > 0) {
            return None;
        }
        self.spread(n, all, weights, counts);
        Some(())
    }

    /// As [`Random::multinomial`], where the caller has checked that the weights sum to `all`.
    pub(crate) fn spread(&mut self, n: u64, all: u64, weights: &[u64], counts: &mut [u64]) {
        let (mut n_left, mut weight_left) = (n, all);
        for (done, (&weight, count)) in weights.iter().zip(counts.iter_mut()).enumerate() {
            if n_left == 0 {
                counts[done..].fill(0);
                return;
            }
            let others = weight_left - weight;
            *count = if others == 0 {
                n_left
            } else if weight <= others {
                self.rarer(n_left, weight as f64 / weight_left as f64)
            } else {
                n_left - self.rarer(n_left, others as f64 / weight_left as f64)
            };
            n_left -= *count;
            weight_left = others;
        }
    }

    /// Binomial for a share of at most one half.
    fn rarer(&mut self, n: u64, share: f64) -> u64 {
        if n == 0 || share == 0.0 {
            0
        } else if n as f64 * share < 10.0 {
            self.binomial_inverted(n, share)
        } else {
            self.binomial_rejected(n, share)
        }
    }

    /// Adds masses from 0 upward until they pass a uniform number.
    fn binomial_inverted(&mut self, n: u64, share: f64) -> u64 {
        let odds = share / (1.0 - share);
        let scaled = (n as f64 + 1.0) * odds;
        let none = exp(n as f64 * ln_1p(-share));
        loop {
            let (mut left, mut mass) = (self.uniform(), none);
            // Beyond 200, with under ten expected, lies less than 1e-150: only the rounding of `left`
            // could lead there, and then the draw is made again.
            for k in 0..=n.min(200) {
                if left < mass {
                    return k;
                }
                left -= mass;
                mass *= scaled / (k + 1) as f64 - odds;
            }
        }
    }

    /// Hörmann's BTRS; at least ten expected, a share of at most one half.
    fn binomial_rejected(&mut self, n: u64, share: f64) -> u64 {
        let trials = n as f64;
        let mean = trials * share;
        let sd = (mean * (1.0 - share)).sqrt();
        let b = 1.15 + 2.53 * sd;
        let a = -0.0873 + 0.0248 * b + 0.01 * share;
        let centre = mean + 0.5;
        let squeeze = 0.92 - 4.2 / b;
        loop {
            let u = self.uniform() - 0.5;
            let v = 1.0 - self.uniform();
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + centre).floor();
            if us >= 0.07 && v <= squeeze {
                // Inside the squeeze k lies within 0..=n.
                return k as u64;
            }
            if !(k >= 0.0 && k <= trials) {
                continue;
            }
            let alpha = (2.83 + 5.1 / b) * sd;
            let mode = ((trials + 1.0) * share).floor();
            let height = ln_height(k, trials, share) - ln_height(mode, trials, share);
            if ln(v * alpha / (a / (us * us) + b)) <= height {
                return k as u64;
            }
        }
    }
}

/// How often the cluster with this id hash is drawn in one replicate: Poisson with mean 1.
///
/// A function of the three numbers alone: it does not matter where the cluster's rows lie, or what
/// other clusters there are. The ids must be spread over 64 bits only so far that they differ.
///
/// Formula: output `replicate` + 1 of the SplitMix64 sequence of the cluster, mapped by the cumulated
/// masses times 2^64 (written down, so that no rounding is left to the machine).
/// Source: a bootstrap by Poisson counts, Hanley and MacGibbon 2006, Computer Methods and Programs
/// in Biomedicine 83, 57-62.
pub fn poisson_weight(id: u64, seed: u64, replicate: u64) -> u64 {
    poisson_of(cluster_start(id, seed), replicate)
}

/// Where the SplitMix64 sequence of a cluster begins.
pub(crate) fn cluster_start(id: u64, seed: u64) -> u64 {
    mix(mix(seed) ^ id)
}

/// [`poisson_weight`] from the start of the cluster's sequence.
pub(crate) fn poisson_of(start: u64, replicate: u64) -> u64 {
    let bits = mix(start.wrapping_add(GOLDEN.wrapping_mul(replicate.wrapping_add(1))));
    let mut weight = 0;
    for mass in POISSON {
        if bits < mass {
            break;
        }
        weight += 1;
    }
    weight
}

/// Whether a row is held out of a search, to confirm there what the search finds: about half of all rows are.
///
/// A function of the row's number (from 0) and the seed alone; neither the other rows nor their number matter.
///
/// Formula: the highest bit of the first output of the SplitMix64 sequence of the row.
pub fn is_held_out(row: u64, seed: u64) -> bool {
    mix(cluster_start(row, seed).wrapping_add(GOLDEN)) >> 63 == 1
}

/// The sum, `None` above [`COUNT_MAX`].
pub(crate) fn total(counts: &[u64]) -> Option<u64> {
    let mut sum = 0_u64;
    for &count in counts {
        sum = sum.checked_add(count)?;
    }
    (sum <= COUNT_MAX).then_some(sum)
}

/// 2^64 over the golden ratio, odd: the step of SplitMix64.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The output function of SplitMix64.
fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// ⌊2^64 · P(X <= k)⌋ for X Poisson with mean 1, k from 0; what lies beyond the last has no place in 64 bits.
const POISSON: [u64; 20] = [
    0x5E2D_58D8_B3BC_DF1A,
    0xBC5A_B1B1_6779_BE35,
    0xEB71_5E1D_C158_2DC2,
    0xFB23_9797_34A2_52F1,
    0xFF10_25F5_9174_DC3D,
    0xFFD9_0F3B_A405_5E19,
    0xFFFA_8B71_FC72_C913,
    0xFFFF_540C_0914_B3C9,
    0xFFFF_ED1F_4AA8_F120,
    0xFFFF_FE21_6E64_1462,
    0xFFFF_FFD4_D85D_3183,
    0xFFFF_FFFC_6DA2_62B4,
    0xFFFF_FFFF_BA12_D178,
    0xFFFF_FFFF_FB07_C64C,
    0xFFFF_FFFF_FFAB_8EA5,
    0xFFFF_FFFF_FFFA_BE22,
    0xFFFF_FFFF_FFFF_B11A,
    0xFFFF_FFFF_FFFF_FBA1,
    0xFFFF_FFFF_FFFF_FFC5,
    0xFFFF_FFFF_FFFF_FFFD,
];

/// ln of the binomial mass at `x`, up to a constant of `n`; the frozen sibling of `mass.rs`.
fn ln_height(x: f64, n: f64, share: f64) -> f64 {
    let mean = n * share;
    let off = x - mean;
    -deviance(x, mean, off) - deviance(n - x, n - mean, -off) - ln_size(x) - ln_size(n - x)
}

/// x·ln(x/mean) - off, with off = x - mean; `mean` for x = 0.
fn deviance(x: f64, mean: f64, off: f64) -> f64 {
    if x == 0.0 {
        return mean;
    }
    let v = off / (x + mean);
    if v.abs() > 0.1 {
        return x * ln(x / mean) - off;
    }
    // 2x·artanh(v) - off, of which the first term is off·v; nine more leave under 1e-19.
    off * v + 2.0 * x * v * series(v * v, 3.0)
}

/// ln x! less x ln x - x, for a whole `x`; 0 for 0.
fn ln_size(x: f64) -> f64 {
    if x == 0.0 {
        return 0.0;
    }
    let rest = if x < 16.0 {
        // x! is exact here; the main part of Stirling's formula in the same logarithm.
        let mut factorial = 1.0;
        let mut i = 2.0;
        while i <= x {
            factorial *= i;
            i += 1.0;
        }
        return ln(factorial) - (x * ln(x) - x);
    } else {
        let xx = x * x;
        (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / 1680.0 / xx) / xx) / xx) / x
    };
    // ½ ln 2π.
    rest + 0.918_938_533_204_672_8 + 0.5 * ln(x)
}

/// w/first + w²/(first+2) + …, ten terms, for artanh.
fn series(w: f64, first: f64) -> f64 {
    let mut sum = 0.0;
    for j in (0..10).rev() {
        sum = w * (1.0 / (first + 2.0 * f64::from(j)) + sum);
    }
    sum
}

/// ln x to 1e-15 for a positive `x` of normal size; the same digits on every machine.
fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = (bits >> 52) as i32 - 1023;
    let mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    let (mantissa, exponent) = if mantissa > SQRT_2 {
        (0.5 * mantissa, exponent + 1)
    } else {
        (mantissa, exponent)
    };
    let v = (mantissa - 1.0) / (mantissa + 1.0);
    f64::from(exponent) * LN_2 + 2.0 * (v + v * series(v * v, 3.0))
}

/// ln(1 + x) for -1/2 <= x <= 0.
fn ln_1p(x: f64) -> f64 {
    if x < -0.25 {
        return ln(1.0 + x);
    }
    let v = x / (2.0 + x);
    2.0 * (v + v * series(v * v, 3.0))
}

/// e^x for -15 <= x <= 0, to 3e-14: the series at x/64, squared six times.
fn exp(x: f64) -> f64 {
    let part = x / 64.0;
    let mut sum = 1.0;
    for j in (1..=12).rev() {
        sum = 1.0 + part / f64::from(j) * sum;
    }
    for _ in 0..6 {
        sum *= sum;
    }
    sum
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
