"""The figures of docs/demo.md: `dapt demo` on several drawings of its scenes, and the table of the page.

python tools/demo_figures.py runs/demo-figures --variants phased symmetric joint --tables docs/demo.md README.md

For every scene seed there are one zero-shot model, one host and one host + DAPT per variant, all with few-shot seed 1,
as `dapt demo --seeds 1 --set scene_seed=S --set dapt.variant=V` trains them; what is finished is kept. Intervals are
95% t-intervals of the mean over the scene seeds, those of differences paired. With --tables the table is put between
the comments `<!-- figures -->` and `<!-- end -->` of these pages; without --variants it is about DAPT as --dapt has it.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from dapt.config import RunConfig
from dapt.data.resolve import load_data
from dapt.demo.figures import KINDS, MEASURES, display_name, taken_for_background
from dapt.demo.run import draw_scenes
from dapt.demo.setting import DemoSettings, plan
from dapt.demo.subjects import subjects
from dapt.errors import DataError
from dapt.evaluation.evaluate import evaluate
from dapt.experiments.executors.local import side_by_side
from dapt.experiments.run_all import run_all
from dapt.files import write_text
from dapt.results import RunResults
from dapt.runs.load_run import load_run
from dapt.validation import validated

SCENE_SEEDS = (1, 2, 3, 4, 5)
PLACE = re.compile(r"(<!-- figures -->\n).*?(<!-- end -->)", re.DOTALL)
# Two-sided 95% quantiles of Student's t by degrees of freedom.
QUANTILES = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}

MOST = max(QUANTILES) + 1  # scene seeds

Figures = dict[str, dict[str, list[float]]]


def planned(folder: Path, settings: DemoSettings, variants: Sequence[str]) -> dict[str, RunConfig]:
    """The runs on the scenes of one seed, longest first: one for each variant of DAPT, the host, and zero-shot."""
    index = draw_scenes(folder / "data", settings)
    found: dict[str, RunConfig] = {}
    for variant in variants:
        changed = validated(DemoSettings, {**settings.model_dump(exclude={"dapt"}), "dapt": {"variant": variant}})
        configs = plan(changed, index, folder / "runs")
        found[variant] = configs.pop("dapt-seed1").model_copy(update={"out": str(folder / "runs" / variant)})
        found |= {"host": configs["host-seed1"], "zero_shot": configs["zero_shot"]}
    return {name: found[name] for name in [*variants, "host", "zero_shot"]}


def measures(config: RunConfig, run: RunResults, settings: DemoSettings) -> dict[str, float]:
    """Every measure of one finished run, by name."""
    items = [item for item in load_data(config.data).labelled("test") if item.group == "exchanged"]
    labels = [item.label for item in items]
    model, _ = load_run(Path(str(config.out)), device="cpu")
    guesses = evaluate(model, items, labels, label=f"measuring {config.out}").predicted.tolist()
    homes = [subject.home for subject in subjects(settings.scenes)]
    found = {
        "test/accuracy": run.metrics["test/accuracy"],
        "test/accuracy_own": run.per_group["own"],
        "test/worst_group": run.per_group["exchanged"],
        "cue/foreground_attention": run.metrics["cue/foreground_attention"],
        "test/taken_for_background": taken_for_background(items, labels, guesses, homes),
    }
    return {name: float(value) for name, value in found.items() if value is not None}


def measured(out: Path, seeds: Sequence[int], variants: Sequence[str], jobs: int | None) -> Figures:
    """Train what is missing; every measure of zero-shot, host and each variant of DAPT, one value per scene seed."""
    settings = {seed: DemoSettings(seeds=1, scene_seed=seed) for seed in seeds}
    configs = {
        f"scenes{seed} {name}": config
        for seed in seeds
        for name, config in planned(out / f"scenes{seed}", settings[seed], variants).items()
    }
    runs = run_all(configs, jobs=jobs or side_by_side(len(configs)), label=f"{len(configs)} runs").whole()
    figures: Figures = {}
    for key, config in configs.items():
        scenes, name = key.split()
        seed = int(scenes.removeprefix("scenes"))
        for measure, value in measures(config, runs[key], settings[seed]).items():
            figures.setdefault(name, {}).setdefault(measure, []).append(value)
    return figures


def interval(values: Sequence[float]) -> str:
    """Mean and half width of its 95% interval."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return f"{mean:.1f}"
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return f"{mean:.1f} ± {QUANTILES[len(values) - 1] * deviation / math.sqrt(len(values)):.1f}"


def table(figures: Figures, titles: Mapping[str, str]) -> str:
    """The table in Markdown: a line for every model, and one for what each variant adds to the host."""
    count = len(figures["host"]["test/accuracy"])
    lines = [f"| percent, mean over {count} scene seeds | {' | '.join(MEASURES.values())} |"]
    lines.append("|---" * (len(MEASURES) + 1) + "|")
    for name, title in titles.items():
        lines.append(f"| {title} | {' | '.join(interval(figures[name][measure]) for measure in MEASURES)} |")
    for name, title in titles.items():
        if name in KINDS:
            continue
        cells = []
        for measure in MEASURES:
            pairs = zip(figures[name][measure], figures["host"][measure], strict=True)
            text = interval([after - before for after, before in pairs])
            cells.append(text if text.startswith("-") else f"+{text}")
        lines.append(f"| {title}, minus {titles['host']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def read_page(path: Path) -> str:
    """The text of a page that has a place for the table.

    Raises:
        DataError: it cannot be read, or has none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    if not PLACE.search(text):
        raise DataError(f"{path} has no place for the table: the lines '<!-- figures -->' and '<!-- end -->'.")
    return text


def main() -> None:
    """Train what is missing, print the tables, and put them into the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--scene-seeds", type=int, nargs="+", default=list(SCENE_SEEDS))
    parser.add_argument("--variants", nargs="+", default=[DemoSettings().dapt.variant])
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--tables", type=Path, nargs="*", default=[], help="pages to put the table into")
    options = parser.parse_args()
    if not 1 <= len(options.scene_seeds) <= MOST:
        parser.error(f"at most {MOST} scene seeds")
    for variant in options.variants:
        validated(DemoSettings, {"dapt": {"variant": variant}})
    pages = {page: read_page(page) for page in options.tables}
    figures = measured(options.out, options.scene_seeds, options.variants, options.jobs)
    usual = DemoSettings()
    host = display_name(usual.host)
    titles = {"zero_shot": "zero-shot", "host": host}
    for variant in options.variants:
        titles[variant] = f"{host} + DAPT" + ("" if variant == usual.dapt.variant else f" ({variant})")
    text = table(figures, titles)
    print(text)
    for name in titles:
        values = "; ".join(
            f"{MEASURES[key]} {', '.join(f'{value:.1f}' for value in figures[name][key])}"
            for key in ("test/accuracy_own", "test/worst_group")
        )
        print(f"{titles[name]}: {values}")
    for page, before in pages.items():
        write_text(page, PLACE.sub(lambda match: f"{match[1]}\n{text}\n\n{match[2]}", before))


if __name__ == "__main__":
    from ending import ending

    ending(main)
