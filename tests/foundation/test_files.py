from __future__ import annotations

import hashlib
import io
import os
import stat
import unicodedata
import zipfile
from pathlib import Path

import pytest
from django.core.files.storage import storages
from hypothesis import given
from hypothesis import strategies as st

from kitei.foundation import transactions
from kitei.foundation.files import store
from kitei.foundation.files.models import StoredFile
from kitei.foundation.text import UserError

PDF = b"%PDF-1.7\nsakura"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


def office(part):
    """Return the smallest file that is a zip with an Office body."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
        packed.writestr(part, "<x/>")
    return stream.getvalue()


def put(organization, content, name, **options):
    return transactions.durable(
        lambda: store.put_bytes(organization=organization, content=content, name=name, **options)
    )


def place(digest):
    return Path(storages["files"].path(f"{digest[:2]}/{digest[2:4]}/{digest}"))


def test_a_file_is_kept_under_its_digest_and_read_back(sakura):
    row = put(sakura, PDF, "運用管理規程.pdf")
    assert row.digest == hashlib.sha256(PDF).hexdigest()
    assert (row.size, row.name, row.content_type) == (len(PDF), "運用管理規程.pdf", "application/pdf")
    assert store.read(row.digest) == PDF


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_only_the_owner_may_read_the_stored_file(sakura):
    row = put(sakura, PDF, "a.pdf")
    assert stat.S_IMODE(place(row.digest).stat().st_mode) == 0o600


def test_equal_bytes_are_kept_once_and_every_mention_has_its_own_name(sakura, tsubaki):
    one, other = put(sakura, PDF, "契約書.pdf"), put(tsubaki, PDF, "手順書.pdf")
    assert one.digest == other.digest
    assert StoredFile.objects.count() == 2
    assert len([path for path in Path(storages["files"].location).rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize(
    ("content", "name", "content_type"),
    [
        (office("xl/workbook.xml"), "台帳.XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (
            office("word/document.xml"),
            "規程.docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (PNG, "図.png", "image/png"),
        (b"\xff\xd8\xff\xe0", "写真.jpeg", "image/jpeg"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + "WordDocument".encode("utf-16-le"), "旧.doc", "application/msword"),
        ("手順".encode(), "手順.txt", "text/plain"),
    ],
)
def test_what_a_person_may_store(sakura, content, name, content_type):
    assert put(sakura, content, name).content_type == content_type


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "空.pdf"),
        (PDF, "偽.png"),
        (PNG, "偽.pdf"),
        (b"MZ\x90\x00", "program.exe"),
        (b"MZ\x90\x00", "手順.pdf"),
        (b"<html><script>", "page.html"),
        (b"a\x00b", "手順.txt"),
        (PDF, "名前だけ"),
        (b"x" * (store.MAX_BYTES + 1), "大.txt"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_nobody_may_store(sakura, content, name):
    with pytest.raises(UserError, match="ください。"):
        put(sakura, content, name)
    assert not StoredFile.objects.exists()
    assert not any(path.is_file() for path in Path(storages["files"].location).rglob("*"))


def test_a_file_that_was_tampered_with_is_refused(sakura):
    row = put(sakura, PDF, "a.pdf")
    path = place(row.digest)
    path.write_bytes(PDF.replace(b"sakura", b"tsubak"))
    with pytest.raises(UserError, match="保存時と一致しません"):
        store.read(row.digest)


def test_a_lost_file_says_what_to_do(sakura):
    row = put(sakura, PDF, "a.pdf")
    place(row.digest).unlink()
    with pytest.raises(UserError, match="控えから戻してください"):
        store.read(row.digest)


def test_a_failed_write_leaves_nothing_half_written(sakura, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kitei.foundation.files.storage.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        put(sakura, PDF, "a.pdf")
    assert not StoredFile.objects.exists()
    assert not any(path.is_file() for path in Path(storages["files"].location).rglob("*"))


def test_a_mention_that_is_rolled_back_leaves_only_bytes_nobody_mentions(sakura):
    def work():
        store.put_bytes(organization=sakura, content=PDF, name="a.pdf")
        raise LookupError

    with pytest.raises(LookupError):
        transactions.durable(work)
    assert not StoredFile.objects.exists()
    assert store.read(hashlib.sha256(PDF).hexdigest()) == PDF


def test_storing_needs_a_transaction(committed_db, make_sakura):
    organization = make_sakura()
    with pytest.raises(RuntimeError, match="outside a transaction"):
        store.put_bytes(organization=organization, content=PDF, name="a.pdf")


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("C:\\Users\\hanako\\規程.pdf", "規程.pdf"),
        ("../../etc/passwd", "passwd"),
        ("規程\r\nX-Evil: 1.pdf", "規程X-Evil: 1.pdf"),
        ("\u202efdp.exe", "fdp.exe"),
        ("か\u3099.txt", "が.txt"),
        ("", "file"),
        ("/", "file"),
    ],
)
def test_a_name_is_only_a_name(given_name, kept):
    assert store.clean_name(given_name) == kept


@given(st.text(max_size=300))
def test_a_cleaned_name_is_short_plain_and_stays_as_it_is(name):
    kept = store.clean_name(name)
    assert 0 < len(kept) <= 200
    assert "/" not in kept
    assert "\\" not in kept
    assert not any(unicodedata.category(char).startswith("C") for char in kept)
    assert store.clean_name(kept) == kept
