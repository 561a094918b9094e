"""What was measured of the two libraries, in the user's cache: a small file for each processor, setting and model.

Its name is a hash of all that decides the times, which it also holds, so that nothing in it is ever out of date. One
that cannot be read is measured anew; a cache that cannot be written to is done without.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from dapt.clip.linear_times import Times
from dapt.console import warn
from dapt.errors import DaptError
from dapt.files import make_folder, parse_json, write_json
from dapt.lock import LOCK
from dapt.paths import user_cache
from dapt.regular import read_text

SCHEMA = 1
DIGITS = 16
BYTES = 65_536  # of one file at most
WAIT_S = 10.0  # for another process that measures the same
NAME = re.compile(rf"[0-9a-f]{{{DIGITS}}}\.json")

_told: set[str] = set()


def times_folder() -> Path | None:
    """Where the times are kept: ``dapt/linear`` in the user's cache; None: nobody knows a home."""
    try:
        return user_cache() / "linear"
    except RuntimeError:
        return None


def file_of(folder: Path, about: Mapping[str, Any]) -> Path:
    """The file for what decides the times."""
    text = json.dumps(dict(about), sort_keys=True)
    return folder / f"{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:DIGITS]}.json"


def read_times(path: Path, about: Mapping[str, Any]) -> Times | None:
    """The times kept in a file; None: there are none that can be used, which is said unless there is no file."""
    try:
        found = parse_json(read_text(path, BYTES))
        if found["schema"] != SCHEMA or found["about"] != json.loads(json.dumps(dict(about))):
            raise ValueError("it is of something else")
        times = Times(float(found["onednn_ms"]), float(found["plain_ms"]))
        if not all(math.isfinite(each) and each > 0 for each in (times.onednn_ms, times.plain_ms)):
            raise ValueError("it holds no times")
    except FileNotFoundError:
        return None
    except OSError as error:
        _tell(f"{path} cannot be read: {error.strerror or error}. The libraries are measured again.")
    except (DaptError, ValueError, TypeError, KeyError, RecursionError):
        _tell(f"{path} is damaged; the libraries are measured again.")
    else:
        return times
    return None


def write_times(path: Path, about: Mapping[str, Any], times: Times) -> None:
    """Keep times; a folder that cannot be written to is said once."""
    content = {"schema": SCHEMA, "onednn_ms": times.onednn_ms, "plain_ms": times.plain_ms, "about": dict(about)}
    try:
        write_json(path, content)
    except DaptError as error:
        _tell(f"{error.what} Which library multiplies is measured by every process.")


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Others that would measure wait, and then find what was measured; where files cannot be locked, none waits."""
    lock = FileLock(str(folder / LOCK))
    try:
        make_folder(folder)
        lock.acquire(timeout=WAIT_S)
    except (OSError, NotImplementedError, Timeout):  # read-only, no locks, or one that hangs: writing tells
        yield
        return
    try:
        yield
    finally:
        lock.release()


def kept_times() -> Iterator[tuple[Path, str]]:
    """The files by their names, with the processor each is of; ``damaged`` where that cannot be read."""
    folder = times_folder()
    if folder is None or not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if not NAME.fullmatch(path.name) or not path.is_file():
            continue
        try:
            yield path, str(parse_json(read_text(path, BYTES))["about"]["processor"])
        except (DaptError, OSError, ValueError, TypeError, KeyError, RecursionError):
            yield path, "damaged"


def _tell(text: str) -> None:
    """Warn once in a process."""
    if text not in _told:
        _told.add(text)
        warn(text)
