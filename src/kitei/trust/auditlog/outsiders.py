"""Talking to outsiders over HTTP, guarded on all sides: time, size, redirects, proxies, schemes.

An outsider is not trusted with anything but its signature. Whatever it answers, an exchange ends within ``TOTAL_SECONDS``
and holds at most ``MAX_REPLY`` bytes of body. TLS certificates are checked against the system's roots (``SSL_CERT_FILE``
adds one's own). No variable of the environment diverts a request to a proxy: ``http.client`` reads none.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from kitei.foundation.text import Message

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
MAX_REPLY = 64 * 1024
_ADDRESS = re.compile(r"https?://[!-~]+\Z")
_TIMED_OUT = Message("%(seconds)d秒以内に返事がありません。")


class AnchorError(Exception):
    """An outsider gave nothing that counts. The log goes on; the message says why and is shown until it works again."""

    def __init__(self, message: Message) -> None:
        super().__init__(message.msgid)
        self.message = message


@dataclass(frozen=True)
class Reply:
    """Status, media type in lower case without parameters, and body of an answer."""

    status: int
    media_type: str
    body: bytes


def is_address(url: str) -> bool:
    """Tell whether ``url`` is one we ask: http or https, printable ASCII, a host, no user, no query, no fragment."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  read for its ValueError
    except ValueError:
        return False
    named = parts.username is not None or parts.password is not None
    return bool(_ADDRESS.match(url) and parts.hostname) and not (named or parts.query or parts.fragment)


def post(url: str, body: bytes, media_type: str, *, headers: Mapping[str, str] | None = None) -> Reply:
    """POST ``body``, with further ``headers``, and return the answer, whatever its status; AnchorError when there is none that fits the limits.

    A redirect is an answer like any other: nothing is asked of the place it names. Never call it inside a transaction.
    """
    return _exchange("POST", url, body, {"Content-Type": media_type, **(headers or {})})


def get(url: str) -> Reply:
    """GET ``url``; otherwise like ``post``."""
    return _exchange("GET", url, None, {})


def _exchange(method: str, url: str, body: bytes | None, headers: dict[str, str]) -> Reply:
    if not is_address(url):
        raise AnchorError(
            Message("URL「%(url)s」は使えません。http:// 又は https:// で始めてください。", {"url": url[:100]})
        )
    call = _Call(method, url, body, headers)
    # A thread of its own, because neither the look-up of a name nor a dripping answer heeds a socket's time-out.
    thread = threading.Thread(target=call.run, name="kitei-outsider", daemon=True)
    thread.start()
    thread.join(TOTAL_SECONDS)
    if thread.is_alive():
        call.abandon()
        raise AnchorError(_late())
    if isinstance(call.result, Reply):
        return call.result
    raise AnchorError(_said(call.result)) from call.result


def _late() -> Message:
    return Message(_TIMED_OUT.msgid, {"seconds": int(TOTAL_SECONDS)})


def _said(error: BaseException | None) -> Message:
    if isinstance(error, AnchorError):
        return error.message
    if isinstance(error, TimeoutError):
        return _late()
    if isinstance(error, ssl.SSLError):
        return Message(
            "TLSの接続ができません（%(reason)s）。証明書を確かめてください。",
            {"reason": str(error.reason or error)[:100]},
        )
    if isinstance(error, OSError) and not isinstance(error, http.client.HTTPException):
        return Message("つながりません（%(reason)s）。", {"reason": str(error.strerror or error)[:100]})
    return Message("返事がHTTPの形になっていません。")


class _Call:
    """One exchange, run in its own thread; ``abandon`` makes that thread end soon."""

    def __init__(self, method: str, url: str, body: bytes | None, headers: dict[str, str]) -> None:
        parts = urlsplit(url)
        self.request = (method, parts.path or "/", body, {"User-Agent": "kitei", "Connection": "close", **headers})
        self.connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context()
            self.connection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=CONNECT_SECONDS, context=context
            )
        else:
            self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=CONNECT_SECONDS)
        self.result: Reply | BaseException | None = None
        self.abandoned = False

    def run(self) -> None:
        try:
            self.result = self._ask()
        except BaseException as error:  # noqa: BLE001  handed to the thread that waits for it
            self.result = error
        finally:
            self.connection.close()

    def _ask(self) -> Reply:
        method, path, body, headers = self.request
        self.connection.connect()
        if self.abandoned:  # the name was looked up too late
            raise TimeoutError
        self.connection.sock.settimeout(TOTAL_SECONDS)
        self.connection.request(method, path, body, headers)
        with self.connection.getresponse() as response:
            data = response.read(MAX_REPLY + 1)
            if len(data) > MAX_REPLY:
                raise AnchorError(Message("返事が大きすぎます（%(bytes)dバイトまで）。", {"bytes": MAX_REPLY}))
            if response.length:  # promised and not sent
                raise http.client.IncompleteRead(data)
            media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            return Reply(response.status, media_type, data)

    def abandon(self) -> None:
        self.abandoned = True
        held: socket.socket | None = self.connection.sock
        if held is not None:
            try:
                held.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it ended by itself just now
