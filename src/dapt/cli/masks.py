"""`dapt masks`: make and preview foreground masks; its sub-commands have files of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from dapt.cli.masks_import import import_
from dapt.cli.masks_kept import kept
from dapt.cli.masks_verify import verify
from dapt.cli.options import (
    BitsOption,
    DeviceOption,
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
    SkipBadOption,
    at_home,
    listed,
    silence,
    split_names,
)

DEFAULT = "make"

HELP = ("-h", "--help")


class MasksGroup(TyperGroup):
    """Sub-commands beside a default command that needs no name: ``dapt masks DATA`` beside ``dapt masks verify DATA``.

    Data called like a sub-command is written ``./NAME``.
    """

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The context of a sub-command if one is named, else that of the default command."""
        named = [*HELP, *(name for name in self.commands if name != DEFAULT)]
        if args and args[0] in named:
            return super().make_context(info_name, args, parent, **extra)
        return self.commands[DEFAULT].make_context(info_name, args, parent, **extra)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The help of the default command, and the list of the others."""
        self.commands[DEFAULT].format_help(ctx, formatter)
        self.format_commands(ctx, formatter)


masks = typer.Typer(cls=MasksGroup, help="Make, import or check foreground masks.")
masks.command("import")(import_)
masks.command()(verify)
masks.command()(kept)


@masks.command(DEFAULT, hidden=True)
def make(
    data: Annotated[str, typer.Argument(help="Folder of photos, or CSV index.", callback=at_home)],
    out: Annotated[Path, typer.Option("--out", help="Folder for the mask files.", callback=at_home)],
    cue: Annotated[
        str,
        typer.Option(
            "--cue", help=f"One of {listed('dapt.cues')}; auto: masks with --masks, else border, which needs no model."
        ),
    ] = "auto",
    run: Annotated[
        Path | None, typer.Option("--run", help="Use the prompts of this run; none: zero-shot.", callback=at_home)
    ] = None,
    model: ModelOption = None,
    masks_folder: MasksOption = None,
    mask_format: MaskFormatOption = None,
    mask_name: MaskNameOption = None,
    mask_background: MaskBackgroundOption = None,
    classes: Annotated[
        str | None,
        typer.Option("--classes", help="Class names to explain unlabelled images with, comma-separated."),
    ] = None,
    split: Annotated[str, typer.Option("--split", help="all, train, val or test.")] = "all",
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold", min=0, max=1, help="Where maps are cut with cue.cut=value, as gradcam's are. [default: 0.5]"
        ),
    ] = None,
    soft: Annotated[bool, typer.Option("--soft", help="Write grey maps instead of cutting.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any option of the cue, as cue.KEY=VALUE; may be repeated.")
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Write contact sheets, preview.jpg, the worst masks first.")
    ] = False,
    preview_images: Annotated[
        int, typer.Option("--preview-images", min=1, max=100_000, help="Images on them, 24 a sheet.")
    ] = 24,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", help="Measure against true masks: own (the data set's) or a folder.", callback=at_home
        ),
    ] = None,
    against_format: Annotated[
        str | None, typer.Option("--against-format", help="Format of the masks in that folder, as --mask-format.")
    ] = None,
    compare: Annotated[bool, typer.Option("--compare", help="The same as --against own.")] = False,
    shard: Annotated[
        str | None, typer.Option("--shard", help="Only one part of the images, as 3/8; parts may run at once.")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray", help="Make them on a Ray cluster: auto (the one this machine is part of), HOST:PORT, or local."
        ),
    ] = None,
    ray_workers: Annotated[
        int | None,
        typer.Option(
            "--ray-workers", min=1, max=100_000, help="Processes of it at most. [default: one per GPU, or per core]"
        ),
    ] = None,
    names: NamesOption = None,
    skip_bad: SkipBadOption = False,
    max_pixels: MaxPixelsOption = None,
    matte: MatteOption = None,
    bits: BitsOption = None,
    root: RootOption = None,
    own_split: OwnSplitOption = False,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed of random cues.")] = 1,
    device: DeviceOption = "auto",
    plugin: PluginOption = None,
    quiet: QuietOption = False,
) -> None:
    """Make foreground masks that any later run can read, with coverage statistics.

    Files that exist already are kept, so an interrupted command goes on where it stopped. 'dapt masks verify'
    checks masks that exist, 'dapt masks import' makes them of other tools' annotations, 'dapt masks kept' lists those
    that training keeps (for a folder called verify, import or kept, write ./verify).

    Examples:

      dapt masks photos/ --out masks/ --preview

      dapt masks photos/ --cue patches --model ViT-B-16/openai --out masks/

      dapt masks photos/ --cue gradcam --run runs/photos-maple-16shot-seed1 --out masks-tuned/

      dapt masks data/index.csv --cue gradcam --model ViT-B-16/openai --out masks/ --against own --preview

      dapt masks photos/ --cue gradcam --model ViT-B-16/openai --out masks/ --shard 3/8

      dapt masks photos/ --cue border --out masks/ --ray auto

      dapt masks verify photos/ --masks masks/

      dapt masks import annotations.json --data photos/ --out masks/

    Then: dapt train photos/ --dapt --masks masks/
    """
    silence(quiet)
    from dapt.config_text import apply_settings
    from dapt.errors import ConfigError
    from dapt.runs.write_masks import write_masks

    tree: dict[str, Any] = {"cue": {"threshold": threshold} if threshold is not None else {}}
    if soft:
        tree["cue"]["soft"] = True
    if threshold is not None and any(each.startswith("cue.threshold=") for each in settings or []):
        raise ConfigError("--threshold and --set cue.threshold are the same option.", todo="Give one of them.")
    tree = apply_settings(tree, settings or [])
    if set(tree) != {"cue"} or "source" in tree["cue"]:
        raise ConfigError("dapt masks takes options of the cue only.", where="--set", todo="Write cue.KEY=VALUE.")

    write_masks(
        data,
        out,
        source=cue,
        run=run,
        model_spec=model,
        masks=masks_folder,
        mask_format=mask_format,
        mask_name=mask_name,
        mask_background=mask_background,
        classes=split_names(classes),
        split=split,
        options=tree["cue"],
        preview=preview,
        preview_images=preview_images,
        compare=compare,
        against=against,
        against_format=against_format,
        shard=shard,
        names=str(names) if names else None,
        skip_bad=skip_bad,
        seed=seed,
        root=root,
        own_split=own_split,
        device=device,
        ray=ray,
        ray_workers=ray_workers,
    )
