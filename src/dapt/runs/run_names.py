"""Names of runs and their folders."""

from __future__ import annotations

import re
from pathlib import Path

from dapt.config import RunConfig
from dapt.data.read.table_file import TABLE_TYPES
from dapt.paths import resolved

LONGEST = 120  # letters of a data set's name; file systems take 255 with what comes behind it


def default_folder(config: RunConfig) -> Path:
    """``runs/<data>-<method>[+dapt]-<shots>shot[-base][-<selector><fraction>]-seed<seed>``."""
    return Path("runs") / f"{data_name(config.data)}-{run_name(config)}-seed{config.seed}"


def data_name(data: str) -> str:
    """A short name of DATA that can be part of a file name."""
    path = Path(data.removeprefix("hf:").partition("?")[0])
    if path.name == "index.csv":
        path = path.parent
    place = resolved(path)
    stem = place.stem if place.suffix.lower() in TABLE_TYPES else place.name
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", stem)[:LONGEST]


def run_name(config: RunConfig) -> str:
    """What distinguishes a run from others on the same data with the same seed, short, for file names."""
    method = config.method + ("+dapt" if config.dapt.enabled else "")
    shots = f"{config.shots}shot" if config.shots else "all"
    subset = "-base" if config.subset == "base" else ""
    chosen = f"-{config.select}{config.fraction:g}" if config.select else ""
    return f"{method}-{shots}{subset}{chosen}"
