"""The photos that an export is checked and calibrated with, looked through before anything is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dapt.console import progress
from dapt.data.load.preprocess import bytes_of
from dapt.data.load.reading import Reading
from dapt.errors import DataError

SKIPPING = ", or pass --skip-bad"  # what the reader of an image advises, and an export does not have


def look_through(photos: Mapping[str, Sequence[Path]], reading: Reading | None) -> None:
    """Decode each photo once: a graph takes longer to make than all of them to read.

    Args:
        photos: by the option that names them. reading: how their colours are understood, as for `bytes_of`.

    Raises:
        DataError: some cannot be read; it names the first and counts the others.
    """
    options = {path: option for option, paths in photos.items() for path in paths}
    bad: list[tuple[str, DataError]] = []
    for path in progress(options, len(options), "looking through photos", "images"):
        try:
            bytes_of(path, reading)
        except DataError as error:
            bad.append((options[path], error))
    if not bad:
        return
    option, first = bad[0]
    more = [] if len(bad) == 1 else [f"{len(bad) - 1} more of the photos cannot be read."]
    todo = first.todo.partition(SKIPPING)[0].rstrip(".")
    raise type(first)(first.what, where=option, more=more, todo=f"{todo}. An export leaves no photo out.")
