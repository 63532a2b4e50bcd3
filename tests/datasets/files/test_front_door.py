"""Files as people have them: each is read rightly, or refused with the place and what helps."""

# ruff: noqa: E501, RUF001 - tables of cases, a line each

import bz2
import gzip
import io
import json
import lzma
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modal_interp.datasets.files import read_features, read_labels, read_rows
from tests.thoroughness import examples

N = 40
LABELS = ["neg" if i % 2 else "pos" for i in range(N)]
TEXTS = [f"film number {i} was seen" for i in range(N)]


def lines(rows, header="text,label", end="\n"):
    return end.join([header, *rows]) + end


PLAIN = lines(f"{t},{y}" for t, y in zip(TEXTS, LABELS, strict=True))


def tabs(texts):
    return lines([f"{y}\t{t}" for y, t in zip(LABELS, texts, strict=True)], "label\ttext")


def zipped(*members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def with_text(text, encoding, label="label"):
    return lines([f"{text} {i},{y}" for i, y in enumerate(LABELS)], f"text,{label}").encode(
        encoding
    )


GERMAN = "Größe und schöne Straße für alle"
FRENCH = "ça m'a été très agréable, à l'œil"
RUSSIAN = "очень хороший фильм"
RECORDS = [{"text": t, "label": y} for t, y in zip(TEXTS, LABELS, strict=True)]
OPEN_QUOTES = [f'"{t}' if i in (5, 20) else t for i, t in enumerate(TEXTS)]

# name: (content, options of read_rows, texts that are to be found or how many rows, what is told)
TEXT_FILES = {
    "plain.csv": (PLAIN, {}, TEXTS, {"separator": "comma"}),
    "windows.csv": (PLAIN.replace("\n", "\r\n"), {}, TEXTS, {}),
    "old-mac.csv": (PLAIN.replace("\n", "\r"), {}, TEXTS, {}),
    "no-last-line-end.csv": (PLAIN.rstrip(), {}, TEXTS, {}),
    "empty-lines.csv": (PLAIN.replace("\n", "\n\n"), {}, TEXTS, {}),
    "semicolons.csv": (PLAIN.replace(",", ";"), {}, TEXTS, {"separator": "semicolon"}),
    "bars.txt": (PLAIN.replace(",", "|"), {}, TEXTS, {"separator": "vertical bar"}),
    "tabs.txt": (PLAIN.replace(",", "\t"), {}, TEXTS, {"separator": "tab"}),
    "named.csv": (PLAIN.replace(",", "~"), {"separator": "~"}, TEXTS, {}),
    "sep-line.csv": ("sep=;\n" + PLAIN.replace(",", ";"), {}, TEXTS, {}),
    "quoted-sep-line.csv": ('"sep=|"\r\n' + PLAIN.replace(",", "|"), {}, TEXTS, {}),
    "commas-in-tabs.tsv": (tabs([f"{t}, and, then" for t in TEXTS]), {}, N, {"separator": "tab"}),
    "header-of-commas.csv": (
        lines([f"{t};{y}" for t, y in zip(TEXTS, LABELS, strict=True)], "text;label"),
        {}, TEXTS, {"separator": "semicolon"},
    ),
    "blank-names.csv": (PLAIN.replace("text,label", " text , label "), {}, TEXTS, {}),
    "unseen-marks-in-names.csv": (PLAIN.replace("text,", "\u200btext\ufeff,"), {}, TEXTS, {}),
    "empty-last-column.csv": (PLAIN.replace("\n", ",\n"), {}, TEXTS, {}),
    "more-empty-cells.csv": (PLAIN.replace("pos\n", "pos,,\n"), {}, TEXTS, {}),
    "quoted.csv": (
        lines([f'"{t}, ""so""",{y}' for t, y in zip(TEXTS, LABELS, strict=True)]),
        {}, [f'{t}, "so"' for t in TEXTS], {},
    ),
    "line-breaks.csv": (
        lines([f'"{t},\nand; more",{y}' for t, y in zip(TEXTS, LABELS, strict=True)]),
        {}, [f"{t},\nand; more" for t in TEXTS], {},
    ),
    "backslashes.csv": (
        lines([f'"{t} \\"so\\", yes",{y}' for t, y in zip(TEXTS, LABELS, strict=True)]),
        {}, [f'{t} "so", yes' for t in TEXTS], {"quotation": r'a quotation mark in a cell is written \"'},
    ),
    "single-quotes.csv": (
        lines([f"'{t}, so',{y}" for t, y in zip(TEXTS, LABELS, strict=True)]),
        {"quote": "'"}, [f"{t}, so" for t in TEXTS], {},
    ),
    "open-quotes.tsv": (tabs(OPEN_QUOTES), {}, OPEN_QUOTES, {"separator": "tab"}),
    "open-quotes-that-close-elsewhere.tsv": (
        tabs([f'"{t}' if i == 5 else f'{t}"' if i == 20 else t for i, t in enumerate(TEXTS)]),
        {}, N, {"quotation": "quotation marks are characters of the text"},
    ),
    "open-quotes.csv": (
        lines([f"{y},{t}" for y, t in zip(LABELS, OPEN_QUOTES, strict=True)], "label,text"),
        {}, OPEN_QUOTES, {"quotation": "quotation marks are characters of the text"},
    ),
    "inches.csv": (PLAIN.replace("film", '5" film'), {}, N, {}),
    "title-in-quotes.csv": (PLAIN.replace("film number", '"film" number'), {}, N, {}),
    "long-cell.csv": (PLAIN.replace("film number 3 was", "long " * 60_000), {}, N, {}),
    "line-separators-of-unicode.csv": (PLAIN.replace(" was", "\u2028was\x85"), {}, N, {}),
    "utf-8-mark.csv": (b"\xef\xbb\xbf" + PLAIN.encode(), {}, TEXTS, {"encoding": "utf-8-sig (byte order mark)"}),
    "utf-16.csv": (PLAIN.encode("utf-16"), {}, TEXTS, {"encoding": "utf-16 (byte order mark)"}),
    "utf-16-le.csv": (PLAIN.encode("utf-16-le"), {}, TEXTS, {"encoding": "utf-16-le, found by its zeros"}),
    "utf-16-be.csv": (PLAIN.encode("utf-16-be"), {}, TEXTS, {}),
    "utf-32.csv": (PLAIN.encode("utf-32"), {}, TEXTS, {}),
    "german.csv": (with_text(GERMAN, "cp1252"), {}, [f"{GERMAN} {i}" for i in range(N)], {
        "encoding": "cp1252, by its letters: Größe, schöne, Straße, für"}),
    "french.csv": (with_text(f'"{FRENCH}', "cp1252").replace(b"il ", b'il" '), {"quote": "none", "separator": "\t"}, None, {}),
    "curly-quotes.csv": (with_text("it’s “fine” – really", "cp1252"), {}, N, {}),
    "russian.csv": (with_text(RUSSIAN, "cp1251"), {"encoding": "cp1251"}, [f"{RUSSIAN} {i}" for i in range(N)], {}),
    "japanese.csv": (with_text("とても良い映画でした", "shift_jis"), {}, [f"とても良い映画でした {i}" for i in range(N)], {}),
    "chinese.csv": (with_text("这是一部很好的电影", "gb18030"), {}, [f"这是一部很好的电影 {i}" for i in range(N)], {}),
    "korean.csv": (with_text("아주 좋은 영화였습니다", "euc_kr"), {}, [f"아주 좋은 영화였습니다 {i}" for i in range(N)], {}),
    "japanese-of-unix.csv": (with_text("とても良い映画でした", "euc_jp"), {}, [f"とても良い映画でした {i}" for i in range(N)], {}),
    "chinese-of-taiwan.csv": (with_text("這是一部很好的電影", "big5"), {}, [f"這是一部很好的電影 {i}" for i in range(N)], {}),
    "spoilt.csv": (PLAIN.replace("film", "caf\ufffd"), {}, N, {"doubt": f"{N} characters were lost before this file was written (\ufffd)"}),
    "twice.csv": (PLAIN.replace("film", "café".encode().decode("cp1252")), {}, N, {"doubt": "'Ã©' looks like UTF-8 that was read as another encoding before"}),
    "packed.csv.gz": (gzip.compress(PLAIN.encode()), {}, TEXTS, {"packed": "gzip"}),
    "packed-without-a-name": (gzip.compress(PLAIN.encode()), {}, TEXTS, {"packed": "gzip"}),
    "not-packed.csv.gz": (PLAIN, {}, TEXTS, {}),
    "packed.csv.bz2": (bz2.compress(PLAIN.encode()), {}, TEXTS, {"packed": "bzip2"}),
    "packed.csv.xz": (lzma.compress(PLAIN.encode()), {}, TEXTS, {"packed": "xz"}),
    "packed.zip": (zipped(("a/reviews.csv", PLAIN), ("__MACOSX/a/._reviews.csv", "x"), (".DS_Store", "x")), {}, TEXTS, {"packed": "zip"}),
    "records.json": (json.dumps(RECORDS), {}, TEXTS, {"format": "JSON"}),
    "indented.json": (json.dumps(RECORDS, indent=2), {}, TEXTS, {"format": "JSON"}),
    "wrapped.json": (json.dumps({"version": "1", "data": RECORDS}), {}, TEXTS, {"format": "JSON"}),
    "columns.json": (json.dumps({"text": TEXTS, "label": LABELS}), {}, TEXTS, {"format": "JSON"}),
    "of-a-frame.json": (pd.DataFrame(RECORDS).to_json(), {}, TEXTS, {"format": "JSON"}),
    "by-id.json": (json.dumps({f"id{i}": r for i, r in enumerate(RECORDS)}), {}, TEXTS, {}),
    "more-inside.json": (json.dumps([{**r, "meta": {"a": 1}} for r in RECORDS]), {}, TEXTS, {}),
    "blank-inside": ("[ " + json.dumps(RECORDS)[1:], {}, TEXTS, {"format": "JSON"}),
    "named.json.csv": (PLAIN, {}, TEXTS, {"separator": "comma"}),
    "commas.tsv": (PLAIN, {}, TEXTS, {"separator": "comma"}),
    "blank-first-line.csv": ("\n" + PLAIN.replace(",", ";"), {}, TEXTS, {"separator": "semicolon"}),
    "portuguese.csv": (with_text("não há informações, são irmãos".replace(",", ""), "cp1252"), {}, N, {}),
    "spanish.csv": (with_text("el niño pequeño, ¿qué año?".replace(",", ""), "cp1252"), {}, N, {}),
    "italian.csv": (with_text("è più facile perché la città", "cp1252"), {}, N, {}),
    "swedish.csv": (with_text("det är bättre på ön än här", "cp1252"), {}, N, {}),
    "lines.jsonl": ("\n".join(map(json.dumps, RECORDS)), {}, TEXTS, {"format": "JSON lines"}),
    "lines.json.gz": (gzip.compress("\n".join(map(json.dumps, RECORDS)).encode()), {}, TEXTS, {"format": "JSON lines"}),
    "lines-in-a.txt": ("\n".join(map(json.dumps, RECORDS)), {}, TEXTS, {"format": "JSON lines"}),
}  # fmt: skip


def written(folder, name, content):
    path = Path(folder, name)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", [name for name, case in TEXT_FILES.items() if case[2] is not None])
def test_texts_are_read_as_they_stand(tmp_path, name):
    content, options, expected, told = TEXT_FILES[name]
    rows = read_rows(written(tmp_path, name, content), wanted=["text", "label"], **options)
    assert rows.frame["label"].tolist() == LABELS
    if expected == N:
        assert len(rows.frame) == N
    else:
        assert rows.frame["text"].tolist() == expected
    assert told.items() <= rows.told.items()


# name: (content, options, what the error says)
REFUSED_FILES = {
    "gone.csv": (None, {}, "must be a file; found"),
    "empty.csv": ("", {}, "No columns to parse"),
    "header-alone.csv": ("text,label\n", {}, "must hold rows below its header line; found none"),
    "russian.csv": (with_text(RUSSIAN, "cp1251"), {}, r"line 2 has the byte 0xEE.*--encoding: .*cp1251 \(очень"),
    "czech.csv": (with_text("příliš žluťoučký kůň", "cp1250"), {}, "Name it, --encoding"),
    "polish.csv": (with_text("świetny film żółć", "iso8859-2"), {}, "Name it, --encoding"),
    "turkish.csv": (with_text("çok güzel ığş", "cp1254"), {}, "Name it, --encoding"),
    "dos.csv": (with_text("café schön für", "cp850"), {}, "Name it, --encoding"),
    "mac.csv": (with_text("café schön für", "mac_roman"), {}, "Name it, --encoding"),
    "greek.csv": (with_text("καλή ταινία", "iso8859-7"), {}, "Name it, --encoding"),
    "ukrainian.csv": (with_text("дуже гарний фільм", "koi8-u"), {}, "Name it, --encoding"),
    "one-letter.csv": (with_text("良", "big5"), {}, "Name it, --encoding"),
    "damaged-utf-8.csv": (with_text("schöne Größe", "utf-8").replace("ö".encode(), b"\xc3", 1), {}, "line 2 has the byte 0xC3"),
    "wrong-encoding.csv": (with_text(GERMAN, "cp1252"), {"encoding": "utf-8"}, "must be in the encoding utf-8; line 2 has the byte 0xF6"),
    "unknown-encoding.csv": (PLAIN, {"encoding": "utf-88"}, "encoding must be one that Python knows.*'utf-88'"),
    "separator-of-two.csv": (PLAIN, {"separator": "::"}, "separator must be one character; found '::'"),
    "quote-of-two.csv": (PLAIN, {"quote": "''"}, "quote must be one character or 'none'"),
    "long-row.csv": (PLAIN + "a,b,c\n", {}, "line 42 has 3.*--separator"),
    "short-row.csv": (PLAIN + "b\n", {}, "line 42 has 1"),
    "unquoted-line-break.csv": (PLAIN.replace("number 3 was", "number 3\nwas"), {}, "line 5 has 1"),
    "a-cell-too-many.csv": (PLAIN.replace("film,", "film").replace(" was", ", was"), {}, "line 2 has 3"),
    "names-of-rows.csv": (
        lines([f"r{i},{t},{y}" for i, (t, y) in enumerate(zip(TEXTS, LABELS, strict=True))]), {}, "line 2 has 3"),
    "header-again.csv": (PLAIN + PLAIN, {}, "line 42 says the same again"),
    "iso-2022-jp.csv": (with_text("とても良い映画", "iso2022_jp"), {}, "--encoding iso2022_jp"),
    "hungarian.csv": (with_text("erdő és kő", "cp1250"), {}, "Name it, --encoding"),
    "romanian.csv": (with_text("masă și casă".replace("ș", "ş"), "cp1250"), {}, "Name it, --encoding"),
    "polish-of-windows.csv": (with_text("główny był Gdańsk", "cp1250"), {}, "Name it, --encoding"),
    "czech-of-windows.csv": (with_text("něco včera dům", "cp1250"), {}, "Name it, --encoding"),
    "latvian.csv": (with_text("mēs ēdam zāle", "cp1257"), {}, "Name it, --encoding"),
    "mac-german.csv": (with_text("Straße, groß".replace(",", ""), "mac_roman"), {}, "Name it, --encoding"),
    "koi8-labels.csv": (lines(["text,да".replace("text", str(i)) for i in range(9)]).encode("koi8-r"), {}, "Name it, --encoding"),
    "escapes.csv": (PLAIN, {"encoding": "unicode_escape"}, "encoding must be one that Python knows"),
    "half-a-letter.json": ('[{"text": "x\\ud83d", "label": "a"}]', {}, "half a one"),
    "nul.json": ('[{"text": "x\\u0000", "label": "a"}]', {}, "NUL"),
    "title-line.csv": ("Export of 2026\n" + PLAIN, {}, "Line 2 looks like the header line"),
    "two-ways.csv": (
        lines([f"{y},{'~' + t if i == 5 else t + '~' if i == 20 else t}" for i, (y, t) in enumerate(zip(LABELS, TEXTS, strict=True))], "label,text").replace("~", '"'),
        {}, "two ways: as 40 rows .* or as 25 .* --quote none",
    ),
    "stray-quote.csv": (
        lines([f'"{t}, "so"",{y}' for t, y in zip(TEXTS, LABELS, strict=True)]), {}, "line 2 do not fit.*--quote none",
    ),
    "never-closed.csv": (lines([f'"{t}, so",{y}' for t, y in zip(TEXTS, LABELS, strict=True)]) + '"open, so,neg\n', {}, "row on line 42 do not fit"),
    "nul.csv": (PLAIN.replace("number 3", "number\0 3"), {}, "line 5 has a NUL character.*--encoding"),
    "same-names.csv": (PLAIN.replace("text,label", "label,label"), {}, "different names; found 'label' twice"),
    "cut.csv.gz": (gzip.compress(PLAIN.encode())[:100], {}, "must be a whole gzip file; it is damaged"),
    "bits.csv.gz": (gzip.compress(PLAIN.encode())[:60] + b"\0\xff" * 40, {}, "must be a whole gzip file"),
    "cut.csv.bz2": (bz2.compress(PLAIN.encode())[:100], {}, "must be a whole bzip2 file"),
    "cut.csv.xz": (lzma.compress(PLAIN.encode())[:100], {}, "must be a whole xz file"),
    "cut.zip": (zipped(("a.csv", PLAIN))[:300], {}, "must be a whole zip file"),
    "two.zip": (zipped(("a.csv", PLAIN), ("b.csv", PLAIN)), {}, "found 'a.csv', 'b.csv': unpack it"),
    "none.zip": (zipped(("folder/", "")), {}, "found nothing"),
    "page.csv": ("<!DOCTYPE html><html>not found</html>", {}, "it is a web page"),
    "pickle.csv": (b"\x80\x04\x95rest", {}, "pickle, which could run any code"),
    "old.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, {}, "old Excel file"),
    "report.pdf": (b"%PDF-1.7\n...", {}, "PDF file"),
    "table.parquet": (b"PAR1 and no more", {}, "Parquet"),
    "cut.json": (json.dumps(RECORDS)[:-5], {}, "must be JSON; line 1, column"),
    "cut.jsonl": ("\n".join(map(json.dumps, RECORDS))[:-5], {}, "line 40"),
    "twice.json": ('[{"text": "a", "text": "b"}]', {}, "'text' twice"),
    "nested.json": ('[{"text": {"de": "a"}, "label": "x"}]', {}, "flat objects; found one inside 'text'"),
    "nothing.json": ("null", {}, "must hold a list of objects"),
    "yes.json": ("true", {}, "must hold a list of objects"),
    "empty.zip": (zipped(), {}, "found nothing"),
    "numbers.json": ("[1, 2]", {}, "must hold a list of objects"),
    "deep.json": ("[" * 100_000, {}, "too deep|must be JSON"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED_FILES)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path, name):
    content, options, message = REFUSED_FILES[name]
    path = tmp_path / name if content is None else written(tmp_path, name, content)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        read_rows(path, wanted=["text", "label"], **options)


def test_there_are_files_enough():
    assert len(TEXT_FILES) + len(REFUSED_FILES) > 60


def test_other_kinds_of_tables(tmp_path):
    pytest.importorskip("openpyxl")
    pd.DataFrame(RECORDS).assign(day=pd.Timestamp("2026-11-25"), n=1.0, on=True).to_excel(
        tmp_path / "t.xlsx", index=False
    )
    rows = read_rows(tmp_path / "t.xlsx")
    assert rows.frame["text"].tolist() == TEXTS
    assert rows.frame["label"].tolist() == LABELS
    assert rows.frame.iloc[0, 2:].tolist() == ["2026-11-25 00:00:00", "1", "true"]
    assert rows.told["format"] == "Excel"
    damaged = (
        (tmp_path / "t.xlsx").read_bytes().replace(b"<row", b"<rew").replace(b"PK\x01", b"PK\x09")
    )
    with pytest.raises(ValueError, match="must be"):
        read_rows(written(tmp_path, "damaged.xlsx", damaged))


def test_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(RECORDS).assign(n=[None, *range(N - 1)], tags=[["a", "b"]] * N)
    frame.to_parquet(tmp_path / "t.parquet")
    rows = read_rows(tmp_path / "t.parquet")
    assert rows.frame["text"].tolist() == TEXTS
    assert rows.frame["n"].tolist()[:3] == ["", "0.0", "1.0"]
    assert rows.frame["tags"].tolist()[0] == '["a", "b"]'


@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    content=st.binary(max_size=200)
    | st.text(alphabet='ab,;\t|"\\\n\r01.-é[]{}: ', max_size=200).map(str.encode)
)
def test_whatever_a_file_holds_is_read_or_refused(tmp_path, content):
    with suppress(ValueError):
        rows = read_rows(written(tmp_path, "any", content))
        assert len(rows.frame)
        with suppress(ValueError):
            read_labels(rows, rows.frame.columns[:1])
        with suppress(ValueError):
            assert np.isfinite(read_features(rows, rows.frame).X).all()


