"""Images known by their content: checksums of whole files, kept in the user's cache until a file changes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from dapt.console import progress
from dapt.data.kept import KeptTexts, state_now
from dapt.environment import cores
from dapt.paths import user_cache
from dapt.regular import open_regular

VERSION = 1  # of the checksums
CHUNK = 2**20
TOGETHER = 1024  # checksums that are kept in one go: so many are lost at most when the program is killed


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, shortened to 128 bits.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while content := file.read(CHUNK):
            digest.update(content)
    return digest.hexdigest()[:32]


def contents_file() -> Path | None:
    """Where checksums are kept: ``dapt/contents.sqlite`` in the user's cache; None where nobody knows the home."""
    try:
        return user_cache() / "contents.sqlite"
    except RuntimeError:
        return None


def content_digests(paths: Sequence[Path]) -> list[str]:
    """The checksum of each file, empty where it cannot be read; files that have not changed are not read again."""
    kept = KeptTexts(contents_file(), "digest", VERSION, "Every image is read")
    try:
        states = [state_now(path) for path in paths]
        found = kept.texts(paths, states)
        todo = [place for place in range(len(paths)) if place not in found]
        with ThreadPoolExecutor(cores()) as pool:
            pairs = zip(todo, pool.map(_digest, (paths[place] for place in todo)), strict=True)
            told = progress(pairs, len(todo), "knowing images by their content", "images")
            try:
                while part := list(islice(told, TOGETHER)):
                    found.update(part)
                    rows = ((paths[place], states[place], digest) for place, digest in part if digest)
                    kept.keep([(path, state, digest) for path, state, digest in rows if state is not None])
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        kept.close()
    return [found[place] for place in range(len(paths))]


def _digest(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError:
        return ""
