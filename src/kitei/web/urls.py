"""Addresses of what belongs to no single room."""

from django.urls import include, path

from kitei.web import health, start

urlpatterns = [
    path("", start.page, name="home"),
    path("healthz", health.page, name="health"),
    path("registers/", include("kitei.web.lists.urls")),
]
