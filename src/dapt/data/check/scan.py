"""Looking at many image files, in threads, as far as they are not known already."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from dapt.console import progress, say
from dapt.data.check.kept_looks import KeptLooks
from dapt.data.check.look import Look, look_at
from dapt.data.kept import state_now
from dapt.data.load.notes import say_notes
from dapt.environment import cores

TOGETHER = 256  # images that are kept in one go: so many are lost at most when the check is killed


def scan(paths: Sequence[Path], cache: Path | None) -> list[Look]:
    """A look at each of the files.

    Args:
        paths: each once. cache: file in which looks are kept, see `KeptLooks`; None: nothing is kept.
    """
    kept = KeptLooks(cache)
    try:
        states = [state_now(path) for path in paths]
        found = kept.get(paths, states)
        if found and len(paths) > len(found):
            say(f"{len(found):,} of {len(paths):,} images are known from an earlier check.")
        todo = [place for place in range(len(paths)) if place not in found]
        with ThreadPoolExecutor(cores()) as pool:
            pairs = zip(todo, pool.map(look_at, (paths[place] for place in todo)), strict=True)
            told = progress(pairs, len(todo), "looking at images", "images")
            try:
                while part := list(islice(told, TOGETHER)):
                    found.update(part)
                    known = ((paths[place], states[place], look) for place, look in part)
                    kept.put([(path, state, look) for path, state, look in known if state is not None])
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        kept.close()
    say_notes()
    return [found[place] for place in range(len(paths))]
