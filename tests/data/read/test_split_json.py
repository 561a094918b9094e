"""Split files: what is read and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapt.data.read.split_json import class_names, read_split_json
from dapt.errors import DataError

GOOD: dict[str, object] = {
    "train": [["b/1.jpg", 1, "bee"], ["a/1.jpg", 0, "ant"], ["a/2.jpg", 0, "ant"]],
    "val": [["a/3.jpg", 0, "ant"]],
    "test": [["./b//2.jpg", 1, "bee"]],
}


def save(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_order_and_names(tmp_path: Path) -> None:
    splits = read_split_json(save(tmp_path / "s.json", {**GOOD, "weights": [1, 2]}))
    assert list(splits) == ["train", "val", "test"]
    assert splits["train"] == [("b/1.jpg", 1, "bee"), ("a/1.jpg", 0, "ant"), ("a/2.jpg", 0, "ant")]
    assert splits["test"] == [("b/2.jpg", 1, "bee")]
    assert class_names(splits) == ["ant", "bee"]


def test_missing_splits_stay_missing(tmp_path: Path) -> None:
    assert list(read_split_json(save(tmp_path / "s.json", {"train": GOOD["train"]}))) == ["train"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "has no lists"),
        ({"trian": []}, "has no lists 'train', 'val' and 'test'"),
        ({"train": {}}, "'train' is not a list"),
        ({"train": [], "test": []}, "names no images"),
        ({"train": ["a.jpg"]}, 'train, row 1: "a.jpg" is not'),
        ({"train": [["a.jpg", 0]]}, "train, row 1: .* is not"),
        ({"train": [["a.jpg", 0, "ant"]], "val": [["b.jpg", "0", "ant"]]}, 'val, row 1: the label "0" is not a number'),
        ({"train": [["a.jpg", True, "ant"]]}, "the label true is not"),
        ({"train": [["a.jpg", -1, "ant"]]}, "the label -1 is not"),
        ({"train": [["a.jpg", 1.0, "ant"]]}, "the label 1.0 is not"),
        ({"train": [[3, 0, "ant"]]}, "must be text"),
        ({"train": [["a.jpg", 0, None]]}, "must be text"),
        ({"train": [["a.jpg", 0, " "]]}, "the class name is empty"),
        ({"train": [["/etc/a.jpg", 0, "ant"]]}, "'/etc/a.jpg' is not a relative path"),
        ({"train": [["a/../../b.jpg", 0, "ant"]]}, "is not a relative path"),
        ({"train": [[".", 0, "ant"]]}, "is not a relative path"),
    ],
)
def test_wrong_shapes(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_split_json(save(tmp_path / "split.json", content))
    assert "split.json" in caught.value.message


def test_unreadable(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_split_json(tmp_path / "absent.json")
    (tmp_path / "latin.json").write_bytes(b'{"train": [["\xe9.jpg", 0, "ant"]]}')
    with pytest.raises(DataError, match="is not JSON"):
        read_split_json(tmp_path / "latin.json")


@pytest.mark.parametrize("before", ["", '{"train": '])
def test_brackets_without_end(tmp_path: Path, before: str) -> None:
    with pytest.raises(DataError, match=r"deep\.json is not JSON: maximum recursion depth"):
        read_split_json(save(tmp_path / "deep.json", before + "[" * 200_000))


def test_deep_rows(tmp_path: Path) -> None:
    """What can be parsed can also be shown."""
    for depth in range(500, 1010):
        with pytest.raises(DataError):
            read_split_json(save(tmp_path / "deep.json", '{"train": [' + "[" * depth + "]" * depth + "]}"))


def test_label_with_two_names(tmp_path: Path) -> None:
    path = save(tmp_path / "s.json", {"train": [["a.jpg", 0, "ant"]], "test": [["b.jpg", 0, "bee"]]})
    with pytest.raises(DataError, match="test, row 1: label 0 is 'bee' here and 'ant' above"):
        read_split_json(path)


def test_two_labels_with_one_name(tmp_path: Path) -> None:
    path = save(tmp_path / "s.json", {"train": [["a.jpg", 0, "ant"], ["b.jpg", 1, "ant"]]})
    with pytest.raises(DataError, match="train, row 2: 'ant' has label 1 here and 0 above"):
        read_split_json(path)
    with pytest.raises(DataError, match="train, row 2"):
        read_split_json(path, shared_names={"bee"})
    assert class_names(read_split_json(path, shared_names={"ant"})) == ["ant", "ant"]


def test_gaps(tmp_path: Path) -> None:
    path = save(tmp_path / "s.json", {"train": [["a.jpg", 0, "ant"], ["b.jpg", 6, "bee"]]})
    with pytest.raises(DataError, match=r"Labels without images in .*s.json: 5 \(1, 2, 3 and 2 more\)"):
        read_split_json(path)
    assert len(read_split_json(path, all_classes=False)["train"]) == 2
    path = save(tmp_path / "s.json", {"train": [["a.jpg", 2, "ant"], ["b.jpg", 0, "bee"]]})
    with pytest.raises(DataError, match=r"s.json: 1 \(1\)"):
        read_split_json(path)


def test_a_label_of_millions_is_refused_at_once(tmp_path: Path) -> None:
    import tracemalloc

    path = save(tmp_path / "s.json", {"train": [["a.jpg", 0, "ant"], ["b.jpg", 300_000, "bee"]]})
    tracemalloc.start()
    with pytest.raises(DataError, match=r"s.json: 299999 \(1, 2, 3 and 299996 more\)"):
        read_split_json(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000  # a set of all labels takes 30 MB
    path = save(tmp_path / "s.json", {"train": [["b.jpg", 10**15, "bee"]]})
    with pytest.raises(DataError, match=rf"{10**15} \(0, 1, 2 and"):
        read_split_json(path)


def test_leaks_are_counted(tmp_path: Path) -> None:
    rows = [[f"{number}.jpg", 0, "ant"] for number in range(9)]
    path = save(tmp_path / "s.json", {"train": rows[:5], "val": rows[5:], "test": rows[1:6]})
    with pytest.raises(DataError, match=r"Images in two splits of .*: 5 \(1.jpg \(train and test\), .* and 2 more"):
        read_split_json(path)


def test_validation_may_be_the_test(tmp_path: Path) -> None:
    rows = [[f"{number}.jpg", 0, "ant"] for number in range(3)]
    path = save(tmp_path / "s.json", {"train": rows[:1], "val": rows[1:], "test": rows[1:]})
    with pytest.raises(DataError, match=r"Images in two splits of .*: 2 "):
        read_split_json(path)
    assert read_split_json(path, val_is_test=True)["val"] == [("1.jpg", 0, "ant"), ("2.jpg", 0, "ant")]
    path = save(tmp_path / "s.json", {"train": rows, "val": rows[1:], "test": rows[1:]})
    with pytest.raises(DataError, match="Images in two splits"):
        read_split_json(path, val_is_test=True)


def test_repeated_image(tmp_path: Path) -> None:
    path = save(tmp_path / "s.json", {"train": [["a.jpg", 0, "ant"], ["./a.jpg", 0, "ant"]]})
    with pytest.raises(DataError, match=r"Images that occur twice in a split of .*: 1 \(a.jpg \(train\)\)"):
        read_split_json(path)


@given(st.dictionaries(st.integers(0, 40), st.integers(0, 4), min_size=1, max_size=40), st.randoms())
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, images: dict[int, int], random) -> None:
    labels = {old: new for new, old in enumerate(sorted(set(images.values())))}
    rows = [[f"f{label}/{image}.jpg", labels[label], f"class {label}"] for image, label in images.items()]
    split: dict[str, list[list[object]]] = {"train": [], "val": [], "test": []}
    for row in rows:
        split[random.choice(list(split))].append(row)
    path = save(tmp_path_factory.getbasetemp() / "random.json", split)
    read = read_split_json(path)
    assert {name: [list(row) for row in part] for name, part in read.items()} == split
    assert len(class_names(read)) == len(labels)
