"""Sending letters: asked for inside the act's transaction, composed and sent by a job, at least once.

A room registers who composes its letters. The words are made at the moment of sending, so the table of letters holds no
address and no one-time code. A letter that is sent twice (the worker was killed between the server's answer and ours)
carries the same Message-ID both times; mail programs show it once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import parseaddr
from smtplib import SMTPException, SMTPResponseException
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils import translation

from kitei.foundation import clock, transactions
from kitei.foundation.jobs import queue
from kitei.foundation.jobs.models import Job
from kitei.foundation.mail.models import Letter
from kitei.foundation.tenancy.models import Organization

KIND = "mail.send"
TIMEOUT = 20  # seconds a mail server may keep the worker waiting
_DUMMY = "django.core.mail.backends.dummy.EmailBackend"


@dataclass(frozen=True)
class Text:
    """What a letter says: plain text, to one person, in the language they read."""

    to: str
    subject: str
    body: str


Composer = Callable[[Letter], Text | None]
_composers: dict[str, tuple[Composer, Callable[[Letter], str]]] = {}


class UnsentError(Exception):
    """The mail server did not take the letter; the job is tried again. The words name no address."""


def composer(kind: str, compose: Composer, *, language: Callable[[Letter], str]) -> None:
    """Register who writes letters of ``kind``; ``compose`` returns None when there is nothing to say any more."""
    _composers[kind] = (compose, language)


def is_configured() -> bool:
    """Whether mail can be sent at all."""
    return bool(settings.EMAIL_BACKEND != _DUMMY)


def post(*, organization: Organization, kind: str, reference: str) -> Letter:
    """Ask for a letter; joins the caller's transaction. KeyError for a kind nobody composes."""
    transactions.require()
    if kind not in _composers:
        raise KeyError(kind)
    letter = Letter.objects.create(organization=organization, kind=kind, reference=reference, asked_at=clock.now())
    queue.ask(organization=organization, kind=KIND, key=str(letter.pk), arguments={"letter": str(letter.pk)})
    return letter


def latest(*, organization: Organization, kind: str, references: Iterable[str]) -> dict[str, Letter]:
    """Return the newest letter about each of ``references``. One query."""
    rows = Letter.objects.filter(organization=organization, kind=kind, reference__in=list(references))
    return {row.reference: row for row in rows.order_by("asked_at", "id")}


def drop(*, organization: Organization, kind: str, reference: str) -> None:
    """Let letters about ``reference`` that were not sent yet be forgotten; joins the caller's transaction."""
    transactions.require()
    waiting = Letter.objects.filter(
        organization=organization, kind=kind, reference=reference, sent_at__isnull=True, dropped_at__isnull=True
    )
    waiting.update(dropped_at=clock.now())


def deliver(job: Job) -> None:
    """Send the job's letter. A letter that was sent or dropped is left alone; UnsentError when the server took it not."""
    letter = Letter.objects.select_related("organization").get(pk=job.arguments["letter"])
    if letter.sent_at or letter.dropped_at:
        return
    compose, language = _composers[letter.kind]
    with translation.override(language(letter)):
        text = compose(letter)
    mine = Letter.objects.filter(pk=letter.pk)
    if text is None:
        transactions.durable(lambda: mine.update(dropped_at=clock.now()))
        return
    try:
        _send(letter.pk, text)
    except (OSError, SMTPException) as error:
        said = _without_address(error)
        last = job.attempts >= queue.MAX_ATTEMPTS
        transactions.durable(
            lambda: mine.update(attempts=job.attempts, error=said, failed_at=clock.now() if last else None)
        )
        raise UnsentError(said) from None  # the original holds the address, and the job keeps what it is told
    transactions.durable(lambda: mine.update(attempts=job.attempts, sent_at=clock.now(), failed_at=None, error=""))


def _send(identity: uuid.UUID, text: Text) -> None:
    message = EmailMessage(
        subject=" ".join(text.subject.split()),  # no line ends: they would begin another header
        body=text.body,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[text.to],
        headers={"Message-ID": f"<{identity}@{_domain()}>", "Auto-Submitted": "auto-generated"},
        connection=get_connection(timeout=TIMEOUT) if _is_smtp() else get_connection(),
    )
    message.send()


def _is_smtp() -> bool:
    return bool(settings.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend")


def _domain() -> str:
    named = urlsplit(settings.PUBLIC_URL).hostname
    return named or parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"


def _without_address(error: Exception) -> str:
    # A refused recipient's address stands in the server's sentence: only class and code are kept.
    code = f" {error.smtp_code}" if isinstance(error, SMTPResponseException) else ""
    return f"{type(error).__name__}{code}"


queue.handler(KIND, deliver)
