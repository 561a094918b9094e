"""Miniature copies of every layout of every data set, and where their masks are found."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

import pytest

from catalog_helpers import (
    SOME,
    SPLIT_SETS,
    WNIDS,
    aircraft,
    class_names_text,
    imagenet,
    paths_of,
    picture,
    small_split,
    split_data,
    variant,
    voc,
    write,
    write_many,
)
from dapt.data.catalog.base import CATALOG, Download
from dapt.data.catalog.load import load_catalog
from dapt.data.fetch.archives import unpack
from dapt.data.items import ImageSet
from dapt.data.load.images import open_image
from dapt.data.masks.mask_files import read_mask
from dapt.data.verify import verify
from dapt.errors import DataError

EVERY_LAYOUT = [(name, number) for name in SPLIT_SETS for number in range(len(CATALOG.get(name).layouts))]


def items_of(data: ImageSet) -> list:
    return [item for items in data.splits.values() for item in items]


@pytest.mark.parametrize(("name", "number"), EVERY_LAYOUT)
def test_split_sets(tmp_path: Path, name: str, number: int) -> None:
    dataset = split_data(tmp_path, name, number)
    data = load_catalog(name, str(tmp_path))
    split = small_split(name)
    prefix = f"{dataset.layouts[0].images}/" if dataset.layouts[0].images else ""
    assert data.name == name
    for part, rows in split.items():
        assert [item.name for item in data.split(part)] == [prefix + row[0] for row in rows]
        assert [item.label for item in data.split(part)] == [row[1] for row in rows]
    assert all(item.path.is_file() for item in items_of(data))
    assert open_image(data.split("test")[0].path).size == (8, 6)
    assert data.mask_format is None


@pytest.mark.parametrize("number", range(3))
def test_aircraft(tmp_path: Path, number: int) -> None:
    dataset = aircraft(tmp_path, number)
    data = load_catalog("fgvc_aircraft", str(tmp_path))
    assert data.root == tmp_path / dataset.layouts[number].folder
    assert len(items_of(data)) == 30


@pytest.mark.parametrize("name", SPLIT_SETS)
def test_archive_unpacked_in_the_own_folder(tmp_path: Path, name: str) -> None:
    """An archive that brings the outer folder of a layout, unpacked into the data set's own folder."""
    dataset = CATALOG.get(name)
    for number in range(len(dataset.layouts)):
        root = tmp_path / str(number)
        split_data(root / dataset.folder, name, number)
        assert len(items_of(load_catalog(name, str(root)))) == len(paths_of(small_split(name)))


@pytest.mark.parametrize("name", SPLIT_SETS)
def test_split_file_in_the_folder_of_the_other_layout(tmp_path: Path, name: str) -> None:
    dataset = split_data(tmp_path, name, 1)
    file = dataset.reader.file
    (tmp_path / dataset.layouts[1].folder / file).rename(tmp_path / "kept")
    write(tmp_path / dataset.folder / file, (tmp_path / "kept").read_bytes())
    assert len(items_of(load_catalog(name, str(tmp_path)))) == len(paths_of(small_split(name)))


def test_first_layout_wins(tmp_path: Path) -> None:
    split_data(tmp_path, "caltech101", 1)
    split_data(tmp_path, "caltech101", 0)
    assert load_catalog("caltech101", str(tmp_path)).root == tmp_path / "caltech-101"


# The masked collection: image folder under the outer folder, and both rules for where the mask is.
MASK_PLACES = {
    "caltech101": (
        "caltech-101/mask/caltech-101/101_ObjectCategories",
        "caltech-101/caltech-101/mask/101_ObjectCategories",
    ),
    "oxford_pets": ("oxford_pets/mask/oxford_pets/images", "oxford_pets/oxford_pets/mask/images"),
    "stanford_cars": ("stanford_cars/mask/stanford_cars", "stanford_cars/stanford_cars/mask"),
    "oxford_flowers": ("flowers-102/mask/oxford_flowers/jpg", "flowers-102/oxford_flowers/mask/jpg"),
    "food101": ("food101/mask/food-101/images", "food101/food-101/mask/images"),
    "sun397": ("sun-397/mask/sun397/sun397", "sun-397/sun397/mask/sun397"),
    "dtd": ("dtd/mask/dtd/images", "dtd/dtd/mask/images"),
    "eurosat": ("eurosat/mask/eurosat/2750", "eurosat/eurosat/mask/2750"),
    "ucf101": ("ucf101/mask/ucf101/UCF-101-midframes", "ucf101/ucf101/mask/UCF-101-midframes"),
}
# Archives of masks alone, unpacked into the folder mask of CoOp's layout, whatever part of the path they bring.
ARCHIVES = {
    name: [
        f"{CATALOG.get(name).folder}/mask/{places[0].replace('/mask', '')}",
        f"{CATALOG.get(name).folder}/mask/{places[0]}",
        f"{CATALOG.get(name).folder}/mask/{places[0].split('/', 1)[1]}",
        f"{CATALOG.get(name).folder}/{'/'.join(('mask', CATALOG.get(name).layouts[0].images))}",
    ]
    for name, places in MASK_PLACES.items()
    if name != "sun397"
}


