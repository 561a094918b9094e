"""Building the model, objectives and cue of a run from its configuration."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from dapt.clip.frozen import FrozenClip
from dapt.config import DaptOptions, RunConfig, validated
from dapt.console import warn
from dapt.cues.base import CUES, Cue, CueContext
from dapt.data.items import ImageSet
from dapt.data.loader import ImageCache
from dapt.data.mask_files import mask_folder
from dapt.environment import device_memory_mb
from dapt.errors import ConfigError, ModelError, NotSupportedError
from dapt.methods.base import CROSS_ENTROPY, METHODS
from dapt.objectives.base import Objective
from dapt.objectives.disentangle import Disentangle
from dapt.prompts.base import PromptArchitecture
from dapt.strict import shown
from dapt.training.checkpoint import SavedPrompts, check_backbone
from dapt.training.model import PromptedClip


def pick_device(name: str) -> str:
    """``auto`` becomes cuda, mps or cpu, whichever is there.

    Raises:
        ConfigError: the device does not exist on this machine.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        kind = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"There is no device '{name}'.", todo="Use auto, cpu, cuda, cuda:N or mps.") from None
    missing = (kind.type == "cuda" and (kind.index or 0) >= torch.cuda.device_count()) or (
        kind.type == "mps" and not torch.backends.mps.is_available()
    )
    if kind.type == "cpu" and kind.index is not None:
        raise ConfigError("There is one cpu device, without a number.", todo="Use --device cpu and --devices N.")
    if missing or kind.type not in ("cpu", "cuda", "mps"):
        raise ConfigError(f"This machine has no device '{name}'.", todo="Use --device auto or --device cpu.")
    return name


def build_model(config: RunConfig, clip: FrozenClip, names: Sequence[str]) -> PromptedClip:
    """The prompted model at its starting point, the same for every process with the same seed."""
    method = METHODS.get(config.method)
    options = method.options.model_validate(config.prompt)
    generator = torch.Generator().manual_seed(config.seed)
    architecture = method.load_architecture()(options, clip, names, generator)
    clip.set_checkpointing(config.grad_checkpointing)
    clip.text.memory_mb = text_memory_mb(config, str(clip.device))
    architecture.to(clip.device)
    dapt = config.dapt
    if not dapt.enabled:
        return PromptedClip(clip, architecture, names)
    background = background_texts(dapt)
    _check_background(clip, architecture, background)
    return PromptedClip(
        clip, architecture, names, background, views=dapt.views, fill=dapt.fill, distractors=dapt.distractors
    )


def background_texts(dapt: DaptOptions) -> list[str]:
    """The hand-written background texts of a run."""
    return [dapt.template.replace("{}", word) for word in dapt.used_words]


def text_memory_mb(config: RunConfig, device: str) -> float | None:
    """What the text tower may keep for backward: as configured, else half of what each process has."""
    if config.text_memory_mb is not None:
        return config.text_memory_mb
    memory = device_memory_mb(device)
    sharing = 1 if device.startswith("cuda") else config.devices
    return None if memory is None else memory / 2 / sharing


def _check_background(clip: FrozenClip, architecture: PromptArchitecture, texts: Sequence[str]) -> None:
    """Deep text prompts are written over the first words of the background texts: these must be long enough."""
    deep = architecture().text_deep
    if not deep:
        return
    count = deep[0].shape[0]
    tokens = clip.tokenizer.plain(texts)
    shortest = int(tokens.eot.min()) - tokens.offset
    if shortest < count:
        raise ConfigError(
            f"The background text '{texts[int(tokens.eot.argmin())]}' has {shortest} tokens, and the {count} deep text "
            "prompts would overwrite its end.",
            todo="Use a longer dapt.template, or fewer prompts (--n-ctx).",
        )


def rebuild_model(saved: SavedPrompts, clip: FrozenClip, dapt: DaptOptions | None = None) -> PromptedClip:
    """The model with learned prompts, classifying the classes trained on.

    Args:
        dapt: DAPT options of the run, which matter only where the released code is repeated.

    Raises:
        ModelError: another backbone, a damaged prompts file, or options that do not belong to it.
    """
    check_backbone(saved, clip)
    method = METHODS.get(saved.method)
    if not isinstance(saved.options, dict):
        raise ModelError(f"The saved options of {saved.method} are no table: {shown(saved.options)}.")
    try:
        options = validated(method.options, saved.options, "prompt.")
    except ConfigError as error:
        raise ModelError(f"The saved options do not fit {saved.method}: {error.message}") from error
    _check_finite(saved)
    kind = method.load_architecture()
    kind.check_saved(options, saved.tensors)
    architecture = kind(options, clip, saved.names, torch.Generator().manual_seed(0))
    try:
        architecture.load_state_dict(saved.tensors)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ModelError(
            f"The saved prompts do not fit {saved.method}: {str(error).splitlines()[-1].strip()}."
        ) from error
    architecture.to(clip.device)
    if dapt is not None and dapt.enabled and dapt.distractors:
        return PromptedClip(clip, architecture, saved.names, background_texts(dapt), distractors=dapt.distractors)
    return PromptedClip(clip, architecture, saved.names)


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


def check_dapt(config: RunConfig) -> None:
    """Refuse DAPT where it cannot act.

    Raises:
        NotSupportedError: no training step changes the method, or the released code's columns do not fit it.
    """
    method = METHODS.get(config.method)
    if not config.dapt.enabled:
        return
    if not method.trains:
        raise NotSupportedError(
            f"{config.method} has no training steps, so DAPT has nothing to act on.",
            todo="Choose a method such as maple.",
        )
    plain = method.objectives == (CROSS_ENTROPY,) and not config.prompt.get("class_specific")
    if config.dapt.distractors and not plain:
        raise NotSupportedError(
            f"dapt.released adds columns to the class logits, which {config.method} has no place for.",
            todo="It is there to compare with the released code: use it with maple.",
        )


def build_objectives(config: RunConfig, model: PromptedClip) -> list[Objective]:
    """The method's terms, and DAPT's when they are switched on; warns of terms that can teach nothing.

    Raises:
        NotSupportedError: DAPT on a method that no training step changes.
    """
    check_dapt(config)
    method = METHODS.get(config.method)
    objectives: list[Objective] = [kind.build(model.prompts.options, model) for kind in method.load_objectives()]
    if config.dapt.enabled:
        dapt = Disentangle(config.dapt, model.trainable())
        for sentence in dapt.left_out:
            warn(sentence)
        if too_short := dapt.too_short(config.epochs or 0):
            warn(too_short)
        objectives.append(dapt)
    return objectives


def build_cue(config: RunConfig, cache: ImageCache, data: ImageSet) -> Cue:
    """The source of foreground masks.

    Args:
        data: the whole data set, whose own masks are used where no folder is given.

    Raises:
        DaptError: there is no such source or folder, or the folder's files cannot be told apart.
    """
    source = config.cue.source
    if source == "auto":
        source = "masks" if config.masks or data.has_masks else "gradcam"
    cue_type = CUES.get(source)
    folder = mask_folder(config.masks)
    context = CueContext(config.cue, folder, config.mask_format, config.skip_bad, cache, config.seed, data)
    cue = cue_type(context)
    cue.name = source
    return cue
