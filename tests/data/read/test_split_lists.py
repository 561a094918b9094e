"""Lists of splits beside class folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.items import ImageSet
from dapt.data.read.split_lists import IN_NO_LIST
from dapt.data.resolve import load_data

NAMES = [f"{name}/{number}.jpg" for name in ("cat", "dog") for number in range(6)]  # equal names in both
TRAIN = [name for name in NAMES if name[4] in "0123"]
TEST = [name for name in NAMES if name[4] in "45"]


def read(folder: Path, lists: dict[str, str], inside: str = "") -> ImageSet:
    for name in NAMES:
        path = folder / inside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name, text in lists.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return load_data(str(folder))


def table(names: list[str], cell: str = "") -> list[str]:
    return [f"{name},{name[:3]}{cell}" for name in names]


LISTS = [
    {"train.txt": "\n".join(TRAIN), "test.txt": "\n".join(TEST)},
    {"meta/train.txt": "\n".join(n[:-4] for n in TRAIN), "meta/test.txt": "\n".join(n[:-4] for n in TEST)},
    {"train_list.txt": "\n".join(f"{n} {n[0] == 'd':d}" for n in TRAIN), "test_list.txt": "\n".join(TEST)},
    {"splits.csv": "\n".join(["file,class,split", *table(TRAIN, ",train"), *table(TEST, ",test")])},
    {"s.csv": "\n".join(["file,split", *(f"{n},train" for n in TRAIN), *(f"{n},test" for n in TEST)])},
]


@pytest.mark.parametrize("inside", ["", "images"])
@pytest.mark.parametrize("lists", LISTS)
def test_read(tmp_path: Path, lists: dict[str, str], inside: str) -> None:
    data = read(tmp_path, lists, inside)
    found = {split: [item.name[-len(NAMES[0]) :] for item in items] for split, items in data.splits.items()}
    assert found == {"train": TRAIN, "test": TEST}
    assert not data.divided
    assert any("The splits are those of" in said for said in data.guessed)
    assert {item.name[-9:-6]: data.names[item.label] for item in data.splits["test"]} == {"cat": "cat", "dog": "dog"}


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"train.txt": "\n".join(NAMES), "test.txt": "\n".join(TEST)}, "is in test and in train"),
        ({"train.txt": "\n".join([*TRAIN, "cat/9.jpg"]), "test.txt": "\n".join(TEST)}, "'cat/9.jpg', which is not"),
        ({"train.txt": "\n".join(TRAIN)}, "does not name train and another"),
        ({"train.txt": "\n".join(TRAIN[:2]), "test.txt": "\n".join(TEST)}, "no image in train"),
    ],
)
def test_said_where_it_is_not_clear(tmp_path: Path, lists: dict[str, str], message: str) -> None:
    data = read(tmp_path, lists)
    assert data.divided
    assert any("like a list of splits and is not read" in said and message in said for said in data.guessed)


def test_what_no_list_names_is_counted(tmp_path: Path) -> None:
    data = read(tmp_path, {"train.txt": "\n".join(TRAIN), "test.txt": "\n".join(TEST[:-1])})
    assert data.unused == {IN_NO_LIST: ("dog/5.jpg",)}


def test_other_texts_change_nothing(tmp_path: Path) -> None:
    plain = read(tmp_path, {})
    agreeing = "\n".join(["file,class", *table(NAMES)])
    data = read(tmp_path, {"README.txt": "Some words.\n", "splits.csv": agreeing, "train.log.txt": "epoch 1\n"})
    assert data.splits == plain.splits
    assert data.guessed == plain.guessed
