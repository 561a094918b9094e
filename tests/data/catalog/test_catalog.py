"""The catalog: what every entry says, the published counts and lists, and what is refused."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from catalog_helpers import REAL, SPLIT_FILES, SPLIT_SETS, VARIANTS, aircraft, real_data, split_data, write
from dapt.data.catalog.base import CATALOG, Download, HubFiles, Manual, data_root
from dapt.data.catalog.card import markdown_table
from dapt.data.catalog.listing import Listing
from dapt.data.catalog.load import load_catalog
from dapt.data.fewshot import sample_few_shot
from dapt.data.resolve import load_data
from dapt.data.subsets import base_and_novel
from dapt.errors import ConfigError, DataError
from dapt.methods.templates import ZERO_SHOT
from helpers import REPOSITORY, SHARED, needs_shared

NAMES = CATALOG.names()
VECTORS = SHARED / "facts" / "fewshot_vectors.json"
# Test images of the base and the new classes, counted from CoOp's split files.
HALVES = {
    "caltech101": (1549, 916),
    "oxford_pets": (1881, 1788),
    "stanford_cars": (4002, 4039),
    "oxford_flowers": (1053, 1410),
    "dtd": (864, 828),
    "eurosat": (4200, 3900),
    "ucf101": (1934, 1849),
}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Where a data set lies whose real split file is there, with empty images, made when first asked for."""
    folder = tmp_path_factory.mktemp("catalog")

    @functools.cache
    def made(name: str) -> Path:
        real_data(folder, name)
        return folder

    return made


def test_every_template_has_its_data_set() -> None:
    assert set(ZERO_SHOT) | {"voc2012"} == set(NAMES)
    for name in NAMES:
        assert CATALOG.get(name).template == ZERO_SHOT.get(name, "a photo of a {}.")


@pytest.mark.parametrize("name", NAMES)
def test_entry(name: str) -> None:
    dataset = CATALOG.get(name)
    assert dataset.name == name
    for text in (dataset.title, dataset.paper, dataset.licence, dataset.reader.rule):
        assert text.strip()
    assert dataset.homepage.startswith("http")
    assert dataset.counts["test"] > 0
    assert dataset.layouts[0].folder == dataset.folder
    kinds = {source.what for source in dataset.sources}
    assert kinds <= {"images", "masks", "split", "class names", "annotations"}
    assert "images" in kinds
    assert ("split" in kinds) == bool(dataset.reader.file)
    for source in dataset.sources:
        if isinstance(source, Download):
            assert source.url.startswith(("https://", "http://"))
            assert "/" not in source.file_name
            assert re.fullmatch(r"(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})?", source.checksum)
            assert ".." not in source.to
        elif isinstance(source, HubFiles):
            re.compile(source.pattern)
            assert source.repo_type in ("dataset", "model")
        else:
            assert isinstance(source, Manual)
            assert source.instructions.endswith(".")
    for kind in kinds:
        numbers = {source.alternative for source in dataset.sources if source.what == kind}
        assert numbers == set(range(len(numbers)))


def test_patterns_keep_images_and_masks_apart() -> None:
    masks = "_OPTIONAL_FOREGROUND_MASK_ONLY_DATA/Caltech101_mask.zip"
    files = [masks, "caltech-101.zip", "sub/Caltech-101.zip", "dtd.zip"]
    found = [
        (source.what, source.alternative, [file for file in files if re.search(source.pattern, file)])
        for source in CATALOG.get("caltech101").sources
        if isinstance(source, HubFiles)
    ]
    assert found == [
        ("images", 1, files[1:3]),
        ("images", 2, files[1:3]),
        ("split", 1, files[1:3]),
        ("masks", 0, [masks]),
    ]


