"""From a file to a `Table`: text of any usual kind, JSON, or refused by its name."""

from __future__ import annotations

from pathlib import Path

from dapt.data.read.decoding import decode
from dapt.data.read.table import Table
from dapt.data.read.table_json import parse_json
from dapt.data.read.table_text import parse_text
from dapt.errors import DataError
from dapt.limits import CSV_BYTES
from dapt.regular import read_bytes, reason

TEXT_TYPES = (".csv", ".tsv", ".tab", ".psv", ".txt", ".lst", ".list")
JSON_TYPES = (".jsonl", ".ndjson", ".json")
TABLE_TYPES = (*TEXT_TYPES, *JSON_TYPES)

AS_CSV = "Save it as a CSV there (in Excel: 'CSV UTF-8'), and give that."
OTHER_TYPES = {
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".xlsb"), ("an Excel workbook", AS_CSV)),
    **dict.fromkeys((".ods", ".numbers"), ("a spreadsheet", AS_CSV)),
    **dict.fromkeys(
        (".parquet", ".feather", ".arrow"),
        ("a columnar file", "Write it as a CSV, for example with pandas: read it, then .to_csv('index.csv')."),
    ),
    **dict.fromkeys(
        (".db", ".sqlite", ".sqlite3", ".mdb"), ("a database", "Export the table of images and classes as a CSV.")
    ),
    **dict.fromkeys((".pkl", ".pickle"), ("a pickle, which may run code", "Write the table as a CSV.")),
    **dict.fromkeys((".mat", ".npz", ".npy", ".h5", ".hdf5"), ("a file of arrays", "Write the table as a CSV.")),
    **dict.fromkeys(
        (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz"), ("an archive", "Unpack it, and give the folder.")
    ),
}
STARTS = (  # what files of other kinds begin with, whatever they are called
    (b"PK\x03\x04", "a zip archive or an Excel workbook", AS_CSV),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old kind", AS_CSV),
    (b"PAR1", "a Parquet file", OTHER_TYPES[".parquet"][1]),
    (b"SQLite format 3", "a database", OTHER_TYPES[".db"][1]),
    (b"\x1f\x8b", "a gzip archive", "Unpack it, and give what is in it."),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "Get the file with 'git lfs pull'."),
    (b"<!doctype html", "a web page, not the table", "Download the table itself."),
    (b"<html", "a web page, not the table", "Download the table itself."),
)


def read_table(path: Path) -> Table:
    """Read a table, whatever its encoding, delimiter or kind; what had to be found out stands in `Table.guessed`.

    Raises:
        DataError: it cannot be read, or is a file of another kind, which is named.
    """
    kind = path.suffix.lower()
    if kind in OTHER_TYPES:
        what, todo = OTHER_TYPES[kind]
        raise DataError(f"{path} is {what}, which is not read.", todo=todo)
    try:
        content = read_bytes(path, CSV_BYTES)
        start = content[:64].lstrip().lower()
        for mark, what, todo in STARTS:
            if start.startswith(mark.lower()):
                raise DataError(f"{path} is {what}.", todo=todo)
        text, encoding = decode(content)
    except OSError as error:
        raise DataError(f"The index {path} cannot be read: {reason(error)}.") from error
    except ValueError as error:
        raise DataError(f"The index {path} cannot be read: {error}.", todo="Save it as UTF-8.") from error
    del content
    table = parse_json(text, path, lines=kind != ".json") if kind in JSON_TYPES else parse_text(text, path)
    if encoding:
        table.guessed.insert(0, f"its encoding is {encoding}")
    return table
