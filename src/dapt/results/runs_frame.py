"""All runs below a folder as one table, kept as Parquet so that ten thousand of them are there in seconds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dapt.console import progress, warn
from dapt.errors import ConfigError, DaptError
from dapt.files import whole_file
from dapt.paths import user_cache
from dapt.results.audit_rows import HEAD, is_audit, rows_of_audit
from dapt.results.audit_rows import NAME as AUDIT
from dapt.results.result_files import NAMES, PROTOCOL, RUN, SETTINGS, Place, Stamped, place_of
from dapt.results.result_rows import Row, UnreadError, row_of_run, rows_of_protocol
from dapt.results.store_file import is_store, read_store
from dapt.wording import listing

if TYPE_CHECKING:
    import pandas as pd

VERSION = 1  # of the rows: another one is read anew
STAMP = "stamp"
SHOWN = 5
ENGINES = ("pandas", "polars")


def load(where: Path | str | Sequence[Path | str], *, engine: str = "pandas", cache: bool = True) -> Any:
    """All finished runs below a folder, a row each, and a row for each model of a background audit there.

    Args:
        where: a folder, an address that fsspec reads (``s3://bucket/runs``), a file that `save` wrote, or several.
        engine: ``pandas`` or ``polars``. cache: keep the table in the user's cache; read anew only what has changed.

    Returns:
        a data frame, see `dapt.results.result_rows` for its columns; ``run`` is the folder of each. With pandas,
        ``frame.attrs["unread"]`` names the folders that could not be read, with the reason: runs that are not
        finished, damaged files. They are counted in a warning.

    Raises:
        DataError: there is no such folder. ConfigError: no such engine, or it is not installed.
    """
    if engine not in ENGINES:
        raise ConfigError(f"There is no engine '{engine}'.", todo=f"It is one of {', '.join(ENGINES)}.")
    pandas = _needed("pandas")
    places = [where] if isinstance(where, str | Path) else list(where)
    frames: list[Any] = []
    unread: dict[str, str] = {}
    for each in places:
        frame, bad = (read_store(str(each)), {}) if is_store(str(each)) else _of_place(str(each), cache=cache)
        frames.append(frame)
        unread |= bad
    table = _typed(pandas.concat(frames, ignore_index=True)) if len(frames) > 1 else frames[0]
    table = table.drop(columns=[STAMP], errors="ignore")
    table.attrs["unread"] = unread
    if unread:
        shown = listing([f"{folder} ({why})" for folder, why in list(unread.items())[:SHOWN]])
        more = f" and {len(unread) - SHOWN} more" if len(unread) > SHOWN else ""
        warn(f"{len(unread)} folders are not in the table: {shown}{more}.")
    return table if engine == "pandas" else _needed("polars").from_pandas(table)


def _needed(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(
            f"Tables of runs need {name}, which is not installed.", todo="Install it: pip install 'dapt[report]'."
        ) from error


def _of_place(where: str, *, cache: bool) -> tuple[pd.DataFrame, dict[str, str]]:
    """The table of one place, and what could not be read there."""
    place = place_of(where)
    start = where.rstrip("/") or where
    files = {each.path: each for each in place.find()}
    table, unread = _runs_of(where, place, start, files, cache=cache)
    return _with_audits(table, place, files, start, unread), unread


def _runs_of(
    where: str, place: Place, start: str, files: Mapping[str, Stamped], *, cache: bool
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Runs, and what protocols add to them."""
    import pandas as pd

    runs = {each.folder: each for each in files.values() if each.name == RUN}
    unread = {
        _joined(start, each.folder): "not finished"
        for each in files.values()
        if each.name == SETTINGS and each.folder not in runs
    }
    before = _kept(where) if cache else None
    stamps = {folder: _stamp_of(folder, files) for folder in runs}
    names = {_joined(start, folder): folder for folder in runs}
    known: dict[str, Row] = {}
    if before is not None:
        now = before["run"].map(lambda run: stamps.get(names.get(run, "?")))
        same = before[now == before[STAMP]]
        if len(same) == len(before) == len(runs) and not _protocols(files):
            return _typed(before), unread
        known = {names[row["run"]]: row for row in same.to_dict("records")}
    fresh = [folder for folder in runs if folder not in known]
    for folder in progress(fresh, len(fresh), "reading results", "runs"):
        try:
            row = row_of_run(place.read(runs[folder].path), _settings(place, folder, files))
        except (OSError, UnreadError) as error:
            unread[_joined(start, folder)] = str(error)
            continue
        known[folder] = {"run": _joined(start, folder), STAMP: stamps[folder], **row}
    plain = _typed(pd.DataFrame.from_records([known[folder] for folder in runs if folder in known]))
    if plain.empty:
        plain = pd.DataFrame(columns=["run", "kind", "method", STAMP])
    if cache and (fresh or before is None or len(before) != len(plain)):
        _keep(where, plain)
    return _with_protocols(plain, place, files, start, names, unread), unread


def _joined(start: str, folder: str) -> str:
    return f"{start}/{folder}" if folder else start


def _stamp_of(folder: str, files: Mapping[str, Stamped]) -> str:
    names = [f"{folder}/{name}" if folder else name for name in (RUN, SETTINGS)]
    return f"{VERSION}: " + ", ".join(files[name].stamp for name in names if name in files)


def _settings(place: Place, folder: str, files: Mapping[str, Stamped]) -> bytes | None:
    path = f"{folder}/{SETTINGS}" if folder else SETTINGS
    return place.read(path) if path in files else None


def _protocols(files: Mapping[str, Stamped]) -> list[Stamped]:
    return [each for each in files.values() if each.name == PROTOCOL]


def _with_protocols(
    table: pd.DataFrame,
    place: Place,
    files: Mapping[str, Stamped],
    start: str,
    names: Mapping[str, str],
    unread: dict[str, str],
) -> pd.DataFrame:
    """The table with the names of protocols and the rows of their evaluations.

    Args:
        names: folders of runs within the place, by what ``run`` says of them.
    """
    import pandas as pd

    protocols = _protocols(files)
    if not protocols or table.empty:
        return table
    rows = table.to_dict("records")
    by_folder = {names[row["run"]]: row for row in rows}
    full = {folder: name for name, folder in names.items()}
    for each in protocols:
        above = f"{each.folder}/" if each.folder else ""
        inside = {
            folder.removeprefix(above): row
            for folder, row in by_folder.items()
            if folder.startswith(above) and "/" not in folder.removeprefix(above)
        }
        try:
            more = rows_of_protocol(place.read(each.path), inside)
        except (OSError, UnreadError) as error:
            unread[_joined(start, each.path)] = str(error)
            continue
        rows += [{"run": full[above + name], **row} for name, row in more]
    return _typed(pd.DataFrame.from_records(rows))


def _with_audits(
    table: pd.DataFrame, place: Place, files: Mapping[str, Stamped], start: str, unread: dict[str, str]
) -> pd.DataFrame:
    """The table with the rows of background audits, whatever their files are called."""
    import pandas as pd

    runs: dict[str, Row] = {}
    found: list[Row] = []
    for each in files.values():
        if each.name in NAMES:
            continue
        try:
            if each.name != AUDIT and not is_audit(place.head(each.path, HEAD)):
                continue
            if not runs:
                runs = {_absolute(str(row["run"])): row for row in table.to_dict("records")}
            found += rows_of_audit(place.read(each.path), _joined(start, each.path), runs)
        except (OSError, UnreadError) as error:
            unread[_joined(start, each.path)] = str(error)
    if not found:
        return table
    return _typed(pd.DataFrame.from_records([*table.to_dict("records"), *found]))


def _absolute(folder: str) -> str:
    return folder if "://" in folder else str(Path(folder).absolute())


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Columns of one kind each: numbers, truth values, or texts where they are mixed."""
    import pandas as pd

    for name in table.columns:
        column = table[name]
        if column.dtype != object:
            continue
        there = column.dropna()
        kinds = set(map(type, there))
        if kinds and kinds <= {int, float}:
            table[name] = pd.to_numeric(column)
        elif kinds - {str} and kinds != {bool}:
            table[name] = column.where(column.isna(), there.map(str))
    return table


def _folder() -> Path:
    return user_cache() / "results"


def _file_of(where: str) -> Path:
    place = where if "://" in where else str(Path(where).absolute())
    return _folder() / f"{hashlib.sha256(place.encode('utf-8', 'surrogateescape')).hexdigest()[:24]}.parquet"


def _kept(where: str) -> pd.DataFrame | None:
    """The table as it was kept; None where there is none, or it cannot be used."""
    import pandas as pd

    file = _file_of(where)
    if not file.is_file():
        return None
    try:
        found = pd.read_parquet(file)
    except Exception as error:  # damaged, or of another version of Parquet: it is only a copy
        warn(f"The kept table {file} cannot be read, and is made again: {type(error).__name__}.")
        return None
    return found if {"run", STAMP} <= set(found.columns) else None


def _keep(where: str, table: pd.DataFrame) -> None:
    """Keep a table; that it cannot be kept costs time only, and is said."""
    try:
        with whole_file(_file_of(where)) as temporary:
            table.to_parquet(temporary, index=False)
    except (DaptError, OSError, ImportError) as error:
        warn(f"The table of runs could not be kept: {error}.")
