"""Results as JSON, Markdown and pictures; every file appears whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

from dapt.files import write_json, write_text, write_with

Results = dict[str, Any]
BLUE, GREY, ORANGE = "#2563a8", "#8a8f98", "#c2571a"
_BOTH = ("onednn", "plain")


def write_report(results: Results, folder: Path, *, pictures: bool = True) -> None:
    """results.json, results.md, steps.png and growth.png, as far as there is something to show."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "results.json", results)
    write_text(folder / "results.md", markdown(results))
    if pictures and results.get("steps"):
        _save(_steps_picture(results["steps"]), folder / "steps.png")
    if pictures and results.get("growth"):
        _save(_growth_picture(results["growth"]), folder / "growth.png")


def markdown(results: Results) -> str:
    """The tables."""
    machine = results["machine"]
    lines = [
        "# Benchmark results",
        "",
        "Written by `python -m benchmarks`. " + "; ".join(machine["sentences"]) + ".",
        "",
    ]
    for title, rows in (
        ("Training step", _steps_table(results.get("steps", []))),
        ("The step of a run", _runs_table(results.get("steps", []))),
        ("Kernels of a step", _kernels_table(results.get("kernels", []))),
        ("Kernels of a step, counted without a GPU", _launches_table(results.get("launches", []))),
        ("Waits for the GPU in a step", _syncs_table(results.get("syncs", []))),
        ("Where the time goes", _profile_table(results.get("profile", []))),
        ("What each saving brings", _levers_table(results.get("levers", []))),
        ("Which library multiplies", _linear_table(results.get("linear", []))),
        ("Growth", _growth_table(results.get("growth", []))),
        ("A real run", _overhead_table(results.get("overhead"))),
        ("Evaluation", _evaluation_table(results.get("evaluation", []))),
        ("Evaluation from JPEG files", _feeding_table(results.get("feeding", []))),
    ):
        if rows:
            lines += [f"## {title}", "", *rows, ""]
    return "\n".join(lines)


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    line = ["| " + " | ".join(cells) + " |" for cells in [head, *rows]]
    return [line[0], "|" + "|".join(["---"] + ["---:"] * (len(head) - 1)) + "|", *line[1:]]


def _against(value: float | None, goal: float | None, *, least: bool = False, form: str = "{:.2f}") -> str:
    """A figure beside its goal, with a mark where the goal is missed."""
    if value is None:
        return ""
    text = form.format(value)
    if goal is None:
        return text
    missed = value < goal if least else value > goal
    return f"{text} ({'>=' if least else '<='} {form.format(goal)}{', missed' if missed else ''})"


def _time(value: float) -> str:
    """Seconds, with more digits where there are few."""
    return f"{value:.2f}" if value >= 0.1 or not value else f"{value:.5f}"


def _title(row: Results, rows: list[Results]) -> str:
    """The title of a step, with what tells the steps of a table apart."""
    more = [f"batch {row['batch']}"] if len({each["batch"] for each in rows}) > 1 else []
    more += [row["precision"]] if len({each.get("precision") for each in rows}) > 1 else []
    return ", ".join([row["title"], *more])


