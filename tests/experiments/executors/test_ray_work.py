"""What is done on the nodes of a cluster, done here: looks at folders, copies of plugins, errors that cannot travel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dapt.config import make_config
from dapt.errors import DataError
from dapt.experiments.executors import ray_work
from dapt.experiments.executors.base import Job
from dapt.experiments.executors.ray_work import Desk, Note, Probe, ended, look, problem_with
from dapt.plugins import plugin_file


def test_a_look_says_what_is_missing(tmp_path: Path) -> None:
    found = look(None, (str(tmp_path), str(tmp_path / "none")))
    assert (found.problem, found.missing) == ("", (str(tmp_path / "none"),))
    assert found.versions["torch"]


def test_a_folder_is_the_same_only_with_the_token_in_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(ray_work, "SEEN_S", 0.0)
    probe = Probe(str(tmp_path), ".ray-1", "token")
    assert problem_with(probe) == "does not see"
    (tmp_path / probe.name).write_text("another")
    assert problem_with(probe) == "does not see"
    (tmp_path / probe.name).write_text("token")
    assert problem_with(probe) == ""
    assert [path.name for path in tmp_path.iterdir()] == [probe.name]


def test_the_look_loads_no_torch() -> None:
    code = "import sys, dapt.experiments.executors.ray_work; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "False\n"


def test_plugins_are_loaded_from_the_texts_that_came_along(monkeypatch) -> None:
    monkeypatch.setattr("dapt.plugins._copies", {})
    path = "/nowhere/on/this/machine/travelled.py"
    with ray_work.plugins({path: b"VALUE = 3\n"}):
        assert plugin_file(path).read_bytes() == b"VALUE = 3\n"
        assert any(name.startswith("dapt_plugin_travelled") for name in sys.modules)


def test_notes_are_taken_once() -> None:
    desk = Desk()
    desk.put(Note("a", "epochs", 1))
    assert desk.take() == [Note("a", "epochs", 1)]
    assert desk.take() == []


def test_a_failure_is_told_and_not_raised(tmp_path: Path) -> None:
    config = make_config({"data": str(tmp_path / "none"), "model": "demo", "device": "cpu", "out": str(tmp_path / "r")})
    found = ended(Job("a", config), 1, {}, lambda kind, value: None)
    assert isinstance(found.error, DataError)
    assert "Traceback" in found.trace


def test_an_error_that_cannot_travel_is_told_in_words() -> None:
    class LocalError(Exception):
        pass

    sent = ray_work._sendable(LocalError("why"))
    assert str(sent) == "LocalError: why"
