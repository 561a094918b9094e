"""How charts look."""

from __future__ import annotations

from dapt.report.chart_style import COLOURS, LONGEST, shortened, svg_of, written


def test_names_keep_their_end_where_the_middle_goes() -> None:
    name = "a very long name of a method that ends (joint)"
    assert len(shortened(name)) == LONGEST
    assert shortened(name).endswith("s (joint)")
    assert shortened(name, letters=60) == name
    assert len(shortened(name, letters=20)) == 20
    assert len(shortened(name, inches=2)) == 16


def test_dollars_and_control_characters_are_shown() -> None:
    assert written("$a$") == r"\$a\$"
    assert "\x1b" not in written("a\x1b[31m")


def test_colours_differ() -> None:
    assert len(set(COLOURS)) == len(COLOURS)


def test_ink_is_that_of_the_page() -> None:
    from dapt.report.chart_style import INK, axes_of

    figure, axes = axes_of((2, 2))
    axes.plot([0, 1], [0, 1], color=INK)
    svg = svg_of(figure)
    assert "currentColor" in svg
    assert INK not in svg
