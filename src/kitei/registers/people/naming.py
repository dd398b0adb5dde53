"""Where a person is named in free text: finding the places, and telling the sure ones from the doubtful.

Text such as 「受容した人」 or a reason holds names by value, in every room. To leave none out, and to forget no room that is
added later, the tables are walked through Django's registry of models instead of being listed here. A place is *sure* when
the characters around it cannot belong to a longer word (「林一」 in 「小林一郎」 is not), otherwise it is doubtful: it is told
to a person and left alone.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Q

from kitei.trust.auditlog.erasure import ERASED

_LEAST_DIGITS = 6
_KANJI = "々〆\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_SCRIPTS = (_KANJI, "ァ-ヺー", "ぁ-ゖ", "A-Za-z0-9")
_TITLES = "様氏殿君宛印"  # what may follow a name directly

# Rows that others answer for: the log cannot change, accounts are treated by themselves, and an edition is frozen by value.
_LEFT_OUT = {"auditlog", "sessions", "axes"}
_LEFT_OUT_MODELS = {"accounts.user", "accounts.onetimecode", "regulation.edition"}
# Columns that name people of other organizations, where an equal name is a namesake; and those erased column by column.
_OTHERS = {
    "people.memberstate.email",
    "people.emergencycontactstate.phone",
    "institutions.institutionstate.contact_name",
    "suppliers.supplierorganisationstate.officer",
    "suppliers.supplierorganisationstate.contact",
    "suppliers.supplierorganisationstate.emergency_contact",
}


@dataclass(frozen=True)
class Person:
    """What a person is known by: (family, given) names, also in kana; names of accounts; mail addresses; telephones."""

    names: frozenset[tuple[str, str]] = frozenset()
    mails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()

    @property
    def sure(self) -> re.Pattern[str] | None:
        """The pattern of places that are certainly meant; None when there is nothing to look for."""
        parts = [_bounded(family, given) for family, given in sorted(self.names)]
        parts += [rf"(?<![\w.+-]){re.escape(mail)}(?![\w-]|\.\w)" for mail in sorted(self.mails)]
        parts += [_telephone(phone) for phone in sorted(self.phones)]
        return re.compile("|".join(parts), re.IGNORECASE) if parts else None

    @property
    def doubtful(self) -> re.Pattern[str] | None:
        """The pattern of the same characters wherever they stand."""
        parts = [_plain(family, given) for family, given in sorted(self.names)]
        return re.compile("|".join(parts), re.IGNORECASE) if parts else None

    @property
    def needles(self) -> list[str]:
        """Short texts one of which every place holds: what the database is asked for."""
        # A telephone's last four digits stand together, however it is written.
        found = {max(pair, key=len) for pair in self.names} | self.mails
        found |= {_digits(phone)[-4:] for phone in self.phones}
        return sorted(needle for needle in found if needle)

    def without_names(self) -> Person:
        """Return the ways to reach the person, without the names."""
        return Person(mails=self.mails, phones=self.phones)


def person(*, names: set[tuple[str, str]], mails: set[str], phones: set[str]) -> Person:
    """Make a Person of what the registers hold; what is empty, erased or too short to search for is left out."""
    return Person(
        frozenset((a, b) for a, b in names if a and b and ERASED not in a),
        frozenset(mail for mail in mails if "@" in mail and not mail.endswith(".invalid")),
        frozenset(phone for phone in phones if len(_digits(phone)) >= _LEAST_DIGITS),
    )


@dataclass(frozen=True)
class Mention:
    """One column of one row that names the person. ``table`` is the model's label, ``code`` the row's own number."""

    model: type[models.Model]
    pk: Any
    table: str
    column: str
    code: str
    sure: bool
    new: Any = field(repr=False, compare=False)


def mentions(*, organization: Any, person: Person, before: dt.datetime | None = None) -> Iterator[Mention]:
    """Yield every place of the organization's rows where ``person`` is named, recorded not later than ``before``.

    ``new`` is the column's value with every sure place replaced; a column that also holds a doubtful one is yielded twice.
    """
    if person.sure is None:
        return
    for model in apps.get_models():
        columns = _columns(model)
        if columns:
            yield from _of_model(model, columns, organization, person, before)


def _columns(model: type[models.Model]) -> list[str]:
    """Return the columns of a model that may hold free text; none for a model of no organization, or of others."""
    label = model._meta.label_lower  # noqa: SLF001  Django's public way to a model's name
    if model._meta.app_label in _LEFT_OUT or label in _LEFT_OUT_MODELS:  # noqa: SLF001  as above
        return []
    columns = {column.name: column for column in model._meta.concrete_fields}  # noqa: SLF001  as above
    if "organization" not in columns:
        return []
    return [name for name, column in columns.items() if _holds_text(column) and f"{label}.{name}" not in _OTHERS]


def _of_model(
    model: type[models.Model], columns: list[str], organization: Any, person: Person, before: dt.datetime | None
) -> Iterator[Mention]:
    sure, doubtful = person.sure, person.doubtful
    if sure is None:
        return
    known = {column.name: column for column in model._meta.concrete_fields}  # noqa: SLF001  Django's public way
    rows = model._default_manager.filter(organization=organization)  # noqa: SLF001  as above
    if before is not None and "recorded_at" in known:
        rows = rows.filter(recorded_at__lte=before)
    if not any(isinstance(known[name], models.JSONField) for name in columns):
        # JSON is escaped in the database and so has to be read; plain text can be asked for.
        wanted = Q()
        for name, needle in itertools.product(columns, person.needles):
            wanted |= Q(**{f"{name}__icontains": needle})
        rows = rows.filter(wanted)
    code = "code" if "code" in known else "id"
    label = model._meta.label_lower  # noqa: SLF001  as above
    for row in rows.values("pk", code, *columns).iterator(chunk_size=1000):
        for name in columns:
            new, hits, left = _replaced(row[name], sure, doubtful)
            if hits:
                yield Mention(model, row["pk"], label, name, str(row[code]), sure=True, new=new)
            if left:
                yield Mention(model, row["pk"], label, name, str(row[code]), sure=False, new=None)


def erase(found: Mention) -> None:
    """Write the column without the person; joins the caller's transaction."""
    current = found.model._default_manager.filter(pk=found.pk)  # noqa: SLF001  Django's public way to a model's rows
    current.update(**{found.column: found.new})


