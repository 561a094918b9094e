"""A table of runs as one file (Parquet), to be kept beside a paper when the folders of the runs are gone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dapt.errors import ConfigError, DataError
from dapt.files import whole_file
from dapt.results.portable import portable

if TYPE_CHECKING:
    import pandas as pd

ENDING = ".parquet"
NEEDED = {"run", "kind", "method", "data", "seed"}


def is_store(where: str) -> bool:
    """Whether what is named is such a file, by its ending; a folder may end so, too."""
    return where.endswith(ENDING) and not Path(where).is_dir()


def read_store(where: str) -> pd.DataFrame:
    """The runs in a file.

    Args:
        where: a path, or an address that fsspec reads.

    Raises:
        DataError: it is not there, damaged, or holds no runs.
    """
    import pandas as pd

    try:
        table = pd.read_parquet(where)
    except FileNotFoundError as error:
        raise DataError(f"There is no file {where}.", todo="Name a folder with runs, or a file of --store.") from error
    except Exception as error:  # whatever a reader of Parquet says of other bytes
        raise DataError(f"{where} cannot be read as Parquet: it is damaged, or something else.") from error
    if missing := NEEDED - set(table.columns):
        raise DataError(f"{where} holds no runs: it has no column '{min(missing)}'.")
    return table


def check_store(path: Path | None, where: str = "") -> None:
    """Refuse a place for the runs whose name does not end in .parquet, or where there is something else than runs.

    Args:
        path: None: no file is written. where: the option that names it.

    Raises:
        ConfigError: naming what is in the way.
    """
    if path is None:
        return
    if path.suffix != ENDING:
        raise ConfigError(f"{path} does not end in {ENDING}.", where=where, todo=f"Write {path.with_suffix(ENDING)}.")
    if os.path.lexists(path) and not _holds_runs(path):
        raise ConfigError(
            f"{path} exists, and holds no runs of dapt.", where=where, todo="Choose another file; it was left alone."
        )


def _holds_runs(path: Path) -> bool:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise ConfigError(
            "Files of runs need pyarrow, which is not installed.", todo="Install it: pip install 'dapt[report]'."
        ) from error
    if not path.is_file():  # a pipe would be waited for
        return False
    try:
        return set(parquet.read_schema(path).names) >= NEEDED
    except (OSError, ArrowException):
        return False


def save(table: pd.DataFrame, path: Path | str) -> Path:
    """Write a table of `dapt.results.load` as one file, which `load` reads and `dapt report` takes.

    Rows are those of the table, columns without any value are left out, and the same table gives the same bytes.
    Absolute paths are shortened (`dapt.results.portable`), so that the file says nothing about the machine.

    Raises:
        ConfigError: the name does not end in .parquet, or something else than runs is there.
        DaptError: the file cannot be written.
    """
    path = Path(path)
    check_store(path)
    with whole_file(path) as temporary:
        portable(table).dropna(axis="columns", how="all").to_parquet(temporary, index=False, compression="zstd")
    return path
