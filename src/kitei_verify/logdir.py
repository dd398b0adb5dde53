"""Verifying a log's folder: ``verify`` rebuilds everything from the entries and compares every file with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kitei_verify import accounting, bundles, checkpoint, files, handover, note, opening, rebuild, stamps
from kitei_verify.errors import VerifyError
from kitei_verify.heads import Since, cosigners
from kitei_verify.policy import Policy
from kitei_verify.result import HANDOVER, OUTSIDE, Cosigned, Result, Stamp

CHECKPOINT = "checkpoint"
KEY = "log.vkey"
MAX_KEY = 1000
_ATTEMPTS = 3


@dataclass(frozen=True)
class _Wanted:
    keys: tuple[note.VerifierKey, ...]
    policy: Policy
    since: tuple[Since, ...]
    tsa_roots: tuple[Any, ...]
    content: bool
    jobs: int | None


def verify(
    folder: Path,
    *,
    keys: Sequence[note.VerifierKey] = (),
    policy: Policy | None = None,
    since: Sequence[Since] = (),
    tsa_roots: Sequence[Any] = (),
    hashes_only: bool = False,
    jobs: int | None = None,
) -> Result:
    """Verify the log in ``folder`` and return what holds; never raises VerifyError (``result.require()`` does).

    ``keys`` and ``policy`` come from outside the folder; without them the result proves nothing to a third party and
    says so. ``since`` are heads kept outside that this log has to extend. ``tsa_roots`` are certificates of time stamp
    authorities. ``hashes_only`` leaves out what entries say (for logs that are not Kitei's). ``jobs`` is the number of
    processes (None: the cores). A log that grows meanwhile is verified anew, so nothing is a fault only because Kitei
    was writing. Ends in time bounded by what the folder really holds.
    """
    policy = policy or Policy()
    wanted = _Wanted((*keys, *policy.logs), policy, tuple(since), tuple(tsa_roots), content=not hashes_only, jobs=jobs)
    for _ in range(_ATTEMPTS):
        run = _Run(folder, wanted)
        run.all()
        if run.result.ok or not run.changed():
            break
    return run.result


class _Run:
    """One verification; each step adds facts or faults to ``result``."""

    def __init__(self, folder: Path, wanted: _Wanted) -> None:
        self.root = folder
        self.wanted = wanted
        self.result = Result(str(folder), contents_checked=wanted.content)
        self.faults = self.result.faults
        self.head = checkpoint.Checkpoint("", 0, b"")
        self.signed: note.Note
        self.first: opening.Opening | None = None

    def changed(self) -> bool:
        """Whether the checkpoint is no longer the one that was verified."""
        try:
            return files.read(self.root, CHECKPOINT, note.MAX_NOTE) != self.result.checkpoint
        except VerifyError:
            return False

    def all(self) -> None:
        try:
            self._head()
            self._files()
            handovers = handover.read(self.root, origin=self.head.origin)
            self._opening()
            stamped = stamps.read(self.root, origin=self.head.origin, faults=self.faults)
            tree = self._tree(handovers, stamped)
            chain = self._keys(handovers, tree)
            self._since(tree, chain)
            self._stamps(tree, chain, stamped)
            self._witnesses()
        except VerifyError as fault:
            self.faults.append(fault)
        del self.faults[bundles.MAX_FAULTS :]

    def _head(self) -> None:
        if not self.root.is_dir():
            raise VerifyError("missing", str(self.root), "not a folder", "フォルダーではありません")
        result = self.result
        result.checkpoint = files.need(self.root, CHECKPOINT, note.MAX_NOTE)
        self.head, self.signed = checkpoint.parse(result.checkpoint, where=CHECKPOINT)
        result.origin, result.size, result.root = self.head.origin, self.head.size, self.head.root
        if self.head.extensions and self.wanted.content:
            raise VerifyError("format", CHECKPOINT, "more lines than Kitei writes", "Kiteiが書かない行が入っています")

    def _files(self) -> None:
        """Account for every file; what is written ahead of the checkpoint is told apart."""
        missing = rebuild.first_missing(self.root, self.head.size)
        if missing:
            raise files.missing(missing)
        upto = rebuild.extent(self.root, self.head.size)
        self.result.ahead = upto - self.head.size
        ignored = accounting.account(self.root, upto=upto, faults=self.faults)
        if any(fault.code == "kind" for fault in self.faults) or len(self.faults) >= bundles.MAX_FAULTS:
            raise self.faults.pop()
        if ignored:
            self.result.notice(
                "ignored",
                f"{ignored} unfinished files (names beginning with a dot) were not looked at",
                f"書きかけのファイル（点で始まる名前）{ignored}個は見ていません",
            )
        if self.result.ahead:
            self.result.notice(
                "ahead",
                f"{self.result.ahead} entries follow the checkpoint; nobody has signed them yet",
                f"チェックポイントより後の記録が{self.result.ahead}件あります。まだ署名されていません",
            )

    def _opening(self) -> None:
        upto = self.head.size + self.result.ahead
        if not self.wanted.content or upto == 0:
            return
        self.first = first = opening.read(self.root, upto=upto)
        self.result.generation, self.result.continues = first.generation, first.continues
        if first.origin != self.head.origin:
            raise VerifyError(
                "origin",
                CHECKPOINT,
                f"the log was opened as {first.origin}",
                f"このログは {first.origin} として始められました",
            )

    def _tree(self, handovers: Sequence[handover.Handover], stamped: Sequence[stamps.Stamped]) -> rebuild.Rebuilt:
        size = self.head.size
        sizes = {size, *(one.head.size for one in handovers), *(one.head.size for one in self.wanted.since)}
        tree = rebuild.rebuild(
            self.root,
            size=size,
            upto=size + self.result.ahead,
            wanted=sizes | {one.size for one in stamped},
            content=self.wanted.content,
            org=self.first.org if self.first else None,
            origin=self.first.origin if self.first else None,
            jobs=self.wanted.jobs,
        )
        self.faults += tree.faults
        if not tree.whole:
            raise self.faults.pop()
        self._same(tree, size, self.head.root, CHECKPOINT)
        for one in handovers:
            self._same(tree, one.head.size, one.head.root, one.where, ahead=one is handovers[-1])
        return tree

    def _same(self, tree: rebuild.Rebuilt, size: int, root: bytes, where: str, *, ahead: bool = False) -> bool:
        """Whether the first ``size`` entries have this root, if ``ahead`` with what follows; a fault otherwise."""
        if size > self.head.size + self.result.ahead * ahead:
            fault = VerifyError(
                "beyond",
                where,
                f"a head of {size} entries; this log has {self.head.size}: entries are gone",
                f"{size}件のチェックポイントですが、このログには{self.head.size}件しかありません。記録が失われています",
            )
        elif tree.roots[size] != root:
            fault = VerifyError(
                "root",
                where,
                f"the root of the first {size} entries is {tree.roots[size].hex()}, not {root.hex()}",
                f"先頭{size}件のハッシュが {root.hex()} ではなく {tree.roots[size].hex()} です",
            )
        else:
            return True
        self.faults.append(fault)
        return False

    def _keys(self, handovers: Sequence[handover.Handover], tree: rebuild.Rebuilt) -> list[note.VerifierKey]:
        """Return the log's keys, the present one last; verifies the checkpoint's signature."""
        result, origin = self.result, self.head.origin
        given = [key for key in self.wanted.keys if key.kind == note.ED25519]
        chain = handover.chain(handovers, tree.rotations, first=self.first.key if self.first else None)
        result.handovers = len(handovers)
        stored = self._stored_key()
        if stored is None:  # another's log has no such file; then somebody outside has to name the key
            chain = [key for key in given if key.name == origin and self._signs(key)][:1]
        elif not chain:
            chain = [stored]
        if not chain:
            raise files.missing(KEY)
        published = {None, chain[-1]}
        if handovers and handovers[-1].head.size > self.head.size:
            # The change was signed and not yet published: the old key holds, and the new one may stand in the folder.
            result.notice(
                "handover",
                "a change of the key is about to be published",
                "鍵の交代が、公開される途中です",
            )
            chain = chain[:-1]
            published.add(chain[-1])
        result.key, result.keys = chain[-1], chain
        if stored not in published or chain[-1].name != origin:
            raise VerifyError(
                "key", KEY, "not the key this log's own entries lead to", "記録の中の鍵の交代をたどった鍵と違います"
            )
        if not self._signs(chain[-1]):
            raise VerifyError(
                "signature", CHECKPOINT, "not signed by this log's key", "このログの鍵で署名されていません"
            )
        self._trust(chain, given)
        return chain

    def _stored_key(self) -> note.VerifierKey | None:
        data = files.read(self.root, KEY, MAX_KEY) if not self.wanted.content else files.need(self.root, KEY, MAX_KEY)
        if data is None:
            return None
        key = note.parse_key(data.removesuffix(b"\n").decode("utf-8", "replace"), where=KEY)
        if f"{key}\n".encode() != data:
            raise VerifyError("format", KEY, "not one line", "1行ではありません")
        return key

    def _signs(self, key: note.VerifierKey) -> bool:
        return note.verify(self.signed, key, where=CHECKPOINT) is not None

    def _trust(self, chain: Sequence[note.VerifierKey], given: Sequence[note.VerifierKey]) -> None:
        result = self.result
        if chain[-1] in given:
            result.key_source = OUTSIDE
        elif any(key in given for key in chain):
            result.key_source = HANDOVER
        elif given:
            self.faults.append(
                VerifyError(
                    "key",
                    KEY,
                    f"the key given is not this log's ({chain[-1]})",
                    f"外から渡された鍵は、このログの鍵（{chain[-1]}）ではありません",
                )
            )
        else:
            result.notice(
                "folder-key",
                "the key came from the folder itself: this proves nothing to a third party",
                "検証鍵はこのフォルダーの中のものです。第三者に対する証明にはなりません",
            )

    def _since(self, tree: rebuild.Rebuilt, chain: Sequence[note.VerifierKey]) -> None:
        for since in self.wanted.since:
            if since.head.origin not in {"", self.head.origin}:
                self.faults.append(self._other_log(since))
            elif since.signed is not None and not self._signed_by_any(since.signed, chain, since.where):
                continue
            elif self._same(tree, since.head.size, since.head.root, since.where):
                self.result.since.append(since.head)

    def _other_log(self, since: Since) -> VerifyError:
        head, continues = since.head, self.result.continues
        if continues is not None and continues.origin == head.origin:
            return VerifyError(
                "origin",
                since.where,
                f"a head of the ended log {head.origin}; this one continues its first {continues.size} entries",
                f"終わったログ {head.origin} のチェックポイントです。このログは、その先頭{continues.size}件を引き継いでいます",
            )
        return VerifyError("origin", since.where, f"a head of {head.origin}", f"{head.origin} のチェックポイントです")

    def _signed_by_any(self, signed: note.Note, chain: Sequence[note.VerifierKey], where: str) -> bool:
        """Whether one of the log's keys signed; a fault otherwise."""
        try:
            if any([note.verify(signed, key, where=where) is not None for key in chain]):  # noqa: C419  try every key
                return True
            fault = VerifyError("signature", where, "not signed by this log", "このログの鍵で署名されていません")
        except VerifyError as wrong:
            fault = wrong
        self.faults.append(fault)
        return False

    def _stamps(
        self, tree: rebuild.Rebuilt, chain: Sequence[note.VerifierKey], stamped: Sequence[stamps.Stamped]
    ) -> None:
        roots = self.wanted.tsa_roots
        for one in stamped:
            if len(self.faults) >= bundles.MAX_FAULTS:
                return
            where = one.where.removesuffix(".note") + ".tsr"
            try:
                head, signed, data = stamps.load(self.root, one.where, origin=self.head.origin)
                holds = self._same(tree, head.size, head.root, one.where)
                if not holds or not self._signed_by_any(signed, chain, one.where):
                    continue
                response = files.need(self.root, where, stamps.MAX_RESPONSE)
                when, authority = stamps.check(data, response, where=where, roots=roots)
            except VerifyError as fault:
                self.faults.append(fault)
            except ImportError:
                self.result.notice(
                    "no-rfc3161",
                    "time stamps were not checked: the package rfc3161-client is not installed",
                    "タイムスタンプは確かめていません。rfc3161-client が入っていません",
                )
                return
            else:
                self.result.stamps.append(Stamp(one.size, when, authority, checked=bool(roots)))
        if self.result.stamps and not roots:
            self.result.notice(
                "no-authority",
                "who made the time stamps was not checked: give the authority's certificate (--tsa-root)",
                "タイムスタンプを付けた者は確かめていません。時刻認証局の証明書を渡してください（--tsa-root）",
            )

    def _witnesses(self) -> None:
        policy, result = self.wanted.policy, self.result
        seen, unknown = cosigners(self.signed, policy, where=CHECKPOINT)
        result.cosigned = [Cosigned(key.name, at) for key, at in seen.items()]
        unknown -= {(key.name, key.key_id) for key in (*self.wanted.keys, *result.keys)}
        if unknown:
            names = ", ".join(sorted(name for name, _ in unknown))
            result.notice(
                "unknown-signatures",
                f"signatures of keys not known here were passed over: {names}",
                f"ここで知らない鍵の署名は見ていません: {names}",
            )
        if policy.quorum is not None:
            result.quorum = policy.satisfied(seen)
            if not result.quorum:
                self.faults.append(
                    VerifyError("quorum", CHECKPOINT, "too few witnesses signed", "立会者の署名が足りません")
                )
