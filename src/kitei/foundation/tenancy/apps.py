from django.apps import AppConfig


class TenancyConfig(AppConfig):
    """Organizations and the rule that every row belongs to one."""

    name = "kitei.foundation.tenancy"
    label = "tenancy"
