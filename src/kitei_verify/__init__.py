"""What an outsider needs to verify a log of Kitei's: formats, proofs, and the command ``kitei-verify``.

Stands alone: no Django and nothing of Kitei's; hashlib and cryptography only (rfc3161-client when time stamps are checked).
The product uses these same formats to write its log, so what is written here is read here.
"""

from __future__ import annotations
