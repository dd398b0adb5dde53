"""Addresses of the records room."""

from django.urls import path

from kitei.outcomes.records import downloads, views

urlpatterns = [
    path("log/", views.page, name="log"),
    path("log/export/", downloads.export_lines, name="log-export"),
    path("log/checkpoint/", downloads.checkpoint, name="log-checkpoint"),
    path("log/key/", downloads.key, name="log-key"),
    path("log/verifier/", downloads.verifier, name="log-verifier"),
    path("log/events/<uuid:identity>/", views.event, name="log-event"),
    path("log/events/<uuid:identity>/proof/", downloads.proof, name="log-proof"),
]
