"""Every address of the application, once: who may open it, what that records, what a POST does. Other tests derive from it.

A new address fails ``test_access_matrix.py`` until it stands here. ``{names}`` in a path are things of ``access_world``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from web.access_world import PASSWORD, World, workbook

STRANGERS, MEMBERS, OFFICERS, EDITORS = "strangers", "members", "officers", "editors"
"""Everybody, logged in or not; whoever is logged in; holders of an office; those of them who may write (not the auditor)."""
PAGE, DOWNLOAD, FRAGMENT, PROGRAM, ACT = "a page", "a download", "a fragment", "for programs", "answers POST"


@dataclass(frozen=True)
class Read:
    """A GET: whose it is, what it answers and records (design §5 names what is recorded; all else is read unrecorded)."""

    who: str
    records: tuple[str, ...] = ()
    status: int = 200
    theirs: int = 200


@dataclass(frozen=True)
class Write:
    """A POST: the names of the events it makes, in order and each once. ``why``: nothing, and the reason."""

    who: str
    data: dict[str, Any] | Callable[[World], dict[str, Any]]
    records: tuple[str, ...] = ()
    status: int = 302
    theirs: int = 302
    why: str = ""


@dataclass(frozen=True)
class Case:
    """One address. ``hidden`` is what answers for a thing that is not there, or not the reader's.

    ``closed`` are the things put in the place of the path's to make one that exists and that a member may not see.
    """

    name: str
    path: str
    read: Read | None = None
    write: Write | None = None
    kind: str = PAGE
    closed: dict[str, str] = field(default_factory=dict)
    hidden: int = 404
    why_open: str = ""

    @property
    def names_a_thing(self) -> bool:
        return bool(self.things)

    @property
    def things(self) -> list[str]:
        """The parts of the path that name a thing of one organization."""
        return [name for name in re.findall(r"{(\w+)}", self.path) if name not in {"clause", "finding"}]


def _marked(address: str, data: dict[str, Any]) -> Callable[[World], dict[str, Any]]:
    """Return data that carries the mark ``seen`` of the page before."""

    def make(world: World) -> dict[str, Any]:
        page = world.page(world.address(address), {key: world.address(str(value)) for key, value in data.items()})
        found = re.search(r'name="seen" value="([^"]+)"', page)
        assert found, "the page before shows no mark"
        return {**{key: world.address(str(value)) for key, value in data.items()}, "seen": html.unescape(found[1])}

    return make


def _filled(**data: Any) -> Callable[[World], dict[str, Any]]:
    return lambda world: {key: world.address(value) for key, value in data.items()}


GRANT = {
    "effect": "grant", "who": "everyone:", "actions": "list", "where": "folder:{folder}", "highest": "2", "reason": "契約の担当",
}  # fmt: skip
_BEFORE_LOG_IN = "whoever logs in is not logged in yet"
_CODES_NEED_A_DEVICE = "a wrong code changes nothing; a right one is shown in test_factors.py"

CASES: tuple[Case, ...] = (
    # Home
    Case("home", "/", Read(MEMBERS)),
    Case("home-changes", "/changes/", Read(MEMBERS), kind=FRAGMENT),
    Case("checks-run", "/checks/run/", write=Write(EDITORS, {}, ("checks:run",)), kind=ACT),
    Case("requirement", "/requirements/{clause}/", Read(MEMBERS)),
    Case("findings", "/findings/", Read(MEMBERS)),
    Case(
        "finding-accept", "/findings/accept/?finding={finding}", Read(EDITORS, theirs=422),
        Write(EDITORS, _filled(finding="{finding}", reason="来月行うため", until="2026/12/31"), ("finding:accept",), theirs=422),
    ),
    # Set-up, import, export
    Case("setup", "/setup/", Read(MEMBERS)),
    Case(
        "import", "/import/", Read(EDITORS),
        Write(EDITORS, lambda _world: {"file": workbook()}, why="an upload that waits an hour for its import"),
    ),
    Case("import-template", "/import/template/", Read(MEMBERS), kind=DOWNLOAD),
    Case("export-all", "/import/export/", Read(OFFICERS, ("register:export-all",)), kind=DOWNLOAD),
    Case("import-preview", "/import/{upload}/", Read(EDITORS, ("contact:view",)), hidden=410),
    Case(
        "import-apply", "/import/{upload}/apply/", kind=ACT, hidden=410,
        write=Write(EDITORS, _marked("/import/{upload}/", {}), ("contact:put", "register:import")),
    ),
    Case("import-choose", "/import/{upload}/choose/?key=member", Read(EDITORS, status=302, theirs=302), hidden=302),
    Case(
        "import-mapping", "/import/{upload}/map/contact/", Read(EDITORS),
        Write(EDITORS, {"step": "look", "sheet": "緊急連絡先", "header_row": "1"}, status=200, why="looked at only"),
    ),
    Case("health", "/healthz", Read(STRANGERS), kind=PROGRAM, why_open="says whether it runs, to what watches it"),
    # Access
    Case(
        "access-folders", "/access/", Read(OFFICERS),
        Write(EDITORS, _filled(name="監査", parent="{folder}", department=""), ("folder:make",), theirs=422),
    ),
    Case(
        "access-folder", "/access/folders/{folder}/", Read(OFFICERS),
        Write(EDITORS, lambda world: {"parent": world["root"], "department": "総務部"}, ("folder:move",)),
    ),
    Case(
        "access-new", "/access/entries/new/", Read(EDITORS),
        Write(EDITORS, _marked("/access/entries/new/", GRANT), ("access:grant",), theirs=422),
    ),
    Case(
        "access-withdraw", "/access/entries/grant/{grant}/withdraw/", Read(EDITORS),
        Write(EDITORS, {"reason": "異動"}, ("access:withdraw",)),
    ),
    Case("access-why", "/access/why/?document=C-1&member=0001", Read(OFFICERS, ("log:list",))),
    Case("access-reach", "/access/reach/?member=0001", Read(OFFICERS)),
    Case("access-requests", "/access/requests/", Read(MEMBERS)),
    Case(
        "access-ask", "/access/requests/new/", Read(MEMBERS),
        Write(MEMBERS, {"wanted": "C-9", "reason": "監査の準備", "until": "2026/12/31"}, ("access-request:ask",)),
    ),
    Case(
        "access-answer", "/access/requests/{request}/", Read(EDITORS),
        Write(EDITORS, {"refuse": "1", "highest": "2", "answer": "担当ではないため"}, ("access-request:answer",)),
    ),
    Case(
        "access-emergency", "/access/emergency/", Read(MEMBERS),
        Write(MEMBERS, {"number": "Z-0", "hours": "1", "reason": "障害の対応"}, ("access:break-glass",)),
    ),
    Case(
        "access-emergency-review", "/access/emergency/{glass}/", Read(OFFICERS),
        Write(OFFICERS, {"outcome": "justified", "note": "障害票で確かめた"}, ("access:review-break-glass",)),
    ),
    Case("access-reviews", "/access/review/", Read(OFFICERS)),
    Case(
        "access-review", "/access/review/{grant}/", Read(EDITORS),
        Write(EDITORS, {"outcome": "keep", "note": ""}, ("access:review",)),
    ),
    # Registers
    Case("list", "/registers/document/", Read(MEMBERS)),
    Case("list-export", "/registers/document/export.csv", Read(OFFICERS, ("register:export",)), kind=DOWNLOAD),
    Case("list-row", "/registers/document/{document}/", Read(MEMBERS), closed={"document": "closed"}),
    Case(
        "document-file", "/documents/{document}/files/{state}/", Read(MEMBERS, ("document:view",)), kind=DOWNLOAD,
        closed={"document": "closed", "state": "closed_state"},
    ),
    # Accounts
    Case("accounts", "/accounts/", Read(OFFICERS)),
    Case(
        "account-invite", "/accounts/invite/", Read(EDITORS),
        Write(
            EDITORS, _filled(member="{member}", email="takahashi@kaisha.example", language="ja", way="paper"),
            ("account:create", "account:issue-code", "account:invite-member"), status=200, theirs=422,
        ),
    ),
    Case("account", "/accounts/{account}/", Read(OFFICERS)),
    Case(
        "account-act", "/accounts/{account}/act/", write=Write(EDITORS, {"do": "stop"}, ("account:stop",)), kind=ACT,
    ),
    Case("factor-reset", "/accounts/{account}/factors/", Read(EDITORS), Write(EDITORS, {}, ("factor:reset",))),
    Case(
        "own-account", "/account/", Read(MEMBERS),
        Write(MEMBERS, {"label": "月次報告の集計", "ttl": "1h"}, ("token:create",), status=200, theirs=200),
    ),
    Case(
        "own-account-act", "/account/act/", kind=ACT,
        write=Write(MEMBERS, {"do": "end-others"}, why="there is no other log-in; test_sessions.py ends some"),
    ),
    Case(
        "console-seen", "/accounts/console/seen/", kind=ACT,
        write=Write(OFFICERS, {"account": "x"}, why="the console invited nobody; test_home.py"),
    ),
    Case(
        "own-password", "/account/password/", Read(MEMBERS),
        Write(
            MEMBERS, {"current": PASSWORD, "password": "asagao-no-niwa-2026", "again": "asagao-no-niwa-2026"},
            ("account:set-password",),
        ),
    ),
    # Log-in and factors
    Case(
        "login", "/login", Read(STRANGERS, status=302, theirs=302), why_open=_BEFORE_LOG_IN,
        write=Write(STRANGERS, {"username": "x", "password": "y"}, why="who is logged in is sent on; test_recorded_pages.py fails one"),
    ),
    Case(
        "login-second", "/login/second", Read(STRANGERS, status=302, theirs=302), why_open=_BEFORE_LOG_IN,
        write=Write(STRANGERS, {"way": "totp", "code": "000000"}, why="nobody is half-way logged in: back to the start"),
    ),
    Case(
        "login-passkey", "/login/passkey", kind=ACT, why_open=_BEFORE_LOG_IN,
        write=Write(STRANGERS, {"answer": ""}, ("session:login-failed",)),
    ),
    Case(
        "passkey-begin", "/login/passkey/begin", kind=ACT, why_open=_BEFORE_LOG_IN,
        write=Write(STRANGERS, {}, status=200, theirs=200, why="a challenge proves nothing yet"),
    ),
    Case(
        "login-oidc", "/login/oidc", Read(STRANGERS, ("access:refuse",), status=404, theirs=404), kind="leads to the provider",
        why_open="no provider is set here, so nothing is there; test_oidc.py sets one",
    ),
    Case(
        "login-oidc-return", "/login/oidc/return", Read(STRANGERS, ("access:refuse",), status=404, theirs=404),
        kind="leads to where one wanted to go", why_open="as login-oidc",
    ),
    Case("step-up", "/confirm", Read(MEMBERS), Write(MEMBERS, {"way": "password", "password": PASSWORD}, ("session:step-up",))),
    Case("factors", "/account/factors/", Read(MEMBERS)),
    Case(
        "factor-totp", "/account/factors/totp/", Read(MEMBERS),
        Write(MEMBERS, {"name": "電話", "code": "000000"}, status=422, theirs=422, why=_CODES_NEED_A_DEVICE),
    ),
    Case(
        "factor-passkey", "/account/factors/passkey/", Read(MEMBERS),
        Write(MEMBERS, {"name": "電話", "answer": ""}, status=422, theirs=422, why=_CODES_NEED_A_DEVICE),
    ),
    Case(
        "factor-passkey-begin", "/account/factors/passkey/begin", kind=ACT,
        write=Write(MEMBERS, {}, status=200, theirs=200, why="a challenge proves nothing yet"),
    ),
    Case(
        "factor-recovery", "/account/factors/recovery/", kind=ACT,
        write=Write(MEMBERS, {}, why="who has no factor gets no codes"),
    ),
    Case(
        "factor-remove", "/account/factors/{factor}/remove/", kind=ACT, hidden=302,
        write=Write(MEMBERS, {}, why="somebody else's: said as if it were not there"),
    ),
    Case("logout", "/logout", kind=ACT, write=Write(MEMBERS, {}, ("session:logout",))),
    Case(
        "start-with-code", "/start", Read(STRANGERS), why_open=_BEFORE_LOG_IN,
        write=Write(
            STRANGERS, {"email": "nobody@kaisha.example", "code": "AAAAA-AAAAA-AAAAA-AAAAA", "password": PASSWORD, "again": PASSWORD},
            ("session:login-failed",), status=422, theirs=422,
        ),
    ),
    Case(
        "set-language", "/language", kind=ACT, why_open="the log-in page is read in a language too",
        write=Write(STRANGERS, {"language": "en"}, ("account:set-language",)),
    ),
    # Guideline, regulation
    Case("guideline", "/guideline/", Read(MEMBERS)),
    Case(
        "guideline-clause", "/guideline/clause/{clause}/", Read(MEMBERS),
        Write(EDITORS, {"page": "PDF 41頁（印字35頁）"}, ("clause:review",)),
    ),
    Case("regulation", "/regulation/", Read(MEMBERS, ("regulation:view",))),
    Case(
        "regulation-download", "/regulation/download/pdf/?edition={edition}", Read(MEMBERS, ("regulation:download",)),
        kind=DOWNLOAD,
    ),
    Case("regulation-editions", "/regulation/editions/", Read(MEMBERS)),
    Case("regulation-edition", "/regulation/editions/{edition}/", Read(MEMBERS, ("regulation:view",))),
    Case(
        "regulation-adopt", "/regulation/adopt/", Read(EDITORS),
        Write(EDITORS, {"source": "own"}, status=422, theirs=422, why="without a file nothing takes effect; test_regulation_pages.py"),
    ),
    # The API
    Case("api-me", "/api/v1/me", Read(MEMBERS), kind=PROGRAM),
    Case("api-who", "/api/v1/who/chief-officer", Read(MEMBERS), kind=PROGRAM),
    Case("api-findings", "/api/v1/findings", Read(MEMBERS), kind=PROGRAM),
    Case("api-documents", "/api/v1/documents", Read(MEMBERS), kind=PROGRAM),
    Case("api-document", "/api/v1/documents/{document}", Read(MEMBERS), kind=PROGRAM, closed={"document": "closed"}),
    Case("api-log", "/api/v1/log", Read(OFFICERS, ("log:list",)), kind=PROGRAM),
    Case("api-unknown", "/api/v1/nothing-here", Read(MEMBERS, ("access:refuse",), 404, 404), kind=PROGRAM),
    # The log
    Case("log", "/log/", Read(OFFICERS, ("log:list",))),
    Case("log-event", "/log/events/{event}/", Read(OFFICERS, ("log:view",))),
    Case("log-proof", "/log/events/{event}/proof/", Read(OFFICERS, ("log:proof",)), kind=DOWNLOAD),
    Case("log-export", "/log/export/", Read(OFFICERS, ("log:export",)), kind=DOWNLOAD),
    Case("log-checkpoint", "/log/checkpoint/", Read(OFFICERS), kind=DOWNLOAD),
    Case("log-key", "/log/key/", Read(OFFICERS), kind=DOWNLOAD),
    Case("log-verifier", "/log/verifier/", Read(OFFICERS), kind=DOWNLOAD),
)  # fmt: skip

BY_NAME = {case.name: case for case in CASES}
assert len(BY_NAME) == len(CASES), "an address stands here twice"
