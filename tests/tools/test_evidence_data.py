"""The data by which the settings of docs/evidence.md are chosen holds no test image, and is the same everywhere."""

from __future__ import annotations

import csv
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tools.evidence_data import TRAIN, choosing_split, make


def rows(counts: dict[str, tuple[int, int, int]]) -> list[dict[str, str]]:
    return [
        {"image": f"images/{name}-{split}-{number}.jpg", "mask": "", "classname": name, "split": split}
        for name, numbers in counts.items()
        for split, count in zip(("train", "val", "test"), numbers, strict=True)
        for number in range(count)
    ]


@given(st.dictionaries(st.sampled_from("abcd"), st.tuples(*[st.integers(0, 40)] * 3), min_size=1), st.randoms())
def test_what_is_chosen_by_has_no_test_image_and_depends_on_names_alone(counts, random) -> None:
    given_rows = rows(counts)
    found = choosing_split(given_rows)
    shuffled = list(given_rows)
    random.shuffle(shuffled)
    again = choosing_split(shuffled)
    assert {(row["image"], row["split"]) for row in found} == {(row["image"], row["split"]) for row in again}
    assert not any("-test-" in row["image"] for row in found)
    for name, (train, val, _) in counts.items():
        own = [row for row in found if row["classname"] == name]
        assert sum(row["split"] == "train" for row in own) == min(train, TRAIN)
        assert sum(row["split"] == "test" for row in own) == max(train - TRAIN, 0) + val
        assert all("-train-" in row["image"] for row in own if row["split"] == "train")


def test_indexes_stand_beside_links_to_the_photographs(tmp_path: Path) -> None:
    for name in ("leeds_butterfly", "caltech101"):
        source = tmp_path / "shared" / "data" / name
        (source / "images").mkdir(parents=True)
        with (source / "index.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, ("image", "mask", "classname", "split"))
            writer.writeheader()
            writer.writerows(rows({"a": (30, 2, 5)}))
    for _ in range(2):  # and again
        make(tmp_path / "shared", tmp_path / "out")
    index = tmp_path / "out" / "butterflies-choosing" / "index.csv"
    assert len(index.read_text().splitlines()) == 33
    assert (index.parent / "images").resolve() == (
        tmp_path / "shared" / "data" / "leeds_butterfly" / "images"
    ).resolve()
    assert not (index.parent / "masks").exists(), "there are none"
