from django.apps import AppConfig


class SuppliersConfig(AppConfig):
    """Register room, see docs/architecture.md."""

    name = "kitei.registers.suppliers"
    label = "suppliers"

    def ready(self) -> None:
        """Make the room's sheets, checks, events and lists known."""
        from kitei.registers.suppliers import checks, events, lists, sheets  # noqa: F401, PLC0415  they register on import
