"""The tables of docs/evidence.md: what each setting of DAPT brings, beside its host, with paired intervals.

Reads stores of `dapt report --store` with background audits (the protocol `background_audit`). D is the mean of the
accuracy on ordinary photographs (`original`) and on exchanged backgrounds (`mixed_rand`), in percent. Differences are
paired: the same backbone, host, data, shots and seed; behind their mean stands its 95% interval by Student's t.

    python tools/evidence_figures.py benchmarks/results/evidence/choosing.parquet
    python tools/evidence_figures.py benchmarks/results/evidence/choosing.parquet --beside symmetric
    python tools/evidence_figures.py benchmarks/results/evidence/choosing.parquet --pair symmetric joint
    python tools/evidence_figures.py benchmarks/results/evidence/reporting.parquet --setting symmetric
    python tools/evidence_figures.py benchmarks/results/evidence/reporting.parquet --setting symmetric --pooled
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scipy.stats import t as student

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
ACCURACIES = ("original", "exchanged")
LEVEL = 0.95
LEAST = 3  # pairs of which an interval is told
SECTION = "set/dapt."
PAIRED = (
    "Δ is the mean of paired differences (same backbone, host, data, shots and seed); in brackets its 95% interval by "
    "Student's t, from three pairs on."
)
DEPENDENT = "Pairs share images, hosts and seeds; an interval over pairs of several hosts takes them for independent."


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
    gaps = gaps_of(one, other, name)
    return mean_words(gaps) if gaps else "–"


def gaps_of(one: Figures, other: Figures, name: str) -> list[float]:
    """The differences of two settings in a figure, over the runs of which both have it."""
    return [
        figures[name] - other[place][name]
        for place, figures in one.items()
        if name in figures and name in other.get(place, {})
    ]


def needed(found: Mapping[str, Figures], label: str) -> Figures:
    """The runs of a setting.

    Raises:
        DataError: there is no setting of that name.
    """
    if label not in found:
        raise DataError(f"There is no setting '{label}'; there are: {', '.join(sorted(found))}.")
    return found[label]


def mean_words(gaps: Sequence[float]) -> str:
    """The mean of some differences, with its interval from three of them on."""
    low, high = interval(gaps)
    return f"{statistics.fmean(gaps):+.1f}" + (f" [{low:+.1f}, {high:+.1f}]" if len(gaps) >= LEAST else "")


def table(found: Mapping[str, Figures], beside: str) -> str:
    """A table in Markdown: the settings, best first, `beside` and the hosts on top.

    All figures of a line are over the runs that its setting and `beside` both have, so that D less the D of `beside` in
    the same line is Δ D. A setting that shares no run with it has dashes.

    Raises:
        DataError: there is no setting of the name `beside`.
    """
    others = needed(found, beside)
    heads = ["setting", "pairs", f"{beside}: D", *SHOWN, *(f"Δ {name}" for name in SHOWN)]

    def rank(label: str) -> tuple[bool, bool, float]:
        gaps = gaps_of(found[label], others, "D")
        return label != beside, not label.startswith(HOST), -statistics.fmean(gaps) if gaps else math.inf

    lines = [_line(heads), "|---" * len(heads) + "|"]
    for label in sorted(found, key=rank):
        runs, own = found[label], label == beside
        both = [place for place in runs if place in others]
        reference = "" if own else _mean([others[place]["D"] for place in both])
        means = [_mean([runs[place][name] for place in both]) for name in SHOWN]
        gaps = ["" if own else gap_words(runs, others, name) for name in SHOWN]
        lines.append(_line([label, str(len(both)), reference, *means, *gaps]))
    return "\n".join(lines)


def pairs_table(found: Mapping[str, Figures], pairs: Sequence[Sequence[str]]) -> str:
    """A table in Markdown: of each pair of settings how the first differs from the second, over the runs of both.

    Raises:
        DataError: there is no setting of one of the names, or two share no run.
    """
    heads = ["setting", "beside", "pairs", "higher in D", *(f"Δ {name}" for name in SHOWN)]
    lines = [_line(heads), "|---" * len(heads) + "|"]
    for label, beside in pairs:
        one, other = needed(found, label), needed(found, beside)
        gaps = gaps_of(one, other, "D")
        if not gaps:
            raise DataError(f"'{label}' and '{beside}' have no run in common.")
        higher = f"{sum(gap > 0 for gap in gaps)} of {len(gaps)}"
        lines.append(_line([label, beside, str(len(gaps)), higher, *(gap_words(one, other, name) for name in SHOWN)]))
    return "\n".join(lines)


def pooled(rows: Sequence[Row], setting: str, beside: str) -> str:
    """A table in Markdown: the differences of two settings over all pairs, those of each backbone, and host by host.

    Means of hosts are those of each host over its backbones and seeds. The last column is by how much more the setting
    gains on exchanged backgrounds than on ordinary photographs.

    Raises:
        DataError: no host has been trained with both.
    """
    found = _with_both(rows, setting, beside)
    names = [*SHOWN, *(name for name in MORE if _has(found, setting, name))]
    gaps = {part: {name: gaps_of(each[setting], each[beside], name) for name in names} for part, each in found.items()}
    for each in gaps.values():
        each["exchanged − original"] = [
            one - other for one, other in zip(each["exchanged"], each["original"], strict=True)
        ]
    names.append("exchanged − original")
    backbones, hosts = (sorted({part[number] for part in gaps}) for number in (0, 1))
    groups = {"all pairs": _gathered(gaps.values(), names)}
    for backbone in backbones if len(backbones) > 1 else []:
        groups[f"pairs of {_short(backbone)}"] = _gathered([gaps[part] for part in gaps if part[0] == backbone], names)
    of_hosts = [_gathered([gaps[part] for part in gaps if part[1] == host], names) for host in hosts]
    groups["means of hosts"] = {
        name: [statistics.fmean(each[name]) for each in of_hosts if each[name]] for name in names
    }
    heads = ["over", "number", *(f"Δ {name}" for name in names)]
    lines = [_line(heads), "|---" * len(heads) + "|"]
    for label, those in groups.items():
        lines.append(_line([label, str(len(those["D"])), *(mean_words(those[name]) for name in names)]))
    return "\n".join(lines)


def _gathered(parts: Iterable[Mapping[str, Sequence[float]]], names: Sequence[str]) -> dict[str, list[float]]:
    parts = list(parts)
    return {name: [gap for part in parts for gap in part[name]] for name in names}


def _mean(values: Sequence[float]) -> str:
    return f"{statistics.fmean(values):.1f}" if values else "–"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _short(backbone: str) -> str:
    return Path(backbone.rpartition(":")[2]).name


def _with_both(rows: Sequence[Row], setting: str, beside: str) -> dict[Pair, dict[str, Figures]]:
    """The settings of each host on each backbone that has runs of both with a seed in common.

    Raises:
        DataError: there is none.
    """
    found = {part: collected(those) for part, those in by_backbone_and_host(rows).items()}
    found = {part: each for part, each in found.items() if each.get(setting, {}).keys() & each.get(beside, {}).keys()}
    if not found:
        raise DataError(f"No host has runs of '{setting}' and of '{beside}'.")
    return found


def by_host(rows: Sequence[Row], setting: str, beside: str, *, brief: bool = False) -> str:
    """A table in Markdown: what a setting brings to each host on each backbone, and over all of them.

    Args:
        brief: only what changes on ordinary photographs and on exchanged backgrounds.

    Raises:
        DataError: no host has been trained with that setting.
    """
    found = _with_both(rows, setting, beside)
    names = [*SHOWN, *(name for name in MORE if _has(found, setting, name))]
    if brief:
        names = list(ACCURACIES)
    heads = ["backbone", "host", "pairs", f"{beside}: original", "exchanged", *(f"Δ {name}" for name in names)]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for (backbone, method), settings in sorted(found.items()):
        one, other = settings[setting], settings[beside]
        both = [other[place] for place in one if place in other]
        means = [statistics.fmean(run[name] for run in both) for name in ACCURACIES]
        cells = [_short(backbone), method, str(len(both)), *(f"{mean:.1f}" for mean in means)]
        lines.append("| " + " | ".join([*cells, *(gap_words(one, other, name) for name in names)]) + " |")
    ones, others = ({k: v for each in found.values() for k, v in each[key].items()} for key in (setting, beside))
    together = [gap_words(ones, others, name) for name in names]
    lines.append("| " + " | ".join(["all", "all", str(len(ones.keys() & others.keys())), "", "", *together]) + " |")
    return "\n".join(lines)


def told_apart(rows: Sequence[Row], setting: str, beside: str, names: Sequence[str] = ("D", *ACCURACIES)) -> str:
    """A sentence: of how many hosts the mean difference is above zero, of how many the whole interval, or below it."""
    hosts = _with_both(rows, setting, beside).values()
    words = []
    for name in names:
        gaps = [gaps_of(each[setting], each[beside], name) for each in hosts]
        intervals = [interval(each) for each in gaps if len(each) >= LEAST]
        above, below = sum(low > 0 for low, _ in intervals), sum(high < 0 for _, high in intervals)
        means = sum(statistics.fmean(each) > 0 for each in gaps)
        words.append(f"Δ {name} is above zero in {means} of {len(gaps)}, with its interval in {above} (below: {below})")
    return f"Of the lines: {'; '.join(words)}."


def _has(found: Mapping[Pair, Mapping[str, Figures]], setting: str, name: str) -> bool:
    return any(name in run for settings in found.values() for run in settings[setting].values())


def main(words: Sequence[str] | None = None) -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", type=Path, nargs="+")
    parser.add_argument("--beside", default=HOST, help="the setting that all are compared with")
    parser.add_argument("--setting", default="", help="a table of what this setting brings to each host")
    parser.add_argument("--pooled", action="store_true", help="with --setting: over all pairs and over means of hosts")
    parser.add_argument("--pair", nargs=2, action="append", default=[], help="compare two settings; can be repeated")
    parser.add_argument("--brief", action="store_true", help="with --setting: only accuracy, not all figures")
    parser.add_argument("--method", nargs="*", default=[], help="only these hosts [default: maple; with --setting all]")
    parser.add_argument("--backbone", default="", help="only backbones whose name holds this")
    args = parser.parse_args(words)
    if (args.pooled or args.brief) and not args.setting:
        raise DataError(f"--{'pooled' if args.pooled else 'brief'} needs --setting.")
    methods = args.method or ([] if args.setting else ["maple"])
    rows: list[Row] = []
    for store in args.stores:
        rows += rows_of(store)
    rows = [row for row in rows if args.backbone in str(row["backbone"]) and (not methods or row["method"] in methods)]
    if not any(is_of_audit(row) for row in rows):
        raise DataError(
            f"There is no audit of {', '.join(methods) or 'any host'} in {', '.join(map(str, args.stores))}."
        )
    notes = [PAIRED]
    if args.pair:
        made = pairs_table(collected(rows), args.pair)
    elif args.pooled:
        made = pooled(rows, args.setting, args.beside)
    elif args.setting:
        made = by_host(rows, args.setting, args.beside, brief=args.brief)
        notes.append(f"All means are over these pairs; Δ is {args.setting} less {args.beside}.")
        notes.append(told_apart(rows, args.setting, args.beside, ACCURACIES if args.brief else ("D", *ACCURACIES)))
    else:
        made = table(collected(rows), args.beside)
        notes.append(f"All means of a line are over the pairs with {args.beside}, best first by Δ D.")
    if len({row["method"] for row in rows}) > 1:
        notes.append(DEPENDENT)
    print(made, " ".join(notes), sep="\n\n")


if __name__ == "__main__":
    from ending import ending

    ending(main)
