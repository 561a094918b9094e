"""Of which data sets tables are, and their averages."""

from __future__ import annotations

import json
from pathlib import Path

from dapt.report.tables.data_sets import parts, told_apart
from dapt.report.tables.grid import AVERAGE, Seen


def seen(row: str, column: str, *datas: str) -> list[Seen]:
    return [Seen(row, column, data, 1, 50.0) for data in datas]


def run(place: str, classes: str = "ab", count: int = 10, **more: object) -> dict[str, object]:
    found = {"kind": "run", "data": "photos", "subset": "all", "set/data": place, "counts/test": count}
    return {**found, "per_class": json.dumps(dict.fromkeys(classes, 1.0)), **more}


def test_one_data_set_has_no_average() -> None:
    assert [name for name, _, _ in parts(seen("a", "x", "one"))] == ["one"]


def test_every_figure_of_an_average_is_over_the_same_data() -> None:
    figures = seen("coop", "1", "easy", "hard") + seen("coop", "16", "easy") + seen("maple", "16", "easy", "hard")
    (name, kept, said), *each = parts(figures)
    assert name == AVERAGE
    assert {(one.row, one.column) for one in kept} == {("coop", "1"), ("maple", "16")}
    assert said == ["Without all 2 data sets, so not in the average: coop (16)."]
    assert [name for name, _, _ in each] == ["easy", "hard"]


def test_where_no_row_has_all_the_average_is_of_those_that_all_have() -> None:
    (_, kept, said), *_ = parts(seen("coop", "x", "easy", "mid") + seen("maple", "x", "mid", "hard"))
    assert {(one.row, one.data) for one in kept} == {("coop", "mid"), ("maple", "mid")}
    assert said == ["No row has all 3 data sets; the average is of mid."]
    found = parts(seen("coop", "x", "easy") + seen("maple", "x", "hard"))
    assert [name for name, _, _ in found] == ["easy", "hard"]
    assert "There is no average" in found[0][2][0]


def test_data_of_one_name_are_told_apart_by_what_is_in_them(tmp_path: Path) -> None:
    one, two = str(tmp_path / "one" / "photos"), str(tmp_path / "two" / "photos")
    rows, said = told_apart([run(one), run(two, classes="cd"), run(one, data="other")])
    assert [row["data"] for row in rows] == [f"photos ({one})", f"photos ({two})", "other"]
    assert said == ["'photos' names data of other classes or images; they are told apart."]
    rows, _ = told_apart([run(one, count=10), run(one, count=12)])
    assert [row["data"] for row in rows] == ["photos (10 test images)", "photos (12 test images)"]
    rows, said = told_apart([run(one, subset="base", classes="a"), run(one, subset="all")])
    assert ([row["data"] for row in rows], said) == (["photos", "photos"], [])


def test_copies_of_data_count_as_one_and_are_told(tmp_path: Path) -> None:
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    rows, said = told_apart([run(one), run(two), run(str(tmp_path / "x" / ".." / "one"))])
    assert {row["data"] for row in rows} == {"photos"}
    assert said == [f"'photos' lies in {one}, {two}: taken for the same data."]
    assert told_apart([run("photos"), run(one)])[1] == [], "a store keeps names of folders only"


def target(place: str, **more: object) -> dict[str, object]:
    found = {"kind": "evaluation", "data": "birds", "point": "photos", "point/place": place, "point/images": 9}
    return {**found, "point/classes": 3, **more}


def test_targets_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    one, two = str(tmp_path / "one" / "photos"), str(tmp_path / "two" / "photos")
    rows, said = told_apart([target(one), target(two, **{"point/images": 7}), {**target(one), "point": "other"}])
    assert [row["point"] for row in rows] == [f"photos ({one})", f"photos ({two})", "other"]
    assert [row["data"] for row in rows] == ["birds"] * 3
    assert said == ["'photos' names data of other classes or images; they are told apart."]
    rows, said = told_apart([target(one), target(two)])
    assert [row["point"] for row in rows] == ["photos", "photos"]
    assert said == [f"'photos' lies in {one}, {two}: taken for the same data."]
    rows, said = told_apart([target(one), target(one, **{"point/images": 7})])
    assert ([row["point"] for row in rows], said) == (["photos", "photos"], [])
    older = {key: value for key, value in target(one).items() if "/" not in key}
    assert told_apart([older, target(two)])[0][0]["point"] == "photos", "it does not say where it was"


def test_audited_data_and_lenders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    one, two = str(tmp_path / "one" / "photos"), str(tmp_path / "two" / "photos")
    asked = {"kind": "audit", "data": "photos", "audit/images": 9, "audit/classes": 3}
    rows, _ = told_apart([{**asked, "audit/place": one}, {**asked, "audit/place": two, "audit/classes": 4}])
    assert [row["data"] for row in rows] == [f"photos ({one})", f"photos ({two})"]
    lent = {**asked, "audit/place": one, "audit/backgrounds": "photos"}
    rows, _ = told_apart(
        [{**lent, "audit/backgrounds_place": place, "audit/backgrounds_of": of} for place, of in ((one, 5), (two, 6))]
    )
    assert [row["audit/backgrounds"] for row in rows] == [f"photos ({one})", f"photos ({two})"]
    assert {row["data"] for row in rows} == {"photos"}


def test_audits_of_data_that_runs_tell_apart_are_called_by_the_folder_that_was_asked_about(tmp_path: Path) -> None:
    one, two = str(tmp_path / "one" / "photos"), str(tmp_path / "two" / "photos")
    asked = {"kind": "audit", "data": "photos", "set/data": one, "audit/place": two}
    rows, _ = told_apart([run(one), run(two, classes="cd"), asked, {**asked, "audit/place": None}])
    assert [row["data"] for row in rows] == [f"photos ({place})" for place in (one, two, two, one)]
