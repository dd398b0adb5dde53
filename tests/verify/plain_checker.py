"""A second checker of a tiled log, written from C2SP's texts alone: it shares no line with Kitei and knows nothing of it.

What it accepts any other C2SP tool accepts: a signed checkpoint (signed-note, tlog-checkpoint), tiles and entry bundles
(tlog-tiles), hashes (RFC 6962), proofs (tlog-proof). Run: ``python plain_checker.py FOLDER VKEY``.
"""

import base64
import hashlib
import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha(data):
    return hashlib.sha256(data).digest()


def tree_hash(leaves):
    """RFC 6962 §2.1, bottom up: pairs are joined, an odd one out goes up as it is."""
    if not leaves:
        return sha(b"")
    while len(leaves) > 1:
        pairs = [sha(b"\1" + leaves[at] + leaves[at + 1]) for at in range(0, len(leaves) - 1, 2)]
        leaves = pairs + (leaves[-1:] if len(leaves) % 2 else [])
    return leaves[0]


def open_note(data, vkey):
    """Return the text of a note that ``vkey`` signed."""
    name, number, key = vkey.split("+", 2)
    key = base64.b64decode(key)
    assert key[0] == 1
    assert sha(name.encode() + b"\n" + key)[:4].hex() == number
    text, lines = data.decode().rsplit("\n\n", 1)
    text += "\n"
    for line in lines.splitlines():
        dash, signer, blob = line.split(" ")
        blob = base64.b64decode(blob)
        if dash == "—" and signer == name and blob[:4].hex() == number:
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(blob[4:], text.encode())
            return text
    raise AssertionError("not signed by this key")


def checkpoint(data, vkey):
    origin, size, root, *_ = open_note(data, vkey).splitlines()
    assert origin == vkey.split("+")[0]
    return int(size), base64.b64decode(root)


def resource(folder, kind, index, width):
    """Return a tile or bundle: the partial one, else the full one."""
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = folder / "tile" / str(kind) / "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
    partial = path.parent / f"{path.name}.p" / str(width)
    return (partial if width < 256 and partial.exists() else path).read_bytes()


def check(folder, vkey):
    """Return the entries of the log in ``folder``; an exception when anything does not hold."""
    size, root = checkpoint((folder / "checkpoint").read_bytes(), vkey)
    entries = []
    for start in range(0, size, 256):
        data, width = resource(folder, "entries", start // 256, min(256, size - start)), min(256, size - start)
        for _ in range(width):
            length = data[0] * 256 + data[1]
            entries.append(data[2 : 2 + length])
            assert len(entries[-1]) == length
            data = data[2 + length :]
    row, level = [sha(b"\0" + entry) for entry in entries], 0
    assert tree_hash(row) == root
    while row:
        for start in range(0, len(row), 256):
            part = row[start : start + 256]
            assert resource(folder, level, start // 256, len(part))[: 32 * len(part)] == b"".join(part)
        row = [tree_hash(row[at : at + 256]) for at in range(0, len(row) - 255, 256)]
        level += 1
    return entries


def check_proof(data, entry, vkey):
    """Check a tlog-proof of ``entry``, by walking RFC 6962's tree from the top."""
    top, note = data.split(b"\n\n", 1)
    lines = [line for line in top.decode().splitlines() if not line.startswith("extra ")]
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    size, root = checkpoint(note, vkey)
    path = [base64.b64decode(line) for line in lines[2:]]

    def climb(index, count, path):
        if count == 1:
            assert not path
            return sha(b"\0" + entry)
        split = 1 << (count - 1).bit_length() - 1
        if index < split:
            return sha(b"\1" + climb(index, split, path[:-1]) + path[-1])
        return sha(b"\1" + path[-1] + climb(index - split, count - split, path[:-1]))

    assert climb(int(lines[1].removeprefix("index ")), size, path) == root


if __name__ == "__main__":
    sys.stdout.write(f"{len(check(pathlib.Path(sys.argv[1]), sys.argv[2]))} entries hold\n")
