from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """Register room, see docs/architecture.md."""

    name = "kitei.registers.people"
    label = "people"

    def ready(self) -> None:
        """Make the room's sheets, checks, events and lists known."""
        from kitei.registers.people import checks, events, lists, sheets  # noqa: F401, PLC0415  they register on import
