"""A pytest plugin for runs that ask which lines are reached, not how often: a few examples of each property."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile(
    "few", max_examples=10, stateful_step_count=10, deadline=None, database=None, derandomize=True
)
settings.load_profile("few")