def add_masks(root: Path, name: str, folder: str, extension: str) -> None:
    paths = [path.rpartition(".")[0] + extension for path in paths_of(small_split(name))]
    write_many(root / folder, paths, picture("PNG" if extension == ".png" else "JPEG", "L", 255))


def check_masks(root: Path, name: str, folder: str) -> None:
    data = load_catalog(name, str(root))
    assert data.mask_format == "binary"
    for item in items_of(data):
        path = CATALOG.get(name).image_path(item.name)
        assert item.mask is not None
        assert item.mask.with_suffix("") == (root / folder / path).with_suffix("")
    assert read_mask(data.split("train")[0].mask, "binary").all()


@pytest.mark.parametrize("extension", [".jpg", ".png"])
@pytest.mark.parametrize("rule", [0, 1])
@pytest.mark.parametrize("name", SPLIT_SETS)
def test_masks_of_the_masked_collection(tmp_path: Path, name: str, rule: int, extension: str) -> None:
    split_data(tmp_path, name, 1)
    add_masks(tmp_path, name, MASK_PLACES[name][rule], extension)
    check_masks(tmp_path, name, MASK_PLACES[name][rule])


@pytest.mark.parametrize(("name", "folder"), [(name, folder) for name in ARCHIVES for folder in ARCHIVES[name]])
def test_masks_alone_beside_coops_layout(tmp_path: Path, name: str, folder: str) -> None:
    split_data(tmp_path, name)
    add_masks(tmp_path, name, folder, ".jpg")
    check_masks(tmp_path, name, folder)


def test_masks_of_the_deep_layouts(tmp_path: Path) -> None:
    split_data(tmp_path / "dtd3", "dtd", 2)
    add_masks(tmp_path / "dtd3", "dtd", "dtd/dtd/mask/dtd/images", ".jpg")
    check_masks(tmp_path / "dtd3", "dtd", "dtd/dtd/mask/dtd/images")
    split_data(tmp_path / "sun", "sun397")
    for folder in ("sun397/mask/sun-397/sun397/sun397", "sun397/mask/sun397/sun397", "sun397/mask/SUN397"):
        root = tmp_path / folder.replace("/", "_")
        split_data(root, "sun397")
        add_masks(root, "sun397", folder, ".png")
        check_masks(root, "sun397", folder)


def test_masks_in_the_collections_folder_beside_coops(tmp_path: Path) -> None:
    """Images in CoOp's layout, masks unpacked into the outer folder of the collection."""
    split_data(tmp_path, "food101")
    add_masks(tmp_path, "food101", "food101/mask/food-101/images", ".jpg")
    check_masks(tmp_path, "food101", "food101/mask/food-101/images")


def test_other_masks_are_not_taken(tmp_path: Path) -> None:
    """The released DAPT masks lie in a folder of the same name, by another rule and in another format."""
    split_data(tmp_path, "caltech101")
    add_masks(tmp_path, "caltech101", "caltech-101/mask", ".png")
    data = load_catalog("caltech101", str(tmp_path))
    assert not data.has_masks
    assert data.mask_format is None
    note = f"{tmp_path / 'caltech-101' / 'mask'} does not mirror the images: --masks."
    assert note in verify("caltech101", str(tmp_path)).notes


def test_some_masks_are_missing(tmp_path: Path) -> None:
    split_data(tmp_path, "dtd")
    add_masks(tmp_path, "dtd", "dtd/mask/images", ".png")
    (tmp_path / "dtd" / "mask" / "images" / "banded" / "banded_0001.png").unlink()
    data = load_catalog("dtd", str(tmp_path))
    assert [item.name for item in items_of(data) if item.mask is None] == ["images/banded/banded_0001.jpg"]
    report = verify("dtd", str(tmp_path))
    assert report.unmasked == ["images/banded/banded_0001.jpg"]
    assert "Without mask: 1 image (images/banded/banded_0001.jpg)." in report.problems


