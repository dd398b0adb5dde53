"""Addresses of the register lists."""

from django.urls import path

from kitei.web.lists import views

urlpatterns = [
    path("<slug:key>/", views.rows, name="list"),
    path("<slug:key>/export.<slug:form>", views.export, name="list-export"),
    path("<slug:key>/<uuid:identity>/", views.row, name="list-row"),
]
