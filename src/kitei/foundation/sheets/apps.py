from django.apps import AppConfig


class SheetsConfig(AppConfig):
    """Saved column mappings and the spreadsheet machinery."""

    name = "kitei.foundation.sheets"
    label = "sheets"
