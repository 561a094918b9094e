"""The variants of an image: names that stay, as files and tables use them."""

from __future__ import annotations

from dapt.evaluation.audit.variants import LENT, MIXED, NAMES, VARIANTS
from helpers import REPOSITORY


def test_names() -> None:
    assert set(NAMES) == {
        *("original", "only_fg", "no_fg", "only_bg_b", "only_bg_t", "only_bg_i"),
        *("mixed_same", "mixed_rand", "mixed_next", "mixed_other"),
    }
    assert len(NAMES) == len(set(NAMES))
    assert NAMES[0] == "original"
    assert set(MIXED) < set(LENT) < set(NAMES)


def test_all_are_explained() -> None:
    assert len({each.title for each in VARIANTS}) == len({each.what for each in VARIANTS}) == len(NAMES)
    page = (REPOSITORY / "docs" / "audit.md").read_text("utf-8")
    for name in NAMES:
        assert f"| `{name}` | " in page
