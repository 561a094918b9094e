"""Whether two folders that dapt has filled hold the same, but for what a clock or a machine decides."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

CLOCK = ("timing", "environment", "seconds", "images_per_second", "peak_memory_mb", "when")
STAMP = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")
SECONDS = re.compile(r"\d+(\.\d+)? s\b")
# What a session that goes on with another one says in addition.
OF_SLOWNESS = re.compile(r".*: \d+/\d+ \(.* left\)")  # how far it is, of what takes longer than a few seconds
OF_RESUMING = re.compile(r"resuming after epoch \d+|.* was held by process \d+ on .*; its lock is taken over\.")


def snapshot(folder: Path) -> dict[str, bytes]:
    """The content of all files below a folder, by path; folders that hold nothing have a name that ends in a slash."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file():
            found[name] = path.read_bytes()
        elif not any(path.iterdir()):
            found[name + "/"] = b""
    return found


def differences(expected: dict[str, bytes], found: dict[str, bytes]) -> list[str]:
    """What is not the same, a line each; the files of `expected` come from a command that nothing interrupted."""
    told = [f"{name} is missing" for name in expected if name not in found]
    told += [f"{name} is left over" for name in found if name not in expected]
    for name, content in expected.items():
        if name in found:
            reason = _difference(name, content, found)
            if reason:
                told.append(f"{name}: {reason}")
    return told


def _difference(name: str, content: bytes, found: dict[str, bytes]) -> str:
    now = found[name]
    if name.rpartition("/")[2] == ".dapt.json":
        return _manifest(name, content, found)
    look = _LOOKS.get(name.rpartition("/")[2]) or _ENDINGS.get(name.rpartition(".")[2])
    if look is not None:
        try:
            before, after = look(content), look(now)
        except (ValueError, KeyError) as error:
            return f"damaged: {error}"
        return "" if before == after else f"{_first(before, after)}"
    return "" if content == now else "other bytes"


def _first(before: Any, after: Any) -> str:
    if isinstance(before, list) and isinstance(after, list):
        for number, (one, other) in enumerate(zip(before, after, strict=False)):
            if one != other:
                return f"entry {number}: {one!r} has become {other!r}"
        return f"{len(before)} entries have become {len(after)}: {(before + after)[min(len(before), len(after)) :][:3]}"
    before, after = str(before), str(after)
    place = next((n for n, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), 0)
    return f"...{before[max(0, place - 40) : place + 100]} has become ...{after[max(0, place - 40) : place + 100]}"


def _manifest(name: str, content: bytes, found: dict[str, bytes]) -> str:
    """The list of files: equal, and what it seals is so."""
    before, after = json.loads(content), json.loads(found[name])
    own = {"files": None, "digest": None}  # checksums follow the times in the files
    if {**before, **own} != {**after, **own} or sorted(before["files"]) != sorted(after["files"]):
        return f"lists {after} instead of {before}"
    folder = name.rpartition("/")[0]
    for file, digest in after["files"].items():
        if (digest is None) != (before["files"][file] is None):
            return f"{file} is {'not ' if digest is None else ''}sealed"
        place = f"{folder}/{file}" if folder else file
        if digest is not None and hashlib.sha256(found.get(place, b"")).hexdigest() != digest:
            return f"{file} does not have its checksum"
    return ""