# Labels.


def labels_of(tmp_path, cells, columns=("label",), **options):
    cells = [cell if isinstance(cell, tuple) else (cell,) for cell in cells]
    content = lines([";".join(("x", *row)) for row in cells], ";".join(("text", *columns)))
    rows = read_rows(written(tmp_path, "t.csv", content), separator=";", quote="none")
    return read_labels(rows, list(columns), **options)


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        (["neg", " pos", "neg ", "pos"], ["neg", "pos", "neg", "pos"]),
        (["neg", "\u00a0pos\ufeff", "neg\u200b", "pos"], ["neg", "pos", "neg", "pos"]),
        (["0", "1", "1.0", "0.00"], [0, 1, 1, 0]),
        (["1.50", "2", "1.5", "2.0"], ["1.5", "2", "1.5", "2"]),
        (["1.0", "2.0", "1.0", "2.0"], [1, 2, 1, 2]),
        (["01", "1", "01", "1"], ["01", "1", "01", "1"]),
        (["-3", "0", "-3", "0"], [-3, 0, -3, 0]),
        (["caf\u00e9", "cafe\u0301", "the", "the"], ["café", "café", "the", "the"]),
        (["a", "NA", "b", "", "a", "#N/A", "b", "<NA>", "null", "?"], ["a", "b", "a", "b"]),
        (["9" * 30, "8" * 30] * 2, ["9" * 30, "8" * 30] * 2),
        (["[x", "y]"] * 2, ["[x", "y]"] * 2),
    ],
)
def test_labels(tmp_path, cells, classes):
    found = labels_of(tmp_path, cells)
    assert found.y.tolist() == classes
    assert len(found.known) == len(cells)
    assert found.known.sum() == len(classes)


