"""Loading a backbone from its specification.

``demo`` (bundled), ``local-dir:PATH``, ``hf-hub:OWNER/NAME``, ``ARCH/pretrained-tag`` or ``ARCH:/path/to/weights``.
"""

from __future__ import annotations

import difflib
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dapt.clip.frozen import FrozenClip
from dapt.clip.model_folder import read_model_config
from dapt.clip.preprocess import preprocess_of
from dapt.clip.torchscript import is_torchscript, read_torchscript
from dapt.console import say
from dapt.errors import DaptError, ModelError, did_you_mean
from dapt.paths import with_home
from dapt.strict import is_utf8, readable, shown

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

    if not is_utf8(spec) or "\0" in spec:
        raise ModelError(f"The model {readable(spec)} is not valid UTF-8.", todo="Rename the file or folder.")
    if precision not in PRECISIONS:
        raise ModelError(f"There is no precision '{precision}'.", todo="Use one of 32, bf16, 16.")
    kwargs: dict[str, Any] = {"precision": PRECISIONS[precision], "device": device}
    head, colon, path = spec.partition(":")
    if colon and path.startswith("~"):
        spec = f"{head}:{with_home(path)}"
    with warnings.catch_warnings(), _errors_only():
        warnings.simplefilter("ignore")
        if spec == "demo":
            from dapt.clip.bundled import bundled_model

            folder = f"local-dir:{bundled_model()}"
            model = _load_folder(folder, kwargs)
            tokenize = _folder_tokenizer(folder)
        elif spec.startswith("local-dir:"):
            model = _load_folder(spec, kwargs)
            tokenize = _folder_tokenizer(spec)
        elif spec.startswith("hf-hub:"):
            model = _load_hub(spec, kwargs)
            tokenize = _tokenizer(spec)
        elif ":" in spec:
            architecture, _, path = spec.partition(":")
            _check_architecture(architecture)
            model = _load_file(architecture, Path(path), kwargs)
            tokenize = _tokenizer(architecture)
        elif "/" in spec:
            architecture, _, tag = spec.partition("/")
            _check_architecture(architecture)
            model = _load_tag(architecture, tag, kwargs)
            tokenize = _tokenizer(architecture)
        else:
            raise ModelError(f"'{spec}' is not a model.", todo=_forms(spec))
    return FrozenClip(model, tokenize, preprocess_of(model.visual, spec), spec)


@contextmanager
def _errors_only() -> Iterator[None]:
    """Keep open_clip's notes on random initialisation and chosen files off the screen."""
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
            f"The tokenizer of {name} could not be loaded: {_first_line(error)}.",
            todo="SigLIP and other models with Hugging Face tokenizers need: pip install transformers sentencepiece.",
        ) from error


def _forms(spec: str) -> str:
    import open_clip

    hint = ""
    if spec in open_clip.list_models():
        tags = [tag for name, tag in open_clip.list_pretrained() if name == spec]
        hint = f"Name the weights too, for example {spec}/{tags[0]}. " if tags else ""
    elif Path(spec).is_dir():
        hint = f"For a folder write local-dir:{spec}. "
    else:
        close = difflib.get_close_matches(spec, open_clip.list_models(), n=1)
        hint = f"Did you mean the architecture {close[0]}? " if close else ""
    return (
        f"{hint}Use demo (bundled), local-dir:PATH, ARCH/pretrained-tag (such as ViT-B-16/openai), "
        "hf-hub:OWNER/NAME or ARCH:/path/to/weights."
    )


def _check_architecture(name: str) -> None:
    import open_clip

    known = open_clip.list_models()
    if name not in known:
        raise ModelError(f"open_clip has no architecture '{name}'.", todo=did_you_mean(name, known))


def _load_folder(spec: str, kwargs: dict[str, Any]) -> Any:
    import open_clip

    folder = Path(spec.removeprefix("local-dir:"))
    if not folder.is_dir():
        beside = [path.name for path in folder.parent.iterdir() if path.is_dir()] if folder.parent.is_dir() else []
        hint = did_you_mean(folder.name, beside) if beside else ""
        raise ModelError(f"There is no model folder {folder}.", todo=hint or "Check the path after local-dir:.")
    if not (folder / "open_clip_config.json").is_file():
        raise ModelError(
            f"{folder} has no open_clip_config.json.",
            todo="local-dir: wants a folder in open_clip's own format (open_clip_config.json and weights).",
        )
    _refuse_unsafe(folder)
    read_model_config(folder)
    try:
        return open_clip.create_model(spec, **kwargs)
    except DaptError:
        raise
    except Exception as error:
        raise ModelError(f"The model in {folder} could not be loaded: {_first_line(error)}.") from error


