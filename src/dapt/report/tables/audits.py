"""The table of background audits: what each method makes of objects and backgrounds that were taken apart."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from dapt.report.tables.grid import Grid, Seen, fill
from dapt.report.tables.labels import there
from dapt.wording import listing

Row = Mapping[str, Any]
OTHER = "mixed_other"  # only where other data lent backgrounds
GAP, CHANGED, BOX = "BG-gap", "answers changed", "only_bg_t"
COLUMNS = {
    **{name: f"audit/{name}" for name in ("original", "only_fg", BOX, "mixed_same", "mixed_rand", OTHER)},
    GAP: "audit/bg_gap",
    CHANGED: "audit/changed",
}
ASKED = {
    "audit/split": "splits",
    "audit/images": "numbers of images",
    "audit/masks": "sources of masks",
}


def is_of_audit(row: Row) -> bool:
    """Whether a row is a model of `dapt audit`, or what the protocol ``background_audit`` asked a run."""
    return row["kind"] == "audit" or (row["kind"] == "evaluation" and there(row.get("audit/original")))


def audit_grids(rows: Sequence[tuple[str, Row]]) -> list[Grid]:
    """A grid for each data set that was asked about; rows are methods, figures the mean over the seeds of their runs.

    Several audits of one run, with mixtures of other seeds, count as one figure, their mean; a note says so. Objects on
    backgrounds of different other data are never put together: each has a column.
    """
    grids = []
    for data in dict.fromkeys(str(row["data"]) for _, row in rows):
        part = [(label, row) for label, row in rows if str(row["data"]) == data]
        values: dict[tuple[str, str, int], list[float]] = {}
        lent = _lent([row for _, row in part])
        for label, row in part:
            for name, key in COLUMNS.items():
                if there(row.get(key)):
                    column = lent[_lender(row)] if name == OTHER else name
                    values.setdefault((label, column, int(row["seed"])), []).append(float(row[key]))
        seen = [
            Seen(label, column, data, seed, statistics.fmean(found)) for (label, column, seed), found in values.items()
        ]
        columns = [column for name in COLUMNS for column in ([name] if name != OTHER else lent.values())]
        grid = fill(f"background audit, {data}", seen, columns)
        grid.lower_is_better = frozenset((BOX, GAP, CHANGED))
        grid.main, grid.data = GAP, data
        grid.notes.append(f"Differences are those of {GAP}: below zero is less reliance on backgrounds.")
        grid.notes += _notes([row for _, row in part])
        if any(len(found) > 1 for found in values.values()):
            grid.notes.append("Several audits of one run count as one figure, their mean.")
        grids.append(grid)
    return grids


def _lender(row: Row) -> str:
    """The other data that lent backgrounds; empty where the record does not say."""
    return str(row["audit/backgrounds"]) if there(row.get("audit/backgrounds")) else ""


def _lent(rows: Sequence[Row]) -> dict[str, str]:
    """The column of mixtures with other data by the name of that data, which it has where there are several."""
    found = sorted({_lender(row) for row in rows if there(row.get(COLUMNS[OTHER]))})
    return {name: f"{OTHER} ({name})" if name and len(found) > 1 else OTHER for name in found}


def _notes(rows: Sequence[Row]) -> list[str]:
    """What the audits are about, and in what they differ."""
    told = []
    for key, name in ASKED.items():
        found = sorted({str(row[key]) for row in rows if there(row.get(key))})
        if len(found) > 1:
            told.append(f"These audits are not of the same pictures: their {name} are {listing(found)}.")
    if not told:
        images = next((f"{row['audit/images']:g} images" for row in rows if there(row.get("audit/images"))), "images")
        split = next((str(row["audit/split"]) for row in rows if there(row.get("audit/split"))), "test")
        told = [f"Asked about {images} ({split}); see docs/audit.md."]
    guesses = [str(row["audit/guesses"]) for row in rows if there(row.get("audit/guesses"))]
    if guesses:
        which = "Masks are" if len(guesses) == len(rows) else f"In {len(guesses)} of {len(rows)} audits masks are"
        told.append(
            f"{which} guesses {listing(sorted(set(guesses)))}: a gap that is measured with guesses is no proof."
        )
    return told
