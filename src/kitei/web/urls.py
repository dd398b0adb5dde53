"""Addresses of what belongs to no single room."""

from django.urls import include, path

from kitei.web import factor_reset, health, home, imports, mapping_page, setup_page

urlpatterns = [
    path("", home.page, name="home"),
    path("changes/", home.changes, name="home-changes"),
    path("checks/run/", home.run_now, name="checks-run"),
    path("requirements/<path:clause>/", home.requirement, name="requirement"),
    path("findings/", home.findings, name="findings"),
    path("findings/accept/", home.accept, name="finding-accept"),
    path("setup/", setup_page.page, name="setup"),
    path("import/", imports.page, name="import"),
    path("import/template/", imports.template, name="import-template"),
    path("import/export/", imports.export, name="export-all"),
    path("import/<str:token>/", imports.preview, name="import-preview"),
    path("import/<str:token>/apply/", imports.apply, name="import-apply"),
    path("import/<str:token>/choose/", mapping_page.choose, name="import-choose"),
    path("import/<str:token>/map/<slug:key>/", mapping_page.page, name="import-mapping"),
    path("healthz", health.page, name="health"),
    path("access/", include("kitei.web.access.urls")),
    path("registers/", include("kitei.web.lists.urls")),
    path("", include("kitei.web.accounts.urls")),
    path("accounts/<uuid:identity>/factors/", factor_reset.page, name="factor-reset"),
    path("api/v1/", include("kitei.web.api.urls")),
]
