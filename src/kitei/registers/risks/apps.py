from django.apps import AppConfig


class RisksConfig(AppConfig):
    """Register room, see docs/architecture.md."""

    name = "kitei.registers.risks"
    label = "risks"

    def ready(self) -> None:
        """Make the room's sheets, checks, events and lists known."""
        from kitei.registers.risks import checks, events, lists, sheets  # noqa: F401, PLC0415  they register on import