def _steps_table(steps: list[Results]) -> list[str]:
    if not steps:
        return []
    head = ["step", "plain s", "ours s", "time ratio (goal)"]
    head += ["plain MB", "ours MB", "memory ratio (goal)", "above idle"]
    head += ["GFLOP plain", "GFLOP ours", "share of roofline", "loss apart", "gradients apart"]
    rows = []
    for row in steps:
        goals = row["goals"]
        memory = _against(row.get("memory_ratio"), goals["memory_ratio"])
        extrapolated = " *" if row.get("plain_is_extrapolated") else ""
        rows.append(
            [
                _title(row, steps),
                f"{_time(row['plain_seconds'])}{extrapolated}",
                _time(row["seconds"]),
                _against(row["time_ratio"], goals["time_ratio"], form="{:.3f}"),
                f"{row['plain_peak_mb']:.0f}" if "plain_peak_mb" in row else "",
                _against(row["peak_mb"], goals["peak_mb"], form="{:.0f}"),
                memory,
                f"{row['memory_ratio_above_idle']:.2f}" if "memory_ratio_above_idle" in row else "",
                f"{row['plain_gflop']:.0f}" if "plain_gflop" in row else "",
                f"{row['gflop']:.0f}",
                _against(row["roofline_share"], goals["roofline_share"], least=True),
                f"{row['loss_apart']:.0e}" if "loss_apart" in row else "",
                f"{row['gradients_apart']:.0e}" if "gradients_apart" in row else "",
            ]
        )
    batches = " and ".join(str(batch) for batch in sorted({row["batch"] for row in steps}))
    memory = "Memory is the peak of a process that runs the step and nothing else, with imports and weights; "
    if steps[0].get("on_gpu"):
        memory = "Memory is the peak of tensors on the GPU, with weights; "
    notes = [
        "",
        f"Median of {len(steps[0]['all_seconds'])} timings, both ways and the matrix products taken in turn. Batch "
        f"{batches}. GFLOP plain leaves out fused attention, as torch's counter does on CPUs; GFLOP ours "
        f"includes it. {memory}above idle: without what is held before the first step, the same for both ways. The "
        f"roofline, the fastest matrix product found beside each step, was {_range(steps)} GFLOP/s.",
    ]
    if any(row.get("plain_is_extrapolated") for row in steps):
        notes.append("\\* does not fit into memory: extrapolated linearly from 100 and 200 classes.")
    return _table(head, rows) + notes


def _runs_table(steps: list[Results]) -> list[str]:
    """The steps whose training was measured."""
    measured = [row for row in steps if "run_graph_seconds" in row]
    if not measured:
        return []
    head = ["step", "plain s", "run s", "run as a graph s", "graph to plain", "reserved MB", "reserved MB with graph"]
    cells = [
        [
            _title(row, steps),
            *(_time(row[key]) for key in ("plain_seconds", "run_seconds", "run_graph_seconds")),
            f"{row['run_graph_seconds'] / row['plain_seconds']:.2f}",
            *(f"{row[key]:.0f}" for key in ("run_mb", "run_graph_mb")),
        ]
        for row in measured
    ]
    return _table(head, cells)


def _kernels_table(rows: list[Results]) -> list[str]:
    if not rows:
        return []
    head = ["step", "way", "kernels", "copies", "seconds", "of kernels alone", "as a CUDA graph"]
    cells = []
    for row in rows:
        if "failed" in row:
            cells.append([_title(row, rows), row["way"], row["failed"], "", "", "", ""])
            continue
        times = [_time(row[key]) for key in ("seconds", "device_seconds")]
        graph = _time(row["graph_seconds"]) if "graph_seconds" in row else row.get("graph_failed", "")
        cells.append([_title(row, rows), row["way"], str(row["kernels"]), str(row["copies"]), *times, graph])
    return _table(head, cells)


def _launches_table(rows: list[Results]) -> list[str]:
    if not rows:
        return []
    return _table(
        ["step", "profile cpu", "profile cuda"], [[row["title"], str(row["cpu"]), str(row["cuda"])] for row in rows]
    )


def _syncs_table(rows: list[Results]) -> list[str]:
    if not rows:
        return []
    cells = []
    for row in rows:
        recorded = {True: "yes", False: "no"}.get(row.get("recorded"), "")
        places = ", ".join(f"{place} ({count:g})" for place, count in row.get("places", {}).items())
        cells.append([row["method"], row["failed"] if "failed" in row else f"{row['waits']:g}", recorded, places])
    return _table(["method", "waits per step", "as a CUDA graph", "where"], cells)


def _profile_table(profile: list[Results]) -> list[str]:
    if not profile:
        return []
    found = {(row["case"], row["way"]): row["seconds"] for row in profile}
    kinds = sorted(
        {kind for seconds in found.values() for kind in seconds},
        key=lambda k: -max(s.get(k, 0) for s in found.values()),
    )
    head = ["seconds in one step", *(f"{case}, {way}" for case, way in found)]
    rows = [[kind, *(_time(seconds.get(kind, 0.0)) for seconds in found.values())] for kind in kinds]
    rows.append(["all", *(_time(sum(seconds.values())) for seconds in found.values())])
    return _table(head, rows)


