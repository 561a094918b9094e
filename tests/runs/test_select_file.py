"""What a selector chooses, as a split file and as a picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from dapt.config import RunConfig, make_config
from dapt.data.load.picture_files import comment_of
from dapt.data.resolve import load_data
from dapt.errors import ConfigError
from dapt.runs.run_data import load_run_data
from dapt.runs.select_file import COMMENT, contact_sheet, split_rows, write_selection


def settings(table: Path, spec: str, **changes: object) -> RunConfig:
    given = {"data": str(table), "model": spec, "method": "maple", "depth": 2, "shots": 0, "device": "cpu"}
    return make_config({**given, "select": "uniform", "fraction": 0.5, **changes})


def test_half_of_every_class_in_the_form_of_the_fields_split_files(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "split.json"
    chosen = write_selection(settings(table, tiny_spec), out)
    tree = json.loads(out.read_text())
    whole = load_data(str(table))
    assert [row[0] for row in tree["train"]] == [item.name for item in chosen.train.items]
    assert sorted(label for _, label, _ in tree["train"]) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert all(whole.names[label] == name for part in ("train", "val", "test") for _, label, name in tree[part])
    assert [row[0] for row in tree["test"]] == [item.name for item in whole.split("test")]
    assert [row[0] for row in tree["val"]] == [item.name for item in whole.split("val")]
    assert tree["settings"]["seed"] == 1
    assert tree["selection"] is not None
    again = load_data(str(table), split_file=str(out))  # it can be trained on
    assert {item.name for item in again.split("train")} == {row[0] for row in tree["train"]}


def test_labels_are_those_of_the_whole_data_set(table: Path, tiny_spec: str) -> None:
    data = load_run_data(settings(table, tiny_spec, select=None, fraction=1.0, shots=1, subset="base"))
    few, all_val = split_rows(data, few=True), split_rows(data, few=False)
    assert [row[1:] for row in few["train"]] == [[0, "red square"], [1, "blue disc"]]
    assert [row[1] for row in few["val"]] == [0, 1]
    assert [row[1] for row in all_val["val"]] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert "weights" not in few


def test_the_picture_has_a_row_per_class(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    preview = tmp_path / "chosen.jpg"
    write_selection(settings(table, tiny_spec), tmp_path / "split.json", preview=preview)
    assert comment_of(preview) == COMMENT
    items = load_data(str(table)).split("train")
    sheet = contact_sheet(items[:5], ["red square", "blue disc"])  # four of one class and one of another
    single = contact_sheet(items[:1], ["red square"])
    assert sheet.size == (4 * single.width, 2 * single.height)
    corner = sheet.crop((single.width, single.height + 20, sheet.width, sheet.height))
    assert corner.getextrema() == ((255, 255),) * 3, "where no image is, the sheet is white"


@pytest.mark.parametrize(
    ("changes", "out", "message"),
    [
        ({"select": None, "fraction": 1.0}, "s.json", "not said how to choose"),
        ({"select": "unifrom"}, "s.json", "Did you mean 'uniform'"),
        ({}, "there.json", r"there\.json exists"),
        ({}, "table/index.csv", "which is read"),
        ({}, "table/images/s.json", "lies within the folder images of the data"),
        ({}, "chosen.jpg", "are both"),
    ],
)
def test_mistakes(table: Path, tiny_spec: str, tmp_path: Path, changes: dict, out: str, message: str) -> None:
    (tmp_path / "there.json").write_text("{}")
    with pytest.raises(ConfigError, match=message):
        write_selection(settings(table, tiny_spec, **changes), tmp_path / out, preview=tmp_path / "chosen.jpg")
    assert (tmp_path / "there.json").read_text() == "{}"
    assert not (tmp_path / "chosen.jpg").exists()


def test_only_selections_are_replaced(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out, preview = tmp_path / "split.json", tmp_path / "chosen.jpg"
    config = settings(table, tiny_spec)
    write_selection(config, out, preview=preview)
    first = out.read_text()
    write_selection(settings(table, tiny_spec, seed=2), out, preview=preview, overwrite=True)
    assert out.read_text() != first
    Image.new("RGB", (4, 4)).save(preview)
    with pytest.raises(ConfigError, match="dapt did not make it"):
        write_selection(config, out, preview=preview, overwrite=True)
    out.write_text('{"train": []}')
    with pytest.raises(ConfigError, match="dapt did not write it"):
        write_selection(config, out, overwrite=True)
