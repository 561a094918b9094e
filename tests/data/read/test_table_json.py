"""Tables that are JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.data.read.table import LIST_MARK
from dapt.data.read.table_json import parse_json
from dapt.errors import DataError

FILE = Path("x.jsonl")


def test_an_object_per_line() -> None:
    text = '{"file_name": "a.png", "label": 3, "extra": null}\n\n{"file_name": " b.png ", "label": 0, "w": 1.5}\n'
    table = parse_json(text, FILE, lines=True)
    assert table.columns == ["file_name", "label", "extra", "w"]
    assert table.rows == [
        (1, {"file_name": "a.png", "label": "3", "extra": ""}),
        (3, {"file_name": "b.png", "label": "0", "w": "1.5"}),
    ]
    assert table.unit == "line"


@pytest.mark.parametrize(
    "value",
    [[{"image": "a.png", "label": "cat"}, {"image": "b.png", "label": "dog"}], {"a.png": "cat", "b.png": "dog"}],
)
def test_a_list_or_an_object(value: object) -> None:
    table = parse_json(json.dumps(value), Path("x.json"), lines=False)
    assert table.column("image") == ["a.png", "b.png"]
    assert table.column("label") == ["cat", "dog"]
    assert table.unit == "entry"


def test_lists_are_several_values() -> None:
    table = parse_json(
        '{"image": "a.png", "labels": ["cat", "dog"]}\n{"image": "b.png", "labels": ["cat"]}', FILE, lines=True
    )
    assert table.column("labels") == [f"cat{LIST_MARK}dog", "cat"]
    assert table.lists == {"labels"}


@pytest.mark.parametrize(
    ("text", "lines", "message"),
    [
        ("nothing", True, "x.jsonl, line 1: this is not JSON"),
        ('{"image": "a.png"}\n[1]\n', True, r"line 2: \[1\] is not an object"),
        ('{"image": "a.png", "image": "b.png"}', True, "line 1: .* is there twice"),
        ("", True, "has no rows"),
        ("[" * 99999, False, "not JSON"),
        ('{"train": [], "test": []}', False, "no list of rows"),
        ('{"images": [], "annotations": []}', False, "no list of rows"),
        ('{"image": "\\ud800.png"}', True, "line 1: .* half of a character"),
    ],
)
def test_refused(text: str, lines: bool, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_json(text, FILE, lines=lines)


def test_other_json_is_named() -> None:
    for text, way in (('{"train": []}', "--split-file"), ('{"images": [], "annotations": []}', "COCO")):
        with pytest.raises(DataError) as caught:
            parse_json(text, FILE, lines=False)
        assert way in caught.value.todo


def test_names_that_are_no_utf8_come_as_escapes() -> None:
    assert parse_json('{"image": "f\\udcfc.png"}', FILE, lines=True).column("image") == ["f\udcfc.png"]
