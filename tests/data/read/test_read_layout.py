"""Layouts of folders, by the names of the files in them."""

from __future__ import annotations

import pytest

from dapt.data.read.layout import LOOSE, OUTSIDE, WITHOUT, Layout, recognise, tree_of
from dapt.errors import DataError


def laid(*names: str, folders: tuple[str, ...] = (), others: tuple[tuple[str, str], ...] = ()) -> Layout:
    return recognise(tree_of(names, folders, others), "photos")


def counted(layout: Layout) -> dict[str, dict[str, int]]:
    return {split: {name: len(found) for name, found in part.items()} for split, part in layout.splits.items()}


def test_class_folders() -> None:
    layout = laid("cat/1.jpg", "cat/2.jpg", "dog/1.jpg")
    assert counted(layout) == {"all": {"cat": 2, "dog": 1}}
    assert layout.words == "class folders"
    assert layout.remarks == []


@pytest.mark.parametrize(
    ("folders", "splits"),
    [
        (("Training", "Testing"), ["train", "test"]),
        (("TRAIN", "Valid", "test_set"), ["train", "val", "test"]),
        (("train_set", "dev", "eval"), ["train", "val", "test"]),
        (("seg_train", "seg_test"), ["train", "test"]),
        (("train",), ["train"]),
    ],
)
def test_split_folders(folders: tuple[str, ...], splits: list[str]) -> None:
    names = [f"{folder}/{name}/{folder}.jpg" for folder in folders for name in ("cat", "dog")]
    for inner in (names, [name.replace("/", f"/{name.split('/')[0]}/", 1) for name in names]):  # a folder in a folder
        for outer in ("", "data/", "a/b/"):
            layout = laid(*(outer + name for name in inner))
            assert counted(layout) == {split: {"cat": 1, "dog": 1} for split in splits}
            assert layout.unused == {}


def test_a_folder_around() -> None:
    layout = laid("pets/cat/1.jpg", "pets/dog/1.jpg", others=(("notes/a.txt", "texts"),), folders=("notes",))
    assert counted(layout) == {"all": {"cat": 1, "dog": 1}}
    assert layout.words == "class folders within pets/"


def test_a_cover_beside_the_folder_around_is_counted() -> None:
    layout = laid("cover.jpg", *(f"pets/{name}/{number}.jpg" for name in ("cat", "dog") for number in range(5)))
    assert counted(layout) == {"all": {"cat": 5, "dog": 5}}
    assert layout.unused == {LOOSE: ["cover.jpg"]}


def test_day_and_night_of_each_class_are_no_versions() -> None:
    names = [f"{name}/{when}/1.jpg" for name in ("cat", "dog") for when in ("day", "night")]
    assert counted(laid(*names)) == {"all": {"cat": 2, "dog": 2}}


def test_one_class_with_folders_in_it_is_no_folder_around() -> None:
    assert counted(laid("cat/1.jpg", "cat/2.jpg", "cat/old/3.jpg")) == {"all": {"cat": 3}}
    assert counted(laid("train/cat/1.jpg", "train/dog/1.jpg", "test/cat/old/1.jpg", "test/cat/new/1.jpg")) == {
        "train": {"cat": 1, "dog": 1},
        "test": {"cat": 2},
    }


def test_splits_within_class_folders() -> None:
    layout = laid("cat/train/1.jpg", "cat/test/2.jpg", "dog/Training/3.jpg", "dog/Testing/4.jpg")
    assert counted(layout) == {"train": {"cat": 1, "dog": 1}, "test": {"cat": 1, "dog": 1}}


def test_a_flat_test_folder_has_no_classes() -> None:
    layout = laid("train/cat/1.jpg", "train/dog/1.jpg", "test/1.jpg", "test/2.jpg")
    assert counted(layout) == {"train": {"cat": 1, "dog": 1}}
    assert layout.unlabelled == {"test": ["test/1.jpg", "test/2.jpg"]}
    assert "2 photos of test/ lie in no class folder" in layout.remarks[0]


