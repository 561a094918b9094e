"""An open_clip model that the caller already has, as a `FrozenClip`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from dapt.clip.frozen import FrozenClip, Preprocess
from dapt.clip.preprocess import preprocess_of, read_preprocess
from dapt.errors import ConfigError, ModelError
from dapt.strict import shown

OBJECT = "an open_clip model object"  # in place of a specification, in messages and in files


def wrap_model(
    model: nn.Module,
    *,
    tokenizer: Callable[..., Tensor] | None = None,
    preprocess: Preprocess | Mapping[str, Any] | None = None,
) -> FrozenClip:
    """Freeze an open_clip model where it is, in the precision it has.

    Args:
        model: it is frozen in place: gradients off, evaluation mode.
        tokenizer: open_clip's for the model; None: its standard one, if the vocabulary is of that size.
        preprocess: how it wants its pixels; None: as it says itself (``visual.preprocess_cfg``).

    Raises:
        ModelError: it is no open_clip model, or another tokenizer is needed.
        ConfigError: `preprocess` is something else.
    """
    if not all(hasattr(model, part) for part in ("visual", "logit_scale", "encode_text", "context_length")):
        raise ModelError(
            f"{type(model).__name__} is no open_clip model.",
            todo="Give one that open_clip.create_model_from_pretrained returns first, or a specification such as "
            "ViT-B-16/openai.",
        )
    if preprocess is None:
        how = preprocess_of(model.visual, OBJECT)
    elif isinstance(preprocess, Preprocess):
        how = preprocess
    elif isinstance(preprocess, Mapping):
        how = read_preprocess(preprocess, OBJECT)
    else:
        raise ConfigError(
            f"preprocess= wants numbers, not {shown(type(preprocess).__name__)}.",
            todo="Give a mapping such as model.visual.preprocess_cfg (mean, std, interpolation, resize_mode).",
        )
    return FrozenClip(model, _fitting_tokenizer(model, tokenizer), how, OBJECT)


def _fitting_tokenizer(model: Any, given: Callable[..., Tensor] | None) -> Callable[..., Tensor]:
    """The tokenizer given, or open_clip's standard one, if the model has a vector for each of its words.

    Raises:
        ModelError: it has not, or has a text tower of another kind.
    """
    from open_clip import SimpleTokenizer

    host = model.text if isinstance(getattr(model, "text", None), nn.Module) else model
    embedding = getattr(host, "token_embedding", None)
    rows = embedding.num_embeddings if isinstance(embedding, nn.Embedding) else None
    todo = "Give the model's own with tokenizer=, for example open_clip.get_tokenizer(NAME)."
    if given is None:
        standard: Callable[..., Tensor] = SimpleTokenizer(context_length=int(model.context_length))
        if rows != standard.vocab_size:  # type: ignore[attr-defined]
            have = "of another kind" if rows is None else f"of {rows} words"
            raise ModelError(
                f"The model has a vocabulary {have}, so open_clip's standard tokenizer is not its.", todo=todo
            )
        return standard
    words = getattr(given, "vocab_size", None)
    if isinstance(words, int) and rows is not None and words > rows:
        raise ModelError(f"The tokenizer has {words} words, the model {rows}.", todo=todo)
    return given
