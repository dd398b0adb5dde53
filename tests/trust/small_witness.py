"""A small C2SP witness for tests, written from c2sp.org/tlog-witness and sharing none of the product's client code.

Formats (notes, proofs) come from the verifier, which has vectors of its own. It persists before it answers. With
``lie`` a test replaces its answer.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from kitei_verify import checkpoint, merkle, note
from kitei_verify.errors import VerifyError

NOON = 1795316400  # 2026-11-22 12:00 in Tokyo, the fixed day of the tests


class SmallWitness:
    """Use as a context manager. ``known`` maps an origin to (size, root); ``asked`` keeps the bodies it was sent."""

    def __init__(self, folder, name="witness.hospital.example", seed=b"w"):
        self.signer = note.Signer(name, seed * 32, note.COSIGNATURE)
        self.file = folder / f"{name}.json"
        self.time = NOON
        self.trusted = {}
        self.known = {}
        self.shown = {}
        self.asked = []
        self.lie = None
        self.lock = threading.Lock()

    def trust(self, key):
        self.trusted.setdefault(key.name, []).append(key)
        return self

    @property
    def line(self):
        """The line of a policy file that names it."""
        return f"witness {self.signer.name} {self.signer.key} {self.url}\n"

    def __enter__(self):
        witness = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                witness.asked.append(body)
                if witness.lie is not None:
                    witness.lie(self, body)
                    return
                if self.path != "/add-checkpoint":
                    self.say(404)
                    return
                self.say(*witness.add(body))

            def do_GET(self):
                for origin, shown in witness.shown.items():
                    if self.path == f"/{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint":
                        self.say(200, shown)
                        return
                self.say(404)

            def say(self, status, body=b"", media_type="text/plain"):
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def add(self, body):
        """Answer add-checkpoint: (status, body, media type)."""
        head, _, signed = body.partition(b"\n\n")
        lines = head.decode().split("\n")
        if not lines[0].startswith("old ") or not lines[0][4:].isdigit() or len(lines) - 1 > merkle.MAX_PROOF:
            return (400,)
        old = int(lines[0][4:])
        try:
            proof = [base64.b64decode(line, validate=True) for line in lines[1:]]
            new, parsed = checkpoint.parse(signed, where="request")
        except (ValueError, VerifyError):
            return (400,)
        if new.origin not in self.trusted:
            return (404,)
        try:
            if all(note.verify(parsed, key, where="request") is None for key in self.trusted[new.origin]):
                return (403,)
        except VerifyError:
            return (403,)
        if old > new.size:
            return (400,)
        with self.lock:
            size, root = self.known.get(new.origin, (0, merkle.EMPTY_ROOT))
            if old != size:
                return 409, f"{size}\n".encode(), "text/x.tlog.size"
            try:
                merkle.verify_consistency(old, new.size, root, new.root, proof)
            except merkle.ProofError:
                return (422,)
            self.known[new.origin] = (new.size, new.root)
            self.file.write_text(json.dumps({origin: [s, r.hex()] for origin, (s, r) in self.known.items()}))
        line = self.signer.sign(parsed.text, at=self.time)
        self.shown[new.origin] = note.Note(parsed.text, (*parsed.signatures, line)).encode()
        return 200, line.line().encode()
