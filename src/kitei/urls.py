"""The root of all addresses."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("kitei.web.urls")),
    path("", include("kitei.trust.accounts.urls")),
    path("", include("kitei.registers.documents.urls")),
    path("", include("kitei.outcomes.guidelines.urls")),
    path("", include("kitei.outcomes.regulation.urls")),
    path("", include("kitei.outcomes.records.urls")),
]

handler400 = "kitei.web.errors.bad_request"
handler403 = "kitei.web.errors.refused_by_django"
handler404 = "kitei.web.errors.not_found"
handler500 = "kitei.web.errors.server_error"
