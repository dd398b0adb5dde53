"""Trust policies (c2sp.org/tlog-policy): which logs and witnesses are known, and how many witnesses are enough."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from kitei_verify import note
from kitei_verify.errors import FormatError

MAX_BYTES = 100_000
MAX_OF_EACH = 256
"""Most logs, witnesses and groups (the specification asks for 32 of each at least)."""
NONE = "none"
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BLANKS = re.compile(r"[ \t]+")
_NUMBER = re.compile(r"[1-9]\d{0,3}", re.ASCII)


@dataclass(frozen=True)
class Group:
    """At least ``threshold`` of ``members`` (names of witnesses or groups) have to have seen a head."""

    threshold: int
    members: tuple[str, ...]


@dataclass
class Policy:
    """Keys of the accepted logs, named witnesses and groups, and the name whose word is needed (None: nobody's)."""

    logs: list[note.VerifierKey] = field(default_factory=list)
    witnesses: dict[str, note.VerifierKey] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str | None = None

    def satisfied(self, cosigners: Collection[note.VerifierKey]) -> bool:
        """Whether heads that ``cosigners`` signed are witnessed well enough."""
        if self.quorum is None:
            return True
        seen = {name for name, key in self.witnesses.items() if key in cosigners}
        for name, group in self.groups.items():  # a group names only what stands before it
            if sum(member in seen for member in group.members) >= group.threshold:
                seen.add(name)
        return self.quorum in seen


class _Reader:
    def __init__(self, where: str) -> None:
        self.where, self.line = where, 0
        self.policy = Policy()
        self.members: set[str] = set()
        self.decided = False

    def wrong(self, what: str, ja: str) -> FormatError:
        place = f"{self.where}:{self.line}" if self.line else self.where
        return FormatError(place, what, ja)

    def key(self, text: str, kind: int) -> note.VerifierKey:
        found = note.parse_key(text, where=f"{self.where}:{self.line}")
        if found.kind != kind:
            raise self.wrong("a key of the wrong type", "鍵の種類が違います")
        return found

    def new_name(self, name: str) -> str:
        if name == NONE or name in self.policy.witnesses or name in self.policy.groups:
            raise self.wrong(f"the name {name!r} is taken", f"名前「{name}」はすでに使われています")
        return name

    def known(self, name: str) -> str:
        if name not in self.policy.witnesses and name not in self.policy.groups:
            raise self.wrong(f"{name!r} is not defined above", f"「{name}」は上で決められていません")
        return name

    def log(self, words: list[str]) -> None:
        if len(words) not in {1, 2}:
            raise self.wrong("log <key> [<url>]", "log <鍵> [<URL>] の形ではありません")
        key = self.key(words[0], note.ED25519)
        if any(key.public == other.public for other in self.policy.logs):
            raise self.wrong("this log stands here twice", "同じログが2つあります")
        self.policy.logs.append(key)

    def witness(self, words: list[str]) -> None:
        if len(words) not in {2, 3}:
            raise self.wrong("witness <name> <key> [<url>]", "witness <名前> <鍵> [<URL>] の形ではありません")
        name, key = self.new_name(words[0]), self.key(words[1], note.COSIGNATURE)
        if any(key.public == other.public for other in self.policy.witnesses.values()):
            raise self.wrong("this witness stands here twice", "同じ立会者が2つあります")
        self.policy.witnesses[name] = key

    def group(self, words: list[str]) -> None:
        if len(words) < 3:  # noqa: PLR2004  name, number, one member
            raise self.wrong(
                "group <name> all|any|<k> <name>...", "group <名前> all|any|<数> <名前>… の形ではありません"
            )
        name, members = self.new_name(words[0]), tuple(self.known(word) for word in words[2:])
        for member in members:
            if member in self.members:
                raise self.wrong(f"{member!r} is a member twice", f"「{member}」が2度入っています")
            self.members.add(member)
        threshold = {"all": len(members), "any": 1}.get(words[1])
        if threshold is None:
            threshold = int(words[1]) if _NUMBER.fullmatch(words[1]) else 0
        if not 1 <= threshold <= len(members):
            raise self.wrong("the number is not between 1 and the members", "数が、1から人数までの間にありません")
        self.policy.groups[name] = Group(threshold, members)

    def quorum(self, words: list[str]) -> None:
        if len(words) != 1 or self.decided:
            raise self.wrong("quorum <name>, exactly once", "quorum <名前> は1行だけ書きます")
        self.decided = True
        self.policy.quorum = None if words[0] == NONE else self.known(words[0])


def parse(data: bytes, *, where: str = "policy") -> Policy:
    """Read a policy file; FormatError that names the line. Bytes above ASCII are kept as they are, as the format asks."""
    reader = _Reader(where)
    if len(data) > MAX_BYTES:
        raise reader.wrong(f"longer than {MAX_BYTES} bytes", f"{MAX_BYTES}バイトを超えています")
    # Names are opaque bytes; in keys (UTF-8) and names alike the same bytes give the same text.
    text = data.decode("utf-8", "surrogateescape")
    if text and not text.endswith("\n"):
        raise reader.wrong("the last line has no end", "最後の行が終わっていません")
    kinds = {"log": reader.log, "witness": reader.witness, "group": reader.group, "quorum": reader.quorum}
    for reader.line, line in enumerate(text.split("\n")[:-1], start=1):
        if _CONTROLS.search(line):
            raise reader.wrong("control characters", "制御文字が入っています")
        words = _BLANKS.split(line.strip(" \t"))
        if not words[0] or words[0].startswith("#"):
            continue
        read = kinds.get(words[0])
        if read is None:
            raise reader.wrong(f"{words[0]!r} is not known", f"「{words[0]}」は決められていません")
        read(words[1:])
        policy = reader.policy
        if max(len(policy.logs), len(policy.witnesses), len(policy.groups)) > MAX_OF_EACH:
            raise reader.wrong(f"more than {MAX_OF_EACH} of a kind", f"1種類につき{MAX_OF_EACH}を超えています")
    reader.line = 0
    if not reader.decided:
        raise reader.wrong("no quorum line", "quorum の行がありません")
    return reader.policy
