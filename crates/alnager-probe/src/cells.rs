//! Cells: how many rows have which combination of codes.

use std::collections::HashMap;

/// The most cells (combinations of attributes, stratum, label, decision and score level) counted in one pass.
pub const CELLS_MAX: usize = 1 << DENSE_BITS_MAX;

/// Up to this many bits of cell index, cells lie in one array (8 MB); beyond, in a hash map.
const DENSE_BITS_MAX: u32 = 20;

/// Counts by combination of codes.
///
/// Dense while the cell index, with a whole number of bits per role, has at most [`DENSE_BITS_MAX`] bits; it is laid out anew when
/// a role outgrows its bits.
pub(crate) enum Cells {
    Dense {
        bits: Vec<u32>,
        counts: Vec<u64>,
        index: Vec<u32>,
    },
    Sparse {
        counts: HashMap<Box<[u32]>, u64>,
    },
}

impl Default for Cells {
    fn default() -> Self {
        Cells::Dense {
            bits: Vec::new(),
            counts: vec![0],
            index: Vec::new(),
        }
    }
}

impl Cells {
    /// Counts the rows whose codes are given per role, code `c` of role `r` below `sizes[r]`; false when there are too many cells.
    pub(crate) fn add(&mut self, codes: &[Vec<u32>], sizes: &[usize]) -> bool {
        self.make_room(sizes);
        let n_rows = codes.first().map_or(0, Vec::len);
        match self {
            Cells::Dense {
                bits,
                counts,
                index,
            } => {
                index.clear();
                index.resize(n_rows, 0);
                let mut shift = 0;
                for (codes, bits) in codes.iter().zip(bits) {
                    for (index, code) in index.iter_mut().zip(codes) {
                        *index |= code << shift;
                    }
                    shift += *bits;
                }
                for index in index {
                    counts[*index as usize] += 1;
                }
                true
            }
            Cells::Sparse { counts } => {
                let mut key = vec![0; codes.len()];
                for row in 0..n_rows {
                    for (key, codes) in key.iter_mut().zip(codes) {
                        *key = codes[row];
                    }
                    if let Some(n) = counts.get_mut(key.as_slice()) {
                        *n += 1;
                    } else if counts.len() == CELLS_MAX {
                        return false;
                    } else {
                        counts.insert(key.as_slice().into(), 1);
                    }
                }
                true
            }
        }
    }

    fn make_room(&mut self, sizes: &[usize]) {
        let Cells::Dense { bits, .. } = self else {
            return;
        };
        let needed: Vec<u32> = sizes
            .iter()
            .map(|size| size.next_power_of_two().trailing_zeros())
            .collect();
        if bits.len() == needed.len()
            && bits
                .iter()
                .zip(&needed)
                .all(|(bits, needed)| bits >= needed)
        {
            return;
        }
        let n_bits: u32 = needed.iter().sum();
        let mut roomier = if n_bits <= DENSE_BITS_MAX {
            Cells::Dense {
                bits: needed,
                counts: vec![0; 1 << n_bits],
                index: Vec::new(),
            }
        } else {
            Cells::Sparse {
                counts: HashMap::new(),
            }
        };
        self.each(|codes, n| roomier.put(codes, n));
        *self = roomier;
    }

    fn put(&mut self, codes: &[u32], n: u64) {
        match self {
            Cells::Dense { bits, counts, .. } => {
                let (mut at, mut shift) = (0, 0);
                for (code, bits) in codes.iter().zip(bits) {
                    at |= (*code as usize) << shift;
                    shift += *bits;
                }
                counts[at] += n;
            }
            Cells::Sparse { counts } => *counts.entry(codes.into()).or_default() += n,
        }
    }

    /// Visits every cell that has rows, in no particular order.
    pub(crate) fn each(&self, mut visit: impl FnMut(&[u32], u64)) {
        match self {
            Cells::Dense { bits, counts, .. } => {
                let mut codes = vec![0; bits.len()];
                for (at, n) in counts.iter().enumerate().filter(|(_, n)| **n > 0) {
                    let mut rest = at as u32;
                    for (code, bits) in codes.iter_mut().zip(bits) {
                        *code = rest & ((1 << bits) - 1);
                        rest >>= bits;
                    }
                    visit(&codes, *n);
                }
            }
            Cells::Sparse { counts } => counts.iter().for_each(|(codes, n)| visit(codes, *n)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

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
            assert!(cells.add(&[vec![first; 16], second], &[first as usize + 1, 1024]));
            n_batches += 1;
        }
        assert!(matches!(cells, Cells::Sparse { .. }));
        let mut seen = BTreeMap::new();
        cells.each(|codes, n| assert_eq!(seen.insert(codes.to_vec(), n), None));
        assert_eq!(seen, want);
        assert_eq!(seen.values().sum::<u64>(), n_batches * 16);
    }

    #[test]
    fn too_many_cells_are_refused() {
        let mut cells = Cells::default();
        let n = CELLS_MAX as u32;
        assert!(cells.add(&[(0..n).collect()], &[2 * CELLS_MAX]));
        assert!(cells.add(&[vec![0, n - 1]], &[2 * CELLS_MAX]));
        assert!(!cells.add(&[vec![n]], &[2 * CELLS_MAX]));
    }
}
