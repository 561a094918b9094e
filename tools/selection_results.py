"""Data-efficient and cross-dataset results on photographs, as docs/results.md reports them.

Usage: python tools/selection_results.py --shared ../shared --runs runs/selection [--commands | --tables-only]
       python tools/selection_results.py --cross runs/methods --shared ../shared --runs runs/selection

Data-efficient: MaPLe with and without DAPT on what each of the nine selectors chooses of the training images of
caltech101. Cross-dataset (--cross): the finished runs of tools/method_results.py on all classes of one data set,
evaluated on the other. Figures go into records beside that of tools/method_results.py and are not made again.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from method_results import CUES, HOSTS, RECORD, SEEDS, Cells, Record, add_to_record, folder, read_record, write_record
from photo_results import figure

DATA = "caltech101"
SELECTORS = (
    *("uniform", "uncertainty", "herding", "submodular", "glister"),
    *("grand", "craig", "cal", "forgetting"),
)
FRACTIONS = (0.1, 0.2, 0.5)
EPOCHS = 4
CROSS = RECORD.with_name("cross.json")
SELECTION = RECORD.with_name("selection.json")


def cells(shared: Path, runs: Path) -> Cells:
    """Settings of every data-efficient run by its name; ``all`` is the whole training set."""
    found: Cells = {}
    for seed in SEEDS:
        for fraction in (1.0, *FRACTIONS):
            for select in SELECTORS if fraction < 1 else ("all",):
                for dapt in (False, True):
                    name = cell_name(select, fraction, seed, dapt=dapt)
                    tree: dict[str, Any] = {
                        "data": str(shared / "data" / DATA),
                        "model": f"local-dir:{shared / 'models' / 'photo-clip'}",
                        "method": "maple",
                        "shots": 0,
                        "epochs": EPOCHS,
                        "seed": seed,
                        "out": str(runs / name),
                    }
                    if fraction < 1:
                        tree |= {"select": select, "fraction": fraction}
                    if dapt:
                        tree |= {"dapt": True, "cue": {"source": "gradcam", "refresh": 0}}
                    found[name] = tree
    return found


def parts(shared: Path, runs: Path) -> list[Cells]:
    """What is run one after the other: the fractions of a seed, and last the whole training set."""
    found: list[Cells] = [{} for _ in (*SEEDS, "all")]
    for name, tree in cells(shared, runs).items():
        found[SEEDS.index(tree["seed"]) if "select" in tree else -1][name] = tree
    return found


def cell_name(select: str, fraction: float, seed: int, *, dapt: bool) -> str:
    """The folder of a run."""
    return f"{DATA}-{select}-{fraction:g}{'+dapt' if dapt else ''}-{seed}"


def as_command(tree: dict[str, Any]) -> str:
    """The run as a command line."""
    words = ["dapt train", tree["data"]]
    for key in ("model", "method", "shots", "epochs", "seed", "select", "fraction", "out"):
        if key in tree:
            words.append(f"--{key} {tree[key]}")
    if "dapt" in tree:
        words.append("--dapt --cue gradcam --set cue.refresh=0")
    return " ".join(words)


def accuracies(record: Record, select: str, fraction: float, *, dapt: bool) -> list[float]:
    """Test accuracy of the finished runs of a cell."""
    names = [cell_name(select, fraction, seed, dapt=dapt) for seed in SEEDS]
    return [record[name]["metrics"]["test/accuracy"] for name in names if name in record]


def selection_table(record: Record) -> None:
    """Print the data-efficient table."""
    heads = [f"{100 * fraction:g}%" for fraction in FRACTIONS]
    print("\n### caltech101: data-efficient learning\n")
    print(
        f"| selector | {' | '.join(f'MaPLe {head}' for head in heads)} | {' | '.join(f'+ DAPT {h}' for h in heads)} |"
    )
    print("|---|" + "---|" * (2 * len(heads)))
    for select in SELECTORS:
        shown = [figure(accuracies(record, select, part, dapt=dapt)) for dapt in (False, True) for part in FRACTIONS]
        print(f"| {select} | {' | '.join(shown)} |")
    whole = [accuracies(record, "all", 1, dapt=dapt) for dapt in (False, True)]
    plain, ours = (f"{figure(found)} ({len(found)} of {len(SEEDS)} seeds)" for found in whole)
    print(f"\nAll training images: MaPLe {plain}, + DAPT {ours}.")


def selection_plot(record: Record, path: Path) -> None:
    """Draw accuracy against the fraction, a panel with and one without DAPT."""
    from matplotlib.figure import Figure

    colours = ("#767676", "#E69F00", "#0072B2", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8C6D00", "#000000")
    zero_shot = folder(Path(), "zero_shot", "all", DATA, 1, dapt=False).name
    untrained = read_record(RECORD)[zero_shot]["metrics"]["test/accuracy"]
    picture = Figure(figsize=(10, 4.2), layout="constrained")
    panels = picture.subplots(1, 2, sharey=True)
    for axes, dapt in zip(panels, (False, True), strict=True):
        for number, select in enumerate(SELECTORS):
            values = [accuracies(record, select, fraction, dapt=dapt) for fraction in FRACTIONS]
            points = [
                (100 * part, sum(found) / len(found)) for part, found in zip(FRACTIONS, values, strict=True) if found
            ]
            style = "--" if select == "uniform" else "-"
            axes.plot(
                *zip(*points, strict=True), style, marker="os^Dv<>Pp"[number], color=colours[number], label=select
            )
        whole = accuracies(record, "all", 1, dapt=dapt)
        if whole:
            axes.axhline(sum(whole) / len(whole), color="#767676", linewidth=1, linestyle=":", label="all images")
        axes.axhline(untrained, color="#767676", linewidth=1, linestyle="-.", label="zero-shot")
        axes.set_title("MaPLe + DAPT" if dapt else "MaPLe")
        axes.set_xlabel("training images used, %")
        axes.set_xticks([100 * fraction for fraction in FRACTIONS])
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    panels[0].set_ylabel("test accuracy, %")
    panels[1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    picture.savefig(path, dpi=110)


def evaluate_across(shared: Path, methods: Path, path: Path) -> Record:
    """Evaluate the runs of tools/method_results.py on the other data set; figures in the record are not made again."""
    from dapt.console import set_quiet
    from dapt.methods.base import METHODS
    from dapt.runs.evaluate_run import evaluate_saved

    set_quiet(True)
    record = read_record(path)
    for source, target in pairs():
        for name, host in HOSTS.items():
            if METHODS.get(host.method).load_architecture().fixed_classes:
                continue
            for dapt in (False, True)[: 1 + host.dapt]:
                for seed in SEEDS:
                    run = folder(methods, name, "all", source, seed, dapt=dapt)
                    cell = f"{run.name} on {target}"
                    if cell in record or not (run / "results.json").is_file():
                        continue
                    file = run / "eval" / f"{target}-test.json"
                    place = str(shared / "data" / target)
                    found, _ = evaluate_saved(
                        run, data=place, split="test", classes="data", json_file=file, device="cpu"
                    )
                    record[cell] = {
                        "metrics": {key: value for key, value in found["metrics"].items() if value is not None}
                    }
                    write_record(record, path)
    return record


def pairs() -> list[tuple[str, str]]:
    """Source and target data sets."""
    return [(source, target) for source in CUES for target in CUES if source != target]


def cross_table(record: Record) -> None:
    """Print the cross-dataset table: accuracy on all classes of the other data set, and how many seeds there are."""
    heads = [f"{source} → {target} | seeds" for source, target in pairs()]
    print(f"\n### Cross-dataset\n\n| method | {' | '.join(heads)} |\n|---|" + "---|---:|" * len(pairs()))
    for name, host in HOSTS.items():
        for dapt in (False, True)[: 1 + host.dapt]:
            shown = []
            for source, target in pairs():
                names = [folder(Path(), name, "all", source, seed, dapt=dapt).name for seed in SEEDS]
                rows = [record[cell] for cell in (f"{run} on {target}" for run in names) if cell in record]
                shown += [figure([row["metrics"]["test/accuracy"] for row in rows]), str(len(rows))]
            if any(text not in ("–", "0") for text in shown):
                print(f"| {name}{' + DAPT' if dapt else ''} | {' | '.join(shown)} |")


def main() -> None:
    """Run or list the cells, then print the tables and draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--runs", type=Path, default=Path("runs/selection"))
    parser.add_argument("--cross", type=Path, help="evaluate these runs of tools/method_results.py instead")
    parser.add_argument("--plot", type=Path, help="picture of the data-efficient table to write")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--commands", action="store_true", help="print the commands and stop")
    parser.add_argument("--tables-only", action="store_true")
    options = parser.parse_args()
    shared, runs = options.shared.absolute(), options.runs.absolute()
    record = read_record(SELECTION)
    if options.commands:
        for tree in cells(options.shared, options.runs).values():
            print(as_command(tree))
        return
    if not options.tables_only:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        if options.cross:
            evaluate_across(shared, options.cross.absolute(), CROSS)
        else:
            from dapt.config import make_config
            from dapt.experiments.run_all import run_all

            runs.mkdir(parents=True, exist_ok=True)
            for part in parts(shared, runs):
                configs = {name: make_config(tree) for name, tree in part.items() if name not in record}
                if configs:
                    run_all(configs, jobs=options.jobs, label="data-efficient").whole()
                add_to_record(record, runs, SELECTION)
    if options.cross:
        cross_table(read_record(CROSS))
    else:
        selection_table(record)
    if options.plot:
        selection_plot(record, options.plot)


if __name__ == "__main__":
    main()
