"""The security headers of every answer: pages, errors, files, the API, static files, and what other middleware answers.

Three rules. A page may load from our origin only and runs nothing inline. Anything that is no page gets a policy that
allows nothing, in a sandbox, and what a browser could run or render is only ever sent as an attachment. Nothing but
static files is kept by anybody: each opening is recorded before it is answered (design §5), and a copy in a cache would be
an opening that no record shows. That holds for documents of every 閲覧区分, 公開 included.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

GetResponse = Callable[[HttpRequest], HttpResponseBase]
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation", "gyroscope",
        "hid", "magnetometer", "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking",
    )
)  # fmt: skip
FILE_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; sandbox"
)
INLINE = frozenset({"text/html", "text/plain", "application/json"})
"""What views may send without its being an attachment; browsers run scripts of the first only, which are our own pages."""
LOCKED_SECONDS = 900
"""How long a door stays closed after too many failures (AXES_COOLOFF_TIME, factors_tries.SPAN)."""


class HeadersMiddleware:
    """Sets the headers that no answer may lack. Stands outermost."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, with headers."""
        response = self.get_response(request)
        harden(response, static=_is_static(request, response))
        return response


def harden(response: HttpResponseBase, *, static: bool = False) -> None:
    """Set the headers of one answer; ``static``: a file of the program, the same for everybody."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    attached = response.headers.get("Content-Disposition", "").lower().startswith("attachment")
    if not static:
        response["Cache-Control"] = "no-store"
        response.headers.pop("Expires", None)
        if kind and kind not in INLINE and not attached:
            response["Content-Disposition"] = "attachment"
    page = kind == "text/html" and not attached
    response["Content-Security-Policy"] = build_policy() if page else FILE_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Frame-Options"] = "DENY"
    response["Referrer-Policy"] = settings.SECURE_REFERRER_POLICY
    response["Permissions-Policy"] = PERMISSIONS_POLICY
    response["Cross-Origin-Opener-Policy"] = "same-origin"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    if settings.SECURE_HSTS_SECONDS:
        # By the setting, not by the request: a proxy that does not say https must not switch it off.
        response["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains"
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS and "Retry-After" not in response.headers:
        response["Retry-After"] = str(LOCKED_SECONDS)


def _is_static(request: HttpRequest, response: HttpResponseBase) -> bool:
    served = response.status_code in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.NOT_MODIFIED}
    return served and request.path_info.startswith(settings.STATIC_URL)
