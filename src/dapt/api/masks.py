"""Masks from Python: the same calls that `dapt masks` and `dapt masks import` make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dapt.cues.build import AUTO
from dapt.paths import with_home
from dapt.plugins import load_installed


def make_masks(
    data: str | Path,
    out: str | Path,
    *,
    cue: str = AUTO,
    model: str | None = None,
    run: str | Path | None = None,
    classes: Sequence[str] | None = None,
    masks: str | Path | None = None,
    against: str | Path | None = None,
    preview: bool = False,
    cue_options: Mapping[str, Any] | None = None,
    device: str = "auto",
    **how: Any,
) -> dict[str, Any]:
    """Make a mask file of every image, as `dapt masks`; those that are there are kept.

    Args:
        data: as for `train`. out: folder of the masks, to be given as ``masks=`` to `train`, `audit` and `explain`.
        cue: see `list_cues`; `cue_options` are its own. model: backbone of a cue that needs one, zero-shot; run: with
            the prompts of a run instead. classes: what images without classes may show. masks: folder of mask files
            that the cue ``masks`` reads. against: true masks to measure these against, ``own`` (the data set's) or a
            folder. preview: also draw contact sheets, the worst first.
        how: ``split``, ``shard``, ``seed``, ``skip_bad``, ``names``, ``root``, ``own_split``, ``mask_format``,
            ``mask_name``, ``mask_background``, ``against_format``, ``preview_images``, as the options of the command.

    Returns:
        the statistics, the content of masks.json.

    Raises:
        DaptError: anything the user can mend. TypeError: there is no such argument.
    """
    from dapt.runs.write_masks import write_masks

    load_installed()
    return write_masks(
        with_home(str(data)),
        Path(with_home(str(out))),
        source=cue,
        model_spec=model,
        run=None if run is None else Path(with_home(str(run))),
        classes=classes,
        masks=None if masks is None else Path(with_home(str(masks))),
        against=None if against is None else with_home(str(against)),
        preview=preview,
        options=cue_options,
        device=device,
        **how,
    )


def import_masks(
    annotations: str | Path,
    data: str | Path,
    out: str | Path,
    *,
    format: str = AUTO,
    classes: Sequence[str] | None = None,
    **how: Any,
) -> dict[str, Any]:
    """Make mask files of the outlines or masks of another tool, as `dapt masks import`.

    Args:
        annotations: folder of them, or one file. data: the photographs, as for `train`. out: folder of the masks.
        format: ``coco``, ``yolo``, ...; auto: by what is in the files. classes: categories that are foreground; None:
            all.
        how: ``skip_bad``, ``root``, ``own_split``, ``mask_format``, ``mask_name``, ``mask_background``, as the options
            of the command.

    Returns:
        the statistics, the content of masks.json.

    Raises:
        DaptError: anything the user can mend. TypeError: there is no such argument.
    """
    from dapt.runs.import_masks import import_masks as run

    load_installed()
    return run(
        Path(with_home(str(annotations))),
        with_home(str(data)),
        Path(with_home(str(out))),
        format=format,
        classes=classes,
        **how,
    )
