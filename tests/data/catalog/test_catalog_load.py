"""From the name of a catalog data set to its images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from catalog_helpers import PATHS, aircraft, split_data
from dapt.data.catalog.base import CATALOG, Place, Request
from dapt.data.catalog.load import load_catalog, read_place
from dapt.data.items import ImageSet
from dapt.errors import ConfigError, DataError


def test_by_name_from_the_given_root_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split_data(tmp_path, "dtd")
    data = load_catalog("dtd", str(tmp_path))
    assert data.name == "dtd"
    assert data.names == tuple(PATHS["dtd"].values())
    assert {split: len(items) for split, items in data.splits.items()} == {"train": 10, "val": 4, "test": 6}
    assert data.split("train")[0].name.startswith("images/")
    monkeypatch.setenv("DAPT_DATA", str(tmp_path))
    assert load_catalog("dtd") == data


def test_names_of_images_are_the_same_in_every_layout(tmp_path: Path) -> None:
    found = []
    for number in range(len(CATALOG.get("fgvc_aircraft").layouts)):
        aircraft(tmp_path / str(number), number)
        data = load_catalog("fgvc_aircraft", str(tmp_path / str(number)))
        found.append([item.name for item in data.chosen("all")])
    assert len(found) > 1
    assert all(names == found[0] for names in found)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'food101'"):
        load_catalog("food102", str(tmp_path))
    with pytest.raises(DataError, match="dapt data download food101"):
        load_catalog("food101", str(tmp_path))


@pytest.mark.parametrize(
    ("names", "shared", "message"),
    [
        (("crane", "crane"), (), "Two classes"),
        (("crane", "crane"), ("crane",), None),
        (("crane", " "), (), "has no name"),
    ],
)
def test_class_names_are_checked(tmp_path: Path, names: tuple[str, ...], shared: tuple[str, ...], message) -> None:
    class Given:
        """A reader of one known data set."""

        rule, file, val_is_test = "", "", False

        def read(self, dataset: object, place: Place, request: Request) -> ImageSet:
            return ImageSet("x", tmp_path, names)

    dataset = replace(CATALOG.get("dtd"), reader=Given(), shared_names=shared)  # type: ignore[arg-type]
    place = Place(dataset.layouts[0], tmp_path / "dtd", tmp_path / "dtd" / "images")
    if message is None:
        assert read_place(dataset, place, Request(tmp_path)).names == names
    else:
        with pytest.raises(DataError, match=message):
            read_place(dataset, place, Request(tmp_path))
