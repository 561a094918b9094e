"""Exports that are one graph: an ONNX file, or a program of `torch.export`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from dapt.console import progress, say
from dapt.data.load.preprocess import bytes_of
from dapt.export import onnx_file, torch_program
from dapt.export.check import Asked, Bytes
from dapt.export.choices import IN_GRAPH, ONNX, Choices
from dapt.export.description import UNCALIBRATED
from dapt.export.graph import PictureGraph, PixelGraph, make_graph, trace
from dapt.export.halved import halve
from dapt.export.onnx_file import OnnxFile, write_onnx
from dapt.export.quantised import quantise
from dapt.export.torch_program import TorchProgram, write_program
from dapt.model.prompted_clip import PromptedClip


def file_of(to: str) -> str:
    """The name of the model file of a format."""
    return onnx_file.FILE if to == ONNX else torch_program.FILE


def write_graph(
    folder: Path, model: PromptedClip, half: PromptedClip | None, choices: Choices, photos: Sequence[Path]
) -> None:
    """Write the model file into a folder.

    Args:
        model: the run's, on the CPU in float32. half: the same in float16, where a program of that precision is asked
            for. photos: by which int8 is calibrated.

    Raises:
        NotSupportedError: the method, or the way of preprocessing, has no graph.
    """
    graph = make_graph(model, half, choices.preprocess, UNCALIBRATED)
    program = trace(graph, model.clip.image.image_size)
    target = folder / file_of(choices.to)
    if choices.to != ONNX:
        write_program(program, target)
        return
    name = _input_name(graph)
    if choices.precision == "32":
        write_onnx(program, target, name)
        return
    whole = folder / "float32.onnx"
    write_onnx(program, whole, name)
    if choices.precision == "16":
        halve(whole, target)
    else:
        say(f"int8: ranges from {len(photos)} photos")
        inputs = progress(photos, len(photos), "calibrating", "images")
        quantise(whole, target, (_input_of(path, model, choices) for path in inputs), name)
    for left in folder.glob(f"{whole.name}*"):
        left.unlink()


def _input_name(graph: nn.Module) -> str:
    assert isinstance(graph, (PixelGraph, PictureGraph))
    return graph.input_name


def _input_of(path: Path, model: PromptedClip, choices: Choices) -> Bytes:
    picture = bytes_of(path, model.preprocess.reading).permute(1, 2, 0).numpy()
    return as_input(picture, model, choices)


def as_input(picture: Bytes, model: PromptedClip, choices: Choices) -> Bytes:
    """A batch of one, as the graph wants it, of a decoded picture ``[height, width, 3]``."""
    if choices.preprocess == IN_GRAPH:
        return np.ascontiguousarray(picture[None])
    pixels: np.ndarray[Any, Any] = model.preprocess(picture)[None].numpy()
    return pixels


def open_graph(folder: Path, model: PromptedClip, choices: Choices) -> Asked:
    """The exported file as something to ask about decoded pictures."""
    path = folder / file_of(choices.to)
    ask = OnnxFile(path, torch.get_num_threads()) if choices.to == ONNX else TorchProgram(path)

    def asked(picture: Bytes) -> Bytes:
        answer: Bytes = ask(as_input(picture, model, choices))[0]
        return answer

    return asked
