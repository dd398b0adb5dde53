"""Mutation run: change the verifier's core one small thing at a time and see whether its tests notice.

    python tools/mutate.py [MODULE...] [--jobs N] [--least PERCENT]

Each mutant is a copy of ``src/kitei_verify`` with one change (a comparison, an operator, a constant, a dropped ``raise``
or ``return``) against which the tests of that module run, without Django. Survivors are printed with their line; the exit
code is 1 when fewer than ``--least`` percent are killed. A mutant that does not end counts as killed.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "kitei_verify"
TESTS = {
    "canonical": ["test_canonical.py", "test_event.py", "test_proof.py"],
    "merkle": ["test_merkle.py"],
    "note": ["test_formats.py"],
    "checkpoint": ["test_formats.py"],
    "proof": ["test_proof.py"],
}
"""Modules, and the tests that have to notice a change in them, quickest first."""
CPU = 20
"""Seconds of work a run may take; sound ones take three."""
SLOWEST = 300
"""Seconds on the clock, for whoever waits for something without working."""
_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change: the module, the line, what was changed to what, and the whole changed source."""

    module: str
    line: int
    what: str
    source: str


def mutants(module: str) -> Iterator[Mutant]:
    """Yield every mutant of a module."""
    text = (PACKAGE / f"{module}.py").read_text(encoding="utf-8")
    tree = ast.parse(text)
    spots = list(_spots(tree))
    for place, node in enumerate(spots):
        for number, change in enumerate(_changes(node)):
            changed = copy.deepcopy(tree)
            target = list(_spots(changed))[place]
            replaced = list(_changes(target))[number]()
            if replaced is not target:
                _replace(changed, target, replaced)
            ast.fix_missing_locations(changed)
            before, after = _shown(node), _shown(replaced)
            yield Mutant(module, getattr(node, "lineno", 0), f"{before}  =>  {after}", ast.unparse(changed))
            del change


def _shown(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0][:70]


