"""Sessions of rembg: its own models by name, and ONNX files on this machine."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from dapt.clip.weight_files import first_line
from dapt.console import say, warn
from dapt.cues.halving import is_out_of_memory
from dapt.cues.model_place import LOCAL, local_path
from dapt.errors import DataError, ModelError, NotSupportedError, did_you_mean
from dapt.regular import reason
from dapt.wording import some

# Names of rembg's foreground models and the size of their files in MB, as far as it is known.
MODELS: dict[str, int | None] = {
    "u2net": 176,
    "u2netp": 5,
    "u2net_human_seg": 176,
    "silueta": 44,
    "isnet-general-use": 179,
    "isnet-anime": 176,
    "birefnet-general": 973,
    "birefnet-general-lite": 224,
    "birefnet-portrait": 973,
    "birefnet-dis": 973,
    "birefnet-hrsod": 973,
    "birefnet-cod": 973,
    "birefnet-massive": 973,
    "bria-rmbg": None,
}

SIZE = 320  # pixels a side, where a file takes any
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# mean and deviation of the input, and whether the output is in logits
FAMILIES = {"u2net": (IMAGENET, False), "isnet": (((0.5,) * 3, (1.0,) * 3), False), "birefnet": (IMAGENET, True)}

Session = Callable[[Any], Any]


def is_file_name(spec: str) -> bool:
    """Whether a model is meant that is a file: of rembg's own names none looks like a path."""
    return spec.startswith(LOCAL) or "/" in spec or "\\" in spec or spec.lower().endswith(".onnx")


def weights_file(spec: str) -> Path | None:
    """The ONNX file of a model, if it is on this machine already."""
    if is_file_name(spec):
        return local_path(spec) if local_path(spec).is_file() else None
    if spec not in MODELS or importlib.util.find_spec("rembg") is None:
        return None
    return _downloaded(_rembg().sessions[spec], spec)


def open_session(spec: str, family: str, device: str) -> Session:
    """What turns a photo, uint8 ``[H, W, 3]``, into a map ``[h, w]`` in 0..1, float32.

    Args:
        spec: a name of `MODELS`, or an ONNX file. family: of a file, see `FAMILIES`. device: a torch device.

    Raises:
        ModelError: there is no such model or file, it is damaged, or it cannot be fetched.
        NotSupportedError: rembg is not installed.
    """
    if spec not in MODELS and local_path(spec).is_dir():
        raise _folder(local_path(spec))
    if not is_file_name(spec) and spec not in MODELS:
        raise ModelError(
            f"The cue salient knows no model '{spec}'.", todo=f"{did_you_mean(spec, MODELS)} Or name an ONNX file."
        )
    rembg = _rembg()
    providers = _providers(device)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of providers that are not there; said below
        session = _own_file(rembg, local_path(spec), family, providers) if is_file_name(spec) else None
        if session is None:
            session = _named(rembg, spec, providers)
    used = session.inner_session.get_providers()
    if device.startswith("cuda") and "CUDAExecutionProvider" not in used:
        warn(
            "salient: onnxruntime cannot use this GPU, so the CPU computes. To change it: pip install onnxruntime-gpu."
        )
    return lambda photo: _values(session, photo)


def _folder(path: Path) -> ModelError:
    """What to say of a folder: the model is one file."""
    try:
        inside = sorted(each.name for each in path.iterdir() if not each.name.startswith("."))
    except OSError as error:
        return ModelError(f"The folder {path} cannot be read: {reason(error)}.", where="cue.model")
    files = [name for name in inside if name.lower().endswith(".onnx")]
    if files:
        holds = f"it holds {some(files)}"
    else:
        holds = f"it holds no .onnx file, but {some(inside)}" if inside else "it is empty"
    which = f"the file: cue.model={path / files[0]}" if len(files) == 1 else f"a file: cue.model={path / 'FILE.onnx'}"
    return ModelError(
        f"{path} is a folder, {holds}. The cue salient takes one ONNX file.",
        where="cue.model",
        todo=f"Name {which}; or one of rembg's models. Folders of transformers are for the cues clipseg, grounded_sam, "
        "sam2, sam3 and panoptic.",
    )


def _rembg() -> Any:
    """The sessions of rembg, without its command line and its editing tools.

    Raises:
        NotSupportedError: it, or onnxruntime, is not installed.
    """
    missing = [name for name in ("rembg", "onnxruntime") if importlib.util.find_spec(name) is None]
    if missing:
        raise NotSupportedError(
            f"The cue salient needs the package {missing[0]}, which is not installed.",
            todo="Run: pip install 'dapt[salient]'",
        )
    import rembg.sessions

    return rembg.sessions


