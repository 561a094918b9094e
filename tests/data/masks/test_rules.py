"""How mask files are found and read, from the configuration."""

from __future__ import annotations

import pytest

from dapt.config import make_config
from dapt.data.masks.rules import MaskRules, rules_of
from dapt.errors import ConfigError

BASE = {"data": "-", "method": "zero_shot"}


def test_rules_of_a_configuration() -> None:
    assert rules_of(make_config(BASE)) == MaskRules("binary", None, "black")
    given = {"mask_format": "colours", "mask_name": "{stem}_seg.png", "mask_background": "#ffffff"}
    rules = rules_of(make_config({**BASE, **given}))
    assert rules == MaskRules("colours", "{stem}_seg.png", "#ffffff")
    assert rules.read_as("labels") == MaskRules("labels", "{stem}_seg.png", "#ffffff")
    assert rules.read_as(None) is rules


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"mask_name": "mask.png"}, "the same for every image"),
        ({"mask_background": "red"}, "is no colour"),
        ({"matte": "red"}, "is no colour"),
        ({"bits": 7}, "bits"),
    ],
)
def test_mistakes_are_refused_at_once(given: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make_config({**BASE, **given})
