"""The tokenizer of a model without its weights: to look at class names nothing else is needed."""

from __future__ import annotations

import warnings
from pathlib import Path

from dapt.clip.load import _folder_tokenizer, _tokenizer, errors_only, load_clip
from dapt.clip.tokens import Tokenizer
from dapt.paths import with_home


def load_tokenizer(spec: str) -> Tokenizer:
    """The tokenizer of a model.

    Its weights are neither read nor downloaded, except where only the whole model can tell.

    Args:
        spec: as for `dapt.clip.load.load_clip`.

    Raises:
        ModelError: unknown name, or a damaged model folder.
    """
    import open_clip

    if spec == "demo":
        from dapt.clip.bundled import bundled_model

        spec = f"local-dir:{bundled_model()}"
    head, colon, path = spec.partition(":")
    architecture = head if colon else spec.partition("/")[0]
    with warnings.catch_warnings(), errors_only():
        warnings.simplefilter("ignore")
        if head == "local-dir" and (Path(with_home(path)) / "open_clip_config.json").is_file():
            tokenize = _folder_tokenizer(f"{head}:{with_home(path)}")
        elif head == "hf-hub":
            tokenize = _tokenizer(spec)
        elif architecture != spec and architecture in open_clip.list_models():
            tokenize = _tokenizer(architecture)
        else:  # which says what is wrong with it
            return load_clip(spec).tokenizer
    return Tokenizer(tokenize, int(tokenize.context_length))
