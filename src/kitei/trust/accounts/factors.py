"""Second factors of an account: passkeys, an authenticator app (TOTP), recovery codes. Whoever writes here joins a transaction.

Whether an account *must* have one follows from its offices, which stand above this floor: trust/access tells it through
``demand``.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
import uuid
from collections.abc import Callable
from typing import Any

from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.ids import uuid7
from kitei.foundation.text import Message, UserError
from kitei.trust.accounts import factors_totp
from kitei.trust.accounts.events import FACTOR_ADDED, FACTOR_REMOVED, FACTORS_RESET, RECOVERY_USED
from kitei.trust.accounts.factors_sealing import SealBrokenError, keyed_digest, seal, unseal
from kitei.trust.accounts.models import Factor, OidcIdentity, RecoveryCode, User
from kitei.trust.auditlog.log import Act, append

PASSKEY, TOTP, RECOVERY = "passkey", "totp", "recovery"
RECOVERY_CODES = 10
MOST_PASSKEYS = 10
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without I, O, 0, 1: people read the codes from paper
_GROUPS, _GROUP = 4, 4  # 80 bits: may be kept as a digest

_required: list[Callable[[User], bool]] = []


def demand(rule: Callable[[User], bool]) -> None:
    """Tell who must have a second factor; the access floor does, when it is loaded."""
    if rule not in _required:
        _required.append(rule)


def is_required(user: User) -> bool:
    """Whether the account must have a second factor."""
    return any(rule(user) for rule in _required)


def of(user: User) -> list[Factor]:
    """Return the account's passkeys and authenticator apps, oldest first."""
    return list(Factor.objects.filter(user=user).order_by("id"))


def has_any(user: User) -> bool:
    """Whether the account has a second factor, so that a pass word alone lets nobody in."""
    return Factor.objects.filter(user=user).exists()


def codes_left(user: User) -> int:
    """Return how many recovery codes are unused."""
    return RecoveryCode.objects.filter(user=user, used_at__isnull=True).count()


def _own(user: User) -> dict[str, Any]:
    return {"allowed": True, "reasons": ["own-account"]}


def _told(user: User, name: Any, data: dict[str, Any]) -> None:
    act = Act(name, ("member", str(user.id)), ("account", str(user.id)), data=data, decision=_own(user))
    append(organization=user.organization, act=act)


def _label(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()[:60]


# Authenticator app


def seal_secret(user: User, secret: bytes) -> bytes:
    """Return a TOTP secret as it is kept; it opens for this account only."""
    return seal(secret, purpose=TOTP, about=str(user.id))


def open_secret(user: User, sealed: bytes) -> bytes:
    """Return the TOTP secret; SealBrokenError when the installation's key is another one."""
    return unseal(sealed, purpose=TOTP, about=str(user.id))


def add_totp(*, user: User, secret: bytes, code: str, name: str) -> Factor:
    """Keep an authenticator app once it has shown a right code; UserError otherwise. That code is used up."""
    transactions.require()
    step = factors_totp.step_of(secret, code, at=clock.device_time().timestamp())
    if step is None:
        raise UserError(
            Message(
                "コードが違います。認証アプリに今表示されている6桁の数字を入力してください。端末の時計も確かめてください。"
            )
        )
    factor = Factor.objects.create(
        id=uuid7(),
        organization_id=user.organization_id,
        user=user,
        kind=TOTP,
        name=_label(name),
        data=seal_secret(user, secret),
        counter=step,
        created_at=clock.now(),
        used_at=clock.now(),
    )
    _told(user, FACTOR_ADDED, {"kind": TOTP, "factor": str(factor.id)})
    return factor


def use_totp(*, user: User, code: str) -> bool:
    """Whether ``code`` is one an app of the account shows now and that was not used before; then it is used up."""
    transactions.require()
    for factor in Factor.objects.filter(user=user, kind=TOTP):
        try:
            secret = open_secret(user, bytes(factor.data))
        except SealBrokenError:
            continue
        step = factors_totp.step_of(secret, code, at=clock.device_time().timestamp())
        # Compare-and-swap: of two requests with the same code one moves the counter on.
        if step is not None and _advance(factor.id, step):
            return True
    return False


def _advance(identity: uuid.UUID, counter: int) -> bool:
    newer = Factor.objects.filter(id=identity, counter__lt=counter)
    return bool(newer.update(counter=counter, used_at=clock.now()))


# Passkeys


def credential_lookup(credential_id: bytes) -> str:
    """Return what a passkey is found by."""
    return hashlib.sha256(credential_id).hexdigest()


def add_passkey(*, user: User, credential: bytes, credential_id: bytes, counter: int, name: str) -> Factor:
    """Keep a passkey whose registration was verified (see ``webauthn``); UserError when it is known or one too many."""
    transactions.require()
    lookup = credential_lookup(credential_id)
    if Factor.objects.filter(lookup=lookup).exists():
        raise UserError(Message("このパスキーはすでに登録されています。"))
    if Factor.objects.filter(user=user, kind=PASSKEY).count() >= MOST_PASSKEYS:
        raise UserError(
            Message(
                "パスキーは%(most)d個まで登録できます。使わないものを外してから登録してください。",
                {"most": MOST_PASSKEYS},
            )
        )
    factor = Factor.objects.create(
        organization_id=user.organization_id,
        user=user,
        kind=PASSKEY,
        name=_label(name),
        data=credential,
        lookup=lookup,
        counter=counter,
        created_at=clock.now(),
        used_at=clock.now(),
    )
    _told(user, FACTOR_ADDED, {"kind": PASSKEY, "factor": str(factor.id)})
    return factor


def passkeys(user: User) -> list[Factor]:
    """Return the account's passkeys."""
    return [factor for factor in of(user) if factor.kind == PASSKEY]


def passkey_of(credential_id: bytes) -> Factor | None:
    """Return the passkey of a credential id with its account, if anybody has it."""
    rows = Factor.objects.select_related("user", "user__organization")
    return rows.filter(kind=PASSKEY, lookup=credential_lookup(credential_id)).first()


def use_passkey(*, factor: Factor, counter: int) -> bool:
    """Whether a verified assertion counts: its counter has moved on, or the passkey keeps none (WebAuthn §7.2 step 22)."""
    transactions.require()
    if counter == 0:
        return bool(Factor.objects.filter(id=factor.id, counter=0).update(used_at=clock.now()))
    return _advance(factor.id, counter)


# Recovery codes


def make_recovery_codes(*, user: User) -> list[str]:
    """Return ten new recovery codes, to be shown once; those made before no longer work."""
    transactions.require()
    codes = [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    ]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(organization_id=user.organization_id, user=user, digest=_recovery_digest(user, code))
        for code in codes
    )
    _told(user, FACTOR_ADDED, {"kind": RECOVERY})
    return codes


