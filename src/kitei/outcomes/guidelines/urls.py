"""Addresses of the guidelines room."""

from django.urls import path

from kitei.outcomes.guidelines import views

urlpatterns = [
    path("guideline/", views.catalogue_page, name="guideline"),
    path("guideline/clause/<path:clause>/", views.clause_page, name="guideline-clause"),
]
