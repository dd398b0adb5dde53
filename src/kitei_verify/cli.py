"""The command ``kitei-verify``: reads arguments, verifies, says what holds. Exit 0 all holds, 1 something is wrong, 2 usage."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from kitei_verify import heads, logdir, note, policy, proof, report
from kitei_verify.errors import VerifyError
from kitei_verify.result import Result
from kitei_verify.words import argparse_texts, say

WRONG = 1
USAGE = 2
_MAX_FILE = 1_000_000
_MAX_JOBS = 64


class UsageError(Exception):
    """What the person asked for cannot be done; the text is the sentence."""


@dataclass(frozen=True)
class Asked:
    """The arguments, read and understood."""

    logdir: Path | None
    keys: list[note.VerifierKey]
    policy: policy.Policy | None
    since: list[heads.Since]
    proof: tuple[str, bytes] | None
    tsa_roots: list[Any]
    hashes_only: bool
    jobs: int | None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    english = _english(given)
    for stream in (sys.stdout, sys.stderr):
        # Names in a folder need not be text; a terminal need not know every letter.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    options = _parser(english=english).parse_args(given)
    try:
        asked = _read(options, english=english)
        result, proven, fault = _verify(asked)
    except UsageError as error:
        sys.stderr.write("".join(f"{report.plain(line)}\n" for line in str(error).split("\n")))
        return USAGE
    if options.format == "json":
        text = json.dumps(report.to_json(result, proven, fault), ensure_ascii=False, indent=1)
    else:
        text = "\n".join(report.lines(result, proven, fault, english=english))
    sys.stdout.write(text + "\n")
    return WRONG if fault is not None or (result is not None and not result.ok) else 0


def _verify(asked: Asked) -> tuple[Result | None, proof.Proven | None, VerifyError | None]:
    """Verify the folder and the proof; the fault is the proof's."""
    if asked.proof is None:
        return _folder(asked, asked.since), None, None
    where, data = asked.proof
    result = None
    try:
        parsed = proof.parse(data, where=where)
        keys = asked.keys
        if asked.logdir is not None:
            # The folder has to extend the head of the proof, and its keys then sign for that head.
            result = _folder(asked, [*asked.since, heads.parse_since(parsed.checkpoint, where=where)])
            keys = result.keys
            if not result.ok:
                return result, None, None
        quorum = None if asked.logdir is not None else asked.policy
        return result, proof.verify(parsed, keys=keys, policy=quorum, where=where), None
    except VerifyError as fault:
        return result, None, fault


def _folder(asked: Asked, since: list[heads.Since]) -> Result:
    assert asked.logdir is not None  # noqa: S101  both callers have one
    return logdir.verify(
        asked.logdir,
        keys=asked.keys,
        policy=asked.policy,
        since=since,
        tsa_roots=asked.tsa_roots,
        hashes_only=asked.hashes_only,
        jobs=asked.jobs,
    )


