"""Ctrl-C at any time: no traceback, and not taken for an end."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

# An interrupt that comes while a module is looked for, as after a key at the wrong moment.
PROGRAM = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.{handler})
class Key:
    def find_spec(self, name, *rest):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Key())
from dapt.__main__ import main
main()
"""


def run(module: str, handler: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(module=module, handler=handler)
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize("module", ["dapt.cli.app", "typer", "dapt.cli.train"])
def test_while_the_program_is_loaded(module: str) -> None:
    done = run(module, "default_int_handler", "methods", "list")
    assert done.returncode == -signal.SIGINT
    assert done.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_while_a_command_is_loaded() -> None:
    done = run("dapt.methods", "default_int_handler", "methods", "list")
    assert done.returncode == 130
    assert done.stderr.startswith("interrupted;")
    assert "Traceback" not in done.stderr


HALF_LOADED = """
import os, signal, sys
class Key:
    def find_spec(self, name, *rest):
        if name == "dapt.methods":
            sys.meta_path.remove(self)
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                raise ImportError("cannot load module more than once per process") from None
sys.meta_path.insert(0, Key())
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever started the tests
from dapt.__main__ import main
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_libraries_that_fail_after_an_interrupt() -> None:
    """numpy and torch, interrupted while they are loaded, raise whatever they please."""
    command = [sys.executable, "-c", HALF_LOADED, "methods", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 130, done.stderr
    assert done.stderr.startswith("interrupted;")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_in_the_background_it_is_ignored() -> None:
    done = run("typer", "SIG_IGN", "methods", "list")
    assert done.returncode == 0
    assert done.stderr == ""
