"""`dapt train`: one run, into one run folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dapt.cli.options import (
    BitsOption,
    MaskBackgroundOption,
    MaskFormatOption,
    MaskNameOption,
    MasksOption,
    MatteOption,
    MaxPixelsOption,
    ModelOption,
    NamesOption,
    OwnSplitOption,
    PluginOption,
    QuietOption,
    RootOption,
    at_home,
    listed,
    silence,
    split_names,
)

EXAMPLES = """Examples:

  dapt train photos/ --model ViT-B-16/openai --method maple --shots 16

  dapt train photos/ --method maple --dapt --cue gradcam

  dapt train data/index.csv --dapt --masks masks/ --set dapt.margin=1.0

  dapt train oxford_pets --root data/ --method promptsrc.few_shot --dapt --cue dataset

  dapt train photos/ --keep-split runs/photos-maple-16shot-seed1 --out runs/more-photos

  dapt train photos/ --shots 0 --select herding --fraction 0.1

  dapt train photos/ --protocol base_to_novel --method maple --dapt

  dapt train imagenet --protocol cross_dataset --method maple.cross --root data/

  dapt train photos/ --method coop --subset base --seed 2 --out runs/coop-base

  dapt train photos/ --track wandb --set track_options.project=butterflies

  dapt train photos/ --plugin my_method.py --method mine