def test_what_lies_beside_is_counted() -> None:
    layout = laid("cover.jpg", "cat/1.jpg", "dog/1.jpg")
    assert layout.unused == {LOOSE: ["cover.jpg"]}
    layout = laid("cover.jpg", "train/cat/1.jpg", "train/x.jpg", "test/cat/1.jpg", "unlabelled/1.jpg")
    assert layout.unused == {LOOSE: ["train/x.jpg", "cover.jpg"], OUTSIDE: ["unlabelled/1.jpg"]}
    assert "unlabelled beside the splits train, test is none of them" in layout.remarks[0]


def test_classes_called_like_splits_are_told() -> None:
    layout = laid("train/1.jpg", "bus/1.jpg")
    assert counted(layout) == {"all": {"train": 1, "bus": 1}}
    assert layout.remarks == ["The class train is called like a split; it is read as a class."]


def test_further_folders_in_classes_are_told() -> None:
    assert (
        "Class folders hold 2 folders (big, small)" in laid("cat/big/1.jpg", "cat/small/1.jpg", "dog/1.jpg").remarks[0]
    )


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["train/1.jpg", "test/2.jpg"], "test and train in photos hold 2 photos, but no class folders"),
        (["train/1.jpg", "test/cat/2.jpg"], "train in photos hold 1 photos, but no class folders"),
        (["train/steam/1.jpg", "bus/1.jpg"], "the folder train is called like a split, but there are photos in bus"),
        (["val/cat/1.jpg", "valid/cat/1.jpg"], "val and valid would both be the split 'val'"),
        (
            [f"{domain}/images/{name}/1.jpg" for domain in ("amazon", "dslr") for name in ("bag", "bike", "mug")],
            "amazon, dslr in photos each hold the same 3 folders",
        ),
        (
            ["color/a/1.jpg", "color/b/1.jpg", "color/c/1.jpg", "grey/a/1.jpg", "grey/b/1.jpg", "grey/c/1.jpg"],
            "versions",
        ),
        (["1.jpg", "2.jpg"], "has no class folders: its 2 photos lie in it directly"),
    ],
)
def test_refused(names: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        laid(*names)


def test_names_that_hold_the_class_are_pointed_out() -> None:
    with pytest.raises(DataError) as caught:
        laid("cat.0.jpg", "cat.1.jpg", "dog.0.jpg", "dog.1.jpg")
    assert "File names seem to begin with the class (cat, dog)" in str(caught.value)
    with pytest.raises(DataError) as caught:
        laid("IMG_1.jpg", "IMG_2.jpg")
    assert "seem" not in str(caught.value)


def test_class_folders_without_photos() -> None:
    with pytest.raises(DataError, match="class folder photos/dog holds no image\\."):
        laid("cat/1.jpg", folders=("cat", "dog"))
    from dapt.data.read.kinds import HEIF_MISSING

    with pytest.raises(DataError, match="photos/dog holds no image that is read, but HEIC pictures"):
        laid("cat/1.jpg", folders=("cat", "dog"), others=(("dog/1.heic", HEIF_MISSING),))
    layout = laid("cat/1.jpg", "dog/1.jpg", folders=("cat", "docs", "dog"), others=(("docs/a.txt", "texts"),))
    assert layout.remarks == ["The folder docs holds no picture that is read, so it is no class."]


def spread(*folders: str, each: int = 4) -> list[str]:
    """Names of photographs, some in each folder."""
    return [f"{folder}/{number}.jpg" for folder in folders for number in range(each)]


@pytest.mark.parametrize("name", ["images", "img", "data", "Photos", "JPEGImages", "all_images"])
@pytest.mark.parametrize("outer", ["", "pets/"])
def test_a_lone_folder_of_pictures_is_no_class(name: str, outer: str) -> None:
    with pytest.raises(DataError, match=f"{name} has no class folders: its 4 photos"):
        laid(*spread(outer + name))
    assert counted(laid(*spread("cat"))) == {"all": {"cat": 4}}
    assert counted(laid(*spread(f"{name}/cat"))) == {"all": {"cat": 4}}


def test_a_lone_folder_in_splits_is_no_class() -> None:
    with pytest.raises(DataError, match="train in photos hold 4 photos, but no class folders"):
        laid(*spread("train/images", "test/images"))
    layout = laid(*spread("train/cat", "train/dog", "test/images"))
    assert list(layout.splits) == ["train"]
    assert len(layout.unlabelled["test"]) == 4


@pytest.mark.parametrize(
    "folders",
    [
        [f"fold{fold}/{name}" for fold in range(3) for name in ("cat", "dog", "owl")],
        [f"fold_{fold}/{name}" for fold in range(5) for name in ("cat", "dog")],
        [f"{fold}/{name}" for fold in ("art", "clip", "real", "sketch") for name in ("cat", "dog", "owl")],
        [f"kf/fold{fold}/{split}/{name}" for fold in range(3) for split in ("train", "test") for name in ("a", "b")],
        [f"{fold}/{name}" for fold in ("depth", "rgb") for name in ("cat", "dog")],
    ],
)
def test_folds_and_domains_are_no_classes(folders: list[str]) -> None:
    with pytest.raises(DataError, match="of one data set do") as caught:
        laid(*spread(*folders))
    assert "depth" not in folders[0] or "for example photos/rgb" in str(caught.value)


@pytest.mark.parametrize(
    "folders",
    [
        [f"{name}/{part}" for name in ("cat", "dog") for part in ("day", "night")],
        [f"{name}/{part}" for name in ("cat", "dog", "owl") for part in ("left", "right", "front")],
        [f"{name}/{part}" for name in "abcdefghij" for part in ("ann", "bob", "eve")],
        ["cat/old", "cat/new", "dog/old", "dog"],
    ],
)
def test_folders_in_classes_are_no_versions(folders: list[str]) -> None:
    layout = laid(*spread(*folders))
    assert set(layout.splits["all"]) == {folder.split("/")[0] for folder in folders}
    assert "whose names are not read" in layout.remarks[-1]


def test_numbers_around_words_of_splits() -> None:
    for names in (("1_train", "2_val", "3_test"), ("train_1", "val_2", "test_3"), ("train", "valid", "holdout")):
        layout = laid(*spread(*(f"{folder}/{name}" for folder in names for name in ("cat", "dog"))))
        assert list(layout.splits) == ["train", "val", "test"]


def test_folders_without_a_class() -> None:
    layout = laid(*spread("cat", "dog", "unlabelled"))
    assert counted(layout) == {"all": {"cat": 4, "dog": 4}}
    assert layout.unused == {WITHOUT: spread("unlabelled")}
    for names in (spread("labeled", "unlabeled"), spread("labeled/cat", "labeled/dog", "unlabeled")):
        with pytest.raises(DataError, match="whether photos have a class, not which"):
            laid(*names)


def test_loose_photos_beside_the_splits_of_a_class() -> None:
    names = spread("a/train", "a/test", "b/train", "b/test")
    layout = laid("a/x.jpg", *names)
    assert counted(layout) == {"train": {"a": 4, "b": 4}, "test": {"a": 4, "b": 4}}
    assert layout.unused == {LOOSE: ["a/x.jpg"]}
    layout = laid(*names, *spread("a/more"))
    assert layout.unused == {OUTSIDE: spread("a/more")}
    with pytest.raises(DataError, match="4 photos lie beside the split folders of their class"):
        laid(*names, *spread("a"))
    with pytest.raises(DataError, match="a, b hold splits, but c hold none"):
        laid(*names, *spread("c"))


def test_classes_with_a_split_in_their_name() -> None:
    with pytest.raises(DataError, match=r"cats_test, cats_train, dogs_test, dogs_train .* called by class and split"):
        laid(*spread("cats_train", "cats_test", "dogs_train", "dogs_test"))


def test_a_train_among_vehicles() -> None:
    with pytest.raises(DataError, match="the folder train is called like a split, but there are photos in bus, car"):
        laid(*spread("train/set1", "bus/set1", "car/set1"))


def test_without_a_training_split_it_is_said() -> None:
    names = [f"{folder}/{name}" for folder in ("entrainement", "validation", "test") for name in ("cat", "dog")]
    remarks = " ".join(laid(*spread(*names)).remarks)
    assert "no training split beside validation, test: entrainement was not taken for one" in remarks
