"""Images of which a store has noted that they were read, and that did not change since: they are not opened again."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dapt.data.items import Item
from dapt.data.masks.mask_entries import STATISTICS, State, state_of, store_entries
from dapt.environment import cores
from dapt.errors import DaptError


def seen_images(store: Path, items: Sequence[Item]) -> dict[str, State]:
    """Size and time of change, by name, of the images that are as a store has seen them.

    Args:
        store: a folder of masks that may be there. A damaged one has seen nothing: whoever goes on with it says so.
    """
    if not (store / STATISTICS).is_file():
        return {}
    try:
        entries = store_entries(store)
    except DaptError:
        return {}
    noted = [(item, entry.seen) for item in items if (entry := entries.get(item.name)) is not None and entry.seen]
    with ThreadPoolExecutor(cores()) as pool:
        now = pool.map(lambda each: _state(each[0]), noted)
        return {item.name: seen for (item, seen), state in zip(noted, now, strict=True) if seen == state}


def _state(item: Item) -> State | None:
    try:
        return state_of(item.path)
    except DaptError:  # gone
        return None
