"""A run keeps to one library: it is noted, kept on resume and in all processes, and used with the finished model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from dapt.clip import linear_choice
from dapt.clip.linear import HAS_ONEDNN
from dapt.clip.linear_choice import VARIABLE, Choice, forget
from dapt.clip.linear_times import Times
from dapt.clip.load import load_clip
from dapt.config import RunConfig, make_config
from dapt.errors import ConfigError
from dapt.runs import execute
from dapt.runs.execute import Work
from dapt.runs.kept_features import computed_by
from dapt.runs.load_run import load_run
from dapt.runs.multiplying import NOTED, settle
from dapt.runs.run_folder import RunFolder
from dapt.runs.train import run_training
from helpers import run_with, stopping

pytestmark = pytest.mark.skipif(not HAS_ONEDNN, reason="one library")
PLAIN_WINS, ONEDNN_WINS = Times(2, 1), Times(1, 2)


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Times]:
    """What the clock says, one measurement after the other; the cache is the test's own."""
    said: list[Times] = []
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(linear_choice, "_known", {})
    monkeypatch.setattr(linear_choice, "measure", lambda products: said.pop(0))
    return said


@pytest.fixture
def settings(table: Path, tiny_spec: str, tmp_path: Path) -> dict[str, object]:
    return run_with(table, tiny_spec, tmp_path / "run")


def remove_times(tmp_path: Path) -> None:
    for path in (tmp_path / "cache" / "dapt" / "linear").glob("*.json"):
        path.unlink()
    forget()


def noted(run: Path) -> object:
    return json.loads((run / "inputs.json").read_text()).get(NOTED)


def facts(run: Path) -> dict[str, object]:
    found = json.loads((run / "results.json").read_text())["environment"]
    return {key.removeprefix("linear_"): value for key, value in found.items() if key.startswith("linear_")}


