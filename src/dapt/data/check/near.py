"""Images that look the same although their bytes differ: resized, saved again, in grey, or mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from dapt.console import progress
from dapt.data.check.copies import Group
from dapt.data.check.finding import Finding, Severity, Used, count, grouped
from dapt.data.check.look import THUMB, Look
from dapt.environment import cores
from dapt.wording import some

RADIUS = 10  # of the 64 bits may differ
LIKENESS = 0.975  # correlation of the grey thumbnails
ROWS = 64  # images that are compared with all others at a time
FAINT = 1.0  # levels of grey by which a thumbnail has to vary, or there is nothing to compare

Array = np.ndarray[Any, Any]


def near_groups(looks: Sequence[Look]) -> list[Group]:
    """Groups of pictures that look the same, as positions in `looks`.

    Two pictures belong together if at most `RADIUS` of the 64 bits of their difference hashes differ, and their
    thumbnails have a correlation of at least `LIKENESS`; or one's with the mirror image of the other. The hash alone
    takes pictures with little in them for the same. Pictures of one colour are left out.
    """
    there = [place for place, look in enumerate(looks) if look.thumb and not look.flat]
    if len(there) < 2:
        return []
    thumbs = np.stack([np.frombuffer(looks[place].thumb, np.uint8).reshape(THUMB, THUMB) for place in there])
    straight, spread = _unit(thumbs)
    kept = np.flatnonzero(spread >= FAINT)
    there = [there[place] for place in kept]
    straight = straight[kept]
    turned = straight.reshape(-1, THUMB, THUMB)[:, :, ::-1].reshape(len(kept), -1)
    hashes = np.array([looks[place].hash for place in there], np.uint64)
    mirrored = np.array([looks[place].mirrored for place in there], np.uint64)

    def partners(start: int) -> list[tuple[int, Array]]:
        """For each of the images from `start`, those behind it that look the same."""
        rows = slice(start, start + ROWS)
        found = np.zeros((len(hashes[rows]), len(hashes) - start), bool)
        for codes, features in ((hashes, straight), (mirrored, turned)):
            own, other = np.nonzero(_bits(hashes[rows, None] ^ codes[None, start:]) <= RADIUS)
            behind = own < other
            own, other = own[behind], other[behind]
            alike = np.einsum("nd,nd->n", straight[start + own], features[start + other]) >= LIKENESS
            found[own[alike], other[alike]] = True
        return [(start + int(row), start + np.flatnonzero(found[row])) for row in np.flatnonzero(found.any(axis=1))]

    root = np.arange(len(hashes))
    starts = range(0, len(hashes), ROWS)
    with ThreadPoolExecutor(cores()) as pool:
        for found in progress(pool.map(partners, starts), len(starts), "comparing pictures", "blocks"):
            for place, others in found:
                apart = np.unique(root[others][root[others] != root[place]])
                if len(apart):
                    root[np.isin(root, apart)] = root[place]
    order = np.argsort(root, kind="stable")
    cuts = np.flatnonzero(np.diff(root[order])) + 1
    return sorted(tuple(there[place] for place in part) for part in np.split(order, cuts) if len(part) > 1)


def _unit(thumbs: Array) -> tuple[Array, Array]:
    """Thumbnails as unit vectors ``[N, D]`` without their mean, and the standard deviation ``[N]`` of each."""
    flat = thumbs.reshape(len(thumbs), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    spread = flat.std(axis=1)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6), spread


if hasattr(np, "bitwise_count"):  # NumPy 2

    def _bits(words: Array) -> Array:
        return np.asarray(np.bitwise_count(words))

else:
    _COUNTS = np.array([word.bit_count() for word in range(2**16)], np.uint8)

    def _bits(words: Array) -> Array:
        counts = _COUNTS[np.ascontiguousarray(words).view(np.uint16)]
        return np.asarray(counts.reshape(*words.shape, 4).sum(axis=-1, dtype=np.uint8))


def near_findings(images: Sequence[Used], groups: Sequence[Group], *, official: bool) -> list[Finding]:
    """Groups of images that look the same, as findings.

    Args:
        official: the split is the published one of a data set: notes at most.
    """
    across: list[Group] = []
    classes: list[Group] = []
    within: list[Group] = []
    for group in groups:
        if len({images[position].split for position in group}) > 1:
            across.append(group)
        if len({images[position].item.label for position in group}) > 1:
            classes.append(group)
        if group not in across[-1:] and group not in classes[-1:]:
            within.append(group)
    found = []
    doubtful: Severity = "note" if official else "warning"
    for kind, severity, parts, where, todo in (
        ("near_splits", doubtful, across, "across splits", "If they are copies, keep them in one split."),
        ("near_classes", doubtful, classes, "in different classes", "If they show the same, one class is wrong."),
        (
            "near_copies",
            "note",
            within,
            "in one split and class",
            "Copies that were resized or saved again, or a series.",
        ),
    ):
        if parts:
            names = [[images[position].item.name for position in group] for group in parts]
            told = some([" ~ ".join(group[:3]) for group in names])
            severe: Severity = "note" if severity == "note" else "warning"
            one = count(len(parts), "group")
            what = f"{one} of images {where} look{'s' if len(parts) == 1 else ''} the same ({told})."
            found.append(grouped(kind, severe, what, todo, names))
    return found
