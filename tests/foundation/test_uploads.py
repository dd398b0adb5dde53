"""What may be kept of the files people bring: real bad files against the one rule, and the names they come under."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import openpyxl
import pytest
from django.core.files.storage import storages
from hypothesis import given
from hypothesis import strategies as st

from kitei.foundation import transactions
from kitei.foundation.files import accept, store
from kitei.foundation.files.models import StoredFile
from kitei.foundation.sheets import packed as packed_module
from kitei.foundation.text import UserError, file_names

OLE = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 504
EXE = b"MZ\x90\x00\x03\x00\x00\x00" + b"\0" * 120
PDF = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n"


def packed(parts, *, level=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", level) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def office(part, **more):
    return packed({"[Content_Types].xml": "<Types/>", part: "<x/>", **more})


def workbook():
    stream = io.BytesIO()
    openpyxl.Workbook().save(stream)
    return stream.getvalue()


def png():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def names(text):
    return text.encode("utf-16-le")


BOMB = {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": b" " * 40_000_000}


@pytest.mark.parametrize(
    ("name", "content", "mime"),
    [
        ("台帳.xlsx", workbook(), accept.KINDS[".xlsx"].mime),
        ("規程.DOCX", office("word/document.xml"), accept.KINDS[".docx"].mime),
        ("説明.pptx", office("ppt/presentation.xml"), accept.KINDS[".pptx"].mime),
        ("旧.xls", OLE + names("Workbook"), "application/vnd.ms-excel"),
        ("規程.pdf", PDF, "application/pdf"),
        ("図.png", png(), "image/png"),
        ("添付.zip", packed({"規程.docx": office("word/document.xml"), "読んで.txt": "手順"}), "application/zip"),
        ("手順.txt", "手順①\r\n\t髙﨑".encode("cp932", "replace"), "text/plain"),
        ("手順.txt", "手順".encode("utf-16"), "text/plain"),
        ("手順.md", "# 手順".encode("iso2022_jp"), "text/markdown"),
        ("添付/規程.pdf", PDF, "application/pdf"),
        ("第2版(案) 髙橋邸🏥.pdf", PDF, "application/pdf"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_people_write_documents_in_is_kept_as_what_it_is(name, content, mime):
    assert accept.check(content=content, name=name) == mime


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("請求書.pdf", EXE, "合いません"),
        ("請求書.xlsx", EXE, "合いません"),
        ("請求書.txt", EXE, "合いません"),
        ("請求書.doc", OLE + names("MsiDatabase"), "合いません"),
        ("請求書.exe", EXE, "合いません"),
        ("図.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "合いません"),
        ("案内.html", b"<script>1</script>", "合いません"),
        ("図.png", png() + packed({"a.js": "1"}), "合いません"),
        ("図.jpg", b"\xff\xd8\xff\xe0" + packed({"a.class": "1"}), "合いません"),
        ("規程.pdf", PDF + packed({"a.docx": "1"}), "合いません"),
        ("図.png", b"\x89PNG<script>", "合いません"),
        ("台帳.zip", workbook(), "合いません"),
        ("規程.docx", workbook(), "合いません"),
        ("規程.docx", packed({"a.txt": "x"}), "合いません"),
        ("台帳.xlsm", office("xl/workbook.xml"), "マクロ"),
        ("台帳.xlsx", office("xl/workbook.xml", **{"xl/vbaProject.bin": b"x"}), "マクロ"),
        ("台帳.xlsx", office("xl/workbook.xml", **{"xl/macrosheets/sheet1.xml": b"x"}), "マクロ"),
        ("規程.doc", OLE + names("WordDocument") + names("_VBA_PROJECT"), "マクロ"),
        ("台帳.xlsx", OLE + names("EncryptedPackage"), "パスワード"),
        ("台帳.xlsx", packed(BOMB), "大きくなりすぎ"),
        ("多.zip", packed({f"{n}.txt": "" for n in range(5001)}, level=zipfile.ZIP_STORED), "上限の5,000件"),
        ("中.zip", packed({"a.zip": packed({"b.txt": "x"})}), "別の圧縮ファイル"),
        ("中.zip", packed({"写真.png": packed({"b.txt": "x"})}), "別の圧縮ファイル"),
        ("中.zip", packed({"setup.exe": b"x"}), "プログラム"),
        ("中.zip", packed({"写真.png": EXE}), "プログラム"),
        ("中.zip", packed({"../../etc/cron.d/x": "x"}), "置き場所を外れる"),
        ("中.zip", packed({"規程\u202efdp.exe": "x"}), "見えない文字"),
        ("切.zip", packed({"a.txt": "x" * 999})[:-30], "壊れている"),
        ("空.pdf", b"", "空です"),
        ("大.txt", b"x" * (accept.MAX_BYTES + 1), "大きすぎます"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_file_is_refused_with_what_to_do_and_nothing_is_kept(sakura, name, content, said):
    with pytest.raises(UserError, match=said) as caught:
        transactions.durable(lambda: store.put_bytes(organization=sakura, content=content, name=name))

    assert str(caught.value).endswith("ください。")
    assert not StoredFile.objects.exists()
    assert not any(path.is_file() for path in Path(storages["files"].location).rglob("*"))


def test_a_bomb_is_told_from_its_directory_alone(monkeypatch):
    def unpacking(*_anything):
        raise AssertionError("unpacked")

    bomb = packed(BOMB)
    monkeypatch.setattr(packed_module.zlib, "decompressobj", unpacking)
    with pytest.raises(UserError, match="大きくなりすぎ"):
        accept.check(content=bomb, name="台帳.xlsx")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("あ" * 297 + ".pdf", "長すぎます"),
        ("../x.pdf", "外を指しています"),
        ("a/../../x.pdf", "外を指しています"),
        ("..\\x.pdf", "外を指しています"),
        ("規程\u202efdp.exe", "向きを変える"),
        ("規程\u200b.pdf", "見えない文字"),
        ("規程\r\nX-Evil: 1.pdf", "見えない文字"),
        ("規程\0.pdf", "見えない文字"),
        ("CON.pdf", "予約された"),
        ("lpt1.v2.pdf", "予約された"),
        (".htaccess", "点で始まる"),
        ("規程.pdf.", "点で始まる"),
    ],
)
def test_a_name_that_deceives_or_breaks_is_refused(name, said):
    with pytest.raises(UserError, match=said) as caught:
        accept.check(content=PDF, name=name)

    shown = str(caught.value)
    assert not any(char in shown for char in "\u202e\u200b\r\n\0")
    assert len(shown) < 400


@pytest.mark.parametrize(
    "name", ["規程.pdf", " 規程.pdf ", "console.pdf", "com10.pdf", "a..b.pdf", "が\u3099.pdf", "葛\U000e0100.pdf"]
)
def test_an_ordinary_name_is_not(name):
    file_names.check(name)


@given(st.text(max_size=260))
def test_what_passes_needs_no_more_cleaning_than_path_and_blanks(name):
    try:
        file_names.check(name)
    except UserError:
        return
    kept = file_names.clean(name)
    assert len(kept) <= file_names.LONGEST
    assert file_names.is_plain(kept)
    assert file_names.clean(kept) == kept


def test_the_head_of_a_part_is_read_without_the_rest():
    archive = packed_module.Packed(
        packed({"a.bin": b"MZ" + b"\0" * 1_000_000}), file="a.zip", limits=packed_module.Limits()
    )

    assert archive.head(archive.parts["a.bin"], 2) == b"MZ"
