# ruff: noqa: RUF001
"""Words of all scripts: twenty and more by hand, and each place against Unicode's rules."""

import re
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modal_interp.texts import words
from modal_interp.texts.word_encoder import WordEncoder
from modal_interp.texts.words import FORMS, preparer, split_words
from tests.texts.reference_words import prepared, reference_words
from tests.thoroughness import examples

SPELLINGS = {  # what a text is, and its words with blanks between
    "English": ("Don't STOP, it's 90's e.g. 3.5!", "don't stop , it's 90's e . g . 3 . 5 !"),
    "English quotes": ("“Isn’t” — it‘s", "“ isn’t ” — it‘s"),
    "French": ("Un CAFÉ très déçu, l’été", "un café très déçu , l’été"),
    "German": ("Straße STRASSE GROẞ", "straße strasse groß"),
    "Catalan": ("col·lecció il·lusió", "col·lecció il·lusió"),
    "Turkish": ("İyi film İSTANBUL ışık", "iyi film istanbul ışık"),
    "Vietnamese": ("phim rất hay", "phim rất hay"),
    "Greek": ("Καλή ΤΑΙΝΙΑ ΦΙΛΟΣ", "καλή ταινια φιλος"),
    "Russian": ("Хороший ФИЛЬМ", "хороший фильм"),
    "Ukrainian": ("п'ять м’який", "п'ять м’який"),
    "Armenian": ("ի՞նչ լավ", "ի՞նչ լավ"),
    "Georgian": ("კარგი ფილმი", "კარგი ფილმი"),
    "Hebrew": ("צה״ל צה\"ל ג'ירפה סרט", "צה״ל צה\"ל ג'ירפה סרט"),
    "Hebrew points": ("סֶרֶט טוֹב", "סֶרֶט טוֹב"),
    "Arabic": ("فِيلْمٌ جَيِّدٌ، فيلم", "فِيلْمٌ جَيِّدٌ ، فيلم"),
    "Persian": ("می\u200cخواهم نامه\u200cای", "می\u200cخواهم نامه\u200cای"),
    "Urdu": ("اچھی فلم۔", "اچھی فلم ۔"),
    "Syriac": ("ܟܬܳܒܳܐ ܛܳܒܳܐ", "ܟܬܳܒܳܐ ܛܳܒܳܐ"),
    "Hindi": ("अच्छी फिल्म थी।", "अच्छी फिल्म थी ।"),
    "Bengali": ("ভালো ছবি", "ভালো ছবি"),
    "Punjabi": ("ਚੰਗੀ ਫਿਲਮ", "ਚੰਗੀ ਫਿਲਮ"),
    "Gujarati": ("સારી ફિલ્મ", "સારી ફિલ્મ"),
    "Tamil": ("நல்ல திரைப்படம்", "நல்ல திரைப்படம்"),
    "Telugu": ("మంచి సినిమా", "మంచి సినిమా"),
    "Kannada": ("ಒಳ್ಳೆಯ ಚಿತ್ರ", "ಒಳ್ಳೆಯ ಚಿತ್ರ"),
    "Malayalam": ("നല്ല സിനിമ അവന്\u200d", "നല്ല സിനിമ അവന്\u200d"),
    "Sinhala": ("ශ්\u200dරී ලංකා", "ශ්\u200dරී ලංකා"),
    "Amharic": ("ጥሩ ፊልም", "ጥሩ ፊልም"),
    "Korean": ("좋은 영화다", "좋은 영화다"),
    "Chinese": ("这部电影ABC好看，3月", "这 部 电 影 abc 好 看 ， 3 月"),
    "Japanese": ("ハリーはとても面白い。", "ハリー は と て も 面 白 い 。"),
    "Thai": ("น้ำดีมาก", "น้ำ ดี ม า ก"),
    "Lao": ("ຮູບດີ", "ຮູ ບ ດີ"),
    "Khmer": ("ក្រុមល្អ", "ក្រុ ម ល្អ"),
    "Myanmar": ("ရုပ်ရှင် မန္တ", "ရု ပ် ရှ င် မ န္တ"),
    "Tibetan": ("བོད་སྐད", "བོད ་ སྐད"),
    "emoji": ("👩\u200d👩\u200d👧👍🏽🇩🇪🇫🇷 ❤️!☺", "👩\u200d👩\u200d👧 👍🏽 🇩🇪 🇫🇷 ❤️ ! ☺"),
    "keycaps": ("1️⃣2️⃣a#️⃣", "1️⃣ 2️⃣ a #️⃣"),
    "flag of tags": ("🏴\U000e0067\U000e0062\U000e007fok", "🏴\U000e0067\U000e0062\U000e007f ok"),
    "unseen": (
        "\ufeffAuf\u200clage co\u00adoperate film\u200d a\u200bb",
        "auflage cooperate film a b",
    ),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_words_by_hand(name):
    text, expected = SPELLINGS[name]
    for form in (None, *FORMS):
        written = text if form is None else unicodedata.normalize(form, text)
        if form in ("NFKC", "NFKD") and written != unicodedata.normalize(
            form.replace("K", ""), text
        ):
            continue  # other letters, not another form
        composed = unicodedata.normalize("NFC", expected)
        assert WordEncoder().tokenize([written]) == [composed.split(" ")]


FACTS = [  # of UAX 29: what stands in one place, and where words end
    ("a\u0308b", 1), ("a\u00adb", 1), ("a\u200db", 1), ("a_1_b", 1), ("ab12", 1), ("カ\u3099タ", 1),
    ("a\u05f4b", 1), ("a\u2027b", 1), ("ש'", 1), ("ש\"ש", 1), ("🇦🇧🇨", 2), ("🇦🇧🇨🇩", 2), ("a🇦🇧", 2),
    ("🛑\u200d🛑", 1), ("a🛑", 2), ("😀\u200d😀", 1), ("a''b", 4), ("文字", 2), ("ひら", 2),
    ("a b", 2), ("a\u2060b", 1), ("a\ufeffb", 1), ("a\u0308\u200db", 1), ("カ\u200dタ", 1),
    ("🏴\u200d☠\ufe0f", 1), ("👍🏽👍", 2), ("א\u05b0'א", 1), ("_a_", 1), ("1_a", 1), ("カa", 2),
    ("\u0308a", 2), ("가각", 1), ("\u1100\u1161", 1), ("๑๒", 1),
]  # fmt: skip


@pytest.mark.parametrize(("text", "n_words"), FACTS)
def test_facts_of_unicode(text, n_words):
    assert len(split_words(text)) == n_words
    assert "".join(split_words(text)) == text.replace(" ", "")


ODD = (
    "ab1_'’\".,: éßIİı\u0301\u0308\u00ad\u200b\u200c\u200d\ufeff\ufe0f\u20e3#文あカーｶ"
    "\uff9e\u3099กำ\u0e48\u0e40ក\u17d2រမ\u1039န\u103aשנ״אم\u064eक\u094dष\u0e33👩👍🏽🇩🇪❤©ℹ²½Ⓜ·한\u1100\u1161"
    "\u180e\u034f\u3164\x1c\u202f\u2024\u0600\u05bc々〇"
)
odd_texts = st.one_of(st.text(ODD, max_size=8), st.text(max_size=12))


@given(odd_texts)
@settings(max_examples=examples(300))
def test_every_place_follows_the_rules(text):
    assert split_words(text) == reference_words(text)
    assert preparer("NFC", True)(text) == prepared(text)


PLAIN = [
    char
    for char in map(chr, [*range(0xD800), *range(0xE000, 0x3000)])
    if not words._NOT_PLAIN.search(char)
]


@pytest.mark.parametrize("around", ["{}", "a{}", "{}a", "a{}a", "1{}1", "!{}!", "{0}{0}", "a'{}"])
def test_each_plain_character_is_split_alike_by_both_ways(around):
    assert len(PLAIN) > 1000
    for text in (around.format(char) for char in [*PLAIN, "한", "힣"]):
        assert words._PLAIN_WORD.findall(text) == words._WORD.findall(text)


@given(st.text(st.sampled_from(PLAIN)))
def test_plain_texts_are_split_alike_by_both_ways(text):
    assert words._PLAIN_WORD.findall(text) == words._WORD.findall(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_split_as_ever(text):
    assert split_words(text) == re.findall(r"\w+(?:['’]\w+)*|[^\w\s]", text)
    assert preparer("NFC", True)(text) == text.lower()


def test_a_zero_width_space_ends_a_word_and_is_none():
    assert WordEncoder().tokenize(["a\u200bb \u200b ភាសា\u200bខ្មែរ"]) == [
        ["a", "b", "ភា", "សា", "ខ្មែ", "រ"]
    ]


@pytest.mark.parametrize("row", ["\u200d", "\u200c\u0301", "\u064e\u200c", "\ufe0f\u200d"])
@pytest.mark.parametrize("first", ["", "字", "ن", "👩"])
def test_long_rows_of_marks_take_no_ages(row, first):
    start = time.process_time()
    assert len(WordEncoder().tokenize([first + row * 10_000 + " end"])[0]) <= 3
    assert time.process_time() - start < 0.5  # 0.02; looking back to the first took 1 to 3


@given(st.sampled_from(sorted(SPELLINGS)), st.sampled_from("\u00ad\ufeff\u2060"), st.data())
def test_unseen_characters_change_no_word(name, unseen, data):
    text = SPELLINGS[name][0]
    place = data.draw(st.integers(0, len(text)))
    seen = WordEncoder().tokenize([text])
    assert WordEncoder().tokenize([text[:place] + unseen + text[place:]]) == seen


@pytest.mark.parametrize("name", SPELLINGS)
def test_words_alone_are_themselves(name):
    for word in WordEncoder().tokenize([SPELLINGS[name][0]])[0]:
        assert WordEncoder().tokenize([word]) == [[word]]


def test_case_as_turkish_has_it():
    turkish, other = WordEncoder(lowercase="tr"), WordEncoder()
    assert turkish.tokenize(["ISPARTA İyi I\u0307yi DIŞ"]) == [["ısparta", "iyi", "iyi", "dış"]]
    expected = [["isparta", "iyi", "iyi", "iyi"]]
    assert other.tokenize(["ISPARTA İyi I\u0307yi i\u0307yi"]) == expected
    assert other.tokenize(["İSTANBUL".lower()]) == other.tokenize(["istanbul"])
    assert WordEncoder(lowercase=False).tokenize(["İyi ISPARTA"]) == [["İyi", "ISPARTA"]]


def test_normal_forms():
    text = "cafe\u0301 \ufb01lm \uff21"
    composed = ["caf\u00e9", "\ufb01lm", "\uff41"]
    assert WordEncoder().tokenize([text]) == [composed]
    assert WordEncoder(normalize="NFD").tokenize([text]) == [["cafe\u0301", *composed[1:]]]
    assert WordEncoder(normalize="NFKC").tokenize([text]) == [["caf\u00e9", "film", "a"]]
    assert WordEncoder(normalize=None).tokenize(["cafe\u0301 a\u00adb"]) == [
        ["cafe\u0301", "a\u00adb"]
    ]
    # A tokenizer of the user's sees the normal form too.
    assert WordEncoder(tokenizer=str.split).tokenize(["\ufeffcafe\u0301"]) == [["caf\u00e9"]]
