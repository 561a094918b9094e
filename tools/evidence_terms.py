"""What DAPT's terms do while models are trained: a table of docs/evidence.md, from runs with `dapt.diagnose`.

Means over the runs of a setting, of the first and of the last epoch. `--save` keeps the figures of all epochs in a file
that can be given instead of the runs.

    python tools/evidence_terms.py runs/evidence-terms --save benchmarks/results/evidence/terms.json
    python tools/evidence_terms.py benchmarks/results/evidence/terms.json
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from dapt.errors import DataError
from dapt.files import read_json, write_json
from evidence_figures import label_of, rows_of

PREFIXES = ("distance/", "right/", "angle/", "size/")
Epoch = Mapping[str, float]
Settings = dict[str, list[list[Epoch]]]  # by setting the epochs of each of its runs


def read_runs(folder: Path) -> Settings:
    """The figures of every run below a folder that looked at its terms, in the order of the settings' names.

    Where there are several hosts, each has settings of its own, with its name before theirs.

    Raises:
        DataError: no run did.
    """
    rows = [row for row in rows_of(folder) if row["kind"] == "run" and row["dapt"]]
    found: Settings = {}
    several = len({str(row["method"]) for row in rows}) > 1
    for row in sorted(rows, key=lambda each: str(each["run"])):
        lines = (Path(str(row["run"])) / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        epochs = [{key: value for key, value in json.loads(line).items() if key.startswith(PREFIXES)} for line in lines]
        epochs = [epoch for epoch in epochs if epoch]
        if epochs:
            setting = label_of(row, row["set/epochs"])
            setting = f"{row['method']}: {setting}" if several else setting
            found.setdefault(setting, []).append(epochs)
    if not found:
        raise DataError(f"No run below {folder} looked at its terms (dapt.diagnose).")
    return dict(sorted(found.items()))


def read_saved(path: Path) -> Settings:
    """The figures that --save has written.

    Raises:
        DaptError: it is no such file.
    """
    tree = read_json(path)
    runs = list(tree.values()) if isinstance(tree, dict) else []
    if not runs or not all(map(_is_of_runs, runs)):
        raise DataError(f"{path} is not what --save of this tool writes: settings with the figures of their runs.")
    return dict(tree)


def _is_of_runs(value: object) -> bool:
    """Whether a value is a list of runs, each a list of epochs, which have numbers by name."""
    if not isinstance(value, list) or not value or not all(isinstance(run, list) for run in value):
        return False
    epochs = [epoch for run in value for epoch in run]
    return all(isinstance(each, dict) for each in epochs) and all(
        isinstance(figure, int | float) for each in epochs for figure in each.values()
    )


def table(settings: Settings) -> str:
    """A table in Markdown: for each setting every figure in the first epoch that has it and in the last."""
    names = sorted({name for runs in settings.values() for epochs in runs for epoch in epochs for name in epoch})
    names.sort(key=lambda name: [name.startswith(prefix) for prefix in PREFIXES], reverse=True)
    lines = ["| setting | runs | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for setting, runs in settings.items():
        cells = [_first_and_last(runs, name) for name in names]
        lines.append("| " + " | ".join([setting, str(len(runs)), *cells]) + " |")
    return "\n".join(lines)


def _first_and_last(runs: Sequence[Sequence[Epoch]], name: str) -> str:
    having = [values for run in runs if (values := [epoch[name] for epoch in run if name in epoch])]
    if not having:
        return "–"
    digits = 0 if name.startswith(("right/", "angle/")) else 2
    first, last = (statistics.fmean(values[place] for values in having) for place in (0, -1))
    return f"{first:.{digits}f} → {last:.{digits}f}"


def main(words: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, help="a folder of runs, or a file that --save has written")
    parser.add_argument("--save", type=Path, help="keep the figures in this file")
    args = parser.parse_args(words)
    settings = read_runs(args.runs) if args.runs.is_dir() else read_saved(args.runs)
    if args.save:
        write_json(args.save, settings)
    print(table(settings))


if __name__ == "__main__":
    from ending import ending

    ending(main)
