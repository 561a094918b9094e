"""How a run divided data that has no splits: kept in its folder, read again by itself and by runs that keep it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dapt.config import RunConfig
from dapt.data.items import ImageSet
from dapt.data.read.by_content import Earlier
from dapt.data.resolve import load_data
from dapt.errors import ConfigError, DaptError, DataError
from dapt.files import read_json
from dapt.model.saved import runs_inside
from dapt.owned import check_sealed
from dapt.runs.run_folder import RunFolder
from dapt.split_rule import POSITIONS

SCHEMA = 1
SIDES = ("train", "val", "test")
DIGITS = 32  # of a checksum in inputs.json; what may follow says how the image was read


def how_divided(config: RunConfig, own: RunFolder | None = None) -> dict[str, Any]:
    """What `load_data` is to be told of the division: the rule, the lists of an earlier run, and the classes to use.

    Args:
        own: folder of the run itself where it is there already: what it noted decides.

    Raises:
        DaptError: the run whose division is to be kept is not there, or damaged.
    """
    found: dict[str, Any] = {"rule": config.split_rule, "classes": config.classes}
    if own is not None and own.division_file.is_file():
        return {**found, "earlier": _noted(own, deal=config.keep_split is not None)}
    if config.keep_split is None:
        return found
    check_keeps(config)
    folder = RunFolder(Path(config.keep_split))
    if not folder.division_file.is_file():
        return {**found, "earlier": _from_lists(folder)}
    return {**found, "earlier": _noted(folder, deal=True)}


def divided_data(config: RunConfig, own: RunFolder | None = None) -> ImageSet:
    """The data that a configuration names, divided as the run has it or wants it.

    Args:
        own: see `how_divided`.

    Raises:
        DaptError: the data is not there or is damaged, or see `how_divided`.
    """
    return load_data(
        config.data,
        config.names,
        root=config.root,
        own_split=config.own_split,
        skip_bad=config.skip_bad,
        split_file=config.split_file,
        **how_divided(config, own),
    )


def check_keeps(config: RunConfig) -> None:
    """Refuse an earlier run that is none, as far as its folder tells.

    Raises:
        ConfigError: there is no run, or the division by positions is asked for as well.
    """
    if config.keep_split is None:
        return
    if config.split_rule == POSITIONS:
        raise ConfigError(
            "split_rule=positions divides anew whatever a run had, and keep_split keeps what it had.",
            todo="Leave one of them out.",
        )
    folder = RunFolder(Path(config.keep_split))
    if not folder.started or not folder.split_file.is_file():
        raise ConfigError(
            f"--keep-split names {folder.path}, which holds no run with a split.json.",
            todo=runs_inside(folder.path) or "Give the folder of a run made by dapt train.",
        )


def describe_division(data: ImageSet) -> dict[str, Any] | None:
    """The content of division.json: checksums by side and name of an image; None where contents divide nothing."""
    if not data.contents:
        return None
    sides = {side: {item.name: data.contents[item.name] for item in data.split(side)} for side in SIDES}
    return {"schema": SCHEMA, "divided": data.division, **sides}


def _noted(folder: RunFolder, *, deal: bool) -> Earlier:
    check_sealed(folder.path, folder.manifest(), folder.division_file.name)
    found = read_json(folder.division_file)
    sides = {side: found.get(side) if isinstance(found, Mapping) else None for side in SIDES}
    if not all(isinstance(rows, Mapping) for rows in sides.values()):
        raise DaptError(f"{folder.division_file} is not what dapt writes.", todo="Restore it, or train again.")
    by_name = {name: side for side, rows in sides.items() for name in rows or ()}
    by_content = {content: side for side, rows in sides.items() for content in (rows or {}).values()}
    return Earlier(str(folder.path), by_content, by_name, deal)


def _from_lists(folder: RunFolder) -> Earlier:
    """Of a run that noted no division, the images that it used."""
    split = folder.earlier_split()
    by_name: dict[str, str] = {}
    try:
        for part, side in (("test", "test"), ("novel", "test"), ("val", "val"), ("train", "train")):
            by_name |= {str(row[0]): side for row in split.get(part) or ()}
    except (AttributeError, TypeError, IndexError) as error:
        raise DataError(f"{folder.split_file} is not what dapt writes.", todo="Restore it, or train again.") from error
    noted = folder.earlier_inputs() if folder.inputs_file.is_file() else {}
    digests = noted.get("images") if isinstance(noted, Mapping) and noted.get("whole") else None
    known = digests if isinstance(digests, Mapping) else {}
    by_content = {str(known[name])[:DIGITS]: side for name, side in by_name.items() if name in known}
    return Earlier(str(folder.path), by_content, by_name)
