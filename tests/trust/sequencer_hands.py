"""What several tests of the sequencer look at or spoil."""

from __future__ import annotations

from fault_store import FaultStore
from log_world import Naive, payloads

from kitei.trust.auditlog import sequencer, tree
from kitei.trust.auditlog.models import Head
from kitei_verify import merkle


def all_heads_are_consistent(world):
    log = world.log
    naive, head = Naive(payloads(log)), sequencer.newest_head(log)
    reader = tree.TileReader(FaultStore(world.disk), head.size)
    for older in Head.objects.filter(log=log):
        proof = merkle.consistency_proof(older.size, head.size, reader.subtree)
        merkle.verify_consistency(older.size, head.size, bytes(older.root), bytes(head.root), proof)
    for place, entry in enumerate(naive.entries):
        proof = merkle.inclusion_proof(place, head.size, reader.subtree)
        merkle.verify_inclusion(place, head.size, merkle.leaf_hash(entry), proof, bytes(head.root))


def spoil_tile(disk, path):
    data = disk.names[path]
    disk.names[path] = bytes([data[0] ^ 1]) + data[1:]