@pytest.mark.parametrize("number", [0, 1])
def test_trimaps_of_pets(tmp_path: Path, number: int) -> None:
    dataset = split_data(tmp_path, "oxford_pets", number)
    trimaps = tmp_path / dataset.layouts[number].folder / "annotations" / "trimaps"
    for path in paths_of(small_split("oxford_pets")):
        write(trimaps / path.replace(".jpg", ".png"), picture("PNG", "L", 1))
        write(trimaps / f"._{path.replace('.jpg', '.png')}", b"junk")
    data = load_catalog("oxford_pets", str(tmp_path))
    assert data.mask_format == "trimap"
    assert all(item.mask == trimaps / item.path.with_suffix(".png").name for item in items_of(data))
    assert read_mask(data.split("val")[0].mask, "trimap").all()
    add_masks(tmp_path, "oxford_pets", MASK_PLACES["oxford_pets"][0], ".jpg")
    check_masks(tmp_path, "oxford_pets", MASK_PLACES["oxford_pets"][0])


@pytest.mark.parametrize("layout", CATALOG.get("voc2012").layouts, ids=lambda layout: layout.folder)
def test_voc(tmp_path: Path, layout) -> None:
    voc(tmp_path, layout)
    data = load_catalog("voc2012", str(tmp_path))
    assert data.multi_label
    assert len(data.names) == 20
    assert list(data.names) == sorted(data.names)
    assert (data.names[0], data.names[10], data.names[15], data.names[19]) == (
        *("aeroplane", "dining table", "potted plant", "tv monitor"),
    )
    assert data.split("val") == ()
    train, test = data.split("train"), data.split("test")
    assert [item.name for item in train] == ["JPEGImages/2008_000001.jpg", "JPEGImages/2008_000002.jpg"]
    assert [item.name for item in test] == ["JPEGImages/2008_000003.jpg", "JPEGImages/2008_000005.jpg"]
    assert [[data.names[label] for label in item.labels] for item in (*train, *test)] == [
        *(["dog", "person"], ["car"], ["tv monitor"], ["bird", "person"]),
    ]
    assert all(item.label == item.labels[0] for item in (*train, *test))
    assert data.mask_format == "labels"
    assert [item.mask is not None for item in (*train, *test)] == [True, False, False, True]
    report = verify("voc2012", str(tmp_path))
    assert report.problems == ["train: 2 images listed, not 5717.", "test: 3 images listed, not 5823."]


def test_voc_mistakes(tmp_path: Path) -> None:
    voc(tmp_path)
    lists = tmp_path / "voc2012" / "VOCdevkit" / "VOC2012" / "ImageSets" / "Main"
    good = (lists / "cow_val.txt").read_text()
    write(lists / "cow_val.txt", "2008_000003 2\n")
    with pytest.raises(DataError, match=r"cow_val.txt, line 1: '2008_000003 2' is not"):
        load_catalog("voc2012", str(tmp_path))
    (lists / "cow_val.txt").unlink()
    with pytest.raises(DataError, match=r"cow_val.txt of Pascal VOC 2012 is missing"):
        load_catalog("voc2012", str(tmp_path))
    write(lists / "cow_val.txt", good)
    (lists.parents[1] / "JPEGImages" / "2008_000002.jpg").unlink()
    with pytest.raises(DataError, match=r"1 of 4 images of Pascal VOC 2012 are missing"):
        load_catalog("voc2012", str(tmp_path))


@pytest.mark.parametrize("number", [0, 1])
def test_imagenet(tmp_path: Path, number: int) -> None:
    imagenet(tmp_path, number)
    if number == 1:  # the masked collection keeps the names in the outer folder
        (tmp_path / "imagenet-1k/imagenet/classnames.txt").rename(tmp_path / "imagenet-1k/classnames.txt")
    data = load_catalog("imagenet", str(tmp_path))
    assert len(data.names) == 1000
    assert data.names[657] == data.names[744] == "missile"
    assert data.names[:2] == ("thing 0", "thing 1")
    assert len(data.split("train")) == 2000
    assert data.split("val") is data.split("test")
    assert [item.label for item in data.split("test")] == list(range(1000))
    first = data.split("train")[0]
    assert first.name == f"images/train/{WNIDS[0]}/{WNIDS[0]}_0.JPEG"
    assert first.path.is_file()


