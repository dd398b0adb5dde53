"""Builds the English catalogue: merges src/kitei/locale/parts/*.po.txt, checks it against the source, compiles it.

Run by ``make setup`` (compile) and by a test (gaps). Msgids are Japanese (docs/decisions/0004). Extraction uses Django's
own template translator and Babel's Python extractor, so no system gettext is needed.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo

SOURCE = Path(__file__).parent.parent / "src" / "kitei"
PARTS = SOURCE / "locale" / "parts"
TARGET = SOURCE / "locale" / "en" / "LC_MESSAGES" / "django.mo"
KEYWORDS = {
    "Message": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None, "_": None, "translate": None,
    "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip
JAPANESE = re.compile(r"[぀-ヿ㐀-鿿]")


def translations() -> dict[str, str]:
    """Return msgid -> English of every part; a msgid translated in two ways is an error."""
    found: dict[str, str] = {}
    for path in sorted(PARTS.glob("*.po.txt")):
        japanese = None
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if line.startswith("ja: "):
                japanese = line[4:].replace("\\n", "\n")
            elif line.startswith("en: ") and japanese is not None:
                english = line[4:].replace("\\n", "\n")
                if found.setdefault(japanese, english) != english:
                    raise SystemExit(f"{path.name}:{number}: {japanese!r} has another translation elsewhere")
                japanese = None
            elif line.strip() and not line.startswith("#"):
                raise SystemExit(f"{path.name}:{number}: neither ja: nor en: nor a comment")
    return found


def msgids() -> Iterator[tuple[str, str]]:
    """Yield (place, msgid) of every translatable string in Python and templates."""
    for path in sorted(SOURCE.rglob("*.py")):
        if "migrations" not in path.parts:
            yield from _python(path, path.read_bytes())
    import django  # noqa: PLC0415  the template lexer wants settings
    from django.conf import settings  # noqa: PLC0415
    from django.utils.translation.template import templatize  # noqa: PLC0415

    if not settings.configured:
        settings.configure(USE_I18N=False)
        django.setup()
    for path in sorted(SOURCE.rglob("*.html")):
        yield from _python(path, templatize(path.read_text(encoding="utf-8"), origin=str(path)).encode())


def _python(path: Path, text: bytes) -> Iterator[tuple[str, str]]:
    for line, message, _comments, _context in extract(
        "python", io.BytesIO(text), keywords=KEYWORDS, options={"encoding": "utf-8"}
    ):
        for part in (message,) if isinstance(message, str) else message:
            if part and JAPANESE.search(part):
                yield f"{path.relative_to(SOURCE)}:{line}", part


def gaps() -> list[str]:
    """Return a line for every string without English, or whose English lacks a placeholder."""
    english = translations()
    found = []
    for place, msgid in msgids():
        if not english.get(msgid):
            found.append(f"{place}: no English for {msgid!r}")
        elif _places(msgid) != _places(english[msgid]):
            found.append(f"{place}: placeholders differ in {english[msgid]!r}")
    return found


def _places(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)[sd]", text))


def compile_catalogue() -> None:
    """Write the compiled catalogue."""
    catalogue = Catalog(locale="en", domain="django")
    for msgid, english in translations().items():
        catalogue.add(msgid, english)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with TARGET.open("wb") as stream:
        write_mo(stream, catalogue)


if __name__ == "__main__":
    if sys.argv[1:] == ["gaps"]:
        lines = gaps()
        print("\n".join(lines))
        raise SystemExit(bool(lines))
    compile_catalogue()
