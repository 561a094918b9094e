"""Split files and names files that hold anything."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dapt.data.items import ImageSet, Item
from dapt.data.read.split_file import apply_split_file
from dapt.data.read.split_json import read_split_json
from dapt.data.resolve import load_data, read_names
from dapt.errors import ConfigError, DaptError, DataError
from dapt.strict import readable

DATA = ImageSet("d", Path("d"), ("ant", "bee"), {"train": (Item(Path("d/a.png"), 0, "a.png"),)})
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["a.png", "ant", 0]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(st.tuples(VALUES, VALUES, VALUES).map(list) | VALUES, max_size=4)
TABLES = VALUES | st.dictionaries(st.sampled_from(["train", "val", "test", "weights"]), ROWS | VALUES, max_size=4)
DEEP = "[" * 100_000


def in_file(content: bytes, suffix: str, call: Any) -> None:
    """`call` on a file with that content gives a value, or a `DaptError` that can be printed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x{suffix}"
        path.write_bytes(content)
        try:
            call(path)
        except DaptError as error:
            said = error.message
        else:
            said = ""
    readable(said).encode()
    assert len(said) < 1500


@given(TABLES)
@settings(max_examples=300)
def test_any_json_for_a_split_file(value: Any) -> None:
    content = json.dumps(value).encode()
    in_file(content, ".json", read_split_json)
    in_file(content, ".json", lambda path: read_split_json(path, all_classes=False))
    in_file(content, ".json", lambda path: apply_split_file(DATA, path))


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:0123truelasn \\', max_size=60).map(str.encode))
@settings(max_examples=300)
def test_any_bytes_for_a_split_file_and_for_names(content: bytes) -> None:
    in_file(content, ".json", read_split_json)
    for suffix in (".json", ".txt"):
        in_file(content, suffix, lambda path: read_names(path, DATA.names))


@given(VALUES | st.lists(VALUES) | st.dictionaries(st.sampled_from(["ant", "bee", "wasp"]), VALUES))
@settings(max_examples=100)
def test_any_json_for_names(value: Any) -> None:
    in_file(json.dumps(value).encode(), ".json", lambda path: read_names(path, DATA.names))


