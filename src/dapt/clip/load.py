"""Loading a backbone from its specification.

``demo`` (bundled), ``local-dir:PATH``, ``hf-hub:OWNER/NAME``, ``ARCH/pretrained-tag`` or ``ARCH:/path/to/weights``.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from dapt.clip.dassl import TODO as DASSL_TODO
from dapt.clip.dassl import dassl_checkpoint, describe
from dapt.clip.file_kinds import refuse_foreign
from dapt.clip.frozen import FrozenClip
from dapt.clip.model_folder import CONFIG as OPEN_CLIP_CONFIG
from dapt.clip.model_folder import WEIGHTS, read_model_config
from dapt.clip.model_names import check_spec, nearest
from dapt.clip.preprocess import preprocess_of
from dapt.clip.transformers_folder import VOCABULARY, has_transformers_model, load_transformers_folder
from dapt.clip.transformers_layout import CONFIG, is_transformers, quick_gelu, read_table, to_open_clip
from dapt.clip.transformers_layout import WEIGHTS as TRANSFORMERS_WEIGHTS
from dapt.clip.weight_files import first_line, last_line, loading_problem, read_weights
from dapt.console import say
from dapt.errors import DaptError, ModelError
from dapt.paths import with_home
from dapt.strict import is_utf8, shown

PRECISIONS = {"32": "fp32", "bf16": "bf16", "16": "fp16"}
_WEIGHT_NAMES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
)
_OPENAI_EXTRAS = ("input_resolution", "context_length", "vocab_size")


def load_clip(spec: str, *, device: str = "cpu", precision: str = "32") -> FrozenClip:
    """Load and freeze a CLIP.

    Args:
        spec: one of the forms above.
        device: a torch device.
        precision: ``"32"``, ``"bf16"`` or ``"16"``: the type of the towers' weights and activations.

    Raises:
        ModelError: unknown name, missing or damaged file, or weights that do not fit the architecture.
    """

    if precision not in PRECISIONS:
        raise ModelError(f"There is no precision '{precision}'.", todo="Use one of 32, bf16, 16.")
    kwargs: dict[str, Any] = {"precision": PRECISIONS[precision], "device": device}
    head, colon, path = spec.partition(":")
    if colon and path.startswith("~"):
        spec = f"{head}:{with_home(path)}"
    check_spec(spec)
    with warnings.catch_warnings(), errors_only():
        warnings.simplefilter("ignore")
        if spec == "demo":
            from dapt.clip.bundled import bundled_model

            folder = f"local-dir:{bundled_model()}"
            model = _load_folder(folder, kwargs)
            tokenize = _folder_tokenizer(folder)
        elif spec.startswith("local-dir:") and has_transformers_model(Path(spec.removeprefix("local-dir:"))):
            model, tokenize = _load_transformers(Path(spec.removeprefix("local-dir:")), kwargs)
        elif spec.startswith("local-dir:"):
            model = _load_folder(spec, kwargs)
            tokenize = _folder_tokenizer(spec)
        elif spec.startswith("hf-hub:"):
            model = _load_hub(spec, kwargs)
            tokenize = _tokenizer(spec)
        elif ":" in spec:
            architecture, _, path = spec.partition(":")
            model = _load_file(architecture, Path(path), kwargs)
            tokenize = _tokenizer(architecture)
        else:
            architecture, _, tag = spec.partition("/")
            model = _load_tag(architecture, tag, kwargs)
            tokenize = _tokenizer(architecture)
    return FrozenClip(model, tokenize, preprocess_of(model.visual, spec), spec)


@contextmanager
def errors_only() -> Iterator[None]:
    """Keep notes of libraries off the screen: open_clip's on random initialisation and chosen files, and the like."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)


def _folder_tokenizer(spec: str) -> Any:
    """The tokenizer of a model folder; a vocabulary named in its configuration is looked for in the folder."""
    folder = Path(spec.removeprefix("local-dir:"))
    text = read_model_config(folder)["model_cfg"]["text_cfg"]
    vocabulary = (text.get("tokenizer_kwargs") or {}).get("bpe_path")
    if vocabulary is None:
        return _tokenizer(spec)
    if not isinstance(vocabulary, str) or "\0" in vocabulary or not is_utf8(vocabulary):
        raise ModelError(f"The tokenizer's vocabulary of {folder} is called {shown(vocabulary)}.")
    path = folder / vocabulary
    if not path.is_file():
        raise ModelError(f"{folder} lacks its tokenizer's vocabulary {vocabulary}.", todo="Copy the whole folder.")
    tokenizer = _tokenizer(spec, bpe_path=str(path))
    own, rows = tokenizer.vocab_size, text.get("vocab_size", 49408)
    if own != rows:
        raise ModelError(
            f"The vocabulary {path} has {own} entries, the model {rows}.", todo="It is damaged: copy the whole folder."
        )
    return tokenizer


