"""However a table is written, it says the same: spellings of one table, drawn at random."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dapt.data.items import ImageSet
from dapt.data.resolve import load_data

CLASSES = ("Straße", "crème brûlée", "cat, big", "tabby_cat", "chien; chat")
ROWS = [(f"images/{name[:2]}/{number}.png", name) for name in CLASSES for number in range(4)]


@pytest.fixture(scope="module")
def photographs() -> Path:
    with tempfile.TemporaryDirectory() as place:
        for name, _ in ROWS:
            path = Path(place) / "photos" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        yield Path(place) / "photos"


def read(folder: Path, name: str, content: bytes) -> ImageSet:
    path = folder / name
    path.write_bytes(content)
    try:
        return load_data(str(path))
    finally:
        path.unlink()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_dialect(photographs: Path, data: st.DataObject) -> None:
    plain = read(photographs, "x.csv", as_csv(ROWS, ["image", "classname"], ",").encode())
    image = data.draw(st.sampled_from(["image", "Image", "file_name", "FilePath", "img path", "path"]))
    named = data.draw(st.sampled_from(["classname", "label", "Class", "species", "category"]))
    here = f"{photographs}/" if data.draw(st.booleans()) else ""
    change = data.draw(st.sampled_from([str, lambda path: path.replace("/", "\\"), lambda path: path[:-4]]))
    cut = data.draw(st.sampled_from(["", "images/"])) if not here else ""
    rows = [(here + change(path.removeprefix(cut)), name) for path, name in ROWS]
    if here and change("/") == "\\":
        rows = [(path.replace("/", "\\"), name) for path, name in rows]
    if data.draw(st.booleans()):
        text = "\n".join(json.dumps({image: path, named: name}) for path, name in rows)
        found = read(photographs, "x.jsonl", text.encode())
    else:
        delimiter = data.draw(st.sampled_from([",", ";", "\t", "|"]))
        text = as_csv(rows, [image, named], delimiter, data.draw(st.sampled_from(["\n", "\r\n"])))
        text = (f"sep={delimiter}\n" if data.draw(st.booleans()) and delimiter != "|" else "") + text
        text += data.draw(st.sampled_from(["", "\n", delimiter + "\n"]))
        encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
        found = read(photographs, "x.csv", text.encode(encoding))
    assert found.names == plain.names == tuple(sorted(name.replace("_", " ") for name in CLASSES))
    assert found.splits == plain.splits


def as_csv(rows: list[tuple[str, str]], header: list[str], delimiter: str, end: str = "\n") -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=end)
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()
