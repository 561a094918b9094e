"""Which images an audit asks about, and among which classes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dapt.errors import ConfigError, DataError, NotSupportedError
from dapt.runs.audit_images import Question, choose_images
from dapt.runs.audit_models import AuditedModel, open_models
from helpers import make_csv, make_folder

CLASSES = ("red square", "blue disc", "green bar", "white ring")


@pytest.fixture(scope="module")
def run(trained: Path) -> AuditedModel:
    return open_models([str(trained)], device="cpu")[0]


def test_the_test_images_of_the_run(run: AuditedModel, trained: Path) -> None:
    found = choose_images(Question(str(trained.parent / "table" / "index.csv")), [run])
    assert found.split == "test"
    assert found.part.names == CLASSES
    assert len(found.part.items) == 8
    assert found.leaks == {}


def test_other_data_without_splits_is_asked_about_whole(run: AuditedModel, tmp_path: Path) -> None:
    found = choose_images(Question(str(make_folder(tmp_path / "other", per_class=3, first=50))), [run])
    assert found.split == "all"
    assert found.part.names == CLASSES, "the trained ones, which are those of the folder by name"
    assert len(found.part.items) == 12


def test_without_a_run_the_classes_are_those_of_the_data(tmp_path: Path) -> None:
    found = choose_images(Question(str(make_csv(tmp_path / "t", classes=3))), [AuditedModel("demo", "zero-shot demo")])
    assert sorted(found.part.names) == sorted(CLASSES[:3])
    half = choose_images(Question(str(tmp_path / "t" / "index.csv"), classes="novel"), [])
    assert half.part.names == found.part.names[2:]


def test_classes_that_the_run_does_not_know(run: AuditedModel, tmp_path: Path) -> None:
    data = make_csv(tmp_path / "t")
    data.write_text(data.read_text().replace(",red_square,", ",ufo,").replace(",blue_disc,", ",yeti,"))
    found = choose_images(Question(str(data)), [run])
    assert len(found.part.items) == 4
    assert found.asked.unknown == {"ufo": 2, "yeti": 2}
    found = choose_images(Question(str(data), classes="data"), [run])
    assert len(found.part.items) == 8
    assert "ufo" in found.part.names


def test_images_that_were_trained_on(run: AuditedModel, trained: Path) -> None:
    data = str(trained.parent / "table" / "index.csv")
    with pytest.raises(DataError, match="trained on"):
        choose_images(Question(data, split="all"), [run])
    found = choose_images(Question(data, split="all", allow_leaks=True), [run])
    assert found.leaks["run"]["test_images"] == 8


def test_a_sample_is_spread_over_the_classes_and_is_the_same_again(tmp_path: Path) -> None:
    data = str(make_csv(tmp_path / "t"))
    found = choose_images(Question(data, split="all", limit=6), [])
    counts = [found.part.labels.count(label) for label in range(4)]
    assert sum(counts) == 6
    assert max(counts) - min(counts) == 1
    again = choose_images(Question(data, split="all", limit=6), [])
    other = choose_images(Question(data, split="all", limit=6, seed=2), [])
    assert [item.name for item in again.part.items] == [item.name for item in found.part.items]
    assert [item.name for item in other.part.items] != [item.name for item in found.part.items]
    assert len(choose_images(Question(data, split="all", limit=1000), []).part.items) == 32


def test_images_over_the_limit_lend_backgrounds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(make_csv(tmp_path / "t"))
    found = choose_images(Question(data, split="all", limit=6), [])
    assert len(found.lenders.items) == len(found.lenders.labels) == 26
    assert not {item.name for item in found.lenders.items} & {item.name for item in found.part.items}
    assert "backgrounds come from all of them" in capsys.readouterr().err
    found = choose_images(Question(data, split="all", limit=6, cue="border"), [])
    assert found.lenders.items == ()
    assert "as the cue would have to find the objects in all others" in capsys.readouterr().err
    assert choose_images(Question(data, split="all"), []).lenders.items == ()


def test_lenders_are_not_trained_on_either(run: AuditedModel, trained: Path) -> None:
    """Also where the few images that are asked about happen to be new to the run."""
    data = str(trained.parent / "table" / "index.csv")
    for seed in range(1, 30):
        new = choose_images(Question(data, split="all", allow_leaks=True, limit=2, seed=seed), [])
        if all(item.name.endswith(("_6.png", "_7.png")) for item in new.part.items):
            break
    with pytest.raises(DataError, match="trained on"):
        choose_images(Question(data, split="all", limit=2, seed=seed), [run])


@pytest.mark.parametrize("way", ["above", "a class", "a table", "a link", "data by a link"])
def test_the_same_pictures_under_another_path_are_no_other_data(tmp_path: Path, way: str) -> None:
    photos = make_folder(tmp_path / "all" / "photos", per_class=3)
    lent = {"above": photos.parent, "a class": photos / "red_square"}.get(way, tmp_path / "lent")
    if way == "a table":
        lent = tmp_path / "all" / "some.csv"
        lent.write_text("image\n" + "".join(f"photos/red_square/0{n}.png\n" for n in range(3)))
    if way == "a link":
        lent.symlink_to(photos)
    if way == "data by a link":
        lent, photos = photos / "red_square", tmp_path / "photos"
        photos.symlink_to(lent.parent)
    shutil.rmtree(tmp_path / "all" / "photos-masks")
    with pytest.raises(ConfigError, match=r"(of photos itself|the very data)[\s\S]*Name other data"):
        choose_images(Question(str(photos), backgrounds=str(lent)), [])


def test_pictures_of_the_data_among_those_that_are_lent_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = make_folder(tmp_path / "photos", per_class=3)
    lent = tmp_path / "lent"
    lent.mkdir()
    for number in range(4):
        shutil.copy(photos / "red_square" / "00.png", lent / f"copy{number}.png")
    (lent / "own.png").symlink_to(photos / "blue_disc" / "00.png")
    found = choose_images(Question(str(photos), backgrounds=str(lent)), [])
    assert found.lent is not None
    assert [item.name for item in found.lent.chosen("all")] == [f"copy{number}.png" for number in range(4)]
    assert found.lent_own == 1
    assert "1 of 5 photos of lent is an image of photos itself and lends no background" in capsys.readouterr().err
    other = choose_images(Question(str(photos), backgrounds=str(make_csv(tmp_path / "t"))), [])
    assert other.lent_own == 0
    assert "lends no background" not in capsys.readouterr().err


def test_mistakes(tmp_path: Path, run: AuditedModel) -> None:
    data = make_csv(tmp_path / "t")
    with pytest.raises(ConfigError, match="Did you mean 'test'"):
        choose_images(Question(str(data), split="tets"), [])
    with pytest.raises(DataError, match="There is no data"):
        choose_images(Question(str(tmp_path / "absent")), [])
    bare = tmp_path / "bare"
    make_folder(bare / "photos", classes=1)
    (bare / "unlabelled.csv").write_text("image\n" + "".join(f"photos/red_square/0{n}.png\n" for n in range(4)))
    with pytest.raises(DataError):
        choose_images(Question(str(bare / "unlabelled.csv")), [run])


def test_images_that_show_several_classes(tmp_path: Path) -> None:
    make_csv(tmp_path / "t")
    table = "image,red,blue,split\n" + "".join(
        f"images/red_square_{n}.png,1,{n % 2},{split}\n" for n, split in enumerate(["train", "test", "test"])
    )
    (tmp_path / "t" / "several.csv").write_text(table)
    with pytest.raises(NotSupportedError, match="may show several classes"):
        choose_images(Question(str(tmp_path / "t" / "several.csv")), [])