def redact(value: Any, person: Person) -> tuple[Any, int]:
    """Return ``value`` (text, or JSON) with every sure place replaced, and how many there were."""
    sure = person.sure
    return _replaced(value, sure, None)[:2] if sure is not None else (value, 0)


def _replaced(value: Any, sure: re.Pattern[str], doubtful: re.Pattern[str] | None) -> tuple[Any, int, bool]:
    if isinstance(value, str):
        new, hits = sure.subn(ERASED, value)
        return new, hits, bool(doubtful and doubtful.search(new))
    if isinstance(value, list):
        parts = [_replaced(item, sure, doubtful) for item in value]
        return [part[0] for part in parts], sum(part[1] for part in parts), any(part[2] for part in parts)
    if isinstance(value, dict):
        named = {key: _replaced(item, sure, doubtful) for key, item in value.items()}
        return (
            {key: part[0] for key, part in named.items()},
            sum(part[1] for part in named.values()),
            any(part[2] for part in named.values()),
        )
    return value, 0, False


def _holds_text(column: Any) -> bool:
    if isinstance(column, models.JSONField):
        return True
    # Chosen values and a row's own number say nothing a person wrote.
    return isinstance(column, models.CharField | models.TextField) and not column.choices and column.name != "code"


def _plain(family: str, given: str) -> str:
    return rf"{re.escape(family)}[ \u3000]?{re.escape(given)}"


def _bounded(family: str, given: str) -> str:
    """The name where neither neighbour can continue it: a character of the same script, except a title after it."""
    before, after = _script(family[0]), _script(given[-1])
    start = rf"(?<![{before}])" if before else ""
    end = rf"(?:(?![{after}])|(?=[{_TITLES}]))" if after else ""
    return start + _plain(family, given) + end


def _script(char: str) -> str:
    return next((script for script in _SCRIPTS if re.match(f"[{script}]", char)), "")


def _telephone(phone: str) -> str:
    digits = r"[-\u2010-\u2015\u2212 ()]*".join(_digits(phone))
    return rf"(?<!\d){digits}(?!\d)"


def _digits(phone: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", phone) if char in "0123456789")