def test_what_is_told_of_labels(tmp_path):
    told = labels_of(tmp_path, ["a", "b", "A", "", "b ", "na"] * 3).told
    assert told["labels"] == "3 classes in column label: b 6, a 3, A 3"
    assert told["no label"] == "6 of 18 rows left out, the first on line 5: empty or na 3"
    assert "'A', 'a'" in told["doubt of labels"]
    assert labels_of(tmp_path, ["1", "1.0", "2", "2"]).told["one class"] == "1.0 and 1"


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        (["+", "-"] * 5, "-"),
        (["none", "mild", "severe"] * 3, "none"),
        (["a", "b", "?", "?"] * 2, r"\?"),
    ],
)
def test_a_word_that_may_be_a_class(tmp_path, cells, word):
    with pytest.raises(ValueError, match=f"'{word}' in 'label' .* may be a class or no label"):
        labels_of(tmp_path, cells)
    assert len(labels_of(tmp_path, cells, missing_words=["NA"]).y) == len(cells)


def test_own_words_for_no_label(tmp_path):
    found = labels_of(tmp_path, ["NA", "b", "todo", "b", "NA"], missing_words=["todo"])
    assert found.y.tolist() == ["NA", "b", "b", "NA"]


@pytest.mark.parametrize(
    ("cells", "options", "names", "y"),
    [
        (["a|b", "b", "", "a"], {"separator": "|"}, ["a", "b"], [[1, 1], [0, 1], [1, 0]]),
        (["a | b", "b|", "|a"], {"separator": "|"}, ["a", "b"], [[1, 1], [0, 1], [1, 0]]),
        (['["a", "b"]', "[]", '["b"]'], {}, ["a", "b"], [[1, 1], [0, 0], [0, 1]]),
        (["['a', 'b']", "['a']", "[]"], {}, ["a", "b"], [[1, 1], [1, 0], [0, 0]]),
        (['["a", "b", null]', '["a"]', '["NA"]'], {}, ["a", "b"], [[1, 1], [1, 0], [0, 0]]),
        (["a|b|nan", "a", "|"], {"separator": "|"}, ["a", "b"], [[1, 1], [1, 0], [0, 0]]),
        (["[1, 2]", "[2]", "[]"], {}, ["1", "2"], [[1, 1], [0, 1], [0, 0]]),
    ],
)
def test_several_labels_in_a_cell(tmp_path, cells, options, names, y):
    found = labels_of(tmp_path, cells, **options)
    assert found.names == names
    assert found.y.tolist() == y
    assert found.told["labels"].startswith("2, several a row: ")