def test_no_file_is_asked_for_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ImageNet has 1.3 million files: folders are listed, files not looked at."""
    imagenet(tmp_path, per_class=1)
    split_data(tmp_path, "dtd")
    asked = []
    stat = os.stat
    monkeypatch.setattr(os, "stat", lambda path, *rest, **more: asked.append(str(path)) or stat(path, *rest, **more))
    load_catalog("imagenet", str(tmp_path))
    load_catalog("dtd", str(tmp_path))
    assert 0 < len(asked) < 100
    assert not any(path.lower().endswith((".jpeg", ".jpg")) for path in asked)


def test_imagenet_masks(tmp_path: Path) -> None:
    imagenet(tmp_path, 1, per_class=1)
    names = [f"train/{wnid}/{wnid}_0.JPEG" for wnid in WNIDS] + [
        f"val/{wnid}/ILSVRC2012_val_{wnid}.JPEG" for wnid in WNIDS
    ]
    jpegs = [name.replace(".JPEG", ".jpeg") for name in names]
    write_many(tmp_path / "imagenet-1k" / "mask" / "imagenet" / "images", jpegs)
    data = load_catalog("imagenet", str(tmp_path))
    assert all(item.mask is not None for item in items_of(data))
    assert data.split("val") is data.split("test")


def test_imagenet_with_991_classes(tmp_path: Path) -> None:
    imagenet(tmp_path)
    for wnid in WNIDS[100:109]:
        for path in (tmp_path / "imagenet" / "images" / "train" / wnid).iterdir():
            path.unlink()
        (tmp_path / "imagenet" / "images" / "train" / wnid).rmdir()
    with pytest.raises(DataError, match="9 of 1000 class folders are missing") as caught:
        load_catalog("imagenet", str(tmp_path))
    assert all(wnid in caught.value.message for wnid in WNIDS[100:109])
    for wnid in WNIDS[100:109]:
        (tmp_path / "imagenet" / "images" / "train" / wnid).mkdir()
    with pytest.raises(DataError, match=r"Class folders without images under .*: 9 "):
        load_catalog("imagenet", str(tmp_path))


def test_imagenet_without_training_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imagenet(tmp_path)
    (tmp_path / "imagenet" / "images" / "train").rename(tmp_path / "elsewhere")
    data = load_catalog("imagenet", str(tmp_path))
    assert data.split("train") == ()
    assert len(data.split("test")) == 1000
    assert "not trained on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "", "names 0 classes, not 1000"),
        (lambda text: text.replace(WNIDS[4], "x123"), "line 5: .* is not 'wnid name'"),
        (lambda text: text.replace(WNIDS[5], WNIDS[4]), "line 6: .* occurs twice"),
        (lambda text: text.partition("\n")[2], "names 999 classes"),
        (lambda text: text.replace(WNIDS[7], "n99999999"), "1 of 1000 class folders are missing .*: n99999999"),
    ],
)
def test_class_names_mistakes(tmp_path: Path, change, message: str) -> None:
    imagenet(tmp_path)
    write(tmp_path / "imagenet" / "classnames.txt", change(class_names_text()))
    with pytest.raises(DataError, match=message):
        load_catalog("imagenet", str(tmp_path))


@pytest.mark.parametrize("name", ["imagenetv2", "imagenet_sketch", "imagenet_a", "imagenet_r"])
def test_variants(tmp_path: Path, name: str) -> None:
    dataset = variant(tmp_path, name)
    images = tmp_path / dataset.folder / dataset.layouts[0].images
    write(images / "README.txt")
    data = load_catalog(name, str(tmp_path))
    assert list(data.splits) == ["test"]
    assert len(data.names) == dataset.classes
    assert [item.label for item in data.split("test")] == list(range(dataset.classes))
    if dataset.classes == 200:
        assert data.names[:3] == ("thing 3", "thing 8", "thing 13")
        assert data.split("test")[1].name.split("/")[1] == SOME[1]
    elif name == "imagenetv2":
        assert data.split("test")[10].path.parent.name == "10"
        assert data.names[10] == "thing 10"
    last = data.split("test")[-1].path
    last.unlink()
    last.parent.rmdir()
    with pytest.raises(DataError, match=r"199 class folders|1 of 1000 class folders are missing"):
        load_catalog(name, str(tmp_path))


def test_variant_with_imagenets_class_names(tmp_path: Path) -> None:
    variant(tmp_path, "imagenet_a")
    names = tmp_path / "imagenet-adversarial" / "classnames.txt"
    write(tmp_path / "imagenet" / "classnames.txt", names.read_bytes())
    names.unlink()
    assert len(load_catalog("imagenet_a", str(tmp_path)).names) == 200
    (tmp_path / "imagenet" / "classnames.txt").unlink()
    with pytest.raises(DataError, match="dapt data download imagenet_a --only class-names"):
        load_catalog("imagenet_a", str(tmp_path))


def test_unknown_class_folder(tmp_path: Path) -> None:
    variant(tmp_path, "imagenet_r")
    write(tmp_path / "imagenet-rendition" / "imagenet-r" / "n99999999" / "x.jpg")
    with pytest.raises(DataError, match=r"that classnames.txt does not name: 1 .n99999999"):
        load_catalog("imagenet_r", str(tmp_path))


def test_sketch_as_its_archive_unpacks(tmp_path: Path) -> None:
    variant(tmp_path, "imagenet_sketch")
    (tmp_path / "imagenet-sketch" / "images").rename(tmp_path / "imagenet-sketch" / "sketch")
    data = load_catalog("imagenet_sketch", str(tmp_path))
    assert data.split("test")[0].name == f"images/{WNIDS[0]}/image.jpeg"
    assert data.split("test")[0].path.is_file()


# What the archives hold: the folder in them, and where its content lies in the miniature.
ARCHIVES_OF = {
    "caltech101": [("101_ObjectCategories", "101_ObjectCategories")],
    "oxford_pets": [("images", "images")],
    "oxford_flowers": [("jpg", "jpg")],
    "food101": [("food-101/images", "images"), ("food-101/meta", "meta")],
    "fgvc_aircraft": [("fgvc-aircraft-2013b/data", "."), ("fgvc-aircraft-2013b/evaluation", "evaluation")],
    "dtd": [("dtd/images", "images"), ("dtd/imdb", "imdb")],
    "eurosat": [("2750", "2750")],
    "ucf101": [("UCF-101-midframes", "UCF-101-midframes")],
    "imagenetv2": [("imagenetv2-matched-frequency-format-val", "imagenetv2-matched-frequency-format-val")],
    "imagenet_sketch": [("sketch", "images")],
    "imagenet_a": [("imagenet-a", "imagenet-a")],
    "imagenet_r": [("imagenet-r", "imagenet-r")],
    "voc2012": [("VOCdevkit/VOC2012", "VOCdevkit/VOC2012")],
}


def pack(path: Path, content: Path) -> Path:
    """An archive of a folder's content, of the kind that the name says."""
    if path.name.endswith(".zip"):
        return Path(shutil.make_archive(str(path.with_suffix("")), "zip", content))
    with tarfile.open(path, "w:gz" if path.name.endswith(("gz", ".tgz")) else "w") as archive:
        for each in sorted(content.iterdir()):
            archive.add(each, each.name)
    return path


