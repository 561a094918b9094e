"""Views that go through the tower once: the same numbers as pixels, in the published order, and stable on resuming."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from torch import Tensor

from dapt.data.load.loader import TrainImages, epoch_batches, train_loader
from dapt.errors import NotSupportedError
from dapt.model.needs import BACKGROUND, FOREGROUND, FROZEN, FULL, Needs
from dapt.training.fit import Fitter
from dapt.training.saved_views import SavedViews, load_epoch
from fitters import make_fitter, prompts_of, resumed, same, stopped
from helpers import make_folder

GIVEN = {"method": "prolip", "optimizer": "adam", "batch_size": 100, "lr": 1e-3, "warmup_epochs": 0, "epochs": 6}
MASKED = {"dapt": {"variant": "joint", "foreground_gradient": True}, "cue": "border"}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos", per_class=8)


def fitter_of(photos: Path, views: int = 3, **changes: object) -> Fitter:
    return make_fitter(photos, **{**GIVEN, "prompt": {"views": views, "anchor": 0.1}, **changes})


def watched(fitter: Fitter) -> list[Tensor]:
    """Takes the pixels of every pass through the tower that the training makes."""
    passes: list[Tensor] = []
    model, make = fitter.step.model, fitter.step.model.tower_features

    def look(batch, view):
        passes.append(batch.pixels)
        return make(batch, view)

    model.tower_features = look
    return passes


def test_batches_of_one_are_lent_the_background_of_the_step_before(photos: Path) -> None:
    given = {"dapt": {"variant": "swap"}, "cue": {"source": "random"}}
    fitter = make_fitter(photos, **given, batch_size=1)
    count, loaded = load_epoch(fitter.images, fitter.step, fitter.config, 0)
    batches = list(loaded)
    assert len(batches) == count == len(fitter.images)
    for batch, earlier in zip(batches, [batches[-1], *batches], strict=False):
        assert batch.before is not None
        assert torch.equal(batch.before[0], earlier.pixels)
        assert torch.equal(batch.before[1], earlier.masks)
    _, loaded = load_epoch(fitter.images, fitter.step, make_fitter(photos, **given).config, 0)
    assert next(loaded).before is None, "others of its batch do"


def test_other_methods_read_pixels(photos: Path) -> None:
    assert isinstance(make_fitter(photos).images, TrainImages)
    assert isinstance(fitter_of(photos).images, SavedViews)


@pytest.mark.parametrize(
    ("views", "order"), [(3, [1, 2, 0, 1, 2, 0]), (1, [0] * 6), (0, [1, 2, 3, 4, 5, 6]), (300, [1, 2, 3, 4, 5, 6])]
)
def test_view_1_comes_first_and_view_0_last(photos: Path, views: int, order: list[int]) -> None:
    images = fitter_of(photos, views).images
    assert [images.view_of(epoch) for epoch in range(6)] == order


@pytest.mark.parametrize("size", [3, 100])
def test_features_are_those_of_the_views_that_the_loader_makes(photos: Path, size: int) -> None:
    fitter = fitter_of(photos, eval_batch_size=size, **MASKED)
    images, model = fitter.images, fitter.step.model
    batches = epoch_batches(len(images), 5, seed=1, epoch=0)
    saved = list(images.load(batches, [FULL, FOREGROUND, BACKGROUND], epoch=0))
    pixels = train_loader(images.images, batches, epoch=1, workers=0, device=torch.device("cpu"))
    for found, expected in zip(saved, pixels, strict=True):
        assert torch.equal(found.labels, expected.labels)
        assert torch.equal(found.usable, expected.usable)
        assert torch.allclose(found.masks.flatten(), expected.masks.flatten(1).mean(dim=1))
        assert found.pixels.shape == (5, 0)
        for name in (FULL, FOREGROUND, BACKGROUND):
            assert torch.allclose(found.saved[name], model.tower_features(expected, name), atol=1e-5)


@pytest.mark.parametrize("with_dapt", [False, True])
def test_training_equals_one_through_the_tower_in_every_step(photos: Path, with_dapt: bool) -> None:
    changes = MASKED if with_dapt else {}
    saved = fitter_of(photos, views=0, **changes)
    plain = fitter_of(photos, views=0, **changes)
    plain.images = Shifted(plain.images.images)
    start = prompts_of(plain)
    lines = [fitter.fit().lines for fitter in (saved, plain)]
    for a, b in zip(*lines, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-4)
    for name, value in prompts_of(plain).items():
        assert torch.allclose(prompts_of(saved)[name], value, atol=1e-5)
    assert not same(prompts_of(plain), start)


class Shifted(TrainImages):
    """Pixels of the view that epoch t reads as saved features: number t + 1."""

    def __init__(self, images: TrainImages) -> None:
        self.__dict__.update(images.__dict__)

    def __getitem__(self, key):
        return super().__getitem__((key[0] + 1, key[1]))


@pytest.mark.parametrize(("views", "times"), [(1, 1), (2, 2), (3, 3), (0, 6), (300, 6)])
def test_each_view_goes_through_the_tower_once(photos: Path, views: int, times: int) -> None:
    fitter = fitter_of(photos, views)
    passes = watched(fitter)
    fitter.fit()
    assert len(passes) == times
    assert [len(pixels) for pixels in passes] == [16] * times


def test_mini_batches_read_the_view_of_their_epoch(photos: Path) -> None:
    fitter = fitter_of(photos, views=2, batch_size=6, epochs=4)
    passes = watched(fitter)
    assert fitter.fit().lines[-1]["epoch"] == 4
    assert len(passes) == 2


def test_views_without_masks_are_not_made_anew(photos: Path) -> None:
    fitter = fitter_of(photos, views=2, **MASKED)
    fitter.fit()
    passes = watched(fitter)
    halves = [torch.zeros(40, 48) for _ in fitter.images.items]
    for mask in halves:
        mask[:20] = 1
    changed = fitter.images.with_masks(halves)
    list(changed.load([list(range(16))], [FULL], epoch=0))
    assert not passes, "the whole image is as it was"
    (batch,) = changed.load([list(range(16))], [FULL, FOREGROUND], epoch=0)
    assert len(passes) == 1
    (before,) = fitter.images.load([list(range(16))], [FULL, FOREGROUND], epoch=0)
    assert torch.equal(batch.saved[FULL], before.saved[FULL])
    assert not torch.allclose(batch.saved[FOREGROUND], before.saved[FOREGROUND])
    assert not torch.allclose(batch.masks, before.masks)


def test_who_lends_a_background_depends_on_no_size_and_no_class(photos: Path) -> None:
    swapped = {**MASKED, "dapt": {"variant": "swap"}}
    found = {}
    for size in (1, 5, 16, 100):
        images = fitter_of(photos, eval_batch_size=size, **swapped).images
        (batch,) = images.load([list(range(16))], [FULL, FOREGROUND], epoch=0)
        found[size] = batch.saved[FOREGROUND]
    assert all(torch.allclose(each, found[100], atol=1e-5) for each in found.values())
    orders = [images._order(number) for number in range(4)]
    assert all(sorted(order) == list(range(16)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4
    labels = images.images.labels
    same_class = [labels[one] == labels[other] for order in orders for one, other in itertools.pairwise(order)]
    assert 0.2 < sum(same_class) / len(same_class) < 0.8, "of two classes"
    plain = fitter_of(photos, eval_batch_size=5, **MASKED).images
    assert plain._order(3) == list(range(16))


@pytest.mark.parametrize("variant", ["phased", "swap"])
@pytest.mark.parametrize("views", [2, 0])
@pytest.mark.parametrize("size", [5, 100])
def test_resumed_it_ends_where_it_would_have_ended(photos: Path, views: int, size: int, variant: str) -> None:
    def make(**how) -> Fitter:
        return fitter_of(photos, views, eval_batch_size=size, **{**MASKED, "dapt": {"variant": variant}}, **how)

    whole = make()
    whole.fit()
    again = resumed(make, stopped(make, 3))
    again.fit()
    assert same(prompts_of(whole), prompts_of(again))


def test_what_reads_more_than_views_is_refused(photos: Path) -> None:
    model = fitter_of(photos).step.model
    assert model.views_for(Needs({FULL: True})) == [FULL]
    with pytest.raises(NotSupportedError, match="nothing else of the pixels"):
        model.views_for(Needs({FROZEN: False}))


def test_steps_on_saved_features_are_not_recorded(photos: Path) -> None:
    assert not fitter_of(photos).step.recordable
    assert make_fitter(photos).step.recordable


def test_a_batch_moves_with_its_features(photos: Path) -> None:
    fitter = fitter_of(photos)
    (batch,) = fitter.images.load([list(range(16))], [FULL], epoch=0)
    assert batch.to("meta").saved[FULL].device.type == "meta"
