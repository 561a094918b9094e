"""Few-shot caches of CoOp and the code that follows it: pickles, read without running anything they say.

``split_fewshot/shot_<k>-seed_<s>.pkl`` holds ``{"train": [Datum, ...], "val": [...]}`` with absolute paths of the
machine that wrote it.
"""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dapt.data.fewshot import sample_few_shot
from dapt.data.items import ImageSet, Item
from dapt.errors import DataError
from dapt.limits import PICKLE_BYTES, PICKLE_OBJECTS
from dapt.regular import open_regular
from dapt.strict import nfc

LIMIT = PICKLE_BYTES
DATUM = re.compile(r"dassl\.data\.datasets(\.base_dataset)?|datasets(\.\w+)?")
FILE_NAME = re.compile(r"shot_(\d+)-seed_(\d+)")
Entry = tuple[str, int, str]

# Names of pickle instructions, see `pickletools`.
TUPLES = {"EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}
CALLS = {"REDUCE", "NEWOBJ"}
MAKERS = {"EMPTY_DICT", "DICT", "EMPTY_LIST", "LIST", "OBJ", "INST", *CALLS}
MEMO = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
INSTRUCTIONS = {
    *("PROTO", "FRAME", "STOP", "MARK", "GET", "BINGET", "LONG_BINGET", *MEMO),
    *("EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "EMPTY_LIST", "LIST", "APPEND", "APPENDS", *TUPLES),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE"),
    *("NONE", "NEWTRUE", "NEWFALSE", "INT", "LONG", "LONG1", "BININT", "BININT1", "BININT2"),
    *("GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "BUILD", *CALLS),
}
LARGEST = 2**31  # among the numbers, which serve as labels; larger ones can be chosen to slow down a dict


def read_old_fewshot(path: Path | str) -> dict[str, list[Entry]]:
    """The images of a pickled few-shot cache, by split: path as written, label, class name.

    Only the class ``Datum`` of Dassl and of the data set files that copied it is known, and becomes an inert stand-in;
    any other class or function in the pickle is refused before it is looked up.

    Raises:
        DataError: missing, too large, not a pickle, truncated, or anything else than such a cache.
    """
    path = Path(path)
    content = _content(path)
    try:
        _check_instructions(content)
        return _entries(_Reader(content, path).load(), path)
    except DataError:
        raise
    except Exception as error:  # a damaged pickle can fail in any way; nothing but our own code ran
        raise DataError(
            f"{path} is damaged, or not a pickled few-shot cache ({type(error).__name__}: {error}).",
            todo="Copy it again, or leave it: the same images are drawn from --shots and --seed.",
        ) from error


def _content(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            content = file.read(LIMIT + 1)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(content) > LIMIT:
        raise DataError(
            f"{path} has {size / 2**20:.0f} MB, a few-shot cache has a few.",
            todo=f"Files above {LIMIT // 2**20} MB are not read.",
        )
    return content


def _check_instructions(content: bytes) -> None:
    """Refuse what no few-shot cache of protocol 0 to 5 has, before anything is built from it.

    Only lists, dicts, text, small numbers and objects are let through. Tuples serve as arguments alone: nested ones
    can take the interpreter's stack or run for years when they are hashed. Numbers in the memo are below the length of
    the file: larger ones would claim memory without end. So would millions of empty lists, at a byte each.

    Raises:
        ValueError: an instruction that no few-shot cache needs, or too many.
    """
    tuple_before = False
    made = 0
    for opcode, argument, position in pickletools.genops(content):
        fits = opcode.name in INSTRUCTIONS
        if tuple_before and opcode.name not in MEMO:
            fits = opcode.name in CALLS
        if isinstance(argument, int):
            fits = fits and abs(argument) <= (len(content) if opcode.name in MEMO else LARGEST)
        made += opcode.name in MAKERS
        if made > PICKLE_OBJECTS:
            raise ValueError(f"more than {PICKLE_OBJECTS:,} lists and objects, which no few-shot cache needs")
        if not fits:
            raise ValueError(f"{opcode.name} at byte {position}, which no few-shot cache needs")
        tuple_before = opcode.name in TUPLES or (tuple_before and opcode.name in MEMO)


class _Datum:
    """What is left of a Datum: the state that was stored. Nothing else can be set, on it or on the class."""

    __slots__ = ("state",)

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Reader(pickle.Unpickler):
    """An unpickler that knows one class."""

    def __init__(self, content: bytes, path: Path) -> None:
        super().__init__(io.BytesIO(content), encoding="utf-8")
        self._path = path

        def reconstruct(kind: object, base: object, state: object) -> _Datum:
            """What pickles of protocol 0 and 1 call to make an object; new per file: they can set its attributes."""
            if kind is not _Datum or base is not object or state is not None:
                raise ValueError("only Datum can be made")
            return _Datum()

        self._reconstruct = reconstruct

    def find_class(self, module_name: str, global_name: str) -> Any:
        """The stand-in for a known name.

        Raises:
            DataError: any other name.
        """
        if global_name == "Datum" and DATUM.fullmatch(module_name):
            return _Datum
        if (module_name, global_name) in (("copyreg", "_reconstructor"), ("copy_reg", "_reconstructor")):
            return self._reconstruct
        if (module_name, global_name) in (("builtins", "object"), ("__builtin__", "object")):
            return object
        raise DataError(
            f"{self._path} asks for '{module_name}.{global_name}', which no few-shot cache needs.",
            todo="Nothing of it was run. Do not open this file with other programs unless you trust its origin.",
        )


def _entries(found: object, path: Path) -> dict[str, list[Entry]]:
    def refuse(what: str) -> DataError:
        return DataError(
            f"{path} is not a few-shot cache: {what}.", todo="Expected are lists of images under 'train' and 'val'."
        )

    if not isinstance(found, dict) or "train" not in found:
        raise refuse("it has no list of training images")
    result: dict[str, list[Entry]] = {}
    for split, values in found.items():
        if split not in ("train", "val", "test") or not isinstance(values, list):
            shown = repr(split[:40]) if isinstance(split, str) else f"a key of type {type(split).__name__}"
            raise refuse(f"{shown} is not a list of images for train, val or test")
        result[split] = []
        for number, value in enumerate(values):
            state = getattr(value, "state", None) if type(value) is _Datum else None
            if not isinstance(state, dict):
                raise refuse(f"{split}, entry {number} has no path, label and class name")
            name, label, classname = state.get("_impath"), state.get("_label"), state.get("_classname")
            if not (type(name) is str and type(label) is int and type(classname) is str):
                raise refuse(f"{split}, entry {number} has no path, label and class name")
            result[split].append((name, label, classname))
    if not result["train"]:
        raise refuse("its list of training images is empty")
    return result


def relative_names(paths: Iterable[str], names: Iterable[str]) -> list[str]:
    """Absolute paths of another machine as names of the data set's items.

    The folder of the images there is told by comparing the ends of paths and names: the longest that agree, in most
    cases. Paths outside that folder, or all if nothing agrees, stay as they are.
    """
    by_file: dict[str, list[tuple[str, ...]]] = {}
    for name in names:
        parts = PurePosixPath(name).parts
        by_file.setdefault(parts[-1], []).append(parts)
    split = [PurePosixPath(path.replace("\\", "/")).parts for path in paths]
    votes: Counter[tuple[tuple[str, ...], tuple[str, ...]]] = Counter()
    for parts in split:
        fits = [(_common_end(parts, other), other) for other in by_file.get(parts[-1] if parts else "", ())]
        longest = max((length for length, _ in fits), default=0)
        best = [other for length, other in fits if length == longest]
        if len(best) == 1:
            votes[parts[: len(parts) - longest], best[0][: len(best[0]) - longest]] += 1
    old, new = votes.most_common(1)[0][0] if votes else ((), ())
    return [
        "/".join((*new, *parts[len(old) :]) if parts[: len(old)] == old else parts).replace("//", "/")
        for parts in split
    ]


def _common_end(first: Sequence[str], second: Sequence[str]) -> int:
    length = 0
    for one, other in zip(reversed(first), reversed(second), strict=False):
        if one != other:
            break
        length += 1
    return length


@dataclass(frozen=True)
class OldSample:
    """A few-shot cache in terms of a data set.

    Attributes:
        splits: items of ``train`` and ``val`` in the order of the cache, ``test`` of the data set.
        from_test: how many images of train and val are in the data set's test split only.
    """

    splits: dict[str, list[Item]]
    from_test: int

    def table(self, data: ImageSet) -> dict[str, list[list[str | int]]]:
        """The split file: path relative to the images, label, class name."""
        return {
            split: [[item.name, item.label, data.names[item.label]] for item in items]
            for split, items in self.splits.items()
        }


def match_sample(found: dict[str, list[Entry]], data: ImageSet, path: Path | str) -> tuple[OldSample, list[str]]:
    """Find the images of a cache in a data set, and check their classes.

    Args:
        found: see `read_old_fewshot`. data: the data set. path: of the cache, for messages.

    Returns:
        the sample without the images that are missing; the paths of those.

    Raises:
        DataError: a label or class name differs from the data set's.
    """
    items = {nfc(item.name): item for split in ("test", "val", "train") for item in data.labelled(split)}
    tests = {item.name for item in data.split("test")}
    own = {split: {item.name for item in data.split(split)} for split in ("train", "val")}
    entries = [(split, entry) for split in ("train", "val") for entry in found.get(split, [])]
    names = relative_names([nfc(entry[0]) for _, entry in entries], items)
    splits: dict[str, list[Item]] = {"train": [], "val": [], "test": list(data.labelled("test"))}
    missing: list[str] = []
    for (split, (old_path, label, classname)), name in zip(entries, names, strict=True):
        item = items.get(name)
        if item is None:
            missing.append(old_path)
            continue
        if item.label != label or _plain(data.names[item.label]) != _plain(classname):
            raise DataError(
                f"{path} gives {name} the class {label} '{classname}', in {data.name} it is {item.label} "
                f"'{data.names[item.label]}'.",
                todo="The cache was made for other data or another order of classes; it is of no use here.",
            )
        splits[split].append(item)
    from_test = sum(item.name in tests - own[split] for split in own for item in splits[split])
    return OldSample(splits, from_test), missing


def _plain(name: str) -> str:
    return " ".join(nfc(name).replace("_", " ").split())


def compare_with_rule(sample: OldSample, data: ImageSet, path: Path | str) -> str:
    """One sentence: whether the sample is the one that the published rule draws for the shots and seed in the name."""
    told = FILE_NAME.search(Path(path).name)
    if told is None:
        return "The file name tells no shots and seed (shot_16-seed_1.pkl), so the published rule was not compared."
    shots, seed = int(told[1]), int(told[2])
    pools = {split: data.labelled(split) for split in ("train", "val")}
    labels = [[item.label for item in pools[split]] for split in ("train", "val")]
    positions = dict(zip(pools, sample_few_shot(labels[0], labels[1], shots, seed), strict=True))
    rule = f"the published rule for {shots} shots and seed {seed}"
    different = total = 0
    same_order = True
    for split in ("train", "val"):
        cached = [item.name for item in sample.splits[split]]
        if not cached:
            continue
        drawn = [pools[split][position].name for position in positions[split]]
        different += len(set(cached) - set(drawn))
        total += len(cached)
        same_order = same_order and cached == drawn
    if same_order:
        return f"The list equals {rule}: --shots {shots} --seed {seed} draws the same images."
    if different == 0:
        return f"The list holds images that {rule} draws, but in another order or not all of them."
    return f"The list differs from {rule}: {different} of {total} images are others."
