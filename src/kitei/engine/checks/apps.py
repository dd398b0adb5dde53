from django.apps import AppConfig


class ChecksConfig(AppConfig):
    """Runs of the checks and accepted findings."""

    name = "kitei.engine.checks"
    label = "checks"

    def ready(self) -> None:
        """Make the room's events known."""
        from kitei.engine.checks import events  # noqa: F401, PLC0415  they register on import
