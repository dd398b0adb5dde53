"""Writes the generated parts of docs/reference from the program itself: commands, checks, events.

``python tools/reference.py`` rewrites them; ``python tools/reference.py --check`` says which are out of date and exits 1.
A page keeps what people wrote outside the two marker lines. Texts are taken in Japanese (checks) or both languages
(commands), so the result does not depend on the compiled catalogue.
"""

# ruff: noqa: SLF001  argparse tells about its options through private names only
from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "kitei"
PAGES = ROOT / "docs" / "reference"
BEGIN = "<!-- made by tools/reference.py: begin -->"
END = "<!-- made by tools/reference.py: end -->"
BASES = {"guideline": "ガイドライン", "regulation": "自社の規程", "recommendation": "Kiteiの推奨"}


def commands() -> str:
    """Return one section a command: how it is called and its options, Japanese and English."""
    japanese, english = (_subparsers(language) for language in ("ja", "en"))
    lines: list[str] = []
    for name, (help_ja, parser) in japanese.items():
        help_en, other = english[name]
        own = [action for action in parser._actions if action.dest not in {"help", "data", "org", "as_"}]
        meanings = {action.dest: action.help or "" for action in other._actions}
        lines += [
            f"### kitei {name}",
            "",
            f"{help_ja} / {help_en}",
            "",
            f"    kitei {name} {' '.join(map(_call, own))}".rstrip(),
            "",
        ]
        if own:
            lines += ["| | 既定 / default | |", "|---|---|---|"]
            lines += [
                f"| `{_form(action)}` | {_default(action)} | {_both(action.help or '', meanings[action.dest])} |"
                for action in own
            ]
            lines.append("")
    return "\n".join(lines).rstrip()


def _subparsers(language: str) -> dict[str, tuple[str, argparse.ArgumentParser]]:
    from kitei import cli  # noqa: PLC0415  the path is set by now

    before = os.environ.get("KITEI_LANG")
    os.environ["KITEI_LANG"] = language
    try:
        parser = cli._parser()
    finally:
        if before is None:
            del os.environ["KITEI_LANG"]
        else:
            os.environ["KITEI_LANG"] = before
    found = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    helps = {choice.dest: choice.help or "" for choice in found._choices_actions}
    return {name: (helps[name], sub) for name, sub in found.choices.items()}


def _metavar(action: argparse.Action) -> str:
    if action.choices:
        return "|".join(map(str, action.choices))
    return str(action.metavar or action.dest.upper())


def _form(action: argparse.Action) -> str:
    text = _metavar(action)
    if action.option_strings:
        text = action.option_strings[-1] + ("" if action.nargs == 0 else f" {text}")
    return text.replace("|", "\\|")


def _call(action: argparse.Action) -> str:
    text = _form(action).replace("\\|", "|")
    needed = action.required if action.option_strings else action.nargs != "?"
    return text if needed else f"[{text}]"


def _default(action: argparse.Action) -> str:
    return f"`{action.default}`" if action.default not in {None, False, ""} else ""


def _both(japanese: str, english: str) -> str:
    return japanese if japanese == english else f"{japanese} / {english}"


def checks() -> str:
    """Return the checks by topic: how each judges, which provisions it reads, and the codes of its findings."""
    from kitei.engine.checks.model import registry  # noqa: PLC0415  Django is set up by now
    from kitei.outcomes.guidelines.topics import TOPICS  # noqa: PLC0415

    found = list(registry.all())
    names = {check.code for check in found} | set(registry.defaults) | set(TOPICS)
    lines: list[str] = []
    seen: set[str] = set()
    for check in sorted(found, key=lambda entry: (entry.topic, entry.code)):
        codes = sorted(_codes(check) - names)
        seen |= set(codes)
        lines += [f"### {check.topic}", ""]
        if check.topic in TOPICS:
            lines += [" / ".join(TOPICS[check.topic]), ""]
        lines += [
            f"- 検査 / check: `{check.code}`",
            f"- 必要な事実: {check.method.facts.msgid}",
            f"- しきい値: {check.method.threshold.msgid}",
            f"- 根拠 / basis: {BASES[check.method.basis.value]} (`{check.method.basis.value}`)",
        ]
        if check.method.provisions:
            lines.append("- 読む規定値 / provisions: " + "、".join(f"`{key}`" for key in check.method.provisions))
        lines += ["- 指摘 / findings: " + ("、".join(f"`{code}`" for code in codes) or "—"), ""]
    rest = sorted(_all_codes(found) - names - seen)
    if rest:
        lines += ["### そのほかの指摘 / other findings", "", "、".join(f"`{code}`" for code in rest), ""]
    lines += [
        "### 規定値の推奨 / recommended values",
        "",
        "版が値を定めていないときに使います。Used while no edition states a value.",
        "",
    ]
    lines += ["| 規定値 / provision | 値 / value |", "|---|---|"]
    lines += [
        f"| `{key}` | {provision.value}{provision.unit} |" for key, provision in sorted(registry.defaults.items())
    ]
    return "\n".join(lines).rstrip()


CODE = re.compile(
    r"(?:people|documents|institutions|suppliers|equipment|risks|incidents|audit|disclosure)\.[a-z]+(?:-[a-z]+)*\Z"
)