def _tokenizer(name: str, **kwargs: Any) -> Any:
    import open_clip

    try:
        return open_clip.get_tokenizer(name, **kwargs)
    except Exception as error:
        raise ModelError(
            f"The tokenizer of {name} could not be loaded: {first_line(error)}.",
            todo="SigLIP and other models with Hugging Face tokenizers need: pip install transformers sentencepiece.",
        ) from error


def _load_folder(spec: str, kwargs: dict[str, Any]) -> Any:
    import open_clip

    folder = Path(spec.removeprefix("local-dir:"))
    if not (folder / "open_clip_config.json").is_file():
        raise _no_model_folder(folder)
    _check_weights(folder)
    read_model_config(folder)
    try:
        return open_clip.create_model(spec, **kwargs)
    except DaptError:
        raise
    except Exception as error:
        raise ModelError(
            f"The model in {folder} could not be loaded: {loading_problem(error)}.",
            todo="Its weights do not belong to its configuration, or are damaged: copy the whole folder again.",
        ) from error


def _no_model_folder(folder: Path) -> ModelError:
    """The error for a folder without a configuration: it may hold something that is known all the same."""
    if (checkpoint := dassl_checkpoint(folder)) is not None:
        return ModelError(f"{describe(checkpoint)}, not a model.", todo=DASSL_TODO)
    what = f"{folder} has no open_clip_config.json."
    for name in TRANSFORMERS_WEIGHTS:
        if (folder / name).is_file() and is_transformers(read_weights(folder / name)):
            return ModelError(
                f"{what} Its {name} is in the transformers layout, whose {CONFIG} is missing.",
                todo=f"Copy the whole folder, {CONFIG} and {VOCABULARY} with it.",
            )
    return ModelError(
        what,
        todo="local-dir: wants a folder in open_clip's own format (open_clip_config.json and weights), or one of "
        f"transformers ({CONFIG} and weights).",
    )


def _check_weights(folder: Path) -> None:
    """Whether there are any, whole and no pointers; of pickles open_clip reads tensors only (weights_only)."""
    there = [path for pattern in WEIGHTS for path in sorted(folder.glob(pattern))]
    if not there:
        raise ModelError(f"{folder} holds no weights.", todo="Expected open_clip_model.safetensors.")
    for path in there:
        if path.is_file() and path.name in _WEIGHT_NAMES:
            refuse_foreign(path)


def _load_transformers(folder: Path, kwargs: dict[str, Any]) -> tuple[Any, Any]:
    model, weights, tokenize = load_transformers_folder(folder, kwargs)
    _load_strict(model, weights, "its configuration", folder)
    return model, tokenize


def _load_hub(spec: str, kwargs: dict[str, Any]) -> Any:
    import open_clip

    repository = spec.removeprefix("hf-hub:")
    _announce(repository, None, model=True)
    try:
        return open_clip.create_model(spec, **kwargs)
    except Exception as error:
        raise ModelError(
            f"{spec} could not be loaded: {first_line(error)}.",
            todo="Check the name and the network, or use a local copy with local-dir:PATH.",
        ) from error


def _load_tag(architecture: str, tag: str, kwargs: dict[str, Any]) -> Any:
    import open_clip

    entry = open_clip.get_pretrained_cfg(architecture, tag)
    _announce(str(entry.get("hf_hub", "")).rstrip("/"), entry.get("url"))
    try:
        return open_clip.create_model(architecture, pretrained=tag, require_pretrained=True, **kwargs)
    except Exception as error:
        raise ModelError(
            f"The weights {architecture}/{tag} could not be loaded: {first_line(error)}.",
            todo=f"Check the network, or fetch the file elsewhere and use {architecture}:/path/to/weights.",
        ) from error


