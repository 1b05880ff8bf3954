//! Combinations of attributes that the data hardly know: maximal uncovered patterns.
//!
//! A pattern fixes the values of some attributes and leaves the others open. It is uncovered where fewer rows match it than a stated
//! minimum, and maximal where every pattern that leaves one more attribute open is covered: so each hole is named once, as widely
//! as it reaches. A model was hardly trained on, and cannot be tested on, people whom such a pattern describes.
//! Source: Asudeh, Jin and Jagadish 2019, Assessing and remedying coverage for a given dataset, IEEE ICDE, 554-565.

use std::collections::BTreeMap;

use crate::texts::Texts;

/// Patterns looked at before a search gives up: covered ones and uncovered ones that may be maximal.
pub const PATTERNS_MAX: usize = 4_000_000;

/// What is searched.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The attributes, equally long; a row whose value is unknown matches only patterns that leave the attribute open.
    pub attributes: &'a [Texts],
    /// The rows that make a pattern covered, 1 and above.
    pub rows_min: u64,
    /// The most attributes a pattern fixes.
    pub depth: usize,
}

/// An uncovered pattern all of whose parents are covered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The attributes it fixes, ascending, each with its value: positions in [`Asked::attributes`] and in [`Texts::values`].
    pub fixed: Vec<(usize, usize)>,
    /// The rows that match it, below the minimum.
    pub n: u64,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// The maximal uncovered patterns: those that fix fewer attributes first, then by position of attributes and values.
    pub patterns: Vec<Pattern>,
    /// The rows.
    pub n_rows: u64,
    /// The rows in which some attribute is unknown.
    pub n_unknown: u64,
    /// The different combinations of values among the rows.
    pub n_combinations: usize,
    /// The covered patterns that fix at most `depth` attributes, the open one among them.
    pub n_covered: usize,
}

/// Why there was no search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CoverageError {
    /// The attributes are none or of different lengths.
    #[error("attributes of equally many rows are needed, and at least one")]
    Uneven,
    /// The patterns cannot even be numbered.
    #[error("{n} attributes have too many combinations to be numbered; name fewer")]
    TooManyAttributes {
        /// How many.
        n: usize,
    },
    /// The search would take too long.
    #[error(
        "more than {PATTERNS_MAX} patterns would have to be looked at; name fewer attributes, a lower depth or a higher minimum"
    )]
    TooManyPatterns,
}

/// The maximal uncovered patterns that fix at most `depth` attributes.
///
/// Rows are first counted by their combination of values. From the open pattern one attribute after the other is fixed, and the
/// combinations are parted by it; whatever is below an uncovered pattern is uncovered too and is never looked at (a search from
/// the top with pruning by coverage, as the paper's Pattern-Breaker; the parting by one attribute at a time is that of
/// bottom-up cubes, Beyer and Ramakrishnan 1999, SIGMOD, 359-370). A pattern without any row is uncovered as well: the data
/// cannot tell whether it is impossible.
pub fn search(asked: &Asked) -> Result<Coverage, CoverageError> {
    let n_rows = asked.attributes.first().map(Texts::n_rows);
    let Some(n_rows) = n_rows.filter(|n_rows| {
        let mut attributes = asked.attributes.iter();
        attributes.all(|attribute| attribute.n_rows() == *n_rows)
    }) else {
        return Err(CoverageError::Uneven);
    };
    let combinations = Combinations::of(asked.attributes, n_rows);
    let mut search = Search {
        asked: *asked,
        keys: Keys::of(asked.attributes)?,
        combinations: &combinations,
        covered: Vec::new(),
        candidates: Vec::new(),
    };
    if (n_rows as u64) < asked.rows_min {
        search.candidates.push(Pattern {
            fixed: Vec::new(),
            n: n_rows as u64,
        });
    } else {
        let mut all: Vec<u32> = (0..combinations.counts.len() as u32).collect();
        search.below(&mut Vec::new(), 0, &mut all, 0)?;
    }
    Ok(search.finish(n_rows as u64))
}

/// The rows, counted by their combination of values.
struct Combinations {
    /// Of each attribute: the code of each combination, the number of its values where it is unknown.
    codes: Vec<Vec<u16>>,
    counts: Vec<u64>,
    n_unknown: u64,
}

