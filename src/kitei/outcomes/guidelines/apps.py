from django.apps import AppConfig


class GuidelinesConfig(AppConfig):
    """Outcome room, see docs/architecture.md."""

    name = "kitei.outcomes.guidelines"
    label = "guidelines"

    def ready(self) -> None:
        """Make the room's events and jobs known."""
        from kitei.outcomes.guidelines import events  # noqa: F401, PLC0415  they register on import
