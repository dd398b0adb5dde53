"""Answers of the API that are no data: one JSON shape for all, ``{"error": {"code", "message"}}``."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from kitei.foundation.text import UserError
from kitei.trust.access import operations as access
from kitei.trust.access.rule import Refused
from kitei.trust.auditlog.log import UnrecordedError
from kitei.web.api.pace import Slow


class ErrorDetail(Schema):
    """What went wrong: a fixed code for programs and a sentence for people."""

    code: str
    message: str


class ErrorOut(Schema):
    """The body of every answer that is no data."""

    error: ErrorDetail


def answer(status: int, code: str, message: str) -> HttpResponse:
    """Return an error as JSON; nothing of the API is kept by anybody on the way."""
    response = JsonResponse(
        {"error": {"code": code, "message": message}}, status=status, json_dumps_params={"ensure_ascii": False}
    )
    response["Cache-Control"] = "no-store"
    return response


def not_found() -> HttpResponse:
    """Answer for what does not exist and for what may not be seen: the same for both."""
    return answer(404, "not-found", _("見つからないか、閲覧できません。"))


def unauthorised() -> HttpResponse:
    """Answer for who is not known: no token, a wrong or ended one, no log-in."""
    response = answer(401, "unauthorised", _("ログインしていないか、トークンが使えません。"))
    response["WWW-Authenticate"] = 'Bearer realm="kitei"'
    return response


def not_allowed(allow: str) -> HttpResponse:
    """Answer for a method the address does not take; ``allow`` names those it takes."""
    response = answer(405, "method-not-allowed", _("このAPIは読むだけです。GET又はHEADで要求してください。"))
    response["Allow"] = allow
    return response


def too_many(seconds: int) -> HttpResponse:
    """Answer for who asks too often; ``seconds`` until asking makes sense again."""
    response = answer(
        429,
        "too-many-requests",
        _("要求が多すぎます。%(seconds)s秒待ってから、もう一度要求してください。") % {"seconds": seconds},
    )
    response["Retry-After"] = str(seconds)
    return response


def _refused(request: HttpRequest, refused: Refused) -> HttpResponse:
    request.refusal_recorded = True  # type: ignore[attr-defined]  # read by the middleware
    access.record_refusal(refused=refused, path=request.get_full_path()[:500])
    return not_found()


def _wrong(request: HttpRequest, error: ValidationError) -> HttpResponse:
    # Where it is wrong, never what was sent: that may be a name.
    places = sorted({".".join(str(part) for part in found["loc"][1:]) for found in error.errors})
    return answer(422, "invalid", _("次の項目を直してください: %(places)s") % {"places": "、".join(places)})


def _unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return unauthorised()


def _mendable(request: HttpRequest, error: UserError) -> HttpResponse:
    return answer(422, "invalid", str(error))


def _unrecorded(request: HttpRequest, error: UnrecordedError) -> HttpResponse:
    response = answer(503, "unrecorded", _("操作記録に書けないため、表示できません"))
    response["Retry-After"] = "60"
    return response


def _slow(request: HttpRequest, error: Slow) -> HttpResponse:
    return too_many(error.seconds)


def _other(request: HttpRequest, error: HttpError) -> HttpResponse:
    return answer(error.status_code, "error", str(error))


def install(api: NinjaAPI) -> None:
    """Let the API answer every foreseen trouble in the one shape."""
    handlers: list[tuple[type[Exception], Any]] = [
        (Refused, _refused),
        (AuthenticationError, _unknown),
        (ValidationError, _wrong),
        (UserError, _mendable),
        (UnrecordedError, _unrecorded),
        (Slow, _slow),
        (HttpError, _other),
    ]
    for kind, handler in handlers:
        api.add_exception_handler(kind, handler)
