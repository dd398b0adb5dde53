from django.apps import AppConfig


class AccessConfig(AppConfig):
    """Who may do what, by role and day."""

    name = "kitei.trust.access"
    label = "access"

    def ready(self) -> None:
        """Make the room's letters known."""
        from kitei.trust.access import letters  # noqa: F401, PLC0415  they register on import
