"""Addresses of log-in and language."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from kitei.trust.accounts import factors_pages, oidc_pages, password_pages, stepup_pages, views

urlpatterns = [
    path("login", views.Login.as_view(), name="login"),
    path("login/second", factors_pages.second, name="login-second"),
    path("login/passkey", factors_pages.passkey_login, name="login-passkey"),
    path("login/passkey/begin", factors_pages.passkey_begin, name="passkey-begin"),
    path("login/oidc", oidc_pages.start, name="login-oidc"),
    path("login/oidc/return", oidc_pages.come_back, name="login-oidc-return"),
    path("confirm", stepup_pages.page, name="step-up"),
    path("account/password/", password_pages.own, name="own-password"),
    path("account/factors/", factors_pages.own, name="factors"),
    path("account/factors/totp/", factors_pages.totp, name="factor-totp"),
    path("account/factors/passkey/", factors_pages.passkey_add, name="factor-passkey"),
    path("account/factors/passkey/begin", factors_pages.passkey_add_begin, name="factor-passkey-begin"),
    path("account/factors/recovery/", factors_pages.recovery, name="factor-recovery"),
    path("account/factors/<uuid:identity>/remove/", factors_pages.remove, name="factor-remove"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("start", views.start_with_code, name="start-with-code"),
    path("language", views.set_language, name="set-language"),
]
