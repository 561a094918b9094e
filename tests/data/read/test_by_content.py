"""Folders and tables divided by the content of their images: what comes and goes moves no other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dapt.data.items import ImageSet
from dapt.data.read.by_content import Earlier
from dapt.data.resolve import load_data
from dapt.data.understood import layout_words
from dapt.errors import DataError
from helpers import make_csv

pytestmark = pytest.mark.usefixtures("by_content")


def photo(root: Path, name: str, number: int) -> None:
    """A file that is taken for a picture: nothing here decodes it."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(b"\xff\xd8 photo %d" % number)


def folder(root: Path, numbers: set[int], classes: int = 3) -> Path:
    shutil.rmtree(root, ignore_errors=True)
    for number in numbers:
        photo(root, f"class{number % classes}/{number:04d}.jpg", number)
    return root


def sides(data: ImageSet) -> dict[str, str]:
    return {item.name: side for side, items in data.splits.items() for item in items}


NUMBERS = st.sets(st.integers(0, 400), min_size=30, max_size=60)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NUMBERS, NUMBERS)
def test_photos_come_and_go(tmp_path: Path, numbers: set[int], others: set[int]) -> None:
    base = {*range(0, 401, 13)}  # so that no class is small
    before = sides(load_data(str(folder(tmp_path / "photos", base | numbers))))
    after = sides(load_data(str(folder(tmp_path / "photos", base | others))))
    assert {name: before[name] for name in before.keys() & after.keys()} == {
        name: after[name] for name in before.keys() & after.keys()
    }
    assert len(before) == len(base | numbers)


def test_names_and_order_do_not_matter_and_copies_stay_together(tmp_path: Path) -> None:
    root = folder(tmp_path / "photos", set(range(40)))
    before = load_data(str(root))
    for path in list(root.glob("*/*.jpg")):
        shutil.copy(path, path.with_name(f"z{path.name}"))
        path.rename(path.with_name(f"a{path.name}"))
    after = sides(load_data(str(root)))
    for name, side in sides(before).items():
        first, last = name.split("/")
        assert after[f"{first}/a{last}"] == after[f"{first}/z{last}"] == side
    assert layout_words(before).endswith(
        "divided by the content of each image into about 50% train, 20% val and 30% test"
    )


def test_small_classes_are_told(tmp_path: Path) -> None:
    for number in range(3):
        photo(tmp_path / "photos", f"one/{number}.jpg", 100 + number)
    photo(tmp_path / "photos", "two/a.jpg", 7)
    data = load_data(str(tmp_path / "photos"))
    found = sides(data)
    assert found["two/a.jpg"] == "train"
    assert {"train", "test"} <= {side for name, side in found.items() if name.startswith("one/")}
    told = [sentence for sentence in data.guessed if "small classes changed sides" in sentence]
    moved = [name for name in found if found[name] != sides(divided_alone(data))[name]]
    assert bool(told) == bool(moved)
    assert all(name in told[0] for name in moved)


def divided_alone(data: ImageSet) -> ImageSet:
    """What the content of each image says by itself."""
    from dataclasses import replace

    from dapt.data.read.sides import own_side

    items = [item for part in data.splits.values() for item in part]
    names = {side: [item for item in items if own_side(data.contents[item.name]) == side] for side in data.splits}
    return replace(data, splits={side: tuple(part) for side, part in names.items()})


def test_positions_and_splits_of_their_own_stay(tmp_path: Path) -> None:
    root = folder(tmp_path / "photos", set(range(30)))
    plain = load_data(str(root), rule="positions")
    assert {side: len(items) for side, items in plain.splits.items()} == {"train": 15, "val": 6, "test": 9}
    assert not plain.contents
    table = load_data(str(make_csv(tmp_path / "table")))
    assert not table.divided
    assert not table.contents


def test_a_table_without_splits(tmp_path: Path) -> None:
    root = folder(tmp_path / "photos", set(range(30)))
    rows = [f"{path.relative_to(root).as_posix()},{path.parent.name}" for path in sorted(root.glob("*/*.jpg"))]
    expected = sides(load_data(str(root)))
    for order in (rows, rows[::-1]):
        (tmp_path / "photos" / "all.csv").write_text("image,classname\n" + "\n".join(order) + "\n")
        assert sides(load_data(str(root / "all.csv"))) == expected


def test_an_earlier_run_decides_for_what_it_knows(tmp_path: Path) -> None:
    root = folder(tmp_path / "photos", set(range(60)))
    first = load_data(str(root))
    before = sides(first)
    folder(root, set(range(0, 120)))
    (root / "class0" / "0000.jpg").rename(root / "class0" / "renamed.jpg")
    earlier = Earlier("runs/old", {first.contents[name]: side for name, side in before.items()}, before)
    found = load_data(str(root), earlier=earlier)
    after = sides(found)
    assert after["class0/renamed.jpg"] == before.pop("class0/0000.jpg")
    assert {name: after[name] for name in before} == before
    assert {
        side: sum(name.startswith("class1/") for name in after if after[name] == side) for side in first.splits
    } == {
        "train": 20,
        "val": 8,
        "test": 12,
    }
    assert any("60 of 120 images stay on the sides of runs/old" in sentence for sentence in found.guessed)


def test_what_cannot_be_kept(tmp_path: Path) -> None:
    root = folder(tmp_path / "photos", set(range(30)))
    with pytest.raises(DataError, match="knows none of the 30 images"):
        load_data(str(root), earlier=Earlier("runs/old", {"x": "train"}, {"y": "train"}))
    with pytest.raises(DataError, match="has splits of its own, so there are none of runs/old to keep"):
        load_data(str(make_csv(tmp_path / "table")), earlier=Earlier("runs/old", {}, {}))
