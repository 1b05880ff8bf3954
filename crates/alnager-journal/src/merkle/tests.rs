#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn hash(hex: &str) -> Hash {
    Hash::from_hex(hex).unwrap()
}

fn tree(size: u64) -> Tree {
    (0..size)
        .map(|index| leaf_hash(&index.to_be_bytes()))
        .collect()
}

/// The definition of RFC 6962, 2.1, word for word; exponential in nothing, but it keeps no subtree.
fn root_by_definition(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(root_by_definition(left), root_by_definition(right))
        }
    }
}

/// Leaves and roots of the Certificate Transparency test data (RFC 6962 reference implementation).
const CT_LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const CT_ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn roots_are_those_of_certificate_transparency() {
    let mut range = CompactRange::new();
    let mut tree = Tree::new();
    assert_eq!(range.root(), hash(CT_ROOTS[0]));
    for (leaf, root) in CT_LEAVES.iter().zip(&CT_ROOTS[1..]) {
        range.push(leaf_hash(&bytes(leaf)));
        tree.push(leaf_hash(&bytes(leaf)));
        assert_eq!((range.root(), tree.root()), (hash(root), hash(root)));
    }
    for (size, root) in CT_ROOTS.iter().enumerate() {
        assert_eq!(tree.root_at(size as u64), Some(hash(root)), "size {size}");
    }
    assert_eq!(tree.root_at(9), None);
}

#[track_caller]
fn check_path(index: u64, size: u64, path: &[&str]) {
    let tree: Tree = CT_LEAVES
        .iter()
        .map(|leaf| leaf_hash(&bytes(leaf)))
        .collect();
    let path: Vec<Hash> = path.iter().map(|node| hash(node)).collect();
    assert_eq!(tree.inclusion_proof(index, size), Some(path));
}

#[test]
fn inclusion_proofs_are_those_of_certificate_transparency() {
    check_path(0, 1, &[]);
    check_path(
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    );
}

#[test]
fn every_small_proof_has_its_length_and_verifies() {
    let tree = tree(70);
    for size in 0..=70 {
        let root = tree.root_at(size).unwrap();
        for index in 0..size {
            let proof = tree.inclusion_proof(index, size).unwrap();
            assert_eq!(Some(proof.len()), inclusion_proof_len(index, size));
            verify_inclusion(tree.node(0, index).unwrap(), index, size, &proof, root).unwrap();
        }
        for old in 0..=size {
            let proof = tree.consistency_proof(old, size).unwrap();
            verify_consistency(old, tree.root_at(old).unwrap(), size, root, &proof).unwrap();
        }
    }
}

#[test]
fn a_proof_at_a_million_entries_has_twenty_hashes() {
    assert_eq!(inclusion_proof_len(0, 1_000_000), Some(20));
    assert_eq!(inclusion_proof_len(u64::MAX - 1, u64::MAX), Some(63));
    assert_eq!(inclusion_proof_len(0, u64::MAX), Some(64));
    assert_eq!(inclusion_proof_len(5, 5), None);
}

#[test]
fn a_proof_out_of_range_does_not_exist() {
    let tree = tree(5);
    assert_eq!(tree.inclusion_proof(5, 5), None);
    assert_eq!(tree.inclusion_proof(0, 6), None);
    assert_eq!(tree.consistency_proof(3, 2), None);
    assert_eq!(tree.consistency_proof(3, 6), None);
    assert_eq!(
        verify_consistency(3, tree.root(), 2, tree.root(), &[]),
        Err(ProofError::SizesSwapped { old: 3, new: 2 })
    );
    assert_eq!(
        verify_consistency(0, tree.root(), 5, tree.root(), &[]),
        Err(ProofError::Root)
    );
}

