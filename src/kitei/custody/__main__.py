"""The child process of a restore drill: restores into the data folder of its environment and prints the report as JSON.

Exit codes: 0 restored (the report may hold faults), 2 refused (the message is printed instead).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main() -> int:
    """Restore the file named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kitei.settings")
    import django  # noqa: PLC0415  after the environment is set

    django.setup()
    from kitei.custody import restore  # noqa: PLC0415  models are ready only now
    from kitei.foundation.text import UserError  # noqa: PLC0415  as above

    try:
        report = restore.run(
            file=Path(sys.argv[1]),
            passphrase=lambda: os.environ.get("KITEI_BACKUP_PASSPHRASE") or None,
            actor_ref=("cli", "drill"),
        )
    except UserError as error:
        sys.stdout.write(json.dumps(error.message.to_json()))
        return 2
    sys.stdout.write(json.dumps(report.to_json()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