def _spots(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield what may be changed, in a fixed order: not annotations, docstrings, or what an error says."""
    for name, value in ast.iter_fields(tree):
        if name in {"annotation", "returns", "decorator_list"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_text(child):
                continue
            yield child
            if not isinstance(child, ast.Raise) and not _says_an_error(child):
                yield from _spots(child)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _says_an_error(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Error")


def _changes(node: ast.AST) -> Iterator[Callable[[], ast.AST]]:
    """Yield functions that return the node changed (in place) or another node in its place."""
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            yield lambda at=at, operator=operator: _set_item(node, node.ops, at, _COMPARE[type(operator)]())
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _BINARY:
        yield lambda: _set(node, "op", _BINARY[type(node.op)]())
    elif isinstance(node, ast.BoolOp):
        yield lambda: _set(node, "op", ast.And() if isinstance(node.op, ast.Or) else ast.Or())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert | ast.USub):
        yield lambda: node.operand
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.IfExp):
        yield lambda: ast.IfExp(node.test, node.orelse, node.body)
    elif isinstance(node, ast.stmt):
        yield from _statements(node)


def _statements(node: ast.stmt) -> Iterator[Callable[[], ast.AST]]:
    if isinstance(node, ast.Raise):
        yield ast.Pass
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield lambda: ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Continue):
        yield ast.Break
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.Pass
    elif isinstance(node, ast.If | ast.While) and not isinstance(node.test, ast.Compare | ast.BoolOp):
        yield lambda: _set(node, "test", ast.UnaryOp(ast.Not(), node.test))


def _constants(node: ast.Constant) -> Iterator[Callable[[], ast.AST]]:
    value = node.value
    if isinstance(value, bool):
        yield lambda: ast.Constant(not value)
    elif isinstance(value, int):
        yield lambda: ast.Constant(value + 1)
    elif isinstance(value, str):
        yield lambda: ast.Constant(value + "x")
    elif isinstance(value, bytes):
        yield lambda: ast.Constant(value + b"x")


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _set(node: ast.AST, name: str, value: ast.AST) -> ast.AST:
    setattr(node, name, value)
    return node


def _set_item(node: ast.AST, items: list[ast.cmpop], at: int, value: ast.cmpop) -> ast.AST:
    items[at] = value
    return node


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
                return
            if isinstance(value, list) and any(item is old for item in value):
                setattr(parent, name, [new if item is old else item for item in value])
                return


def killed(mutant: Mutant) -> bool:
    """Whether the module's tests notice the change."""
    with tempfile.TemporaryDirectory(prefix="kitei-mutant-") as folder:
        shutil.copytree(PACKAGE, Path(folder) / "kitei_verify", ignore=shutil.ignore_patterns("__pycache__"))
        (Path(folder) / "kitei_verify" / f"{mutant.module}.py").write_text(mutant.source, encoding="utf-8")
        return not _pass(TESTS[mutant.module], folder)


def _pass(names: list[str], source: str) -> bool:
    """Whether the tests pass with the package in ``source``: in a fork, which finds pytest and Hypothesis loaded."""
    child = os.fork()
    if child == 0:
        os._exit(_run(names, source))
    ends = time.monotonic() + SLOWEST
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _run(names: list[str], source: str) -> int:
    """Run the tests in this process and return pytest's exit code; says nothing."""
    import hypothesis  # noqa: PLC0415  loaded by the parent
    import pytest  # noqa: PLC0415

    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU + 1))
    os.chdir(source)
    sys.dont_write_bytecode = True
    sys.path[:0] = [source, str(ROOT / "tests"), str(ROOT / "tests" / "verify")]
    quick = (hypothesis.Phase.explicit, hypothesis.Phase.generate)  # what fails need not be made small
    hypothesis.settings.register_profile("mutants", phases=quick, deadline=None, database=None, derandomize=True)
    hypothesis.settings.load_profile("mutants")
    arguments = ["-x", "-q", "--noconftest", "-p", "no:django", "-p", "no:cacheprovider", "-c", os.devnull]
    arguments += ["--rootdir", str(ROOT), *(str(ROOT / "tests" / "verify" / name) for name in names)]
    try:
        return int(pytest.main(arguments))
    except BaseException:  # noqa: BLE001  whatever a mutant does, the parent must learn that it was noticed
        return 1


def _load() -> None:
    """Import what every run needs, but nothing of the package that is changed."""
    import hypothesis.stateful  # noqa: F401, PLC0415
    import pytest  # noqa: F401, PLC0415
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: F401, PLC0415


def _survivors(made: list[Mutant], jobs: int) -> list[Mutant]:
    """Return the mutants nobody noticed; ``jobs`` processes share the work."""
    readers = []
    for job in range(jobs):
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.close(reader)
            for place in range(job, len(made), jobs):
                if not killed(made[place]):
                    os.write(writer, f"{place}\n".encode())
            os._exit(0)
        os.close(writer)
        readers.append(reader)
    places: list[int] = []
    for reader in readers:
        with os.fdopen(reader) as lines:
            places += [int(line) for line in lines]
    for _ in readers:
        os.wait()
    return [made[place] for place in sorted(places)]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", choices=[[], *TESTS], default=[])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--least", type=float, default=90.0)
    options = parser.parse_args(argv)
    modules = options.modules or list(TESTS)
    _load()
    for names in {tuple(TESTS[module]) for module in modules}:
        if not _pass(list(names), str(PACKAGE.parent)):
            print(f"the tests fail without any change: {' '.join(names)}")
            return 2
    total = dead = 0
    for module in modules:
        made = list(mutants(module))
        survivors = _survivors(made, options.jobs)
        for mutant in survivors:
            print(f"survived: {module}.py:{mutant.line}: {mutant.what}", flush=True)
        total, dead = total + len(made), dead + len(made) - len(survivors)
        print(f"{module}: {len(made) - len(survivors)} of {len(made)} killed", flush=True)
    score = 100 * dead / total
    print(f"mutation score {score:.1f} % ({dead} of {total})")
    return 0 if score >= options.least else 1


if __name__ == "__main__":
    raise SystemExit(main())
