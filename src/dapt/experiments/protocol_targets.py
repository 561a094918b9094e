"""The other data that the runs of a protocol are tested on."""

from __future__ import annotations

from collections.abc import Callable

from dapt.data.items import ImageSet
from dapt.errors import DataError
from dapt.experiments.protocols.base import Plan


def targets_of(plan: Plan, load: Callable[[str], ImageSet]) -> dict[str, ImageSet]:
    """The data sets of a plan's evaluations by their names; no image is read.

    Args:
        load: reads the lists of a data set.

    Raises:
        DataError: some of them cannot be used, each of which is named.
    """
    found: dict[str, ImageSet] = {}
    missing: list[str] = []
    for step in plan.evaluations:
        try:
            data = load(step.data)
        except DataError as error:
            missing.append(f"{step.data}: {error.what}")
            continue
        if not data.labelled("test"):
            missing.append(f"{step.data}: there are no labelled test images.")
        found[step.data] = data
    if missing:
        raise DataError(
            f"{len(missing)} of {len(plan.evaluations)} data sets to evaluate on cannot be used:",
            more=missing,
            todo="Get them (dapt data download NAME), or name others with --over A,B.",
        )
    return found
