"""The sentences that wait for the next page (「取り込みました」): in a signed cookie named like our others."""

from __future__ import annotations

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class _Cookie(CookieStorage):
    cookie_name = settings.MESSAGE_COOKIE_NAME


class Storage(FallbackStorage):
    """Django's own storage; only the cookie's name is ours, with the ``__Host-`` prefix where there is https."""

    storage_classes = (_Cookie, SessionStorage)
