"""Which library multiplies by frozen weights on a CPU: oneDNN, or the one behind torch's own function (mostly MKL).

Neither is faster everywhere: on one AMD EPYC the steps are 10% faster with oneDNN, on one Intel Xeon 6 to 18% faster
without. So it is measured, once for a processor, a setting and the sizes of a model, and kept in the user's cache. Both
compute the same up to rounding; whatever has to end with the same bits therefore keeps to one choice, see
`dapt.runs.multiplying`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import torch

from dapt.clip.linear import HAS_ONEDNN
from dapt.clip.linear_kept import file_of, one_at_a_time, read_times, times_folder, write_times
from dapt.clip.linear_times import Product, Times, fewer_rows, measure
from dapt.errors import ConfigError, did_you_mean
from dapt.processor import processor_name, vector_instructions

VARIABLE = "DAPT_LINEAR"  # names the library, and nothing is measured
ONEDNN, PLAIN = "onednn", "torch"
TIE = 0.02  # what is faster by less is not told from noise: torch's own function then
LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR")  # settings of both

_known: dict[tuple[tuple[Product, ...], int], Choice] = {}
_choosing = threading.Lock()


@dataclass(frozen=True)
class Choice:
    """Which library multiplies, and why.

    Attributes:
        onednn: oneDNN; otherwise the one behind `torch.nn.functional.linear`.
        by: ``measured`` in this process, ``cache``: measured earlier, ``asked``: by the settings of a run, ``fixed``:
            by ``$DAPT_LINEAR``, ``deterministic``: by no clock, ``default``.
        onednn_ms, plain_ms: what was measured, where something was.
    """

    onednn: bool
    by: str = "default"
    onednn_ms: float | None = None
    plain_ms: float | None = None

    @property
    def library(self) -> str:
        """``onednn`` or ``torch``."""
        return ONEDNN if self.onednn else PLAIN

    def facts(self) -> dict[str, Any]:
        """For results.json."""
        values = {"linear_library": self.library, "linear_chosen": self.by}
        times = {"linear_onednn_ms": self.onednn_ms, "linear_torch_ms": self.plain_ms}
        return {**values, **{key: round(value, 3) for key, value in times.items() if value is not None}}

    def sentence(self) -> str | None:
        """What to say of it: nothing where no clock was asked."""
        if self.onednn_ms is None or self.plain_ms is None:
            return None
        times = f"oneDNN {self.onednn_ms:.3g} ms, {plain_name()} {self.plain_ms:.3g} ms"
        how = "measured" if self.by == "measured" else "measured earlier"
        return f"{'oneDNN' if self.onednn else plain_name()} multiplies by the frozen weights ({how}: {times})"

    def record(self) -> dict[str, Any]:
        """As JSON values, for `from_record`."""
        return asdict(self)


def from_record(found: Any) -> Choice | None:
    """The choice that a run has noted; None: it has noted none."""
    if not isinstance(found, Mapping) or not isinstance(found.get("onednn"), bool):
        return None
    times = {key: found.get(key) for key in ("onednn_ms", "plain_ms")}
    given = {key: float(value) for key, value in times.items() if isinstance(value, int | float)}
    return Choice(found["onednn"], str(found.get("by", "default")), **given)


def choose(products: Sequence[Product]) -> Choice:
    """The library for the frozen layers of a model: one for all models of these sizes in a process.

    The first time it is looked for in the user's cache, and measured for about half a second if it is not there.
    Where torch shall compute deterministically (`torch.use_deterministic_algorithms`), no clock is asked: oneDNN.

    Args:
        products: of the model's blocks; empty: there is nothing to measure.

    Raises:
        ConfigError: ``$DAPT_LINEAR`` names no library.
    """
    fixed = os.environ.get(VARIABLE)
    if fixed:
        if fixed not in (ONEDNN, PLAIN):
            raise ConfigError(f"{VARIABLE}={fixed} is no library.", todo=did_you_mean(fixed, [ONEDNN, PLAIN]))
        return Choice(fixed == ONEDNN, "fixed")
    if not HAS_ONEDNN or not products:
        return Choice(HAS_ONEDNN)
    if torch.are_deterministic_algorithms_enabled():
        return Choice(True, "deterministic")
    key = (tuple(products), torch.get_num_threads())
    with _choosing:
        if key not in _known:
            _known[key] = _found(key[0])
        return _known[key]


def forget() -> None:
    """Let the next model look into the cache again."""
    with _choosing:
        _known.clear()


def _found(products: tuple[Product, ...]) -> Choice:
    """What the cache says, else what the clock says."""
    folder, about = times_folder(), decided_by(products)
    if folder is None:
        return judged(measure(fewer_rows(products, torch.get_num_threads())), "measured")
    path = file_of(folder, about)
    kept = read_times(path, about)
    if kept is None:
        with one_at_a_time(folder):
            kept = read_times(path, about)
            if kept is None:
                times = measure(fewer_rows(products, torch.get_num_threads()))
                write_times(path, about, times)
                return judged(times, "measured")
    return judged(kept, "cache")


def judged(times: Times, by: str) -> Choice:
    """The faster library; torch's own where they are as good as equal."""
    return Choice(times.onednn_ms < (1 - TIE) * times.plain_ms, by, times.onednn_ms, times.plain_ms)


def decided_by(products: Sequence[Product]) -> dict[str, Any]:
    """All that decides the times: JSON values."""
    return {
        "processor": processor_name(),
        "instructions": list(vector_instructions()),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        **library_versions(),
        "limits": {name: os.environ[name] for name in LIMITS if name in os.environ},
        "threads": torch.get_num_threads(),
        "products": [[each.rows, each.inputs, each.outputs, each.blocks] for each in products],
    }


@lru_cache
def library_versions() -> dict[str, str]:
    """What torch says of its libraries: ``onednn`` and ``blas``."""
    lines = [line.strip(" -") for line in torch.__config__.show().splitlines()]
    onednn = next((line for line in lines if "MKL-DNN" in line or "oneDNN" in line), "unknown")
    blas = next((line for line in lines if "Math Kernel Library" in line or "OpenBLAS" in line), "unknown")
    return {"onednn": onednn, "blas": blas}


def plain_name() -> str:
    """What to call the library behind torch's own function."""
    has_mkl: bool = torch.backends.mkl.is_available()  # type: ignore[no-untyped-call]
    return "MKL" if has_mkl else "torch's own library"