def use_recovery_code(*, user: User, code: str) -> bool:
    """Whether ``code`` is an unused recovery code of the account; then it is used up and recorded."""
    transactions.require()
    unused = RecoveryCode.objects.filter(user=user, digest=_recovery_digest(user, code), used_at__isnull=True)
    if not unused.update(used_at=clock.now()):
        return False
    _told(user, RECOVERY_USED, {"left": codes_left(user)})
    return True


def _recovery_digest(user: User, code: str) -> str:
    plain = "".join(part for part in unicodedata.normalize("NFKC", code).upper() if part.isalnum())
    return keyed_digest(f"{user.id}:{plain}", purpose=RECOVERY)


# Taking factors away


def remove(*, user: User, identity: uuid.UUID) -> None:
    """Remove one of one's own factors. UserError for the last one of an account that must have one.

    With the last factor the recovery codes go too: they replace nothing any more.
    """
    transactions.require()
    user.organization.hold()  # two requests must not each remove the last but one
    mine = {factor.id: factor for factor in of(user)}
    if identity not in mine:
        raise UserError(Message("この手段はすでに外されています。"))
    if len(mine) == 1 and is_required(user):
        raise UserError(
            Message(
                "役割に就いている人は、本人確認の手段を少なくとも一つ持つ必要があります。別の手段を追加してから外してください。"
            )
        )
    Factor.objects.filter(id=identity, user=user).delete()
    if len(mine) == 1:
        RecoveryCode.objects.filter(user=user).delete()
    _told(user, FACTOR_REMOVED, {"kind": mine[identity].kind, "factor": str(identity)})


def reset(*, user: User, actor: tuple[str, str], decision: dict[str, Any]) -> bool:
    """Take all factors and recovery codes of an account away, because its holder lost them; False when it had none.

    The caller has asked the access rule, or is the console; ``decision`` is what it answered.
    """
    transactions.require()
    kinds = [factor.kind for factor in of(user)]
    if not forget(user=user):
        return False
    numbers = {"passkeys": kinds.count(PASSKEY), "apps": kinds.count(TOTP)}
    act = Act(FACTORS_RESET, actor, ("account", str(user.id)), data=numbers, decision=decision)
    append(organization=user.organization, act=act)
    return True


def forget(*, user: User, identities: bool = False) -> bool:
    """Delete factors and codes (and links to providers) without a record of its own: the caller's act says it."""
    transactions.require()
    gone = Factor.objects.filter(user=user).delete()[0] + RecoveryCode.objects.filter(user=user).delete()[0]
    if identities:
        gone += OidcIdentity.objects.filter(user=user).delete()[0]
    return gone > 0
