"""Starting Django, and saying in one sentence what went wrong."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.utils import OperationalError, ProgrammingError
from django.utils.translation import gettext as _

from kitei.foundation.text import Message, UserError

_LEAST = 1024 * 1024  # SQLite's journal and index of it need this much to open a database at all
_FULL = Message("ディスクに空きがないため、何も保存しませんでした。空きを増やしてから、もう一度行ってください。")


def start(*, english: bool) -> None:
    """Set Django up and choose the language of this command."""
    import django  # noqa: PLC0415  after the environment is set
    from django.utils import translation  # noqa: PLC0415

    django.setup()
    translation.activate("en" if english else "ja")
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # a terminal of another encoding shows ? rather than a crash
            reconfigure(encoding="utf-8" if stream.encoding.lower() == "ascii" else stream.encoding, errors="replace")


def explain(error: BaseException) -> str | None:
    """Return the sentence for a foreseen error; None when it is our fault and should be seen whole."""
    from kitei.settings_error import ConfigurationError  # noqa: PLC0415  tiny module

    if isinstance(error, UserError | ConfigurationError):
        return str(error)
    if isinstance(error, ImproperlyConfigured):
        return _("設定に誤りがあります: %(reason)s") % {"reason": error}
    if isinstance(error, OperationalError | ProgrammingError | sqlite3.OperationalError):
        return _of_database(str(error).splitlines()[0])
    if isinstance(error, OSError):
        return _of_files(error)
    if isinstance(error, ValueError) and _hides_full_disk(error):
        return _FULL.render()
    # Models can be imported only once Django has started; a refusal comes from them.
    from kitei.trust.access.operations import record_refusal  # noqa: PLC0415
    from kitei.trust.access.rule import Refused  # noqa: PLC0415

    if isinstance(error, Refused):
        if record_refusal(refused=error):  # what it stopped is rolled back by now
            return _("この操作をする権限がありません。拒否を記録しました。")
        return _("この操作をする権限がありません。")
    return None


def _of_database(text: str) -> str:
    """Return the sentence for a database's own complaint, of which ``text`` is the first line."""
    if "disk is full" in text or "No space left" in text or ("disk I/O error" in text and _is_full()):
        return _FULL.render()
    if "readonly database" in text:
        return _("データの置き場所「%(path)s」に書き込めません。持ち主と権限を直してください。") % {
            "path": settings.DATA
        }
    if "database is locked" in text or "already exists" in text:  # the latter: two commands prepare it at once
        return _("ほかの処理がデータベースを使っています。終わるのを待って、もう一度行ってください。")
    if "no such table" in text or "unable to open" in text or ("relation" in text and "does not exist" in text):
        return _(
            "データがまだ用意されていません（%(path)s）。場所（--data、KITEI_DATA）を確かめ、初めてなら kitei init、更新の後なら kitei upgrade を行ってください。"
        ) % {"path": settings.DATA}
    return _("データベースを使えません（%(reason)s）。KITEI_DATABASE_URL とデータベースの状態を確かめてください。") % {
        "reason": text
    }


def _hides_full_disk(error: BaseException) -> bool:
    """Whether a full disk began it: a zip that cannot be closed raises something else on top."""
    before = error.__context__
    while before is not None:
        if isinstance(before, OSError) and before.errno in {errno.ENOSPC, errno.EDQUOT}:
            return True
        before = before.__context__
    return False


def _is_full() -> bool:
    try:
        return shutil.disk_usage(settings.DATA).free < _LEAST
    except OSError:
        return False


def _of_files(error: OSError) -> str | None:
    """Return the sentence for a file that cannot be read or written; None for what has nothing to do with files."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _FULL.render()
    if error.filename is None:
        return None
    if isinstance(error, FileNotFoundError):
        return _("ファイル「%(name)s」がありません。名前と場所を確かめてください。") % {"name": error.filename}
    return _("「%(name)s」を読み書きできません。場所と権限を確かめてください。") % {"name": error.filename}
