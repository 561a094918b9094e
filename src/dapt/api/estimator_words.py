"""What dapt says of command-line options, said of parameters of `DaptClassifier`; and whose line a warning is."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import FrameType

from dapt.config import RunConfig
from dapt.console import warnings_to
from dapt.errors import DaptError

OPTION = re.compile(r"--([a-z][a-z-]*[a-z])(?: ([A-Z]+|auto|cpu|cuda|demo)\b)?")
COMMAND = re.compile(r"\bdapt [a-z]")  # a command to type keeps its options
OTHERWISE = {"names": "class_names"}  # options whose parameter has another name


def in_parameters(text: str, parameters: Collection[str]) -> str:
    """`text` with parameters and keys of `settings` where it names options; what is neither stays as it is."""

    def said(found: re.Match[str]) -> str:
        option, value = found.groups()
        name = OTHERWISE.get(option, option.replace("-", "_"))
        given = "..." if value is None or value.isupper() else f'"{value}"'
        if name in parameters:
            return f"{name}={given}"
        return f'settings={{"{name}": {given}}}' if name in RunConfig.model_fields else found.group()

    return text if COMMAND.search(text) else OPTION.sub(said, text)


@contextmanager
def told_of(parameters: Collection[str]) -> Iterator[None]:
    """Meanwhile errors and warnings name parameters, and warnings are Python's own, of the line that called dapt."""

    def hear(text: str) -> None:
        warnings.warn(in_parameters(text, parameters), UserWarning, stacklevel=_levels())

    try:
        with warnings_to(hear):
            yield
    except DaptError as error:
        error.what, error.todo = in_parameters(error.what, parameters), in_parameters(error.todo, parameters)
        error.args = (error.message,)
        raise


def _levels() -> int:
    """The `stacklevel` by which `warnings.warn` in the calling function points at what called dapt."""
    frame: FrameType | None = sys._getframe(1)
    level = found = 1
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] == "dapt":
            found = level
        frame, level = frame.f_back, level + 1
    return found + 1