@pytest.mark.parametrize("content", ["3", "null", '"x"', "[]", "[[]]", "true", "NaN", DEEP, "", "{", '{"train": NaN}'])
def test_a_split_file_of_another_shape(dapt, table: Path, tiny_spec: str, tmp_path: Path, content: str) -> None:
    path = tmp_path / "split.json"
    path.write_text(content)
    code, _, err = dapt("train", table, "--model", tiny_spec, "--split-file", path, "--out", tmp_path / "r")
    assert code == 2
    assert "split.json" in err
    assert "Traceback" not in err
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ('[["a.png", 0, "ant"], 3]', "train, row 2: 3 is not"),
        ('[["a\\u0000.png", 0, "ant"]]', "train, row 1: .*zero byte"),
        ('[["a.png", 0, "an\\ud800t"]]', "train, row 1: .*half of a character"),
        ('[["a.png", NaN, "ant"]]', "train, row 1: the label NaN"),
        ('[["a.png", 1e999, "ant"]]', "the label Infinity"),
        ('[["a.png", ' + "9" * 4000 + ', "ant"]]', "Labels without images"),
        (f'[["{"x/../../" * 50}", 0, "ant"]]', "relative path"),
        ('[["a.png", 0, "ant"]], "train": []', "'train'|\"train\" is there twice"),
    ],
)
def test_rows_that_are_wrong(tmp_path: Path, rows: str, message: str) -> None:
    path = tmp_path / "split.json"
    path.write_text(f'{{"train": {rows}}}')
    with pytest.raises(DataError, match=message) as found:
        read_split_json(path)
    assert len(found.value.message.replace("9", "")) < 700


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('["ant", 3]', "name 2 is 3, not a text"),
        ('["ant", null]', "name 2 is None"),
        ('["ant", {"x": 1}]', "name 2 is {'x': 1}"),
        ('["ant", ""]', "name 2 is empty"),
        ('["ant", " "]', "name 2 is empty"),
        ('["a\\u0000", "b"]', "name 1 has a zero byte"),
        ('["\\ud800", "b"]', "half of a character"),
        ('{"ant": 3}', "the name of 'ant' is 3"),
        ('{"ant": ""}', "the name of 'ant' is empty"),
        ('{"ant": "x", "ant": "y"}', "is there twice"),
        ('{"a b": "x", "a_b": "y"}', "renames 'a b' twice"),
        ('{"wasp": "x"}', "renames 'wasp'"),
        ("3", "must hold a list"),
        ("null", "must hold a list"),
        (DEEP, "not valid JSON"),
    ],
)
def test_names_that_are_wrong(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "names.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=message):
        read_names(path, ("ant", "bee", "a b"))


def test_names_of_another_number_and_names_that_are_there_twice(photos: Path, tmp_path: Path) -> None:
    for content, message in (("a\nb\n", "2 class names were given for 4"), ("a\nb\nb\nc\n", "called 'b'")):
        (tmp_path / "n.txt").write_text(content)
        with pytest.raises(DaptError, match=message):
            load_data(str(photos), str(tmp_path / "n.txt"))
    (tmp_path / "n.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_data(str(photos), str(tmp_path / "n.txt"))


def test_file_names_that_are_no_utf8(dapt, photos: Path, tiny_spec: str, tmp_path: Path) -> None:
    """They are trained on, and named exactly in the files of the run."""
    odd = photos / "red_square" / "caf\udce9.png"
    odd.write_bytes((photos / "red_square" / "00.png").read_bytes())
    arguments = ["train", photos, "--model", tiny_spec, "--depth", 2, "--epochs", 1, "--shots", 1, "-q"]
    code, _, err = dapt(*arguments, "--out", tmp_path / "r")
    assert code == 0, err
    split = json.loads((tmp_path / "r" / "split.json").read_text())
    assert "red_square/caf\udce9.png" in [row[0] for part in ("train", "val", "test") for row in split[part]]
    assert dapt("eval", tmp_path / "r")[0] == 0


def test_predictions_for_a_file_name_that_is_no_utf8(dapt, photos: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "r"
    arguments = ["train", photos, "--model", tiny_spec, "--depth", 2, "--epochs", 1, "--shots", 1, "-q"]
    assert dapt(*arguments, "--out", out)[0] == 0
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "caf\udce9.png").write_bytes((photos / "red_square" / "00.png").read_bytes())
    code, printed, _ = dapt("predict", out, folder, "--format", "json", "--explain", tmp_path / "pictures")
    assert code == 0
    assert json.loads(printed)[0]["image"] == str(folder / "caf\udce9.png")  # the very file
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["caf\udce9.png"]
    for form in ("table", "csv"):
        code, printed, _ = dapt("predict", out, folder, "--format", form)
        assert code == 0
        rows = [line.split("│")[1].strip() for line in printed.splitlines() if "│" in line]  # the table breaks lines
        assert "caf\\udce9.png" in (printed if form == "csv" else "".join(rows))


def test_a_run_in_a_folder_that_is_no_utf8(dapt, table: Path, tiny_spec: str, tmp_path: Path, monkeypatch) -> None:
    """Everything relative: what becomes absolute is refused, or written so that it can be read again."""
    odd = tmp_path / "caf\udce9"
    odd.mkdir()
    table.parent.rename(odd / "table")
    monkeypatch.chdir(odd)
    given = ["--depth", 2, "--epochs", 1, "--shots", 1, "--out", "r"]
    code, _, err = dapt("train", "table/index.csv", "--model", tiny_spec, *given)
    assert code == 2
    assert "not valid UTF-8" in err
    assert not (odd / "r").exists()
    Path(tiny_spec.removeprefix("local-dir:")).rename(odd / "clip")
    (odd / "table").rename(tmp_path / "plain")
    try:
        code, _, err = dapt("train", tmp_path / "plain" / "index.csv", "--model", "local-dir:clip", *given)
    finally:
        (odd / "clip").rename(tiny_spec.removeprefix("local-dir:"))
    assert code == 2
    assert "not valid UTF-8" in err
    code, _, err = dapt("train", tmp_path / "plain" / "index.csv", "--model", tiny_spec, *given)
    assert code == 0, err
    assert dapt("eval", "r")[0] == 0