def test_several_columns_of_labels(tmp_path):
    cells = [("1", "no"), ("0", "YES"), ("", "no"), ("True", "0.0")]
    found = labels_of(tmp_path, cells, columns=("sport", "art"))
    assert found.names == ["sport", "art"]
    assert found.y.tolist() == [[1, 0], [0, 1], [1, 0]]
    assert found.known.tolist() == [True, True, False, True]
    assert found.told["no label"] == "1 of 4 rows left out, the first on line 4"


@pytest.mark.parametrize(
    ("cells", "columns", "options", "message"),
    [
        (["a"] * 4, ("label",), {}, "at least two classes.*found 1 in the 4 rows"),
        (["a", "", "na"], ("label",), {}, r"found 1 in the 1 rows.*\(2 rows have no label\)"),
        ([str(i / 7) for i in range(40)], ("label",), {}, "found 40 in the 40 rows of 'label'"),
        ([("1", "2"), ("0", "1")], ("a", "b"), {}, "yes and no.*found '2' in 'b' on line 2"),
        ([("1", "1"), ("0", "1")], ("a", "b"), {}, "'b' of .* is given to 2 of 2"),
        (['["a"]', '[{"x": 1}]'], ("label",), {}, "list of words, as JSON.*line 3"),
        (["[a, b]", "[b]"], ("label",), {}, "list of words, as JSON.*line 2"),
        (["['a' 'b']", "['b']"], ("label",), {}, "list of words, as JSON.*line 2"),
        (["[0, 0, 1]", "[1, 0, 0]"], ("label",), {}, "must hold their names"),
        (["[true, false]", "[false, true]"], ("label",), {}, "must hold their names"),
        (["a", "b" * 500] * 4, ("label",), {}, "at most 300 characters; found one of 500"),
        (["a|b", "b"], ("label",), {"separator": ""}, "label_separator must be"),
        ([",".join(f"w{i}{j}" for j in range(9)) for i in range(4)], ("label",),
         {"separator": ","}, "fewer labels than rows; found 36 in 4"),
    ],
)  # fmt: skip
def test_labels_that_are_none(tmp_path, cells, columns, options, message):
    with pytest.raises(ValueError, match=message):
        labels_of(tmp_path, cells, columns, **options)


