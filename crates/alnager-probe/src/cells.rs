//! Cells: how many rows have which combination of codes, and what else is gathered by cell.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::gather::{Scores, Sum};

/// The most cells (combinations of attributes, stratum, period, label and decision) counted in one pass.
pub const CELLS_MAX: usize = 1 << 21;

/// Up to this many bits of cell index, cells are found in one array (4 MB); beyond, in a hash map.
const DENSE_BITS_MAX: u32 = 20;

/// More bits than an index has.
const INDEX_BITS_MAX: u32 = 127;

/// The place of a cell that no row has been counted in.
const NONE: u32 = u32::MAX;

/// Counts by combination of codes.
///
/// A row's codes are packed into an index, a whole number of bits per role; the index leads to the cell's slot. The way to the
/// slots is laid out anew when a role outgrows its bits; the slots stay.
#[derive(Default)]
pub(crate) struct Cells {
    bits: Vec<u32>,
    way: Way,
    /// The codes of each slot, one after the other.
    codes: Vec<u32>,
    counts: Vec<u64>,
    /// Summed weights and their squares, where rows have weights.
    weights: Vec<[Sum; 2]>,
    /// Scores, where every value is counted.
    scores: Vec<Scores>,
    index: Vec<u32>,
    slots: Vec<u32>,
}

enum Way {
    Dense(Vec<u32>),
    Sparse(HashMap<u128, u32, BuildHasherDefault<Mixed>>),
}

impl Default for Way {
    fn default() -> Self {
        Way::Dense(vec![NONE])
    }
}

/// What is gathered by cell besides the count, one entry a row; empty where it is not.
pub(crate) struct Extra<'a> {
    /// How many rows each one stands for; empty where each stands for itself.
    pub(crate) times: &'a [u64],
    pub(crate) weights: &'a [f64],
    pub(crate) scores: &'a [f64],
    /// Wants the slot of every row.
    pub(crate) slots: bool,
}

/// How many rows the one at this place stands for.
fn times(counted: &[u64], row: usize) -> u64 {
    counted.get(row).copied().unwrap_or(1)
}

/// More different combinations than [`CELLS_MAX`], or more columns than an index has bits for.
#[derive(Debug)]
pub(crate) struct TooMany;

impl Cells {
    /// Counts the rows whose codes are given per role, code `c` of role `r` below `sizes[r]`. All roles have `n_rows` codes.
    pub(crate) fn add(
        &mut self,
        codes: &[&[u32]],
        sizes: &[usize],
        n_rows: usize,
        extra: &Extra<'_>,
    ) -> Result<&[u32], TooMany> {
        self.make_room(sizes)?;
        let wants_slots = extra.slots || !extra.weights.is_empty() || !extra.scores.is_empty();
        self.slots.clear();
        if matches!(self.way, Way::Dense(_)) {
            self.add_dense(codes, n_rows, extra.times, wants_slots);
        } else {
            self.add_sparse(codes, n_rows, extra.times, wants_slots)?;
        }
        if !extra.weights.is_empty() {
            self.weights.resize(self.counts.len(), [Sum::default(); 2]);
            for (row, (slot, weight)) in self.slots.iter().zip(extra.weights).enumerate() {
                let [w, w2] = &mut self.weights[*slot as usize];
                match times(extra.times, row) {
                    1 => {
                        w.add(*weight);
                        w2.add_square(*weight);
                    }
                    n => {
                        w.add_times(*weight, n);
                        w2.add_square_times(*weight, n);
                    }
                }
            }
        }
        if !extra.scores.is_empty() {
            self.scores.resize_with(self.counts.len(), Scores::default);
            for (row, (slot, score)) in self.slots.iter().zip(extra.scores).enumerate() {
                match times(extra.times, row) {
                    1 => self.scores[*slot as usize].push(*score),
                    n => self.scores[*slot as usize].push_times(*score, n),
                }
            }
        }
        Ok(&self.slots)
    }

    fn add_dense(&mut self, codes: &[&[u32]], n_rows: usize, counted: &[u64], wants_slots: bool) {
        let Way::Dense(way) = &mut self.way else {
            return;
        };
        self.index.clear();
        self.index.resize(n_rows, 0);
        let mut shift = 0;
        for (codes, bits) in codes.iter().zip(&self.bits) {
            for (index, code) in self.index.iter_mut().zip(*codes) {
                *index |= code << shift;
            }
            shift += *bits;
        }
        for (row, index) in self.index.iter().enumerate() {
            let place = &mut way[*index as usize];
            if *place == NONE {
                *place = self.counts.len() as u32;
                self.counts.push(0);
                self.codes.extend(codes.iter().map(|codes| codes[row]));
            }
            self.counts[*place as usize] += times(counted, row);
            if wants_slots {
                self.slots.push(*place);
            }
        }
    }

    fn add_sparse(
        &mut self,
        codes: &[&[u32]],
        n_rows: usize,
        counted: &[u64],
        wants_slots: bool,
    ) -> Result<(), TooMany> {
        let Way::Sparse(way) = &mut self.way else {
            return Ok(());
        };
        for row in 0..n_rows {
            let key = packed(codes.iter().map(|codes| codes[row]), &self.bits);
            let n_slots = self.counts.len();
            let slot = *way.entry(key).or_insert(n_slots as u32);
            if slot as usize == n_slots {
                if n_slots == CELLS_MAX {
                    return Err(TooMany);
                }
                self.counts.push(0);
                self.codes.extend(codes.iter().map(|codes| codes[row]));
            }
            self.counts[slot as usize] += times(counted, row);
            if wants_slots {
                self.slots.push(slot);
            }
        }
        Ok(())
    }

