"""Which executor the options of `dapt run` ask for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dapt.errors import ConfigError
from dapt.experiments.executors.choose import choose_executor
from dapt.experiments.executors.local import LocalExecutor


def test_this_machine_unless_something_else_is_asked_for() -> None:
    executor = choose_executor(Path("out"), jobs=3)
    assert isinstance(executor, LocalExecutor)
    assert executor.jobs == 3


def test_options_that_do_not_go_together() -> None:
    with pytest.raises(ConfigError, match="exclude each other"):
        choose_executor(Path("out"), ray="auto", slurm=["partition=a"])
    with pytest.raises(ConfigError, match="--cpus belongs to"):
        choose_executor(Path("out"), cpus=2)


@pytest.mark.parametrize(("extra", "how"), [("ray", {"ray": "auto"}), ("submitit", {"slurm": ["partition=a"]})])
def test_what_is_not_installed_is_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch, extra: str, how: dict
) -> None:
    monkeypatch.setitem(sys.modules, extra, None)
    with pytest.raises(ConfigError, match=r"pip install 'dapt\[(ray|slurm)\]'"):
        choose_executor(Path("out"), **how)
