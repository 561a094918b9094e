"""Whether foregrounds are recognised: the figures, and when a warning is due."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from backgrounds import ITEMS, image, masks

from dapt.cli.app import run as run_cli
from dapt.dapt_options import DaptOptions
from dapt.model.needs import FOREGROUND, FULL
from dapt.runs import foreground_check
from dapt.runs.foreground_check import ForegroundCheck, check_foregrounds
from dapt.runs.untuned_views import view_logits
from helpers import make_folder, tiny_clip

TEXTS = ["a photo of a cat.", "a photo of a dog.", "a photo of a horse."]


def checked(labels: list[int], **options: object) -> ForegroundCheck:
    return check_foregrounds(DaptOptions(**options), tiny_clip(), ITEMS, labels, TEXTS, masks(), image)


def test_images_with_a_mask_are_asked_about_whole_and_by_their_foreground() -> None:
    whole, front = view_logits(tiny_clip(), ITEMS, masks(), TEXTS, image, (FULL, FOREGROUND), label="looking")
    for labels in (whole.argmax(dim=1).tolist(), front.argmax(dim=1).tolist(), [0, 1, 2, 0, 1]):
        found = checked(labels)
        having = [0, 2, 3, 4]
        right = [[int(part[place].argmax()) == labels[place] for place in having] for part in (whole, front)]
        assert (found.images, found.of) == (4, 4)
        assert (found.whole, found.foreground) == (sum(right[0]), sum(right[1]))
        assert found.only_whole - found.only_foreground == found.whole - found.foreground
        assert found.counts() == {
            "cue_asked": 4,
            "cue_recognised_whole": found.whole,
            "cue_recognised_foreground": found.foreground,
        }


def test_no_image_of_another_stands_behind_a_foreground() -> None:
    labels = [0, 1, 2, 0, 1]
    assert checked(labels, fill="exchange") == checked(labels)


def test_at_most_so_many_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreground_check, "MOST_IMAGES", 2)
    found = checked([0, 1, 2, 0, 1])
    assert (found.images, found.of) == (2, 4)
    assert "2 of 4 images with a cue" in found.summary()


def test_without_a_mask_there_is_nothing_to_say() -> None:
    found = check_foregrounds(DaptOptions(), tiny_clip(), ITEMS, [0] * 5, TEXTS, [None] * 5, image)
    assert (found.images, found.worse) == (0, False)
    assert set(found.counts().values()) == {0}


@pytest.mark.parametrize(
    ("only_whole", "only_foreground", "worse"),
    [(0, 0, False), (3, 0, False), (5, 0, True), (12, 4, False), (30, 12, True)],
)
def test_more_than_chance_can_make_it(only_whole: int, only_foreground: int, worse: bool) -> None:
    found = ForegroundCheck(100, 100, 20 + only_whole, 20 + only_foreground, only_whole, only_foreground)
    assert found.worse is worse
    assert f"{20 + only_foreground} against {20 + only_whole} of 100" in found.warning()


@pytest.mark.parametrize("worse", [False, True])
def test_a_run_says_it_and_keeps_the_figures(
    tmp_path: Path, tiny_spec: str, capsys, monkeypatch: pytest.MonkeyPatch, worse: bool
) -> None:
    photos = make_folder(tmp_path / "photos", per_class=4)
    monkeypatch.setattr(foreground_check, "SURE", -100.0 if worse else 100.0)
    command = ["train", str(photos), "--model", tiny_spec, "--method", "maple", "--depth", "2", "--shots", "1"]
    command += ["--epochs", "1", "--dapt", "--masks", str(tmp_path / "photos-masks"), "--set", "dapt.variant=joint"]
    assert run_cli([*command, "--out", str(tmp_path / "run")]) == 0
    told = capsys.readouterr()
    assert "are recognised by their foreground alone" in " ".join((told.out + told.err).split())
    assert ("DAPT may do harm" in " ".join(told.err.split())) is worse
    counts = json.loads((tmp_path / "run" / "results.json").read_text())["counts"]
    assert counts["cue_asked"] == 4
    assert 0 <= counts["cue_recognised_foreground"] <= 4
    assert 0 <= counts["cue_recognised_whole"] <= 4
