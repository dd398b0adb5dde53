"""Addresses of the regulation room."""

from django.urls import path

from kitei.outcomes.regulation import views

urlpatterns = [
    path("regulation/", views.page, name="regulation"),
    path("regulation/download/<slug:kind>/", views.download, name="regulation-download"),
    path("regulation/editions/", views.editions, name="regulation-editions"),
    path("regulation/editions/<int:number>/", views.edition, name="regulation-edition"),
    path("regulation/adopt/", views.adopt, name="regulation-adopt"),
]
