"""Compare all methods, with and without DAPT, on photographs, and print the tables of docs/results.md.

Usage: python tools/method_results.py --shared ../shared --runs runs/methods [--jobs 2] [--commands | --tables-only]

Finished runs are kept, interrupted ones go on. Figures of finished runs are added to a record (--record), and what is
in it is not run again, so the work can be spread over machines and days. Accuracy comes from runs beside each other;
time and memory from a short run of each method in a process of its own with nothing beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from dapt.files import write_json, write_text
from photo_results import figure

SEEDS = (1, 2, 3)
RECORD = Path(__file__).parents[1] / "benchmarks" / "results" / "photographs" / "methods.json"
COST = "cost.json"
Cells = dict[str, dict[str, Any]]
Record = dict[str, dict[str, Any]]
CUES = {"leeds_butterfly": "masks", "caltech101": "gradcam"}
PROTOCOLS = {"all": "all", "base": "base"}


@dataclass(frozen=True)
class Host:
    """A method and how long it is trained: for all classes, and for the base classes.

    Attributes:
        options: options of the method that the small model needs or the short training asks for.
        teacher: name of the host whose runs teach this one.
    """

    method: str
    epochs: tuple[int, int] = (0, 0)
    options: dict[str, Any] = field(default_factory=dict)
    dapt: bool = True
    teacher: str = ""


# It has five times the images, so fewer epochs are still more steps.
SHORTER = {("caltech101", "all"): 3, ("caltech101", "base"): 2}
NINE = {"prompt": {"depth": 9}}
HOSTS = {
    "zero_shot": Host("zero_shot", dapt=False),
    "zero_shot.ensemble": Host("zero_shot.ensemble", dapt=False),
    "linear_probe": Host("linear_probe", dapt=False),
    "tip_adapter": Host("tip_adapter", dapt=False),
    "tip_adapter.tuned": Host("tip_adapter.tuned", (20, 20)),
    "clap": Host("clap", (100, 100)),
    "coop.words": Host("coop.words", (50, 25)),
    "kgcoop.few_shot": Host("kgcoop.few_shot", (50, 25)),
    "prograd": Host("prograd", (50, 25)),
    "cocoop": Host("cocoop", (5, 5), {"batch_size": 4}),
    "language_deep": Host("language_deep", (10, 5), NINE),
    "vpt": Host("vpt", (10, 5), NINE),
    "ivlp": Host("ivlp", (10, 5), NINE),
    "maple": Host("maple", (10, 5)),
    "promptsrc": Host("promptsrc", (10, 5)),
    "promptkd": Host("promptkd", (10, 5), teacher="promptsrc"),
    "clip_lora": Host("clip_lora", (40, 20), {"lr": 0.01}),  # a twentieth of the published steps, at a higher rate
}


def settings(name: str, protocol: str, data: str, seed: int, *, dapt: bool, shared: Path, runs: Path) -> dict[str, Any]:
    """The configuration of one run."""
    host = HOSTS[name]
    epochs = epochs_of(name, protocol, data)
    tree: dict[str, Any] = {
        "data": str(shared / "data" / data),
        "model": f"local-dir:{shared / 'models' / 'photo-clip'}",
        "method": host.method,
        "subset": protocol,
        "seed": seed,
        "epochs": epochs,
        **json.loads(json.dumps(host.options)),
    }
    prompt = tree.setdefault("prompt", {})
    if host.method == "promptsrc":  # three quarters of the way, as 15 of 20 epochs are
        prompt.update(gpa_mean=0.75 * epochs, gpa_std=1.0)
    if host.teacher:
        prompt["teacher"] = str(folder(runs, host.teacher, protocol, data, seed, dapt=False))
    if dapt:
        tree["dapt"] = True
        tree["cue"] = {"source": CUES[data], "refresh": 5}
    tree["out"] = str(folder(runs, name, protocol, data, seed, dapt=dapt))
    return tree


def epochs_of(name: str, protocol: str, data: str) -> int:
    """How long a host is trained."""
    epochs = HOSTS[name].epochs[0 if protocol == "all" else 1]
    return -(-epochs // SHORTER.get((data, protocol), 1))


def folder(runs: Path, name: str, protocol: str, data: str, seed: int, *, dapt: bool) -> Path:
    """Where a run is."""
    return runs / f"{data}-{protocol}-{name}{'+dapt' if dapt else ''}-{seed}"


def cells(shared: Path, runs: Path) -> Iterator[Cells]:
    """Run name to configuration, in parts to be run one after the other: a seed on a data set, students last."""
    for data, seed, teachers in product(CUES, SEEDS, (False, True)):
        found = {}
        for protocol, (name, host) in product(PROTOCOLS, HOSTS.items()):
            if bool(host.teacher) != teachers:
                continue
            for dapt in (False, True)[: 1 + host.dapt]:
                tree = settings(name, protocol, data, seed, dapt=dapt, shared=shared, runs=runs)
                found[Path(tree["out"]).name] = tree
        yield found


def as_command(tree: dict[str, Any]) -> str:
    """The run as a command line."""
    words = ["dapt train", tree["data"]]
    for key in ("model", "method", "subset", "seed", "epochs", "batch_size", "lr", "out"):
        if key in tree:
            words.append(f"--{key.replace('_', '-')} {tree[key]}")
    words += [f"--set prompt.{key}={value}" for key, value in tree["prompt"].items()]
    if "dapt" in tree:
        words.append(f"--dapt --cue {tree['cue']['source']} --set cue.refresh={tree['cue']['refresh']}")
    return " ".join(words)


def measure_cost(shared: Path, runs: Path, path: Path) -> Record:
    """Seconds per epoch and peak memory of each method, with and without DAPT: one short run each, one at a time."""
    found = read_record(path)
    for name, host in HOSTS.items():
        for dapt in (False, True)[: 1 + host.dapt]:
            label = name + ("+dapt" if dapt else "")
            if label in found:
                continue
            tree = settings(name, "all", "leeds_butterfly", 1, dapt=dapt, shared=shared, runs=runs)
            tree |= {"epochs": min(2, tree["epochs"]), "out": str(runs / f"cost-{label}")}
            code = "import json, sys; import dapt; dapt.train(overwrite=True, **json.loads(sys.argv[1]))"
            subprocess.run([sys.executable, "-c", code, json.dumps(tree)], check=True, stderr=subprocess.DEVNULL)
            results = json.loads((Path(tree["out"]) / "results.json").read_text())
            found[label] = {**results["timing"], "parameters": results["counts"]["trainable_parameters"]}
            write_json(path, found)
    return found


def read_record(path: Path) -> Record:
    """Figures of finished runs by name."""
    return json.loads(path.read_text()) if path.is_file() else {}


def add_to_record(record: Record, runs: Path, path: Path) -> None:
    """Add the figures of the finished runs in `runs`, and write the record."""
    for file in sorted(runs.glob("*/results.json")):
        if not file.parent.name.startswith("cost-"):
            results = json.loads(file.read_text())
            known = {key: value for key, value in results["metrics"].items() if value is not None}
            record[file.parent.name] = {"metrics": known, "flags": results["flags"]}
    write_record(record, path)


def write_record(record: Record, path: Path) -> None:
    """Write a record, a line per run."""
    lines = [f"{json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(record.items())]
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def missing(part: Cells, record: Record, runs: Path) -> Cells:
    """The cells that are not in the record, and the runs that teach them."""
    left = {name: tree for name, tree in part.items() if name not in record}
    for tree in list(left.values()):
        teacher = tree["prompt"].get("teacher")
        if teacher and not (Path(teacher) / "results.json").is_file():
            data, protocol, rest = Path(teacher).name.split("-", 2)
            name, seed = rest.rsplit("-", 1)
            again = settings(
                name, protocol, data, int(seed), dapt=False, shared=Path(tree["data"]).parents[1], runs=runs
            )
            left = {Path(teacher).name: again, **left}
    return left


def tables(record: Record, runs: Path, cost: Record) -> None:
    """Print one Markdown table per data set and protocol, and the cost of each method."""
    columns = {
        "all": ["test/accuracy", "test/per_class_mean", "cue/foreground_attention"],
        "base": ["test/accuracy_base", "test/accuracy_novel", "test/harmonic_mean", "cue/foreground_attention"],
    }
    titles = {"all": "all classes", "base": "base-to-novel"}
    for data in CUES:
        for protocol, keys in columns.items():
            keys = [key for key in keys if "attention" not in key or CUES[data] == "masks"]
            heads = [key.split("/")[1].replace("_", " ") for key in keys]
            print(f"\n### {data}: {titles[protocol]}\n\n| method | epochs | seeds | {' | '.join(heads)} |")
            print("|---|---:|---:|" + "---|" * len(keys))
            for name, host in HOSTS.items():
                for dapt in (False, True)[: 1 + host.dapt]:
                    names = [folder(runs, name, protocol, data, seed, dapt=dapt).name for seed in SEEDS]
                    rows = [record[run] for run in names if run in record]
                    if rows:
                        shown = [figure([row["metrics"].get(key) for row in rows]) for key in keys]
                        flags = sorted({flag for row in rows for flag in row["flags"]})
                        label = name + (" + DAPT" if dapt else "") + (f" ({', '.join(flags)})" if flags else "")
                        epochs = epochs_of(name, protocol, data)
                        print(f"| {label} | {epochs or '–'} | {len(rows)} | {' | '.join(shown)} |")
    if cost:
        print("\n### Cost\n\n| method | trained parameters | seconds per epoch | + DAPT | peak memory, MB | + DAPT |")
        print("|---|---:|---:|---:|---:|---:|")
        for name in HOSTS:
            pair = [cost.get(name, {}), cost.get(f"{name}+dapt", {})]
            seconds, memory = ([part.get(key) for part in pair] for key in ("seconds_per_epoch", "peak_memory_mb"))
            cells_ = [f"{pair[0].get('parameters', 0):,}"]
            cells_ += ["–" if value is None else f"{value:.1f}" for value in seconds]
            cells_ += ["–" if value is None else f"{value:.0f}" for value in memory]
            print(f"| {name} | {' | '.join(cells_)} |")


def main() -> None:
    """Run or list the cells, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--runs", type=Path, default=Path("runs/methods"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--commands", action="store_true", help="print the commands and stop")
    parser.add_argument("--tables-only", action="store_true")
    parser.add_argument("--no-cost", action="store_true", help="leave out time and memory")
    parser.add_argument("--record", type=Path, default=RECORD, help="figures of finished runs")
    options = parser.parse_args()
    record = read_record(options.record)
    shared, runs = options.shared.absolute(), options.runs.absolute()
    if options.commands:
        for part in cells(options.shared, options.runs):
            for tree in part.values():
                print(as_command(tree))
        return
    if not options.tables_only:
        from dapt.config import make_config
        from dapt.experiments.run_all import run_all

        os.environ.setdefault("OMP_NUM_THREADS", "1")
        runs.mkdir(parents=True, exist_ok=True)
        for part in cells(shared, runs):
            configs = {name: make_config(tree) for name, tree in missing(part, record, runs).items()}
            if configs:
                run_all(configs, jobs=options.jobs, label="methods on photographs").whole()
            add_to_record(record, runs, options.record)
        if not options.no_cost:
            measure_cost(shared, runs, options.record.with_name(COST))
    if runs.is_dir():
        add_to_record(record, runs, options.record)
    tables(record, options.runs, read_record(options.record.with_name(COST)))


if __name__ == "__main__":
    main()