def _announce(repository: str, url: str | None, *, model: bool = False) -> None:
    """Say what will be downloaded, how big it is and where it goes, unless it is in the cache already.

    Args:
        model: a whole model is wanted, with its configuration.

    Raises:
        ModelError: the hub has no such model, or cannot be reached, or has it in another layout.
    """
    from huggingface_hub import HfApi, constants, try_to_load_from_cache
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    if repository and any(isinstance(try_to_load_from_cache(repository, name), str) for name in _WEIGHT_NAMES):
        return
    if not repository:
        say(f"Downloading weights from {url} (size not announced) to the open_clip cache in ~/.cache/clip.")
        return
    size = "size unknown"
    try:
        files = HfApi().model_info(repository, files_metadata=True, timeout=10).siblings or []
    except RepositoryNotFoundError as error:
        raise ModelError(f"The Hugging Face hub has no model '{repository}'.", todo="Check the name.") from error
    except HfHubHTTPError as error:  # the hub answered; the download itself will say what is wrong
        size = f"size unknown: {type(error).__name__}"
    except Exception as error:
        raise ModelError(
            f"'{repository}' is not in the local cache and the Hugging Face hub cannot be reached.",
            todo="Check the network, or use a local copy: local-dir:PATH or ARCH:/path/to/weights.",
        ) from error
    else:
        if model:
            _refuse_layout(repository, {item.rfilename for item in files})
        sizes = [item.size for item in files if item.rfilename in _WEIGHT_NAMES and item.size]
        size = f"{min(sizes) / 2**20:.0f} MB" if sizes else size
    say(f"Downloading {repository} ({size}) to {constants.HF_HUB_CACHE}.")


def _refuse_layout(repository: str, files: set[str]) -> None:
    """Refuse a repository without open_clip's configuration.

    Raises:
        ModelError: naming what can be done.
    """
    if OPEN_CLIP_CONFIG in files or CONFIG not in files:
        return
    close = nearest(repository)
    raise ModelError(
        f"hf-hub:{repository} is in the transformers layout: it has {CONFIG} and no {OPEN_CLIP_CONFIG}.",
        todo=(f"Did you mean {close}? Or download" if close else "Download")
        + " its folder and write local-dir:PATH, which converts it.",
    )


def _load_file(architecture: str, path: Path, kwargs: dict[str, Any]) -> Any:
    import open_clip

    weights = read_weights(path)
    quick = None
    if is_transformers(weights):
        quick = _activation(architecture, path)
        weights = to_open_clip(weights, str(path))
        say(f"{path.name}: weights in the transformers layout, converted to open_clip's.")
    openai = any(name in weights for name in _OPENAI_EXTRAS)
    for name in _OPENAI_EXTRAS:
        weights.pop(name, None)
    if openai:
        say(f"{path.name}: OpenAI weights, using QuickGELU.")
    forced = openai or bool(quick)
    model = open_clip.create_model(architecture, load_weights=False, force_quick_gelu=forced, **kwargs)
    if "positional_embedding" in weights and not hasattr(model, "positional_embedding"):
        weights = {
            name if name.startswith("visual.") or name.startswith("logit_") else f"text.{name}": value
            for name, value in weights.items()
        }
    for name in ("logit_scale", "logit_bias"):
        own = getattr(model, name, None)
        if name in weights and own is not None and weights[name].numel() == own.numel():
            weights[name] = weights[name].reshape(own.shape)
    _load_strict(model, weights, architecture, path)
    return model


def _activation(architecture: str, path: Path) -> bool:
    """Whether weights in the transformers layout want QuickGELU, which their names do not tell.

    Raises:
        ModelError: it is not known, or the architecture has it and the model has not.
    """
    named, config = architecture.endswith("-quickgelu"), path.parent / CONFIG
    if config.is_file():
        quick = quick_gelu(read_table(config), config)
        if named and not quick:
            raise ModelError(
                f"{config} says that the model has GELU, not QuickGELU.",
                todo=f"Write {architecture.removesuffix('-quickgelu')}:{path}.",
            )
        return quick
    if named:
        return True
    raise ModelError(
        f"{path} is in the transformers layout, which notes the model's activation in {CONFIG}, and there is none "
        "beside it.",
        todo=f"Put {CONFIG} of the model beside it; or, if these are OpenAI's weights, write "
        f"{architecture}-quickgelu:{path}.",
    )


def _load_strict(model: Any, weights: dict[str, Tensor], architecture: str, path: Path) -> None:
    own = model.state_dict()
    missing = sorted(set(own) - set(weights))
    unknown = sorted(set(weights) - set(own))
    shapes = [
        f"{name}: file {tuple(weights[name].shape)}, {architecture} {tuple(own[name].shape)}"
        for name in own
        if name in weights and own[name].shape != weights[name].shape
    ]
    problems = shapes + [f"missing {name}" for name in missing] + [f"unknown {name}" for name in unknown]
    if problems:
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise ModelError(
            f"The weights in {path} do not fit {architecture}: {problems[0]}{more}.",
            todo="Name the architecture the file was made for.",
        )
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ModelError(f"The weights in {path} cannot be used: {last_line(error)}.") from error
