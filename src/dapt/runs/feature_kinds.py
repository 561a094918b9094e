"""Which kind of file features are written as."""

from __future__ import annotations

from pathlib import Path

from dapt.errors import ConfigError
from dapt.runs.feature_files import FeatureFile
from dapt.runs.feature_parquet import ParquetFile
from dapt.runs.feature_safetensors import SafetensorsFile

KINDS: tuple[type[FeatureFile], ...] = (SafetensorsFile, ParquetFile)


def feature_file(out: Path) -> FeatureFile:
    """The file of the kind that its name ends in.

    Raises:
        ConfigError: there is no such kind, or what writes it is not installed.
    """
    for kind in KINDS:
        if out.suffix.lower() == kind.ending:
            found = kind(out)
            found.check_packages()
            return found
    names = [str(out.with_suffix(kind.ending)) for kind in KINDS] if out.name else []
    raise ConfigError(
        f"{out} ends neither in {' nor in '.join(kind.ending for kind in KINDS)}.",
        where="--out",
        todo=f"Write {' or '.join(names)}." if names else "Name a file.",
    )
