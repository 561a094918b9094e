"""Train what docs/results.md audits, audit it, and print the table.

Usage: python tools/audit_results.py --shared ../shared --runs runs/audit [--jobs 2] [--cues masks gradcam]

Every cell is one plain ``dapt train`` and one ``dapt audit`` command (printed with --commands); zero-shot needs no
training. Finished runs and audits are kept, interrupted ones are resumed, so that the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HOSTS = {
    "MaPLe": ["--method", "maple"],
    "IVLP": ["--method", "ivlp", "--depth", "9"],
    "CLIP-LoRA": ["--method", "clip_lora", "--epochs", "20", "--lr", "0.01"],  # at its own rate it learns nothing
}
SEEDS = (1, 2, 3)
COLUMNS = {
    "original": ("accuracy", "original"),
    "only_fg": ("accuracy", "only_fg"),
    "only_bg_t": ("accuracy", "only_bg_t"),
    "mixed_same": ("accuracy", "mixed_same"),
    "mixed_rand": ("accuracy", "mixed_rand"),
    "BG-gap": ("bg_gap",),
    "answers changed": ("changed",),
}


@dataclass(frozen=True)
class Cell:
    """One model to audit.

    Attributes:
        name: method, then seed, parted by a hyphen. model: to audit, a run or a backbone. train: arguments of the
            training, None where nothing is trained.
    """

    name: str
    model: str
    seed: int
    train: list[str] | None = None


def cells(shared: Path, runs: Path, cues: list[str]) -> list[Cell]:
    """Every model, zero-shot first."""
    hybrid = shared / "models" / "photo-hybrid"
    common = [str(shared / "data" / "leeds_butterfly"), "--model", f"local-dir:{hybrid}", *plugin(shared)]
    common += ["--shots", "16", "--epochs", "10"]
    found = [Cell(f"zero-shot-{seed}", f"local-dir:{hybrid}", seed) for seed in SEEDS]
    for host, options in HOSTS.items():
        for seed in SEEDS:
            plain = [*common, *options, "--seed", str(seed)]
            kinds = {host: plain} | {f"{host}+DAPT {cue}": [*plain, "--dapt", "--cue", cue] for cue in cues}
            found += [
                Cell(f"{kind}-{seed}", str(place(runs, f"{kind}-{seed}")), seed, each) for kind, each in kinds.items()
            ]
    return found


def plugin(shared: Path) -> list[str]:
    """The option that makes the backbone known."""
    return ["--plugin", str(shared / "models" / "photo-hybrid" / "photo_hybrid.py")]


def place(runs: Path, name: str) -> Path:
    """The folder of a run."""
    return runs / name.replace(" ", "_")


def commands(cell: Cell, shared: Path, runs: Path) -> list[list[str]]:
    """What has to be done yet for a cell: arguments of `dapt`."""
    left = []
    if cell.train is not None and not (Path(cell.model) / "results.json").is_file():
        again = ["--resume"] if Path(cell.model).exists() else []
        left.append(["train", *cell.train, "--out", cell.model, "-q", *again])
    if not audit_file(cell, runs).is_file():
        data = str(shared / "data" / "leeds_butterfly")
        asked = ["audit", cell.model, data, "--seed", str(cell.seed), *plugin(shared)]
        left.append([*asked, "--json", str(audit_file(cell, runs)), "-q"])
    return left


def audit_file(cell: Cell, runs: Path) -> Path:
    """Where the figures of a cell are."""
    return runs / "audits" / f"{cell.name.replace(' ', '_')}.json"


def run(cell: Cell, shared: Path, runs: Path) -> int:
    """A cell, each command as a process of its own with one thread."""
    for arguments in commands(cell, shared, runs):
        done = subprocess.run(
            [sys.executable, "-m", "dapt", *arguments],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            return done.returncode
    return 0


def figure(values: list[float]) -> str:
    """``mean ± population standard deviation``."""
    return f"{statistics.fmean(values):.1f} ± {statistics.pstdev(values):.1f}" if values else "–"


def table(work: list[Cell], runs: Path) -> str:
    """The figures of all audits that are there, as markdown; each seed has mixtures of its own."""
    found: dict[str, list[dict]] = {}
    for cell in work:
        if audit_file(cell, runs).is_file():
            record = json.loads(audit_file(cell, runs).read_text(encoding="utf-8"))
            found.setdefault(cell.name.rpartition("-")[0], []).append(record["models"][0])
    lines = [f"| method | seeds | {' | '.join(COLUMNS)} |", "|---|---|" + "---|" * len(COLUMNS)]
    for name, models in found.items():
        shown = []
        for keys in COLUMNS.values():
            values = [model[keys[0]] if len(keys) == 1 else model[keys[0]][keys[1]] for model in models]
            shown.append(figure([value["value"] for value in values if value["value"] is not None]))
        lines.append(f"| {name} | {len(models)} | {' | '.join(shown)} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run or list the cells, then print the table; 1 if a cell failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--shared", type=Path, default=Path("../shared"))
    add("--runs", type=Path, default=Path("runs/audit"))
    add("--jobs", type=int, default=2)
    add(
        "--cues", nargs="+", default=["masks", "gradcam"], help="cues of the runs with DAPT: true masks, and a free one"
    )
    add("--only", nargs="+", metavar="CELL", help="these cells, as --commands names them")
    add("--commands", action="store_true", help="print the commands and stop")
    add("--tables-only", action="store_true")
    options = parser.parse_args(arguments)
    work = cells(options.shared, options.runs, options.cues)
    chosen = [cell for cell in work if options.only is None or cell.name in options.only]
    if options.commands:
        for cell in chosen:
            for each in commands(cell, options.shared, options.runs):
                print(f"# {cell.name}\ndapt {shlex.join(each)}")
        return 0
    failed = 0
    if not options.tables_only:
        with ThreadPoolExecutor(options.jobs) as pool:
            codes = list(pool.map(lambda cell: run(cell, options.shared, options.runs), chosen))
        failed = sum(code != 0 for code in codes)
        if failed:
            print(f"{failed} cells failed", file=sys.stderr)
    print(table(work, options.runs))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
