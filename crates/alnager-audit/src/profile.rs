//! Profiles: what a report holds for whom. The statistics are the same; which of them are shown, and beside what, differs.
//!
//! What each must hold, with sources: `docs/reference/audit-profiles.md`.

pub mod eeoc;
pub mod ll144;
pub mod reliability;

/// For whom a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Every figure, for no one in particular.
    #[default]
    General,
    /// New York City's Local Law 144: a summary for the public, and a private annex.
    Ll144,
    /// Adverse impact by job and stage, after the Uniform Guidelines.
    Eeoc,
    /// Credit: raw and controlled disparities.
    Ecoa,
    /// The EU AI Act: representativeness, errors by group, accuracy.
    Eu,
}

impl Profile {
    /// Its word, as on the command line and in files.
    pub fn word(self) -> &'static str {
        match self {
            Profile::General => "general",
            Profile::Ll144 => "ll144",
            Profile::Eeoc => "eeoc",
            Profile::Ecoa => "ecoa",
            Profile::Eu => "eu",
        }
    }
}

/// `numer / denom` with `places` decimals, half up, from exact integers; `None` where `denom` is 0 or the figures are too long.
pub fn rounded(numer: u128, denom: u128, places: u32) -> Option<String> {
    let scaled = scaled(numer, denom, places)?;
    let (whole, rest) = (scaled / 10_u128.pow(places), scaled % 10_u128.pow(places));
    Some(match places {
        0 => whole.to_string(),
        _ => format!("{whole}.{rest:0>width$}", width = places as usize),
    })
}

/// `numer / denom` in units of the last of `places` decimals, half up.
fn scaled(numer: u128, denom: u128, places: u32) -> Option<u128> {
    let twice = numer.checked_mul(2 * 10_u128.checked_pow(places)?)?;
    twice.checked_add(denom)?.checked_div(denom.checked_mul(2)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_up_from_exact_integers() {
        for (numer, denom, places, want) in [
            (13, 16, 3, Some("0.813")),
            (1, 1, 3, Some("1.000")),
            (2, 3, 1, Some("0.7")),
            (1, 2, 0, Some("1")),
            (0, 7, 3, Some("0.000")),
            (1, 0, 3, None),
        ] {
            assert_eq!(rounded(numer, denom, places).as_deref(), want);
        }
    }
}