def _english(argv: Sequence[str]) -> bool:
    """Whether to speak English: ``--lang``, else as Kitei does by the environment, else Japanese."""
    for place, word in enumerate(argv):
        if word == "--lang" and place + 1 < len(argv):
            return argv[place + 1] == "en"
        if word.startswith("--lang="):
            return word == "--lang=en"
    wanted = next(
        (os.environ[name] for name in ("KITEI_LANG", "LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), ""
    )
    return wanted.lower().startswith("en")


class _Parser(argparse.ArgumentParser):
    english = False

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(say("usage", english=self.english, message=message, prog=self.prog) + "\n")
        raise SystemExit(USAGE)


def _parser(*, english: bool) -> argparse.ArgumentParser:
    vars(argparse)["_"] = str if english else argparse_texts

    def t(code: str) -> str:
        return say(code, english=english)

    parser = _Parser(prog="kitei-verify", description=t("about"), allow_abbrev=False)
    parser.english = english
    parser.add_argument("logdir", nargs="?", metavar="LOGDIR", help=t("help-logdir"))
    parser.add_argument("--key", action="append", default=[], metavar="VKEY", help=t("help-key"))
    parser.add_argument("--policy", metavar="FILE", help=t("help-policy"))
    parser.add_argument("--since", action="append", default=[], metavar="CHECKPOINT", help=t("help-since"))
    parser.add_argument("--proof", metavar="FILE", help=t("help-proof"))
    parser.add_argument("--tsa-root", action="append", default=[], metavar="FILE", help=t("help-tsa"))
    parser.add_argument("--hashes-only", action="store_true", help=t("help-hashes"))
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help=t("help-jobs"))
    parser.add_argument("--format", choices=["text", "json"], default="text", help=t("help-format"))
    parser.add_argument("--lang", choices=["ja", "en"], help=t("help-lang"))
    return parser


@dataclass(frozen=True)
class _Reader:
    """Reads what the arguments name; UsageError in the person's language."""

    english: bool

    def fail(self, code: str, **values: object) -> NoReturn:
        raise UsageError(say(code, english=self.english, **values))

    def file(self, name: str) -> bytes:
        try:
            with Path(name).open("rb") as file:
                data = file.read(_MAX_FILE + 1)
        except OSError as error:
            self.fail("unreadable", name=name, reason=error.strerror or type(error).__name__)
        if len(data) > _MAX_FILE:
            self.fail("too-long", name=name)
        return data

    def key(self, text: str) -> note.VerifierKey:
        """Read a verifier key, or the file that holds one."""
        if "+" in text and not Path(text).exists():
            return note.parse_key(text, where="--key")
        return note.parse_key(self.file(text).decode("utf-8", "replace").strip(), where=text)

    def since(self, text: str) -> heads.Since:
        """Read a head kept outside: ``SIZE:ROOT``, or a file."""
        if ":" in text and not Path(text).exists():
            return heads.parse_since(text.encode(), where="--since")
        return heads.parse_since(self.file(text), where=text)

    def certificates(self, name: str) -> list[Any]:
        from cryptography import x509  # noqa: PLC0415  slow, and asked for rarely

        data = self.file(name)
        try:
            return x509.load_pem_x509_certificates(data)
        except ValueError:
            self.fail("no-certificate", name=name)


def _read(options: argparse.Namespace, *, english: bool) -> Asked:
    """Read everything the arguments name; UsageError."""
    reader = _Reader(english)
    _refuse(options, reader)
    try:
        keys = [reader.key(text) for text in options.key]
        trust = policy.parse(reader.file(options.policy), where=options.policy) if options.policy else None
        since = [reader.since(text) for text in options.since]
    except VerifyError as error:
        reader.fail("wrong-input", where=error.where, what=error.what if english else error.ja)
    return Asked(
        Path(options.logdir) if options.logdir is not None else None,
        keys,
        trust,
        since,
        (options.proof, reader.file(options.proof)) if options.proof else None,
        [certificate for name in options.tsa_root for certificate in reader.certificates(name)],
        options.hashes_only,
        options.jobs or None,
    )


def _refuse(options: argparse.Namespace, reader: _Reader) -> None:
    """Refuse arguments that do not fit together; UsageError."""
    if options.logdir is None:
        if options.proof is None:
            reader.fail("nothing")
        if not options.key and not options.policy:
            reader.fail("no-key")
        if options.since or options.tsa_root:
            reader.fail("no-folder")
    elif not Path(options.logdir).is_dir():
        reader.fail("no-such-folder", name=options.logdir)
    else:
        folder = Path(options.logdir).resolve()
        for name in (*options.key, *options.since, options.policy or ""):
            # What is to be verified must not vouch for itself.
            if name and Path(name).exists() and folder in Path(name).resolve().parents:
                reader.fail("inside", name=name)
    if not 0 <= options.jobs <= _MAX_JOBS:
        reader.fail("jobs", most=_MAX_JOBS)
