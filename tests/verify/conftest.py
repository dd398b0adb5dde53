"""Properties are about right and wrong: how long one example takes depends on what else this machine does."""

from __future__ import annotations

from hypothesis import settings
from log_fixtures import nine, rotated  # noqa: F401  asked for by name

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
