"""One changed bit anywhere is found, and finding it takes no longer than verifying a sound log."""

from __future__ import annotations

import random
import time

import pytest
from cryptography import x509
from small_log import SmallLog, event, signer, stamp_files, witness

from kitei_verify import logdir, policy
from trust.small_authority import SmallAuthority

SMALL = 2_000
MOST = 400
CHANCE = random.Random(6962)  # noqa: S311  places to change
FLOOR = 0.5
"""Seconds of work below which a run is never called slow."""


def log_of(count):
    """A log with everything a folder can hold: a change of the key, a cosignature, a time stamp."""
    log = SmallLog.of(count - 4)
    log.rotate(signer("second"))
    while len(log.entries) < count:
        log.entries.append(event(len(log.entries), commitments={"reason": "ab" * 32}))
    authority = SmallAuthority()
    cosigner = witness("w.hospital.example")
    files = log.files(cosigned=[(cosigner, 1_795_000_000)])
    stamps = stamp_files(SmallLog(entries=log.entries, key=signer("first")), authority, count - 4)
    text = f"log {signer('first').key}\nlog {log.key.key}\nwitness w {cosigner.key}\nquorum w\n"
    return files | stamps, policy.parse(text.encode()), x509.load_pem_x509_certificates(authority.root)


def flips(folder, files, trust=None, roots=(), *, all_below=10**6, most=MOST, **kwargs):
    """Flip bits, one at a time; return the places of those not found, and of runs that took too long."""

    def run():
        began = time.process_time()
        ok = logdir.verify(folder, policy=trust, tsa_roots=roots, jobs=1, **kwargs).ok
        return ok, time.process_time() - began

    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    clean = [run() for _ in range(3)]
    assert all(ok for ok, _ in clean)
    limit = max(2 * max(seconds for _, seconds in clean), FLOOR)
    unfound, slow, count = [], [], 0
    for path, data in files.items():
        bits = range(len(data) * 8)
        if len(data) > all_below:
            bits = CHANCE.sample(bits, min(most, len(bits)))
        for bit in bits:
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            (folder / path).write_bytes(changed)
            found, seconds = run()
            if seconds > limit:
                found, seconds = run()  # once more: memory was tidied up meanwhile
            count += 1
            if found:
                unfound.append((path, bit))
            if seconds > limit:
                slow.append((path, bit, seconds))
        (folder / path).write_bytes(data)
    return unfound, slow, count


def test_every_bit_of_a_log_of_nine_events_counts(tmp_path):
    files = SmallLog.of(9).files()
    # By the hashes alone: what entries say is not asked.
    unfound, slow, count = flips(tmp_path, files, hashes_only=True)
    assert count == 8 * sum(map(len, files.values()))
    assert unfound == []
    assert slow == []


def test_bits_of_handovers_cosignatures_and_time_stamps_count(tmp_path):
    files, trust, roots = log_of(9)
    unfound, slow, count = flips(tmp_path, files, trust, roots, all_below=50, most=150)
    assert count == 150 * len(files)
    assert unfound == []
    assert slow == []


@pytest.mark.long
@pytest.mark.parametrize(("events", "all_below"), [(9, 10**6), (700, SMALL)])
def test_every_bit_of_small_files_and_many_of_large_ones_count(tmp_path, events, all_below):
    files, trust, roots = log_of(events)
    unfound, slow, count = flips(tmp_path, files, trust, roots, all_below=all_below)
    assert count > 10_000
    assert unfound == []
    assert slow == []
