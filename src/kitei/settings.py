"""Django settings, read from the environment (design §7). Everything a company may set is here and in docs/operate.

``kitei`` sets KITEI_DATA before Django starts. A wrong value raises ``ConfigurationError`` with one sentence; ``kitei
doctor`` prints it.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from kitei.settings_error import ConfigurationError

PACKAGE = Path(__file__).parent
LAST_PORT = 65535
_DIGITS = 9
_ORIGIN = re.compile(r"[!-*,-~]{1,150}\Z")  # printable ASCII without a space or +: it is the name of a key too
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
            # Closing the last connection writes the WAL back and deletes it: costly after each request.
            "CONN_MAX_AGE": 60,
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
        "OPTIONS": _tls(parts.query),
    }


def _tls(query: str) -> dict[str, str]:
    """Return what the address says about TLS to the database (libpq's words); anything else in it is a mistake."""
    said = dict(parse_qsl(query, keep_blank_values=True))
    if set(said) - {"sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding"}:
        raise ConfigurationError(
            "KITEI_DATABASE_URL の「?」の後には sslmode、sslrootcert、sslcert、sslkey、channel_binding だけを書けます。"
            " (After “?” KITEI_DATABASE_URL takes sslmode, sslrootcert, sslcert, sslkey and channel_binding only.)"
        )
    return said


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
            network = ipaddress.ip_network(name)
        except ValueError as error:
            raise ConfigurationError(
                f"KITEI_TRUSTED_PROXIES の「{name}」はIPアドレスではありません。127.0.0.1,10.0.0.0/8 のように書いてください。"
                " (KITEI_TRUSTED_PROXIES takes IP addresses or networks.)"
            ) from error
        if network.prefixlen == 0:
            raise ConfigurationError(
                f"KITEI_TRUSTED_PROXIES の「{name}」はすべてのアドレスを指すため、だれでも送信元を偽れます。プロキシのアドレスだけを書いてください。"
                f" ({name} of KITEI_TRUSTED_PROXIES means everybody: name the proxies only.)"
            )
    return names


def _smtp_port() -> int:
    text = os.environ.get("KITEI_SMTP_PORT", "587")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LAST_PORT:
        raise ConfigurationError(
            "KITEI_SMTP_PORT は 587 のような番号で書いてください。 (KITEI_SMTP_PORT must be a number such as 587.)"
        )
    return int(text)


def _log_origin() -> str:
    origin = os.environ.get("KITEI_LOG_ORIGIN", "")
    if "KITEI_LOG_ORIGIN" in os.environ and not _ORIGIN.match(origin):
        raise ConfigurationError(
            "KITEI_LOG_ORIGIN は log.example.jp/kitei のように、空白と + を含まない150字までの英数字と記号で書いてください。"
            " (KITEI_LOG_ORIGIN takes 1 to 150 printable ASCII characters without a space or +.)"
        )
    return origin


def _log_policy() -> Path | None:
    name = os.environ.get("KITEI_LOG_POLICY", "")
    if not name:
        return None
    from kitei_verify import policy  # noqa: PLC0415  brings the cryptography library: only where it is needed
    from kitei_verify.errors import VerifyError  # noqa: PLC0415

    try:
        path = Path(name).absolute()
        policy.parse(path.read_bytes(), where=path.name)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"KITEI_LOG_POLICY のファイル「{name}」を読めません。場所と権限を確かめてください。"
            f" (The policy file {name} of KITEI_LOG_POLICY cannot be read.)"
        ) from error
    except VerifyError as error:
        raise ConfigurationError(
            f"KITEI_LOG_POLICY のファイル「{name}」に誤りがあります（{error.ja}）。tlog-policy の形で書いてください。"
            f" (The policy file {name} of KITEI_LOG_POLICY is wrong: {error.what}.)"
        ) from error
    return path


