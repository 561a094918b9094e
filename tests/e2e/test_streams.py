"""Standard output and standard error that are full, closed, or a pipe without a reader."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dapt.streams import OutputLostError, Streams

FULL = Path("/dev/full")
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="/dev/full is needed")


def shell(command: str, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """`command` in bash; ``dapt`` in it is the program, ``$@`` its arguments."""
    program = f'dapt() {{ "{sys.executable}" -m dapt "$@"; }}\n'
    return subprocess.run(
        ["bash", "-c", program + command, "bash", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **options,  # type: ignore[call-overload]
    )


def silent_but_for(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    for part in parts:
        assert part in done.stderr


@pytest.mark.parametrize("command", ["dapt --version", "dapt methods list"])
def test_full_or_closed_output(command: str) -> None:
    done = shell(f"{command} > /dev/full")
    assert done.returncode == 2
    silent_but_for(done, "error: Not everything could be written to standard output: No space left on device.")
    done = shell(f"{command} >&-")
    assert done.returncode == 2
    silent_but_for(done, "standard output: Bad file descriptor.")


@pytest.mark.parametrize("form", ["table", "json", "csv"])
@pytest.mark.parametrize("count", [1, 5000])
def test_every_form_of_predictions(form: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than is held back, which fails while printing, and less, which fails at the end."""
    from dapt.model.predictor import Prediction
    from dapt.runs.predict import print_predictions

    predictions = [Prediction(Path("a.jpg"), ("cat",), (1.0,))] * count
    said = io.StringIO()
    with FULL.open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        monkeypatch.setattr(sys, "stderr", said)
        streams = Streams()
        with contextlib.suppress(OutputLostError):
            print_predictions(predictions, form)
        assert streams.deliver(0) == 2
        assert streams.deliver(130) == 130
    assert "No space left" in said.getvalue()


def test_what_is_delivered_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"
    with path.open("w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdout", file)
        streams = Streams()
        print("é" * 100_000)
        assert streams.deliver(0) == 0
    assert path.read_text(encoding="utf-8") == "é" * 100_000 + "\n"


@pytest.mark.parametrize("command", ["methods list", "--help"])
def test_a_pipe_without_a_reader(command: str) -> None:
    """As a program that SIGPIPE ends: quietly, and not with 0."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "dapt", *command.split()],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.returncode == 141
    assert done.stderr == ""


def test_a_table_to_a_pipe_without_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """rich, which prints the table, has a way of its own to meet this."""
    from dapt.model.predictor import Prediction
    from dapt.runs.predict import print_predictions

    reader, writer = os.pipe()
    os.close(reader)
    said = io.StringIO()
    with os.fdopen(writer, "w") as broken:
        monkeypatch.setattr(sys, "stdout", broken)
        monkeypatch.setattr(sys, "stderr", said)
        streams = Streams()
        with contextlib.suppress(OutputLostError):
            print_predictions([Prediction(Path("a.jpg"), ("cat",), (1.0,))] * 5000, "table")
        assert streams.deliver(0) == 141
        assert streams.deliver(2) == 2
    assert said.getvalue() == ""


def test_a_training_goes_on_while_standard_error_is_full(
    table: Path, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dapt.cli.app import run

    given = ["train", table, "--model", tiny_spec, "--depth", 2, "--epochs", 1, "--shots", 1, "--out", tmp_path / "r"]
    with FULL.open("w") as full:
        monkeypatch.setattr(sys, "stderr", full)
        streams = Streams()
        assert streams.deliver(run([str(argument) for argument in given])) == 0
    assert "results in" in (tmp_path / "r" / "log.txt").read_text()


@pytest.mark.long
def test_a_training_goes_on_without_any_stream(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    done = shell(
        'dapt train "$@" 2>&- >&-',
        *(table, "--model", tiny_spec, "--depth", 2, "--epochs", 1, "--shots", 1, "--out", tmp_path / "r"),
    )
    assert done.returncode == 0
    assert (tmp_path / "r" / "results.json").is_file()
    assert "results in" in (tmp_path / "r" / "log.txt").read_text()


def test_a_mistake_that_cannot_be_said_still_has_its_code() -> None:
    for where in ("2> /dev/full", "2>&-"):
        assert shell(f"dapt train x --set lr=x {where}").returncode == 2


def test_an_argument_that_is_no_utf8(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dapt", "train", os.fsencode(tmp_path) + b"/caf\xe9"], capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"data: the text is not valid UTF-8" in done.stderr
    assert b"Traceback" not in done.stderr
