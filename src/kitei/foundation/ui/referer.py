"""Where a reader came from, as an address of ours that is safe to go back to."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def came_from(request: HttpRequest) -> str:
    """Return path and query of the page before when it is one of ours, else an empty text.

    The path is checked as well as the whole address: ``https://ours//evil.example/`` is ours, but its path alone sends
    a browser to evil.example.
    """
    referer = request.headers.get("referer", "")
    if not url_has_allowed_host_and_scheme(
        referer, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return ""
    parts = urlsplit(referer)
    address = parts.path + (f"?{parts.query}" if parts.query else "")
    return address if url_has_allowed_host_and_scheme(address, allowed_hosts=None) else ""
