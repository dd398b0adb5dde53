from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kitei.foundation.text import japanese
from kitei.foundation.text.japanese import fold, is_cp932, join_cjk, kana, normalise

# Characters where the rules meet, so that hypothesis finds their combinations; plus every code point, also lone surrogates.
_TRICKY = "サーバカルータﾊﾞﾟｶｰ -－−‐〜～\u3000\n\r\t\x00aA1１①㈱髙﨑𠮷斎⽇⺠゛゜\u3099\u0301\u0345ßİ漢字、。()（）・あ\u200b\ufa19\u2028\ud800"
_ANY = st.text(st.one_of(st.sampled_from(_TRICKY), st.characters()), max_size=12)


@pytest.mark.parametrize(
    "kept", ["髙﨑𠮷", "①㈱㎡", "ＡＢＣ１２３", "\u845b\U000e0100飾", "\ufa19谷", "\u3000字下げ", "A\n\nB", "👨‍👩‍👧"]
)
def test_what_a_person_typed_is_kept_for_display(kept):
    assert normalise(kept) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("⼀⽇⼈", "一日人"),
        ("⻑⺠⻘", "長民青"),
        ("ｻｰﾊﾞｰ｢ﾎﾟｰﾄ｣､", "サーバー「ポート」、"),
        ("カ\u3099", "ガ"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("規程 \u3000\n本文\t \n", "規程\n本文"),
        ("a\x00b\x1fc\ufeff\u200b", "abc"),
        ("\u202egnp.exe", "gnp.exe"),
        ("A\u00a0B", "A B"),
        ("x\ud800", "x\ufffd"),
    ],
)
def test_what_a_machine_spoilt_is_mended(typed, kept):
    assert normalise(typed) == kept


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("髙橋 濵田 渡邊", "高橋 浜田 渡辺"),
        ("山﨑　𠮷郎", "山崎吉郎"),
        ("齋藤", "斎藤"),
        ("齊藤", "斉藤"),
        ("\u845b\U000e0100城", "葛城"),
        ("㈱医療①", "(株)医療1"),
        ("ＳＥＲＶＥＲ－０１", "server-01"),
        ("サーバー", "ｻｰﾊﾞ"),
        ("サ－バ−", "サーバ"),
        ("コンピューター ルーター", "コンピュータ ルータ"),
        ("1ー2−3‐4", "1-2-3-4"),
        ("東京〜大阪", "東京～大阪"),
        ("第 1 条", "第１条"),
        ("医療\n情報", "医療情報"),
        ("AWS\u3000 東京", "aws東京"),
        ("hello \n world", "Hello World"),
        ("カ゛", "ガ"),
        ("⽇本", "日本"),
    ],
)
def test_spellings_of_the_same_thing_compare_equal(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("斎藤", "斉藤"),
        ("カバー", "カバ"),
        ("キー", "キ"),
        ("サーバ", "さーば"),
        ("ルータ-1", "ルータ1"),
        ("data base", "database"),
        ("ガ", "カ"),
        ("SV-01", "SV-011"),
    ],
)
def test_different_things_stay_different(one, other):
    assert fold(one) != fold(other)


@given(_ANY)
@example("ｶ\u0345ﾞ\n")
@example(" 字㈱あ−ｰ１~")
@example("ᄀ.) ßー−ル\u200b")
def test_both_forms_are_stable_and_agree(text):
    kept = normalise(text)
    folded = fold(text)
    assert normalise(kept) == kept
    assert fold(folded) == folded
    assert fold(kept) == folded
    kept.encode("utf-8")


@given(_ANY)
def test_the_other_forms_never_raise_and_are_stable(text):
    assert join_cjk(join_cjk(text)) == join_cjk(text)
    assert kana(kana(text)) == kana(text)
    assert set(is_cp932(text)) <= set(text)


@given(st.text(st.characters(min_codepoint=0xFF01, max_codepoint=0xFF9F)))
def test_width_never_matters_to_a_comparison(text):
    assert fold(unicodedata.normalize("NFKC", text)) == fold(text)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zs", "Mn"]), max_size=8))
def test_display_form_changes_no_name_character(text):
    ideographs = [char for char in text if "\u3400" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff"]
    kept = normalise(text)
    assert all(char in kept for char in ideographs)


def test_no_variant_leads_to_another_variant():
    assert not {chr(code) for code in japanese._VARIANTS} & set(japanese._VARIANTS.values())
    assert all(len(pair) == 2 and pair[0] != pair[1] for pair in japanese._VARIANT_PAIRS.split())


@pytest.mark.parametrize(
    "hostile", [" " * 50_000 + "あ", "ア" * 50_000, "アー" * 25_000, "-" * 50_000 + "1", "あ\n" * 25_000]
)
@pytest.mark.timeout(10)
def test_long_runs_take_no_quadratic_time(hostile):
    assert fold(normalise(hostile)) == fold(hostile)
    join_cjk(hostile)


@pytest.mark.parametrize(
    ("torn", "whole"),
    [
        ("氏\u3000名", "氏名"),
        ("第 1 条", "第1条"),
        ("医療情報シ\nステムの 安全管理", "医療情報システムの安全管理"),
        ("サー\n  バー HIS を\n使う", "サーバー HIS を使う"),
        ("see the\nmanual page", "see the\nmanual page"),
        ("定める。\n次の文", "定める。\n次の文"),
        ("前の段\n\n次の段", "前の段\n\n次の段"),
        ("次のとおり\n（１）管理\n・項目", "次のとおり\n（１）管理\n・項目"),
        ("規程\n第２条 目的", "規程\n第２条目的"),
    ],
)
def test_words_torn_by_lines_and_spaces_are_joined(torn, whole):
    assert join_cjk(torn) == whole


@pytest.mark.parametrize(
    ("typed", "reading"),
    [("やまだ ﾀﾛｳ", "ヤマダ\u3000タロウ"), (" ﾛ-ﾏ ", "ローマ"), ("か゛", "ガ"), ("ゔ ゞ", "ヴ\u3000ヾ"), ("", "")],
)
def test_reading_is_full_width_katakana(typed, reading):
    assert kana(typed) == reading


def test_characters_excel_csv_cannot_hold_are_named_once_in_order():
    assert is_cp932("髙橋﨑①㈱～－") == ""
    assert is_cp932("𠮷田𠮷郎〜¥") == "𠮷〜¥"
    assert is_cp932("\\") == ""
