"""A model folder of the transformers library as an open_clip model."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from torch import Tensor

from dapt.clip.model_folder import CONFIG as OURS
from dapt.clip.model_folder import check_model_config
from dapt.clip.transformers_layout import CONFIG, is_transformers, open_clip_config, to_open_clip, weight_files
from dapt.clip.weight_files import first_line, read_weights
from dapt.console import say
from dapt.errors import DaptError, ModelError
from dapt.files import read_json

VOCABULARY = "vocab.json"


def has_transformers_model(folder: Path) -> bool:
    """Whether a folder holds a model of transformers and none of open_clip."""
    return (folder / CONFIG).is_file() and not (folder / OURS).is_file()


def load_transformers_folder(folder: Path, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Tensor], Any]:
    """An empty open_clip model of the folder's configuration, the weights that belong into it, and its tokenizer.

    Args:
        kwargs: device and precision.

    Raises:
        DaptError: a file cannot be read, or the folder holds something else than CLIP.
    """
    import open_clip

    config = open_clip_config(folder)
    check_model_config(config, folder / CONFIG, folder)
    _check_vocabulary(folder, config["model_cfg"]["text_cfg"]["vocab_size"])
    weights: dict[str, Tensor] = {}
    for file in weight_files(folder):
        weights.update(read_weights(file))
    if not is_transformers(weights):
        raise ModelError(f"The weights in {folder} are not in the transformers layout, which its {CONFIG} is of.")
    converted = to_open_clip(weights, str(folder))
    say(f"{folder.name}: a model in the transformers layout, converted to open_clip's.")
    with tempfile.TemporaryDirectory() as place:  # open_clip wants the configuration in a file
        (Path(place) / OURS).write_text(json.dumps(config))
        spec = f"local-dir:{place}"
        try:
            return (
                open_clip.create_model(spec, load_weights=False, **kwargs),
                converted,
                open_clip.get_tokenizer(spec),
            )
        except Exception as error:
            raise ModelError(f"The model in {folder} could not be made: {first_line(error)}.") from error


def _check_vocabulary(folder: Path, size: int) -> None:
    """Refuse a vocabulary that is not CLIP's: words would be given the vectors of others.

    Raises:
        ModelError: it is another one.
    """
    import open_clip

    standard = open_clip.SimpleTokenizer()
    other = ModelError(
        f"The model in {folder} has a vocabulary of its own, not CLIP's of {standard.vocab_size} words.",
        todo="Models in the transformers layout are converted only with CLIP's own vocabulary.",
    )
    if size != standard.vocab_size:
        raise other
    path = folder / VOCABULARY
    if not path.is_file():
        return
    try:
        words = read_json(path)
    except DaptError as error:
        raise ModelError(f"{path} cannot be read: {error.what}", todo="Copy the whole folder again.") from error
    special = set(standard.all_special_ids)
    expected = {word: number for word, number in standard.encoder.items() if number not in special}
    if not isinstance(words, dict) or any(words.get(word) != number for word, number in expected.items()):
        raise other
