"""Evaluating a finished run again: other data, other classes, other splits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dapt.clip.load import load_clip
from dapt.config import RunConfig, make_config, read_yaml
from dapt.data.images import check_images
from dapt.data.items import ImageSet
from dapt.data.sources import load_data
from dapt.errors import ConfigError, DataError, did_you_mean
from dapt.evaluation.evaluate import MaskSource, evaluate
from dapt.evaluation.metrics import harmonic_mean
from dapt.files import write_json
from dapt.training.build import pick_device, rebuild_model
from dapt.training.checkpoint import load_prompts
from dapt.training.data import Part, class_labels, select_classes
from dapt.training.model import PromptedClip
from dapt.training.run_folder import find_run


def load_run(run: Path | str, *, model_spec: str | None = None, device: str = "auto") -> tuple[PromptedClip, RunConfig]:
    """The model of a finished run with its learned prompts, and the run's configuration.

    Raises:
        DaptError: no such run, or a backbone that does not match the prompts.
    """
    folder = find_run(run)
    config = make_config(read_yaml(folder.config_file))
    saved = load_prompts(folder.prompts_file)
    spec = model_spec or saved.backbone["spec"]
    clip = load_clip(spec, device=pick_device(device), precision=config.precision)
    return rebuild_model(saved, clip), config


def evaluate_saved(
    run: Path | str,
    *,
    data: str | None = None,
    split: str = "test",
    classes: str = "all",
    json_file: Path | None = None,
    model_spec: str | None = None,
    names: str | None = None,
    masks: str | None = None,
    mask_format: str | None = None,
    skip_bad: bool = False,
    device: str = "auto",
) -> tuple[dict[str, Any], Path]:
    """Evaluate a run and write the figures.

    Args:
        run: run folder. data: other data; None: the run's own. split: train, val or test.
        classes: ``all``, ``base``, ``novel``, or class names separated by commas. On the run's own data
            ``all`` means all classes of the data set, whatever subset was trained on.

    Returns:
        the written dictionary and its path.
    """
    if split not in ("train", "val", "test"):
        raise ConfigError(f"There is no split '{split}'.", todo=did_you_mean(split, ["train", "val", "test"]))
    model, config = load_run(run, model_spec=model_spec, device=device)
    own = data is None
    source = load_data(config.data if data is None else data, names or (config.names if own else None))
    part = _choose(source, split, classes)
    checked = check_images(part.items, skip_bad=skip_bad, label="checking images")
    kept = set(map(id, checked.good))
    labels = [label for item, label in zip(part.items, part.labels, strict=True) if id(item) in kept]
    if not labels:
        raise DataError(f"{source.name} has no labelled images in its {split} split.")
    folder = masks or (config.masks if own else None)
    kind = mask_format or config.mask_format
    if kind not in ("binary", "labels", "trimap"):
        raise ConfigError(f"There is no mask format '{kind}'.", todo="Use binary, labels or trimap.")
    mask_source = MaskSource(Path(folder) if folder else None, kind)  # type: ignore[arg-type]

    def run_on(chosen: Part, chosen_labels: list[int]) -> dict[str, float | None]:
        model.set_classes(chosen.names)
        found = evaluate(
            model,
            [item for item in chosen.items if id(item) in kept],
            chosen_labels,
            batch_size=config.eval_batch_size,
            masks=mask_source,
        )
        by_class.update(found.by_class())
        return found.metrics(split)

    by_class: dict[str, float | None] = {}
    metrics = run_on(part, labels)
    metrics |= {
        f"{split}/accuracy_base": None,
        f"{split}/accuracy_novel": None,
        f"{split}/harmonic_mean": None,
    }
    if classes in ("base", "novel"):
        metrics[f"{split}/accuracy_{classes}"] = metrics[f"{split}/accuracy"]
    elif own and config.subset == "base" and classes == "all" and not config.prompt.get("class_specific"):
        for half in ("base", "novel"):
            inside = _choose(source, split, half)
            inside_labels = [
                label
                for item, label in zip(inside.items, inside.labels, strict=True)
                if item.name in _names(checked.good)
            ]
            good = Part(tuple(i for i in inside.items if i.name in _names(checked.good)), (), inside.names)
            kept |= set(map(id, good.items))
            metrics[f"{split}/accuracy_{half}"] = run_on(good, inside_labels)[f"{split}/accuracy"]
        metrics[f"{split}/harmonic_mean"] = harmonic_mean(
            metrics[f"{split}/accuracy_base"], metrics[f"{split}/accuracy_novel"]
        )
    result = {
        "schema": 1,
        "run": str(run),
        "method": config.method,
        "dapt": config.dapt.enabled,
        "backbone": model.clip.spec,
        "data": source.name,
        "split": split,
        "classes": classes,
        "metrics": metrics,
        "per_class": by_class,
        "counts": {"images": len(labels), "classes": len(part.names), "bad_images": len(checked.bad)},
    }
    path = (
        json_file
        or Path(run) / "eval" / f"{source.name}-{split}{'' if classes == 'all' else '-' + _slug(classes)}.json"
    )
    write_json(path, result)
    return result, path


def _names(items: tuple[Any, ...]) -> set[str]:
    return {item.name for item in items}


def _slug(text: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in text)[:40]


def _choose(source: ImageSet, split: str, classes: str) -> Part:
    """The labelled images of the chosen classes."""
    items = source.labelled(split)
    if classes in ("all", "base", "novel"):
        return select_classes(source, items, class_labels(source, classes))
    chosen = [name.strip().replace("_", " ") for name in classes.split(",") if name.strip()]
    unknown = [name for name in chosen if name not in source.names]
    if unknown:
        raise ConfigError(
            f"{source.name} has no class '{unknown[0]}'.",
            where="--classes",
            todo=did_you_mean(unknown[0], source.names),
        )
    return select_classes(source, items, [source.names.index(name) for name in chosen])


def print_table(result: dict[str, Any]) -> None:
    """Print the figures of `evaluate_saved` as a table."""
    from rich.console import Console
    from rich.table import Table

    counts = result["counts"]
    title = f"{result['method']}{' + DAPT' if result['dapt'] else ''} on {result['data']} ({result['split']}, "
    table = Table(title=title + f"{counts['images']} images, {counts['classes']} classes)")
    table.add_column("metric")
    table.add_column("%", justify="right")
    for name, value in result["metrics"].items():
        if value is not None:
            table.add_row(name, f"{value:.2f}")
    Console().print(table)
