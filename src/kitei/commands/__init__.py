"""The commands behind ``kitei``: faces that open transactions, call operations and queries, and print."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from types import ModuleType

FAILED = 1
USAGE = 2


def run(load: Callable[[str], ModuleType], module: str, options: argparse.Namespace, *, english: bool) -> int:
    """Start Django, run one command, and turn every foreseen trouble into one sentence on stderr."""
    from kitei.commands import trouble  # noqa: PLC0415  imports Django

    options.english = english
    try:
        if options.command != "doctor":
            trouble.start(english=english)
        command = load(f"kitei.commands.{module}")
        return int(getattr(command, options.command.replace("import", "import_").replace("-", "_"))(options) or 0)
    except KeyboardInterrupt:
        return FAILED
    except BrokenPipeError:
        # `kitei check | head` is no fault; without this Python complains once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        sentence = trouble.explain(error)
        if sentence is None:
            raise
        sys.stderr.write(sentence + "\n")
        return USAGE