def test_said_noted_and_in_the_results(
    clock: list[Times], settings: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock.append(PLAIN_WINS)
    run_training(make_config({**settings, "epochs": 1}))
    run = tmp_path / "run"
    assert facts(run) == {"library": "torch", "chosen": "measured", "onednn_ms": 2, "torch_ms": 1}
    assert noted(run) == Choice(False, "measured", 2, 1).record()
    assert "multiplies by the frozen weights (measured: oneDNN 2 ms" in (run / "log.txt").read_text()
    assert json.loads((run / "results.json").read_text())["environment"]["processor"]
    forget()  # a later process, whose clock is not asked
    run_training(make_config({**settings, "epochs": 1, "out": str(tmp_path / "two")}))
    assert facts(tmp_path / "two")["chosen"] == "cache"
    assert (run / "prompts.safetensors").read_bytes() == (tmp_path / "two" / "prompts.safetensors").read_bytes()
    assert "measured earlier" in capsys.readouterr().err


@pytest.mark.parametrize("first", [PLAIN_WINS, ONEDNN_WINS])
def test_a_resumed_run_keeps_its_choice(
    clock: list[Times], settings: dict[str, object], tmp_path: Path, first: Times
) -> None:
    """Between the two, the cache is emptied, and the clock would say the opposite."""
    clock += [first, ONEDNN_WINS if first is PLAIN_WINS else PLAIN_WINS]
    with pytest.raises(KeyboardInterrupt):
        run_training(make_config(settings), after_epoch=stopping())
    before = noted(tmp_path / "run")
    remove_times(tmp_path)
    run_training(make_config(settings), resume=True)
    assert len(clock) == 1, "it was not asked"
    assert noted(tmp_path / "run") == before
    assert facts(tmp_path / "run")["library"] == ("torch" if first is PLAIN_WINS else "onednn")
    whole = {**settings, "out": str(tmp_path / "whole"), "onednn": "off" if first is PLAIN_WINS else "on"}
    run_training(make_config(whole))
    assert (tmp_path / "run" / "prompts.safetensors").read_bytes() == (
        tmp_path / "whole" / "prompts.safetensors"
    ).read_bytes()
    log = (tmp_path / "run" / "log.txt").read_text()
    assert log.count("multiplies by the frozen weights") == 1
    model, _ = load_run(tmp_path / "run", device="cpu")
    assert model.clip.savings.choice is not None
    assert model.clip.savings.choice.onednn is (first is ONEDNN_WINS)
    assert len(clock) == 1


def test_a_run_of_before_there_was_a_choice_goes_on_with_onednn(
    clock: list[Times], settings: dict[str, object], tmp_path: Path
) -> None:
    clock.append(ONEDNN_WINS)
    run_training(make_config({**settings, "out": str(tmp_path / "whole"), "onednn": "on"}))
    with pytest.raises(KeyboardInterrupt):
        run_training(make_config(settings), after_epoch=_made_old(tmp_path / "run"))
    assert noted(tmp_path / "run") is None
    run_training(make_config(settings), resume=True)
    assert facts(tmp_path / "run") == {"library": "onednn", "chosen": "default"}
    one, two = (tmp_path / name / "prompts.safetensors" for name in ("run", "whole"))
    assert one.read_bytes() == two.read_bytes()


def _made_old(run: Path):
    """Stops a run after an epoch and takes from its folder what the version before did not write."""
    from dapt.files import json_text
    from dapt.owned import digest_of, read_manifest, write_manifest

    def stop(progress: object) -> None:
        inputs = {key: value for key, value in json.loads((run / "inputs.json").read_text()).items() if key != NOTED}
        text = (run / "run.yaml").read_text()
        assert "onednn: auto\n" in text
        contents = {
            "inputs.json": json_text(inputs, run).encode(),
            "run.yaml": text.replace("onednn: auto\n", "").encode(),
        }
        manifest = read_manifest(run)
        assert manifest is not None
        for name, content in contents.items():
            (run / name).write_bytes(content)
            manifest.files[name] = digest_of(content)
        write_manifest(run, manifest)
        raise KeyboardInterrupt

    return stop


def test_settings_of_a_run(clock: list[Times], settings: dict[str, object], tmp_path: Path) -> None:
    config = make_config({**settings, "onednn": False, "epochs": 1})  # as YAML reads off
    assert config.onednn == "off"
    assert make_config({**settings, "onednn": True}).onednn == "on"
    run_training(config)
    assert facts(tmp_path / "run") == {"library": "torch", "chosen": "asked"}
    with pytest.raises(ConfigError, match="was started with onednn=off, now it is auto"):
        RunFolder(tmp_path / "run")._check_same(make_config({**settings, "epochs": 1}), None)


def test_no_clock_decides_a_deterministic_run(clock: list[Times], settings: dict[str, object], tmp_path: Path) -> None:
    import torch

    try:
        run_training(make_config({**settings, "deterministic": True, "epochs": 1}))
    finally:
        torch.use_deterministic_algorithms(False)
    assert facts(tmp_path / "run") == {"library": "onednn", "chosen": "deterministic"}


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_where_there_is_nothing_to_choose(clock: list[Times], tiny_spec: str, precision: str) -> None:
    clip = load_clip(tiny_spec, precision=precision)
    config = make_config({"data": "x", "onednn": "off"})
    assert (settle(config, clip) is None) == (precision == "bf16")
    assert (clip.multiplied_by is None) == (precision == "bf16")
    clip.savings.onednn = False
    assert settle(config, clip) is None


def test_features_of_the_other_library_are_others(clock: list[Times], tiny_spec: str) -> None:
    clip = load_clip(tiny_spec)
    found = []
    for onednn in (True, False):
        clip.savings.choice = Choice(onednn, "asked")
        found.append(computed_by(clip, "32"))
    assert "linear" not in found[0]
    assert found[1] == {**found[0], "linear": "torch"}


def test_all_processes_of_a_run_take_the_choice_of_the_first(
    clock: list[Times], settings: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []

    def prepare(config: RunConfig, data: object, clip: object) -> None:
        used.append(clip.savings.settled())  # type: ignore[attr-defined]
        raise InterruptedError

    monkeypatch.setattr(execute, "prepare", prepare)
    choice = Choice(False, "measured", 2, 1)
    folder = RunFolder(tmp_path / "run")
    work = Work(make_config(settings), folder, None, "cpu", "", [], multiplied_by=choice)  # type: ignore[arg-type]
    with pytest.raises(InterruptedError):
        execute._worker(SimpleNamespace(device="cpu", is_global_zero=False), work, quiet=True)
    assert used == [choice]


@pytest.mark.slow
@pytest.mark.long
def test_two_processes_measure_once(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    """With the clock of this machine, whatever it says."""
    environment = {key: value for key, value in os.environ.items() if key != VARIABLE}
    environment |= {"OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    words = ["train", table, "--model", tiny_spec, "--method", "coop", "--shots", 2, "--epochs", 1, "--batch-size", 2]
    words += ["--device", "cpu", "--devices", 2, "--out", tmp_path / "run"]
    program = [sys.executable, "-m", "dapt", *map(str, words)]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("multiplies by the frozen weights") == 1
    assert len(list((tmp_path / "cache" / "dapt" / "linear").glob("*.json"))) == 1
    assert facts(tmp_path / "run")["chosen"] == "measured"