impl Combinations {
    fn of(attributes: &[Texts], n_rows: usize) -> Combinations {
        // Attribute by attribute: the place of the combination so far and the value met give the new place.
        let mut places: Vec<u32> = vec![0; n_rows];
        let mut n_places = 1_usize;
        let mut unknown = vec![false; n_rows];
        for attribute in attributes {
            let n_codes = attribute.values().len() + 1;
            let mut met: BTreeMap<u64, u32> = BTreeMap::new();
            let is_dense =
                n_places.saturating_mul(n_codes) <= n_rows.saturating_mul(8).max(1 << 20);
            let mut dense = vec![u32::MAX; if is_dense { n_places * n_codes } else { 0 }];
            let mut n_met = 0;
            for (row, place) in places.iter_mut().enumerate() {
                let code = attribute.at(row).unwrap_or(n_codes - 1);
                unknown[row] |= code == n_codes - 1;
                let key = *place as usize * n_codes + code;
                let new = if is_dense {
                    &mut dense[key]
                } else {
                    met.entry(key as u64).or_insert(u32::MAX)
                };
                if *new == u32::MAX {
                    *new = n_met;
                    n_met += 1;
                }
                *place = *new;
            }
            n_places = n_met as usize;
        }
        let mut counts = vec![0_u64; n_places];
        let mut codes = vec![vec![0_u16; n_places]; attributes.len()];
        for (row, place) in places.iter().enumerate() {
            let place = *place as usize;
            if counts[place] == 0 {
                for (codes, attribute) in codes.iter_mut().zip(attributes) {
                    // Keys::of has refused attributes of more values than a code can have.
                    codes[place] = attribute.at(row).unwrap_or(attribute.values().len()) as u16;
                }
            }
            counts[place] += 1;
        }
        Combinations {
            codes,
            counts,
            n_unknown: unknown.iter().filter(|unknown| **unknown).count() as u64,
        }
    }
}

/// Patterns as numbers: each attribute is a digit, 0 where it is open.
struct Keys {
    /// What the digit of each attribute stands for.
    weights: Vec<u128>,
}

impl Keys {
    fn of(attributes: &[Texts]) -> Result<Keys, CoverageError> {
        let too_many = CoverageError::TooManyAttributes {
            n: attributes.len(),
        };
        let mut weights = Vec::with_capacity(attributes.len());
        let mut weight = 1_u128;
        for attribute in attributes {
            if attribute.values().len() >= usize::from(u16::MAX) {
                return Err(too_many);
            }
            weights.push(weight);
            weight = weight
                .checked_mul(attribute.values().len() as u128 + 1)
                .ok_or(too_many)?;
        }
        Ok(Keys { weights })
    }

    fn digit(&self, (attribute, value): (usize, usize)) -> u128 {
        self.weights[attribute] * (value as u128 + 1)
    }

    fn key(&self, fixed: &[(usize, usize)]) -> u128 {
        fixed.iter().map(|fixed| self.digit(*fixed)).sum()
    }
}

struct Search<'a> {
    asked: Asked<'a>,
    keys: Keys,
    combinations: &'a Combinations,
    /// The keys of the covered patterns.
    covered: Vec<u128>,
    /// Uncovered patterns whose parent without the last attribute is covered.
    candidates: Vec<Pattern>,
}

