"""Letting a log grow, asking witnesses, and what is known afterwards."""

from __future__ import annotations

import datetime as dt

from small_witness import NOON

from kitei.foundation import transactions
from kitei.trust.auditlog import anchors, events, logs, sequencer
from kitei.trust.auditlog.log import Act, append_many
from kitei.trust.auditlog.models import AnchorState, Head
from kitei.trust.auditlog.store import FolderStore
from kitei_verify import checkpoint

START = dt.datetime.fromtimestamp(NOON, tz=dt.UTC)


def follow(settings, folder, *witnesses, quorum=None, more=""):
    names = " ".join(each.signer.name for each in witnesses)
    text = "".join(each.line for each in witnesses) + f"group all all {names}\n" + more
    settings.LOG_POLICY = folder / "policy"
    settings.LOG_POLICY.write_text(text + f"quorum {quorum or 'all'}\n")


def grow(log, count):
    acts = [Act(events.LOGIN, ("member", "0192"), ("account", str(number))) for number in range(count)]
    transactions.durable(lambda: append_many(organization=log.organization, acts=acts))
    sequencer.run(organization=log.organization)


def run(log, minutes=0):
    anchors.run(log.organization, now=START + dt.timedelta(minutes=minutes))


def newest(log):
    return Head.objects.filter(log=log).order_by("-size").first()


def published(log):
    return checkpoint.parse(FolderStore(logs.folder_of(log)).read("checkpoint"), where="checkpoint")


def state(log):
    return AnchorState.objects.get(log=log)


def error_of(log, name="witness.hospital.example"):
    (fact,) = [fact for fact in anchors.summary(log) if fact.name == name]
    return fact.error.render() if fact.error else ""


def sized(handler, status, body=b"", media_type="text/plain"):
    handler.say(status, body, media_type)


def cosigned(signer, text, at=NOON):
    return signer.sign(text, at=at).line().encode()
