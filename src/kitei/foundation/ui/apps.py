from django.apps import AppConfig


class UiConfig(AppConfig):
    """Base templates, styles, components and list machinery."""

    name = "kitei.foundation.ui"
    label = "ui"
