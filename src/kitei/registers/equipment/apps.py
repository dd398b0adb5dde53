from django.apps import AppConfig


class EquipmentConfig(AppConfig):
    """Register room, see docs/architecture.md."""

    name = "kitei.registers.equipment"
    label = "equipment"

    def ready(self) -> None:
        """Make the room's sheets, checks, events and lists known."""
        from kitei.registers.equipment import checks, events, lists, sheets  # noqa: F401, PLC0415  they register on import
