"""The tables of docs/evidence.md: what each setting of DAPT brings, beside its host, with paired intervals.

Reads stores of `dapt report --store` with background audits (the protocol `background_audit`). D is the mean of the
accuracy on ordinary photographs (`original`) and on exchanged backgrounds (`mixed_rand`), in percent. Differences are
paired: the same backbone, host, data, shots and seed; behind their mean stands its 95% interval by Student's t.

    python tools/evidence_figures.py benchmarks/results/evidence/choosing.parquet
    python tools/evidence_figures.py benchmarks/results/evidence/choosing.parquet --beside symmetric
    python tools/evidence_figures.py benchmarks/results/evidence/reporting.parquet --setting symmetric
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scipy.stats import t as student

from dapt.console import say
from dapt.dapt_names import departures, variant_of
from dapt.errors import DataError
from dapt.report.tables.audits import is_of_audit
from dapt.report.tables.labels import there
from dapt.results import load
from dapt.wording import listing

Row = Mapping[str, Any]
Pair = tuple[str, ...]
Figures = dict[Pair, dict[str, float]]
HOST = "host"
SAME = ("backbone", "method", "data", "shots", "seed")  # what a difference is paired by
AUDITED = {"original": "audit/original", "exchanged": "audit/mixed_rand", "BG-gap": "audit/bg_gap"}
MORE = {"other data": "audit/mixed_other", "attention": "cue/foreground_attention"}  # where there are such figures
SHOWN = ("D", *AUDITED)
LEVEL = 0.95
LEAST = 3  # pairs of which an interval is told
SECTION = "set/dapt."


def rows_of(store: Path) -> list[Row]:
    """The rows of a store, or of the runs below a folder.

    Raises:
        DaptError: there is no such store, or it is none.
    """
    return load(store).to_dict("records")


def label_of(row: Row, epochs: float) -> str:
    """What a row is: `host`, or its variant and the options in which it is another than that variant alone.

    Args:
        epochs: the usual number; another one is told.
    """
    own = row.get("set/epochs")
    told = [f"{own:g} epochs"] if there(own) and own != epochs else []
    if not row["dapt"]:
        return " ".join([HOST, *told])
    given = {key.removeprefix(SECTION): value for key, value in row.items() if key.startswith(SECTION)}
    told += departures(given)
    if row.get("cue") != "masks":
        told.append(str(row.get("cue")))
    return " ".join([variant_of(given), *told])


def collected(rows: Sequence[Row]) -> dict[str, Figures]:
    """For each setting the figures of each of its runs, by what it can be paired with.

    Those of an audit lie in its row, the attention on the object in that of the run that was audited.

    Raises:
        DataError: two audits are of one run, so that it is not clear which counts; or one lacks a figure.
    """
    audits = [row for row in rows if is_of_audit(row)]
    usual = usual_epochs(audits)
    found: dict[str, Figures] = {}
    for row in audits:
        label, place = label_of(row, usual), place_of(row)
        runs = found.setdefault(label, {})
        if place in runs:
            raise DataError(f"There are two audits of {label} for {', '.join(place)}.")
        lacking = [key for key in AUDITED.values() if not there(row.get(key))]
        if lacking:
            raise DataError(f"The audit of {label} for {', '.join(place)} has no {listing(lacking)}.")
        runs[place] = {name: float(row[key]) for name, key in AUDITED.items()}
        runs[place]["D"] = (runs[place]["original"] + runs[place]["exchanged"]) / 2
    for row in rows:
        runs = found.get(label_of(row, usual), {})
        for name, key in MORE.items():
            if place_of(row) in runs and there(row.get(key)):
                runs[place_of(row)][name] = float(row[key])
    return found


def usual_epochs(audits: Sequence[Row]) -> float:
    """What most of the audited runs were trained for; 0 where none was trained, as with zero-shot."""
    trained = [row["set/epochs"] for row in audits if there(row.get("set/epochs"))]
    return statistics.mode(trained) if trained else 0


def by_backbone_and_host(rows: Sequence[Row]) -> dict[Pair, list[Row]]:
    """The rows of each host on each backbone of which there are audits."""
    parts: dict[Pair, list[Row]] = {}
    for row in rows:
        parts.setdefault((str(row["backbone"]), str(row["method"])), []).append(row)
    return {part: those for part, those in parts.items() if any(map(is_of_audit, those))}


def place_of(row: Row) -> Pair:
    """What a run is of, beside its setting."""
    return tuple(str(row[name]) for name in SAME)


def interval(gaps: Sequence[float]) -> tuple[float, float]:
    """The 95% interval of the mean of some differences, by Student's t; a single one has none."""
    if len(gaps) < 2:
        return -math.inf, math.inf
    reach = float(student.ppf((1 + LEVEL) / 2, len(gaps) - 1)) * statistics.stdev(gaps) / math.sqrt(len(gaps))
    mean = statistics.fmean(gaps)
    return mean - reach, mean + reach


