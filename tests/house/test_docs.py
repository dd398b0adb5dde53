"""The written side keeps pace with the program: settings, commands, rooms, links, and the printed commands themselves."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from kitei import cli
from kitei.engine.checks.model import registry

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "src" / "kitei"
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
COMMANDS = sorted(cli._MODULES)
SETTING = re.compile(r"KITEI_[A-Z0-9]+(?:_[A-Z0-9]+)*")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def read(path):
    return path.read_text(encoding="utf-8")


def name_of(path):
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("kitei_reference", ROOT / "tools" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_setting_the_program_reads_is_documented_and_none_besides():
    read_by_program = set(SETTING.findall("\n".join(read(path) for path in SOURCE.rglob("*.py"))))
    documented = set(SETTING.findall(read(DOCS / "reference" / "settings.md")))
    # Tests alone read this one; CONTRIBUTING.md tells about it.
    assert "KITEI_DATA" in read_by_program
    assert documented == read_by_program
    assert "KITEI_TEST_DATABASE_URL" in read(ROOT / "CONTRIBUTING.md")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_section(command):
    assert f"\n### kitei {command}\n" in read(DOCS / "reference" / "cli.md")


@pytest.mark.parametrize("page", ["cli.md", "checks.md"])
def test_generated_pages_are_up_to_date(reference, page):
    old, new = reference.page(page)
    assert old == new, "run: .venv/bin/python tools/reference.py"


def test_no_finding_code_escapes_the_page_of_checks(reference):
    codes = reference._all_codes(list(registry.all()))
    text = read(DOCS / "reference" / "checks.md")
    assert "people.vacant-office" in codes
    assert [code for code in sorted(codes) if f"`{code}`" not in text] == []


def test_the_architecture_page_names_every_room():
    text = read(DOCS / "architecture.md")
    rooms = {
        path.parent.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("__init__.py")
        if not {"migrations", "templatetags"} & set(path.parts) and path.parent != SOURCE
    }
    rooms |= {
        path.relative_to(SOURCE).as_posix() for path in (SOURCE / "foundation").glob("*.py") if path.stem != "__init__"
    }
    assert "trust/auditlog" in rooms
    assert [room for room in sorted(rooms) if f"`{room}`" not in text and f"`{room}/`" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_inside_the_repository_resolve(page):
    broken = []
    for target in LINK.findall(read(page)):
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            continue
        if not (page.parent / target.partition("#")[0]).exists():
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_tells_a_place_of_somebodys_machine(page):
    assert re.findall(r"/(?:work|root|home/[a-z]+)/|pypi\.org|files\.pythonhosted", read(page)) == []


def printed_commands():
    """Every line that calls ``kitei`` in a shell block: (page, line)."""
    for page in PAGES:
        for block in re.findall(r"```(?:sh|console|powershell)\n(.*?)```", read(page), re.DOTALL):
            for line in block.splitlines():
                call = re.match(
                    r"\s*(?:\$ |sudo -u kitei )*(?:env )?(?:[A-Z_]+=\S+ )*(?:\S*[/\\])?kitei(?:\.exe)?(?= |$)(.*)", line
                )
                if call:
                    yield pytest.param(call[1].partition(" #")[0], id=f"{name_of(page)}: {line.strip()}")


@pytest.mark.parametrize("arguments", list(printed_commands()))
def test_printed_commands_are_understood(arguments):
    with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.redirect_stdout(io.StringIO()):
        try:
            cli._parser().parse_args(shlex.split(arguments))
            code = 0
        except SystemExit as end:
            code = end.code
    assert code == 0, said.getvalue()


def test_decisions_are_numbered_without_gaps_and_say_what_is_bad_about_them():
    decisions = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    assert [path.name for path in decisions if "\n## Bad sides\n" not in read(path)] == []


def test_every_direct_dependency_is_justified():
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    text = read(next((DOCS / "decisions").glob("0002*.md")))
    names = [re.match(r"[A-Za-z0-9-]+", entry)[0] for entry in wanted]
    assert len(names) > 10
    assert [name for name in names if f"`{name}`" not in text] == []


def test_readmes_show_the_two_commands_and_the_picture():
    for name in ("README.md", "README.ja.md"):
        text = read(ROOT / name)
        assert "make demo" in text
        assert "make test" in text
        assert "docs/pictures/home.png" in text
