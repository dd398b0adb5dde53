"""``python -m kitei_verify``; says in one sentence what is missing on this machine."""

from __future__ import annotations

import sys

USAGE = 2


def main() -> int:
    """Run the command and return its exit code."""
    try:
        import cryptography  # noqa: F401, PLC0415  asked for before anything that needs it is imported
    except ImportError:
        sys.stderr.write(
            "Python の cryptography がありません。`python -m pip install cryptography` を行ってください。\n"
            "The package cryptography is missing: run `python -m pip install cryptography`.\n"
        )
        return USAGE
    from kitei_verify import cli  # noqa: PLC0415

    return cli.main()


if __name__ == "__main__":
    raise SystemExit(main())
