"""Writing files so that they appear whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dapt.errors import DaptError


@contextmanager
def whole_file(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path`, on failure `path` stays as it was.

    Raises:
        DaptError: the file system refused the write (disk full, read-only, no such folder, ...).
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        _discard(temporary)
        raise DaptError(
            f"Could not write {path}: {error.strerror or error}.",
            todo="Nothing was changed there. Free some space or choose another folder, then run again.",
        ) from error
    except BaseException:
        _discard(temporary)
        raise


def _discard(temporary: Path | None) -> None:
    if temporary is not None:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    """Write `text` (UTF-8) to `path`, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path | str, value: Any) -> None:
    """Write `value` as indented JSON to `path`, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_with(path: Path | str, writer: Callable[[Path], Any]) -> None:
    """Let `writer(temporary_path)` produce the file at `path`, whole or not at all."""
    with whole_file(path) as temporary:
        try:
            writer(temporary)
        except (OSError, DaptError):
            raise
        except Exception as error:
            # Some writers (safetensors, torch) wrap the operating system's error in their own type.
            cause = _os_error_in(error)
            if cause is None:
                raise
            raise cause from error


def _os_error_in(error: BaseException) -> OSError | None:
    text = str(error)
    for hint in ("os error", "No space", "File too large", "Disk quota", "enforce fail", "file write failed"):
        if hint in text:
            return OSError(text.splitlines()[0])
    return None


def read_json(path: Path) -> Any:
    """Parse a JSON file.

    Raises:
        DaptError: the file is missing or is not valid JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DaptError(f"Could not read {path}: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise DaptError(f"{path} is not valid JSON: {error}.") from error
