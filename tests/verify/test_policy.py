"""Trust policies (c2sp.org/tlog-policy)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_log import signer, witness
from test_formats import mutated

from kitei_verify import policy
from kitei_verify.errors import FormatError

LOG = signer("log").key
W = [witness(f"w{number}.example").key for number in range(6)]
EXAMPLE = f"""\
# A quorum of two levels, as in the specification's example.
log {LOG}

witness X1 {W[0]} https://x1.example/
witness X2\t{W[1]}
  witness X3 {W[2]}
group X-witnesses 2 X1 X2 X3
\t# indented
witness Y1 {W[3]}
witness Y2 {W[4]}
witness Y3 {W[5]}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def test_the_example_of_the_specification():
    read = policy.parse(EXAMPLE.encode())
    assert (read.logs, list(read.witnesses), read.quorum) == ([LOG], ["X1", "X2", "X3", "Y1", "Y2", "Y3"], "X-and-Y")
    for count in range(7):
        for chosen in itertools.combinations(range(6), count):
            enough = sum(number < 3 for number in chosen) >= 2 and any(number >= 3 for number in chosen)
            assert read.satisfied([W[number] for number in chosen]) == enough
    assert not read.satisfied([LOG, witness("stranger").key])


def test_nobodys_word_and_one_witness_and_names_beyond_ascii():
    assert policy.parse(b"quorum none\n").satisfied([])
    text = f"witness 病院 {W[0]}\nquorum 病院\n".encode()
    assert policy.parse(text).satisfied([W[0]])
    raw = b"witness \xff " + str(W[0]).encode() + b"\nquorum \xff\n"
    assert policy.parse(raw).satisfied([W[0]])
    with pytest.raises(FormatError):
        policy.parse(raw.replace(b"quorum \xff", b"quorum \xfe"))


def test_thirty_two_of_each_and_more_are_read():
    keys = [witness(f"w{number}").key for number in range(policy.MAX_OF_EACH + 1)]
    logs = [signer(f"l{number}").key for number in range(policy.MAX_OF_EACH + 1)]
    lines = [f"log {key}" for key in logs[:-1]] + [f"witness w{n} {key}" for n, key in enumerate(keys[:-1])]
    lines += [f"group g{n} any w{n}" for n in range(policy.MAX_OF_EACH)]
    whole = policy.parse("\n".join([*lines, f"quorum g{policy.MAX_OF_EACH - 1}", ""]).encode())
    assert whole.satisfied([keys[-2]])
    for extra in (f"log {logs[-1]}", f"witness more {keys[-1]}"):
        with pytest.raises(FormatError, match="more than 256"):
            policy.parse("\n".join([*lines, extra, "quorum none", ""]).encode())


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", None, "no quorum line"),
        (f"log {LOG}\n", None, "no quorum line"),
        ("quorum none", None, "the last line has no end"),
        ("quorum none\nquorum none\n", 2, "exactly once"),
        ("quorum\n", 1, "exactly once"),
        ("quorum a b\n", 1, "exactly once"),
        ("quorum w\n", 1, "'w' is not defined above"),
        (f"quorum w\nwitness w {W[0]}\n", 1, "not defined above"),
        ("log\nquorum none\n", 1, "log <key>"),
        (f"log {LOG} a b\nquorum none\n", 1, "log <key>"),
        (f"log {W[0]}\n", 1, "wrong type"),
        ("log x\n", 1, "not a verifier key"),
        (f"log {LOG}\nlog {LOG}\n", 2, "twice"),
        ("witness w\n", 1, "witness <name>"),
        (f"witness w {W[0]} u v\n", 1, "witness <name>"),
        (f"witness w {LOG}\n", 1, "wrong type"),
        (f"witness none {W[0]}\n", 1, "is taken"),
        (f"witness w {W[0]}\nwitness w {W[1]}\n", 2, "is taken"),
        (f"witness w {W[0]}\nwitness v {W[0]}\n", 2, "twice"),
        (f"witness w {W[0]}\ngroup w any w\n", 2, "is taken"),
        (f"witness w {W[0]}\ngroup g any\n", 2, "group <name>"),
        ("group g any none\n", 1, "not defined above"),
        ("group g any g\n", 1, "not defined above"),
        (f"witness w {W[0]}\ngroup g any w w\n", 2, "member twice"),
        (f"witness w {W[0]}\ngroup g any w\ngroup h any w\n", 3, "member twice"),
        (f"witness w {W[0]}\ngroup g 0 w\n", 2, "not between 1"),
        (f"witness w {W[0]}\ngroup g 2 w\n", 2, "not between 1"),
        (f"witness w {W[0]}\ngroup g 01 w\n", 2, "not between 1"),
        (f"witness w {W[0]}\ngroup g some w\n", 2, "not between 1"),
        (f"witness w {W[0]}\ngroup g any w\ngroup g any w\n", 3, "is taken"),
        ("trust me\n", 1, "'trust' is not known"),
        ("quorum none\r\n", 1, "control characters"),
        ("\n\n# \x07\nquorum none\n", 3, "control characters"),
        ("#" * policy.MAX_BYTES + "\n", None, "longer than"),
    ],
)
def test_what_is_no_policy_is_refused_with_its_line(text, line, what):
    with pytest.raises(FormatError, match=what) as caught:
        policy.parse(text.encode(), where="trust.policy")
    assert caught.value.where == ("trust.policy" if line is None else f"trust.policy:{line}")


@given(st.binary(max_size=100) | mutated([EXAMPLE.encode(), b"quorum none\n"]))
def test_whatever_comes_is_read_or_refused(data):
    try:
        read = policy.parse(data)
    except FormatError:
        return
    assert read.satisfied(W) in {True, False}
    assert read.satisfied([]) <= read.satisfied(W)
