"""A function of the user's own: ``callable:package.module.function`` or ``callable:path/to/file.py:function``."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from dapt.clip.weight_files import first_line
from dapt.cues.base import CUES, CueContext
from dapt.cues.halving import is_out_of_memory
from dapt.cues.model_cue import Found, ModelCue, Photo, numpy_of
from dapt.cues.model_place import digest_of_model
from dapt.data.items import Item
from dapt.data.load.resize import resize_map
from dapt.errors import ConfigError, DaptError, DataError
from dapt.paths import with_home
from dapt.plugins import module_name
from dapt.strict import PartOptions, shown
from dapt.wording import listing

if TYPE_CHECKING:
    from dapt.model.prompted_clip import PromptedClip

SHOWN = 5  # functions of a file that are named
OFF = 0.02  # by so much the proportions of a mask may differ from the photo's

Function = Callable[[Any, str], Any]


class CallableOptions(PartOptions):
    """Options of a function."""

    soft: bool = Field(
        False, description="Keep the values of a mask in 0..1 as they are instead of cutting at one half."
    )


@CUES.register("callable")
class CallableCue(ModelCue):
    """The masks that a function makes of a photo and a class name, one image at a time.

    The function takes a photo, uint8 ``[H, W, 3]``, and the name of its class (empty if unknown; the first of several),
    and returns a mask of the same proportions: bool; numbers 0 and 1, or 0 and 255; decimals in 0..1; or None if it
    finds nothing. NumPy arrays, torch tensors and PIL pictures are understood.
    """

    options_type = CallableOptions
    argument = "module.function or file.py:function"

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
        assert isinstance(context.options, CallableOptions)
        self.soft = context.options.soft
        self._function: Function | None = None

    def made_with(self) -> dict[str, Any]:
        try:
            source = inspect.getsourcefile(_plain(find_function(self.context.argument)))
        except TypeError:  # of a function that is not written in Python
            source = None
        return {"source": digest_of_model(Path(source))} if source is not None and Path(source).is_file() else {}

    def texts(self, items: Sequence[Item], model: PromptedClip | None) -> list[tuple[str, ...]]:
        data = self.context.data
        names = tuple(model.names) if model is not None else () if data is None else tuple(data.names)
        if model is not None and model.prompts.label_free:
            names = ()
        return [(names[item.label] if 0 <= item.label < len(names) else "",) for item in items]

    def load(self, device: str) -> None:
        self._function = find_function(self.context.argument)

    def unload(self) -> None:
        self._function = None

    def segment(self, photos: Sequence[Photo]) -> list[Found]:
        return [self._asked(photo) for photo in photos]

    def _asked(self, photo: Photo) -> Found:
        assert self._function is not None
        name = self.context.argument
        try:
            with torch.enable_grad():  # as outside: it may be Grad-CAM of another model
                answer = self._function(numpy_of(photo), photo.text)
        except DaptError:
            raise
        except (Exception, SystemExit) as error:  # a function that ends the program has made no mask
            if is_out_of_memory(error):
                raise
            raise DataError(
                f"The function {name} failed for the image {photo.name}: {type(error).__name__}: {first_line(error)}."
            ) from error
        if answer is None:
            return Found(None)
        mask = _mask_of(answer, f"The function {name} returned, for the image {photo.name},", photo)
        if mask.dtype == torch.bool or not self.soft:
            hard = resize_map(mask, photo.size, soft=mask.dtype != torch.bool) >= 0.5
            return Found(hard)
        return Found(resize_map(mask, photo.size, soft=True))


def find_function(text: str) -> Function:
    """The function called ``module.function`` or ``file.py:function``; modules may lie in the working folder.

    Raises:
        ConfigError: there is none, or its module cannot be imported.
    """
    place, colon, name = text.rpartition(":") if ".py:" in text else text.rpartition(".")
    if not colon == ":" and (text.endswith(".py") or Path(with_home(text)).is_file()):
        raise _only_a_file(text)
    if not place or not name:
        raise ConfigError(
            f"'{text}' names no function.",
            where="--cue callable:...",
            todo="Write module.function or file.py:function.",
        )
    try:
        module = _module_of_file(Path(with_home(place))) if colon == ":" else _module_called(place)
    except DaptError:
        raise
    except (Exception, SystemExit) as error:
        raise ConfigError(
            f"The cue callable:{text} cannot be imported: {type(error).__name__}: {first_line(error)}.",
            todo="Name a module that Python finds from here, or a file: callable:path/to/file.py:function.",
        ) from error
    found = getattr(module, name, None)
    if not callable(found):
        what = "is no function" if hasattr(module, name) else "is not there"
        raise ConfigError(f"'{name}' {what} in {place}.", where=f"--cue callable:{text}")
    return found  # type: ignore[no-any-return]


def _only_a_file(text: str) -> ConfigError:
    """What to say of a file without a function."""
    path = Path(with_home(text))
    where = f"--cue callable:{text}"
    if not path.is_file():
        return ConfigError(
            f"There is no file {path}, and no function of it is named.", where=where, todo="Write file.py:function."
        )
    functions = _functions_in(path)
    named = f"Write callable:{text}:{functions[0]}" if functions else "Write callable:file.py:function"
    more = f"; it has {listing(functions[:SHOWN])}{' and others' if len(functions) > SHOWN else ''}"
    return ConfigError(
        f"{path} is a file; which function of it makes the masks is not said.",
        where=where,
        todo=f"{named}{more if len(functions) > 1 else ''}.",
    )


def _functions_in(path: Path) -> list[str]:
    """The functions that a file defines, by its text, those with a leading underscore left out; nothing is run."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return []
    return [each.name for each in tree.body if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")]


def _module_of_file(path: Path) -> Any:
    if not path.is_file():
        raise ConfigError(f"There is no file {path}.", where="--cue callable:...")
    name = module_name(path)
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} is no Python file.", where="--cue callable:...")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _module_called(name: str) -> Any:
    here = os.getcwd()  # noqa: PTH109 - as sys.path has it
    sys.path.append(here)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(here)


