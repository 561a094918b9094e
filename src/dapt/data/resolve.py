"""From what the user names as DATA to an `ImageSet`."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dapt.console import say
from dapt.data.items import ImageSet, check_classes, with_composed_names, with_trimmed_names, with_writable_names
from dapt.data.read.csv_index import read_csv
from dapt.data.read.decoding import decode
from dapt.data.read.exports.named import refuse_tables, refuse_tasks
from dapt.data.read.folder import read_folder
from dapt.data.read.only_classes import only_classes
from dapt.data.read.plain import plain_photographs
from dapt.data.read.split_json import each_once
from dapt.data.read.split_lists import apply_split_lists
from dapt.data.read.table_file import OTHER_TYPES, TABLE_TYPES
from dapt.data.read.table_folder import read_table_folder
from dapt.errors import ConfigError, DataError, closest, did_you_mean
from dapt.limits import LIST_BYTES
from dapt.paths import resolved, with_home
from dapt.regular import irregular, read_bytes, reason
from dapt.split_rule import HASH, SplitRule, usual_rule
from dapt.strict import is_utf8, nfc, readable, shown
from dapt.wording import counted

if TYPE_CHECKING:
    from dapt.data.read.by_content import Earlier

INDEX = "index.csv"  # in a folder: the data is what this lists
HUB_PREFIX = "hf:"


def is_path(data: str) -> bool:
    """Whether DATA names files on this machine, rather than a catalog or hub data set."""
    return not data.startswith(HUB_PREFIX) and not is_catalog(data)


def is_catalog(data: str) -> bool:
    """Whether DATA names a data set of the catalog."""
    from dapt.data.catalog.base import CATALOG

    return data in CATALOG.names()


def load_data(
    data: str,
    names: str | None = None,
    *,
    root: str | None = None,
    own_split: bool = False,
    skip_bad: bool = False,
    split_file: str | None = None,
    classless: bool = False,
    rule: SplitRule | None = None,
    earlier: Earlier | None = None,
    classes: Sequence[str] | None = None,
) -> ImageSet:
    """Read a catalog data set, ``hf:OWNER/NAME``, a folder, a folder with a table of its images, or a table.

    Args:
        data: name or path; a name of the catalog wins over a folder of that name (write ``./NAME`` for the folder).
        names: file with class names, see `read_names`. root: where catalog data lives, see `data_root`.
        own_split: divide a catalog data set anew if its official split file is missing.
        skip_bad: leave out images that an official split or an export names and that are absent.
        split_file: see `dapt.data.read.split_file`. classless: a table without classes is no mistake.
        rule: how data on this machine and of the hub is divided that has no splits: by the content of each image, or by
            its position in the list of its class; None: see `usual_rule`. earlier: a run whose division is kept.
        classes: the only ones to use, see `only_classes`; None: all.

    Raises:
        DataError: there is no such data, it is damaged, or it has splits of its own instead of those to be kept.
    """
    if not is_utf8(data):
        raise DataError(f"The name {readable(data)} is not valid UTF-8.", todo="Rename the file or folder.")
    if data.startswith(HUB_PREFIX):
        from dapt.data.hub.read_hub import read_hub

        found = read_hub(data.removeprefix(HUB_PREFIX), root)
    elif not is_path(data):
        from dapt.data.catalog.load import load_catalog

        found = load_catalog(data, root, own_split=own_split, skip_bad=skip_bad)
    else:
        found = with_trimmed_names(_read_path(data, skip_bad, classless))
    found = with_composed_names(found)
    if names:
        found = check_classes(found.with_names(read_names(Path(names), found.names)))
    found = with_writable_names(found)
    if split_file:
        from dapt.data.read.split_file import apply_split_file

        found = apply_split_file(found, Path(split_file))
    found = _divided(found, data, rule or usual_rule(), earlier)
    return found if classes is None else only_classes(found, classes)


def _divided(found: ImageSet, data: str, rule: SplitRule, earlier: Earlier | None) -> ImageSet:
    """Data without splits, divided as is asked for; other data as it is."""
    divided = found.divided and not is_catalog(data)
    if divided and (rule == HASH or earlier is not None):
        from dapt.data.read.by_content import divide_by_content

        return divide_by_content(found, earlier)
    if earlier is not None and earlier.deal and not divided:
        raise DataError(
            f"{data} has splits of its own, so there are none of {earlier.run} to keep.",
            todo="Leave out --keep-split.",
        )
    return found


def load_photos(data: str, names: str | None = None, **how: Any) -> ImageSet:
    """As `load_data`, and photos without classes: a table of them, or those that lie directly in a folder.

    What was taken for granted is said.

    Raises:
        DataError: as `load_data`.
    """
    try:
        found = load_data(data, names, classless=True, **how)
    except DataError as refusal:
        path = path_of(data)
        if path is None or not path.is_dir() or names is not None:
            raise
        return with_writable_names(with_composed_names(plain_photographs(path, refusal, deep=False)))
    for sentence in found.guessed:
        say(sentence)
    if not found.names:
        count = counted(len(found.chosen("all")), "photo")
        say(f"{found.name} names no classes: it is taken as {count} without classes.")
    return found


def path_of(data: str) -> Path | None:
    """The file or folder that DATA names; None for data of the catalog and of a hub."""
    return Path(with_home(data)) if is_path(data) else None


def _read_path(data: str, skip_bad: bool, classless: bool) -> ImageSet:
    path = Path(with_home(data))
    if path.is_dir():
        found = _read_folder(path, skip_bad, classless)
    elif path.suffix.lower() in (*TABLE_TYPES, *OTHER_TYPES) and path.is_file():
        found = read_csv(path, classless=classless)
    elif path.is_file():
        raise DataError(f"{path} is not a CSV index or a folder.", todo="Give a folder of photos or a table of images.")
    elif what := irregular(path):
        raise DataError(f"{path} cannot be read: it is {what}.", todo="Give a folder of photos or a CSV.")
    else:
        raise DataError(f"There is no data at {path}.", todo=_near(path))
    return found


def _read_folder(path: Path, skip_bad: bool, classless: bool) -> ImageSet:
    refuse_tables(path)
    try:
        table = read_table_folder(path, classless=classless)
    except DataError:
        refuse_tasks(path)
        raise
    return table or apply_split_lists(read_folder(path, skip_bad=skip_bad))


def _near(path: Path) -> str:
    from dapt.data.catalog.base import CATALOG

    close = difflib.get_close_matches(path.name.lower(), CATALOG.names(), n=1, cutoff=0.6)
    if close and path.parent == Path():
        return f"Did you mean the data set '{close[0]}'? 'dapt data list' shows all."
    parent = path.parent
    if not parent.is_dir():
        return f"The folder {parent} does not exist either."
    beside = [
        other.name
        for other in parent.iterdir()
        if not other.name.startswith(".") and (other.is_dir() or other.suffix == ".csv")
    ]
    if resolved(parent) == resolved(parent).parent and closest(path.name, beside) is None:
        beside = []  # what a system has at its root is nobody's data
    hint = did_you_mean(path.name, beside) if beside else ""
    return hint or "Give a name from 'dapt data list', a folder with one sub-folder per class, or a CSV."


def read_names(path: Path, current: tuple[str, ...]) -> list[str]:
    """Class names from a file: one per line in label order, or a JSON object from old to new names.

    Raises:
        ConfigError: the file is missing, holds something else than names, or names classes that do not exist.
    """
    text = _text_of(path, "The names file")
    if path.suffix.lower() != ".json":
        return _each_named(_lines(text), path)
    try:
        table = json.loads(text, object_pairs_hook=each_once)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"The names file {path} is not valid JSON: {error}.") from error
    if isinstance(table, list):
        return _each_named(table, path)
    if not isinstance(table, dict):
        raise ConfigError(f"The names file {path} must hold a list of names, or an object from old to new names.")
    renamed: dict[str, Any] = {}
    for old, new in table.items():
        plain = nfc(old).replace("_", " ")
        if plain in renamed:
            raise ConfigError(f"{path} renames '{plain}' twice.", todo="Name every class once.")
        renamed[plain] = new
    _each_named(list(renamed.values()), path, [shown(old) for old in table])
    unknown = sorted(set(renamed) - set(current))
    if unknown:
        raise ConfigError(
            f"{path} renames '{unknown[0]}', which is no class of the data.",
            todo=did_you_mean(unknown[0], current),
        )
    return [renamed.get(name, name) for name in current]


def lines_in(path: Path, what: str) -> list[str]:
    """Names from a file, one per line.

    Args:
        what: it is, for messages.

    Raises:
        ConfigError: it cannot be read, or holds none.
    """
    names = _lines(_text_of(path, what))
    if not names:
        raise ConfigError(f"{what} {path} holds no name.", todo="Put one name into each line.")
    return names


def _text_of(path: Path, what: str) -> str:
    try:
        text, encoding = decode(read_bytes(path, LIST_BYTES))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{what} {path} cannot be read: {reason(error)}.") from error
    if encoding:
        say(f"{path}: its encoding is {encoding}.")
    return text


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _each_named(names: list[Any], path: Path, places: list[str] | None = None) -> list[str]:
    """The names, if each of them is a text with something in it.

    Args:
        places: where each stands, for messages; None: they are numbered.

    Raises:
        ConfigError: one is not.
    """
    for number, name in enumerate(names):
        place = f"name {number + 1}" if places is None else f"the name of {places[number]}"
        if not isinstance(name, str):
            raise ConfigError(f"{path}: {place} is {shown(name)}, not a text.", todo="Put every name in quotes.")
        if not name.strip():
            raise ConfigError(f"{path}: {place} is empty.", todo="Give every class a name.")
        if "\0" in name or not is_utf8(name):
            raise ConfigError(f"{path}: {place} has a zero byte, or half of a character, in it.")
    return names
