"""What `dapt masks` says in the end: what is still missing, what the preview shows, what the masks are good for."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dapt.console import say, warn
from dapt.runs.mask_folder import MaskFolder
from dapt.wording import counted


def tell_missing(folder: MaskFolder, total: int) -> None:
    """What other shards still have to make, of `total` masks."""
    missing = folder.missing()
    count = folder.shard.count
    if not missing:
        say(f"All {count} shards are there: {counted(total, 'mask')}.")
        return
    parts = ", ".join(f"{number}/{count} ({left})" for number, left in missing.items())
    left = sum(missing.values())
    warn(f"{left} of {counted(total, 'mask')} {'is' if left == 1 else 'are'} still missing, by --shard: {parts}.")


def tell_preview(sheets: Sequence[Path], shown: int, total: int) -> None:
    """Where the contact sheets are, and how many of all photos they show."""
    places = ", ".join(map(str, sheets))
    if shown < total:
        worst = f"the worst {shown} of {total} photos" if shown > 1 else f"the worst of {total} photos"
        say(f"look at {places}: {worst}; all are on them with --preview-images {total}")
    else:
        say(f"look at {places}: {f'all {total} photos, the worst first' if total > 1 else counted(total, 'photo')}")


def tell_use(
    folder: MaskFolder,
    statistics: Mapping[str, Any],
    data: str,
    *,
    trainable: bool,
    given: Mapping[str, str | bool | None],
) -> None:
    """Where the masks are, and the command that goes on with them, if one does.

    Args:
        statistics: of ``masks.json``. trainable: the data has classes, and the masks are of images to learn from.
        given: options by which the data was found, for that command.
    """
    blank = len(statistics["empty"]) + len(statistics["full"])  # what was not found is among the empty
    if folder.missing():
        say(f"masks of shard {folder.shard} in {folder.path}")
        return
    if blank >= statistics["images"]:
        say(f"masks in {folder.path}")
        return
    if trainable:
        say(f"masks in {folder.path}; use them with: {train_command(data, folder.path, given)}")
    else:
        command = ["dapt", "masks", "verify", data, *_options(given), "--masks", str(folder.path)]
        say(f"masks in {folder.path}; check them with: {shlex.join(command)}")


def train_command(data: str, masks: Path, given: Mapping[str, str | bool | None]) -> str:
    """The command that trains on masks, to be pasted into a shell; `given`: options by which the data was found."""
    return shlex.join(["dapt", "train", data, *_options(given), "--dapt", "--masks", str(masks)])


def _options(given: Mapping[str, str | bool | None]) -> list[str]:
    return [
        part for name, value in given.items() if value for part in ([name] if value is True else [name, str(value)])
    ]
