"""A small OpenID provider on 127.0.0.1: discovery, keys, authorization (the person has always logged in), tokens with PKCE."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from kitei.foundation import clock

CLIENT, SECRET = "kitei", "himitsu no kagi+1"


class SmallProvider:
    """What it says can be changed between requests: ``claims`` go over those it would make, ``sign`` makes the token."""

    def __init__(self, port):
        self.issuer = f"http://127.0.0.1:{port}/realm"
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = "first"
        self.published = {"first": self.key}
        self.claims = {"sub": "4711", "email": "sato@sakura.example", "email_verified": True}
        self.sign = self._sign
        self.says_issuer = self.issuer
        self.codes = {}
        self.asked = []
        self.now = clock.device_time().timestamp()

    def _sign(self, claims):
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.kid})

    def discovery(self):
        return {
            "issuer": self.says_issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def keys(self):
        found = []
        for kid, key in self.published.items():
            one = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
            found.append({**one, "kid": kid, "use": "sig", "alg": "RS256"})
        return {"keys": found}

    def authorize(self, query):
        """The person agrees: return the address the browser is sent back to."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state'], 'iss': self.issuer})}"

    def token(self, form, authorization):
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode() if authorization else ":"
        name, _, secret = pair.partition(":")
        asked = self.codes.pop(form.get("code", ""), None)
        if (unquote(name), unquote(secret)) != (CLIENT, SECRET) or asked is None:
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return None
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return None
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": int(self.now),
            "exp": int(self.now) + 300,
            "auth_time": int(self.now),
            "nonce": asked["nonce"],
            **self.claims,
        }
        return {"access_token": "x", "token_type": "Bearer", "id_token": self.sign(claims)}


@contextmanager
def provider():
    """Run one until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    small = SmallProvider(server.server_port)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_args):
            return

        def _answer(self, status, body=None, headers=None):
            data = json.dumps(body or {}).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {}),
            }.items():  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self):
            parts = urlsplit(self.path)
            small.asked.append(parts.path)
            if parts.path == "/realm/.well-known/openid-configuration":
                return self._answer(200, small.discovery())
            if parts.path == "/realm/keys":
                return self._answer(200, small.keys())
            if parts.path == "/realm/authorize":
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                return self._answer(302, headers={"Location": small.authorize(query)})
            return self._answer(404)

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            small.asked.append(self.path)
            given = small.token(form, self.headers.get("Authorization", ""))
            return self._answer(200, given) if given else self._answer(400, {"error": "invalid_grant"})

    server.RequestHandlerClass = Handler
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield small
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
