"""Addresses of the API. Who is not known is answered in JSON, not sent to the log-in page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from kitei.web.api import views

READS = ("GET", "HEAD")


def _plain(pattern: URLPattern) -> URLPattern:
    """Return a route of the API that answers reading by itself, and of which nothing is kept on the way."""
    inner = pattern.callback

    def view(request: HttpRequest, *given: object, **named: object) -> HttpResponse:
        response: HttpResponse
        if request.method in READS:
            # Ninja knows no HEAD; the server leaves the body of the answer out.
            asked, request.method = request.method, "GET"
            response = inner(request, *given, **named)
            request.method = asked
        else:
            response = views.wrong_method(request)
        response["Cache-Control"] = "no-store"
        return response

    view.csrf_exempt = True  # type: ignore[attr-defined]  # every route only reads
    pattern.callback = login_not_required(view)
    return pattern


# The root page and the pages of the description are left out: the description stands in docs/reference/openapi.json.
urlpatterns = [
    *(_plain(found) for found in views.api.urls[0] if isinstance(found, URLPattern) and found.name != "api-root"),
    re_path(r"^(?P<rest>.*)$", csrf_exempt(login_not_required(views.unknown)), name="api-unknown"),
]
