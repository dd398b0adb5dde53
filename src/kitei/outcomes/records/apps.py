from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """Outcome room, see docs/architecture.md."""

    name = "kitei.outcomes.records"
    label = "records"
