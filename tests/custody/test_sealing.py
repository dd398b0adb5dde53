"""Keys leave the machine only sealed."""

from __future__ import annotations

import json

import pytest

from kitei.custody import sealing
from kitei.foundation.text import UserError

PHRASE = "正しい馬の電池ホチキスをもう一度だけ"
FILES = {"secret-key": b"abc\n", "keys/main.skey": bytes(range(200))}


@pytest.fixture(scope="module")
def sealed():
    return sealing.seal(FILES, PHRASE)


def test_the_right_phrase_opens(sealed):
    assert sealing.unseal(sealed, PHRASE) == FILES
    assert b"main.skey" not in sealed


@pytest.mark.parametrize("phrase", ["", PHRASE + "。", PHRASE[:-1]])
def test_another_phrase_does_not(sealed, phrase):
    with pytest.raises(UserError, match="パスワードが違います"):
        sealing.unseal(sealed, phrase)


def test_a_phrase_typed_on_another_system_is_the_same(sealed):
    import unicodedata

    assert unicodedata.normalize("NFD", PHRASE) != PHRASE
    assert sealing.unseal(sealed, unicodedata.normalize("NFD", PHRASE)) == FILES


def test_a_short_phrase_is_refused():
    with pytest.raises(UserError, match="15文字以上"):
        sealing.seal(FILES, "x" * 14)


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: {**facts, "n": 2**30},
        lambda facts: {**facts, "data": facts["data"][:-8] + "AAAAAAA="},
        lambda facts: {**facts, "nonce": "00" * 12},
        lambda facts: {key: value for key, value in facts.items() if key != "salt"},
    ],
)
def test_changed_facts_are_refused(sealed, change):
    with pytest.raises(UserError):
        sealing.unseal(json.dumps(change(json.loads(sealed))).encode(), PHRASE)
