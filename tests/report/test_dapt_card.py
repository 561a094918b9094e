"""DAPT's settings for people. That docs/dapt.md shows them all is held in test_method_card.py."""

from __future__ import annotations

from dapt.dapt_options import DaptOptions
from dapt.report.dapt_card import dapt_card, dapt_table


def test_every_setting_is_told_with_its_default_and_meaning(dapt) -> None:
    lines = dapt_card().splitlines()
    for key, field in DaptOptions.model_fields.items():
        assert field.description, key
        assert any(line.startswith(f"  {key} = ") for line in lines), key
    code, out, _ = dapt("methods", "info", "dapt")
    assert code == 0
    assert out.rstrip() == dapt_card().rstrip()


def test_defaults_are_those_of_the_default_variant_and_others_are_told() -> None:
    rows = {line.split(" | ")[0].strip("| `"): line.split(" | ")[1:3] for line in dapt_table().splitlines()[2:]}
    assert rows["fill"] == ["exchange", "mean: phased, joint, ramp, symmetric, released"]
    assert rows["visual_scale"] == ["logit", "raw: released"]
    assert rows["margin"] == ["1.5", ""]
    assert rows["variant"] == ["swap", ""]
    assert rows["words"][0] == "[ground, land, ... 32 in all]"


def test_the_help_of_dapt_names_variants_and_the_page(dapt) -> None:
    said = " ".join(dapt("train", "--help")[1].split())
    for part in ("as its variant swap", "dapt methods info dapt", "docs/dapt.md"):
        assert part in said