def _number(name: str, default: int, last: int) -> int:
    text = os.environ.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS or not 1 <= int(text) <= last:
        raise ConfigurationError(
            f"{name} は 1 から {last} までの数で書いてください。 ({name} must be a number from 1 to {last}.)"
        )
    return int(text)


def _time_stamps() -> tuple[str, Path | None]:
    url, root = os.environ.get("KITEI_TSA_URL", ""), os.environ.get("KITEI_TSA_ROOT", "")
    parts = _parts(url)
    odd = parts is None or parts.query or parts.fragment or parts.username or not url.isascii()
    if url and (parts is None or odd or parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ConfigurationError(
            "KITEI_TSA_URL は https://tsa.example.jp/rfc3161 の形で書いてください。"
            " (KITEI_TSA_URL must look like https://tsa.example.jp/rfc3161.)"
        )
    if bool(url) != bool(root):
        raise ConfigurationError(
            "KITEI_TSA_URL と KITEI_TSA_ROOT は、両方を設定してください。発行元を確かめられないタイムスタンプは受け取りません。"
            " (Set both KITEI_TSA_URL and KITEI_TSA_ROOT: a time stamp that cannot be verified is not taken.)"
        )
    if not root:
        return url, None
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415  only where it is needed

    try:
        load_pem_x509_certificates(Path(root).read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"KITEI_TSA_ROOT のファイル「{root}」から証明書を読めません。PEMのファイルを指定してください。"
            f" (No certificate can be read from {root}: KITEI_TSA_ROOT takes a PEM file.)"
        ) from error
    return url, Path(root).absolute()


def _backup() -> tuple[Path | None, dt.time, int]:
    """Return folder, time of day (JST) and number of scheduled backups."""
    folder = os.environ.get("KITEI_BACKUP_DIR", "")
    at, keep = os.environ.get("KITEI_BACKUP_AT", "02:30"), os.environ.get("KITEI_BACKUP_KEEP", "14")
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", at, re.ASCII):
        raise ConfigurationError(
            "KITEI_BACKUP_AT は 02:30 のような時刻で書いてください。 (KITEI_BACKUP_AT must be a time such as 02:30.)"
        )
    if not keep.isascii() or not keep.isdigit() or int(keep) < 1:
        raise ConfigurationError(
            "KITEI_BACKUP_KEEP は 14 のような、1以上の数で書いてください。 (KITEI_BACKUP_KEEP must be a number from 1.)"
        )
    return Path(folder).absolute() if folder else None, dt.time.fromisoformat(at), int(keep)


def _second_factor() -> str:
    who = os.environ.get("KITEI_SECOND_FACTOR", "officers")
    if who not in {"officers", "everyone"}:
        raise ConfigurationError(
            "KITEI_SECOND_FACTOR は officers か everyone で書いてください。"
            " (KITEI_SECOND_FACTOR must be officers or everyone.)"
        )
    return who


def _oidc() -> tuple[str, str, str]:
    """Return issuer, client and client secret of the OpenID provider; empty without one."""
    issuer, client = os.environ.get("KITEI_OIDC_ISSUER", ""), os.environ.get("KITEI_OIDC_CLIENT_ID", "")
    secret, name = os.environ.get("KITEI_OIDC_CLIENT_SECRET", ""), os.environ.get("KITEI_OIDC_CLIENT_SECRET_FILE", "")
    if name:
        try:
            secret = Path(name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"KITEI_OIDC_CLIENT_SECRET_FILE のファイル「{name}」を読めません。場所と権限を確かめてください。"
                f" (The file {name} of KITEI_OIDC_CLIENT_SECRET_FILE cannot be read.)"
            ) from error
    if not (issuer or client or secret):
        return "", "", ""
    parts = _parts(issuer)
    local = parts is not None and parts.hostname in {"localhost", "127.0.0.1", "::1"}
    odd = parts is None or not parts.hostname or parts.query or parts.fragment or parts.username
    if parts is None or odd or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise ConfigurationError(
            "KITEI_OIDC_ISSUER は https://login.example.jp の形で書いてください。"
            " (KITEI_OIDC_ISSUER must look like https://login.example.jp.)"
        )
    if not client or not secret:
        raise ConfigurationError(
            "KITEI_OIDC_ISSUER には、KITEI_OIDC_CLIENT_ID と、KITEI_OIDC_CLIENT_SECRET_FILE 又は KITEI_OIDC_CLIENT_SECRET も要ります。"
            " (KITEI_OIDC_ISSUER needs KITEI_OIDC_CLIENT_ID and KITEI_OIDC_CLIENT_SECRET_FILE or KITEI_OIDC_CLIENT_SECRET.)"
        )
    return issuer, client, secret


SECRET_KEY = _secret_key()
DEBUG = False
BACKUP_DIR, BACKUP_AT, BACKUP_KEEP = _backup()
PUBLIC_URL, ALLOWED_HOSTS = _public_url()
TRUSTED_PROXIES = _trusted_proxies()
_SECURE = PUBLIC_URL.startswith("https://")

LOG_ORIGIN = _log_origin()
LOG_POLICY = _log_policy()
WITNESS_SECONDS = _number("KITEI_WITNESS_SECONDS", 60, 86_400)
TSA_URL, TSA_ROOT = _time_stamps()
TSA_HOURS = _number("KITEI_TSA_HOURS", 24, 8_760)
SECOND_FACTOR = _second_factor()
API_PER_MINUTE = _number("KITEI_API_PER_MINUTE", 600, 1_000_000)
OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET = _oidc()
OIDC_SECOND_FACTOR = frozenset(os.environ.get("KITEI_OIDC_SECOND_FACTOR", "").split())

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
    "kitei.foundation.mail",
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
    "kitei.outcomes.records",
    "kitei.web",
]

