"""Recorded steps: what is recorded when, and that a run of recorded steps is the run without them.

There is no graph on a CPU: `Again` runs the recorded function anew and writes what comes out over what came out first,
which is what playing a graph does. tests/cuda holds real ones against the CPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dapt.errors import DaptError
from dapt.methods.base import METHODS
from dapt.objectives.base import Term
from dapt.objectives.classification import Classification
from dapt.objectives.disentangle import Disentangle
from dapt.training.fit import Fitter
from dapt.training.graph_step import WARM_UP, Found
from fitters import figures, make_fitter, prompts_of, resumed, same, stopped


class Again:
    """Records what was done."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def warm(self, run: Callable[[], Any]) -> Any:
        self.done.append("warm")
        return run()

    def record(self, run: Callable[[], Found]) -> tuple[Found, Callable[[], None]]:
        self.done.append("record")
        held = run()

        def replay() -> None:
            self.done.append("replay")
            figures, gradients = run()
            for name, value in held[0].items():
                value.copy_(figures[name])
            for old, new in zip(held[1], gradients, strict=True):
                assert (old is None) == (new is None)
                if old is not None:
                    old.copy_(new)

        return held, replay


class Never(Again):
    """Can record nothing."""

    def record(self, run: Callable[[], Found]) -> tuple[Found, Callable[[], None]]:
        super().record(run)
        raise RuntimeError("operation not permitted\nmore")


def recording(recorder: Again, photos: Path, **changes: Any) -> Fitter:
    fitter = make_fitter(photos, **changes)
    assert fitter.graph is None  # this is a CPU
    fitter.check_every = 10
    fitter.record_with(recorder)
    return fitter


CASES = {
    "maple": {},
    "promptsrc": {"method": "promptsrc"},
    "prograd": {"method": "prograd", "prompt": {}},
    "clip_lora": {"method": "clip_lora", "prompt": {"dropout": 0.5}, "lr": 0.002},
    "adamw": {"optimizer": "adamw", "lr": 0.002},
    "phased": {"dapt": {"variant": "phased", "switch": 0.5}, "cue": {"source": "random", "refresh": 1}, "epochs": 4},
    "gate": {"dapt": {"variant": "joint", "gate": True}, "cue": {"source": "random"}},
    "poor cues": {
        "dapt": {"variant": "joint", "min_area": 0.35, "max_area": 0.6, "background_label": "cue"},
        "cue": {"source": "random", "hide": 0.5},
        "background": torch.arange(-1, 31),
    },
    "smaller last batch": {"batch_size": 6, "drop_last": False},
    "lent by the step before": {
        "dapt": {"variant": "swap", "warmup": 0.0},
        "cue": {"source": "random"},
        "batch_size": 1,
    },
}


@pytest.mark.parametrize("name", CASES)
def test_a_run_of_recorded_steps_is_that_of_others(name: str, photos: Path) -> None:
    changes = {"epochs": 3, **CASES[name]}
    plain = make_fitter(photos, **changes)
    plain.fit()
    recorder = Again()
    fitter = recording(recorder, photos, **changes)
    fitter.fit()
    assert figures(fitter) == figures(plain)
    assert same(prompts_of(fitter), prompts_of(plain))
    stages = 2 if name == "phased" else 1
    assert recorder.done.count("warm") == stages * WARM_UP
    assert recorder.done.count("record") == stages
    steps = 4 * changes["epochs"] if "batch_size" not in changes else 2 * 3  # others are computed as they come
    if changes.get("batch_size") == 1:
        steps = 16 * changes["epochs"]
    assert recorder.done.count("replay") == steps - stages * WARM_UP


@pytest.mark.parametrize("name", ["clip_lora", "phased"])
def test_a_stopped_run_of_recorded_steps_goes_on(name: str, photos: Path) -> None:
    changes = {"epochs": 4, **CASES[name]}
    whole = recording(Again(), photos, **changes)
    whole.fit()

    def make(**more: Any) -> Fitter:
        return recording(Again(), photos, **changes, **more)

    other = resumed(make, stopped(make, 2))
    assert same(prompts_of(other), prompts_of(whole))
    assert figures(other) == figures(whole)


@pytest.mark.parametrize("name", [name for name in METHODS.names() if METHODS.get(name).trains])
def test_all_methods_say_that_they_can_be_recorded(name: str) -> None:
    method = METHODS.get(name)
    for kind in (method.load_architecture(), *method.load_objectives(), Disentangle):
        assert vars(kind)["recordable"] is True, kind


def test_an_extension_has_to_say_so_itself(photos: Path) -> None:
    """A class derived from one of ours may do more on the host than that one does."""
    fitter = make_fitter(photos)
    assert fitter.step.recordable
    fitter.step.objectives[0].__class__ = type("Own", (Classification,), {})
    assert not fitter.step.recordable
    fitter.step.objectives[0].__class__ = type("Own", (Classification,), {"recordable": True})
    assert fitter.step.recordable


def test_what_cannot_be_recorded_is_computed_and_told_once(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = make_fitter(photos, epochs=3)
    plain.fit()
    capsys.readouterr()
    recorder = Never()
    fitter = recording(recorder, photos, epochs=3)
    fitter.fit()
    told = [line for line in capsys.readouterr().err.splitlines() if "CUDA graph" in line]
    assert len(told) == 1
    assert told[0].endswith("operation not permitted")
    assert recorder.done == ["warm"] * WARM_UP + ["record"]
    assert fitter.graph is not None
    assert not fitter.graph.recorded
    assert same(prompts_of(fitter), prompts_of(plain))


@pytest.mark.parametrize("bad", [1, 9, 12])
def test_the_first_step_that_is_not_finite_is_named_later(photos: Path, bad: int) -> None:
    fitter = recording(Again(), photos, epochs=1, batch_size=1)
    objective, count = fitter.step.objectives[0], [0]
    fitter.graph = None  # so that the terms are made step by step
    make = objective.terms

    def terms(*given: Any) -> dict[str, Term]:
        count[0] += 1
        found = make(*given)
        return {**found, "L_x": Term(torch.tensor(math.nan if count[0] >= bad else 1.0), 1.0)}

    objective.terms = terms  # type: ignore[method-assign]
    with pytest.raises(DaptError, match=rf"The loss is nan in epoch 1, step {bad} \(L_cls, L_x\)|step {bad} \(L_x\)"):
        fitter.fit()
    assert count[0] == (10 if bad <= 10 else 16)


def test_steps_are_looked_at_one_by_one_on_a_cpu(photos: Path) -> None:
    fitter = make_fitter(photos)
    assert fitter.config.cuda_graph == "auto"
    assert fitter.check_every == 1
    assert fitter.graph is None
