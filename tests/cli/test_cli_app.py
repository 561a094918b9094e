"""The program: its commands, exit codes, and what becomes of errors of each kind."""

from __future__ import annotations

import os
import signal

import pytest

from dapt.cli import app
from dapt.cli.app import INTERRUPTED, run
from dapt.environment import version
from dapt.errors import ConfigError

TRAIN = "dapt.runs.train.run_training"


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*given: object, **named: object) -> None:
        raise error

    monkeypatch.setattr(TRAIN, fail)


def test_version_and_help(dapt) -> None:
    assert dapt("--version") == (0, f"dapt {version()}\n", "")
    code, out, _ = dapt("-h")
    assert code == 0
    commands = [line.split()[0] for line in out[out.index("Commands:") :].splitlines()[1:] if line.split()]
    assert {"demo", "train", "eval", "predict", "masks", "data", "methods"} <= set(commands)


def test_a_users_mistake_is_one_message_and_two(dapt, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ConfigError("The folder a\x1bb is odd.", where="--out", todo="Choose another."))
    code, out, err = dapt("train", "/d")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert "a\\x1bb is odd" in err, "names are shown with escapes"
    assert "Choose another." in err
    assert "Traceback" not in err


def test_the_file_systems_refusal_names_the_file(dapt, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, PermissionError(13, "Permission denied", "/some/file"))
    assert dapt("train", "/d") == (2, "", "error: /some/file: Permission denied\n")


def test_our_own_bugs_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        run(["train", "/d"])
    failing(monkeypatch, OSError("without a file"))
    with pytest.raises(OSError, match="without a file"):
        run(["train", "/d"])


def test_an_interrupt_says_how_to_go_on(dapt, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, KeyboardInterrupt())
    code, out, err = dapt("train", "/d")
    assert (code, out) == (INTERRUPTED, "")
    assert INTERRUPTED == 130
    assert "interrupted; what was finished is saved" in err
    assert "--resume" in err


def test_an_interrupted_export_has_saved_nothing(dapt, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: object, **how: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dapt.export.export_run.export_run", interrupted)
    code, _, err = dapt("export", "run", "--to", "onnx", "--out", "out")
    assert code == INTERRUPTED
    assert err == "interrupted; nothing was written: give the same command again\n"


def test_a_mistake_in_one_of_several_processes_reads_the_same(dapt, monkeypatch: pytest.MonkeyPatch) -> None:
    class ProcessRaisedException(Exception):  # noqa: N818 - torch's name
        pass

    text = "-- Process 1 terminated:\nTraceback ...\ndapt.errors.DataError: The image a.png is damaged.\nReplace it.\n"
    failing(monkeypatch, ProcessRaisedException(text))
    assert dapt("train", "/d") == (2, "", "error: The image a.png is damaged.\nReplace it.\n")
    failing(monkeypatch, ProcessRaisedException("ZeroDivisionError: a bug"))
    with pytest.raises(ProcessRaisedException):
        run(["train", "/d"])


def test_arguments_in_usage_errors_are_shown_with_escapes(dapt) -> None:
    code, _, err = dapt("train", "/d", "odd\x1bname")
    assert code == 2
    assert "odd\\x1bname" in err
    assert "\x1b" not in err


def test_a_forked_process_ends_when_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pools of processes, as functions of the user's own may have them, end their workers by SIGTERM."""
    monkeypatch.setattr(app, "_process", os.getpid())
    monkeypatch.setattr(app, "_interrupted", False)  # as it is again afterwards
    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGTERM, app._interrupt)
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os._exit(7)  # it was raised as an interrupt
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGTERM
    with pytest.raises(KeyboardInterrupt):
        app._interrupt(signal.SIGTERM, None)