MIDDLEWARE = [
    # Outermost, so that no answer leaves without its headers: not a static file, not one made by another middleware.
    "kitei.web.headers.HeadersMiddleware",
    "kitei.web.middleware.ProxyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "kitei.web.sessions.LoginsMiddleware",
    "kitei.web.middleware.LanguageMiddleware",
    "kitei.web.middleware.ActorMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "kitei.trust.accounts.stepup.GateMiddleware",
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
WHITENOISE_ALLOW_ALL_ORIGINS = False

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
# Length and known-bad list, no composition rules (NIST SP 800-63B-4 §3.1.1).
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "kitei.trust.accounts.passwords.GuessableValidator"},
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
# Strangers count by network (IPv6: /64), a device that logged in before by itself (throttle).
AXES_CLIENT_IP_CALLABLE = "kitei.trust.accounts.throttle.counted_network"
AXES_LOCKOUT_TEMPLATE = "accounts/locked.html"
AXES_VERBOSE = False
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_DISABLE_ACCESS_LOG = True  # log-ins stand in our own log, without addresses in clear

SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _SECURE
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# With this prefix browsers take a cookie from this very host over https only, so that no neighbouring host can plant one.
_HOST = "__Host-" if _SECURE else ""
SESSION_COOKIE_NAME = f"{_HOST}kitei_session"
CSRF_COOKIE_NAME = f"{_HOST}kitei_csrf"
LANGUAGE_COOKIE_NAME = f"{_HOST}kitei_language"
MESSAGE_COOKIE_NAME = f"{_HOST}kitei_messages"
DEVICE_COOKIE_NAME = f"{_HOST}kitei_device"
MESSAGE_STORAGE = "kitei.web.flash.Storage"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "kitei.web.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if _SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _SECURE
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
        "object-src": [NONE],
    }
}
# The largest form maps 300 columns; one file is asked for at a time. What is more is answered with the page 413.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 5
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
    # With the offset: these lines are laid beside those of other machines.
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s", "datefmt": "%Y-%m-%dT%H:%M:%S%z"}
    },
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