impl Search<'_> {
    /// Fixes each attribute from `next` on besides `fixed`, which is covered; `of` are the combinations that match it.
    fn below(
        &mut self,
        fixed: &mut Vec<(usize, usize)>,
        key: u128,
        of: &mut [u32],
        next: usize,
    ) -> Result<(), CoverageError> {
        self.covered.push(key);
        if self.covered.len() + self.candidates.len() > PATTERNS_MAX {
            return Err(CoverageError::TooManyPatterns);
        }
        if fixed.len() == self.asked.depth {
            return Ok(());
        }
        let combinations = self.combinations;
        for attribute in next..self.asked.attributes.len() {
            let codes = &combinations.codes[attribute];
            let n_values = self.asked.attributes[attribute].values().len();
            let mut counts = vec![0_u64; n_values + 1];
            let mut ends = vec![0_usize; n_values + 1];
            for &at in of.iter() {
                let code = usize::from(codes[at as usize]);
                counts[code] += combinations.counts[at as usize];
                ends[code] += 1;
            }
            let goes_on =
                fixed.len() + 1 < self.asked.depth && attribute + 1 < self.asked.attributes.len();
            if goes_on {
                part(of, codes, &mut ends);
            }
            let mut start = 0;
            for (value, &n) in counts[..n_values].iter().enumerate() {
                let end = ends[value];
                let here = (attribute, value);
                fixed.push(here);
                if n < self.asked.rows_min {
                    let fixed = fixed.clone();
                    self.candidates.push(Pattern { fixed, n });
                } else if goes_on {
                    let key = key + self.keys.digit(here);
                    self.below(fixed, key, &mut of[start..end], attribute + 1)?;
                } else {
                    self.covered.push(key + self.keys.digit(here));
                }
                fixed.pop();
                start = end;
            }
        }
        Ok(())
    }

    /// Of the candidates those are maximal whose other parents are covered, too.
    fn finish(mut self, n_rows: u64) -> Coverage {
        self.covered.sort_unstable();
        let (keys, covered) = (&self.keys, &self.covered);
        let is_maximal = |pattern: &Pattern| {
            let key = keys.key(&pattern.fixed);
            pattern.fixed.iter().all(|fixed| {
                let parent = key - keys.digit(*fixed);
                covered.binary_search(&parent).is_ok()
            })
        };
        let mut patterns = std::mem::take(&mut self.candidates);
        patterns.retain(is_maximal);
        patterns.sort_by(|one, other| {
            let by_size = one.fixed.len().cmp(&other.fixed.len());
            by_size.then_with(|| one.fixed.cmp(&other.fixed))
        });
        Coverage {
            patterns,
            n_rows,
            n_unknown: self.combinations.n_unknown,
            n_combinations: self.combinations.counts.len(),
            n_covered: self.covered.len(),
        }
    }
}

