//! How large a pack may be: far more than any law needs, so that a hostile one cannot take all time or the stack.

/// Most derived facts of a pack.
pub(crate) const DERIVED_MAX: usize = 1_000;
/// Most requirements of a pack.
pub(crate) const REQUIREMENTS_MAX: usize = 5_000;
/// Most derived facts in a row of which each rests on the next.
pub(crate) const CHAIN_MAX: usize = 64;

/// For each of some things the length of the longest chain of others that it rests on, itself counted; `below[at]` are those it
/// names. 0 for what rests on itself, or on what does.
pub(crate) fn chains(below: &[Vec<usize>]) -> Vec<usize> {
    let mut above = vec![Vec::new(); below.len()];
    let mut open: Vec<usize> = below.iter().map(Vec::len).collect();
    for (at, names) in below.iter().enumerate() {
        names.iter().for_each(|name| above[*name].push(at));
    }
    let mut lengths = vec![0; below.len()];
    let mut ready: Vec<usize> = (0..below.len()).filter(|at| open[*at] == 0).collect();
    while let Some(at) = ready.pop() {
        lengths[at] = 1 + below[at]
            .iter()
            .map(|name| lengths[*name])
            .max()
            .unwrap_or(0);
        for name in &above[at] {
            open[*name] -= 1;
            if open[*name] == 0 {
                ready.push(*name);
            }
        }
    }
    lengths
}

/// What to say of a derived fact that ends too long a chain.
pub(crate) fn too_long(fact: &str, length: usize) -> String {
    format!(
        "the derived fact `{fact}` rests on a chain of {length} derived facts, and at most {CHAIN_MAX} may follow each other; name fewer steps"
    )
}

#[cfg(test)]
mod tests {
    use super::chains;

    #[test]
    fn a_chain_is_as_long_as_its_longest_way() {
        let check = |below: &[&[usize]], want: &[usize]| {
            let below: Vec<Vec<usize>> = below.iter().map(|names| names.to_vec()).collect();
            assert_eq!(chains(&below), want, "{below:?}");
        };
        check(&[], &[]);
        check(&[&[], &[0], &[1, 0], &[2, 2]], &[1, 2, 3, 4]);
        check(&[&[1], &[0], &[], &[0, 2]], &[0, 0, 1, 0]);
    }
}
