"""Every address of the application, in both languages, on both windows."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, URLPattern, get_resolver, resolve

from browser.driving import PASSWORD, PHONE, WIDE, log_in, submit
from browser.pages import check_page, faults
from web.access_matrix import CASES, PAGE

# What is no page to look at, and why: the access matrix says so.
NO_PAGE = {case.name: case.kind for case in CASES if case.kind != PAGE}

# Reached by doing something, and looked at in test_first_steps.py, test_factors.py or test_access.py.
BY_DOING = {
    "login-second",
    "access-withdraw",
    "access-answer",
    "access-emergency-review",
    "access-review",
    "step-up",
    "factor-passkey",  # no link under a bare IP address, where browsers have no passkeys
    "login",
    "start-with-code",
    "setup",
    "import-preview",
    "import-choose",
    "import-mapping",
    "regulation-adopt",
    "finding-accept",
}


def names(patterns):
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield pattern.name
        else:
            yield from names(pattern.url_patterns)


def kind_of(path):
    """Return what makes a page one of its own: the address's name and the list's key; None for what is no page."""
    try:
        match = resolve(path)
    except Resolver404:
        return None
    if match.url_name in NO_PAGE or match.url_name is None:
        return None
    return (match.url_name, match.kwargs.get("key", ""))


def walk(page, *, colours):
    """Follow links from home until one page of every kind was seen; return kind -> address, and what is wrong."""
    seen, waiting = {}, ["/"]
    wrong = []
    sizes = (WIDE, PHONE)
    while waiting:
        path = waiting.pop(0)
        kind = kind_of(urlsplit(path).path)
        if kind is None or kind in seen:
            continue
        seen[kind] = path
        answer = page.goto(path)
        if answer.status != 200:
            wrong.append(f"{path}: status {answer.status}")
        wrong += faults(page, sizes, colours=colours)
        links = page.eval_on_selector_all("a[href]:not([download])", "all => all.map(each => each.href)")
        home = urlsplit(page.url).netloc
        waiting += [
            f"{urlsplit(link).path}?{urlsplit(link).query}".rstrip("?")
            for link in links
            if urlsplit(link).netloc == home
        ]
    return seen, wrong


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_is_in_order(demo, sign_in, language):
    page = sign_in(demo, language)
    # The same elements have the same colours in either language: contrast is worked out in one of them.
    seen, wrong = walk(page, colours=language == "ja")
    assert wrong == [], "\n".join(wrong)
    unseen = set(names(get_resolver().url_patterns)) - {name for name, _ in seen} - set(NO_PAGE) - BY_DOING
    assert unseen == set(), "addresses that no link leads to; name them in NO_PAGE with the reason, or link them"
    assert len([kind for kind in seen if kind[0] == "list"]) >= 8
    assert page.evaluate("document.documentElement.lang") == language


def test_the_log_in_page_before_and_after_a_wrong_password(demo, open_browser):
    for language in ("ja", "en"):
        page = open_browser(demo, language)
        page.goto("/login")
        assert page.evaluate("document.documentElement.lang") == language
        check_page(page)
        form = page.locator("main form").first
        form.locator("[name=username]").fill("nobody@sakura.example")
        form.locator("[name=password]").fill("chigau-kotoba-2026")
        submit(page, form.locator("button[type=submit]"))
        assert page.locator("[role=alert]").count() == 1
        page.complaints[:] = [said for said in page.complaints if "422" not in said]  # Chromium tells of the status
        check_page(page)
        page.goto("/start")
        check_page(page)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_what_is_not_there_and_what_may_not_be_seen_look_alike_and_are_in_order(demo, sign_in, language):
    page = sign_in(demo, language)
    for path in ("/registers/member/0192f000-0000-7000-8000-000000000000/", "/no-such-page/"):
        answer = page.goto(path)
        assert answer.status == 404
        page.complaints[:] = [said for said in page.complaints if "404" not in said]
        check_page(page)


def test_a_person_changes_the_language_and_it_stays(demo, open_browser):
    page = log_in(open_browser(demo), demo.accounts["ja"])
    page.goto("/registers/member/?q=佐藤")
    submit(page, page.locator("header [name=language]").first)
    assert page.evaluate("document.documentElement.lang") == "en"
    assert "q=" in page.url, "one stays on the page one was on"
    page.goto("/")
    assert page.evaluate("document.documentElement.lang") == "en"
    submit(page, page.locator("header [name=language]").first)
    assert page.evaluate("document.documentElement.lang") == "ja"
    assert page.complaints == []


def test_nobody_reads_a_page_after_logging_out(demo, sign_in):
    page = sign_in(demo)
    page.goto("/registers/member/")
    submit(page, page.locator("header form[action='/logout'] button"))
    page.goto("/registers/member/")
    assert urlsplit(page.url).path == "/login"
    assert page.complaints == []


def test_the_demo_says_so_and_lets_a_visitor_in_with_one_click(demo, open_browser):
    page = open_browser(demo)
    page.goto("/login")
    assert PASSWORD in page.inner_text("main")
    page.locator("main table button").first.click()
    page.wait_for_url("**/")
    assert page.locator("aside.demo").is_visible()


def test_a_list_works_with_the_keyboard_alone(demo, sign_in):
    page = sign_in(demo)
    page.goto("/registers/member/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.matches('[data-search]')")
    page.keyboard.type("佐藤")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=**")
    assert page.locator("[data-rows] tr").count() >= 1
    page.locator("body").press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/registers/member/*-*/**")
    assert page.complaints == []
