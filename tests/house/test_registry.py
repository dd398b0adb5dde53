"""What the running application must be able to say about itself: events, addresses, migrations, both languages."""

from __future__ import annotations

import importlib
import importlib.util
import re

import pytest
from django.core.management import call_command
from django.urls import URLPattern, get_resolver

from house.floors import ROOT, SOURCE
from kitei.foundation import clock
from kitei.foundation.ui import lists
from kitei.trust.access import rule
from kitei.trust.auditlog import vocabulary

# Reached without an account: logging in, the first pass word, the language, and the answer to "are you alive".
OPEN = {"login", "start-with-code", "set-language", "health"}
# The second half of logging in, a passkey instead of it, and the company's OpenID provider: nobody is known there yet.
OPEN |= {"login-second", "login-passkey", "passkey-begin", "login-oidc", "login-oidc-return"}
# The API answers who is not known in JSON (401) instead of sending a program to the log-in page: tests/web/test_api.py.
OPEN |= {"api-me", "api-who", "api-findings", "api-documents", "api-document", "api-log", "api-unknown"}
JAPANESE = re.compile(r"[぀-ヿ㐀-鿿]")


def tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def routes(patterns, prefix=""):
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield pattern.name or prefix + str(pattern.pattern), pattern.callback
        else:
            yield from routes(pattern.url_patterns, prefix + str(pattern.pattern))


def every_event():
    for path in SOURCE.rglob("events.py"):
        importlib.import_module(".".join(("kitei", *path.relative_to(SOURCE).with_suffix("").parts)))
    return vocabulary.known()


def test_every_event_has_a_name_a_japanese_and_an_english_label():
    known = every_event()
    assert len(known) > 10
    for name, event in known.items():
        assert re.fullmatch(r"[a-z][a-z-]*:[a-z][a-z-]*", name), name
        assert JAPANESE.search(event.ja), name
        assert event.en.isascii(), name
        assert event.en[:1].isupper(), name
    labels = [event.ja for event in known.values()]
    assert len(labels) == len(set(labels)), "two events that read alike cannot be told apart in the log"


def test_the_reference_page_of_events_is_up_to_date():
    every_event()
    page = ROOT / "docs" / "reference" / "events.md"
    assert page.read_text(encoding="utf-8") == tool("reference").events_page(), "run: python tools/reference.py"


def test_an_event_name_is_declared_once_and_well_formed():
    with pytest.raises(ValueError, match="twice"):
        vocabulary.declare("session:login", "別の意味", "Another meaning")
    with pytest.raises(ValueError, match="subject:action"):
        vocabulary.declare("login", "ログイン", "Logged in")


def test_every_address_needs_a_log_in_unless_it_is_on_the_list():
    found = dict(routes(get_resolver().url_patterns))
    assert len(found) > 5
    reachable = {name for name, view in found.items() if not getattr(view, "login_required", True)}
    assert reachable == OPEN & set(found)
    assert set(found) >= OPEN


def test_every_address_has_a_name_of_its_own():
    names = [name for name, _ in routes(get_resolver().url_patterns)]
    assert sorted(names) == sorted(set(names))


def test_migrations_are_complete(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_english_catalogue_has_no_gap():
    gaps = tool("catalogue").gaps()
    assert gaps == [], f"{len(gaps)} gaps; python tools/catalogue.py gaps lists them"


def test_a_register_has_one_name_for_the_access_rule(sakura):
    """A deny on a register has to reach its page and its rows: both ask the rule by this name."""
    worker = rule.Actor("worker", "", sakura)
    for spec in lists.specs():
        model = spec.query(actor=worker, day=clock.today()).model
        assert rule.register_of(model._meta.label_lower) == rule.register_of(spec.key), spec.key
