from django.apps import AppConfig


class MailConfig(AppConfig):
    """Letters sent by mail, in jobs."""

    name = "kitei.foundation.mail"
    label = "mail"

    def ready(self) -> None:
        """Let the worker send what waits."""
        from kitei.foundation.mail import outbox  # noqa: F401, PLC0415  it registers its job on import
