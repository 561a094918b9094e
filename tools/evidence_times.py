"""What an epoch of each host costs with DAPT and without it, in the runs of docs/evidence.md.

Medians over pairs of runs (the same backbone, host, data, shots and seed). The runs shared their machine with others,
so that a single time says little, and a ratio of two times made hours apart is good to a factor only: its least and
its greatest stand behind the median.

    python tools/evidence_times.py benchmarks/results/evidence/reporting.parquet
    python tools/evidence_times.py benchmarks/results/evidence/reporting.parquet --beside "host 40 epochs"
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

from dapt.errors import DataError
from dapt.report.tables.labels import there
from evidence_figures import (
    HOST,
    Pair,
    Row,
    by_backbone_and_host,
    is_of_audit,
    label_of,
    place_of,
    rows_of,
    usual_epochs,
)

EPOCH, TRAINING = "timing/seconds_per_epoch", "timing/training_seconds"
NOTE = (
    "Medians over the pairs; behind those of ratios the least and the greatest. The machine was shared with other "
    "programs, so that single times say little."
)
Times = dict[Pair, tuple[float, float]]  # of a run: seconds of an epoch, and of the training


def times_of(rows: Sequence[Row]) -> dict[str, Times]:
    """For each setting of a host the times of its runs; those that have none are left out."""
    usual = usual_epochs([row for row in rows if is_of_audit(row)])
    found: dict[str, Times] = {}
    for row in rows:
        if row["kind"] == "run" and there(row.get(EPOCH)) and there(row.get(TRAINING)):
            found.setdefault(label_of(row, usual), {})[place_of(row)] = (float(row[EPOCH]), float(row[TRAINING]))
    return found


def table(rows: Sequence[Row], setting: str, beside: str) -> str:
    """A table in Markdown: a line for each host on each backbone, and one for all of them.

    Raises:
        DataError: no two runs have times to be compared.
    """
    heads = ["backbone", "host", "pairs", f"{beside}: s an epoch", setting, "an epoch takes", "the training takes"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    together: list[tuple[float, float]] = []
    for (backbone, method), those in sorted(by_backbone_and_host(rows).items()):
        found = times_of(those)
        one, other = found.get(setting, {}), found.get(beside, {})
        both = [place for place in one if place in other]
        if not both:
            continue
        ratios = [(one[place][0] / other[place][0], one[place][1] / other[place][1]) for place in both]
        together += ratios
        epochs = [f"{statistics.median(times[place][0] for place in both):.1f}" for times in (other, one)]
        cells = [Path(backbone.rpartition(":")[2]).name, method, str(len(both)), *epochs]
        lines.append("| " + " | ".join([*cells, *(ratio_words(each) for each in zip(*ratios, strict=True))]) + " |")
    if not together:
        raise DataError(f"No host has times of runs of '{setting}' and of '{beside}'.")
    words = [ratio_words(each) for each in zip(*together, strict=True)]
    lines.append("| " + " | ".join(["all", "all", str(len(together)), "", "", *words]) + " |")
    return "\n".join(lines)


def ratio_words(ratios: Sequence[float]) -> str:
    """The median of some ratios, with the least and the greatest."""
    return f"{statistics.median(ratios):.1f}× ({min(ratios):.1f}–{max(ratios):.1f})"


def main(words: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", type=Path, nargs="+")
    parser.add_argument("--setting", default="swap", help="of DAPT")
    parser.add_argument("--beside", default=HOST, help="what it is compared with")
    args = parser.parse_args(words)
    rows = [row for store in args.stores for row in rows_of(store)]
    print(table(rows, args.setting, args.beside), NOTE, sep="\n\n")


if __name__ == "__main__":
    from ending import ending

    ending(main)
