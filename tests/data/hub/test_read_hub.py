"""Data sets of the Hugging Face libraries: what becomes files, what is asked and refused."""

from __future__ import annotations

import builtins
import io
import sys
from pathlib import Path
from typing import Any

import pytest

from dapt.errors import ConfigError, DaptError, DataError

datasets = pytest.importorskip("datasets")

from PIL import Image  # noqa: E402

import dapt.data.hub.export as hub_export  # noqa: E402
import dapt.data.hub.read_hub as hub  # noqa: E402
from dapt.data.hub.read_hub import absolute_hub, confirm_download, parse_hub  # noqa: E402
from dapt.data.load.images import open_image  # noqa: E402
from dapt.data.resolve import load_data  # noqa: E402
from hub_data import NAMES, encoded, pictures, save, table, with_classes  # noqa: E402


@pytest.fixture
def read(tmp_path: Path):
    """`load_data` with a data root in tmp_path."""
    return lambda data: load_data(data, root=str(tmp_path / "root"))


def exports(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "root" / "hf").glob("*"))


def test_one_split_is_divided(read, tmp_path: Path) -> None:
    data = read(save(with_classes(40), tmp_path / "drawings"))
    assert data.name == "drawings"
    assert data.names == ("red square", "blue disc", "green bar", "white ring")
    assert {split: len(items) for split, items in data.splits.items()} == {"train": 20, "val": 8, "test": 12}
    items = [item for split in data.splits.values() for item in split]
    assert len({item.path for item in items}) == 40
    colours = {0: (255, 0, 0), 1: (0, 0, 255), 2: (0, 128, 0), 3: (255, 255, 255)}
    for item in items:
        shown = open_image(item.path)
        close = sum(
            all(abs(a - b) < 40 for a, b in zip(pixel, colours[item.label], strict=True)) for pixel in pixels(shown)
        )
        assert close > 80, item


def pixels(image: Image.Image) -> list[tuple[int, ...]]:
    raw = image.tobytes()
    return [tuple(raw[at : at + 3]) for at in range(0, len(raw), 3)]


def test_images_are_written_as_encoded(read, tmp_path: Path) -> None:
    columns = pictures(8, kinds=("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG"))
    data = read(save(table({name: columns[name] for name in ("image", "classname")}), tmp_path / "kinds"))
    items = {int(Path(item.name).stem): item for split in data.splits.values() for item in split}
    suffixes = [items[index].path.suffix for index in range(8)]
    assert suffixes == [".png", ".jpg", ".webp", ".bmp", ".gif", ".tif", ".png", ".jpg"]
    for index, value in enumerate(columns["image"]):
        if index != 6:
            assert items[index].path.read_bytes() == value["bytes"]
    assert open_image(items[6].path).tobytes() == Image.open(io.BytesIO(columns["image"][6]["bytes"])).tobytes()


