"""Whose failed log-ins are counted together: a name from a network, or a name from a device that has logged in with it.

A lock-out must not be a weapon. Strangers' failures count for their own network only, and a browser that logged in with an
account before brings a cookie that says so: it is counted apart, so that not even somebody behind the same address (an office,
a household) locks its owner out. With a stolen cookie one gains eight tries more a quarter of an hour, nothing else. Passkeys
and the OpenID provider are not counted here at all.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import unicodedata
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import constant_time_compare

from kitei.trust.accounts.factors_sealing import keyed_digest
from kitei.trust.accounts.models import User

_HOUSEHOLD = 64  # a household or office holds a whole /64 of IPv6: its single addresses are free to choose
_YEAR = 365 * 24 * 60 * 60
_PEOPLE = 4  # who share a computer
_ENTRY = re.compile(r"([0-9a-f]{16})-([0-9a-f]{64})")


def counted_name(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """Return what django-axes counts failures under: the typed mail address, whatever its case, and a known device's mark.

    Failures arrive with Django's ``username``, checks with whatever axes calls the field; both have to meet in one
    counter, or nobody is ever locked out.
    """
    given = credentials or request.POST
    name = _folded(str(given.get("username") or given.get("email") or ""))
    device = _device(request, name)
    return f"{name[:230]} {device}" if device else name[:254]


def counted_network(request: HttpRequest) -> str | None:
    """Return what django-axes counts failures from: the address, of IPv6 the network it stands in; None without one."""
    try:
        address = ipaddress.ip_address(str(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _HOUSEHOLD), strict=False).network_address)
    return str(address)


def remember_device(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Let the browser know that it logged in with this account, for a year. The cookie names nobody."""
    name = _folded(user.email)
    mark = _device(request, name) or secrets.token_hex(8)
    mine = f"{mark}-{_seal(name, mark)}"
    others = [entry for entry in _entries(request) if entry != mine]
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        ".".join([mine, *others][:_PEOPLE]),
        max_age=_YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _folded(typed: str) -> str:
    return unicodedata.normalize("NFKC", typed).strip().casefold()


def _entries(request: HttpRequest) -> list[str]:
    given = request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "").split(".")
    return [entry for entry in given if _ENTRY.fullmatch(entry)][:_PEOPLE]


def _device(request: HttpRequest, name: str) -> str:
    """Return the mark of a device that logged in with this name before; empty for any other."""
    for entry in _entries(request):
        mark, _, seal = entry.partition("-")
        if constant_time_compare(seal, _seal(name, mark)):
            return mark
    return ""


def _seal(name: str, mark: str) -> str:
    return keyed_digest(f"{mark}:{name}", purpose="device")
