from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Background work kept in the database."""

    name = "kitei.foundation.jobs"
    label = "jobs"
