"""Addresses of the documents room."""

from django.urls import path

from kitei.registers.documents import views

urlpatterns = [path("documents/<uuid:identity>/files/<uuid:state>/", views.file, name="document-file")]
