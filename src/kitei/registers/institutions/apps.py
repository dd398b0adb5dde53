from django.apps import AppConfig


class InstitutionsConfig(AppConfig):
    """Register room, see docs/architecture.md."""

    name = "kitei.registers.institutions"
    label = "institutions"

    def ready(self) -> None:
        """Make the room's sheets, checks, events and lists known."""
        from kitei.registers.institutions import checks, events, lists, sheets  # noqa: F401, PLC0415  they register on import
