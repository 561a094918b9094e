"""What a pickle holds, found out without running anything of it.

Every class and function that it asks for is replaced by one that does nothing and keeps what it is given.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LEGACY = 0x1950A86A20F9469CFC6C  # the number that PyTorch files began with before they were zip archives
MOST = 64 * 2**20  # bytes of a pickle that are looked at; the numbers of tensors lie elsewhere
SIZES = {
    **{"DoubleStorage": 8, "LongStorage": 8, "FloatStorage": 4, "IntStorage": 4, "HalfStorage": 2, "ShortStorage": 2},
    **{"BFloat16Storage": 2, "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1},
}
TENSORS = ("torch._utils", "torch.storage", "torch.serialization", "collections", "torch._tensor", "_codecs")


class _Inert:
    """Stands for any object: it takes all that a pickle does to one, and does nothing."""

    args: tuple[Any, ...] = ()  # also where it was made without being initialised

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args

    def __call__(self, *args: Any, **kwargs: Any) -> _Inert:
        return _Inert(*args)

    def __setstate__(self, state: Any) -> None:
        self.args = (*self.args, state)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.args = (*self.args, {key: value} if _is_name(key) else value)

    def append(self, value: Any) -> None:
        self.args = (*self.args, value)

    def add(self, value: Any) -> None:
        self.append(value)

    def extend(self, values: Any) -> None:
        self.args = (*self.args, *values)


@dataclass
class Pickled:
    """What was found.

    Attributes:
        tree: dictionaries, lists and plain values, objects as inert ones. asked: classes and functions besides those of
            tensors, as ``module.name``. data_bytes: of the numbers of all tensors.
    """

    tree: Any = None
    asked: list[str] = field(default_factory=list)
    data_bytes: int = 0

    def names(self) -> list[str]:
        """Keys of all dictionaries, also of those within others."""
        return list(_keys(self.tree))


def look_into(path: Path) -> Pickled | None:
    """What the pickle of a PyTorch file holds; None if there is none that can be followed.

    Args:
        path: a file as `torch.save` writes them, its end may be missing.
    """
    try:
        content = _pickle_of(path)
    except Exception:  # a damaged archive can fail in any way
        return None
    if content is None:
        return None
    found = Pickled()
    stream = io.BytesIO(content)
    try:
        for _ in range(4):  # before they were archives, files began with a number, a version and sizes of the machine
            found.tree = _Reader(stream, found).load()
            if isinstance(found.tree, (dict, _Inert)) and "little_endian" not in _top(found.tree):
                break
    except Exception:  # a hand-made or cut pickle can fail in any way
        return found if found.asked or found.data_bytes else None
    return found


def _pickle_of(path: Path) -> bytes | None:
    with path.open("rb") as file:
        start = file.read(4)
        if start[:1] == b"\x80":
            file.seek(0)
            return file.read(MOST)
        if start != b"PK\x03\x04":
            return None
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                inside = [entry for entry in archive.infolist() if entry.filename.endswith("data.pkl")]
                if not inside or inside[0].file_size > MOST:
                    return None
                return archive.read(inside[0])
        file.seek(0)
        head = file.read(MOST)
    sizes = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
    name = head[30 : 30 + sizes[0]]
    return head[30 + sum(sizes) :] if name.endswith(b"data.pkl") else None


class _Reader(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, found: Pickled) -> None:
        super().__init__(stream)
        self._found = found
        self._seen: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in SIZES:
            return type(name, (_Inert,), {})
        if (module, name) in (("collections", "OrderedDict"), ("builtins", "dict")):
            return dict
        known = module in TENSORS or (module == "torch" and name in ("Size", "device", "bfloat16"))
        whole = f"{module}.{name}"
        if not known and whole not in self._found.asked:
            self._found.asked.append(whole)
        return type(name, (_Inert,), {})

    def persistent_load(self, pid: Any) -> Any:
        if isinstance(pid, tuple) and len(pid) >= 5 and isinstance(pid[4], int) and str(pid[2]) not in self._seen:
            self._seen.add(str(pid[2]))
            self._found.data_bytes += max(pid[4], 0) * SIZES.get(getattr(pid[1], "__name__", ""), 1)
        return _Inert()


def _is_name(value: Any) -> bool:
    return isinstance(value, str)


def _top(tree: Any) -> set[str]:
    return {key for key in tree if _is_name(key)} if isinstance(tree, Mapping) else set()


def _keys(tree: Any) -> Iterator[str]:
    waiting, seen = [tree], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, _Inert):
            value = value.args
        if not isinstance(value, (Mapping, list, tuple)) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Mapping):
            yield from (key for key in value if _is_name(key))
        waiting += value.values() if isinstance(value, Mapping) else value