def _levers_table(levers: list[Results]) -> list[str]:
    if not levers:
        return []
    base = {row["case"]: row for row in levers if row["without"] == "nothing"}
    head = ["case", "without", "seconds", "slower by", "GFLOP", "kept for backward, MB", "share of roofline"]
    rows = []
    for row in levers:
        slower = row["seconds"] / base[row["case"]]["seconds"] - 1
        cells = [row["case"], row["without"], _time(row["seconds"]), f"{100 * slower:+.0f}%"]
        share = f"{row['gflop'] / row['seconds'] / row['gemm_gflops']:.2f}" if "gemm_gflops" in row else ""
        rows.append([*cells, f"{row['gflop']:.0f}", f"{row['kept_mb']:.0f}", share])
    return _table(head, rows)


def _linear_table(rows: list[Results]) -> list[str]:
    if not rows:
        return []
    plain = rows[0]["plain"]
    head = ["layer", "tokens"]
    for way in ("forward", "backward"):
        head += [f"{way}: oneDNN ms", f"{plain} ms", "oneDNN to it"]
    head.append("share of roofline, the faster")
    cells = []
    for row in rows:
        line = [", ".join(filter(None, (row["tower"], row["layer"]))), str(row["rows"])]
        best = 0.0
        for way in ("forward", "backward"):
            onednn, other = row[f"onednn_{way}_ms"], row[f"plain_{way}_ms"]
            line += [f"{onednn:.2f}", f"{other:.2f}", f"{onednn / other:.2f}"]
            best += min(onednn, other)
        cells.append([*line, f"{2e3 * row['gflop'] / best / row['gemm_gflops']:.2f}"])
    sums = {kind: sum(row[f"{kind}_{way}_ms"] for row in rows for way in ("forward", "backward")) for kind in _BOTH}
    note = f"All together: oneDNN {sums['onednn']:.0f} ms, {plain} {sums['plain']:.0f} ms, the former to the latter "
    note += f"{sums['onednn'] / sums['plain']:.2f}. Medians of products that were computed in turn; the roofline was "
    return [*_table(head, cells), "", f"{note}{_range(rows)} GFLOP/s."]


def _range(rows: list[Results]) -> str:
    """The least and the greatest speed of the fastest matrix product beside some rows."""
    speeds = [row["gemm_gflops"] for row in rows]
    low, high = f"{min(speeds):.0f}", f"{max(speeds):.0f}"
    return low if low == high else f"{low} to {high}"


def _growth_table(growth: list[Results]) -> list[str]:
    if not growth:
        return []
    rows = [
        [
            {"maple": "MaPLe + DAPT, L_v", "coop": "CoOp"}[row["method"]],
            row["way"],
            str(row["classes"]),
            str(row["batch"]),
            _time(row["seconds"]) if "seconds" in row else "failed",
            f"{row['peak_mb']:.0f}" if "peak_mb" in row else "",
        ]
        for row in growth
    ]
    return _table(["step", "way", "classes", "batch", "seconds", "peak MB"], rows)


def _overhead_table(found: Results | None) -> list[str]:
    if not found:
        return []
    rows = [
        ["start-up without model load, s", _against(found["startup_seconds"], 3.0)],
        ["model load, s", f"{found['model_load_seconds']:.2f}"],
        [f"checksums of the inputs ({found.get('inputs_mb', 0):.0f} MB), s", f"{found.get('inputs_seconds', 0):.2f}"],
        ["step, s", _time(found["step_seconds"])],
        ["outside the towers", _against(100 * found["outside_towers_share"], 5.0, form="{:.1f}%")],
    ]
    what = f"MaPLe + DAPT, {found['train_images']} training and {found['test_images']} test images, mask files"
    return _table([what, ""], rows)


def _evaluation_table(rows: list[Results]) -> list[str]:
    if not rows:
        return []
    cells = []
    for row in rows:
        share = f"{row['roofline_share']:.2f}" if "roofline_share" in row else ""
        cells.append([row["precision"], "on" if row["savings"] else "off", f"{row['images_per_second']:.1f}", share])
    return _table(["precision", "savings", "images per second", "share of roofline"], cells)


