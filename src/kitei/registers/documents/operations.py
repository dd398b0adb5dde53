"""Every write of the documents room. All join the caller's transaction, ask the access rule and append events."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from kitei.foundation import clock, transactions
from kitei.foundation.files import store
from kitei.foundation.sheets.spec import Changes
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import Message, UserError
from kitei.registers.base.register import Register
from kitei.registers.documents import columns, events, models
from kitei.trust.access import folders, rule
from kitei.trust.access.operations import ROOT_FOLDER, root_folder

Content = Callable[[], bytes]
"""Reads an attached file's bytes when they are stored, so that a large zip never stands in memory at once."""


@dataclass(frozen=True)
class DocumentRegister(Register):
    """The register of documents: adds the folder, the level of 閲覧区分 and the stored file to what the sheet says."""

    def apply(self, *, actor: Any, organization: Any, changes: Changes) -> None:
        """Write an import's changes with the files attached to it.

        Only rows that the import adds or changes arrive here: to replace a file under the same name, 版 changes too.
        """
        rows = {values["code"]: values for values in changes.added}
        rows.update({key: after for key, _before, after in changes.changed})
        files = {name: attached.read for name, attached in changes.files.items()}
        self.put(actor=actor, organization=organization, rows=rows, imported=True, files=files)

    def put(
        self,
        *,
        actor: rule.Actor,
        organization: Organization,
        rows: Mapping[str, Mapping[str, Any]],
        day: dt.date | None = None,
        imported: bool = False,
        files: Mapping[str, Content] | None = None,
    ) -> dict[str, uuid.UUID]:
        """Bring documents to the given values as of ``day``. Return code -> identity id.

        ``files`` holds the attached contents by the name a row gives in ``file_name``: a name found there is stored;
        a name the document has already keeps its stored file. Raises Refused without the right to edit, UserError when
        a row names a file that is neither, or whose content may not be stored.
        """
        transactions.require()
        if not rows:
            return {}
        decision = rule.require(actor, rule.EDIT, rule.Target(self.kind, organization=organization)).recorded
        stored = self._stored(organization, rows, day or clock.today(), files or {})
        places = self._placed(actor, organization, rows, day or clock.today(), decision)
        full = {
            code: {**values, "code": code, "file_id": stored.get(code), "folder_id": places[code]}
            for code, values in rows.items()
        }
        return super().put(actor=actor, organization=organization, rows=full, day=day, imported=imported)

    def existing(
        self, *, organization: Any, keys: Collection[str] | None, day: dt.date | None = None
    ) -> dict[str, dict[str, Any]]:
        """Return what ``Register.existing`` does, with the folder as its path; the root as an empty one."""
        found = super().existing(organization=organization, keys=keys, day=day)
        paths = folders.paths(organization=organization) if found else {}
        root = ROOT_FOLDER
        for values in found.values():
            path = paths.get(values["folder"], "")
            values["folder"] = "" if path == root else path
        return found

    def _placed(
        self,
        actor: rule.Actor,
        organization: Organization,
        rows: Mapping[str, Mapping[str, Any]],
        day: dt.date,
        decision: Mapping[str, Any],
    ) -> dict[str, uuid.UUID]:
        """Return code -> folder: the one a row names, made if need be; where it stands when the row does not say; the root."""
        root = root_folder(organization=organization).pk
        named = {code: values["folder"] or "" for code, values in rows.items() if "folder" in values}
        places = folders.at_paths(actor=actor, organization=organization, wanted=named.values(), decision=decision)
        silent = sorted(rows.keys() - named.keys())
        kept: dict[str, uuid.UUID] = {}
        for start in range(0, len(silent), 500):
            states = models.DocumentState.objects.filter(
                organization=organization, code__in=silent[start : start + 500]
            ).as_of(day)
            kept.update(states.values_list("code", "folder_id"))
        return {code: places[named[code]] if code in named else kept.get(code, root) for code in rows}

    def _stored(
        self,
        organization: Organization,
        rows: Mapping[str, Mapping[str, Any]],
        day: dt.date,
        files: Mapping[str, Content],
    ) -> dict[str, uuid.UUID]:
        """Return code -> stored file of every row that names one; new contents are stored once by name."""
        named = {code: values["file_name"] for code, values in rows.items() if values.get("file_name")}
        kept: dict[str, tuple[str, uuid.UUID]] = {}
        asked = sorted(code for code, name in named.items() if name not in files)
        for start in range(0, len(asked), 500):
            states = models.DocumentState.objects.filter(
                organization=organization, code__in=asked[start : start + 500]
            ).as_of(day)
            kept.update(
                {
                    code: (name, key)
                    for code, name, key in states.filter(file__isnull=False).values_list("code", "file_name", "file_id")
                }
            )
        fresh: dict[str, uuid.UUID] = {}
        found: dict[str, uuid.UUID] = {}
        for code, name in named.items():
            if name in files:
                if name not in fresh:
                    fresh[name] = store.put_bytes(organization=organization, content=files[name](), name=name).pk
                found[code] = fresh[name]
            elif code in kept and kept[code][0] == name:
                found[code] = kept[code][1]
            else:
                raise UserError(
                    Message(
                        "文書「%(code)s」のファイル「%(name)s」がありません。取り込むzipに同じ名前で入れるか、保管先を「外部」か「紙」にしてください。",
                        {"code": code, "name": name},
                    )
                )
        return found

    def _values(self, row: tuple[Any, ...]) -> dict[str, Any]:
        values = super()._values(row)
        values["classification"] = columns.LEVEL_NAMES[values["classification"]]
        return values

    def _fields(self, values: Mapping[str, Any], ids: Mapping[tuple[type[Any], str], uuid.UUID]) -> dict[str, Any]:
        fields = super()._fields(values, ids)
        fields["classification"] = columns.LEVELS[fields["classification"] or "internal"]
        del fields["folder"]  # a path here, a row in the table
        fields["kept_at"] = fields["kept_at"] or "kitei"
        fields["file_name"] = fields["file_name"] or ""
        return fields | {"file_id": values["file_id"], "folder_id": values["folder_id"]}


documents = DocumentRegister(
    kind="document",
    identity=models.Document,
    state=models.DocumentState,
    columns=columns.DOCUMENTS,
    event=events.DOCUMENT_PUT,
    starts="in_force_from",
)
