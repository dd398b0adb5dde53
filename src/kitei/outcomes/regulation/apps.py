from django.apps import AppConfig


class RegulationConfig(AppConfig):
    """Outcome room, see docs/architecture.md."""

    name = "kitei.outcomes.regulation"
    label = "regulation"

    def ready(self) -> None:
        """Make the room's events, sheet and jobs known."""
        from kitei.outcomes.regulation import erasure, events, jobs, own  # noqa: F401, PLC0415  they register on import
