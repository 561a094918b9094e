"""`dapt data info`: one data set, and names that there are not."""

from __future__ import annotations

import re
from pathlib import Path


def test_a_card_of_the_data_set_that_was_named(dapt, tmp_path: Path) -> None:
    code, out, err = dapt("data", "info", "oxford_pets", "--root", tmp_path)
    assert (code, err) == (0, "")
    assert "oxford_pets" in out
    assert re.search(r"\b37\b", out.replace(str(tmp_path), "")), "classes"
    assert "Parkhi" in out


def test_mistakes(dapt) -> None:
    code, out, err = dapt("data", "info", "oxford_pet")
    assert (code, out) == (2, "")
    assert "Did you mean 'oxford_pets'" in err
    assert dapt("data", "info")[0] == 2
