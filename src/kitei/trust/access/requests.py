"""Who acts in a web request, for the views of every room. The web room's middleware sets it."""

from __future__ import annotations

from django.http import HttpRequest

from kitei.trust.access.rule import Actor


def actor_of(request: HttpRequest) -> Actor:
    """Return who acts. RuntimeError on a page that anonymous readers reach: there the question is wrong."""
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        raise RuntimeError("this page asked who acts, but nobody is logged in")
    return actor
