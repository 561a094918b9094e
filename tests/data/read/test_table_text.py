"""Delimiters, quotes, headers and lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read.table_text import looks_like_image, parse_text
from dapt.errors import DataError

CSV = Path("x.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,label\na.png,cat\n", []),
        ("image;label\na.png;cat\n", ["divided by semicolons"]),
        ("image\tlabel\r\na.png\tcat\r\n", ["divided by tabs"]),
        ("image|label\na.png|cat\n", ["divided by |"]),
        ("sep=;\r\nimage;label\r\na.png;cat\r\n", ["divided by semicolons"]),
        ('"sep=,"\nimage,label\na.png,cat\n', []),
        ("\n\nimage,label\n\na.png,cat\n,\n,,,\n", []),
        ("image,label,,\na.png,cat,,\n", []),
        ('"image","label"\n"a.png", "cat"\n', []),
        ("'image','label'\n'a.png','cat'\n", ["single quotation marks"]),
        ("image,label\ra.png,cat\r", []),
        ("a.png,cat\n", ["no header"]),
        ("a.png;cat\n", ["divided by semicolons", "no header"]),
        ("a.png\tcat\n", ["divided by tabs", "no header"]),
    ],
)
def test_one_table_in_many_dialects(text: str, said: list[str]) -> None:
    table = parse_text(text, CSV)
    assert [{name: value for name, value in cells.items() if name} for _, cells in table.rows] == [
        {"image": "a.png", "label": "cat"}
    ]
    assert len(table.guessed) == len(said)
    assert all(part in sentence for part, sentence in zip(said, table.guessed, strict=True))


def test_the_header_decides_before_the_rows_do() -> None:
    rows = "\n".join(f"{number}.png;a,b" for number in range(5))
    assert parse_text(f"image;labels\n{rows}", CSV).columns == ["image", "labels"]
    rows = "\n".join(f'{number}.png,"a;b"' for number in range(5))
    assert parse_text(f"image,labels\n{rows}", CSV).columns == ["image", "labels"]


def test_lines_are_those_of_the_file() -> None:
    assert [number for number, _ in parse_text("sep=;\nimage;label\n\na.png;x\n;\nb.png;x\n", CSV).rows] == [4, 6]
    assert [number for number, _ in parse_text("a.png,x\n\nb.png,x\n", CSV).rows] == [1, 3]


def test_the_class_may_come_first() -> None:
    assert parse_text("cat,a.png\ndog,b.png\n", CSV).column("label") == ["cat", "dog"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.png,cat,5\n", r"no header: its first line is 'a\.png,cat,5'"),
        ("a.png,b.png\n", "no header"),
        ("image,label\na.png,big, cat\n", "line 2: 3 fields, the header has 2"),
        ("image,label\n", "a header but no rows"),
        ('image,label\n"a.png,cat\n' + "x" * 140_000, "field larger than field limit"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        parse_text(text, CSV)
    assert caught.value.todo or "no rows" in message


def test_lists_of_paths_and_labels() -> None:
    table = parse_text("train/n01/a b.JPEG 0\ntrain/n02/c.JPEG\t1\n\n", Path("train.txt"))
    assert table.rows == [
        (1, {"image": "train/n01/a b.JPEG", "label": "0"}),
        (2, {"image": "train/n02/c.JPEG", "label": "1"}),
    ]
    assert "list" in table.guessed[0]
    table = parse_text("image,label\na.png,cat\n", Path("labels.txt"))
    assert table.column("label") == ["cat"]
    with pytest.raises(DataError, match="line 26: 'what' is not a path and a label"):
        parse_text("a.png 0\n" * 25 + "what\n", Path("x.txt"))


def test_names_of_pictures() -> None:
    assert looks_like_image(" C:\\a\\b.JPG ")
    assert not looks_like_image("golden retriever")
    assert not looks_like_image(".png")