# Features.


def features_of(tmp_path, columns, separator=";", **options):
    content = lines(
        [separator.join(row) for row in zip(*columns.values(), strict=True)],
        separator.join(columns),
    )
    rows = read_rows(written(tmp_path, "t.csv", content), separator=separator)
    return read_features(rows, rows.frame, **options)


NUMBERS = {
    "points": (["1.5", "-2.25", "+3", ".5", "1e3", "7."], [1.5, -2.25, 3, 0.5, 1000, 7]),
    "commas": (["1,5", "-2,25", "+3", ",5", "1e3", "7,"], [1.5, -2.25, 3, 0.5, 1000, 7]),
    "thousands": (["1,234.5", "12,345,678", "5"], [1234.5, 12345678, 5]),
    "thousands of Germans": (["1.234,5", "12.345.678", "5"], [1234.5, 12345678, 5]),
    "thousands of the French": (["1 234,5", "12\u202f345", "5\u00a0678"], [1234.5, 12345, 5678]),
    "thousands of the Swiss": (["1'234.5", "12\u2019345", "5"], [1234.5, 12345, 5]),
    "points before three digits": (["1.234", "5.678", "0.012"], [1.234, 5.678, 0.012]),
    "a comma after zero": (["0,123", "1,456", "2,789"], [0.123, 1.456, 2.789]),
    "percent": (["12 %", "5%", "0.5%"], [0.12, 0.05, 0.005]),
    "money": (["€ 5", "7 €", "-€1.50"], [5, 7, -1.5]),
    "dollars": (["$1,234.50", "$5", "($7)"], [1234.5, 5, -7]),
    "codes": (["EUR 5", "7.5 EUR", "1 EUR"], [5, 7.5, 1]),
    "accountants": (["(5.5)", "7", "(1)"], [-5.5, 7, -1]),
    "true minus": (["\u22125.5", "7", "1"], [-5.5, 7, 1]),
    "other digits": (["٣", "٤", "١٢"], [3, 4, 12]),
    "empty cells": (["1", "nan", "NA", "<NA>", "#N/A", "-nan", "3", "-", "?", "\\N", "8"], [1, 3, 3, 3, 3, 3, 3, 3, 3, 3, 8]),
    "dates": (["1970-01-02", "1970-01-03T12:00", "1969-12-31"], [1, 2.5, -1]),
    "long": (["12345678901234567890", "1", "2"], [12345678901234567890, 1, 2]),
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(tmp_path, name):
    column, expected = NUMBERS[name]
    found = features_of(tmp_path, {"x": column})
    np.testing.assert_allclose(found.X[:, 0], expected, rtol=1e-15)
    assert (found.numbers, found.words) == ([0], [])


def test_the_sign_is_that_of_the_file(tmp_path):
    columns = {"a": ["1,234", "5,678"], "b": ["0,5", "1,5"]}
    assert features_of(tmp_path, columns).X.tolist() == [[1.234, 0.5], [5.678, 1.5]]
    columns = {"a": ["1,234", "5,678"], "b": ["0.5", "1.5"]}
    assert features_of(tmp_path, columns).X.tolist() == [[1234, 0.5], [5678, 1.5]]
    found = features_of(tmp_path, {"a": ["1,234", "5,678"]}, decimal=",")
    assert found.X.tolist() == [[1.234], [5.678]]
    assert found.told["decimal"] == "comma"
    content = lines(['"1,234",5', '"5,678",7'], "a,b")
    rows = read_rows(written(tmp_path, "t.csv", content))
    assert read_features(rows, rows.frame).X.tolist() == [[1234, 5], [5678, 7]]


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"a": ["1,5", "2,5"], "b": ["1.5", "2.5"]}, {}, "one decimal sign; found '1.5' in 'b' and '1,5' in 'a'"),
        ({"a": ["1,234", "5,678"]}, {}, "'1,234' in 'a' .* two ways.*--decimal"),
        ({"a": ["1.234", "950", "12.500"]}, {}, "'1.234' in 'a' .* two ways.*--decimal"),
        ({"a": ["5%", "5", "80"]}, {}, "one unit; found '', '%'"),
        ({"a": ["$5", "7", "$1"]}, {}, "one unit"),
        ({"a": ["2026-01-01", "0000-00-00", "2026-01-02"]}, {}, "found '0000-00-00' in 'a', line 3"),
        ({"a": ["1", "2", "old", "4"]}, {}, "found 'old' in 'a', line 4 .*--missing 'old'.*--categories a"),
        ({"a": ["1", "2", "3", "1+2j"]}, {}, r"found '1\+2j' in 'a', line 5"),
        ({"a": ["1", "2", "3", "0x1F"]}, {}, "found '0x1F'"),
        ({"a": ["1", "2", "3", "1_000"]}, {}, "found '1_000'"),
        ({"a": ["1", "2", "3", "1,23.4"]}, {}, "found '1,23.4'"),
        ({"a": ["€5", "$6", "€7"]}, {}, "one unit; found"),
        ({"a": ["5 %", "6 EUR", "7"]}, {}, "one unit"),
        ({"a": ["1", "inf", "3"]}, {}, "finite and fit float32; found inf in 'a', line 3"),
        ({"a": ["1", "1e300", "3"]}, {}, "finite and fit float32; found 1e300"),
        ({"a": ["1", "9" * 400, "3"]}, {}, "finite and fit float32; found 999"),
        ({"a": ["31.12.2026", "1.1.2026", "2.1.2026"]}, {}, "dates must be written as 2026-11-25; found '31.12.2026' in 'a', line 2"),
        ({"a": ["12/31/2026", "1/1/2026"]}, {}, "dates must be written"),
        ({"a": ["12:30", "8:15"]}, {}, "dates must be written"),
        ({"a": ["2026-02-30", "2026-01-01"]}, {}, "dates must be written"),
        ({"a": [f"user {i}" for i in range(40)]}, {}, "categories; found 40 different ones.*--drop a"),
        ({"a": ["1", "2"]}, {"decimal": ";"}, "decimal must be"),
        ({"a": ["1", "3"]}, {"keep": ["b"]}, "keep must name columns"),
        ({"id": ["7", "3"]}, {}, r"must have a column besides its labels; found none.*id \(ids\)"),
    ],
)  # fmt: skip
def test_features_that_are_none(tmp_path, columns, options, message):
    with pytest.raises(ValueError, match=message):
        features_of(tmp_path, columns, **options)


