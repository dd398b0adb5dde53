"""Asking the verifier about a folder, and what it answered."""

from __future__ import annotations

import pytest
from small_log import witness

from kitei_verify import heads, logdir, policy
from kitei_verify.errors import VerifyError

WITNESSES = [witness("w.hospital.example"), witness("w.parent.example")]


def verify(folder, **kwargs):
    kwargs.setdefault("jobs", 1)
    return logdir.verify(folder, **kwargs)


def codes(result):
    return [fault.code for fault in result.faults]


def fault(result, code):
    """The one fault of this code; the log is wrong."""
    assert not result.ok
    found = [one for one in result.faults if one.code == code]
    assert found, result.faults
    with pytest.raises(VerifyError):
        result.require()
    return found[0]


def notices(result):
    return {notice.code for notice in result.notices}


def policy_of(log, *, quorum):
    lines = [f"log {log.key.key}", *(f"witness w{n} {one.key}" for n, one in enumerate(WITNESSES))]
    lines += [f"group all all {' '.join(f'w{n}' for n in range(len(WITNESSES)))}", f"quorum {quorum}", ""]
    return policy.parse("\n".join(lines).encode())


def since(log, size, *signers):
    return heads.parse_since(log.signed(size, *signers), where="kept")
