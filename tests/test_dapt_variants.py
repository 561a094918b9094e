"""The variants of DAPT by name."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest
from pydantic import ValidationError

from dapt.config import make_config
from dapt.config_text import apply_settings, to_yaml
from dapt.dapt_options import DEFAULT_VARIANT, DaptOptions
from dapt.dapt_variants import PRESETS, SCHEDULES, Variant, with_preset
from dapt.yaml_text import parse_yaml


def test_every_variant_has_a_schedule_and_sets_options_that_there_are() -> None:
    assert set(SCHEDULES) == set(get_args(Variant))
    for variant, preset in PRESETS.items():
        options = DaptOptions(variant=variant)
        assert {key: getattr(options, key) for key in preset} == dict(preset)


def test_the_released_one_is_what_was_released() -> None:
    options = DaptOptions(variant="released")
    assert options.schedule == "phased"
    assert options.visual_scale == "raw"
    weights = (options.visual_weight, options.foreground_weight, options.background_weight)
    assert weights == (0.8, 0.1, 0.5)
    assert (options.margin, options.margin_kind, options.fill, options.switch) == (1.5, "absolute", "mean", 0.7)
    assert not options.foreground_gradient
    assert not options.apart


def test_swap_is_symmetric_with_exchanged_backgrounds_and_a_warm_up() -> None:
    symmetric = with_preset({"variant": "symmetric"}, "phased")
    assert with_preset({"variant": "swap"}, "phased") == {
        **symmetric,
        **{"variant": "swap", "fill": "exchange", "warmup": 0.3},
    }
    with pytest.raises(ValidationError, match=r"dapt\.variant=swap .*sets dapt\.fill=exchange.*add dapt\.fill=mean"):
        DaptOptions(variant="swap", views="attention")
    assert DaptOptions(variant="swap", views="attention", fill="mean").schedule == "joint"


def test_a_variant_that_was_not_named_gives_way_to_views_by_attention() -> None:
    """Those hide no pixels, so there is nothing to fill; all else of the default stays."""
    options = DaptOptions(views="attention")
    assert (options.variant, options.fill) == (DEFAULT_VARIANT, "mean")
    assert options == DaptOptions(variant=DEFAULT_VARIANT, views="attention", fill="mean")
    with pytest.raises(ValidationError, match=r"dapt\.fill needs dapt\.views=pixels"):
        DaptOptions(views="attention", fill="exchange")


def test_what_is_given_stays() -> None:
    assert with_preset({"variant": "symmetric", "foreground_weight": 0.3}, "phased") == {
        "variant": "symmetric",
        "foreground_weight": 0.3,
        "foreground_gradient": True,
    }
    assert DaptOptions(variant="symmetric", foreground_weight=0.3).foreground_weight == 0.3


def test_another_variant_for_a_saved_configuration_sheds_what_the_old_one_set() -> None:
    for old, new in itertools.permutations(get_args(Variant), 2):
        saved = parse_yaml(to_yaml(make_config({"data": "-", "dapt": {"variant": old, "margin": 0.7}})), "run.yaml")
        again = make_config(apply_settings(saved, [f"dapt.variant={new}"]))
        assert again.dapt == DaptOptions(enabled=True, variant=new, margin=0.7), (old, new)


def test_what_is_no_part_of_the_old_variant_stays_with_the_new_one() -> None:
    saved = parse_yaml(to_yaml(make_config({"data": "-", "dapt": {"variant": "swap", "warmup": 0.5}})), "run.yaml")
    again = make_config(apply_settings(saved, ["dapt.variant=joint"]))
    assert again.dapt == DaptOptions(enabled=True, variant="joint", warmup=0.5)


def test_what_variants_set_are_options_that_have_another_value_without_one() -> None:
    for preset in PRESETS.values():
        assert all(DaptOptions.model_fields[key].default != value for key, value in preset.items())


@pytest.mark.parametrize("variant", get_args(Variant))
def test_a_saved_configuration_gives_the_same_options(variant: str) -> None:
    config = make_config({"data": "-", "dapt": {"variant": variant, "visual_weight": 0.3}})
    again = make_config(parse_yaml(to_yaml(config), "run.yaml"))
    assert again.dapt == config.dapt
