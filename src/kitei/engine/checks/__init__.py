"""Checks: a linter for an organisation."""
