"""Saved models: finding them, and building them again."""

from __future__ import annotations

from pathlib import Path

import torch

from dapt.clip.dassl import TODO as DASSL_TODO
from dapt.clip.dassl import dassl_checkpoint, describe
from dapt.clip.frozen import FrozenClip
from dapt.clip.load import load_clip
from dapt.colour import colour_of
from dapt.config import DaptOptions
from dapt.console import warn
from dapt.data.load.reading import Reading
from dapt.errors import ConfigError, ModelError, did_you_mean
from dapt.methods.base import METHODS
from dapt.model.made_with import MadeWith
from dapt.model.model_folder import PROMPTS as PROMPTS  # runs call it the same
from dapt.model.prompted_clip import PromptedClip, make_prompted
from dapt.model.prompts_file import SavedPrompts, check_backbone, load_prompts
from dapt.owned import check_sealed, read_manifest
from dapt.paths import with_home
from dapt.strict import shown
from dapt.validation import known_options, validated
from dapt.wording import some

CONFIG = "run.yaml"  # of a run folder


def runs_inside(folder: Path) -> str:
    """A hint that names finished runs right within a folder, as in that of a protocol; empty where there are none."""
    inside = sorted(each.name for each in folder.iterdir() if (each / PROMPTS).is_file()) if folder.is_dir() else []
    return f"Give a run in it: {some([str(folder / name) for name in inside])}." if inside else ""


def find_prompts(path: Path | str) -> Path:
    """The prompts file that `path` names: itself, or that of the folder of a finished run.

    Raises:
        ConfigError: there is none; names similar folders beside it.
        DaptError: its configuration or its prompts were changed, exchanged or damaged.
    """
    folder = Path(with_home(str(path)))
    if folder.suffix == ".safetensors":
        return folder
    if not (folder / PROMPTS).is_file() and (checkpoint := dassl_checkpoint(folder)) is not None:
        raise ConfigError(f"{describe(checkpoint)}, not a run of dapt.", todo=DASSL_TODO)
    if folder.is_file():
        raise ConfigError(
            f"{folder} is a file, not the folder of a run.",
            todo="Give a folder made by dapt train; a file with the weights of a CLIP goes with --model ARCH:FILE.",
        )
    if not folder.is_dir():
        parent = folder.parent
        beside = [other.name for other in parent.iterdir() if other.is_dir()] if parent.is_dir() else []
        raise ConfigError(f"There is no run {folder}.", todo=did_you_mean(folder.name, beside))
    there = [name for name in (CONFIG, PROMPTS) if (folder / name).is_file()]
    if PROMPTS not in there:
        raise ConfigError(
            f"{folder} holds no finished run.",
            todo="Finish it with dapt train ... --resume."
            if there
            else runs_inside(folder) or "Give a folder made by dapt train or by save_pretrained.",
        )
    manifest = read_manifest(folder)
    for name in there:
        check_sealed(folder, manifest, name)
    return folder / PROMPTS


def open_model(path: str, *, spec: str | None = None, like: FrozenClip) -> PromptedClip:
    """The model saved at `path`, on the device and in the precision of another.

    Args:
        path: see `find_prompts`. spec: its backbone; None: the one it was trained with.

    Raises:
        ConfigError: there is none. ModelError: it cannot be read, or its backbone has changed.
    """
    saved = load_prompts(find_prompts(path))
    kinds = {value.dtype for value in like.model.parameters()}  # norms and embeddings stay in float32
    precision = "bf16" if torch.bfloat16 in kinds else "16" if torch.float16 in kinds else "32"
    clip = load_clip(spec or saved.backbone["spec"], device=str(like.device), precision=precision)
    return rebuild_model(saved, clip)


def rebuild_model(
    saved: SavedPrompts, clip: FrozenClip, dapt: DaptOptions | None = None, reading: Reading | None = None
) -> PromptedClip:
    """The model with learned prompts, classifying the classes trained on.

    Saved options that the method does not have, as a newer version may write them, are left out with a warning.

    Args:
        dapt: DAPT options of the run; at use they matter only where the released code is repeated.
        reading: how images of the run were read; None: as the file says.

    Raises:
        ModelError: another backbone, a damaged prompts file, or options that do not belong to it.
    """
    check_backbone(saved, clip)
    if saved.method not in METHODS.names():
        raise ConfigError(
            f"There is no method '{saved.method}', of which these prompts are.",
            todo="If an extension brings it, load that first: --plugin FILE, or dapt.load_plugin(FILE).",
        )
    method = METHODS.get(saved.method)
    if not isinstance(saved.options, dict):
        raise ModelError(f"The saved options of {saved.method} are no table: {shown(saved.options)}.")
    known = known_options(method.options, saved.options)
    unknown = ", ".join(sorted(shown(key) for key in saved.options if key not in known))
    if unknown:
        warn(f"This version of dapt does not know the saved options {unknown} of {saved.method}; they are left out.")
    try:
        options = validated(method.options, known, "prompt.")
    except ConfigError as error:
        raise ModelError(f"The saved options do not fit {saved.method}: {error.message}") from error
    _check_finite(saved)
    kind = method.load_architecture()
    kind.check_saved(options, saved.tensors)
    architecture = kind.create(options, clip, saved.names, torch.Generator().manual_seed(0), open_model)
    try:
        architecture.load_state_dict(saved.tensors)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ModelError(
            f"The saved prompts do not fit {saved.method}: {str(error).splitlines()[-1].strip()}."
        ) from error
    architecture.to(clip.device)
    return make_prompted(
        clip,
        architecture,
        saved.names,
        MadeWith(saved.method, dapt or DaptOptions(), reading or saved_reading(saved) or Reading()),
    )


def saved_reading(saved: SavedPrompts) -> Reading | None:
    """How the images were read that a model was trained with; None where its file does not say.

    Raises:
        ModelError: that is not what dapt writes.
    """
    given = saved.use.get("reading")
    if given is None:
        return None
    matte, bits = (given.get("matte"), given.get("bits")) if isinstance(given, dict) else (None, None)
    try:
        if not isinstance(matte, str) or not (bits is None or (type(bits) is int and 8 <= bits <= 16)):
            raise ConfigError(shown(given))
        colour_of(matte)
    except ConfigError as error:
        raise ModelError(f"How images are read is damaged in the prompts: {error.message}") from None
    return Reading(matte, bits)


def _check_finite(saved: SavedPrompts) -> None:
    """Refuse vectors that are not finite; the bias of a linear probe rules classes out by -infinity.

    Raises:
        ModelError: naming the first of them.
    """
    for name, value in saved.tensors.items():
        if value.is_complex():
            raise ModelError(f"The saved prompts are damaged: {name} holds complex numbers.")
        value = value if value.dtype == torch.float64 else value.float()
        bad = value.isnan() | (value.isinf() if name != "bias" else value.isposinf())
        if bool(bad.any()):
            raise ModelError(
                f"The saved prompts are damaged: {int(bad.sum())} of the numbers of {name} are not finite.",
                todo="Train again.",
            )
