from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditlogConfig(AppConfig):
    """Events: every act, in the transaction of the act."""

    name = "kitei.trust.auditlog"
    label = "auditlog"

    def ready(self) -> None:
        """Re-install the append-only triggers after every migration (Django's table rebuild on SQLite drops them)."""
        from kitei.trust.auditlog import events, triggers  # noqa: F401, PLC0415  models are ready only now

        post_migrate.connect(triggers.install_after_migrate, dispatch_uid="kitei.auditlog.triggers")
