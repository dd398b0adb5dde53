"""Japanese characters: what is kept as typed, and what counts as the same when two texts are compared.

Two forms are made of every text. ``normalise`` makes the one that is stored and shown: it mends what a machine spoilt
(radicals out of a PDF, half-width kana, control characters, line ends) and leaves every character a person chose, so
髙, 﨑, 𠮷, ①, ㈱ and full-width letters survive. ``fold`` makes the one that is compared and searched and never shown.

Sources: Unicode Standard Annex 15 (normalisation forms), the UCD file of equivalent unified ideographs (radicals),
the 2-mora rule of JIS Z 8301:2008 annex G for the long vowel mark at the end of a loan word.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# --- what both forms share -------------------------------------------------------------------------------------------

_LINE_ENDS: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# Control characters; zero-width and direction marks (they hide text: 'gnp.exe' shown as 'exe.png'); tags; non-characters
# that XML, hence Word and Excel, cannot hold. The joiners and variation selectors stay: emoji and names (葛󠄀) need them.
_REMOVED: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e007f]"
)
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_SPACES: Final = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f]")  # all of Zs but the plain and ideographic space
# U+2E80-2EFF has no decomposition, so NFKC leaves it. Only radicals that are a whole word by themselves and look like it;
# ⺅ or ⺡ is typed on purpose where a radical is meant.
_RADICALS: Final = str.maketrans(
    "⺄⺈⺊⺌⺍⺎⺐⺒⺓⺜⺝⺠⺧⺩⺬⺶⺼⺽⻁⻄⻆⻑⻗⻘⻝⻞⻣⻤⻨⻩⻫⻭⻯⻱⻲",
    "乙刀卜小小兀尢巳幺日月民牛王示羊肉臼虎西角長雨青食食骨鬼麦黄斉歯竜龜亀",
)
_KANGXI: Final = re.compile("[\u2f00-\u2fd5\u2e9f\u2ef3]+")
_HALF_KANA: Final = re.compile("[\uff61-\uff9f]+")
# NFC replaces compatibility ideographs (U+FA19 神 becomes 神), which are the spelling of a name here: it works between them.
_COMPATIBILITY_IDEOGRAPHS: Final = re.compile("([\uf900-\ufaff\U0002f800-\U0002fa1f]+)")
_TRAILING: Final = " \t\u3000"

# --- fold ------------------------------------------------------------------------------------------------------------

_IGNORED: Final = re.compile("[\u200c\u200d\ufe00-\ufe0f\u034f\u180b-\u180f\U000e0100-\U000e01ef]")
_DAKUTEN: Final = str.maketrans({"゛": "\u3099", "゜": "\u309a"})  # NFKC would put a space before them
_STRAY_DAKUTEN: Final = re.compile("[\u3099\u309a]")
# Spellings of one and the same character in names and places. Each target is a source nowhere (tested).
# 斎 and 斉 are different characters and stay apart.
_VARIANT_PAIRS: Final = (
    "髙高 﨑崎 嵜崎 𠮷吉 濵浜 濱浜 邊辺 邉辺 齋斎 齊斉 德徳 桒桑 栁柳 瀨瀬 惠恵 嶋島 嶌島 澤沢 廣広 國国 眞真 榮栄 淺浅 櫻桜 "
    "龍竜 瀧滝 嶽岳 鐵鉄 藏蔵 豐豊 壽寿 與与 彌弥 禮礼 靜静 黑黒 增増 曾曽 槇槙 舘館 鷗鴎 冨富 峯峰 橫横 槗橋 𣘺橋 𡈽土 舩船 渕淵 "
    "枩松 柗松 杦杉 曻昇 籠篭 檜桧 藪薮 淸清 靑青 緖緒 綠緑 吳呉 內内 鄕郷 閒間 每毎 步歩 黃黄 產産 祿禄 縣県 學学 醫医 圓円 關関 "
    "會会 實実 寶宝 澁渋 莊荘 蘆芦 鹽塩 條条 應応 靏鶴 靍鶴 凜凛 堯尭 遙遥 瑤瑶 巖巌 衞衛 奧奥 彥彦 淨浄 聰聡 顯顕 曉暁 樂楽 氣気 "
    "萬万 佛仏 來来 亞亜 傳伝 兒児 將将 從従 戶戸 晉晋 檢検 權権 濟済 灣湾 爲為 當当 禪禅 稻稲 穗穂 藝芸 藥薬 螢蛍 覺覚 讓譲 賴頼 "
    "鎭鎮 鷄鶏 龜亀 恆恒 卽即 尙尚 敎教 溫温 狹狭 峽峡 竝並 籔薮 絲糸 繩縄 舊旧 號号 踈疎 邨村 釼剣 劍剣 埜野"
)
_VARIANTS: Final = str.maketrans({pair[0]: pair[1] for pair in _VARIANT_PAIRS.split()})
_TILDES: Final = str.maketrans("〜∼∿〰", "~~~~")
_HYPHENS: Final = "\\-\u058a\u2010-\u2015\u2043\u207b\u208b\u2212\u2500\u2501\u2796\u30a0\ufe58\ufe63\uff0d"
_HYPHEN_RUN: Final = re.compile(f"[{_HYPHENS}]+")
_KATA: Final = "ァ-ヺヽヾヿ\u31f0-\u31ff"
_KANA: Final = "ぁ-ゖゝゞゟ" + _KATA
# A hyphen after katakana is a mistyped ー (サ－バ, ユーザ‐), unless a letter or figure follows: ルータ-1 keeps it.
_HYPHEN_AS_LONG: Final = re.compile(f"(?<=[{_KATA}])[ー\\-]+(?![a-z0-9\\-])")
_LONG_AS_HYPHEN: Final = re.compile(f"(?<![{_KANA}ー])[ー\\-]+")
_KATAKANA_WORD: Final = re.compile(f"[{_KATA}ー]+")
_SMALL: Final = frozenset("ァィゥェォャュョヮ")
_MIN_MORAS: Final = 3
_WHITE: Final = re.compile("[ \t\n\u3000]+")
_HAN: Final = "々〆〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_CJK: Final = f"{_HAN}{_KANA}ー・、。「-】〔-〛"
_FOLDED_SPACE: Final = re.compile(
    f"(?<=[{_CJK}]) (?=[^\\W_]|[{_CJK}(\\[/])|(?<=[^\\W_]) (?=[{_CJK}])|(?<=[)\\],./:]) (?=[{_CJK}])"
)

# --- join_cjk --------------------------------------------------------------------------------------------------------

# Full-width letters, figures and signs belong to Japanese text as it is displayed, before any folding.
_WIDE: Final = f"{_CJK}～！-｠￠-￦①-⓿㈀-㋿\u2e80-\u2fd5"
_ASCII_OR_WIDE_DIGIT: Final = "0-9０-９"
_NEW_BLOCK: Final = "[・･●○◎■□◆◇▲△※①-⓿]|[(（][0-9０-９一二三四五六七八九十]+[)）]|第[0-9０-９一二三四五六七八九十百]+[章節条項]|附則|別表|様式"
_INSIDE_SPACE: Final = re.compile(
    f"(?<=[{_WIDE}])[ \t\u3000]+(?=[{_WIDE}{_ASCII_OR_WIDE_DIGIT}])|(?<=[0-9])[ \t\u3000]+(?=[{_WIDE}])"
)
_INSIDE_LINE_END: Final = re.compile(
    f"(?<=[{_WIDE}])(?<![。！？])[ \t\u3000]*\n[ \t\u3000]*(?=[{_WIDE}A-Za-z0-9])(?!{_NEW_BLOCK})"
    f"|(?<=[A-Za-z0-9])[ \t\u3000]*\n[ \t\u3000]*(?=[{_WIDE}])(?!{_NEW_BLOCK})"
)

# --- kana ------------------------------------------------------------------------------------------------------------

_TO_KATAKANA: Final = str.maketrans(
    {code: code + 0x60 for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)}  # ぁ-ゖ, ゝ, ゞ
)


def normalise(text: str) -> str:
    r"""Return ``text`` as it is stored and shown. Idempotent; never raises.

    Kangxi radicals and radical look-alikes become the ordinary ideograph, half-width kana full width, line ends ``\n``;
    control, zero-width and direction characters go; white space at the end of each line and of the text goes; the rest
    is NFC. Kept as typed: compatibility and variant ideographs (髙 﨑 𠮷 神 and variation selectors, the spelling of
    names), ① ㈱ ㎡, full-width letters and figures, leading spaces (字下げ), blank lines inside. Lone surrogates, which
    no file can hold, become U+FFFD.
    """
    text = _cleaned(text)
    if not text.isascii():
        text = _composed(text)
    # Line by line: a regular expression for this is quadratic on a long run of spaces.
    return "\n".join(line.rstrip(_TRAILING) for line in text.split("\n")).rstrip("\n")


def fold(text: str) -> str:
    """Return the form of ``text`` by which it is compared and searched; never shown. Idempotent; never raises.

    ``fold(normalise(x)) == fold(x)``. Equal: width, case, ① and 1, ㈱ and (株), variant spellings of name characters
    (``_VARIANT_PAIRS``), サーバー and サーバ (a final ー after three or more moras), kinds of hyphen, wave dash and tilde,
    any spacing next to Japanese characters. White space between other words is one space. Hiragana and katakana stay
    apart, as do 斎 and 斉.
    """
    text = _cleaned(text)
    if not text.isascii():
        text = _IGNORED.sub("", _composed(text)).translate(_DAKUTEN)
        # The order of UAX 31's NFKC_Casefold, which alone makes the result stable for every script.
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
        text = unicodedata.normalize("NFKC", _STRAY_DAKUTEN.sub("", text.casefold()))
        text = text.translate(_VARIANTS).translate(_TILDES)
    else:
        text = text.casefold()
    text = _WHITE.sub(" ", text).strip(" ")
    text = _HYPHEN_RUN.sub("-", text)
    if text.isascii():
        return text
    # Words first, so that 「サーバー ルーター」 equals 「サーバ ルータ」; again afterwards, for the words that were joined.
    return _long_vowels(_FOLDED_SPACE.sub("", _long_vowels(text)))


def join_cjk(text: str) -> str:
    """Remove the spaces and line ends that stand inside a Japanese word or sentence (text out of PDFs, Excel cells).

    Between Latin words spaces and line ends stay as they are. A line end also stays after 。！？, at a blank line, and
    before what begins a new block (・, ①, (1), 第2条, 附則, 別表). 「氏　名」 becomes 「氏名」 and 「第 1 条」 「第1条」, so do not
    use it on a person's name, where the space parts 姓 from 名.
    """
    return _INSIDE_SPACE.sub("", _INSIDE_LINE_END.sub("", _LINE_ENDS.sub("\n", text)))


def kana(text: str) -> str:
    """Return ``text`` in full-width katakana, the form of フリガナ and its sort key.

    Hiragana and half-width kana are converted, a hyphen after katakana becomes ー, white space is one ideographic space
    between words and none at the ends. Other characters stay as typed.
    """
    text = unicodedata.normalize("NFC", normalise(text).translate(_DAKUTEN)).translate(_TO_KATAKANA)
    text = re.sub(f"(?<=[{_KATA}])[{_HYPHENS}](?![A-Za-z0-9])", "ー", text)
    return _WHITE.sub("\u3000", text).strip("\u3000")


def is_cp932(text: str) -> str:
    """Return the characters Excel's Japanese CSV (cp932) cannot hold, each once in order; ``""`` if all of them fit.

    A character that cp932 silently turns into another (¥ into a backslash) counts as one it cannot hold.
    """
    if _survives_cp932(text):
        return ""
    return "".join(char for char in dict.fromkeys(text) if not _survives_cp932(char))


def _survives_cp932(text: str) -> bool:
    try:
        return text.encode("cp932").decode("cp932") == text
    except UnicodeError:
        return False


def _cleaned(text: str) -> str:
    text = _LINE_ENDS.sub("\n", text)
    if text.isascii() and text.isprintable():
        return text
    return _LONE_SURROGATE.sub("\ufffd", _SPACES.sub(" ", _REMOVED.sub("", text)))


def _composed(text: str) -> str:
    text = _KANGXI.sub(_nfkc, text.translate(_RADICALS))
    text = _HALF_KANA.sub(_nfkc, text)
    parts = _COMPATIBILITY_IDEOGRAPHS.split(text)
    # Every second part is what the pattern caught; the others are ordinary text.
    return "".join(part if at % 2 else unicodedata.normalize("NFC", part) for at, part in enumerate(parts))


def _nfkc(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", match.group())


def _long_vowels(text: str) -> str:
    text = _HYPHEN_AS_LONG.sub("ー", text)
    text = _HYPHEN_RUN.sub("-", _LONG_AS_HYPHEN.sub("-", text))
    return _KATAKANA_WORD.sub(_without_final_long_vowel, text)


def _without_final_long_vowel(match: re.Match[str]) -> str:
    word = match.group()
    if not word.endswith("ー"):
        return word
    stem = word.rstrip("ー")
    moras = sum(char not in _SMALL for char in stem)
    return stem if moras >= _MIN_MORAS else stem + "ー"