DATA is a name from 'dapt data list', a folder, a CSV, or hf:OWNER/NAME. A folder has one sub-folder per class,
optionally under train/, val/ and test/. A CSV has the columns image and label or classname, optionally mask, split
and group. Every key of run.yaml can be given with --set.
"""


def train(
    data: Annotated[
        str | None,
        typer.Argument(
            help="Catalog name, folder of photos, table of images (CSV, JSON lines, ...) or hf:OWNER/NAME.",
            show_default=False,
            callback=at_home,
        ),
    ] = None,
    method: Annotated[
        str | None, typer.Option("--method", help="Prompt method, see 'dapt methods list'. [default: maple]")
    ] = None,
    model: ModelOption = None,
    dapt: Annotated[
        bool | None,
        typer.Option(
            "--dapt/--no-dapt",
            help="Add DAPT's foreground and background terms, as its variant swap; --set dapt.variant=NAME takes "
            "another one. All settings: 'dapt methods info dapt' and docs/dapt.md.",
        ),
    ] = None,
    cue: Annotated[
        str | None,
        typer.Option("--cue", help=f"Source of foreground masks: auto, {listed('dapt.cues')}."),
    ] = None,
    masks: MasksOption = None,
    mask_format: MaskFormatOption = None,
    mask_name: MaskNameOption = None,
    mask_background: MaskBackgroundOption = None,
    shots: Annotated[
        int | None, typer.Option("--shots", help="Training images per class, 0 for all. [default: 16]")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of everything random. [default: 1]")] = None,
    subset: Annotated[
        str | None,
        typer.Option("--subset", help="all, or base: the first half of the classes. [default: all]"),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", help="Passes over the data. [default: the method's own]")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", help="Images per step. [default: the method's own]")
    ] = None,
    lr: Annotated[float | None, typer.Option("--lr", help="Learning rate. [default: the method's own]")] = None,
    n_ctx: Annotated[
        int | None, typer.Option("--n-ctx", help="Number of prompt tokens. [default: the method's own]")
    ] = None,
    depth: Annotated[
        int | None, typer.Option("--depth", help="Layers with fresh prompts. [default: the method's own]")
    ] = None,
    root: RootOption = None,
    own_split: OwnSplitOption = False,
    select: Annotated[
        str | None,
        typer.Option(
            "--select",
            help=f"Choose training images: {listed('dapt.selection')}.",
        ),
    ] = None,
    fraction: Annotated[
        float | None, typer.Option("--fraction", help="Share of the training images that --select chooses.")
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            "--classes",
            help="The only classes to use: names separated by commas, or a file with one per line. [default: all]",
            callback=at_home,
        ),
    ] = None,
    class_weights: Annotated[
        str | None,
        typer.Option(
            "--class-weights",
            help="What images of a class count in the loss: none, auto (the fewer images, the more each counts) or a "
            "YAML or JSON file of class names and numbers. [default: none]",
            callback=at_home,
        ),
    ] = None,
    split_file: Annotated[
        Path | None,
        typer.Option("--split-file", help="JSON split file to use instead of the data's own split.", callback=at_home),
    ] = None,
    keep_split: Annotated[
        Path | None,
        typer.Option(
            "--keep-split",
            help="Earlier run on this data: its images stay in train, val and test, new ones are dealt by need.",
            callback=at_home,
        ),
    ] = None,
    names: NamesOption = None,
    skip_bad: Annotated[
        bool | None,
        typer.Option("--skip-bad", help="Leave out damaged files and count them, instead of stopping."),
    ] = None,
    allow_leaks: Annotated[
        bool,
        typer.Option("--allow-leaks", help="Go on although test images are equal to training images; it is recorded."),
    ] = False,
    max_pixels: MaxPixelsOption = None,
    matte: MatteOption = None,
    bits: BitsOption = None,
    device: Annotated[
        str | None, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps. [default: auto]")
    ] = None,
    devices: Annotated[
        int | None, typer.Option("--devices", help="Processes of data-parallel training. [default: 1]")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option("--precision", help="Type of the frozen towers: 32, bf16 or 16. [default: 32]"),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(
            "--features",
            help="off, auto or on: keep features of frozen image towers for later runs, see docs/features.md. "
            "[default: off]",
        ),
    ] = None,
    track: Annotated[
        list[str] | None,
        typer.Option(
            "--track",
            help=f"Let a tracker follow, beside TensorBoard: {listed('dapt.tracking.kinds')}; may be repeated.",
        ),
    ] = None,
    plugin: PluginOption = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", help="YAML file with any of these settings; options win over it.", callback=at_home),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any configuration key, as KEY=VALUE; may be repeated.")
    ] = None,
    baselines: Annotated[
        bool,
        typer.Option(
            "--baselines/--no-baselines",
            help="Find beside a single run what zero-shot CLIP and a closed form reach without training: one look at "
            "each image by the untouched model.",
        ),
    ] = True,
    out: Annotated[
        str | None,
        typer.Option("--out", help="Run folder. [default: runs/DATA-METHOD-SHOTSshot-seedSEED]", callback=at_home),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol",
            help=f"Run a whole protocol: {listed('dapt.experiments.protocols')}.",
        ),
    ] = None,
    over: Annotated[
        str | None,
        typer.Option(
            "--over",
            help="What the protocol goes over, separated by commas: shots, target data sets or fractions; of "
            "background_audit other data that lends backgrounds. [default: as published]",
        ),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Runs of a protocol at the same time.")] = 1,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Download a catalog data set that is not there without asking.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing run.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Train prompts on a data set and evaluate them."""
    from dapt.config import make_config
    from dapt.config_text import apply_settings, refuse_contradictions
    from dapt.errors import ConfigError

    silence(quiet)
    if resume and overwrite:
        raise ConfigError("--resume and --overwrite exclude each other.")
    tree: dict[str, Any] = _settings_of(config) if config else {}
    given = {
        "data": data,
        "method": method,
        "model": model,
        "masks": str(masks) if masks else None,
        "mask_format": mask_format,
        "mask_name": mask_name,
        "mask_background": mask_background,
        "shots": shots,
        "seed": seed,
        "subset": subset,
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "n_ctx": n_ctx,
        "depth": depth,
        "root": root,
        "own_split": own_split or None,
        "select": select,
        "fraction": fraction,
        "classes": _named(classes),
        "class_weights": class_weights,
        "split_file": str(split_file) if split_file else None,
        "keep_split": str(keep_split) if keep_split else None,
        "names": str(names) if names else None,
        "skip_bad": skip_bad,
        "allow_leaks": allow_leaks or None,
        "max_pixels": max_pixels,
        "matte": matte,
        "bits": bits,
        "device": device,
        "devices": devices,
        "precision": precision,
        "features": features,
        "track": [name for each in track for name in split_names(each) or []] if track else None,
        "out": out,
    }
    options = {key: value for key, value in given.items() if value is not None}
    switched = {key: value for key, value in (("cue.source", cue), ("dapt.enabled", dapt)) if value is not None}
    tree.update(options)
    switches = [f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in switched.items()]
    tree = apply_settings(tree, [*(settings or []), *switches])
    refuse_contradictions({**options, **switched}, settings or [])
    if plugin:
        tree["plugins"] = [*tree.get("plugins", []), *map(str, plugin)]
    if "data" not in tree:
        raise ConfigError("No data was named.", todo="Give a folder of photos or a CSV: dapt train DATA.")
    resolved = make_config(tree)
    _tell_of_dapt_off(resolved.dapt.enabled, settings or [])

    from dapt.data.catalog.fetch import offer

    offer(resolved.data, resolved.root, yes=yes)
    if protocol is not None:
        from dapt.experiments.run_protocol import IncompleteError, print_protocol, run_protocol

        points = split_names(over) or []
        if over is not None and not points:
            raise ConfigError("--over names nothing.", todo="Leave it out to go over what was published.")
        try:
            print_protocol(run_protocol(protocol, tree, over=points, jobs=jobs, resume=resume, overwrite=overwrite))
        except IncompleteError as error:
            print_protocol(error.result)
            raise
        return
    if jobs != 1:
        raise ConfigError("--jobs belongs to --protocol: a single run is one job.", todo="See --devices.")
    if over is not None:
        raise ConfigError("--over belongs to --protocol.", todo="Name a protocol, for example --protocol few_shot.")

    from dapt.runs.train import run_training

    run_training(resolved, resume=resume, overwrite=overwrite, baselines=baselines)