/// Puts combinations in the order of their codes; `ends` holds how many have each code, and then where they end.
fn part(of: &mut [u32], codes: &[u16], ends: &mut [usize]) {
    let mut sum = 0;
    let mut next: Vec<usize> = ends
        .iter_mut()
        .map(|end| {
            let start = sum;
            sum += *end;
            *end = sum;
            start
        })
        .collect();
    let before = of.to_vec();
    for at in before {
        let place = &mut next[usize::from(codes[at as usize])];
        of[*place] = at;
        *place += 1;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn column(name: &str, rows: &[&str]) -> Texts {
        Texts::of_rows(name, rows)
    }

    /// The patterns found, as `race=Black sex=f 2`.
    fn shown(attributes: &[Texts], rows_min: u64, depth: usize) -> Vec<String> {
        let asked = Asked {
            attributes,
            rows_min,
            depth,
        };
        let found = search(&asked).unwrap();
        let patterns = found.patterns.iter();
        patterns
            .map(|pattern| {
                let fixed = pattern.fixed.iter().map(|&(at, value)| {
                    let attribute = &attributes[at];
                    format!("{}={} ", attribute.column(), attribute.values()[value])
                });
                format!("{}{}", fixed.collect::<String>(), pattern.n)
            })
            .collect()
    }

    #[test]
    fn the_example_of_the_paper() {
        // Example 1 of the paper: of three binary attributes and five rows, 1XX is the one maximal pattern that no row matches.
        let rows = ["010", "001", "000", "011", "001"];
        let attributes = [0, 1, 2].map(|at| {
            let codes = rows.map(|row| if &row[at..=at] == "0" { 1 } else { 2 });
            let values = ["0", "1"].map(str::to_owned).to_vec();
            Texts::new(["A1", "A2", "A3"][at], values, codes.to_vec()).unwrap()
        });
        assert_eq!(shown(&attributes, 1, 3), ["A1=1 0"]);
    }

    #[test]
    fn a_hole_is_named_once_as_widely_as_it_reaches() {
        let race = column("race", &["B", "B", "W", "W", "W", "W", "W", "W"]);
        let sex = column("sex", &["m", "m", "m", "m", "f", "f", "m", "f"]);
        let old = column("old", &["y", "n", "y", "n", "y", "n", "y", "n"]);
        let all = [race, sex, old];
        assert_eq!(
            shown(&all, 2, 3),
            [
                "race=B sex=f 0",
                "race=B old=n 1",
                "race=B old=y 1",
                "sex=f old=y 1",
                "race=W sex=m old=n 1"
            ]
        );
        assert_eq!(shown(&all, 2, 1), [""; 0]);
        assert_eq!(shown(&all, 3, 1), ["race=B 2"]);
        assert_eq!(shown(&all, 9, 3), ["8"]);
    }

    #[test]
    fn an_unknown_value_matches_only_what_leaves_it_open() {
        let race = column("race", &["B", "", "W", "W"]);
        let sex = column("sex", &["m", "m", "m", ""]);
        let asked = Asked {
            attributes: &[race, sex],
            rows_min: 2,
            depth: 2,
        };
        let found = search(&asked).unwrap();
        assert_eq!((found.n_unknown, found.n_combinations), (2, 4));
        let patterns: Vec<_> = found
            .patterns
            .iter()
            .map(|pattern| (pattern.fixed.as_slice(), pattern.n))
            .collect();
        assert_eq!(patterns, [(&[(0, 0)][..], 1), (&[(0, 1), (1, 0)][..], 1)]);
    }

    /// Every pattern counted by itself, and maximal by the definition.
    fn by_force(
        rows: &[Vec<Option<usize>>],
        cards: &[usize],
        rows_min: u64,
        depth: usize,
    ) -> Vec<Pattern> {
        let mut patterns: Vec<Vec<Option<usize>>> = vec![Vec::new()];
        for &card in cards {
            let longer = patterns.iter().flat_map(|pattern| {
                std::iter::once(None)
                    .chain((0..card).map(Some))
                    .map(move |digit| {
                        let mut pattern = pattern.clone();
                        pattern.push(digit);
                        pattern
                    })
            });
            patterns = longer.collect();
        }
        let count = |pattern: &[Option<usize>]| {
            let matches = |row: &&Vec<Option<usize>>| {
                row.iter()
                    .zip(pattern)
                    .all(|(value, digit)| digit.is_none() || value == digit)
            };
            rows.iter().filter(matches).count() as u64
        };
        let mut found: Vec<Pattern> = Vec::new();
        for pattern in &patterns {
            let n_fixed = pattern.iter().flatten().count();
            let parents_are_covered =
                (0..pattern.len())
                    .filter(|at| pattern[*at].is_some())
                    .all(|at| {
                        let mut parent = pattern.clone();
                        parent[at] = None;
                        count(&parent) >= rows_min
                    });
            if n_fixed <= depth && count(pattern) < rows_min && parents_are_covered {
                let fixed = pattern
                    .iter()
                    .enumerate()
                    .filter_map(|(at, digit)| Some((at, (*digit)?)));
                found.push(Pattern {
                    fixed: fixed.collect(),
                    n: count(pattern),
                });
            }
        }
        found.sort_by(|one, other| {
            one.fixed
                .len()
                .cmp(&other.fixed.len())
                .then_with(|| one.fixed.cmp(&other.fixed))
        });
        found
    }

    proptest! {
        #[test]
        fn as_by_force(
            rows in prop::collection::vec(prop::collection::vec(0_usize..5, 4), 1..60),
            rows_min in 1_u64..8,
            depth in 1_usize..5,
        ) {
            // Attribute 0 has up to 2 values, the last up to 4; beyond them a value is unknown.
            let cards = [2, 3, 4, 4];
            let names = ["a", "b", "c", "d", ""];
            let attributes: Vec<Texts> = (0..4).map(|at| {
                let texts: Vec<&str> = rows.iter().map(|row| if row[at] < cards[at] { names[row[at]] } else { "" }).collect();
                Texts::of_rows(["w", "x", "y", "z"][at], &texts)
            }).collect();
            let coded: Vec<Vec<Option<usize>>> = (0..rows.len()).map(|row| attributes.iter().map(|attribute| attribute.at(row)).collect()).collect();
            let found_cards: Vec<usize> = attributes.iter().map(|attribute| attribute.values().len()).collect();
            let found = search(&Asked { attributes: &attributes, rows_min, depth }).unwrap();
            prop_assert_eq!(found.patterns, by_force(&coded, &found_cards, rows_min, depth));
        }
    }
}
