//! The Merkle tree: hashes, roots, and the two kinds of proof.
//!
//! Source: RFC 6962, section 2.1; RFC 9162, sections 2.1.3.2 and 2.1.4.2 for verification.

use countersign_seal::Digest;

/// The hash of one entry.
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::of_parts(&[&[0x00], entry])
}

/// The hash of two neighbouring subtrees.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[0x01], left.as_bytes(), right.as_bytes()])
}

/// The root of the tree without entries.
pub fn empty_root() -> Digest {
    Digest::of(b"")
}

/// The root of the tree over these leaf hashes.
pub fn root_of(leaves: &[Digest]) -> Digest {
    join(leaves, None).unwrap_or_else(empty_root)
}

/// The hash of the subtree over complete neighbours of one size, with what follows them.
///
/// `rest` is the hash of whatever smaller subtree stands to the right of them.
pub(crate) fn join(hashes: &[Digest], rest: Option<Digest>) -> Option<Digest> {
    let mut pieces = Vec::new();
    let mut remaining = hashes;
    while !remaining.is_empty() {
        let size = 1 << remaining.len().ilog2();
        let (piece, after) = remaining.split_at(size);
        pieces.push(complete(piece.to_vec()));
        remaining = after;
    }
    pieces
        .into_iter()
        .rev()
        .fold(rest, |rest, piece| Some(rest.map_or(piece, |rest| node_hash(&piece, &rest))))
}