def test_splits_masks_and_groups(read, tmp_path: Path) -> None:
    def part(count: int, first: int) -> datasets.Dataset:
        made = with_classes(count, "mask", first=first)
        return made.add_column("group", ["land", "water"] * (count // 2))

    parts = {"train": part(16, 0), "validation": part(8, 100), "test": part(12, 200)}
    data = read(save(datasets.DatasetDict(parts), tmp_path / "parts"))
    assert {split: len(items) for split, items in data.splits.items()} == {"train": 16, "val": 8, "test": 12}
    assert data.has_masks
    for item in data.split("test"):
        assert item.mask is not None
        assert item.mask.suffix == ".png"
        assert (
            item.mask.relative_to(data.root).as_posix()
            == item.name.replace("images/", "masks/").rsplit(".", 1)[0] + ".png"
        )
        assert Image.open(item.mask).size == open_image(item.path).size
    assert [item.group for item in data.split("test")] == ["land", "water"] * 6
    first = parts["test"].cast_column("mask", datasets.Image(decode=False))[0]["mask"]["bytes"]
    assert data.split("test")[0].mask.read_bytes() == first


def test_mask_of_another_format_becomes_png_without_loss(read, tmp_path: Path) -> None:
    columns = pictures(8)
    masks = [Image.open(io.BytesIO(value["bytes"])) for value in columns["mask"]]
    columns["mask"] = [{"bytes": encoded(mask.convert("L"), "BMP"), "path": None} for mask in masks]
    columns["mask"][3] = None
    data = read(save(table({name: columns[name] for name in ("image", "mask", "classname")}), tmp_path / "m"))
    items = {int(Path(item.name).stem): item for split in data.splits.values() for item in split}
    assert items[3].mask is None
    with Image.open(items[5].mask) as mask:
        assert mask.format == "PNG"
        assert mask.convert("L").tobytes() == masks[5].convert("L").tobytes()


def test_strings_are_sorted_and_missing_labels_unlabelled(read, tmp_path: Path) -> None:
    columns = pictures(12)
    columns["classname"][0] = None
    columns["classname"][5] = " "
    made = table({"image": columns["image"], "category": columns["classname"]}, category=datasets.Value("string"))
    data = read(save(datasets.DatasetDict({"train": made, "test": made}), tmp_path / "strings"))
    assert data.names == ("blue disc", "green bar", "red square", "white ring")
    assert [item.label for item in data.split("train")][:6] == [-1, 0, 1, 3, 2, -1]
    assert len(data.labelled("train")) == 10


def test_class_labels_without_images_and_with_minus_one(read, tmp_path: Path, capsys) -> None:
    columns = pictures(8)
    columns["label"] = [3, 3, 1, 1, -1, None, 3, 1]
    made = table({"image": columns["image"], "label": columns["label"]}, label=datasets.ClassLabel(names=NAMES))
    data = read(save(datasets.DatasetDict({"train": made, "test": made}), tmp_path / "few"))
    assert data.names == ("blue disc", "white ring")
    assert [item.label for item in data.split("train")] == [1, 1, 0, 0, -1, -1, 1, 0]
    assert "2 classes" in capsys.readouterr().err


def test_numbers_as_classes(read, tmp_path: Path, capsys) -> None:
    columns = pictures(8)
    made = table({"image": columns["image"], "label": [10 * label + 1 for label in columns["label"]]})
    assert read(save(made, tmp_path / "numbers")).names == ("class 1", "class 11", "class 21", "class 31")
    assert "--names" in capsys.readouterr().err
    named = table({"image": columns["image"], "label": columns["label"], "class_name": columns["classname"]})
    assert read(save(named, tmp_path / "both")).names[0] == "blue disc"


def test_several_image_columns(read, tmp_path: Path) -> None:
    columns = pictures(8)
    other = [{"bytes": encoded(Image.new("RGB", (8, 8), "red"), "PNG"), "path": None}] * 8
    picked = {"left": columns["image"], "photo": other, "classname": columns["classname"]}
    image = datasets.Image()
    path = save(table(picked, left=image, photo=image), tmp_path / "two")
    assert open_image(read(path).split("train")[0].path).size == (8, 8)
    assert open_image(read(f"{path}?image=left").split("train")[0].path).size == (48, 40)
    unclear = {"left": columns["image"], "right": other, "classname": columns["classname"]}
    path = save(table(unclear, left=image, right=image), tmp_path / "unclear")
    with pytest.raises(DataError, match=r"several image columns[^\0]*\?image=COLUMN among: left, right"):
        read(path)
    with pytest.raises(DataError, match="Did you mean 'right'"):
        read(f"{path}?image=rigth")
    with pytest.raises(DataError, match="does not hold images"):
        read(f"{path}?image=classname")
    with pytest.raises(ConfigError, match="Did you mean 'image'"):
        read(f"{path}?imag=left")


def test_several_class_columns(read, tmp_path: Path) -> None:
    columns = pictures(8)
    coarse, fine = datasets.ClassLabel(names=["round", "angular"]), datasets.ClassLabel(names=NAMES)
    values = {"image": columns["image"], "coarse_label": [0, 1] * 4, "fine_label": columns["label"]}
    path = save(table(values, coarse_label=coarse, fine_label=fine), tmp_path / "levels")
    assert read(path).names[0] == "red square"
    assert read(f"{path}?label=coarse_label").names == ("round", "angular")
    values = {"image": columns["image"], "shape": [0, 1] * 4, "thing": columns["label"]}
    with pytest.raises(DataError, match=r"several columns of classes[^\0]*among: shape, thing"):
        read(save(table(values, shape=coarse, thing=fine), tmp_path / "unclear"))
    path = save(table({"image": columns["image"], "score": columns["label"]}), tmp_path / "none")
    with pytest.raises(DataError, match=r"no column of classes[^\0]*\?label="):
        read(path)
    unlabelled = read(f"{path}?label=")
    assert unlabelled.names == ()
    assert sum(item.label == -1 for items in unlabelled.splits.values() for item in items) == 8


def test_same_class_twice_is_refused_before_anything_is_written(read, tmp_path: Path) -> None:
    columns = pictures(4)
    names = datasets.ClassLabel(names=["a_b", "a b", "c", "d"])
    made = table({"image": columns["image"], "label": columns["label"]}, label=names)
    with pytest.raises(DataError, match="Two classes"):
        read(save(made, tmp_path / "twice"))
    assert exports(tmp_path) == []


def test_choice_of_splits(read, tmp_path: Path) -> None:
    parts = {name: with_classes(count) for name, count in (("train", 20), ("validation", 8), ("extra", 12))}
    path = save(datasets.DatasetDict(parts), tmp_path / "d")
    sizes = lambda data: {split: len(items) for split, items in data.splits.items()}  # noqa: E731
    assert sizes(read(path)) == {"train": 20, "val": 8}
    assert sizes(read(f"{path}?test=validation")) == {"train": 20, "test": 8}
    assert sizes(read(f"{path}?test=validation&val=extra")) == {"train": 20, "val": 12, "test": 8}
    assert sizes(read(f"{path}?split=train")) == {"train": 8, "val": 4, "test": 8}
    with pytest.raises(DataError, match="Did you mean 'extra'"):
        read(f"{path}?test=extr")
    with pytest.raises(ConfigError, match="Give split="):
        read(f"{path}?test=extra&split=train")
    path = save(datasets.DatasetDict({"a1": parts["train"], "a2": parts["extra"]}), tmp_path / "odd")
    with pytest.raises(DataError, match="None of the splits"):
        read(path)
    path = save(datasets.DatasetDict({"dev": parts["train"], "valid": parts["extra"]}), tmp_path / "twice")
    with pytest.raises(DataError, match="could serve as val"):
        read(path)


def test_a_complete_export_is_used_again_and_changed_data_gets_another(read, tmp_path: Path, monkeypatch) -> None:
    path = save(with_classes(20), tmp_path / "d")
    first = read(path)
    assert len(exports(tmp_path)) == 1
    monkeypatch.setattr(hub, "export", lambda *_: pytest.fail("written again"))
    assert read(path) == first
    monkeypatch.undo()
    import shutil

    shutil.rmtree(tmp_path / "d")
    assert len(read(save(with_classes(16), tmp_path / "d")).split("train")) == 8
    assert len(exports(tmp_path)) == 2


def test_an_interrupted_export_is_gone_on_with(read, tmp_path: Path, monkeypatch) -> None:
    path = save(with_classes(20, "mask"), tmp_path / "d")
    real, written = hub_export._put, []

    def put(target: Path, content: bytes) -> None:
        if len(written) == 15:
            raise KeyboardInterrupt
        written.append(target)
        real(target, content)

    monkeypatch.setattr(hub_export, "_put", put)
    with pytest.raises(KeyboardInterrupt):
        read(path)
    (folder,) = exports(tmp_path)
    assert not (folder / "index.csv").exists()
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*.*") if file.is_file()}
    assert len(before) == 15
    half = written[-1]
    half.write_bytes(half.read_bytes()[:50])  # what a crash can leave
    before.pop(half)
    empty = written[-2]
    empty.write_bytes(bytes(empty.stat().st_size))  # and this
    before.pop(empty)
    half.with_name(f".{half.name}.0123abcd.part").write_bytes(b"x")  # and this
    monkeypatch.undo()
    data = read(path)
    assert exports(tmp_path) == [folder]
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert sum(len(items) for items in data.splits.values()) == 20
    for items in data.splits.values():
        for item in items:
            open_image(item.path)
            open_image(item.mask)
    assert not [file for file in folder.rglob("*") if file.name.endswith(".part")]


def test_full_disk(read, tmp_path: Path, monkeypatch) -> None:
    path = save(with_classes(8), tmp_path / "d")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hub_export, "_put", refuse)
    with pytest.raises(DataError, match=r"No space left on device[^\0]*--root"):
        read(path)


def test_damaged_and_absent_images(read, tmp_path: Path, capsys) -> None:
    columns = pictures(12)
    columns["image"][2] = {"bytes": columns["image"][2]["bytes"][:200], "path": None}
    columns["image"][6] = {"bytes": b"not an image at all", "path": None}
    columns["image"][7] = None
    made = table({"image": columns["image"], "classname": columns["classname"]})
    data = read(save(datasets.DatasetDict({"train": made, "test": made}), tmp_path / "d"))
    items = {int(Path(item.name).stem): item for item in data.split("train")}
    assert sorted(items) == [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11]
    assert "2 rows" in capsys.readouterr().err
    assert items[8].label == items[0].label
    assert items[6].path.read_bytes() == b"not an image at all"
    for index in (2, 6):
        with pytest.raises(DataError, match="damaged"):
            open_image(items[index].path)


def test_images_that_are_only_named(tmp_path: Path, read) -> None:
    """As in the cache of a data set of image files: the table holds paths."""
    columns = pictures(8)
    for index, value in enumerate(columns["image"]):
        (tmp_path / f"{index}.bin").write_bytes(value["bytes"])
    named = [{"bytes": None, "path": str(tmp_path / f"{index}.bin")} for index in range(8)]
    made = table({"image": named, "classname": columns["classname"]})
    assert hub_export.encoded_size(made, "image") == sum(len(value["bytes"]) for value in columns["image"])
    hub_export.export({"train": made}, {}, tmp_path / "out", "hf:named")
    written = sorted((tmp_path / "out" / "images").rglob("*.*"))
    assert [file.read_bytes() for file in written] == [value["bytes"] for value in columns["image"]]
    (tmp_path / "3.bin").unlink()
    with pytest.raises(DataError, match=r"3\.bin, which is not there[^\0]*row 3"):
        hub_export.export({"train": made}, {}, tmp_path / "out2", "hf:named")
    assert not (tmp_path / "out2" / "index.csv").exists()


def test_says_how_many_how_big_and_where(read, tmp_path: Path, capsys) -> None:
    made = with_classes(8)
    size = sum(len(row["image"]["bytes"]) for row in made.cast_column("image", datasets.Image(decode=False)))
    read(save(made, tmp_path / "d"))
    said = capsys.readouterr().err
    assert f"Writing 8 images ({hub_export.size_text(size)}) to {exports(tmp_path)[0]}" in said
    assert "image from 'image', label from 'label'" in said
    assert [hub_export.size_text(size) for size in (12, 34_000, 5_600_000, 7_890_000_000)] == [
        "12 bytes",
        "34 kB",
        "5.6 MB",
        "7.9 GB",
    ]


def test_formatted_table(read, tmp_path: Path) -> None:
    """A table saved with a numpy format is read like any other."""
    assert len(read(save(with_classes(8).with_format("numpy"), tmp_path / "d")).names) == 4


def test_names_taken_apart(tmp_path: Path, monkeypatch) -> None:
    plain = parse_hub("owner/name@small?image=img&label=")
    assert (plain.source, plain.path, plain.config) == ("owner/name", None, "small")
    assert plain.choices == {"image": "img", "label": ""}
    assert plain.name == "name"
    assert plain.folder == "owner--name@small"
    assert parse_hub("owner/name?config=small").config == "small"
    assert str(plain) == "hf:owner/name@small?image=img&label="
    monkeypatch.chdir(tmp_path)
    Path("a/b@c").mkdir(parents=True)
    assert parse_hub("a/b@c?label=x").path == Path("a/b@c")
    assert absolute_hub("a/b@c?label=x") == f"{tmp_path}/a/b@c?label=x"
    assert absolute_hub("owner/name@c?label=x") == "owner/name@c?label=x"
    with pytest.raises(ConfigError, match="only repositories have configurations"):
        parse_hub("a/b@c?config=zz")
    assert parse_hub("a/b@c?config=").path == Path("a/b@c")
    for wrong in ("/no/such/folder", "a/b/c", "../up", ""):
        with pytest.raises(DataError, match="no folder"):
            parse_hub(wrong)


def test_classes_of_one_name(read, tmp_path: Path) -> None:
    """Nothing to do with --names, which is read only after the images are written."""
    columns = pictures(8)
    names = [name if index % 2 else "red square" for index, name in enumerate(columns["classname"])]
    names[4] = "red_square"
    with pytest.raises(DataError, match="are called 'red square'") as caught:
        read(save(table({"image": columns["image"], "label": names}), tmp_path / "d"))
    assert caught.value.todo.startswith("Rename the classes in the data set, or choose another column")
    assert "--names" not in caught.value.message
    assert exports(tmp_path) == []


def test_a_folder_that_is_no_saved_data(read, photos: Path) -> None:
    with pytest.raises(DataError, match=r"save_to_disk[^\0]*leave out 'hf:'"):
        read(f"hf:{photos}")


def test_a_damaged_table(read, tmp_path: Path) -> None:
    path = save(with_classes(8), tmp_path / "d")
    (tmp_path / "d" / "state.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        read(path)


def test_without_the_package(read, monkeypatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name == "datasets":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(DataError, match=r"pip install dapt\[hf\]"):
        read("hf:owner/name")


@pytest.fixture
def hub_of(tmp_path: Path, monkeypatch):
    """Stands in for the hub: a builder of `datasets` itself over a Parquet file; counts the questions asked."""
    made = with_classes(20)
    made.to_parquet(str(tmp_path / "train.parquet"))
    real = datasets.load_dataset_builder
    asked: list[tuple[Any, ...]] = []

    def builder(name: str, config: str | None = None, **options: Any) -> Any:
        asked.append((name, config, options))
        return real("parquet", data_files={"train": str(tmp_path / "train.parquet")}, cache_dir=str(tmp_path / "cache"))

    monkeypatch.setattr(datasets, "load_dataset_builder", builder)
    monkeypatch.setattr(hub, "_download_size", lambda *_: "12.3 MB")
    monkeypatch.delenv("DAPT_YES", raising=False)
    return asked


def test_download_needs_consent_once(read, hub_of, tmp_path: Path, monkeypatch, capsys) -> None:
    with pytest.raises(DataError, match=r"hf:owner/drawings \(12\.3 MB\) to [^\0]*consent[^\0]*DAPT_YES=1"):
        read("hf:owner/drawings")
    assert exports(tmp_path) == []
    monkeypatch.setenv("DAPT_YES", "1")
    data = read("hf:owner/drawings@small")
    assert "12.3 MB" in capsys.readouterr().err
    assert data.name == "drawings"
    assert {split: len(items) for split, items in data.splits.items()} == {"train": 8, "val": 4, "test": 8}
    assert exports(tmp_path)[0].name.startswith("owner--drawings@small-")
    assert hub_of[-1][:2] == ("owner/drawings", "small")
    assert not any(options.get("trust_remote_code") for _, _, options in hub_of)
    monkeypatch.delenv("DAPT_YES")
    assert read("hf:owner/drawings@small") == data
    assert len(read("hf:owner/drawings?label=label").names) == 4, "in the cache of datasets by now: no consent needed"


def test_an_export_is_enough_without_the_cache_or_the_network(
    read, hub_of, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("DAPT_YES", "1")
    data = read("hf:owner/drawings")
    monkeypatch.delenv("DAPT_YES")
    import shutil

    shutil.rmtree(tmp_path / "cache")
    assert read("hf:owner/drawings") == data

    def unreachable(*_: Any, **__: Any) -> None:
        raise ConnectionError("Couldn't reach 'owner/drawings' on the Hub")

    monkeypatch.setattr(datasets, "load_dataset_builder", unreachable)
    capsys.readouterr()
    assert read("hf:owner/drawings") == data
    assert "warning: The hub cannot be reached" in capsys.readouterr().err
    for other in ("hf:owner/drawings?label=label", "hf:owner/other"):
        with pytest.raises(DataError, match="cannot be reached"):
            read(other)


class GatedRepoError(OSError):
    """Named like the one of huggingface_hub."""


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (datasets.exceptions.DatasetNotFoundError("Dataset 'a/b' doesn't exist on the Hub"), "no data set hf:a/b"),
        (datasets.exceptions.DatasetNotFoundError("Dataset 'a/b' is a gated dataset on the Hub."), "terms"),
        (GatedRepoError("403"), "HF_TOKEN"),
        (ConnectionError("Couldn't reach the hub"), "network"),
        (RuntimeError("Dataset scripts are no longer supported, but found b.py"), "does not run such programs"),
        (ValueError("Config name is missing.\nPlease pick one among the available configs: ['x', 'y']"), "'x', 'y'"),
        (ValueError("BuilderConfig 'z' not found. Available: ['x']"), "hf:a/b@CONFIG"),
        (ValueError("aggregated descriptions"), "cannot be read: aggregated descriptions"),
    ],
)
def test_refusals_of_the_hub(read, monkeypatch, error: Exception, message: str) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(datasets, "load_dataset_builder", fail)
    with pytest.raises(DataError) as caught:
        read("hf:a/b")
    assert message in caught.value.message
    assert len(caught.value.message.splitlines()) <= 3


def test_cause_within_the_error(read, monkeypatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        try:
            raise GatedRepoError("403")
        except OSError as error:
            raise RuntimeError("something failed") from error

    monkeypatch.setattr(datasets, "load_dataset_builder", fail)
    with pytest.raises(DataError, match="accepted its terms"):
        read("hf:a/b")


@pytest.mark.parametrize(("answer", "agreed"), [("y\n", True), ("Yes\n", True), ("n\n", False), ("", False)])
def test_question_in_a_terminal(monkeypatch, answer: str, agreed: bool) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    shown = Terminal()
    monkeypatch.delenv("DAPT_YES", raising=False)
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", shown)
    if agreed:
        confirm_download("Downloading 3 MB to here.")
    else:
        with pytest.raises(DaptError, match="Nothing was downloaded"):
            confirm_download("Downloading 3 MB to here.")
    assert "Downloading 3 MB to here. Go on? [y/N]" in shown.getvalue()


def test_two_that_write_the_same_data(read, tmp_path: Path, monkeypatch, capsys) -> None:
    """The second one waits for the first, and uses what it has written."""
    from threading import Thread

    path = save(with_classes(8), tmp_path / "d")
    real, second, said = hub_export._put, [], ""

    def put(target: Path, content: bytes) -> None:
        nonlocal said
        if not second:
            second.append(Thread(target=read, args=[path]))
            second[0].start()
            while second[0].is_alive() and "waiting for it" not in said:
                said += capsys.readouterr().err
                second[0].join(0.01)
        real(target, content)

    monkeypatch.setattr(hub_export, "_put", put)
    first = read(path)
    second[0].join()
    assert "waiting for it" in said
    assert sum(len(items) for items in first.splits.values()) == 8
    assert len(exports(tmp_path)) == 1


def test_the_lock_of_an_export_that_was_killed_at_its_very_end_is_swept(tmp_path: Path) -> None:
    folder = tmp_path / "birds-0123"
    folder.mkdir()
    lock = tmp_path / ".birds-0123.lock"
    hub_export.sweep_lock(folder)
    lock.touch()
    hub_export.sweep_lock(folder)
    assert not lock.exists()
    assert folder.is_dir()
