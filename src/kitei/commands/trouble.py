"""Starting Django, and saying in one sentence what went wrong."""

from __future__ import annotations

import sys

from django.core.exceptions import ImproperlyConfigured
from django.db.utils import OperationalError, ProgrammingError
from django.utils.translation import gettext as _

from kitei.foundation.text import UserError


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
    if isinstance(error, OperationalError | ProgrammingError):
        text = str(error).splitlines()[0]
        if "no such table" in text or "does not exist" in text or "unable to open" in text:
            return _("データがまだ用意されていません。先に kitei init（又は kitei upgrade）を行ってください。")
        return _(
            "データベースを使えません（%(reason)s）。KITEI_DATABASE_URL とデータベースの状態を確かめてください。"
        ) % {"reason": text}
    if isinstance(error, FileNotFoundError):
        return _("ファイル「%(name)s」がありません。名前と場所を確かめてください。") % {"name": error.filename}
    if isinstance(error, PermissionError | IsADirectoryError | NotADirectoryError):
        return _("「%(name)s」を読み書きできません。場所と権限を確かめてください。") % {"name": error.filename}
    # Models can be imported only once Django has started; a refusal comes from them.
    from kitei.trust.access.operations import record_refusal  # noqa: PLC0415
    from kitei.trust.access.rule import Refused  # noqa: PLC0415

    if isinstance(error, Refused):
        record_refusal(refused=error)  # what it stopped is rolled back by now
        return _("この操作をする権限がありません。拒否を記録しました。")
    return None