/// The root of a complete subtree; the number of hashes is a power of two.
pub(crate) fn complete(mut hashes: Vec<Digest>) -> Digest {
    while 1 < hashes.len() {
        hashes = hashes.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    hashes.first().copied().unwrap_or_else(empty_root)
}

/// Where the hashes of complete subtrees come from.
///
/// `subtree(level, index)` is the hash over the entries from `index << level` up to, but not
/// including, `(index + 1) << level`.
pub trait Subtrees {
    /// Why a hash cannot be had.
    type Error;

    /// The hash of one complete subtree.
    fn subtree(&self, level: u32, index: u64) -> Result<Digest, Self::Error>;
}

/// The root of the first `size` entries.
pub fn root<S: Subtrees>(subtrees: &S, size: u64) -> Result<Digest, S::Error> {
    if size == 0 { Ok(empty_root()) } else { range(subtrees, 0, size) }
}

/// The inclusion proof of the entry at `index` among the first `size`; `None` if it is not.
pub fn inclusion<S: Subtrees>(
    subtrees: &S,
    index: u64,
    size: u64,
) -> Result<Option<Vec<Digest>>, S::Error> {
    if size <= index {
        return Ok(None);
    }
    let (mut low, mut high) = (0, size);
    let mut path = Vec::new();
    while 1 < high - low {
        let middle = low + split(high - low);
        if index < middle {
            path.push(range(subtrees, middle, high)?);
            high = middle;
        } else {
            path.push(range(subtrees, low, middle)?);
            low = middle;
        }
    }
    path.reverse();
    Ok(Some(path))
}

/// The proof that the first `old` of `new` entries are a prefix; `None` if there are not so many.
///
/// Empty for equal sizes and for an empty old tree.
pub fn consistency<S: Subtrees>(
    subtrees: &S,
    old: u64,
    new: u64,
) -> Result<Option<Vec<Digest>>, S::Error> {
    if new < old {
        return Ok(None);
    }
    if old == 0 || old == new {
        return Ok(Some(Vec::new()));
    }
    let (mut low, mut high) = (0, new);
    let mut path = Vec::new();
    while high != old {
        let middle = low + split(high - low);
        if old <= middle {
            path.push(range(subtrees, middle, high)?);
            high = middle;
        } else {
            path.push(range(subtrees, low, middle)?);
            low = middle;
        }
    }
    if low != 0 {
        path.push(range(subtrees, low, high)?);
    }
    path.reverse();
    Ok(Some(path))
}

/// Whether `proof` shows that the leaf stands at `index` of the tree with this size and root.
pub fn verify_inclusion(
    proof: &[Digest],
    index: u64,
    leaf: Digest,
    size: u64,
    root: &Digest,
) -> Result<(), BadProof> {
    if size <= index {
        return Err(BadProof);
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return Err(BadProof);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(BadProof) }
}

/// Whether `proof` shows that the old tree is a prefix of the new one.
pub fn verify_consistency(
    proof: &[Digest],
    old: u64,
    old_root: &Digest,
    new: u64,
    new_root: &Digest,
) -> Result<(), BadProof> {
    if new < old {
        return Err(BadProof);
    }
    if old == 0 || old == new {
        let same = if old == 0 { *old_root == empty_root() } else { old_root == new_root };
        let empty_new = new != 0 || *new_root == empty_root();
        return if proof.is_empty() && same && empty_new { Ok(()) } else { Err(BadProof) };
    }
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let mut hashes = proof.iter();
    let start = if node == 0 { *old_root } else { *hashes.next().ok_or(BadProof)? };
    let (mut first, mut second) = (start, start);
    for hash in hashes {
        if last == 0 {
            return Err(BadProof);
        }
        if node & 1 == 1 || node == last {
            first = node_hash(hash, &first);
            second = node_hash(hash, &second);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            second = node_hash(&second, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 && first == *old_root && second == *new_root { Ok(()) } else { Err(BadProof) }
}

/// A proof that proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("proof does not verify")]
pub struct BadProof;

/// The largest power of two below `size`, which is at least two.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The hash over a range whose start is aligned to its size, as those of proofs are.
fn range<S: Subtrees>(subtrees: &S, low: u64, high: u64) -> Result<Digest, S::Error> {
    let mut pieces = Vec::new();
    let mut start = low;
    while start < high {
        let level = (high - start).ilog2();
        pieces.push(subtrees.subtree(level, start >> level)?);
        start += 1 << level;
    }
    let mut pieces = pieces.into_iter().rev();
    let last = pieces.next().unwrap_or_else(empty_root);
    Ok(pieces.fold(last, |rest, piece| node_hash(&piece, &rest)))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    struct Leaves(Vec<Digest>);

    impl Subtrees for Leaves {
        type Error = Infallible;

        fn subtree(&self, level: u32, index: u64) -> Result<Digest, Infallible> {
            let start = usize::try_from(index << level).unwrap();
            Ok(complete(self.0[start..start + (1 << level)].to_vec()))
        }
    }

    /// RFC 6962 word by word, to judge the rest by.
    fn plain_root(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let middle = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(middle);
                node_hash(&plain_root(left), &plain_root(right))
            }
        }
    }

    fn leaves(count: u64) -> Leaves {
        Leaves((0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect())
    }

    #[test]
    fn roots_are_those_of_rfc_6962() {
        for size in 0..70 {
            let leaves = leaves(size);
            assert_eq!(root_of(&leaves.0), plain_root(&leaves.0), "size {size}");
            let Ok(root) = root(&leaves, size);
            assert_eq!(root, plain_root(&leaves.0), "size {size}");
        }
    }

    #[test]
    fn inclusion_proofs_hold_for_their_entry_only() {
        for size in 1..40 {
            let leaves = leaves(size);
            let root = plain_root(&leaves.0);
            for index in 0..size {
                let Ok(Some(proof)) = inclusion(&leaves, index, size) else { panic!("no proof") };
                let leaf = leaves.0[usize::try_from(index).unwrap()];
                for claimed in 0..size + 2 {
                    let verdict = verify_inclusion(&proof, claimed, leaf, size, &root);
                    assert_eq!(verdict.is_ok(), claimed == index, "{index} as {claimed} of {size}");
                }
                let longer = [proof.as_slice(), &[leaf]].concat();
                assert!(verify_inclusion(&longer, index, leaf, size, &root).is_err());
                let shorter = &proof[..proof.len().saturating_sub(1)];
                let cut = verify_inclusion(shorter, index, leaf, size, &root);
                assert_eq!(cut.is_ok(), proof.is_empty());
            }
        }
        assert_eq!(inclusion(&leaves(3), 3, 3), Ok(None));
    }

    #[test]
    fn consistency_proofs_hold_for_their_trees_only() {
        let all = leaves(40);
        for new in 0..=40_u64 {
            let new_root = plain_root(&all.0[..usize::try_from(new).unwrap()]);
            for old in 0..=new {
                let old_root = plain_root(&all.0[..usize::try_from(old).unwrap()]);
                let Ok(Some(proof)) = consistency(&all, old, new) else { panic!("no proof") };
                let verify = |old_root: &Digest, new_root: &Digest, proof: &[Digest]| {
                    verify_consistency(proof, old, old_root, new, new_root).is_ok()
                };
                assert!(verify(&old_root, &new_root, &proof), "{old} of {new}");
                let other = leaf_hash(b"other");
                assert!(!verify(&other, &new_root, &proof), "another old root, {old} of {new}");
                if old != 0 || new == 0 {
                    assert!(!verify(&old_root, &other, &proof), "another new root, {old} of {new}");
                }
                let longer = [proof.as_slice(), &[other]].concat();
                assert!(!verify(&old_root, &new_root, &longer), "longer, {old} of {new}");
                if let Some((_, shorter)) = proof.split_last() {
                    assert!(!verify(&old_root, &new_root, shorter), "shorter, {old} of {new}");
                }
            }
        }
        assert_eq!(consistency(&all, 3, 2), Ok(None));
    }
}
