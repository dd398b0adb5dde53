"""Django settings, read from the environment (design §7). Everything a company may set is here and in docs/operate.

``kitei`` sets KITEI_DATA before Django starts. A wrong value raises ``ConfigurationError`` with one sentence; ``kitei
doctor`` prints it.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from kitei.settings_error import ConfigurationError

PACKAGE = Path(__file__).parent
LAST_PORT = 65535
DATA = Path(os.environ.get("KITEI_DATA", "kitei-data")).absolute()


def _secret_key() -> str:
    path = DATA / "secret-key"
    try:
        return path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"秘密鍵のファイル「{path}」を読めません。kitei を動かす利用者を持ち主にしてください（sudo で init を行った後によく起こります）。"
            f" (The secret key {path} cannot be read: make the user that runs kitei its owner.)"
        ) from error
    # Before `kitei init` there is nothing to protect: commands such as --help must still run.
    return secrets.token_urlsafe(48)


def _parts(url: str) -> SplitResult | None:
    """Return an address in its parts; None when it is none: a bracket without its fellow, a port that is no number."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  read for its ValueError
    except ValueError:
        return None
    return parts


def _database() -> dict[str, Any]:
    url = os.environ.get("KITEI_DATABASE_URL", "")
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA / "kitei.sqlite3",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
            },
        }
    parts = _parts(url)
    if parts is None or parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ConfigurationError(
            "KITEI_DATABASE_URL は postgresql://利用者:パスワード@ホスト:ポート/データベース名 の形で書いてください。"
            " (KITEI_DATABASE_URL must look like postgresql://user:password@host:port/name.)"
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def _files() -> dict[str, Any]:
    url = os.environ.get("KITEI_STORAGE_URL", "")
    if not url:
        return {
            "BACKEND": "kitei.foundation.files.storage.AtomicFileStorage",
            "OPTIONS": {"location": str(DATA / "files"), "base_url": None},
        }
    parts = _parts(url)
    if parts is None or parts.scheme != "s3" or not parts.hostname:
        raise ConfigurationError(
            "KITEI_STORAGE_URL は s3://バケット名/接頭辞 の形で書いてください。 (KITEI_STORAGE_URL must look like s3://bucket/prefix.)"
        )
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": parts.hostname,
            "location": parts.path.strip("/"),
            "file_overwrite": False,
            "endpoint_url": os.environ.get("KITEI_S3_ENDPOINT") or None,
            "querystring_auth": True,
        },
    }


def _public_url() -> tuple[str, list[str]]:
    url = os.environ.get("KITEI_PUBLIC_URL", "")
    if not url:
        return "", ["localhost", "127.0.0.1", "[::1]"]
    parts = _parts(url)
    # Kitei answers at the root of its host: links and cookies would miss a path, so one is refused here.
    odd = parts is None or parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts is None or odd or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(
            "KITEI_PUBLIC_URL は https://kitei.example.jp の形で、パスを付けずに書いてください。"
            " (KITEI_PUBLIC_URL must look like https://kitei.example.jp, without a path.)"
        )
    return url.rstrip("/"), [parts.hostname, "localhost", "127.0.0.1"]


def _trusted_proxies() -> list[str]:
    names = [name.strip() for name in os.environ.get("KITEI_TRUSTED_PROXIES", "").split(",") if name.strip()]
    for name in names:
        try:
            ipaddress.ip_network(name)
        except ValueError as error:
            raise ConfigurationError(
                f"KITEI_TRUSTED_PROXIES の「{name}」はIPアドレスではありません。127.0.0.1,10.0.0.0/8 のように書いてください。"
                " (KITEI_TRUSTED_PROXIES takes IP addresses or networks.)"
            ) from error
    return names


def _smtp_port() -> int:
    text = os.environ.get("KITEI_SMTP_PORT", "587")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LAST_PORT:
        raise ConfigurationError(
            "KITEI_SMTP_PORT は 587 のような番号で書いてください。 (KITEI_SMTP_PORT must be a number such as 587.)"
        )
    return int(text)


SECRET_KEY = _secret_key()
DEBUG = False
PUBLIC_URL, ALLOWED_HOSTS = _public_url()
TRUSTED_PROXIES = _trusted_proxies()
_SECURE = PUBLIC_URL.startswith("https://")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_htmx",
    "kitei.foundation.tenancy",
    "kitei.foundation.sheets",
    "kitei.foundation.files",
    "kitei.foundation.jobs",
    "kitei.foundation.ui",
    "kitei.trust.auditlog",
    "kitei.trust.accounts",
    "kitei.trust.access",
    "kitei.engine.checks",
    "kitei.registers.documents",
    "kitei.registers.people",
    "kitei.registers.institutions",
    "kitei.registers.suppliers",
    "kitei.registers.equipment",
    "kitei.registers.risks",
    "kitei.outcomes.guidelines",
    "kitei.outcomes.regulation",
    "kitei.web",
]

MIDDLEWARE = [
    "kitei.web.middleware.ProxyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "kitei.web.middleware.LanguageMiddleware",
    "kitei.web.middleware.ActorMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "kitei.urls"
WSGI_APPLICATION = "kitei.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "kitei.foundation.ui.context.shell",
            ],
        },
    }
]

DATABASES = {"default": _database()}
ATOMIC_REQUESTS = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(DATA / "tmp")}},
    "files": _files(),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
# Length and known-bad list, no composition rules (NIST SP 800-63B-4 §3.1.1).
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

# django-axes locks for ever unless told otherwise (traps.md); locking by name and address together keeps a stranger
# from locking a colleague out.
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
# Axes would look for the failures under "email" but Django reports them under "username": one function for both.
AXES_USERNAME_CALLABLE = "kitei.trust.accounts.throttle.counted_name"
AXES_LOCKOUT_TEMPLATE = "accounts/locked.html"
AXES_VERBOSE = False
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_DISABLE_ACCESS_LOG = True  # log-ins stand in our own log, without addresses in clear

SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _SECURE
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "kitei_session"
CSRF_COOKIE_NAME = "kitei_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "kitei.web.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if _SECURE else 0
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

USE_TZ = True
TIME_ZONE = "Asia/Tokyo"
USE_I18N = True
LANGUAGE_CODE = "ja"
LANGUAGES = [("ja", _("日本語")), ("en", _("英語"))]
LOCALE_PATHS = [PACKAGE / "locale"]

if os.environ.get("KITEI_SMTP_HOST"):
    EMAIL_HOST = os.environ["KITEI_SMTP_HOST"]
    EMAIL_PORT = _smtp_port()
    EMAIL_HOST_USER = os.environ.get("KITEI_SMTP_USER", "")
    EMAIL_HOST_PASSWORD = os.environ.get("KITEI_SMTP_PASSWORD", "")
    EMAIL_USE_TLS = os.environ.get("KITEI_SMTP_TLS", "1") != "0"
    DEFAULT_FROM_EMAIL = os.environ.get("KITEI_MAIL_FROM", EMAIL_HOST_USER)
else:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "kitei": {"level": "INFO"},
        "axes": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "ERROR"},
    },
}
SILENCED_SYSTEM_CHECKS = [
    "axes.W006",  # locking by name *and* address is the point, see AXES_LOCKOUT_PARAMETERS
]
