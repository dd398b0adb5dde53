from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who may log in."""

    name = "kitei.trust.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Record log-ins, failures and log-outs."""
        from kitei.trust.accounts import (  # noqa: F401, PLC0415  their letters, jobs and signals
            invitations,
            sessions,
            signals,
        )
