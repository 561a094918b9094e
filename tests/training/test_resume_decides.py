"""Whatever a resumed training takes from its checkpoint decides the result: leave it out and the result is another.

Every test has two sides: with the state as it was kept the resumed training equals the whole one to the bit, and
with one part of it put back to its start it does not. The second side shows that the first one can fail.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import torch

from dapt.training.fit import Fitter, State
from fitters import as_read, figures, make_fitter, prompts_of, resumed, same, stopped
from helpers import make_folder

GATED = {"dapt": {"variant": "joint", "gate": True}, "cue": "random"}
EVERY_TWO = {"dapt": {"variant": "joint"}, "cue": {"source": "gradcam", "soft": True, "refresh": 2}}
AVERAGED = {"method": "promptsrc", "prompt": {"depth": 2, "gpa_mean": 2.0, "gpa_std": 1.0}}


def at_start(make: Callable[..., Fitter], state: State, *keys: str) -> State:
    """The state with some of its parts as they are before the first epoch."""
    fresh = copy.deepcopy(make().state())
    return {**state, **{key: fresh[key] for key in keys}}


@pytest.mark.parametrize(
    ("key", "stop", "changes"),
    [
        ("prompts", 2, {}),
        ("optimizer", 2, {}),
        ("optimizer", 2, {"optimizer": "adamw"}),
        ("optimizer", 2, {"optimizer": "lion", "lr": 0.002}),
        ("optimizer", 2, {"optimizer": "muon", "lr": 0.01}),
        ("optimizer", 2, {"schedule": "one_cycle"}),
        ("helpers", 3, GATED),
        ("average", 3, AVERAGED),
        ("cue_prompts", 3, EVERY_TWO),
    ],
)
def test_every_part_of_the_state_decides(photos: Path, key: str, stop: int, changes: dict[str, Any]) -> None:
    make = partial(make_fitter, photos, **changes)
    whole = make()
    whole.fit()
    state = stopped(make, stop)
    again = resumed(make, state)
    assert same(prompts_of(again), prompts_of(whole))
    assert figures(again) == figures(whole)
    assert not same(prompts_of(resumed(make, at_start(make, state, key))), prompts_of(whole))


QUICK = {(0, 3, True), (1, 2, False), (2, 3, True), (3, 4, False)}  # the other combinations are of the long matrix
COMBINED = [
    pytest.param(refresh, stop, soft, marks=() if (refresh, stop, soft) in QUICK else pytest.mark.long)
    for soft in (True, False)
    for refresh in (0, 1, 2, 3)
    for stop in (1, 2, 3, 4, 5)
]


Trainings = Callable[[int, bool], tuple[Callable[..., Fitter], Fitter, list[State]]]


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    """By refresh and softness of the masks: how a training is made, one that has ended, its state after each epoch."""
    folder = make_folder(tmp_path_factory.mktemp("trainings") / "photos")

    @cache
    def trained(refresh: int, soft: bool) -> tuple[Callable[..., Fitter], Fitter, list[State]]:
        cue = {"source": "gradcam", "soft": soft, "threshold": 0.3, "refresh": refresh}
        make = partial(make_fitter, folder, dapt={"variant": "joint"}, cue=cue)
        states: list[State] = []
        whole = make(kept=states)
        whole.fit()
        return make, whole, states

    return trained


@pytest.mark.parametrize(("refresh", "stop", "soft"), COMBINED)
def test_masks_made_again_are_those_before_the_stop(trainings: Trainings, refresh: int, stop: int, soft: bool) -> None:
    make, whole, states = trainings(refresh, soft)
    again = make()
    again.load_state(as_read(states[stop - 1]))
    at_stop = [None if mask is None else mask.clone() for mask in again.images.masks]
    again.fit()
    assert same(prompts_of(again), prompts_of(whole))
    assert figures(again) == figures(whole)
    assert same_masks(again.images.masks, whole.images.masks)
    assert again.cue.report == whole.cue.report  # of which results.json tells
    if refresh == 0 or stop == 5:
        assert same_masks(at_stop, whole.images.masks)


def same_masks(a: list[torch.Tensor | None], b: list[torch.Tensor | None]) -> bool:
    """Equal to the bit."""
    return all(
        (one is None) == (other is None) and (one is None or torch.equal(one, other))
        for one, other in zip(a, b, strict=True)
    )


@pytest.mark.parametrize("stop", [1, 2])
def test_before_the_first_refresh_the_masks_of_the_start_decide(photos: Path, stop: int) -> None:
    make = partial(make_fitter, photos, **{**EVERY_TWO, "cue": {**EVERY_TWO["cue"], "refresh": 3}})
    whole = make()
    whole.fit()
    state = stopped(make, stop)
    assert state["cue_prompts"] is None
    assert same(prompts_of(resumed(make, state)), prompts_of(whole))
    later = {**state, "cue_prompts": prompts_of(whole)}
    assert not same(prompts_of(resumed(make, later)), prompts_of(whole))


def test_the_trained_gate_is_restored_and_not_the_one_of_the_start(photos: Path) -> None:
    make = partial(make_fitter, photos, **GATED)
    state = stopped(make, 3)
    start = make().step.helpers.state_dict()
    assert not same(state["helpers"], dict(start))
    fitter = make()
    fitter.load_state(state)
    assert same(dict(fitter.step.helpers.state_dict()), state["helpers"])
    first, again = make(), resumed(make, state)
    first.fit()
    assert same(dict(again.step.helpers.state_dict()), dict(first.step.helpers.state_dict()))


@pytest.mark.long
def test_the_loss_scale_decides(photos: Path) -> None:
    """A scale that doubles at every step overflows after a while, and steps that overflow are left out."""

    def grow(fitter: Fitter) -> None:
        fitter.scaler.set_growth_interval(1)

    make = partial(make_fitter, photos, precision="16", epochs=6, batch_size=2)
    whole = make()
    start = whole.scaler.get_scale()
    grow(whole)
    whole.fit()
    state = stopped(make, 3, before=grow)
    assert state["scaler"]["scale"] != start
    again = make()
    again.load_state(state)
    assert again.scaler.get_scale() == state["scaler"]["scale"]
    assert again.scaler.get_growth_interval() == 1
    again.fit()
    assert same(prompts_of(again), prompts_of(whole))
    assert again.scaler.get_scale() == whole.scaler.get_scale()
    assert not same(prompts_of(resumed(make, at_start(make, state, "scaler"))), prompts_of(whole))


BEST_BEFORE = [40.0, 90.0, 60.0, 50.0, 80.0]


@pytest.mark.parametrize("stop", [2, 3, 4])
def test_the_best_epoch_before_the_stop_stays_the_best(photos: Path, stop: int) -> None:
    kept: list[State] = []
    make = partial(make_fitter, photos, accuracies=BEST_BEFORE)
    whole = make(kept=kept)
    whole.fit()
    second = kept[1]["prompts"]
    assert same(prompts_of(whole), second)
    state = stopped(make, stop)
    assert (state["best_accuracy"], state["best_epoch"]) == (90.0, 1)
    again = resumed(make, state)
    assert same(prompts_of(again), second)
    assert (again.progress.best_accuracy, again.progress.best_epoch) == (90.0, 1)
    assert same(again.progress.best, second)
    assert figures(again) == figures(whole)
    for keys in (("best",), ("best_accuracy",), ("best", "best_accuracy", "best_epoch")):
        changed = resumed(make, at_start(make, state, *keys))
        lost = not same(prompts_of(changed), second)
        assert lost or changed.progress.best_epoch != 1, keys


def test_a_better_epoch_after_the_stop_takes_its_place(photos: Path) -> None:
    make = partial(make_fitter, photos, accuracies=[40.0, 90.0, 60.0, 95.0, 80.0])
    kept: list[State] = []
    make(kept=kept).fit()
    again = resumed(make, stopped(make, 2))
    assert (again.progress.best_accuracy, again.progress.best_epoch) == (95.0, 3)
    assert same(prompts_of(again), kept[3]["prompts"])


def test_lines_of_the_epochs_before_the_stop_are_kept(photos: Path) -> None:
    make = partial(make_fitter, photos, accuracies=BEST_BEFORE)
    state = stopped(make, 3)
    again = resumed(make, state)
    assert [line["epoch"] for line in again.progress.lines] == [1, 2, 3, 4, 5]
    assert [line["val/accuracy"] for line in again.progress.lines] == BEST_BEFORE
    assert again.progress.lines[:3] == state["lines"]  # the times, too
    assert again.progress.epoch == 5


def test_a_finished_training_goes_no_further(photos: Path) -> None:
    make = partial(make_fitter, photos)
    kept: list[State] = []
    whole = make(kept=kept)
    whole.fit()
    again = resumed(make, kept[-1])
    assert same(prompts_of(again), prompts_of(whole))
    assert len(again.progress.lines) == 5
