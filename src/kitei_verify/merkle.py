"""The Merkle tree of RFC 6962 §2.1 (the same as RFC 9162 §2.1): hashes, compact range, inclusion and consistency.

Pure functions over 32-byte SHA-256 hashes. A subtree is named (level, index): the complete subtree of 2^level leaves
that begins at leaf index × 2^level.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
MAX_PROOF = 63
"""Longest proof of a tree below 2^63 leaves (tlog-witness: at most 63 lines)."""

Subtree = Callable[[int, int], bytes]
"""Gives the hash of the complete subtree (level, index)."""


class ProofError(ValueError):
    """A proof has the wrong length or does not lead to the root."""


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ entry), RFC 6962 §2.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ left ‖ right), RFC 6962 §2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def parents(hashes: Sequence[bytes]) -> list[bytes]:
    """Return the parents of an even number of neighbouring hashes."""
    sha = hashlib.sha256
    pairs = iter(hashes)
    return [sha(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]


def subtree_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of a complete subtree: 2^n leaf hashes."""
    row = leaves
    while len(row) > 1:
        row = parents(row)
    return row[0]


class CompactRange:
    """The roots of the complete subtrees a tree of ``size`` leaves consists of, largest first: at most 63 hashes.

    Enough to append leaves and to compute the root, without any other hash.
    """

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if size < 0 or len(self.hashes) != size.bit_count() or any(len(h) != HASH_BYTES for h in self.hashes):
            raise ProofError(f"a tree of {size} leaves has {max(size, 0).bit_count()} complete subtrees")

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        size = self.size
        while size & 1:
            leaf = node_hash(self.hashes.pop(), leaf)
            size >>= 1
        self.hashes.append(leaf)
        self.size += 1

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add leaf hashes in order; faster than appending one by one."""
        place, count = 0, len(leaves)
        while place < count:
            # The largest complete subtree that may begin here, as far as leaves are there for it.
            room = (self.size & -self.size).bit_length() - 1 if self.size else count.bit_length()
            level = min(room, (count - place).bit_length() - 1)
            self.add_subtree(level, subtree_root(leaves[place : place + (1 << level)]))
            place += 1 << level

    def add_subtree(self, level: int, subtree: bytes) -> None:
        """Add the root of a complete subtree of 2^level leaves; ProofError when the range does not end at its border."""
        if self.size & ((1 << level) - 1):
            raise ProofError(f"a subtree of 2^{level} leaves cannot begin at {self.size}")
        size = self.size >> level
        while size & 1:
            subtree = node_hash(self.hashes.pop(), subtree)
            size >>= 1
        self.hashes.append(subtree)
        self.size += 1 << level

    def root(self) -> bytes:
        """Return the Merkle tree hash of all leaves so far."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root


def subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """Return the complete subtrees (level, index) that cover the leaves [start, end), left to right.

    ``start`` has to be a border at which a right-hand part of a tree can begin (the proofs below only ask for such).
    """
    found = []
    while start < end:
        room = (start & -start).bit_length() - 1 if start else (end - start).bit_length()
        level = min(room, (end - start).bit_length() - 1)
        found.append((level, start >> level))
        start += 1 << level
    return found


def _hash_of(start: int, end: int, subtree: Subtree) -> bytes:
    hashes = [subtree(level, index) for level, index in subtrees(start, end)]
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def _split(count: int) -> int:
    """Return the largest power of two smaller than ``count`` (RFC 6962 §2.1: k)."""
    return 1 << ((count - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return the audit path of leaf ``index`` in the tree of ``size`` leaves (RFC 6962 §2.1.1), sibling first."""
    if not 0 <= index < size:
        raise ProofError(f"leaf {index} is not in a tree of {size}")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_hash_of(middle, end, subtree))
            end = middle
        else:
            path.append(_hash_of(start, middle, subtree))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """Return the proof that the tree of ``new`` leaves extends that of ``old`` (RFC 6962 §2.1.2)."""
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {new} leaves does not extend one of {old}")
    if old in (0, new):
        return []
    path, start, end, whole = [], 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_hash_of(middle, end, subtree))
            end = middle
        else:
            path.append(_hash_of(start, middle, subtree))
            start, whole = middle, False
    if not whole:
        path.append(_hash_of(start, end, subtree))
    return path[::-1]


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """Return the root to which ``proof`` leads (RFC 9162 §2.1.3.2); ProofError when its length cannot be right."""
    if not 0 <= index < size:
        raise ProofError(f"leaf {index} is not in a tree of {size}")
    root = leaf
    for sibling, left in _steps(index, size - 1, proof):
        root = node_hash(sibling, root) if left else node_hash(root, sibling)
    return root


def _steps(place: int, last: int, proof: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Walk from a node up to the root: each sibling, and whether it stands to the left (RFC 9162 §2.1.3.2)."""
    for sibling in proof:
        if last == 0:
            raise ProofError("the proof is too long")
        left = bool(place & 1) or place == last
        yield sibling, left
        while left and not place & 1 and place:
            place >>= 1
            last >>= 1
        place >>= 1
        last >>= 1
    if last:
        raise ProofError("the proof is too short")


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raise ProofError unless ``leaf`` is at ``index`` in the tree of ``size`` leaves with ``root``."""
    if root_from_inclusion(index, size, leaf, proof) != root:
        raise ProofError("the proof does not lead to the root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise ProofError unless the tree (``new``, ``new_root``) extends (``old``, ``old_root``); RFC 9162 §2.1.4.2."""
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {new} leaves does not extend one of {old}")
    if old in (0, new):
        if proof:
            raise ProofError("the proof is too long")
        if old_root != (new_root if old else EMPTY_ROOT):
            raise ProofError("two different roots for one size")
        return
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise ProofError("the proof is too short")
    place, last = old - 1, new - 1
    last >>= (~place & (place + 1)).bit_length() - 1  # up to the largest complete subtree the old tree ends with
    place >>= (~place & (place + 1)).bit_length() - 1
    first = second = path[0]
    for sibling, left in _steps(place, last, path[1:]):
        if left:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
        else:
            second = node_hash(second, sibling)
    if first != old_root or second != new_root:
        raise ProofError("the proof does not lead to both roots")
