"""The tree: RFC 6962's published values, every proof of every small tree against a naive oracle, and a model."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kitei_verify import merkle
from kitei_verify.merkle import CompactRange, ProofError

# The eight leaves, roots and proofs of Certificate Transparency's reference tests.
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
COUNT = 300
HASHES = [hashlib.sha256(b"\0" + str(number).encode()).digest() for number in range(COUNT)]


# --- the oracle: RFC 6962 §2.1 word for word, over positions in HASHES


def split(count):
    power = 1
    while power * 2 < count:
        power *= 2
    return power


@lru_cache(None)
def mth(start, end):
    if end - start == 0:
        return hashlib.sha256(b"").digest()
    if end - start == 1:
        return HASHES[start]
    middle = start + split(end - start)
    return hashlib.sha256(b"\1" + mth(start, middle) + mth(middle, end)).digest()


def path(index, start, end):
    if end - start == 1:
        return []
    middle = start + split(end - start)
    if index < middle:
        return [*path(index, start, middle), mth(middle, end)]
    return [*path(index, middle, end), mth(start, middle)]


def subproof(old, start, end, whole):
    if old == end - start:
        return [] if whole else [mth(start, end)]
    middle = split(end - start)
    if old <= middle:
        return [*subproof(old, start, start + middle, whole), mth(start + middle, end)]
    return [*subproof(old - middle, start + middle, end, False), mth(start, start + middle)]


def subtree(level, index):
    return mth(index << level, (index + 1) << level)


def wrong(call, *arguments):
    with pytest.raises(ProofError):
        call(*arguments)


# --- published values


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots(size):
    tree = CompactRange()
    for leaf in LEAVES[:size]:
        tree.append(merkle.leaf_hash(leaf))
    assert tree.root().hex() == ROOTS[size]
    together = CompactRange()
    together.extend([merkle.leaf_hash(leaf) for leaf in LEAVES[:size]])
    assert together.root() == tree.root()


def published(level, index):
    return merkle.subtree_root([merkle.leaf_hash(leaf) for leaf in LEAVES[index << level : (index + 1) << level]])


@pytest.mark.parametrize("case", INCLUSION)
def test_the_published_inclusion_proofs(case):
    index, size = case
    proof = [bytes.fromhex(text) for text in INCLUSION[case]]
    assert merkle.inclusion_proof(index, size, published) == proof
    merkle.verify_inclusion(index, size, merkle.leaf_hash(LEAVES[index]), proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize("case", CONSISTENCY)
def test_the_published_consistency_proofs(case):
    old, new = case
    proof = [bytes.fromhex(text) for text in CONSISTENCY[case]]
    assert merkle.consistency_proof(old, new, published) == proof
    merkle.verify_consistency(old, new, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new]), proof)


# --- every small tree


def test_every_inclusion_proof_of_every_tree_up_to_three_hundred_leaves():
    other = b"\xaa" * 32
    for size in range(1, COUNT + 1):
        root = mth(0, size)
        for index in range(size):
            proof = path(index, 0, size)
            assert merkle.inclusion_proof(index, size, subtree) == proof
            merkle.verify_inclusion(index, size, HASHES[index], proof, root)
            if (index * 7 + size) % 29:
                continue
            wrong(merkle.verify_inclusion, index, size, other, proof, root)
            wrong(merkle.verify_inclusion, index, size, HASHES[index], [*proof, other], root)
            wrong(merkle.verify_inclusion, index, size, HASHES[index], proof, other)
            if proof:
                wrong(merkle.verify_inclusion, index ^ 1, size, HASHES[index], proof, root)
                wrong(merkle.verify_inclusion, index, size, HASHES[index], proof[:-1], root)
                wrong(merkle.verify_inclusion, index, size, HASHES[index], proof[1:], root)
                changed = [other, *proof[1:]]
                wrong(merkle.verify_inclusion, index, size, HASHES[index], changed, root)


def test_every_consistency_proof_up_to_one_hundred_and_thirty_leaves():
    other = b"\xaa" * 32
    for new in range(131):
        for old in range(new + 1):
            proof = subproof(old, 0, new, True) if 0 < old < new else []
            assert merkle.consistency_proof(old, new, subtree) == proof
            roots = mth(0, old), mth(0, new)
            merkle.verify_consistency(old, new, *roots, proof)
            if (old * 5 + new) % 11:
                continue
            wrong(merkle.verify_consistency, old, new, *roots, [*proof, other])
            wrong(merkle.verify_consistency, old, new, other, roots[1], proof)
            if old:
                wrong(merkle.verify_consistency, old, new, roots[0], other, proof)
            if proof:
                wrong(merkle.verify_consistency, old, new, *roots, proof[:-1])
                wrong(merkle.verify_consistency, old, new, *roots, proof[1:])
                wrong(merkle.verify_consistency, old, new, *roots, [])
                wrong(merkle.verify_consistency, old, new, *roots, [*proof[:-1], other])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0), (5, 3)])
def test_a_leaf_outside_the_tree_has_no_proof(index, size):
    for call, last in ((merkle.inclusion_proof, [subtree]), (merkle.root_from_inclusion, [HASHES[0], []])):
        with pytest.raises(ProofError, match=f"leaf {index} is not in a tree of {size}"):
            call(index, size, *last)


def test_what_is_no_consistency_proof():
    roots, proof, other = (mth(0, 6), mth(0, 13)), merkle.consistency_proof(6, 13, subtree), b"\xaa" * 32
    merkle.verify_consistency(6, 13, *roots, proof)
    for changed in ([], proof[:-1], proof[1:], [*proof, other], [other, *proof[1:]], [*proof[:-1], other]):
        wrong(merkle.verify_consistency, 6, 13, *roots, changed)
    wrong(merkle.verify_consistency, 6, 13, other, roots[1], proof)
    wrong(merkle.verify_consistency, 6, 13, roots[0], other, proof)
    wrong(merkle.verify_consistency, 4, 13, mth(0, 4), roots[1], [])
    wrong(merkle.verify_consistency, 6, 6, roots[0], roots[0], proof)
    wrong(merkle.verify_consistency, 6, 6, roots[0], other, [])
    wrong(merkle.verify_consistency, 0, 6, roots[0], roots[0], [])
    merkle.verify_consistency(0, 6, mth(0, 0), roots[0], [])
    merkle.verify_consistency(6, 6, roots[0], roots[0], [])


def test_the_size_and_the_reason_are_said():
    with pytest.raises(ProofError, match="too long"):
        merkle.verify_inclusion(0, 1, HASHES[0], [HASHES[1]], HASHES[0])
    with pytest.raises(ProofError, match="too short"):
        merkle.verify_inclusion(0, 2, HASHES[0], [], HASHES[0])
    with pytest.raises(ProofError, match="does not lead to the root"):
        merkle.verify_inclusion(0, 1, HASHES[0], [], HASHES[1])


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3)])
def test_a_smaller_tree_extends_nothing(old, new):
    wrong(merkle.consistency_proof, old, new, subtree)
    wrong(merkle.verify_consistency, old, new, HASHES[0], HASHES[0], [])


def test_a_tree_with_too_many_or_too_short_hashes_is_refused():
    with pytest.raises(ProofError, match="2 complete subtrees"):
        CompactRange(3, [HASHES[0]])
    with pytest.raises(ProofError, match="0 complete subtrees"):
        CompactRange(-1)
    wrong(CompactRange, 1, [b"short"])


def test_a_subtree_begins_only_at_its_border():
    tree = CompactRange(2, [mth(0, 2)])
    with pytest.raises(ProofError, match="2\\^2 leaves cannot begin at 2"):
        tree.add_subtree(2, HASHES[0])
    tree.add_subtree(1, mth(2, 4))
    assert (tree.size, tree.root()) == (4, mth(0, 4))


def test_subtrees_cover_a_range_from_left_to_right():
    assert merkle.subtrees(0, 7) == [(2, 0), (1, 2), (0, 6)]
    assert merkle.subtrees(4, 7) == [(1, 2), (0, 6)]
    assert merkle.subtrees(6, 14) == [(1, 3), (2, 2), (1, 6)]
    assert merkle.subtrees(5, 5) == []


def test_parents_come_in_pairs():
    assert merkle.parents(HASHES[:4]) == [mth(0, 2), mth(2, 4)]
    with pytest.raises(ValueError, match="shorter"):
        merkle.parents(HASHES[:3])


def test_a_tree_below_two_to_the_sixty_third_has_no_longer_proof():
    assert len(merkle.inclusion_proof(0, 2**63 - 1, lambda level, index: HASHES[0])) == merkle.MAX_PROOF == 63


class Growing(RuleBasedStateMachine):
    """A plain list of leaves beside the compact range: they always agree on size and root, in whatever steps they grow."""

    @initialize(count=st.integers(0, 40))
    def begin(self, count):
        self.size = count
        self.tree = CompactRange()
        self.tree.extend(HASHES[:count])
        self.heads = [(0, mth(0, 0))]

    @rule()
    def append(self):
        if self.size < COUNT:
            self.tree.append(HASHES[self.size])
            self.size += 1

    @rule(count=st.integers(0, 50))
    def extend(self, count):
        count = min(count, COUNT - self.size)
        self.tree.extend(HASHES[self.size : self.size + count])
        self.size += count

    @rule(level=st.integers(0, 4))
    def add_subtree(self, level):
        if self.size % (1 << level) == 0 and self.size + (1 << level) <= COUNT:
            self.tree.add_subtree(level, mth(self.size, self.size + (1 << level)))
            self.size += 1 << level

    @rule()
    def keep(self):
        self.heads.append((self.tree.size, self.tree.root()))

    @rule()
    def store_and_read(self):
        self.tree = CompactRange(self.tree.size, self.tree.hashes)

    @rule(data=st.data())
    def prove(self, data):
        if self.size:
            index = data.draw(st.integers(0, self.size - 1))
            proof = merkle.inclusion_proof(index, self.size, subtree)
            merkle.verify_inclusion(index, self.size, HASHES[index], proof, self.tree.root())
        old, root = data.draw(st.sampled_from(self.heads))
        proof = merkle.consistency_proof(old, self.size, subtree)
        merkle.verify_consistency(old, self.size, root, self.tree.root(), proof)

    @invariant()
    def agrees(self):
        assert (self.tree.size, self.tree.root()) == (self.size, mth(0, self.size))


TestGrowing = Growing.TestCase
TestGrowing.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
