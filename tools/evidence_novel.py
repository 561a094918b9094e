"""What DAPT changes on base and on novel classes in the runs of docs/evidence.md, paired by backbone, host and seed.

Reads stores of `dapt report --store` with runs of the protocol `base_to_novel`; HM is the harmonic mean of a run's own
accuracies. Behind pooled differences stands their 95% interval by Student's t. Those "without" a host are made after
the figures were seen: they say what a mean hangs on, they decide nothing.

    python tools/evidence_novel.py benchmarks/results/evidence/novel.parquet
    python tools/evidence_novel.py FIRST.parquet SECOND.parquet --data caltech101 --without coop
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

from dapt.dapt_names import variant_of
from dapt.errors import DataError
from dapt.report.tables.labels import there
from evidence_figures import HOST, SECTION, Figures, Pair, Row, gap_words, gaps_of, place_of, rows_of
from evidence_guard import FOREGROUND, WHOLE

FIGURES = {"base": "test/accuracy_base", "novel": "test/accuracy_novel", "HM": "test/harmonic_mean"}
UNTUNED = "zero_shot"
NOTE = (
    "Δ is the mean of paired differences (same backbone, host and seed), all means are over those pairs; in brackets "
    "the 95% interval by Student's t, from three pairs on. "
    "Pairs share images, hosts and seeds: they are not independent."
)
ASKED = "counts/cue_asked"
Part = dict[str, Figures]


def collected(rows: Sequence[Row]) -> dict[Pair, Part]:
    """For each backbone and host the figures of its runs by setting: the host, and the variants of DAPT.

    Raises:
        DataError: two runs are of one setting and seed, so that it is not clear which counts.
    """
    found: dict[Pair, Part] = {}
    for row in rows:
        if not all(there(row.get(key)) for key in FIGURES.values()):
            continue
        given = {key.removeprefix(SECTION): value for key, value in row.items() if key.startswith(SECTION)}
        label = variant_of(given) if row["dapt"] else HOST
        runs = found.setdefault((str(row["backbone"]), str(row["method"])), {}).setdefault(label, {})
        if place_of(row) in runs:
            raise DataError(f"There are two runs of {row['method']} ({label}) for {', '.join(place_of(row))}.")
        runs[place_of(row)] = {name: float(row[key]) for name, key in FIGURES.items()}
    return found


def table(found: dict[Pair, Part], setting: str, without: Sequence[str] = ()) -> str:
    """A table in Markdown: the untuned models, each host, all pairs, and all but those of the hosts `without`.

    Raises:
        DataError: no host has runs with and without DAPT.
    """
    heads = ["backbone", "host", "pairs", "host: base", "novel", "HM", "Δ base", "Δ novel", "Δ HM", "Δ HM, each pair"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    pairs: dict[Pair, tuple[Figures, Figures]] = {}
    for (backbone, method), settings in sorted(found.items()):
        one, other = settings.get(setting, {}), settings.get(HOST, {})
        both = [place for place in one if place in other]
        shown = list(other) if method == UNTUNED else both
        if not shown:
            continue
        cells = [Path(backbone.rpartition(":")[2]).name, method, str(len(both) or "")]
        cells += [f"{statistics.fmean(other[place][name] for place in shown):.1f}" for name in FIGURES]
        if both:
            pairs[backbone, method] = one, other
        lines.append("| " + " | ".join([*cells, *_gap_cells(one, other, each=True)]) + " |")
    if not pairs:
        raise DataError(f"No host has runs of '{setting}' and without DAPT.")
    groups = {"all": pairs}
    if without:
        groups["without " + ", ".join(without)] = {part: both for part, both in pairs.items() if part[1] not in without}
    for name, those in groups.items():
        if not those:
            raise DataError(f"There is nothing {name}.")
        one, other = ({k: v for both in those.values() for k, v in both[n].items()} for n in (0, 1))
        count = str(len(gaps_of(one, other, "HM")))
        lines.append("| " + " | ".join(["all", name, count, "", "", "", *_gap_cells(one, other, each=False)]) + " |")
    return "\n".join(lines)


def recognised(rows: Sequence[Row]) -> str:
    """A sentence: how many training images the untuned model recognised, by what runs with DAPT counted beforehand.

    Empty where none did.
    """
    found: dict[str, None] = {}
    for row in sorted(rows, key=lambda row: (str(row["backbone"]), int(row["seed"]))):
        if there(row.get(WHOLE)) and there(row.get(FOREGROUND)) and there(row.get(ASKED)):
            place = f"{Path(str(row['backbone']).rpartition(':')[2]).name}, seed {row['seed']}"
            found[f"{place}: {row[WHOLE]:.0f} and {row[FOREGROUND]:.0f} of {row[ASKED]:.0f}"] = None
    return f"Training images recognised whole, and by their foreground alone: {'; '.join(found)}." if found else ""


def _gap_cells(one: Figures, other: Figures, *, each: bool) -> list[str]:
    gaps = gaps_of(one, other, "HM")
    if not gaps:
        return [""] * (len(FIGURES) + 1)
    return [
        *(gap_words(one, other, name) for name in FIGURES),
        ", ".join(f"{gap:+.1f}" for gap in gaps) if each else "",
    ]


def main(words: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", type=Path, nargs="+")
    parser.add_argument("--data", default="", help="only this data set")
    parser.add_argument("--setting", default="swap", help="of DAPT")
    parser.add_argument("--without", nargs="*", default=[], help="a last line without these hosts")
    args = parser.parse_args(words)
    rows = [row for store in args.stores for row in rows_of(store)]
    rows = [row for row in rows if args.data in ("", row["data"])]
    made = table(collected(rows), args.setting, args.without)
    print(made, f"{NOTE} {recognised(rows)}".strip(), sep="\n\n")


if __name__ == "__main__":
    from ending import ending

    ending(main)
