"""What all cues that hold a model have in common, with a model of three lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import torch

from dapt.cues.base import CUES
from dapt.cues.model_cue import Found, ModelCue, Photo
from dapt.errors import ConfigError, DataError
from segmenters import asked, noise


class _Bright(ModelCue):
    """Pixels above a half are foreground; remembers how it was called."""

    def load(self, device: str) -> None:
        self.calls: list[list[str]] = []
        self.types: set[torch.dtype] = set()
        self.loads = getattr(self, "loads", 0) + 1
        self.memory = getattr(self, "memory", 1000)

    def unload(self) -> None:
        self.unloads = getattr(self, "unloads", 0) + 1

    def segment(self, photos: Sequence[Photo]) -> list[Found]:
        self.calls.append([photo.name for photo in photos])
        if len(photos) > self.memory:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        self.types.add((torch.ones(2, 2) @ torch.ones(2, 2)).dtype)
        assert not torch.is_grad_enabled()
        return [self._one(photo) for photo in photos]

    def _one(self, photo: Photo) -> Found:
        mask = photo.pixels[0] > 127
        return Found(mask, 0.75, ("sky",)) if mask.any() else Found(None, 0.0, ("wall",))


@pytest.fixture(autouse=True)
def bright() -> Iterator[None]:
    CUES.names()
    CUES.add("bright", _Bright)
    yield
    CUES._values.pop("bright")
    CUES._origins.pop("bright")


def test_masks_scores_and_stuff_come_in_the_order_of_the_images() -> None:
    photos = noise((20, 30), (25, 15), (10, 10))
    photos["1.png"] = torch.zeros(3, 25, 15, dtype=torch.uint8)
    cue, items = asked("bright", photos, batch_size=2)
    masks = cue.prepare(items, None)
    assert [None if mask is None else tuple(mask.shape) for mask in masks] == [(20, 30), None, (10, 10)]
    assert torch.equal(masks[0], photos["0.png"][0] > 127)
    assert cue.calls == [["0.png", "1.png"], ["2.png"]]
    assert cue.report.missing == ["1.png"]
    assert cue.report.scores == {"0.png": 0.75, "1.png": 0.0, "2.png": 0.75}
    assert cue.report.stuff == {"0.png": ["sky"], "1.png": ["wall"], "2.png": ["sky"]}
    assert "(1 in which nothing was found)" in cue.report.summary()


def test_the_model_is_loaded_once_and_given_back() -> None:
    cue, items = asked("bright", noise((9, 9), (9, 9)))
    cue.ready(items, None)
    cue.prepare(items, None)
    cue.prepare(items, None)
    assert cue.loads == 1
    cue.close()
    cue.close()
    assert cue.unloads == 1
    cue.prepare(items, None)
    assert cue.loads == 2


def test_memory_that_runs_out_halves_the_batch_for_good(capsys: pytest.CaptureFixture[str]) -> None:
    cue, items = asked("bright", noise(*[(8, 8)] * 6), batch_size=4)
    cue.memory = 1
    masks = cue.prepare(items, None)
    assert all(mask is not None for mask in masks)
    assert [len(call) for call in cue.calls] == [4, 2, 1, 1, 1, 1, 1, 1]
    cue.calls.clear()
    cue.prepare(items, None)
    assert [len(call) for call in cue.calls] == [1] * 6
    assert capsys.readouterr().err.count("do not fit") == 1


def test_an_image_that_does_not_fit_alone_is_named() -> None:
    cue, items = asked("bright", noise((8, 12)), batch_size=4)
    cue.memory = 0
    with pytest.raises(DataError, match=r"0\.png \(12 x 8 pixels\) alone does not fit into the memory of cpu"):
        cue.prepare(items, None)


def test_unreadable_photos_stop_it_or_are_counted() -> None:
    photos = noise((8, 8), (8, 8))
    photos["0.png"] = None
    cue, items = asked("bright", photos)
    with pytest.raises(DataError, match="cannot be read"):
        cue.prepare(items, None)
    cue, items = asked("bright", photos, skip_bad=True)
    masks = cue.prepare(items, None)
    assert masks[0] is None
    assert masks[1] is not None
    assert (cue.report.bad, cue.report.total) == (["0.png"], 2)


def test_precision_is_that_of_the_computation() -> None:
    for given, kind in (("bf16", torch.bfloat16), (32, torch.float32)):
        cue, items = asked("bright", noise((8, 8)), precision=given)
        cue.prepare(items, None)
        assert cue.types == {kind}
    with pytest.raises(ConfigError, match=r"cue\.precision"):
        asked("bright", noise((8, 8)), precision="64")


def test_many_photos_are_not_read_at_once() -> None:
    photos = noise(*[(4, 4)] * 40)
    cue, items = asked("bright", photos, batch_size=2)
    read: list[str] = []
    load = cue.context.load_image
    object.__setattr__(cue.context, "load_image", lambda item: (read.append(item.name), load(item))[1])
    seen: list[int] = []
    segment = cue.segment
    cue.segment = lambda some: (seen.append(len(read)), segment(some))[1]
    cue.prepare(items, None)
    assert seen[0] <= 10
    assert len(read) == 40