def _providers(device: str) -> list[str]:
    import onnxruntime

    wanted = ["CUDAExecutionProvider"] if device.startswith("cuda") else []
    there = onnxruntime.get_available_providers()
    return [*(name for name in wanted if name in there), "CPUExecutionProvider"]


def _named(rembg: Any, name: str, providers: list[str]) -> Any:
    kind = rembg.sessions[name]
    if _downloaded(kind, name) is None:
        size = "size not known" if MODELS[name] is None else f"about {MODELS[name]} MB"
        say(f"Downloading {name} ({size}) from the releases of rembg to {kind.model_dir()}.")
    try:
        return kind(name, _session_options(), providers=providers)
    except Exception as error:
        file = _downloaded(kind, name)
        if file is not None:
            raise _damaged(file, error) from error
        raise ModelError(
            f"The model {name} is not in {kind.model_dir()}, and it could not be fetched: {first_line(error)}.",
            todo=f"Check the network, or put {name}.onnx there, or name a file: cue.model=FILE.onnx.",
        ) from error


def _downloaded(kind: Any, name: str) -> Path | None:
    found = kind.resolve_existing(f"{name}.onnx")
    return Path(found) if found is not None else None


def _session_options() -> Any:
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = torch.get_num_threads()
    return options


def _damaged(file: Path, error: Exception) -> ModelError:
    return ModelError(f"{file} cannot be used as an ONNX model: {first_line(error)}.", todo="Copy or fetch it again.")


def _own_file(rembg: Any, path: Path, family: str, providers: list[str]) -> Any:
    """A session on a file anywhere on this machine.

    Raises:
        ModelError: it is missing or damaged, or takes something else than one photo.
    """
    if not path.is_file():
        raise ModelError(f"There is no ONNX file {path}.", where="cue.model", todo="Or name one of rembg's models.")

    class OwnFile(rembg.BaseSession):  # type: ignore[misc]
        @classmethod
        def download_models(cls, *args: Any, **kwargs: Any) -> str:
            return str(path)

    try:
        session = OwnFile(path.stem, _session_options(), providers=providers)
    except Exception as error:
        raise _damaged(path, error) from error
    entry = session.inner_session.get_inputs()
    shape = list(entry[0].shape) if entry else []
    if len(entry) != 1 or len(shape) != 4 or (isinstance(shape[1], int) and shape[1] != 3):
        raise ModelError(
            f"{path} is another kind of model: its input is {[each.shape for each in entry]}.",
            todo="Expected is one photo [1, 3, height, width] and a map of the foreground as the first output.",
        )
    height, width = (side if isinstance(side, int) else SIZE for side in shape[2:])
    (mean, deviation), logits = FAMILIES[family]
    session.read = lambda picture: _map_of(session, picture, (mean, deviation, (width, height)), logits, path)
    return session


def _map_of(session: Any, picture: Any, wanted: tuple[Any, ...], logits: bool, path: Path) -> Any:
    output = np.asarray(session.inner_session.run(None, session.normalize(picture, *wanted))[0], dtype=np.float32)
    if output.ndim not in (3, 4) or output.shape[0] != 1:
        raise ModelError(f"{path} is another kind of model: its first output is {output.shape}, not [1, 1, h, w].")
    values = output.reshape(-1, *output.shape[-2:])[0]
    if logits:
        values = 1 / (1 + np.exp(-values))
    if not (values.min() >= -1e-3 and values.max() <= 1 + 1e-3):
        raise ModelError(
            f"{path} returns values from {values.min():g} to {values.max():g}, not in 0..1.",
            todo="If these are logits: --set cue.family=birefnet.",
        )
    return values.clip(0, 1)


def _values(session: Any, photo: Any) -> Any:
    from PIL import Image

    picture = Image.fromarray(photo)
    try:
        if hasattr(session, "read"):
            return session.read(picture)
        with np.errstate(divide="ignore", invalid="ignore"):  # a map that is the same everywhere shows nothing
            found = session.predict(picture)[0]
        return np.asarray(found.convert("L"), dtype=np.float32) / 255
    except (ModelError, MemoryError):
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise DataError(f"The salient model failed: {type(error).__name__}: {first_line(error)}.") from error
