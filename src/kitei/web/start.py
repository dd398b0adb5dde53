"""Where one lands after log-in while no home page is there: the first page of the navigation."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse

from kitei.foundation.ui import lists


def page(request: HttpRequest) -> HttpResponse:
    """Go to the first section."""
    for entry in lists.sections():
        try:
            return redirect(reverse(entry.url, args=entry.args))
        except NoReverseMatch:
            continue
    return render(request, "errors/404.html", status=404)
