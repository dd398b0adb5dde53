"""Addresses of accounts, and of one's own."""

from django.urls import path

from kitei.web.accounts import views

urlpatterns = [
    path("accounts/", views.page, name="accounts"),
    path("accounts/invite/", views.invite, name="account-invite"),
    path("accounts/console/seen/", views.console_seen, name="console-seen"),
    path("accounts/<uuid:identity>/", views.one, name="account"),
    path("accounts/<uuid:identity>/act/", views.act, name="account-act"),
    path("account/", views.own, name="own-account"),
    path("account/act/", views.own_act, name="own-account-act"),
]
