"""CLIPSeg, with the library's own classes and random weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dapt.errors import ModelError
from segmenters import asked, noise, tiny_clipseg

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_clipseg(tmp_path_factory.mktemp("clipseg")))


def test_masks_have_the_size_of_their_photos(model: str) -> None:
    cue, items = asked("clipseg", noise((40, 60), (64, 32), (32, 32)), model=model, batch_size=2, threshold=0.5)
    masks = cue.prepare(items, None)
    assert [tuple(mask.shape) for mask in masks] == [(40, 60), (64, 32), (32, 32)]
    assert all(mask.dtype == torch.bool for mask in masks)
    assert all(0.5 <= cue.report.scores[item.name] <= 1 for item in items)


def test_an_image_does_not_depend_on_its_batch_but_on_its_text(model: str) -> None:
    photos = noise((40, 60), (64, 32), (32, 32))
    maps = {}
    for size in (1, 3):
        cue, items = asked("clipseg", photos, model=model, batch_size=size, soft=True, threshold=0.0)
        maps[size] = cue.prepare(items, None)
    assert cue.soft
    for alone, together in zip(maps[1], maps[3], strict=True):
        assert torch.allclose(alone, together, atol=1e-4)
    cue, items = asked("clipseg", photos, model=model, soft=True, threshold=0.0, template="zebra")
    assert not torch.allclose(cue.prepare(items, None)[0], maps[1][0], atol=1e-6)


def test_nothing_above_the_threshold_is_no_cue(model: str) -> None:
    cue, items = asked("clipseg", noise((32, 32), (32, 32)), model=model, threshold=1.0)
    assert cue.prepare(items, None) == [None, None]
    assert cue.report.missing == ["0.png", "1.png"]
    assert cue.report.scores == {"0.png": 0.0, "1.png": 0.0}


def test_half_precision_gives_nearly_the_same(model: str) -> None:
    photos = noise((40, 60))
    [full] = (lambda cue, items: cue.prepare(items, None))(*asked("clipseg", photos, model=model, soft=True))
    [half] = (lambda cue, items: cue.prepare(items, None))(
        *asked("clipseg", photos, model=model, soft=True, precision="bf16")
    )
    assert half.dtype == torch.float32
    assert float((full - half).abs().max()) < 0.05


def test_a_folder_without_its_vocabulary_is_named(model: str, tmp_path: Path) -> None:
    for file in Path(model).iterdir():
        if not file.name.startswith(("tokenizer", "processor")):
            (tmp_path / file.name).write_bytes(file.read_bytes())
    cue, items = asked("clipseg", noise((32, 32)), model=str(tmp_path))
    with pytest.raises(ModelError, match="cannot be loaded as CLIPSegProcessor") as caught:
        cue.ready(items, None)
    assert "copy the whole folder again" in caught.value.todo
