from django.apps import AppConfig


class AccessConfig(AppConfig):
    """Who may do what, by role and day."""

    name = "kitei.trust.access"
    label = "access"
