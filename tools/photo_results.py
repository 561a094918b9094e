"""Run the comparison on photographs that docs/results.md reports, and print its tables.

Usage: python tools/photo_results.py --shared ../shared --runs runs/photos [--jobs 2] [--tables-only]

Every cell is one plain ``dapt train`` command (printed with --commands). Finished runs are kept, interrupted
ones are resumed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HOSTS = {"MaPLe": ["--method", "maple"], "IVLP": ["--method", "ivlp", "--depth", "9"]}
PROTOCOLS = {"all": ["--epochs", "10"], "base": ["--epochs", "5", "--subset", "base"]}
CUES = {"leeds_butterfly": ["masks", "gradcam", "border"], "caltech101": ["gradcam", "border"]}
SEEDS = (1, 2, 3)
# What may be done about poor cues (docs/cues.md), each beside the same cue without it: MaPLe, all classes, phased.
POOR = {
    "border trust": ("border", ["trust=score"]),
    "border area": ("border", ["min_area=0.05", "max_area=0.7"]),
    "patches": ("patches", []),
    "patches label": ("patches", ["background_label=cue"]),
    "patches words": ("patches", ["words=auto"]),
}


def cells(shared: Path) -> list[tuple[str, list[str]]]:
    """Run name and command-line arguments of every run."""
    found: list[tuple[str, list[str]]] = []
    for data, cues in CUES.items():
        common = [str(shared / "data" / data), "--model", f"local-dir:{shared / 'models' / 'photo-clip'}"]
        for protocol, options in PROTOCOLS.items():
            zero = [*common, "--method", "zero_shot", *options]
            found.append((f"{data}-{protocol}-zero_shot-1", zero))
            for seed in SEEDS:
                for host, host_options in HOSTS.items():
                    plain = [*common, *host_options, *options, "--seed", str(seed)]
                    found.append((f"{data}-{protocol}-{host}-{seed}", plain))
                    for cue in cues if host == "MaPLe" else [cues[0], "border"]:
                        for variant in ("joint", "phased"):
                            dapt = [*plain, "--dapt", "--cue", cue, "--set", f"dapt.variant={variant}"]
                            found.append((f"{data}-{protocol}-{host}+DAPT {cue} {variant}-{seed}", dapt))
    return found


def poor_cells(shared: Path) -> list[tuple[str, list[str]]]:
    """The same of the runs that do something about poor cues."""
    plain = {name: arguments for name, arguments in cells(shared) if "-all-MaPLe-" in name}
    found: list[tuple[str, list[str]]] = []
    for name, arguments in plain.items():
        data, protocol, host, seed = name.split("-")
        for title, (cue, settings) in POOR.items():
            given = [part for setting in settings for part in ("--set", f"dapt.{setting}")]
            dapt = [*arguments, "--dapt", "--cue", cue, "--set", "dapt.variant=phased", *given]
            found.append((f"{data}-{protocol}-{host}+DAPT {title} phased-{seed}", dapt))
    return found


def run(name: str, arguments: list[str], runs: Path) -> int:
    """One run as a process of its own with one thread."""
    folder = runs / name.replace(" ", "_")
    if (folder / "results.json").is_file():
        return 0
    command = [sys.executable, "-m", "dapt", "train", *arguments, "--out", str(folder), "-q"]
    if folder.exists():
        command.append("--resume")
    return subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False).returncode


def figure(values: list[float | None]) -> str:
    """``mean ± population standard deviation``."""
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    return f"{statistics.fmean(known):.1f} ± {statistics.pstdev(known):.1f}"


def tables(names: list[str], runs: Path) -> None:
    """Print one markdown table per data set and protocol."""
    columns = {
        "all": ["test/accuracy", "test/per_class_mean", "cue/foreground_attention"],
        "base": ["test/accuracy_base", "test/accuracy_novel", "test/harmonic_mean", "cue/foreground_attention"],
    }
    titles = {"all": "all classes, 10 epochs", "base": "base-to-novel, 5 epochs"}
    rows: dict[tuple[str, str], dict[str, list[dict]]] = {}
    for name in names:
        data, protocol, method, _ = name.split("-", 3)
        path = runs / name.replace(" ", "_") / "results.json"
        if path.is_file():
            rows.setdefault((data, protocol), {}).setdefault(method, []).append(json.loads(path.read_text()))
    for (data, protocol), methods in rows.items():
        keys = [
            key for key in columns[protocol] if any(r["metrics"][key] is not None for v in methods.values() for r in v)
        ]
        heads = [key.split("/")[1].replace("_", " ") for key in keys]
        print(f"\n### {data}: {titles[protocol]}\n\n| method | seeds | {' | '.join(heads)} |")
        print("|---|---|" + "---|" * len(keys))
        for method, results in methods.items():
            shown = [figure([result["metrics"][key] for result in results]) for key in keys]
            print(f"| {method} | {len(results)} | {' | '.join(shown)} |")


def main() -> None:
    """Run or list the cells, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--runs", type=Path, default=Path("runs/photos"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="+", metavar="RUN", help="these runs, as --commands names them")
    parser.add_argument("--commands", action="store_true", help="print the commands and stop")
    parser.add_argument("--tables-only", action="store_true")
    options = parser.parse_args()
    work = [*cells(options.shared), *poor_cells(options.shared)]
    chosen = [cell for cell in work if options.only is None or cell[0] in options.only]
    if options.commands:
        for name, arguments in chosen:
            print("dapt train", *arguments, "--out", str(options.runs / name.replace(" ", "_")))
        return
    if not options.tables_only:
        with ThreadPoolExecutor(options.jobs) as pool:
            codes = list(pool.map(lambda cell: run(*cell, options.runs), chosen))
        if any(codes):
            print(f"{sum(code != 0 for code in codes)} runs failed", file=sys.stderr)
    tables([name for name, _ in work], options.runs)


if __name__ == "__main__":
    main()
