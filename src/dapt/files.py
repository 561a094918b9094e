"""Writing files so that they appear whole or not at all, and reading JSON strictly.

Whatever can be made in memory is: some writers (image encoders, C++ archives) do not notice a short write. The bytes
then go into a file beside the target, are counted, synced and renamed, and the folder is synced, so that neither a
killed process nor a lost power supply leaves half a file under a name that somebody reads.
"""

from __future__ import annotations

import errno
import io
import json
import math
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from dapt.errors import DaptError
from dapt.regular import read_text, reason

PART = re.compile(r"\.(?P<name>.+)\.[0-9a-z_]{8}\.part", re.DOTALL)  # what an interrupted write leaves
JSON_BYTES = 2**30  # what a run notes of ten million images
LONGEST_NAME = 200  # bytes of the target's name in the name of the part; file systems allow 255 in all
SYNCED_TOGETHER = 8
# What file systems answer that cannot sync a folder.
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM}


def write_bytes(
    path: Path | str, content: bytes | memoryview, *, make_parents: bool = True, within: Path | None = None
) -> None:
    """Write `content` to `path`, whole or not at all.

    Args:
        make_parents: make the folder of the file; otherwise it has to be there. within: this folder above it has to be
            there in any case.

    Raises:
        DaptError: the file system refused the write (disk full, read-only, no such folder, ...).
    """
    with whole_file(path, make_parents=make_parents, within=within) as temporary, temporary.open("wb") as file:
        file.write(content)
        file.flush()
        written = os.fstat(file.fileno()).st_size
        if written != len(content):
            raise OSError(errno.EIO, f"only {written} of {len(content)} bytes were written", str(temporary))


def append_bytes(path: Path, content: bytes, at: int) -> bool:
    """Put `content` behind the first `at` bytes of a file that grows, in its place, so that who reads along goes on.

    For files of records that tell whether they are whole: a kill may leave a part of the last one, which the next call
    cuts off with what else stands behind `at`.

    Returns:
        False: the file is not there or is shorter, nothing was done.

    Raises:
        DaptError: the file system refused; what was written is cut off again, where that is possible.
    """
    try:
        with path.open("rb+") as file:
            if os.fstat(file.fileno()).st_size < at:
                return False
            try:
                file.truncate(at)
                file.seek(at)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):
                    os.truncate(path, at)
                raise
    except FileNotFoundError:
        return False
    except OSError as error:
        raise refused(error, path) from error
    return True


@contextmanager
def whole_file(path: Path | str, *, make_parents: bool = True, within: Path | None = None) -> Iterator[Path]:
    """Yield an empty file beside `path`; on success it is synced and replaces `path`, on failure it is removed.

    For content that is too large for memory; otherwise use `write_bytes`. The caller has to notice short writes:
    Python's own files do.

    Raises:
        DaptError: the file system refused the write, or something else that was used on the way; names the file.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        if make_parents:
            make_folder(path.parent, within)
        temporary = part_of(path)
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        _discard(temporary)
        raise refused(error, path, temporary) from error
    except BaseException:
        _discard(temporary)
        raise


def write_files(contents: Iterable[tuple[Path, bytes]], *, within: Path | None = None) -> None:
    """Write many small files, each whole or not at all, in a fraction of the time of one after the other.

    All are written and synced before the first gets its name, and each folder is synced once.

    Args:
        contents: paths and what they are to hold. within: as for `write_bytes`.

    Raises:
        DaptError: the file system refused; of the files before the one that is named some may be there.
    """
    parts: list[tuple[Path, Path]] = []
    path = Path()
    temporary: Path | None = None
    try:
        for path, content in contents:
            make_folder(path.parent, within)
            temporary = part_of(path)
            with os.fdopen(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666), "wb") as file:
                parts.append((temporary, path))
                file.write(content)
        with ThreadPoolExecutor(SYNCED_TOGETHER) as pool:  # disks sync many at once in the time of one
            syncing = [(pool.submit(_sync, part), part, target) for part, target in parts]
        for done, temporary, path in syncing:  # noqa: B007 - an error names them
            done.result()
        for temporary, path in parts:
            temporary.replace(path)
        for folder in dict.fromkeys(path.parent for _, path in parts):
            path = folder
            sync_folder(folder)
    except BaseException as error:
        for part, _ in parts:
            _discard(part)
        if isinstance(error, OSError):
            raise refused(error, path, temporary) from error
        raise


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def part_of(path: Path) -> Path:
    """A new name beside `path` for a file that is to replace it; `leftovers` finds what stays of it."""
    return path.with_name(f".{_stem(path.name)}.{secrets.token_hex(4)}.part")


def _stem(name: str) -> str:
    return os.fsdecode(os.fsencode(name)[:LONGEST_NAME])


def leftovers(folder: Path, names: Iterable[str]) -> list[Path]:
    """Parts in `folder` that interrupted writes of the files `names` have left."""
    stems = {_stem(name) for name in names}
    if not folder.is_dir():
        return []
    found = ((path, PART.fullmatch(path.name)) for path in sorted(folder.iterdir()))
    return [path for path, match in found if match and match["name"] in stems]


def parts_in(folder: Path) -> list[Path]:
    """All parts that interrupted writes have left in a folder that is dapt's own."""
    return [path for path in sorted(folder.iterdir()) if PART.fullmatch(path.name)] if folder.is_dir() else []


