"""SAM 2 asked with what another cue sees."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch

from dapt.cues.model_cue import Photo
from dapt.cues.sam2 import question_of
from dapt.errors import ConfigError
from segmenters import asked, noise, tiny_sam2


def test_a_hint_becomes_a_box_and_points_inside_it() -> None:
    hint = torch.zeros(20, 30, dtype=torch.bool)
    hint[4:10, 6:24] = True
    photo = Photo("a", torch.zeros(3, 200, 300, dtype=torch.uint8), hint=hint)
    box, points = question_of(photo, 3)
    assert box == (60.0, 40.0, 240.0, 100.0)
    assert len(points) == 3
    assert all(60 < x < 240 and 40 < y < 100 for x, y in points)
    assert all(max(abs(a[0] - b[0]), abs(a[1] - b[1])) > 30 for a, b in combinations(points, 2))
    assert 60 <= points[0][1] <= 80  # well inside: away from the edges of the band


def test_soft_hints_count_from_one_half_and_thick_parts_first() -> None:
    hint = torch.zeros(24, 24)
    hint[2, 2:8] = 0.9  # thin
    hint[12:22, 10:20] = 0.8
    hint[:, 23] = 0.4
    box, points = question_of(Photo("a", torch.zeros(3, 24, 24, dtype=torch.uint8), hint=hint), 1)
    assert box == (2.0, 2.0, 20.0, 22.0)
    assert 10 < points[0][0] < 20
    assert 12 < points[0][1] < 22


def test_no_hint_no_question() -> None:
    photo = Photo("a", torch.zeros(3, 24, 24, dtype=torch.uint8))
    assert question_of(photo, 3) is None
    assert question_of(Photo("a", photo.pixels, hint=torch.full((4, 4), 0.5)), 3) is None


def test_the_prompting_cue_decides_whether_a_clip_is_needed() -> None:
    photos = noise((8, 8))
    assert asked("sam2", photos, prompt="gradcam")[0].needs_model
    assert not asked("sam2", photos, prompt="random")[0].needs_model
    for name in ("sam2", "callable"):
        with pytest.raises(ConfigError, match="cannot be the prompt of sam2"):
            asked("sam2", photos, prompt=name)
    with pytest.raises(ConfigError, match=r"cue\.prompt_options\.grids"):
        asked("sam2", photos, prompt="random", prompt_options={"grids": 2})


@pytest.mark.long
def test_masks_of_images_with_a_hint_only(tmp_path_factory: pytest.TempPathFactory) -> None:
    model = str(tiny_sam2(tmp_path_factory.mktemp("sam2")))
    cue, items = asked(
        "sam2", noise((40, 60), (64, 32), (32, 32)), model=model, prompt="random", prompt_options={"hide": 0.5}
    )
    ask = cue._prompt.prepare
    cue._prompt.prepare = lambda some, clip: [None, *ask(some, clip)[1:]]
    masks = cue.prepare(items, None)
    assert masks[0] is None
    assert [tuple(mask.shape) for mask in masks[1:] if mask is not None] == [(64, 32), (32, 32)]
    assert cue.report.missing == ["0.png"]
    assert cue.report.scores["0.png"] == 0.0
    assert 0 < cue.report.scores["1.png"] <= 1
