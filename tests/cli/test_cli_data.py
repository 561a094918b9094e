"""`dapt data`: its sub-commands."""

from __future__ import annotations

import pytest

SUB_COMMANDS = ["list", "info", "verify", "check", "select", "import-fewshot", "download"]


def test_all_sub_commands_are_listed(dapt) -> None:
    code, out, _ = dapt("data", "--help")
    assert code == 0
    lines = out[out.index("Commands:") :].splitlines()[1:]
    assert [line.split()[0] for line in lines if line[:3].strip() or line[2:3].strip()] == SUB_COMMANDS


@pytest.mark.parametrize("name", SUB_COMMANDS)
def test_every_one_answers(dapt, name: str) -> None:
    code, out, _ = dapt("data", name, "--help")
    assert code == 0
    assert f"Usage: dapt data {name}" in out


def test_one_that_there_is_not(dapt) -> None:
    code, _, err = dapt("data", "lst")
    assert code == 2
    assert "lst" in err
