"""The card of a shared classifier."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from dapt.report.model_card import Accuracy, CardFacts, model_card

FACTS = CardFacts(
    name="me/birds",
    classes=["robin", "odd|<name>"],
    method="maple",
    model="local-dir:/home/somebody/photo-clip",
    dapt=True,
    shots=0,
    seed=1,
    version="0.1.0",
    images={"train": {"robin": 8, "odd|<name>": 2}, "test": {"robin": 10, "odd|<name>": 10}},
    test=Accuracy(18, 20),
    zero_shot=Accuracy(11, 20),
    cue="border",
)


def test_an_interval_is_wilsons() -> None:
    low, high = Accuracy(18, 20).interval()
    assert (round(low, 4), round(high, 4)) == (0.699, 0.9721)  # Newcombe 1998, method 3, by hand
    assert Accuracy(20, 20).interval()[1] == pytest.approx(1)
    assert Accuracy(0, 20).interval()[0] == 0.0


def test_the_metadata_is_yaml_without_a_licence() -> None:
    tree = yaml.safe_load(model_card(FACTS).split("---\n")[1])
    assert (tree["library_name"], tree["pipeline_tag"]) == ("dapt", "image-classification")
    assert "license" not in tree
    assert tree["model-index"][0]["results"][0]["metrics"] == [{"type": "accuracy", "value": 0.9}]
    assert "base_model" not in tree
    hub = replace(FACTS, model="hf-hub:laion/clip", test=None)
    tree = yaml.safe_load(model_card(hub).split("---\n")[1])
    assert tree["base_model"] == "laion/clip"
    assert "model-index" not in tree


def test_figures_data_method_and_limits() -> None:
    card = model_card(FACTS)
    for part in (
        "| 90.0% [69.9, 97.2] | 55.0%",
        "| odd\\|\\<name\\> | 2 | 10 |",
        "| all | 10 | 20 |",
        "The foreground was found by the cue `border`",
        "The test set is small (20)",
        "three training pictures or fewer: odd",
        "was not measured (`dapt audit` does)",
        "10.1109/TPAMI.2025.3594894",
        "local-dir:photo-clip",
    ):
        assert part in card, part
    assert "somebody" not in card


def test_the_method_and_the_place_are_told() -> None:
    assert "MaPLe with the CLIP" in model_card(FACTS)
    assert "GDA with the CLIP" in model_card(replace(FACTS, method="gda"))
    assert "from_pretrained('me/birds')\n" in model_card(FACTS)
    assert "from_pretrained('birds')  # the folder of this file" in model_card(replace(FACTS, name="birds"))


def test_what_was_not_measured_is_said() -> None:
    card = model_card(replace(FACTS, test=None, zero_shot=None, images={}, method="of a plugin", dapt=False))
    assert "It was not tested" in card
    assert "is not known" in card
    assert "of an extension" in card
    assert "DAPT's terms" not in card


def test_reliance_on_backgrounds_is_told() -> None:
    card = model_card(replace(FACTS, background={"bg_gap": 12.34, "only_bg_t": 40.0}, flags=["collapsed"]))
    assert "exchanging them costs 12.3 points, and 40.0% of the pictures" in card
    assert "`collapsed`" in card


@pytest.mark.parametrize(("right", "verdict"), [(10, "below the untrained"), (11, "no better than the untrained")])
def test_a_training_that_gained_nothing_is_told(right: int, verdict: str) -> None:
    assert verdict in model_card(replace(FACTS, test=Accuracy(right, 20)))
    assert "untrained CLIP" not in model_card(FACTS)