def _named(classes: str | None) -> list[str] | None:
    """Class names as they were typed, or those in the file that was named."""
    if classes is None or not Path(classes).is_file():
        return split_names(classes)
    from dapt.data.resolve import lines_in

    return lines_in(Path(classes), "The classes file")


def _tell_of_dapt_off(on: bool, settings: Sequence[str]) -> None:
    """Warn of settings of DAPT that were given to a run without it."""
    from dapt.config_text import apply_settings
    from dapt.console import warn
    from dapt.wording import listing

    given = apply_settings({}, settings).get("dapt")
    unread = [f"dapt.{key}" for key in given if key != "enabled"] if isinstance(given, dict) else []
    if unread and not on:
        verb = "changes" if len(unread) == 1 else "change"
        warn(f"DAPT is switched off, so --set {listing(unread)} {verb} nothing. Leave them out, or add --dapt.")


def _settings_of(file: Path) -> dict[str, Any]:
    """The settings in a file; those of a run mean the folder that it is in, wherever that was made."""
    from dapt.config_text import read_yaml
    from dapt.console import say
    from dapt.owned import read_manifest
    from dapt.runs.run_folder import KIND, RunFolder
    from dapt.runs.run_settings import as_written_before

    tree = as_written_before(read_yaml(file))
    folder = file.absolute().parent
    manifest = read_manifest(folder) if file.name == RunFolder(folder).config_file.name else None
    if manifest is None or manifest.kind != KIND:
        return tree
    before = tree.get("out")
    if before is not None and Path(str(before)).absolute() != folder:
        say(f"The run in {folder} was made in {before}; it is the one that is meant.")
    return {**tree, "out": str(folder)}


train.__doc__ = f"Train prompts on a data set and evaluate them.\n\n{EXAMPLES}"