def test_layouts_do_not_collide() -> None:
    """No data set is found where another one lies, nor its images inside another's."""
    places = {
        name: {
            PurePosixPath(base) / layout.images / held
            for layout in CATALOG.get(name).layouts
            for base in (layout.folder, f"{CATALOG.get(name).folder}/{layout.folder}")
            for held in layout.holds or ("",)
        }
        for name in NAMES
    }
    for one, other in itertools.permutations(NAMES, 2):
        for first, second in itertools.product(places[one], places[other]):
            assert first != second
            assert first not in second.parents, (one, other)


def test_unknown_name() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'oxford_pets'"):
        load_catalog("oxford_pet")


def test_root_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split_data(tmp_path, "dtd")
    monkeypatch.setenv("DAPT_DATA", str(tmp_path))
    assert load_catalog("dtd").root == data_root() / "dtd"
    assert load_data("dtd").name == "dtd"


@needs_shared
def test_real_split_files_are_there() -> None:
    assert set(REAL) == set(HALVES)


@needs_shared
@pytest.mark.parametrize("name", REAL)
def test_published_counts(real: Callable[[str], Path], name: str) -> None:
    dataset = CATALOG.get(name)
    data = load_catalog(name, str(real(name)))
    assert {split: len(items) for split, items in data.splits.items()} == dataset.counts
    assert len(data.names) == dataset.classes
    assert not any("_" in shown for shown in data.names)
    assert not data.own_split
    labels = [item.label for item in data.split("test")]
    halves = base_and_novel(range(len(data.names)))
    assert tuple(sum(label in set(half) for label in labels) for half in halves) == HALVES[name]
    assert abs(len(halves[0]) - len(halves[1])) == len(data.names) % 2


@needs_shared
@pytest.mark.parametrize("name", REAL)
def test_published_few_shot_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    dataset = CATALOG.get(name)
    monkeypatch.setattr(Listing, "has", lambda listing, path: True)  # 85,000 files would be made for nothing
    for part in dataset.layouts[0].holds or ("",):
        write(tmp_path / dataset.folder / dataset.layouts[0].images / part / "x.jpg")
    write(tmp_path / dataset.folder / dataset.reader.file, (SPLIT_FILES / dataset.reader.file).read_bytes())
    data = load_catalog(name, str(tmp_path))
    key = dataset.reader.file.removeprefix("split_zhou_").removesuffix(".json")
    cases = json.loads(VECTORS.read_text())["datasets"][key]
    assert len(cases) == 6
    for case, expected in cases.items():
        shots, seed = (int(part.removeprefix("shots").removeprefix("seed")) for part in case.split("_"))
        labels = [[item.label for item in data.split(split)] for split in ("train", "val")]
        chosen = sample_few_shot(labels[0], labels[1], shots, seed)
        train, val = (
            [data.split(split)[at].name for at in part] for split, part in zip(("train", "val"), chosen, strict=True)
        )
        assert len(train) == expected["n_train"]
        assert len(val) == expected["n_val"]
        # The published paths are the last two parts.
        assert ["/".join(path.split("/")[-2:]) for path in train[:3]] == expected["train_first3"]
        assert Path(train[-1]).name == expected["train_last"]
        assert chosen[0][:5] == expected["train_indices_first5"]
        for names, part in ((train, "train"), (val, "val")):
            joined = "\n".join(Path(path).name for path in names)
            digest = hashlib.sha256(joined.encode()).hexdigest()
            assert digest == expected[f"{part}_sha256_of_basenames_joined_by_newline"]


