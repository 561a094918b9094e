"""Does DAPT gain nothing where foregrounds are recognised no better than whole images (docs/evidence.md, hypothesis 8)?

Before its first step a run with DAPT asks the untuned model about training images, whole and with the background hidden
(`cue_recognised_whole`, `cue_recognised_foreground` in `counts`, percent). This table sets the difference beside what
the run gained in D over its host (see `evidence_figures`), by cue and by the sign of the difference.

    python tools/evidence_guard.py benchmarks/results/evidence/reporting.parquet
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dapt.errors import DataError
from dapt.report.tables.labels import there
from evidence_figures import (
    HOST,
    LEAST,
    PAIRED,
    Figures,
    Row,
    by_backbone_and_host,
    collected,
    is_of_audit,
    label_of,
    mean_words,
    place_of,
    rows_of,
    usual_epochs,
)

WHOLE, FOREGROUND = "counts/cue_recognised_whole", "counts/cue_recognised_foreground"


@dataclass(frozen=True)
class Trial:
    """A run with DAPT: by how much more foregrounds were recognised than whole images, and what it gained in D."""

    method: str
    cue: str
    ahead: float
    gained: float


def trials(rows: Sequence[Row], setting: str) -> list[Trial]:
    """All runs of a setting, with whatever cue, that have a host to be compared with.

    Args:
        setting: as `evidence_figures` calls it, for true masks; other cues are named behind it.
    """
    return [trial for part in by_backbone_and_host(rows).values() for trial in _trials_of(part, setting)]


def _trials_of(rows: Sequence[Row], setting: str) -> list[Trial]:
    settings = collected(rows)
    hosts: Figures = settings.get(HOST, {})
    usual = usual_epochs([row for row in rows if is_of_audit(row)])
    found = []
    for row in rows:
        cue, label, place = str(row.get("cue")), label_of(row, usual), place_of(row)
        asked = there(row.get(WHOLE)) and there(row.get(FOREGROUND))
        if label not in (setting, f"{setting} {cue}") or not asked or place not in hosts:
            continue
        if place in settings.get(label, {}):
            gained = settings[label][place]["D"] - hosts[place]["D"]
            found.append(Trial(str(row["method"]), cue, float(row[FOREGROUND]) - float(row[WHOLE]), gained))
    return found


def table(found: Sequence[Trial]) -> str:
    """A table in Markdown: each cue, then the runs whose foregrounds were recognised better and the others."""
    groups = {f"cue: {cue}": [t for t in found if t.cue == cue] for cue in dict.fromkeys(t.cue for t in found)}
    groups["foregrounds recognised better"] = [trial for trial in found if trial.ahead > 0]
    groups["no better"] = [trial for trial in found if trial.ahead <= 0]
    lines = ["| runs with DAPT | runs | foreground − whole, points | Δ D |", "|---|---|---|---|"]
    for name, those in groups.items():
        if not those:
            continue
        gain = mean_words([trial.gained for trial in those])
        lines.append(f"| {name} | {len(those)} | {statistics.fmean(t.ahead for t in those):+.1f} | {gain} |")
    return "\n".join(lines)


def correlations(found: Sequence[Trial]) -> list[str]:
    """The correlation of what was recognised with the gain, over all runs and over those of hosts with several cues.

    Such a host is named only where there are others, and nothing is said where all differences are the same.
    """
    groups = {"all runs": list(found)}
    hosts = dict.fromkeys(trial.method for trial in found)
    for method in hosts if len(hosts) > 1 else ():
        own = [trial for trial in found if trial.method == method]
        if len({trial.cue for trial in own}) > 1:
            groups[f"those of {method}, which has several cues"] = own
    told = []
    for name, those in groups.items():
        aheads, gains = [trial.ahead for trial in those], [trial.gained for trial in those]
        if len(set(aheads)) > 1 and len(set(gains)) > 1:
            value = statistics.correlation(aheads, gains)
            told.append(f"Correlation of the two columns over {name} ({len(those)}): {value:+.2f}.")
    return told


def main(words: Sequence[str] | None = None) -> None:
    """Print the table.

    Raises:
        DataError: there are not enough runs of which it is known.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", type=Path, nargs="+")
    parser.add_argument("--setting", default="swap", help="of DAPT")
    parser.add_argument("--method", nargs="*", default=[], help="only these hosts")
    args = parser.parse_args(words)
    rows = [row for store in args.stores for row in rows_of(store)]
    found = trials([row for row in rows if not args.method or row["method"] in args.method], args.setting)
    if len(found) < LEAST:
        raise DataError(f"There are {len(found)} runs of '{args.setting}' with a host and with what was recognised.")
    print(table(found), " ".join([PAIRED, *correlations(found)]), sep="\n\n")


if __name__ == "__main__":
    from ending import ending

    ending(main)