def halves(found: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    """The files that are not whole: neither as expected, nor whole by what they are; parts and locks are none.

    What was being unpacked when a disk died cannot be removed; the next call does it.
    """
    told = []
    for name, content in found.items():
        last = name.rpartition("/")[2]
        check = _WHOLE.get(last) or _WHOLE.get(last.rpartition(".")[2])
        if content == expected.get(name) or last.endswith((".part", "lock", ".owner.json")) or name.endswith("/"):
            continue
        if "/unpacking-" in name:
            continue
        try:
            assert check is not None, "no rule says what whole means"
            check(content)
        except Exception as error:
            told.append(f"{name} is not whole ({len(content)} bytes): {error}")
    return told


def _whole_image(content: bytes) -> None:
    from PIL import Image

    with Image.open(io.BytesIO(content)) as picture:
        picture.load()


def _whole_state(content: bytes) -> None:
    import torch

    torch.load(io.BytesIO(content), weights_only=True)


def _whole_prompts(content: bytes) -> None:
    from safetensors.torch import load

    load(content)


def _whole_tar(content: bytes) -> None:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.getmembers()


def _whole_lines(content: bytes) -> None:
    assert content.endswith(b"\n"), "its last line has no end"


def _whole_page(content: bytes) -> None:
    assert content.strip().endswith(b"</html>"), "the page has no end"


def _json(content: bytes) -> Any:
    return without_clock(json.loads(content))


def without_clock(tree: Any) -> Any:
    """A JSON value without the keys that a clock or a machine decides."""
    if isinstance(tree, dict):
        return {key: without_clock(value) for key, value in tree.items() if key not in CLOCK}
    return [without_clock(value) for value in tree] if isinstance(tree, list) else tree


def _lines(content: bytes) -> Any:
    return [without_clock(json.loads(line)) for line in content.decode().splitlines()]


def _log(content: bytes) -> list[str]:
    lines = content.decode().splitlines()
    bare = [line for line in lines if not STAMP.match(line)]
    if bare:
        raise ValueError(f"lines without a time: {bare[:2]}")
    kept = [text for text in said(lines) if not OF_RESUMING.fullmatch(text) and not OF_SLOWNESS.fullmatch(text)]
    return [SECONDS.sub("# s", text) for text in kept]


def said(lines: list[str]) -> list[str]:
    """The lines of a log without their times."""
    return [STAMP.sub("", line) for line in lines]


def _page(content: bytes) -> str:
    """A page without times, and without what it says of an interruption."""
    return SECONDS.sub("# s", content.decode()).replace(" in the last session, after an interruption", "")


def _events(content: bytes) -> list[tuple[int, str, float]]:
    """Step, name and value of the figures in a TensorBoard file, checksums included."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    found = []
    position = 0
    while position < len(content):
        header, length = content[position : position + 8], int.from_bytes(content[position : position + 8], "little")
        if int.from_bytes(content[position + 8 : position + 12], "little") != masked_crc32c(header):
            raise ValueError("the length of a record is wrong")
        body = content[position + 12 : position + 12 + length]
        if int.from_bytes(content[position + 12 + length : position + 16 + length], "little") != masked_crc32c(body):
            raise ValueError("a record is wrong")
        event = Event.FromString(body)
        found += [
            (event.step, value.tag, value.simple_value) for value in event.summary.value if value.tag not in CLOCK
        ]
        position += 16 + length
    return found


def _growing_events(content: bytes) -> None:
    """A TensorBoard file that grows: whole records, of the last one perhaps a part, as a dying disk leaves it."""
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    position = 0
    while position + 12 <= len(content):
        header, length = content[position : position + 8], int.from_bytes(content[position : position + 8], "little")
        if int.from_bytes(content[position + 8 : position + 12], "little") != masked_crc32c(header):
            raise ValueError("the length of a record is wrong")
        if position + 16 + length > len(content):
            break
        position += 16 + length
    _events(content[:position])


def _masks(content: bytes) -> Any:
    """Without the times of images, which are written anew for every run, and the seal over them."""
    tree = json.loads(content)
    tree.pop("seal", None)
    for entry in tree.get("masks", {}).values():
        entry.pop("seen", None)
    return tree


_LOOKS: dict[str, Callable[[bytes], Any]] = {
    ".lock": lambda content: None,  # its content says nothing
    "log.txt": _log,
    "masks.json": _masks,
    "metrics.jsonl": _lines,
    "split.json": lambda content: content,
    "inputs.json": lambda content: content,
    "index.html": _page,
    "events.out.tfevents.0.dapt": _events,
}
_WHOLE: dict[str, Callable[[bytes], Any]] = {
    "json": json.loads,
    "jsonl": lambda content: [json.loads(line) for line in content.splitlines()],
    "yaml": yaml.safe_load,
    "txt": _whole_lines,
    "csv": _whole_lines,
    "html": _whole_page,
    "png": _whole_image,
    "jpg": _whole_image,
    "ckpt": _whole_state,
    "zip": lambda content: zipfile.ZipFile(io.BytesIO(content)).testzip(),
    "tar": _whole_tar,
    "safetensors": _whole_prompts,
    "events.out.tfevents.0.dapt": _growing_events,
}
_ENDINGS: dict[str, Callable[[bytes], Any]] = {"json": _json}