def _codes(check: Any) -> set[str]:
    """Finding codes reachable from a check's function: literals of the functions and constants of its module it names.

    A closure is followed through the module-level function that made it and what was handed to that function.
    """
    module = inspect.getmodule(check.run)
    tree = ast.parse(inspect.getsource(module))
    parts = _top_level(tree)
    start = [check.run.__qualname__.partition(".")[0]]
    found: set[str] = set()
    for call in ast.walk(tree):  # registry.register(Check("x", …, run=_periodic("code", …)))
        if isinstance(call, ast.Call) and _named(call.func) == "Check" and _first(call) == check.code:
            found |= {text for text in _texts(call) if CODE.match(text)}
    done: set[str] = set()
    while start:
        name = start.pop()
        if name in done or name not in parts:
            continue
        done.add(name)
        for node in parts[name]:
            found |= {text for text in _texts(node) if CODE.match(text)}
            start += [item.id for item in ast.walk(node) if isinstance(item, ast.Name)]
    return found


def _all_codes(found: list[Any]) -> set[str]:
    modules = {inspect.getmodule(check.run) for check in found}
    return {text for module in modules for text in _texts(ast.parse(inspect.getsource(module))) if CODE.match(text)}


def _top_level(tree: ast.Module) -> dict[str, list[ast.AST]]:
    parts: dict[str, list[ast.AST]] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            parts.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    parts.setdefault(target.id, []).append(node)
    return parts


def _texts(node: ast.AST) -> Iterator[str]:
    return (item.value for item in ast.walk(node) if isinstance(item, ast.Constant) and isinstance(item.value, str))


def _named(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _first(call: ast.Call) -> object:
    nodes = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "code")]
    return nodes[0].value if nodes and isinstance(nodes[0], ast.Constant) else None


EVENTS = """# Events

Every act Kitei records, by its fixed name: `subject:action`, written `subject:action:outcome` where the outcome is not `ok`.
Made by `python tools/reference.py`; a test compares this page with the source.

## 記録するものと、しないもの / What is recorded and what is not

Recorded: every write; opening, previewing, downloading, printing and exporting a document or an edition; taking out a
register; showing a private contact; reading 操作記録; log-in, log-out and failure; every refusal of a member, token or link,
also for what does not exist, an address that holds nothing, a way of asking a page does not take, and a form whose
protection mark is missing.

Not recorded: home, ordinary lists and detail pages, and fragments of a recorded page; the draft of the regulation, which is
no edition; what a browser asks for by itself (`/favicon.ico` and the like); what Kitei makes again at any time (stored runs
of the checks, cached renderings, an upload that waits an hour for its import), sessions and background jobs. Of people who
are not logged in only the number of unknown addresses is kept, one event an hour.

A view, download or export is committed *before* the first byte leaves; if that is not possible, the answer is 503 and
nothing is shown. It says that the act was allowed, not that every byte arrived: neither the server nor a proxy in front of it
could say so truthfully. A refusal is recorded outside the transaction of what was refused. A request that only reads
records at most one event.

Every event also carries, where there is one: `request` (the id that the answer's `X-Request-Id` shows), `session` (a digest),
`strength` (`password`, `one-time-code`, `console`, `worker`), `face`, `decision` (`allowed`, `reasons`) and `policy`, a digest
of the access rule that decided. Fields under "as commitment" hold free text: the event holds a salted hash of it only.

"""


def events_page() -> str:
    """Return the page of all events, outcomes, kinds and reasons declared so far."""
    from kitei.trust.auditlog import vocabulary  # noqa: PLC0415  Django is set up by now

    parts = [EVENTS, "## 操作 / Events\n\n"]
    for event in vocabulary.known().values():
        parts.append(f"### `{event.name}`\n\n{event.ja} / {event.en}\n\n- {event.when[0]} / {event.when[1]}\n")
        if event.data is None:
            parts.append("- data: 内容は操作の側で決まる / as its room needs\n")
        for title, fields in (("data", event.data or ()), ("as commitment", event.private)):
            if fields:
                listed = "、".join(f"`{field.name}` {field.ja} / {field.en}" for field in fields)
                parts.append(f"- {title}: {listed}\n")
        parts.append("\n")
    for title, words in (
        ("結果 / Outcomes", vocabulary.OUTCOMES),
        ("対象と操作した者の種類 / Kinds of objects and actors", vocabulary.kinds()),
        ("判定の理由 / Reasons of decisions", vocabulary.reasons()),
    ):
        parts.append(f"## {title}\n\n| | 日本語 | English |\n|---|---|---|\n")
        parts += [f"| `{word.name}` | {word.ja} | {word.en} |\n" for word in words.values()]
        parts.append("\n")
    return "".join(parts).rstrip() + "\n"


GENERATED: dict[str, Callable[[], str]] = {"cli.md": commands, "checks.md": checks}


def page(name: str) -> tuple[str, str]:
    """Return (as it stands, as it should stand) of a reference page; ValueError when it lacks its markers."""
    text = (PAGES / name).read_text(encoding="utf-8")
    if name == "events.md":
        return text, events_page()
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{name} lacks the marker lines")
    return text, f"{before}{BEGIN}\n\n{GENERATED[name]()}\n\n{END}{after}"


def main(*, check: bool) -> int:
    import tempfile  # noqa: PLC0415

    sys.path.insert(0, str(ROOT / "src"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kitei.settings")
    os.environ.setdefault("KITEI_DATA", tempfile.gettempdir())
    import django  # noqa: PLC0415

    django.setup()
    for path in SOURCE.rglob("events.py"):
        importlib.import_module(".".join(("kitei", *path.relative_to(SOURCE).with_suffix("").parts)))
    stale = []
    for name in (*GENERATED, "events.md"):
        old, new = page(name)
        if old != new:
            stale.append(name)
            if not check:
                (PAGES / name).write_text(new, encoding="utf-8")
    print(
        "\n".join(f"docs/reference/{name}: {'out of date' if check else 'written'}" for name in stale) or "up to date"
    )
    return int(check and bool(stale))


if __name__ == "__main__":
    raise SystemExit(main(check=sys.argv[1:] == ["--check"]))
