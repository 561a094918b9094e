"""Which epoch is the result, and what an epoch is trained with."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dapt.data.load.loader import TrainImages, epoch_batches
from dapt.objectives.epoch_weights import gaussian_weights
from dapt.training.fit import State
from dapt.training.schedule import learning_rate
from fitters import figures, make_fitter, prompts_of, same


@pytest.mark.parametrize(
    ("accuracies", "best"),
    [
        ([50.0, 80.0, 80.0, 30.0, 80.0], 1),  # the first of several
        ([10.0, 20.0, 30.0, 40.0, 50.0], 4),
        ([50.0, 40.0, 30.0, 20.0, 10.0], 0),
        ([0.0, 0.0, 0.0, 0.0, 0.0], 0),  # the first one is the best so far, however bad
        ([20.0, 19.999, 20.001, 20.0, 20.0], 2),
    ],
)
def test_the_first_of_the_best_epochs_is_the_result(photos: Path, accuracies: list[float], best: int) -> None:
    kept: list[State] = []
    fitter = make_fitter(photos, accuracies=accuracies, kept=kept)
    progress = fitter.fit()
    assert progress.best_epoch == best
    assert progress.best_accuracy == accuracies[best]
    assert same(prompts_of(fitter), kept[best]["prompts"])
    others = [state["prompts"] for number, state in enumerate(kept) if number != best]
    assert not any(same(prompts_of(fitter), other) for other in others)


def test_without_validation_the_last_epoch_is_the_result(photos: Path) -> None:
    kept: list[State] = []
    fitter = make_fitter(photos, kept=kept)
    progress = fitter.fit()
    assert (progress.best_epoch, progress.best) == (-1, {})
    assert same(prompts_of(fitter), kept[-1]["prompts"])
    assert "val/accuracy" not in progress.lines[0]


def test_the_average_over_epochs_is_the_sum_of_its_parts(photos: Path) -> None:
    prompt = {"depth": 2, "gpa_mean": 2.0, "gpa_std": 1.5}
    kept: list[State] = []
    fitter = make_fitter(photos, method="promptsrc", prompt=prompt, epochs=4, kept=kept)
    fitter.fit()
    weights = gaussian_weights(4, 2.0, 1.5)
    for name, value in prompts_of(fitter).items():
        expected = sum(weight * state["prompts"][name] for weight, state in zip(weights, kept, strict=True))
        assert torch.allclose(value, expected, atol=1e-6), name
        assert not torch.equal(value, kept[-1]["prompts"][name]), name


def test_a_chosen_epoch_goes_before_the_average(photos: Path) -> None:
    prompt = {"depth": 2, "gpa_mean": 2.0, "gpa_std": 1.5}
    kept: list[State] = []
    accuracies = [10.0, 20.0, 90.0, 30.0]
    fitter = make_fitter(photos, method="promptsrc", prompt=prompt, epochs=4, kept=kept, accuracies=accuracies)
    fitter.fit()
    assert fitter.average is None
    assert same(prompts_of(fitter), kept[2]["prompts"])


def test_every_epoch_has_its_own_rate(photos: Path) -> None:
    seen: list[float] = []
    fitter = make_fitter(photos, epochs=4, warmup_epochs=2, warmup_lr=0.001)
    step = fitter._step

    def watched(batch, epoch, number):
        seen.append(fitter.optimizer.param_groups[0]["lr"])
        return step(batch, epoch, number)

    fitter._step = watched
    fitter.fit()
    expected = [learning_rate(e, base_lr=0.05, epochs=4, warmup_epochs=2, warmup_lr=0.001) for e in range(4)]
    assert expected[:3] == [0.001, 0.001, 0.05]
    assert seen == [rate for rate in expected for _ in range(4)]
    assert [line["lr"] for line in fitter.progress.lines] == expected


class Watched(TrainImages):
    """Remembers which samples were asked for, by epoch and position."""

    def __getitem__(self, key):
        self.__dict__.setdefault("keys", []).append(key)
        return super().__getitem__(key)


def test_every_epoch_has_its_own_order_and_crops(photos: Path) -> None:
    fitter = make_fitter(photos, kind=Watched, epochs=3, batch_size=6, seed=5)
    fitter.fit()
    keys = fitter.images.keys
    expected = [
        (epoch, position)
        for epoch in range(3)
        for batch in epoch_batches(16, 6, seed=5, epoch=epoch)
        for position in batch
    ]
    assert keys == expected
    assert len(keys) == 3 * 12  # of 16 images the last batch of 4 is left out
    assert len({tuple(position for number, position in keys if number == epoch) for epoch in range(3)}) == 3
    everything = make_fitter(photos, kind=Watched, epochs=1, batch_size=6, seed=5, drop_last=False)
    everything.fit()
    assert sorted(everything.images.keys) == [(0, position) for position in range(16)]


def test_figures_of_an_epoch_are_means_over_its_images(photos: Path) -> None:
    """The last, smaller batch counts by its images: 16 images in batches of 6, 6 and 4."""
    fitter = make_fitter(photos, epochs=1, batch_size=6, drop_last=False)
    parts: list[tuple[int, float, float]] = []
    step = fitter._step

    def watched(batch, epoch, number):
        found = step(batch, epoch, number)
        parts.append((len(batch.labels), float(found["loss"]), float(found["train/accuracy"])))
        return found

    fitter._step = watched
    fitter.fit()
    assert [count for count, _, _ in parts] == [6, 6, 4]
    line = figures(fitter)[0]
    assert line["loss"] == pytest.approx(sum(count * loss for count, loss, _ in parts) / 16, rel=1e-5)
    assert line["train/accuracy"] == pytest.approx(sum(count * right for count, _, right in parts) / 16, rel=1e-5)
    assert line["epoch"] == 1


def test_views_without_a_cue_are_counted(photos: Path) -> None:
    """Every image is looked at once in an epoch; half of them have no mask here."""
    fitter = make_fitter(photos, epochs=1, dapt={"variant": "joint"}, cue="none")
    fitter.images = fitter.images.with_masks([None if number % 2 else torch.eye(48)[:40] for number in range(16)])
    fitter.fit()
    assert fitter.progress.lines[0]["views_without_cue"] == 8


@pytest.mark.parametrize(("refresh", "renewed"), [(1, [1, 2, 3, 4]), (2, [2, 4]), (3, [3]), (0, [])])
def test_masks_are_renewed_as_often_as_asked(photos: Path, refresh: int, renewed: list[int]) -> None:
    cue = {"source": "gradcam", "refresh": refresh}
    fitter = make_fitter(photos, dapt={"variant": "joint"}, cue=cue)
    epochs: list[int] = []
    prepare = fitter.cue.prepare

    def watched(items, model):
        epochs.append(fitter.progress.epoch)
        return prepare(items, model)

    fitter.cue.prepare = watched
    fitter.fit()
    assert epochs == renewed


def test_cues_that_follow_no_prompts_are_not_renewed(photos: Path) -> None:
    fitter = make_fitter(photos, dapt={"variant": "joint"}, cue="random")
    before = fitter.images.masks
    fitter.fit()
    assert fitter.images.masks is before
