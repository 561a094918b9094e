"""Findings about single pictures."""

from __future__ import annotations

from checked_data import good_look

from dapt.data.check.pictures import picture_findings, size_summary


def kinds(**looks: dict[str, object]) -> dict[str, tuple[str, tuple[str, ...]]]:
    made = {name: good_look(**changes) for name, changes in looks.items()}
    return {one.kind: (one.severity, one.names) for one in picture_findings(list(made), list(made.values()))}


def test_ordinary_pictures_are_no_finding() -> None:
    assert kinds(a={}, b={"width": 64, "height": 64}, c={"width": 1000, "height": 300}) == {}


def test_each_kind() -> None:
    found = kinds(
        ok={},
        tiny={"width": 20, "height": 300},
        long={"width": 1000, "height": 100},
        turned={"turned": True},
        grey={"grey": True},
        flat={"flat": True, "grey": True},
        broken={"problem": "x is damaged."},
        paper={"problem": "x is a PDF.", "refused": True},
    )
    assert found == {
        "unreadable": ("error", ("broken",)),
        "refused": ("error", ("paper",)),
        "flat": ("warning", ("flat",)),
        "tiny": ("warning", ("tiny",)),
        "long": ("warning", ("tiny", "long")),
        "turned": ("note", ("turned",)),
        "grey": ("note", ("grey",)),
    }


def test_all_grey_is_how_the_data_is() -> None:
    assert kinds(a={"grey": True}, b={"grey": True}) == {}


def test_sizes() -> None:
    looks = [good_look(), good_look(width=10, height=10, kind="PNG"), good_look(problem="x")]
    found = size_summary(looks)
    assert found["smallest"] == [10, 10]
    assert found["largest"] == [640, 480]
    assert found["kinds"] == {"JPEG": 1, "PNG": 1}
    assert size_summary([good_look(problem="x")]) == {}
