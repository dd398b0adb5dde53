"""Small logs made by hand for tests of the verifier: every file can then be wrong on purpose."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from kitei_verify import canonical, checkpoint, merkle, note, proof, tiles

ORIGIN = "kitei/0011223344556677/sakura"


def signer(seed, origin=ORIGIN):
    return note.Signer(origin, hashlib.sha256(seed.encode()).digest())


def witness(name, seed=None):
    return note.Signer(name, hashlib.sha256((seed or name).encode()).digest(), note.COSIGNATURE)


def event(number, name="document:view", **fields):
    """Return one event as it is stored: fields may be replaced, or left out with None."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    payload = {
        "v": 1,
        "id": f"01940000-{digest[:4]}-7{digest[4:7]}-8{digest[7:10]}-{digest[10:22]}",
        "at": f"2026-11-22T03:04:{number % 60:02d}.{number % 1000000:06d}Z",
        "org": "sakura",
        "name": name,
        "outcome": "ok",
        "actor": ["member", f"m-{number % 7}"],
        "object": ["document", f"d-{number % 5}"],
        **fields,
    }
    return canonical.encode({key: value for key, value in payload.items() if value is not None})


def root_of(entries):
    tree = merkle.CompactRange()
    tree.extend([merkle.leaf_hash(entry) for entry in entries])
    return tree.root()


@dataclass
class SmallLog:
    """Entries and signers; ``write`` puts a whole log into a folder."""

    key: note.Signer = field(default_factory=lambda: signer("first"))
    entries: list[bytes] = field(default_factory=list)
    handovers: list[bytes] = field(default_factory=list)
    origin: str = ORIGIN

    @classmethod
    def of(cls, count, **kwargs):
        log = cls(**kwargs)
        if count:
            log.open()
        while len(log.entries) < count:
            log.entries.append(event(len(log.entries)))
        return log

    def open(self, generation=1, **data):
        said = {"origin": self.origin, "generation": generation, "vkey": str(self.key.key), **data}
        self.entries.append(event(0, "log:open", data=said, object=["log", "sakura.g1"]))

    def rotate(self, new, **data):
        """Change the key: an event, and a head signed by both."""
        said = {"old": str(self.key.key), "new": str(new.key), **data}
        self.entries.append(event(len(self.entries), "log:rotate-key", data=said))
        self.handovers.append(self.signed(None, self.key, new))
        self.key = new

    def head(self, size=None):
        size = len(self.entries) if size is None else size
        return checkpoint.Checkpoint(self.origin, size, root_of(self.entries[:size]))

    def signed(self, size=None, *signers, cosigned=()):
        """Return the checkpoint of ``size`` entries; ``cosigned`` are pairs (witness, seconds since 1970)."""
        text = self.head(size).text()
        lines = [one.sign(text) for one in signers or (self.key,)]
        lines += [one.sign(text, at=at) for one, at in cosigned]
        return note.Note(text, tuple(lines)).encode()

    def files(self, *, cosigned=()):
        """Return every file of the log: bytes by path."""
        found = {"checkpoint": self.signed(cosigned=cosigned), "log.vkey": f"{self.key.key}\n".encode()}
        found |= tile_files(self.entries)
        for number, data in enumerate(self.handovers, start=1):
            found[f"handover/{number:04d}"] = data
        return found

    def write(self, folder, **kwargs):
        return write(folder, self.files(**kwargs))

    def proof(self, index, size=None, openings=None, **kwargs):
        """Return the proof file of an entry."""
        size = len(self.entries) if size is None else size
        leaves = [merkle.leaf_hash(entry) for entry in self.entries[:size]]
        path = merkle.inclusion_proof(
            index, size, lambda level, at: merkle.subtree_root(leaves[at << level : (at + 1) << level])
        )
        extra = proof.make_extra(self.entries[index], openings)
        return proof.Proof(index, tuple(path), self.signed(size, **kwargs), extra).encode()


def tile_files(entries):
    """Return every tile of a tree of ``entries``, straight from the definition in c2sp.org/tlog-tiles."""
    found, row, level = {}, [merkle.leaf_hash(entry) for entry in entries], 0
    while row:
        width = tiles.WIDTH
        for start in range(0, len(row), width):
            part = row[start : start + width]
            found[tiles.tile_path(level, start // width, len(part))] = b"".join(part)
            if level == 0:
                bundle = tiles.encode_bundle(entries[start : start + width])
                found[tiles.tile_path("entries", start // width, len(part))] = bundle
        row = [merkle.subtree_root(row[at : at + width]) for at in range(0, len(row) - width + 1, width)]
        level += 1
    return found


def write(folder, files):
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return folder


def stamp_files(log, authority, size):
    """Return a stamped head of ``size`` entries; ``authority`` is a SmallAuthority, which needs not listen."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    data = log.signed(size)
    request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
    return {f"stamp/{size}.note": data, f"stamp/{size}.tsr": authority.stamp(request.as_bytes())}


def again(entry, **fields):
    """Return an entry with other fields, in canonical form or not."""
    payload = json.loads(entry) | fields
    text = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def folder_files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()
    }
