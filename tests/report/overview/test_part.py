"""What a part of the page holds."""

from __future__ import annotations

from dapt.report.overview.part import Part, PlainTable, cut, slug


def test_a_part_is_shown_where_it_has_anything() -> None:
    assert not Part("a", "A", notes=["one"]).shown
    assert Part("a", "A", tables=[PlainTable("t", ("a",), [("b",)])]).shown
    assert Part("a", "A", code=["dapt"]).shown


def test_what_is_cut_is_said() -> None:
    assert cut(3, 4, "rows") == ["3 of 4 rows are shown."]
    assert cut(4, 4, "rows") == []


def test_names_of_files() -> None:
    assert slug("MaPLe + DAPT (joint)") == "maple-dapt-joint"
    assert slug("日本") == "x"
    assert len(slug("a" * 200)) == 60
