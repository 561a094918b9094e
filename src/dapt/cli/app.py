"""The `dapt` program: its commands, and what becomes of errors."""

from __future__ import annotations

import functools
import io
import os
import signal
import sys
import traceback
from types import FrameType, TracebackType
from typing import Annotated, Any

import typer

from dapt.cli.audit import audit
from dapt.cli.cache import cache
from dapt.cli.compare import compare
from dapt.cli.data import data
from dapt.cli.demo import demo
from dapt.cli.eval import evaluate
from dapt.cli.explain import explain
from dapt.cli.export import export
from dapt.cli.features import features
from dapt.cli.masks import masks
from dapt.cli.methods import methods
from dapt.cli.predict import predict
from dapt.cli.report import report
from dapt.cli.run import run as run_command
from dapt.cli.train import train
from dapt.cli.tune import tune
from dapt.console import lines_of, visible
from dapt.errors import DaptError
from dapt.processes import leave_it_to_the_first
from dapt.streams import OutputLostError, Streams

INTERRUPTED = 130
RESUMED = ("train", "demo", "audit", "features")  # commands that go on with --resume; others do so by themselves
WHOLE = ("export",)  # commands whose result appears whole or not at all

app = typer.Typer(
    name="dapt",
    help="Visual-language prompt tuning: adapt a frozen CLIP to your images, and keep it off the background.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo)
app.command()(train)
app.command("run")(run_command)
app.command()(report)
app.command()(tune)
app.command()(compare)
app.command("eval")(evaluate)
app.command()(predict)
app.command()(explain)
app.command()(export)
app.command()(audit)
app.command()(features)
app.command()(cache)
app.add_typer(masks, name="masks")
app.add_typer(data, name="data")
app.add_typer(methods, name="methods")


def _version(value: bool) -> None:
    if value:
        from dapt.environment import version

        print(f"dapt {version()}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Visual-language prompt tuning: adapt a frozen CLIP to your images, and keep it off the background."""


_interrupted = False
_process = os.getpid()  # whose signals are taken


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Whatever is raised from now on is the interrupt's doing: libraries that were being loaded fail in any way."""
    global _interrupted
    if os.getpid() != _process and number == signal.SIGTERM:  # forked off by a library: it ends as it would elsewhere
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        return
    _interrupted = True
    raise KeyboardInterrupt


def _show_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print a traceback; the names in it are shown like all others."""
    text = "".join(traceback.format_exception(kind, error, trace))
    print(lines_of(text.rstrip("\n").split("\n")), file=sys.stderr)


def main(arguments: list[str] | None = None) -> None:
    """Run the program and exit.

    0 done, and everything printed was delivered; 2 the user's mistake, or standard output is full or closed; 130
    interrupted; 141 the reader of standard output has gone (nothing is said then); 1 our own bug. Standard error may be
    full or closed.
    """
    global _process
    _process = os.getpid()
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored, as in the background
        signal.signal(signal.SIGINT, _interrupt)
    sys.excepthook = _show_bug
    streams = Streams()
    try:
        code = run(arguments)
    except OutputLostError:
        code = 0
    sys.exit(streams.deliver(code))


@functools.cache
def _command() -> Any:
    """What typer makes of the functions above: it reads all their annotations, which takes a while."""
    return typer.main.get_command(app)


def run(arguments: list[str] | None = None) -> int:
    """Run the program and return its exit code.

    Raises:
        OutputLostError: standard output took no more (only with `Streams`).
    """
    result: Any = 0
    try:
        result = _command()(args=arguments, prog_name="dapt", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        result = INTERRUPTED
    except OutputLostError:
        raise
    except DaptError as error:
        _print_error(error.message.split("\n"))  # its lines are ours, a name in it has none
        return 2
    except OSError as error:
        if error.filename is None:
            raise
        name = error.filename if isinstance(error.filename, (str, bytes)) else str(error.filename)
        _print_error([f"{os.fsdecode(name)}: {error.strerror}"])
        return 2
    except Exception as error:
        if _interrupted:
            return _say_interrupted(arguments)
        if hasattr(error, "exit_code") and hasattr(error, "show"):  # a usage error, of typer's own click or any
            _show_usage(error)
            return int(error.exit_code)
        message = _from_worker(error)
        if message is None:
            raise
        _print_error(message.split("\n"))
        return 2
    if result == INTERRUPTED:  # some versions of typer turn the interrupt into this code themselves
        return _say_interrupted(arguments)
    return int(result) if isinstance(result, int) else 0


def _say_interrupted(arguments: list[str] | None) -> int:
    words = [word for word in (sys.argv[1:] if arguments is None else arguments) if not word.startswith("-")]
    if words and words[0] in WHOLE:
        print("interrupted; nothing was written: give the same command again", file=sys.stderr)
        return INTERRUPTED
    behind = ", with --resume" if words and words[0] in RESUMED else ""
    print(f"interrupted; what was finished is saved: give the same command again{behind}", file=sys.stderr)
    return INTERRUPTED


def _print_error(lines: list[str]) -> None:
    leave_it_to_the_first()
    print(lines_of(["error: " + lines[0], *lines[1:]]), file=sys.stderr)


def _show_usage(error: Any) -> None:
    """Print a usage error: it names arguments, and those may be file names that the shell put in place of a ``*``."""
    leave_it_to_the_first()
    error.message = visible(str(error.message))
    text = io.StringIO()
    error.show(file=text)
    print(lines_of(text.getvalue().rstrip("\n").split("\n")), file=sys.stderr)


def _from_worker(error: Exception) -> str | None:
    """The message of a `DaptError` that was raised in a data-parallel process."""
    text = str(error)
    if type(error).__name__ != "ProcessRaisedException" or "dapt.errors." not in text:
        return None
    return text[text.rindex("dapt.errors.") :].split(": ", 1)[-1].strip()