@needs_shared
@pytest.mark.parametrize(
    ("name", "key"), [("food101", "Food101"), ("sun397", "SUN397"), ("fgvc_aircraft", "FGVCAircraft")]
)
def test_few_shot_positions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, key: str) -> None:
    """Where only the published lists are at hand: sets of the right size, class by class, draw the right positions.

    Aircraft has 100 images of each variant, of which the three splits take the odd one in turn.
    """
    monkeypatch.setattr(Listing, "has", lambda listing, path: True)  # 120,000 files would be made for nothing
    dataset = CATALOG.get(name)
    split = {
        part: [
            [f"{label:03d}{part_number}{number:03d}.jpg", label, f"class {label}"]
            for label in range(dataset.classes)
            for number in range(count // dataset.classes + (count % dataset.classes > 0 and label % 3 == part_number))
        ]
        for part_number, (part, count) in enumerate(dataset.counts.items())
    }
    place = tmp_path / dataset.folder
    write(place / dataset.layouts[0].images / "x.jpg")
    if dataset.reader.file:
        write(place / dataset.reader.file, json.dumps(split))
    else:
        write(place / "variants.txt", "".join(f"class {label}\n" for label in range(dataset.classes)))
        for part, rows in split.items():
            write(place / f"images_variant_{part}.txt", "".join(f"{row[0][:-4]} {row[2]}\n" for row in rows))
    data = load_catalog(name, str(tmp_path))
    assert {part: len(items) for part, items in data.splits.items()} == dataset.counts
    labels = [[item.label for item in data.split(part)] for part in ("train", "val")]
    for case, expected in json.loads(VECTORS.read_text())["datasets"][key].items():
        shots, seed = (int(part.removeprefix("shots").removeprefix("seed")) for part in case.split("_"))
        train, val = sample_few_shot(labels[0], labels[1], shots, seed)
        assert (len(train), len(val)) == (expected["n_train"], expected["n_val"])
        assert train[:5] == expected["train_indices_first5"]


@needs_shared
def test_checking_many_paths_is_quick(real: Callable[[str], Path]) -> None:
    root = str(real("eurosat"))
    load_catalog("eurosat", root)
    start = time.process_time()
    load_catalog("eurosat", root)
    assert time.process_time() - start < 2  # 27,000 images, 0.3 s on a quiet machine


def test_the_catalog_is_light() -> None:
    """Listing data sets must not wait for torch."""
    program = "import sys; from dapt.data.catalog.base import CATALOG; CATALOG.names(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@needs_shared
@pytest.mark.parametrize("name", REAL)
def test_published_split_files_have_the_catalogs_sum(name: str) -> None:
    dataset = CATALOG.get(name)
    content = (SPLIT_FILES / dataset.reader.file).read_bytes()
    source = next(s for s in dataset.sources if isinstance(s, Download) and s.what == "split")
    assert source.size == len(content)
    assert source.checksum == f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.mark.parametrize("name", SPLIT_SETS)
def test_no_split_file(tmp_path: Path, name: str) -> None:
    dataset = split_data(tmp_path, name, split_file=False)
    with pytest.raises(DataError, match=f"{dataset.reader.file} .* is missing") as caught:
        load_catalog(name, str(tmp_path))
    assert f"'dapt data download {name} --only split'" in caught.value.todo


@pytest.mark.parametrize("name", SPLIT_SETS)
def test_own_split(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = split_data(tmp_path, name, split_file=False)
    if name in ("stanford_cars", "oxford_flowers"):
        with pytest.raises(DataError, match="cannot be divided anew"):
            load_catalog(name, str(tmp_path), own_split=True)
        return
    write(tmp_path / dataset.folder / dataset.layouts[0].images / "README.txt")
    if name == "caltech101":
        for dropped in ("BACKGROUND_Google", "Faces_easy"):
            write(tmp_path / "caltech-101" / "101_ObjectCategories" / dropped / "image_1.jpg")
    data = load_catalog(name, str(tmp_path), own_split=True)
    assert data.own_split
    assert "divided anew" in capsys.readouterr().err
    whole = split_data(tmp_path / "with", name)
    official = load_catalog(name, str(tmp_path / "with"), own_split=True)
    assert whole is dataset
    assert not official.own_split
    assert data.names == official.names
    sizes = {split: len(items) for split, items in data.splits.items()}
    assert sizes == {split: count * len(data.names) for split, count in (("train", 5), ("val", 2), ("test", 3))}
    by_name = {item.name: item.label for items in official.splits.values() for item in items}
    for items in data.splits.values():
        for item in items:
            assert by_name.pop(item.name) == item.label
    assert not by_name


def test_absent_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    split_data(tmp_path, "food101")
    images = tmp_path / "food-101" / "images"
    for path in (images / "beignets").iterdir():
        path.unlink()
    (images / "beignets").rmdir()
    (images / "apple_pie" / "100003.jpg").unlink()
    with pytest.raises(DataError) as caught:
        load_catalog("food101", str(tmp_path))
    message = caught.value.message
    assert "11 of 20 images of Food-101 are missing" in message
    assert "apple_pie/100003.jpg, beignets/200000.jpg" in message
    assert "and 8 more" in message
    assert "Folders missing entirely: 1 (beignets). Classes missing entirely: 1 (beignets)" in message
    assert "dapt data download food101" in message
    assert "dapt data verify food101" in message
    data = load_catalog("food101", str(tmp_path), skip_bad=True)
    assert {split: len(items) for split, items in data.splits.items()} == {"train": 4, "val": 2, "test": 3}
    assert data.names == ("apple pie", "beignets")
    assert "11 of 20 images" in capsys.readouterr().err


def test_no_images_at_all(tmp_path: Path) -> None:
    split_data(tmp_path, "dtd")
    for path in (tmp_path / "dtd" / "images").rglob("*.jpg"):
        path.unlink()
    with pytest.raises(DataError, match="20 of 20 images"):
        load_catalog("dtd", str(tmp_path), skip_bad=True)


def test_nowhere(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_catalog("dtd", str(tmp_path))
    assert f"not under {tmp_path} (looked for dtd/images, dtd/dtd/images, dtd/dtd/dtd/images)" in caught.value.message
    assert "dapt data download dtd" in caught.value.message
    (tmp_path / "dtd" / "images").mkdir(parents=True)  # an empty folder is no data set
    with pytest.raises(DataError, match="is not under"):
        load_catalog("dtd", str(tmp_path))


def test_damaged_split_file_is_named(tmp_path: Path) -> None:
    split_data(tmp_path, "dtd")
    write(tmp_path / "dtd" / "split_zhou_DescribableTextures.json", "<!DOCTYPE html>")
    with pytest.raises(DataError, match=r"split_zhou_DescribableTextures.json is not JSON"):
        load_catalog("dtd", str(tmp_path))


def test_aircraft(tmp_path: Path) -> None:
    aircraft(tmp_path)
    data = load_catalog("fgvc_aircraft", str(tmp_path))
    assert data.names == tuple(VARIANTS)
    assert {split: len(items) for split, items in data.splits.items()} == {"train": 15, "val": 6, "test": 9}
    first = data.split("train")[0]
    assert (first.name, first.label) == ("images/0034310.jpg", 2)
    assert first.path.is_file()


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("variants.txt", "", "is empty"),
        ("variants.txt", "707-320\n707-320\n", "names a variant twice"),
        ("variants.txt", "707-320\n", "the variant 'A300B4' is not in variants.txt"),
        ("images_variant_val.txt", "x123 707-320\n", "line 1: 'x123' is not the number"),
        ("images_variant_val.txt", "9999999 707-320\n", "1 of 25 images"),
    ],
)
def test_aircraft_mistakes(tmp_path: Path, file: str, content: str, message: str) -> None:
    aircraft(tmp_path)
    write(tmp_path / "fgvc_aircraft" / file, content)
    with pytest.raises(DataError, match=message):
        load_catalog("fgvc_aircraft", str(tmp_path))
    (tmp_path / "fgvc_aircraft" / file).unlink()
    with pytest.raises(DataError, match=f"{file} .* is missing"):
        load_catalog("fgvc_aircraft", str(tmp_path))


def test_docs_have_the_catalogs_table() -> None:
    page = (REPOSITORY / "docs" / "data.md").read_text(encoding="utf-8")
    begin, end = "<!-- made by dapt.data.catalog.card.markdown_table -->\n", "<!-- end -->\n"
    assert page.partition(begin)[2].partition(end)[0] == markdown_table()
