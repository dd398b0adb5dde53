from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    """Register room, see docs/architecture.md."""

    name = "kitei.registers.documents"
    label = "documents"

    def ready(self) -> None:
        """Make the room's sheets, checks, events and lists known."""
        from kitei.registers.documents import checks, events, lists, sheets  # noqa: F401, PLC0415  they register on import
