"""What there is by name: sorted, by shell-style patterns, with what plugins bring."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import dapt
from dapt.api.names import list_cues, list_data, list_methods, list_selectors


@pytest.mark.parametrize(
    ("names", "some"),
    [
        (list_methods, {"maple", "coop.csc", "zero_shot", "promptsrc.few_shot"}),
        (list_cues, {"dataset", "gradcam", "masks", "none", "random"}),
        (list_selectors, {"herding", "uniform", "forgetting"}),
        (list_data, {"imagenet", "oxford_pets", "voc2012"}),
    ],
)
def test_all_names_are_sorted(names: Callable[..., list[str]], some: set[str]) -> None:
    found = names()
    assert some <= set(found)
    assert found == sorted(set(found))
    assert names("*") == found
    assert names("no such*") == []


def test_patterns_are_those_of_the_shell() -> None:
    assert list_data("imagenet_?") == ["imagenet_a", "imagenet_r"]
    assert list_cues("[nr]*") == ["none", "random"]
    assert list_methods("coop") == ["coop"], "without a star a pattern is the whole name"
    assert list_methods("MAPLE*") == []


def test_dapt_offers_them() -> None:
    assert (dapt.list_methods, dapt.list_cues) == (list_methods, list_cues)
    assert (dapt.list_selectors, dapt.list_data) == (list_selectors, list_data)
