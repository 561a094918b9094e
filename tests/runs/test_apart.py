"""Where outputs may go: which inputs a configuration names, and which folders hold images."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.data.items import ImageSet
from dapt.data.resolve import load_data
from dapt.errors import ConfigError
from dapt.runs.apart import (
    BY_DEFAULT,
    advice,
    check_file_apart,
    check_files_apart,
    named_inputs,
    place_of,
    places_read,
)
from dapt.runs.run_folder import RunFolder


@pytest.fixture
def data(table: Path) -> ImageSet:
    return load_data(str(table))


def test_inputs_that_a_configuration_names(tmp_path: Path) -> None:
    given = {"data": str(tmp_path / "d"), "masks": "m", "names": "n.txt", "split_file": "s.json"}
    found = named_inputs(make_config({**given, "model": "local-dir:/models/a"}))
    assert {label: str(path) for label, path in found.items() if path is not None} == {
        "the data": str(tmp_path / "d"),
        "the masks": "m",
        "the names file": "n.txt",
        "the split file": "s.json",
        "the weights of the backbone": "/models/a",
    }


def test_names_are_no_inputs_in_a_place() -> None:
    found = named_inputs(make_config({"data": "eurosat", "model": "hf-hub:a/b"}))
    assert set(found.values()) == {None}
    teacher = make_config({"data": "eurosat", "model": "demo", "method": "promptkd", "prompt": {"teacher": "t"}})
    assert named_inputs(teacher)["the teacher"] == Path("t")


def test_of_a_folder_with_an_index_the_index_is_the_data(table: Path, photos: Path) -> None:
    assert place_of(str(table.parent)) == table
    assert place_of(str(table)) == table
    assert place_of(str(photos)) == photos


def test_what_a_finished_run_has_read(run: Path, trained: Path) -> None:
    table = trained.parent / "table"
    found = places_read(RunFolder(run))
    assert found["the data of the run"] == table / "index.csv"
    assert found["the folder images of the data of the run"] == table / "images"
    assert found["the weights of the backbone of the run"].is_dir()
    (run / "split.json").unlink()
    assert set(found) - set(places_read(RunFolder(run))) == {"the folder images of the data of the run"}


def test_advice_depends_on_whether_out_was_chosen() -> None:
    assert advice(make_config({"data": "x"})) == BY_DEFAULT
    assert "--out" not in advice(make_config({"data": "x", "out": "y"}))


def test_beside_the_images_of_an_index_is_room(data: ImageSet, table: Path) -> None:
    check_files_apart(table.parent / "run", data, str(table))
    check_files_apart(table.parent.parent / "run", data, str(table))


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (".", "holds files of the data .*images/"),
        ("..", "holds files of the data"),
        ("images", "holds files of the data"),
        ("images/new", "lies within the folder images of the data"),
        ("masks/new/deeper", "lies within the folder masks of the data"),
    ],
)
def test_an_output_folder_among_the_images(data: ImageSet, table: Path, place: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        check_files_apart((table.parent / place).resolve(), data, str(table), todo="Go away.")
    assert caught.value.todo == "Go away."


def test_in_a_folder_of_classes_is_no_room(photos: Path) -> None:
    data = load_data(str(photos))
    with pytest.raises(ConfigError, match="lies within the data"):
        check_files_apart(photos / "run", data, str(photos))


def test_an_output_file_among_the_images(data: ImageSet, table: Path, tmp_path: Path) -> None:
    check_file_apart(None, "--json", data, str(table))
    check_file_apart(tmp_path / "figures.json", "--json", data, str(table))
    check_file_apart(table.parent / "figures.json", "--json", data, str(table))
    with pytest.raises(ConfigError, match="lies within the folder images of the data") as caught:
        check_file_apart(table.parent / "images" / "figures.json", "--json", data, str(table))
    assert caught.value.where == "--json"
    with pytest.raises(ConfigError, match="is the data, which is read"):
        check_file_apart(table, "--json", data, str(table))
