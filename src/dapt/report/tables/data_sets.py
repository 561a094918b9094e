"""Which data sets a table is of: those of one name told apart, and of which ones there is an average."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dapt.report.tables.grid import AVERAGE, Seen
from dapt.report.tables.labels import there
from dapt.wording import some

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Named:
    """A column with names of data that rows name beside those of their run.

    Attributes:
        column: the name. place: the column of its folder. content: columns of what is in it. kind: of the rows that
            have it; empty: of any.
    """

    column: str
    place: str
    content: tuple[str, ...]
    kind: str = ""

    def of(self, row: Row) -> bool:
        """Whether a row has such a name, and says where that data is."""
        return there(row.get(self.column)) and there(row.get(self.place)) and self.kind in ("", row.get("kind"))


NAMED = (
    Named("point", "point/place", ("point/classes", "point/images"), "evaluation"),  # what a run was tested on
    Named("data", "audit/place", ("audit/classes", "audit/images"), "audit"),  # what an audit asked about
    Named("audit/backgrounds", "audit/backgrounds_place", ("audit/backgrounds_of",)),  # what lent it backgrounds
)


def told_apart(rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """The rows, those of other data under the same name with another name for it, and what is to be said of names.

    Data are other ones where the classes or the number of test images of the same subset differ. Folders that differ in
    their place only may be copies of one, as on two machines: they count as one, which is said. Data that runs were
    tested on, that audits asked about and that lent backgrounds to these are told apart where both place and content
    differ.
    """
    found, said = _by_run(rows)
    for each in NAMED:
        found, more = _by_place(found, each)
        said += [sentence for sentence in more if sentence not in said]
    return found, said


def _by_place(rows: Sequence[Row], named: Named) -> tuple[list[Row], list[str]]:
    """The rows with one column of names told apart, see `told_apart`."""
    seen: dict[str, dict[str, set[str]]] = {}  # by name and place what is there
    for row in filter(named.of, rows):
        content = json.dumps([row.get(column) for column in named.content], default=str)
        seen.setdefault(str(row[named.column]), {}).setdefault(str(row[named.place]), set()).add(content)
    several = {name: places for name, places in seen.items() if len(places) > 1}
    other = {name for name, places in several.items() if len(set.union(*places.values())) > 1}
    said = [_apart(name) for name in sorted(other)]
    said += [_copies(name, places) for name, places in sorted(several.items()) if name not in other]
    return [
        {**row, named.column: f"{row[named.column]} ({row[named.place]})"}
        if named.of(row) and row[named.column] in other
        else row
        for row in rows
    ], said


def _apart(name: str) -> str:
    return f"'{name}' names data of other classes or images; they are told apart."


def _copies(name: str, places: Iterable[str]) -> str:
    return f"'{name}' lies in {some(sorted(places))}: taken for the same data."


def _by_run(rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """The rows with the data of runs told apart, see `told_apart`."""
    contents: dict[tuple[str, str], set[str]] = {}
    places: dict[str, set[str]] = {}
    for row in rows:
        if row.get("kind") == "run":
            name = str(row.get("data"))
            contents.setdefault((name, str(row.get("subset"))), set()).add(_content(row))
            places.setdefault(name, set()).add(_place(row))
    several = {name for (name, _), found in contents.items() if len(found) > 1}
    said = [_apart(name) for name in sorted(several)]
    for name, found in sorted(places.items()):
        if name not in several and len(found) > 1 and all(os.sep in place for place in found):
            said.append(_copies(name, found))
    return [{**row, "data": _name(row, places)} if row.get("data") in several else row for row in rows], said


def _name(row: Row, places: Mapping[str, set[str]]) -> str:
    """The name of data with its folder, where folders tell data apart, else with the number of its test images."""
    name = str(row["data"])
    if row.get("kind") == "audit" and there(row.get("audit/place")):
        return f"{name} ({row['audit/place']})"
    if len(places[name]) > 1:
        return f"{name} ({_place(row)})"
    count = row.get("counts/test")
    return f"{name} ({int(count)} test images)" if there(count) and count is not None else name


def _content(row: Row) -> str:
    """What tells data of one name apart: the classes, and how many test images there are."""
    try:
        classes = sorted(json.loads(str(row.get("per_class") or "{}")))
    except (ValueError, TypeError, RecursionError):
        classes = []
    return json.dumps([classes, row.get("counts/test")], default=str)


def _place(row: Row) -> str:
    value = str(row.get("set/data"))
    return os.path.realpath(value) if os.sep in value else value


def parts(seen: Sequence[Seen]) -> list[tuple[str, list[Seen], list[str]]]:
    """What there is a table of: the average where there are several data sets, then each.

    Every figure of an average is over the same data sets: all, or those that all figures have where none has all.

    Returns:
        the name of the data or `AVERAGE`, its figures, and what is to be said of them.
    """
    datas = list(dict.fromkeys(each.data for each in seen))
    each = [(data, [one for one in seen if one.data == data], list[str]()) for data in datas]
    if len(datas) < 2:
        return each
    found: dict[tuple[str, str], set[str]] = {}
    for one in seen:
        found.setdefault((one.row, one.column), set()).add(one.data)
    wanted, said = set(datas), list[str]()
    if not any(those == wanted for those in found.values()):
        wanted = set.intersection(*found.values())
        if not wanted:
            each[0][2].append("There is no average: no data set has been run with all rows and columns.")
            return each
        said.append(f"No row has all {len(datas)} data sets; the average is of {some(sorted(wanted), 5)}.")
    kept = [one for one in seen if one.data in wanted and found[one.row, one.column] >= wanted]
    rows = {one.row for one in kept}
    left = [row for row in dict.fromkeys(row for row, _ in found) if row not in rows]
    cells = [f"{row} ({column})" for (row, column), those in found.items() if row in rows and not those >= wanted]
    if left or cells:
        said.append(f"Without all {len(wanted)} data sets, so not in the average: {some([*left, *cells], 5)}.")
    return [(AVERAGE, kept, said), *each]
