"""What a file is that is said to hold weights, by its first bytes: whole, cut, a pointer, a web page, an archive."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

from dapt.clip.pickled import look_into
from dapt.errors import ModelError

HEAD = 1024
LONGEST_HEADER = 100 * 2**20
POINTER = b"version https://git-lfs.github.com/spec/"
PAGE = re.compile(rb"\s*(<!doctype\s+html|<html|<head|<body|<\?xml|<!--|<script|<error)", re.IGNORECASE)
FETCH = "Fetch the file again, with 'curl -L' or in a browser where you are logged in, and compare its size."
ARCHIVES = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"7z\xbc\xaf\x27\x1c": "7-zip",
    b"Rar!\x1a\x07": "RAR",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}
OTHERS = {
    b"\x89HDF\r\n\x1a\n": "an HDF5 file, as Keras and TensorFlow write them",
    b"GGUF": "a GGUF file, as llama.cpp reads them",
    b"\x93NUMPY": "a NumPy array",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"%PDF": "a PDF document",
    b"\x7fELF": "a program",
}


def refuse_foreign(path: Path) -> None:
    """Refuse what cannot be weights, by its name and with the way out.

    Raises:
        ModelError: it is empty, incomplete, a pointer of git-LFS, a web page, a text, an archive, or of another kind.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    size = path.stat().st_size
    if not head:
        raise ModelError(f"{path} is empty: it was never downloaded, or not yet.", todo=FETCH)
    if head.startswith(POINTER):
        raise _pointer(path, head)
    if PAGE.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise ModelError(
            f"{path} is a web page of {size:,} bytes, not weights: its address led to a page, often a login.",
            todo=FETCH,
        )
    header = safetensors_header(path)
    if header is not None:
        _check_length(path, size, header)
        return
    if head.startswith(b"PK\x03\x04") and not zipfile.is_zipfile(path):
        found = look_into(path)
        raise incomplete(path, found.data_bytes if found else None, least=True)
    for start, name in ARCHIVES.items():
        if head.startswith(start):
            raise ModelError(f"{path} is a packed archive ({name}).", todo="Unpack it, and name the weight file in it.")
    if head[257:262] == b"ustar":
        raise ModelError(f"{path} is a packed archive (tar).", todo="Unpack it, and name the weight file in it.")
    for start, name in OTHERS.items():
        if head.startswith(start):
            raise ModelError(f"{path} is {name}, not weights of PyTorch.", todo="Convert it to safetensors.")
    if _is_text(head):
        raise _text(path, head)


def safetensors_header(path: Path) -> dict[str, Any] | int | None:
    """The header of a safetensors file; its length where the file ends within it; None: it is no such file."""
    with path.open("rb") as file:
        start = file.read(9)
        if len(start) < 9 or start[8:9] != b"{":
            return None
        length = int.from_bytes(start[:8], "little")
        if not 2 <= length <= LONGEST_HEADER:
            return None
        text = start[8:] + file.read(length - 1)
    if len(text) < length:
        return length
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return header if isinstance(header, dict) else None


def incomplete(path: Path, whole: int | None = None, *, least: bool = False) -> ModelError:
    """The error for a file whose end is missing; `whole`: the bytes it should have, or at `least` has."""
    there = f"{path.stat().st_size:,}"
    of = f"{there} bytes are there" if not whole else f"{there} of {'at least ' * least}{whole:,} bytes are there"
    return ModelError(f"{path} is incomplete: {of}, its end is missing.", todo=FETCH)


def _check_length(path: Path, size: int, header: dict[str, Any] | int) -> None:
    if isinstance(header, int):
        raise incomplete(path, 8 + header, least=True)
    ends = [entry.get("data_offsets") for name, entry in header.items() if isinstance(entry, dict) and name[:2] != "__"]
    numbers = [pair[1] for pair in ends if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], int)]
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    whole = 8 + length + max(numbers, default=0)
    if size < whole:
        raise incomplete(path, whole)


def _pointer(path: Path, head: bytes) -> ModelError:
    found = re.search(rb"^size (\d+)", head, re.MULTILINE)
    of = f" of {int(found[1]):,} bytes" if found and len(found[1]) < 20 else ""
    return ModelError(
        f"{path} is a git-LFS pointer: it stands for weights{of}, which were not downloaded.",
        todo="Run 'git lfs pull' in the clone, or download the file itself.",
    )


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8", "strict" if len(head) < HEAD else "ignore")
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter in "\r\n\t" for letter in text)


def _text(path: Path, head: bytes) -> ModelError:
    what = "a text"
    todo = FETCH
    if head.lstrip()[:1] in (b"{", b"["):
        what = "JSON"
        if b"weight_map" in head or path.name.endswith(".index.json"):
            what = "the index of weights in several files"
            todo = "For the whole model write local-dir:FOLDER."
    kind = "is not a readable safetensors file" if path.suffix == ".safetensors" else "holds no weights"
    return ModelError(f"{path} {kind}: it is {what}.", todo=todo)
