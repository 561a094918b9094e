"""Models for other people's programs: made from a frozen CLIP and a method, or from what was saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from dapt.clip.frozen import Preprocess
from dapt.config import DaptOptions
from dapt.errors import ConfigError
from dapt.methods.base import METHODS
from dapt.model.backbone import Backbone, open_backbone
from dapt.model.build import assemble
from dapt.model.pretrained import open_pretrained
from dapt.model.views import ViewMaking
from dapt.objectives.build import check_fits, disentangle, method_objectives
from dapt.objectives.criterion import Criterion
from dapt.plugins import load_installed
from dapt.strict import shown
from dapt.validation import validated

if TYPE_CHECKING:
    from dapt.methods.base import Method
    from dapt.model.prompted_clip import PromptedClip
    from dapt.objectives.base import Objective


def create_model(
    model: Backbone,
    method: str = "maple",
    classes: Sequence[str] = (),
    *,
    tokenizer: Callable[..., Tensor] | None = None,
    preprocess: Preprocess | Mapping[str, Any] | None = None,
    dapt: bool | Mapping[str, Any] = False,
    device: str = "auto",
    precision: str = "32",
    seed: int = 1,
    **options: Any,
) -> PromptedClip:
    """A frozen CLIP with the prompts of a method at their start: an ordinary module whose parameters are the prompts.

    Example::

        model = dapt.create_model("ViT-B-16/openai", "maple", ["cat", "dog"], n_ctx=4, dapt={"margin": 1.0})
        logits = model(torch.stack([model.preprocess(picture) for picture in pictures]))

    Args:
        model: a specification as on the command line (``ViT-B-16/openai``, ``local-dir:PATH``, ``demo``, ...), or an
            open_clip model. A model is FROZEN IN PLACE: its gradients are switched off, it is put into evaluation mode,
            and it moves with the result. method: see `list_methods`. classes: names to choose among.
        tokenizer, preprocess: of an open_clip model, see `dapt.clip.wrap.wrap_model`; None: its own.
        dapt: add DAPT's terms to the loss; a mapping switches it on with these options.
        device: where a specification is loaded; ``auto``: on a GPU if there is one. A model stays where it is, unless
            another device is named.
        precision: ``32``, ``bf16`` or ``16``, of a specification; a model keeps the one it has.
        seed: of the prompts. options: of the method, such as ``n_ctx`` and ``depth``; see ``dapt methods info NAME``.

    Raises:
        DaptError: anything that does not fit together; an unknown option names the closest one.
    """
    load_installed()
    recipe = METHODS.get(method)
    prompt = validated(recipe.options, {**recipe.preset, **options})
    dapt_options = read_dapt(dapt)
    check_fits(recipe, prompt, dapt_options)
    clip = open_backbone(model, tokenizer=tokenizer, preprocess=preprocess, device=device, precision=precision)
    made = assemble(clip, recipe, prompt, classes, dapt_options, seed=seed)
    made.set_criterion(criterion_of(recipe, made, dapt_options))
    return made.await_images()


def load_model(
    folder: Path | str,
    *,
    model: Backbone | None = None,
    tokenizer: Callable[..., Tensor] | None = None,
    preprocess: Preprocess | Mapping[str, Any] | None = None,
    device: str = "auto",
    precision: str = "32",
) -> PromptedClip:
    """A model with learned prompts, in evaluation mode: what `PromptedClip.save_pretrained` or a run has saved.

    Args:
        folder: of a saved model or of a finished run, or a prompts file alone.
        model: the frozen model it belongs to, as for `create_model`; None: the one that it names.
        tokenizer, preprocess, device, precision: as for `create_model`.

    Raises:
        DaptError: there is none, it is damaged, or belongs to another frozen model.
    """
    load_installed()
    made = open_pretrained(
        folder, model=model, tokenizer=tokenizer, preprocess=preprocess, device=device, precision=precision
    )
    made.set_criterion(criterion_of(METHODS.get(made.made_with.method), made, made.made_with.dapt))
    return made


def create_objectives(
    model: PromptedClip, method: str | None = None, *, dapt: bool | Mapping[str, Any] | None = None
) -> list[Objective]:
    """The objectives of a method, with DAPT's, for a model, whose `loss` they are from now on.

    Args:
        method: whose terms; None: the model's own. dapt: as for `create_model`; None: as the model was made.

    Raises:
        DaptError: they do not fit the model.
    """
    recipe = METHODS.get(method or model.made_with.method)
    options = model.made_with.dapt if dapt is None else read_dapt(dapt)
    if options.enabled and not model.made_with.dapt.enabled:
        raise ConfigError(
            "This model was made without DAPT, so it has no background texts.",
            todo="Make it with dapt.create_model(..., dapt=True).",
        )
    if not isinstance(model.prompts.options, recipe.options):
        raise ConfigError(
            f"The objectives of {recipe.name} read options that {model.made_with.method} has not.",
            todo=f"Make the model with method='{recipe.name}'.",
        )
    check_fits(recipe, model.prompts.options, options)
    criterion = criterion_of(recipe, model, options)
    model.set_criterion(criterion)
    if options.enabled:
        model.making = ViewMaking.of(options)
    return criterion.objectives(model)


def criterion_of(method: Method, model: PromptedClip, dapt: DaptOptions) -> Criterion:
    """The loss of a model; the method's own terms are made when they are first needed."""
    more = [disentangle(dapt, model)] if dapt.enabled else []
    return Criterion(partial(method_objectives, method), more)


def read_dapt(given: bool | Mapping[str, Any]) -> DaptOptions:
    """``True``, ``False`` or a mapping of options, which switches DAPT on.

    Raises:
        ConfigError: an unknown option, or a value of the wrong kind.
    """
    if isinstance(given, bool):
        return DaptOptions(enabled=given)
    if not isinstance(given, Mapping):
        raise ConfigError(f"dapt is True, False or a mapping of options, not {shown(given)}.")
    options = validated(DaptOptions, {"enabled": True, **given}, "dapt.")
    if options.chooses_words:
        options.used_words  # noqa: B018 - refuses: there are no images to choose them for
    return options