def _feeding_table(rows: list[Results]) -> list[str]:
    if not rows:
        return []
    parts = ("decoding", "tower", "evaluation")
    ratios = ("to_slower", "to_both", "work")
    cells = [
        [row["model"], row["photos"], "on" if row["draft"] else "off"]
        + [f"{row[part]:.1f}" for part in parts]
        + ["{:.0f} + {:.0f}: {:.0f}".format(*(row["core_ms"][part] for part in parts))]
        + [f"{row[ratio]:.2f}" for ratio in ratios]
        for row in rows
    ]
    head = ["model", "photographs", "draft", "decoding alone, images/s", "tower alone", "evaluation"]
    head += ["core time of an image, ms: decoding + tower: evaluation", "time to the slower part (<= 1.15)"]
    table = _table([*head, "time to both parts", "core time to both parts"], cells)
    return [*table, "", f"{rows[0]['cores']} cores, {rows[0]['threads']} threads of the tower; medians, parts in turn."]


def _steps_picture(steps: list[Results]) -> plt.Figure:
    """Time of both ways per step, and the time the matrix work alone would take at GEMM speed."""
    figure, axis = plt.subplots(figsize=(9, 0.75 * len(steps) + 1.2), layout="constrained")
    for place, row in enumerate(reversed(steps)):
        limit = row["gflop"] / row["gemm_gflops"] / row["plain_seconds"]
        axis.barh(place + 0.2, 1.0, 0.36, color=GREY, label="plain way" if place == 0 else None)
        axis.barh(place - 0.2, row["time_ratio"], 0.36, color=BLUE, label="dapt" if place == 0 else None)
        axis.plot(
            [limit, limit],
            [place - 0.4, place],
            color=ORANGE,
            lw=2,
            label="its matrix work at GEMM speed" if place == 0 else None,
        )
        axis.text(row["time_ratio"] + 0.01, place - 0.2, f"{_time(row['seconds'])} s", va="center", fontsize=9)
        axis.text(
            0.99, place + 0.2, f"{_time(row['plain_seconds'])} s", va="center", ha="right", color="white", fontsize=9
        )
    axis.set_yticks(range(len(steps)), [_title(row, steps) for row in reversed(steps)])
    axis.set_xlabel("time of one training step, relative to the plain way")
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def _growth_picture(growth: list[Results]) -> plt.Figure:
    """Seconds and MB over classes and over batch."""
    figure, axes = plt.subplots(2, 2, figsize=(9, 6.5), layout="constrained")
    styles = {
        ("maple", "ours"): (BLUE, "o-", "MaPLe + DAPT (L_v)"),
        ("maple", "plain"): (GREY, "s--", "the same, plain way"),
        ("coop", "ours"): (ORANGE, "^-", "CoOp"),
    }
    for column, (along, label) in enumerate((("classes", "classes (batch 4)"), ("batch", "batch (37 classes)"))):
        for (method, way), (colour, style, name) in styles.items():
            rows = [
                row
                for row in growth
                if (row["along"], row["method"], row["way"]) == (along, method, way) and "seconds" in row
            ]
            for line, key in enumerate(("seconds", "peak_mb")):
                if rows:
                    values = [row[key] / (1 if key == "seconds" else 1024) for row in rows]
                    axes[line][column].plot([row[along] for row in rows], values, style, color=colour, label=name)
        axes[0][column].set_ylabel("seconds per step")
        axes[1][column].set_ylabel("peak memory, GB")
        for axis in axes[:, column]:
            axis.set_xscale("log")
            axis.set_xticks(sorted({row[along] for row in growth if row["along"] == along}))
            axis.xaxis.set_major_formatter(mpl.ticker.ScalarFormatter())
            axis.xaxis.set_minor_locator(mpl.ticker.NullLocator())
            axis.set_xlabel(label)
            axis.set_ylim(bottom=0)
            axis.grid(alpha=0.25)
            axis.spines[["top", "right"]].set_visible(False)
    axes[0][0].legend(frameon=False, fontsize=9)
    return figure


def _save(figure: plt.Figure, path: Path) -> None:
    write_with(path, lambda file: figure.savefig(file, format="png", dpi=130))
    plt.close(figure)
