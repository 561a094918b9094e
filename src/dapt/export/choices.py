"""What is asked of an export, and what belongs together; nothing heavy is imported to refuse the rest."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from dapt.errors import ConfigError, NotSupportedError, did_you_mean
from dapt.wording import listing

ONNX, TORCH, OPEN_CLIP, TRANSFORMERS = "onnx", "torch-export", "openclip", "hf"
FORMATS = (ONNX, TORCH, OPEN_CLIP, TRANSFORMERS)
GRAPHS = (ONNX, TORCH)  # one file from pixels to probabilities; the others are a CLIP for other tools
OUTSIDE, IN_GRAPH = "outside", "in-graph"
PREPROCESSING = (OUTSIDE, IN_GRAPH)
PRECISIONS = ("32", "16", "int8")

PACKAGES = {ONNX: ("onnx", "onnxscript", "onnxruntime"), TRANSFORMERS: ("transformers",)}
EXTRAS = {ONNX: "export", TRANSFORMERS: "segment"}

# The largest difference of a probability that --check lets pass; docs/export.md has what was measured.
EXACT = 1e-3  # the same arithmetic in another order
RESIZED = 0.02  # pixels resized within the graph: a step of a byte here and there
HALF = 0.02
BYTES = 0.1  # int8


@dataclass(frozen=True)
class Choices:
    """How a run is exported.

    Attributes:
        to: one of `FORMATS`. preprocess: where pictures become pixels, one of `PREPROCESSING`.
        precision: of the image tower, one of `PRECISIONS`. calibrate: photos by which int8 finds its ranges.
        check: photos on which the exported file is compared with the run. tolerance: the largest difference of a
            probability that passes; None: `default_tolerance`.

    Raises:
        ConfigError: a name that there is not, or choices that exclude each other.
    """

    to: str
    preprocess: str = OUTSIDE
    precision: str = "32"
    calibrate: Path | None = None
    check: Path | None = None
    tolerance: float | None = None

    def __post_init__(self) -> None:
        for option, value, known in (
            ("--to", self.to, FORMATS),
            ("--preprocess", self.preprocess, PREPROCESSING),
            ("--precision", self.precision, PRECISIONS),
        ):
            if value not in known:
                raise ConfigError(f"There is no '{value}'.", where=option, todo=did_you_mean(value, known))
        for option, value, usual in (
            ("--preprocess", self.preprocess, OUTSIDE),
            ("--precision", self.precision, "32"),
        ):
            if self.to not in GRAPHS and value != usual:
                raise ConfigError(
                    f"{option} {value} belongs to formats that are one graph: {' or '.join(GRAPHS)}.",
                    todo=f"Leave it out: --to {self.to} writes float32 weights and what its library preprocesses by.",
                )
        if self.precision == "int8" and self.to != ONNX:
            raise ConfigError("int8 is made by onnxruntime.", where="--precision", todo="Add --to onnx.")
        if self.precision == "int8" and self.calibrate is None:
            raise ConfigError(
                "int8 needs photos by which it finds the range of every number.",
                where="--precision",
                todo="Name some dozens with --calibrate FOLDER, such as the photos trained on.",
            )
        if self.calibrate is not None and self.precision != "int8":
            raise ConfigError("Only int8 is calibrated.", where="--calibrate", todo="Add --precision int8.")
        if self.tolerance is not None and self.check is None:
            raise ConfigError("Nothing is checked.", where="--tolerance", todo="Add --check PHOTOS.")

    @property
    def allowed(self) -> float:
        """The largest difference of a probability that passes the check."""
        return self.default_tolerance if self.tolerance is None else self.tolerance

    @property
    def default_tolerance(self) -> float:
        """It where none is named."""
        if self.precision == "int8":
            return BYTES
        if self.precision == "16":
            return HALF
        return EXACT if self.preprocess == OUTSIDE else RESIZED


def need_packages(to: str) -> None:
    """Refuse a format whose packages are not installed.

    Raises:
        NotSupportedError: naming them, and the extra of dapt that brings them.
    """
    missing = [name for name in PACKAGES.get(to, ()) if importlib.util.find_spec(name) is None]
    if missing:
        raise NotSupportedError(
            f"--to {to} needs {listing(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed.",
            todo=f"Run: pip install 'dapt[{EXTRAS[to]}]'",
        )