def make_folder(folder: Path, within: Path | None = None) -> None:
    """Make a folder and what is missing above it, so that it survives a crash.

    Args:
        within: a folder above it that is not made: it was there, so somebody has removed it meanwhile.

    Raises:
        OSError: the file system refuses, or `within` is gone.
    """
    missing = []
    while not folder.exists():
        if folder == within:
            raise FileNotFoundError(errno.ENOENT, "it was removed meanwhile", str(folder))
        missing.append(folder)
        if folder.parent == folder:
            break
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync_folder(each.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the file system can."""
    if os.name == "nt":  # folders cannot be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(handle)


def sync_disk() -> None:
    """Make everything durable that was written: where files are too many to be synced one by one."""
    if hasattr(os, "sync"):  # not on Windows
        os.sync()


def remove_file(path: Path) -> None:
    """Remove a file that dapt wrote, if it is there, durably.

    Raises:
        DaptError: the file system refuses.
    """
    try:
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            sync_folder(path.parent)
    except OSError as error:
        raise DaptError(f"Could not remove {path}: {error.strerror or error}.") from error


def refused(error: OSError, path: Path, temporary: Path | None = None) -> DaptError:
    """What to say when `path` could not be written: the file that failed, which may be another one."""
    own = {None, str(path), str(path.parent), *([str(temporary)] if temporary else [])}
    failed = path if error.filename is None or str(error.filename) in own else error.filename
    verb = "write" if failed == path else "use"
    return DaptError(
        f"Could not {verb} {failed}: {error.strerror or error}.",
        todo=f"{path} was left as it was. Free some space or choose another folder, then run again.",
    )


def _discard(temporary: Path | None) -> None:
    if temporary is not None:
        with suppress(OSError):  # the error that led here is the one to tell
            temporary.unlink(missing_ok=True)


def write_text(path: Path | str, text: str, *, make_parents: bool = True, within: Path | None = None) -> None:
    """Write `text` (UTF-8; undecodable parts of file names as their bytes) to `path`, whole or not at all."""
    write_bytes(path, text.encode("utf-8", "surrogateescape"), make_parents=make_parents, within=within)


def write_json(path: Path | str, value: Any, *, make_parents: bool = True) -> None:
    """Write `value` as indented JSON to `path`, whole or not at all.

    Raises:
        DaptError: a number is not finite, which JSON cannot say; or see `write_bytes`.
    """
    write_bytes(path, json_text(value, path).encode(), make_parents=make_parents)


def json_text(value: Any, path: Path | str) -> str:
    """`value` as the text of a JSON file, see `write_json`."""
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError as error:
        place = _not_finite(value)
        if place is None:
            raise
        raise DaptError(
            f"{path} was not written: {place[0] or 'the value'} is {place[1]}, which is no result.",
            todo="Look for the cause in what was measured: parameters or weights that are not finite.",
        ) from error
    try:
        text.encode()
    except UnicodeEncodeError:  # file names that are not UTF-8
        text = json.dumps(value, indent=2, allow_nan=False) + "\n"
    return text


def _not_finite(value: Any, key: str = "") -> tuple[str, float] | None:
    """Where in a tree the first number lies that is not finite, and that number."""
    if isinstance(value, float) and not math.isfinite(value):
        return key, value
    if isinstance(value, dict):
        parts: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list | tuple):
        parts = enumerate(value)
    else:
        return None
    found = (_not_finite(part, f"{key}.{name}" if key else str(name)) for name, part in parts)
    return next((place for place in found if place is not None), None)


def write_with(
    path: Path | str, writer: Callable[[BinaryIO], Any], *, make_parents: bool = True, within: Path | None = None
) -> None:
    """Let `writer(file)` produce the content in memory, then write it to `path`, whole or not at all."""
    buffer = io.BytesIO()
    writer(buffer)
    write_bytes(path, buffer.getbuffer(), make_parents=make_parents, within=within)


def read_json(path: Path) -> Any:
    """Parse a JSON file.

    Raises:
        DaptError: the file is missing or is not valid JSON (``NaN`` and ``Infinity`` are not).
    """
    try:
        return parse_json(read_text(path, JSON_BYTES))
    except OSError as error:
        raise DaptError(f"Could not read {path}: {reason(error)}.") from error
    except (ValueError, RecursionError) as error:
        raise DaptError(f"{path} is not valid JSON: {error}.") from error


def parse_json(text: str) -> Any:
    """Strict JSON.

    Raises:
        ValueError, RecursionError: it is not.
    """
    return json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is no number")