def test_words_dates_and_what_is_left_out(tmp_path):
    columns = {
        "": ["3", "1", "2", "0"],
        "Unnamed: 0": ["5", "1", "2", "0"],
        "Unnamed: 0.1": ["6", "1", "2", "0"],
        "customer_id": ["a7", "b1", "c2", "d0"],
        "orderID": ["77", "11", "22", "13"],
        "day": ["4", "5", "6", "7"],
        "acid": ["1", "3", "9", "2"],
        "city": ["Rome ", "Oslo", "Rome", ""],
        "zip": ["1", "2", "2", "1"],
    }
    found = features_of(tmp_path, columns, categories=["zip"])
    assert found.names == ["acid", "city", "zip"]
    assert (found.numbers, found.words) == ([0], [1, 2])
    assert found.X.tolist() == [[1, 2, 0], [3, 1, 1], [9, 2, 1], [2, 0, 0]]
    assert "customer_id (ids), orderID (ids), day (counts the rows" in found.told["left out"]
    kept = features_of(tmp_path, columns, keep=["day", "orderID"])
    assert kept.names == ["orderID", "day", "acid", "city", "zip"]


def test_numbers_of_the_file_have_a_point(tmp_path):
    records = [{"x": 1.234, "y": "0,5"}, {"x": 5.678, "y": "1,5"}, {"x": 9, "y": "2,5"}]
    rows = read_rows(written(tmp_path, "t.json", json.dumps(records)))
    assert read_features(rows, rows.frame).X.tolist() == [[1.234, 0.5], [5.678, 1.5], [9, 2.5]]
    found = read_features(rows, rows.frame, decimal=",")
    assert found.X[:, 0].tolist() == [1.234, 5.678, 9]