    fn make_room(&mut self, sizes: &[usize]) -> Result<(), TooMany> {
        let needed: Vec<u32> = sizes
            .iter()
            .map(|size| size.next_power_of_two().trailing_zeros())
            .collect();
        let fits = |(bits, needed): (&u32, &u32)| bits >= needed;
        if self.bits.len() == needed.len() && self.bits.iter().zip(&needed).all(fits) {
            return Ok(());
        }
        let n_bits: u32 = needed.iter().sum();
        if n_bits > INDEX_BITS_MAX {
            return Err(TooMany);
        }
        let keys = |slot: usize| {
            let codes = &self.codes[slot * needed.len()..][..needed.len()];
            packed(codes.iter().copied(), &needed)
        };
        self.way = if n_bits <= DENSE_BITS_MAX {
            let mut way = vec![NONE; 1 << n_bits];
            (0..self.counts.len()).for_each(|slot| way[keys(slot) as usize] = slot as u32);
            Way::Dense(way)
        } else {
            let slots = 0..self.counts.len();
            Way::Sparse(slots.map(|slot| (keys(slot), slot as u32)).collect())
        };
        self.bits = needed;
        Ok(())
    }

    /// The number of cells that have rows.
    pub(crate) fn n(&self) -> usize {
        self.counts.len()
    }

    /// The codes of a cell, and its rows.
    pub(crate) fn cell(&self, slot: usize) -> (&[u32], u64) {
        let n_roles = self.bits.len();
        (&self.codes[slot * n_roles..][..n_roles], self.counts[slot])
    }

    /// The summed weights of a cell and their squares; `None` where rows have none.
    pub(crate) fn weights(&self, slot: usize) -> Option<[f64; 2]> {
        self.weights
            .get(slot)
            .map(|sums| [sums[0].value(), sums[1].value()])
    }

    /// Takes the scores of a cell.
    pub(crate) fn take_scores(&mut self, slot: usize) -> Option<Scores> {
        self.scores.get_mut(slot).map(std::mem::take)
    }
}

/// Codes side by side, the first in the lowest bits.
fn packed(codes: impl Iterator<Item = u32>, bits: &[u32]) -> u128 {
    let (mut key, mut shift) = (0, 0);
    for (code, bits) in codes.zip(bits) {
        key |= u128::from(code) << shift;
        shift += *bits;
    }
    key
}

/// A hash for packed codes: one multiplication and a fold.
#[derive(Default)]
pub(crate) struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        let product = u128::from(self.0 ^ value) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn write_u128(&mut self, value: u128) {
        self.write_u64(value as u64);
        self.write_u64((value >> 64) as u64 ^ 0x51ed_270b);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use super::*;

    const COUNTS: Extra<'static> = Extra {
        times: &[],
        weights: &[],
        scores: &[],
        slots: false,
    };

    #[test]
    fn cells_survive_growing_out_of_the_dense_array() {
        let mut cells = Cells::default();
        let (mut want, mut n_batches) = (BTreeMap::new(), 0);
        // The first role grows by one code per batch, the second by 16: 11 bits and more in the end, 21 together.
        for first in 0..1100_u32 {
            let second: Vec<u32> = (0..16).map(|code| (first * 16 + code) % 1024).collect();
            for code in &second {
                *want.entry(vec![first, *code]).or_insert(0) += 1;
            }
            let sizes = [first as usize + 1, 1024];
            cells
                .add(&[&[first; 16], &second], &sizes, 16, &COUNTS)
                .unwrap();
            n_batches += 1;
        }
        assert!(matches!(cells.way, Way::Sparse(_)));
        let mut seen = BTreeMap::new();
        for slot in 0..cells.n() {
            let (codes, n) = cells.cell(slot);
            assert_eq!(seen.insert(codes.to_vec(), n), None);
        }
        assert_eq!(seen, want);
        assert_eq!(seen.values().sum::<u64>(), n_batches * 16);
    }

    #[test]
    fn too_many_cells_are_refused() {
        let mut cells = Cells::default();
        let n = CELLS_MAX as u32;
        let all: Vec<u32> = (0..n).collect();
        let sizes = [2 * CELLS_MAX];
        assert!(cells.add(&[&all], &sizes, all.len(), &COUNTS).is_ok());
        assert!(cells.add(&[&[0, n - 1]], &sizes, 2, &COUNTS).is_ok());
        assert!(cells.add(&[&[n]], &sizes, 1, &COUNTS).is_err());
    }

    #[test]
    fn weights_and_scores_are_gathered_by_cell() {
        let mut cells = Cells::default();
        let extra = Extra {
            times: &[],
            weights: &[0.5, 2.0, 0.25],
            scores: &[3.0, 1.0, 3.0],
            slots: true,
        };
        let slots = cells.add(&[&[0, 1, 0]], &[2], 3, &extra).unwrap().to_vec();
        assert_eq!(slots, [0, 1, 0]);
        assert_eq!(cells.weights(0), Some([0.75, 0.3125]));
        let scores = cells.take_scores(0).unwrap().finish();
        assert_eq!(scores, (vec![3.0], vec![2]));
    }
}