def _refuse_unsafe(folder: Path) -> None:
    """A folder without safetensors falls back to pickles, which open_clip reads with weights_only."""
    if not any(folder.glob("*.safetensors")) and not any(folder.glob("*.bin")) and not any(folder.glob("*.pt*")):
        raise ModelError(f"{folder} holds no weights.", todo="Expected open_clip_model.safetensors.")


def _load_hub(spec: str, kwargs: dict[str, Any]) -> Any:
    import open_clip

    repository = spec.removeprefix("hf-hub:")
    _announce(repository, None)
    try:
        return open_clip.create_model(spec, **kwargs)
    except Exception as error:
        raise ModelError(
            f"{spec} could not be loaded: {_first_line(error)}.",
            todo="Check the name and the network, or use a local copy with local-dir:PATH.",
        ) from error


def _load_tag(architecture: str, tag: str, kwargs: dict[str, Any]) -> Any:
    import open_clip

    tags = [known for name, known in open_clip.list_pretrained() if name == architecture]
    if tag not in tags:
        raise ModelError(
            f"{architecture} has no pretrained weights '{tag}'.",
            todo=did_you_mean(tag, tags) or f"Use {architecture}:/path/to/weights.",
        )
    entry = open_clip.get_pretrained_cfg(architecture, tag)
    _announce(str(entry.get("hf_hub", "")).rstrip("/"), entry.get("url"))
    try:
        return open_clip.create_model(architecture, pretrained=tag, require_pretrained=True, **kwargs)
    except Exception as error:
        raise ModelError(
            f"The weights {architecture}/{tag} could not be loaded: {_first_line(error)}.",
            todo=f"Check the network, or fetch the file elsewhere and use {architecture}:/path/to/weights.",
        ) from error


def _announce(repository: str, url: str | None) -> None:
    """Say what will be downloaded, how big it is and where it goes, unless it is in the cache already.

    Raises:
        ModelError: the hub has no such model, or cannot be reached.
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
        sizes = [item.size for item in files if item.rfilename in _WEIGHT_NAMES and item.size]
        size = f"{min(sizes) / 2**20:.0f} MB" if sizes else size
    say(f"Downloading {repository} ({size}) to {constants.HF_HUB_CACHE}.")


def _load_file(architecture: str, path: Path, kwargs: dict[str, Any]) -> Any:
    import open_clip

    weights = read_weights(path)
    openai = any(name in weights for name in _OPENAI_EXTRAS)
    for name in _OPENAI_EXTRAS:
        weights.pop(name, None)
    if openai:
        say(f"{path.name}: OpenAI weights, using QuickGELU.")
    model = open_clip.create_model(architecture, load_weights=False, force_quick_gelu=openai, **kwargs)
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
        raise ModelError(f"The weights in {path} cannot be used: {_last_line(error)}.") from error


def read_weights(path: Path) -> dict[str, Tensor]:
    """The state dict in a safetensors file, a PyTorch file or a TorchScript archive. No code is executed.

    Raises:
        ModelError: missing, damaged, or a pickle that holds more than tensors.
    """
    if not path.is_file():
        raise ModelError(f"There is no weight file {path}.", todo="Check the path after the colon.")
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        try:
            return dict(load_file(path))
        except Exception as error:
            raise ModelError(f"{path} is not a readable safetensors file: {_first_line(error)}.") from error
    if is_torchscript(path):
        return {
            name: value.float() if value.is_floating_point() else value
            for name, value in read_torchscript(path).items()
        }
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ModelError(
            f"{path} was refused: {_first_line(error)}.",
            todo="Only plain tensors are read, code in a pickle is never run. Convert it to safetensors.",
        ) from error
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    named = isinstance(loaded, dict) and all(isinstance(name, str) for name in loaded)
    if not named or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise ModelError(f"{path} holds no state dict (a table of named tensors).")
    return {re.sub(r"^module\.", "", name): value for name, value in loaded.items()}


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".:")[:300] if lines else type(error).__name__


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".:")[:300]
