from django.apps import AppConfig


class WebConfig(AppConfig):
    """Home, error pages, lists, import page: what belongs to no single room."""

    name = "kitei.web"
    label = "web"

    def ready(self) -> None:
        """Make the lists' events known."""
        from kitei.web import events  # noqa: F401, PLC0415  it registers on import
        from kitei.web.access import pages  # noqa: F401, PLC0415  the navigation entry
        from kitei.web.accounts import alerts, leaving  # noqa: F401, PLC0415  their letters and jobs
        from kitei.web.lists import events as list_events  # noqa: F401, PLC0415  the same