def gap_words(one: Figures, other: Figures, name: str) -> str:
    """The difference of two settings in a figure, see `mean_words`; a dash where there is none."""
    gaps = [
        figures[name] - other[place][name]
        for place, figures in one.items()
        if name in figures and name in other.get(place, {})
    ]
    return mean_words(gaps) if gaps else "–"


def mean_words(gaps: Sequence[float]) -> str:
    """The mean of some differences, with its interval from three of them on."""
    low, high = interval(gaps)
    return f"{statistics.fmean(gaps):+.1f}" + (f" [{low:+.1f}, {high:+.1f}]" if len(gaps) >= LEAST else "")


def table(found: Mapping[str, Figures], beside: str) -> str:
    """A table in Markdown: the settings, best first, `beside` and the hosts on top.

    Raises:
        DataError: there is no setting of the name `beside`.
    """
    if beside not in found:
        raise DataError(f"There is no setting '{beside}'; there are: {', '.join(sorted(found))}.")
    heads = ["setting", "runs", *SHOWN, *(f"Δ {name}" for name in SHOWN)]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]

    def rank(label: str) -> tuple[bool, bool, float]:
        gaps = [
            found[label][place]["D"] - found[beside][place]["D"] for place in found[label] if place in found[beside]
        ]
        return label != beside, not label.startswith(HOST), -statistics.fmean(gaps) if gaps else math.inf

    for label in sorted(found, key=rank):
        runs = found[label]
        means = [statistics.fmean(run[name] for run in runs.values()) for name in SHOWN]
        gaps = ["" if label == beside else gap_words(runs, found[beside], name) for name in SHOWN]
        lines.append("| " + " | ".join([label, str(len(runs)), *(f"{mean:.1f}" for mean in means), *gaps]) + " |")
    return "\n".join(lines)


def by_host(rows: Sequence[Row], setting: str, beside: str, *, brief: bool = False) -> str:
    """A table in Markdown: what a setting brings to each host on each backbone, and over all of them.

    Args:
        brief: only what changes on ordinary photographs and on exchanged backgrounds.

    Raises:
        DataError: no host has been trained with that setting.
    """
    found = {part: collected(those) for part, those in by_backbone_and_host(rows).items()}
    found = {part: each for part, each in found.items() if each.get(setting, {}).keys() & each.get(beside, {}).keys()}
    if not found:
        raise DataError(f"No host has runs of '{setting}' and of '{beside}'.")
    names = [*SHOWN, *(name for name in MORE if _has(found, setting, name))]
    if brief:
        names = ["original", "exchanged"]
    heads = ["backbone", "host", "runs", f"{beside}: original", "exchanged", *(f"Δ {name}" for name in names)]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for (backbone, method), settings in sorted(found.items()):
        one, other = settings[setting], settings[beside]
        both = [other[place] for place in one if place in other]
        means = [statistics.fmean(run[name] for run in both) for name in ("original", "exchanged")]
        cells = [Path(backbone.rpartition(":")[2]).name, method, str(len(both)), *(f"{mean:.1f}" for mean in means)]
        lines.append("| " + " | ".join([*cells, *(gap_words(one, other, name) for name in names)]) + " |")
    ones, others = ({k: v for each in found.values() for k, v in each[key].items()} for key in (setting, beside))
    together = [gap_words(ones, others, name) for name in names]
    lines.append("| " + " | ".join(["all", "all", str(len(ones.keys() & others.keys())), "", "", *together]) + " |")
    return "\n".join(lines)


def _has(found: Mapping[Pair, Mapping[str, Figures]], setting: str, name: str) -> bool:
    return any(name in run for settings in found.values() for run in settings[setting].values())


def main(words: Sequence[str] | None = None) -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", type=Path, nargs="+")
    parser.add_argument("--beside", default=HOST, help="the setting that all are compared with")
    parser.add_argument("--setting", default="", help="a table of what this setting brings to each host")
    parser.add_argument("--brief", action="store_true", help="with --setting: only accuracy, not all figures")
    parser.add_argument("--method", nargs="*", default=[], help="only these hosts [default: maple; with --setting all]")
    parser.add_argument("--backbone", default="", help="only backbones whose name holds this")
    args = parser.parse_args(words)
    methods = args.method or ([] if args.setting else ["maple"])
    rows: list[Row] = []
    for store in args.stores:
        rows += rows_of(store)
    rows = [row for row in rows if args.backbone in str(row["backbone"]) and (not methods or row["method"] in methods)]
    if not any(is_of_audit(row) for row in rows):
        raise DataError(
            f"There is no audit of {', '.join(methods) or 'any host'} in {', '.join(map(str, args.stores))}."
        )
    if args.setting:
        print(by_host(rows, args.setting, args.beside, brief=args.brief))
    else:
        print(table(collected(rows), args.beside))
    say(f"Differences are to {args.beside}, over runs that both have; best first by Δ D.")


if __name__ == "__main__":
    from ending import ending

    ending(main)