#[test]
fn hashes_have_one_spelling() {
    let root = empty_root();
    assert_eq!(Hash::from_hex(&root.to_string()), Some(root));
    assert_eq!(Hash::from_hex(&root.to_string().to_uppercase()), None);
    assert_eq!(Hash::from_base64(&root.to_base64()), Some(root));
    assert_eq!(
        Hash::from_base64(root.to_base64().trim_end_matches('=')),
        None
    );
    // The last character carries two bits that must be zero.
    assert_eq!(
        Hash::from_base64("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV="),
        None
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn three_ways_to_the_root_agree(size in 0_u64..600, earlier in 0_u64..600) {
        let mut tree = tree(size);
        let leaves: Vec<Hash> = (0..size).map(|index| tree.node(0, index).unwrap()).collect();
        let mut range = CompactRange::new();
        leaves.iter().for_each(|leaf| range.push(*leaf));
        prop_assert_eq!(tree.root(), root_by_definition(&leaves));
        prop_assert_eq!(tree.root(), range.root());
        prop_assert_eq!(CompactRange::from_parts(size, range.nodes().to_vec()), Some(range.clone()));
        prop_assert_eq!(CompactRange::from_parts(size + 1 + (size & 1), range.nodes().to_vec()).is_some(),
            (size + 1 + (size & 1)).count_ones() == size.count_ones());

        tree.truncate(earlier);
        let kept = earlier.min(size) as usize;
        prop_assert_eq!(&tree, &leaves[..kept].iter().copied().collect::<Tree>());
    }

    #[test]
    fn an_inclusion_proof_proves_one_leaf_at_one_place(
        size in 1_u64..600, index in 0_u64..600, other in 0_u64..600, change in 0_usize..32, bit in 0_u32..8,
    ) {
        let (index, tree) = (index % size, tree(600));
        let (leaf, root) = (tree.node(0, index).unwrap(), tree.root_at(size).unwrap());
        let proof = tree.inclusion_proof(index, size).unwrap();
        prop_assert_eq!(verify_inclusion(leaf, index, size, &proof, root), Ok(()));
        if other != index {
            prop_assert!(verify_inclusion(tree.node(0, other).unwrap(), index, size, &proof, root).is_err());
            prop_assert!(verify_inclusion(leaf, other, size, &proof, root).is_err());
        }
        if other != size {
            let other_root = tree.root_at(other).unwrap();
            prop_assert!(verify_inclusion(leaf, index, size, &proof, other_root).is_err());
            prop_assert!(verify_inclusion(leaf, index, other, &proof, other_root).is_err());
        }
        let longer = [proof.as_slice(), &[leaf]].concat();
        prop_assert!(verify_inclusion(leaf, index, size, &longer, root).is_err());
        for place in 0..proof.len() {
            let mut flipped = proof.clone();
            flipped[place].0[change] ^= 1 << bit;
            prop_assert!(verify_inclusion(leaf, index, size, &flipped, root).is_err());
            let mut shorter = proof.clone();
            shorter.remove(place);
            prop_assert!(verify_inclusion(leaf, index, size, &shorter, root).is_err());
        }
    }

    #[test]
    fn a_consistency_proof_proves_one_pair_of_trees(
        new in 1_u64..600, old in 0_u64..600, change in 0_usize..32, bit in 0_u32..8,
    ) {
        let tree = tree(600);
        let old = old % (new + 1);
        let (old_root, new_root) = (tree.root_at(old).unwrap(), tree.root_at(new).unwrap());
        let proof = tree.consistency_proof(old, new).unwrap();
        prop_assert_eq!(verify_consistency(old, old_root, new, new_root, &proof), Ok(()));
        let mut other_root = old_root;
        other_root.0[change] ^= 1 << bit;
        prop_assert!(verify_consistency(old, other_root, new, new_root, &proof).is_err());
        if old > 0 {
            prop_assert!(verify_consistency(old, old_root, new, other_root, &proof).is_err());
            prop_assert!(verify_consistency(old - 1, old_root, new, new_root, &proof).is_err());
        }
        let longer = [proof.as_slice(), &[old_root]].concat();
        prop_assert!(verify_consistency(old, old_root, new, new_root, &longer).is_err());
        for place in 0..proof.len() {
            let mut flipped = proof.clone();
            flipped[place].0[change] ^= 1 << bit;
            prop_assert!(verify_consistency(old, old_root, new, new_root, &flipped).is_err());
        }
    }

    #[test]
    fn no_numbers_make_the_verifiers_panic(
        index in any::<u64>(), size in any::<u64>(), hashes in proptest::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let hashes: Vec<Hash> = hashes.into_iter().map(Hash).collect();
        prop_assert!(verify_inclusion(empty_root(), index, size, &hashes, empty_root()).is_err());
        let consistent = verify_consistency(index, empty_root(), size, empty_root(), &hashes);
        prop_assert_eq!(consistent.is_ok(), hashes.is_empty() && (index == size || (index == 0 && size > 0)));
    }
}
