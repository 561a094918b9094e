"""Paths in a table that is given away."""

from __future__ import annotations

import pandas as pd

from dapt.results.portable import portable


def test_no_absolute_path_is_left_and_different_ones_stay_different() -> None:
    table = pd.DataFrame(
        {
            "run": ["/home/me/runs/a/seed1", "/home/me/runs/b", "/home/me/runs/a/seed2"],
            "set/model": ["local-dir:/models/small", "local-dir:/old/small", "hf-hub:org/name"],
            "set/plugins": ['["/home/me/mine.py", "beside.py"]', "[]", None],
            "set/data": ["/data/x/../flowers", "C:\\photos\\flowers", "flowers"],
            "set/masks": ["s3://bucket/masks", "/m", None],
            "test/accuracy": [1.0, 2.0, 3.0],
        }
    )
    found = portable(table)
    assert list(found["run"]) == ["a/seed1", "b", "a/seed2"]
    assert list(found["set/model"]) == ["local-dir:models/small", "local-dir:old/small", "hf-hub:org/name"]
    assert list(found["set/plugins"][:2]) == ['["mine.py", "beside.py"]', "[]"]
    assert list(found["set/data"]) == ["data/flowers", "photos/flowers", "flowers"]
    assert list(found["set/masks"][:2]) == ["s3://bucket/masks", "m"]
    assert list(found["test/accuracy"]) == [1.0, 2.0, 3.0]
    assert table["run"][0] == "/home/me/runs/a/seed1", "the table that is given stays"


def test_one_run_keeps_its_own_name_and_the_same_path_its_own_too() -> None:
    table = pd.DataFrame({"run": ["/r/only", "/r/only"], "set/data": ["/d/a", "/d/./a"]})
    found = portable(table)
    assert list(found["run"]) == ["only", "only"]
    assert list(found["set/data"]) == ["a", "a"]


def test_texts_that_are_no_paths_stay() -> None:
    words = ["[not json", "a photo of a {}.", "w/h", "https://x/y", '{"a": "/b"}']
    found = portable(pd.DataFrame({"set/words": words}))
    assert list(found["set/words"]) == words