def test_a_count_of_rows_of_which_some_have_no_label(tmp_path):
    content = lines(
        [f"{i},{i * i % 7},{'' if i == 4 else 'ab'[i % 2]}" for i in range(9)], "n,x,label"
    )
    rows = read_rows(written(tmp_path, "t.csv", content))
    labels = read_labels(rows, ["label"])
    found = read_features(rows, rows.frame[labels.known].drop(columns="label"))
    assert found.names == ["x"]
    with pytest.raises(ValueError, match="label_column must name columns"):
        read_labels(rows, ["nothing"])


@pytest.mark.parametrize(
    "name", ["id", "ID", "Id", "CUSTOMER_ID", "customer id", "orderID", "user-uuid"]
)
def test_columns_of_ids(tmp_path, name):
    found = features_of(tmp_path, {name: ["9", "4", "7"], "x": ["1", "5", "2"]})
    assert found.names == ["x"]


def test_lines_of_json_with_empty_ones_between(tmp_path):
    content = "\n" + "\n\n".join(map(json.dumps, RECORDS))
    rows = read_rows(written(tmp_path, "t.jsonl", content))
    assert rows.frame.index[:3].tolist() == [2, 4, 6]


def test_mysql_writes_an_empty_cell_as_a_backslash_and_n(tmp_path):
    rows = [
        f'"{t} \\"so\\", yes",{y}' for t, y in zip(TEXTS, ["a", "b", r"\N", "a"] * 10, strict=True)
    ]
    found = read_labels(read_rows(written(tmp_path, "t.csv", lines(rows))), ["label"])
    assert found.told["labels"] == "2 classes in column label: a 20, b 10"


def test_many_rows_of_an_id_that_comes_again_are_a_feature(tmp_path):
    found = features_of(tmp_path, {"shop_id": ["1", "2"] * 10, "x": ["1", "2", "1", "1"] * 5})
    assert found.names == ["shop_id", "x"]


@pytest.mark.parametrize("name", ["iris", "breast_cancer"])
def test_tables_that_scikit_learn_ships(tmp_path, name):
    bunch = getattr(sklearn.datasets, f"load_{name}")()
    file = Path(sklearn.datasets.__file__).parent / "data" / Path(bunch.filename).name
    # Its header line holds the number of rows and of columns, and names of classes.
    names = [*(f"x{i}" for i in range(bunch.data.shape[1])), "label"]
    content = ",".join(names) + "\n" + file.read_text().split("\n", 1)[1]
    rows = read_rows(written(tmp_path, "t.csv", content))
    features = read_features(rows, rows.frame.drop(columns="label"))
    np.testing.assert_array_equal(read_labels(rows, ["label"]).y, bunch.target)
    np.testing.assert_array_equal(features.X, bunch.data)
