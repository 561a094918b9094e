"""What a download needs: kinds, alternatives, the plan and the room for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dapt.data.catalog import fetch_plan
from dapt.data.catalog.base import CATALOG, Dataset, Download, HubFiles, Manual
from dapt.data.catalog.fetch_plan import (
    THERE,
    Job,
    Need,
    alternatives,
    check_space,
    choose,
    choose_kinds,
    distinct,
    instructions,
    show_plan,
    total_size,
)
from dapt.data.catalog.received import Received
from dapt.data.fetch.download import SourceError
from dapt.errors import ConfigError, DataError
from helpers import fill

IMAGES = Download("images", "http://x/a.tar", size=100)
MORE = Download("images", "http://x/b.tar", to="more", size=50)
BACKUP = Download("images", "http://y/a.tar", size=70, alternative=1)
SPLIT = Download("split", "http://x/split.json", size=5, unpack=False)
MASKS = HubFiles("masks", "a/b", "mask")


def dataset(*sources: object) -> Dataset:
    return replace(CATALOG.get("dtd"), sources=tuple(sources), own_masks=None)  # type: ignore[arg-type]


def job(root: Path, *sources: object, force: bool = False, keep: bool = False) -> Job:
    made = dataset(*sources)
    return Job(made, root, Received(root / made.folder, root), force, keep)


def test_kinds() -> None:
    offered = dataset(SPLIT, MASKS, IMAGES, MORE)
    assert choose_kinds(offered, False, []) == ["images", "split"]  # the split may come with the images
    assert choose_kinds(offered, True, []) == ["masks", "images", "split"]
    assert choose_kinds(offered, False, ["Split"]) == ["split"]
    assert choose_kinds(offered, False, ["masks", "images"]) == ["masks", "images"]
    named = dataset(Download("class names", "http://x/c.txt"))
    assert (
        choose_kinds(named, False, ["class-names"]) == choose_kinds(named, False, [" CLASS_names "]) == ["class names"]
    )


def test_kinds_that_there_are_not() -> None:
    with pytest.raises(ConfigError, match=r"has no part 'splits' to download[\s\S]*Did you mean 'split'"):
        choose_kinds(dataset(IMAGES, SPLIT), False, ["splits"])
    with pytest.raises(DataError, match=r"no masks of[\s\S]*Make some with dapt masks"):
        choose_kinds(dataset(IMAGES), True, [])
    with pytest.raises(DataError, match="Its own masks come with the rest"):
        choose_kinds(replace(dataset(IMAGES), own_masks="trimap"), True, [])


def test_alternatives_and_instructions() -> None:
    made = dataset(BACKUP, Manual("images", "Then ask.", 1), Manual("images", "Look there."), IMAGES, MORE, SPLIT)
    assert alternatives(made, "images") == [[IMAGES, MORE], [BACKUP]]
    assert alternatives(made, "masks") == []
    assert instructions(made, "images") == "Look there. Then ask."
    assert instructions(made, "split") == ""


def test_what_is_left_to_download(tmp_path: Path) -> None:
    plan = job(tmp_path, IMAGES, MORE, BACKUP)
    need = choose(plan, "images")
    assert [(part.name, part.size, part.target) for part in need.parts] == [
        ("a.tar", 100, tmp_path / "dtd"),
        ("b.tar", 50, tmp_path / "dtd" / "more"),
    ]
    assert plan.place_of(need.parts[0]) == tmp_path / "dtd" / ".downloads" / "a.tar"
    fill(tmp_path / "dtd", "here")
    first = need.parts[0]
    plan.received.add("images", first.source, 1, first.name, 100, "", [tmp_path / "dtd" / "here"])
    assert [part.name for part in choose(plan, "images").parts] == ["b.tar"]
    assert [part.name for part in choose(replace(plan, force=True), "images").parts] == ["a.tar", "b.tar"]
    second = need.parts[1]
    plan.received.add("images", second.source, 1, second.name, 50, "", [tmp_path / "dtd" / "here"])
    assert choose(plan, "images") == Need("images", note=THERE)


def test_an_alternative_that_is_there_counts_whichever_it_is(tmp_path: Path) -> None:
    plan = job(tmp_path, IMAGES, BACKUP)
    backup = choose(plan, "images", 1).parts[0]
    assert backup.address == BACKUP.url
    plan.received.add("images", backup.source, 1, backup.name, 70, "", [])
    assert choose(plan, "images").note == THERE


def test_by_hand_and_nothing_left_to_try(tmp_path: Path) -> None:
    by_hand = job(tmp_path, Manual("images", "Ask them."))
    need = choose(by_hand, "images")
    assert (need.by_hand, need.parts) == ("Ask them.", ())
    assert "images: to be fetched by hand. Ask them." in show_plan(by_hand, [need])
    fill(tmp_path / "dtd" / "images", "a/0.jpg")
    assert "put there by hand" in choose(by_hand, "images").note
    with pytest.raises(SourceError, match="no other source for the images"):
        choose(job(tmp_path, IMAGES), "images", 1)


def test_the_plan_in_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_plan, "free_space", lambda folder: 10**9)
    unknown = Download("masks", "http://x/m.zip")
    monkeypatch.setattr(fetch_plan, "remote_size", lambda url: None)
    shared = replace(IMAGES, what="split")
    plan = job(tmp_path, IMAGES, shared, unknown)
    needs = [choose(plan, what) for what in ("images", "split", "masks")]
    lines = show_plan(plan, needs)
    assert "images: a.tar, 100 bytes" in lines
    assert "    from http://x/a.tar" in lines
    assert "split: comes with a.tar" in lines
    assert "masks: m.zip, size not known" in lines
    assert lines[-1].startswith("in all: 100 bytes and 1 file of unknown size to download, ")
    assert sorted(part.what for part in distinct(needs)) == ["images", "masks"]  # the shared one by its first need


def test_sizes_and_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = job(tmp_path, IMAGES, MORE)
    parts = list(choose(plan, "images").parts)
    assert total_size(parts) == 150
    assert total_size([*parts, replace(parts[0], size=None)]) is None
    assert total_size([]) == 0
    for keep, needed in ((False, 150 + 100), (True, 2 * 150)):  # the largest archive and what it holds, or all
        made = replace(plan, keep_archives=keep)
        monkeypatch.setattr(fetch_plan, "free_space", lambda folder, n=needed: n)
        check_space(made, parts)
        monkeypatch.setattr(fetch_plan, "free_space", lambda folder, n=needed: n - 1)
        with pytest.raises(DataError, match="are needed to download and unpack"):
            check_space(made, parts)
    fill(tmp_path / "dtd" / ".downloads", "a.tar")  # five bytes have arrived
    monkeypatch.setattr(fetch_plan, "free_space", lambda folder: 245)
    check_space(plan, parts)
