"""Error pages: what happened and what to do, in the reader's language, without anything a stranger could use.

Missing and forbidden are the same page (design §3 "One way to read"): same status, same body, same headers.
"""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.utils import translation

from kitei.foundation.text import UserError
from kitei.foundation.ui import referer


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer for what does not exist and for what may not be seen. The middleware records it for who is logged in."""
    from kitei.web.access.forms import AskForm  # noqa: PLC0415  this page is imported before the apps are ready

    # The same empty form whatever was asked for; the address comes from the page one posts it from.
    ask = AskForm() if getattr(request, "actor", None) is not None else None
    return render(request, "errors/404.html", {"ask": ask}, status=404)


def refused_by_django(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A 403 of Django's own is the same page as well."""
    return not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer for a request that cannot be read (a forged host) or holds too much. The database is not asked."""
    if isinstance(exception, (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)):
        return too_large(request)
    return _bare("errors/400.html", request, 400)


def too_large(request: HttpRequest, language: str = "") -> HttpResponse:
    """Answer for more than anybody may send; what was sent is not read to its end. The database is not asked."""
    if language:
        request.plain_language = language  # type: ignore[attr-defined]  # read by _bare
    response = _bare("errors/413.html", request, 413)
    if request.META.get("SERVER_SOFTWARE", "").startswith("gunicorn"):
        # What still comes is not read. Other servers see to that themselves and let no application say so.
        response["Connection"] = "close"
    return response


def too_often(request: HttpRequest, seconds: int) -> HttpResponse:
    """Answer for who has done this often enough for now: when to try again. Nothing was done."""
    response = render(
        request, "errors/429.html", {"minutes": -(-seconds // 60), "back": came_from(request)}, status=429
    )
    response["Retry-After"] = str(seconds)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer for a form whose protection mark is missing or old."""
    return render(request, "errors/csrf.html", {"back": came_from(request)}, status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for a fault of ours: a number to tell the administrator, no details. The database is not asked."""
    return _bare("errors/500.html", request, 500)


def unrecorded(request: HttpRequest) -> HttpResponse:
    """Answer when the log cannot be written: nothing is shown and nothing was done. The database is not asked."""
    response = _bare("errors/503.html", request, 503)
    response["Retry-After"] = "60"
    return response


def user_error(request: HttpRequest, error: UserError) -> HttpResponse:
    """Answer for something the person can mend and no form could show."""
    return render(request, "errors/422.html", {"message": str(error), "back": came_from(request)}, status=422)


def came_from(request: HttpRequest) -> str:
    """Return the address of the page before, if it is one of ours and another one; else the start page."""
    before = referer.came_from(request)
    return before if before.partition("?")[0] not in {"", request.path} else "/"


def _bare(template: str, request: HttpRequest, status: int) -> HttpResponse:
    # Made inside the language middleware or, when that failed, outside of it.
    active = translation.get_language()
    language = active if active in {"ja", "en"} else "ja"
    if getattr(request, "request_id", "") == "":
        language = getattr(request, "plain_language", language)
    context = {"language": language, "request_id": getattr(request, "request_id", "")}
    with translation.override(language):
        return HttpResponse(get_template(template).render(context), status=status)