def _plain(function: Any) -> Any:
    """What the source of can be found: of an object that can be called, its class."""
    function = inspect.unwrap(function)
    while hasattr(function, "func"):  # functools.partial
        function = function.func
    plain = inspect.isroutine(function) or inspect.isclass(function)
    return function if plain else type(function)


def _mask_of(answer: Any, told: str, photo: Photo) -> Tensor:
    """What a function returned as bool or float ``[h, w]``.

    Raises:
        DataError: it is no mask of the photo.
    """
    try:
        array = answer.detach().cpu().numpy() if isinstance(answer, Tensor) else np.asarray(answer)
    except Exception as error:
        raise DataError(f"{told} {shown(answer)}, which is no mask: {first_line(error)}.") from error
    if array.ndim == 3 and 1 in (array.shape[0], array.shape[2]):
        array = array.squeeze(0 if array.shape[0] == 1 else 2)
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "buif":
        raise DataError(f"{told} an array {array.shape} of {array.dtype}, not a mask [H, W].")
    high, wide = array.shape
    if abs(high * photo.width / (wide * photo.height) - 1) > OFF:
        raise DataError(f"{told} a mask of {wide} x {high}; the photo has {photo.width} x {photo.height} pixels.")
    if array.dtype.kind == "b":
        return torch.from_numpy(np.ascontiguousarray(array))
    values = np.unique(array) if array.dtype.kind in "ui" else np.array([array.min(), array.max()])
    if array.dtype.kind in "ui":
        if not set(values.tolist()) <= {0, 1} and not set(values.tolist()) <= {0, 255}:
            raise DataError(
                f"{told} whole numbers from {values[0]} to {values[-1]}, which may mean anything.",
                todo="Return True and False, 0 and 1, 0 and 255, or decimals in 0..1.",
            )
        return torch.from_numpy(array > 0)
    if not (values[0] >= 0 and values[-1] <= 1):
        raise DataError(f"{told} decimals from {values[0]:g} to {values[-1]:g}.", todo="Return decimals in 0..1.")
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
