"""Addresses of log-in and language."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from kitei.trust.accounts import views

urlpatterns = [
    path("login", views.Login.as_view(), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("start", views.start_with_code, name="start-with-code"),
    path("language", views.set_language, name="set-language"),
]
