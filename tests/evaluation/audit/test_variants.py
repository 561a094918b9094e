"""The variants of an image: names that stay, as files and tables use them."""

from __future__ import annotations

from dapt.evaluation.audit.variants import MIXED, NAMES, PLACE, VARIANTS


def test_names() -> None:
    assert set(NAMES) == {
        *("original", "only_fg", "no_fg", "only_bg_b", "only_bg_t", "only_bg_i"),
        *("mixed_same", "mixed_rand", "mixed_next"),
    }
    assert len(NAMES) == len(set(NAMES))
    assert NAMES[0] == "original"
    assert [NAMES[PLACE[name]] for name in MIXED] == list(MIXED)


def test_what_each_shows() -> None:
    shows = {each.name: (each.object, each.background) for each in VARIANTS}
    assert [name for name, (thing, _) in shows.items() if not thing] == ["only_bg_b", "only_bg_t", "only_bg_i", "no_fg"]
    assert [name for name, (_, background) in shows.items() if not background] == ["only_fg"]
