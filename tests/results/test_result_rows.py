"""From files of runs to rows of a table."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dapt.results.result_rows import UnreadError, flat, row_of_run, rows_of_protocol


def results(**changes: Any) -> bytes:
    tree = {
        "schema": 2,
        "method": "maple",
        "dapt": True,
        "backbone": "demo",
        "data": "photos",
        "shots": 4,
        "seed": 1,
        "cue": "border",
        "metrics": {"test/accuracy": 71.5, "test/harmonic_mean": None},
        "per_class": {"ant": 50.0},
        "counts": {"train": 16},
        "timing": {"training_seconds": 3.5},
        "environment": {"torch": "2"},
        "flags": ["leaks"],
    }
    return json.dumps({**tree, **changes}).encode()


SETTINGS = b"method: maple\nlr: 0.002\ndapt: {enabled: true, margin: 1.5, words: [sky, sea]}\n"


def test_every_setting_and_figure() -> None:
    row = row_of_run(results(), SETTINGS)
    assert row["kind"] == "run"
    assert (row["method"], row["dapt"], row["seed"], row["cue"]) == ("maple", True, 1, "border")
    assert (row["set/lr"], row["set/dapt.margin"], row["set/dapt.words"]) == (0.002, 1.5, '["sky", "sea"]')
    assert (row["test/accuracy"], row["test/harmonic_mean"]) == (71.5, None)
    assert (row["counts/train"], row["timing/training_seconds"], row["environment/torch"]) == (16, 3.5, "2")
    assert row["flags"] == "leaks"
    assert json.loads(row["per_class"]) == {"ant": 50.0}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "damaged"),
        (b"{", "damaged"),
        (b"[1]", "damaged"),
        (results(schema=99), "newer version"),
        (results(schema="x"), "dapt did not write it"),
        (results(metrics=3), "damaged"),
        (b"\xff\xfe", "damaged"),
    ],
)
def test_what_is_no_result(content: bytes, said: str) -> None:
    with pytest.raises(UnreadError, match=said):
        row_of_run(content, SETTINGS)


def test_damaged_settings() -> None:
    with pytest.raises(UnreadError, match=r"run\.yaml is damaged"):
        row_of_run(results(), b"a: [")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"metrics": {"test/accuracy": float("inf")}}, "test/accuracy is inf"),
        ({"metrics": {"test/accuracy": float("nan")}}, "test/accuracy is nan"),
        ({"metrics": {"test/accuracy": 1.7e308}}, r"test/accuracy is 1.7e\+308"),
        ({"timing": {"training_seconds": float("nan")}}, "training_seconds is nan"),
        ({"seed": 10**30}, "seed is"),
        ({"shots": -4}, "shots is -4"),
        ({"data": "\ud800"}, "is no text"),
    ],
)
def test_figures_that_no_run_has(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UnreadError, match=f"it is damaged: .*{said}"):
        row_of_run(results(**changes), SETTINGS)


def test_settings_that_no_run_has() -> None:
    with pytest.raises(UnreadError, match="refers to parts of itself"):
        row_of_run(results(), b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n")
    with pytest.raises(UnreadError, match="more than 19 digits"):
        row_of_run(results(), b"seed: 1000000000000000000000000\n")
    assert row_of_run(results(), b"names: '* black & white'\n")["set/names"] == "* black & white"


def test_older_schema_is_read() -> None:
    assert row_of_run(results(schema=1), None)["test/accuracy"] == 71.5


def test_a_protocol_names_its_runs_and_adds_its_evaluations() -> None:
    runs = {"source": row_of_run(results(), SETTINGS)}
    content = {
        "schema": 2,
        "protocol": "cross_dataset",
        "source": "somewhere",
        "method": "maple",
        "dapt": True,
        "backbone": "demo",
        "data": "photos",
        "seed": 1,
        "rows": [
            {"point": "photos", "run": "source", "metrics": {"test/accuracy": 71.5}},
            {"point": "flowers", "run": "source", "metrics": {"test/accuracy": 20.0}},
            {"point": "gone", "run": "removed", "metrics": {}},
        ],
    }
    more = rows_of_protocol(json.dumps(content).encode(), runs)
    assert (runs["source"]["protocol"], runs["source"]["point"]) == ("cross_dataset", "photos")
    ((folder, row),) = more
    assert folder == "source"
    assert (row["kind"], row["point"], row["test/accuracy"], row["set/lr"]) == ("evaluation", "flowers", 20.0, 0.002)
    assert "timing/training_seconds" not in row


def test_a_target_says_where_it_is_and_what_is_in_it() -> None:
    tree = {"schema": 2, "method": "maple", "dapt": True, "backbone": "demo", "data": "birds", "seed": 1}
    asked = {"place": "/a/photos", "images": 9, "classes": 3}
    points = [
        {"point": "birds", "run": "source", "metrics": {}},
        {"point": "photos", "run": "source", "metrics": {"test/accuracy": 20.0}, "asked": asked},
    ]
    content = json.dumps({**tree, "protocol": "cross_dataset", "source": "s", "rows": points}).encode()
    ((_, row),) = rows_of_protocol(content, {"source": row_of_run(results(), None)})
    assert {key: value for key, value in row.items() if key.startswith(("point/", "audit/"))} == {
        **{"point/place": "/a/photos", "point/images": 9, "point/classes": 3},
    }


def test_flat() -> None:
    assert flat({"a": {"b": {"c": 1}}, "d": []}) == {"a.b.c": 1, "d": "[]"}


def test_what_an_audit_of_a_protocol_asked() -> None:
    def rows(asked: Any) -> list[tuple[str, dict[str, Any]]]:
        tree = {"schema": 2, "method": "maple", "dapt": True, "backbone": "demo", "data": "photos", "seed": 1}
        points = [
            {"point": "all", "run": "all", "metrics": {}},
            {"point": "audit", "run": "all", "metrics": {"audit/original": 50.0}, "asked": asked},
        ]
        content = json.dumps({**tree, "protocol": "background_audit", "source": "s", "rows": points}).encode()
        return rows_of_protocol(content, {"all": row_of_run(results(), None)})

    masks = {"source": "masks", "guessed": True, "words": "of the cue border"}
    asked = {"split": "test", "seed": 3, "masks": masks, "backgrounds": {"data": "lands"}}
    ((_, row),) = rows(asked)
    assert (row["audit/split"], row["audit/seed"], row["audit/masks"]) == ("test", 3, "masks")
    assert (row["audit/guesses"], row["audit/backgrounds"]) == ("of the cue border", "lands")
    ((_, row),) = rows({**asked, "masks": {"source": "masks", "guessed": False}, "backgrounds": None})
    assert not {"audit/guesses", "audit/backgrounds"} & set(row)
    ((_, row),) = rows({})
    assert row["audit/original"] == 50.0
    with pytest.raises(UnreadError, match="damaged"):
        rows({"masks": 3})
