from django.apps import AppConfig


class FilesConfig(AppConfig):
    """Content-addressed immutable files."""

    name = "kitei.foundation.files"
    label = "files"
