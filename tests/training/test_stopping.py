"""An early end: when it comes, when it does not, what is told of it, and that a resumed training ends as well."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dapt.config import make_config
from dapt.errors import ConfigError
from dapt.runs.train import run_training
from dapt.training.stopping import BEYOND, check_stop, why_stop
from fitters import figures, make_fitter, prompts_of, resumed, same, stopped
from helpers import run_with

EASY = {"stop_margin": 0.001, "stop_share": 0.2}


def lines(*shares: float) -> list[dict[str, float]]:
    return [{BEYOND: share} for share in shares]


def asked(given: list[dict[str, float]], stages: str = "bbbbb", **changes: Any) -> int | None:
    """The last epoch, where the training ends after those that are given."""
    config = make_config({"data": "-", "method": "maple", "epochs": 5, "stop_margin": 0.5, **changes})
    step: Any = SimpleNamespace(stage=lambda epoch, epochs: stages[epoch])
    found = why_stop(config, step, given)
    return None if found is None else found.epoch


def test_most_images_of_the_last_epoch_decide() -> None:
    assert asked(lines(0, 95)) == 2
    assert asked(lines(0, 95 - 1e-5)) == 2  # a sum of 32-bit numbers
    assert asked(lines(0, 94.9)) is None
    assert asked(lines(0, 99, 90)) is None
    assert asked(lines(0, 90), stop_share=0.9) == 2
    assert asked(lines(0, 99.9), stop_share=1) is None
    assert asked(lines(0, 100), stop_margin=None) is None
    assert asked([]) is None


def test_what_is_told_has_no_noise_of_32_bits() -> None:
    config = make_config({"data": "-", "method": "maple", "epochs": 5, **EASY})
    step: Any = SimpleNamespace(stage=lambda epoch, epochs: "b")
    found = why_stop(config, step, lines(0, 33.333335876464844))
    assert found is not None
    assert found.beyond == 33.333


def test_warm_up_and_phases_are_gone_through() -> None:
    assert asked(lines(100)) is None
    assert asked(lines(100), warmup_epochs=0) == 1
    assert asked(lines(100, 100), stages="aabbb") is None
    assert asked(lines(100, 100, 100), stages="aabbb") == 3


def test_a_training_without_margins_is_refused() -> None:
    with pytest.raises(ConfigError, match="compares whole images with the classes"):
        asked([{"loss": 1.0}] * 2)


def test_an_average_over_epochs_needs_all_of_them() -> None:
    config = make_config({"data": "-", "method": "promptsrc", "stop_margin": 0.5})
    check_stop(config, averaged=False)
    with pytest.raises(ConfigError, match=r"promptsrc is a weighted average over all epochs.*\nLeave stop_margin out"):
        check_stop(config, averaged=True)
    check_stop(config.model_copy(update={"stop_margin": None}), averaged=True)


def test_methods_without_labels_have_no_margin() -> None:
    with pytest.raises(ConfigError, match="promptkd learns without labels"):
        make_config({"data": "-", "method": "promptkd", "stop_margin": 0.5})


@pytest.mark.parametrize("value", [0, 1, -0.5, True])
def test_margins_are_between_nothing_and_everything(value: Any) -> None:
    with pytest.raises(ConfigError, match="stop_margin"):
        make_config({"data": "-", "method": "coop", "stop_margin": value})


def test_it_ends_early_and_says_so(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, early = make_fitter(photos), make_fitter(photos, **EASY)
    whole.fit()
    found = early.fit().stopped
    assert found is not None
    assert found.epoch == len(early.progress.lines) < 5
    assert found.beyond == pytest.approx(early.progress.lines[-1][BEYOND], abs=1e-3)
    assert found.beyond >= 20
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith(f"Training ends after epoch {found.epoch} of 5: {found.beyond:.1f}% of its images")
    assert whole.progress.stopped is None
    kept = [{key: value for key, value in line.items() if key != BEYOND} for line in figures(early)]
    assert kept == figures(whole)[: found.epoch]  # looking at margins changes nothing


@pytest.mark.parametrize("stop", [1, None])
def test_a_resumed_training_ends_where_the_whole_one_does(photos: Path, stop: int | None) -> None:
    make = partial(make_fitter, photos, **EASY)
    whole = make()
    ended = whole.fit().stopped
    assert ended is not None
    again = resumed(make, stopped(make, stop or ended.epoch))  # also where it was killed after its last epoch
    assert again.progress.stopped == ended
    assert same(prompts_of(again), prompts_of(whole))
    assert figures(again) == figures(whole)


def test_phases_of_dapt_come_first(photos: Path) -> None:
    given = {"dapt": {"variant": "phased", "switch": 0.5}, "cue": "random", "stop_share": 0.01, "stop_margin": 1e-6}
    found = make_fitter(photos, epochs=6, **given).fit().stopped
    assert found is not None
    assert found.epoch > 3


def test_results_tell_of_it(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    given = {"epochs": 4, "lr": 0.05, "stop_margin": 0.001, "stop_share": 0.05}
    results = run_training(make_config(run_with(table, tiny_spec, out, **given)))
    assert results.stopped is not None
    assert results.selected_epoch == results.stopped["epoch"] < 4
    assert {key: results.stopped[key] for key in ("epochs", "margin", "share")} == {
        "epochs": 4,
        "margin": 0.001,
        "share": 0.05,
    }
    assert json.loads((out / "results.json").read_text())["stopped"] == results.stopped
    assert "Training ends after epoch" in (out / "log.txt").read_text()
