"""What every page has to keep: no axe violation, nothing wider than the window, a silent console, one language."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe

from browser.driving import PHONE, WIDE

axe = Axe()
WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# What stands out of the window, to name it in the failure; what scrolls inside its own box is meant to.
CULPRITS = """() => [...document.querySelectorAll('body *')]
  .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .slice(0, 5).map(e => e.tagName + '.' + e.className)"""


def violations(page, *, colours=True):
    """Return what axe finds on the page as it stands now; its script is given to a page once.

    Three quarters of its time go into contrast, which it works out for every word; ``colours`` tells whether to.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe.axe_script)
    return page.evaluate(
        """colours => axe.run({resultTypes: ['violations'], rules: {'color-contrast': {enabled: colours}}})
             .then(found => found.violations)""",
        colours,
    )


def faults(page, sizes=(WIDE, PHONE), *, colours=True):
    """Return a line for everything that is wrong with the page as it stands now."""
    found = []
    for size in sizes:
        page.set_viewport_size(size)
        where = f"{page.url} at {size['width']} px"
        # Colours do not depend on the width of the window.
        for violation in violations(page, colours=colours and size == sizes[0]):
            places = [" ".join(map(str, node["target"])) for node in violation["nodes"][:3]]
            found.append(f"{where}: {violation['id']}: {violation['help']}: {places}")
        over = page.evaluate(WIDTH)
        if over > 0:
            found.append(f"{where}: {over} px too wide: {page.evaluate(CULPRITS)}")
    if not page.title().strip():
        found.append(f"{page.url}: no title")
    if page.locator("h1").count() != 1:
        found.append(f"{page.url}: {page.locator('h1').count()} h1")
    found += page.complaints
    page.complaints.clear()
    page.set_viewport_size(WIDE)
    return found


def check_page(page, sizes=(WIDE, PHONE)):
    """Fail with everything that is wrong with the page."""
    wrong = faults(page, sizes)
    assert wrong == [], "\n".join(wrong)
