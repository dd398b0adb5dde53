"""Under which name django-axes counts failed log-ins."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest


def counted_name(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """Return the typed mail address as accounts are looked up by it: whatever its case.

    Failures arrive with Django's ``username``, checks with whatever axes calls the field; both have to meet in one
    counter, or nobody is ever locked out.
    """
    given = credentials or request.POST
    typed = given.get("username") or given.get("email") or ""
    return unicodedata.normalize("NFKC", str(typed)).strip().casefold()[:254]