@pytest.mark.parametrize("name", ARCHIVES_OF)
def test_what_a_download_unpacks_to_is_coops_layout(tmp_path: Path, name: str) -> None:
    """An archive that is built like the published one, unpacked as the catalog says, is read."""
    if name in SPLIT_SETS:
        dataset = split_data(tmp_path / "source", name)
    elif name == "fgvc_aircraft":
        dataset = aircraft(tmp_path / "source")
    elif name == "voc2012":
        dataset = voc(tmp_path / "source")
    else:
        dataset = variant(tmp_path / "source", name)
    expected = [item.name for item in items_of(load_catalog(name, str(tmp_path / "source")))]
    source = next(source for source in dataset.sources if isinstance(source, Download) and source.what == "images")
    own = tmp_path / "source" / dataset.folder
    content = tmp_path / "content"
    for folder, place in ARCHIVES_OF[name]:
        if (own / place).is_dir():
            shutil.copytree(own / place, content / folder)
        else:
            write(content / folder / "other.txt", "other")
    if source.inner:
        outer = tmp_path / "outer"
        (outer / "caltech-101").mkdir(parents=True)
        pack(outer / "caltech-101" / "101_ObjectCategories.tar.gz", content)
        write(outer / "__MACOSX" / "caltech-101" / "._101_ObjectCategories.tar.gz", b"junk")
        content = outer
    archive = pack(tmp_path / source.file_name, content)
    root = tmp_path / "data"
    work = tmp_path / "work"
    work.mkdir()
    unpack(archive, root / dataset.folder / source.to, work, inner=source.inner, inside=source.inside)
    for beside in (dataset.reader.file, "classnames.txt"):
        if beside and (own / beside).is_file():
            shutil.copy(own / beside, root / dataset.folder / beside)
    data = load_catalog(name, str(root))
    assert [item.name for item in items_of(data)] == expected
    assert data.root == root / dataset.folder
    assert all(item.path.is_file() for item in items_of(data))
