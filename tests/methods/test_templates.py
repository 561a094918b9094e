"""Template lists against the published ones."""

from __future__ import annotations

import json

import pytest

from dapt.config import make_config
from dapt.errors import ConfigError
from dapt.methods.templates import KGCOOP, PROGRAD, ZERO_SHOT, imagenet80, promptsrc60
from helpers import SHARED, needs_shared

# The data sets under the names of the published code.
PUBLISHED = {
    "oxford_pets": "OxfordPets",
    "oxford_flowers": "OxfordFlowers",
    "fgvc_aircraft": "FGVCAircraft",
    "dtd": "DescribableTextures",
    "eurosat": "EuroSAT",
    "stanford_cars": "StanfordCars",
    "food101": "Food101",
    "sun397": "SUN397",
    "caltech101": "Caltech101",
    "ucf101": "UCF101",
    "imagenet": "ImageNet",
    "imagenetv2": "ImageNetV2",
    "imagenet_sketch": "ImageNetSketch",
    "imagenet_a": "ImageNetA",
    "imagenet_r": "ImageNetR",
}


@needs_shared
def test_lists_equal_the_published_ones() -> None:
    facts = json.loads((SHARED / "facts" / "templates.json").read_text())
    for ours, key in ((ZERO_SHOT, "zero_shot"), (KGCOOP, "kgcoop"), (PROGRAD, "prograd")):
        theirs = facts[f"per_dataset_{key}"]["templates"]
        assert {PUBLISHED[name]: template for name, template in ours.items()} == theirs
    assert imagenet80() == facts["imagenet_80"]["templates"]
    assert promptsrc60() == facts["promptsrc_60"]["templates"]


def test_names_stand_for_templates() -> None:
    def option(method: str, key: str, value: object) -> object:
        return make_config({"data": "-", "method": method, "prompt": {key: value}}).prompt[key]

    assert option("zero_shot", "templates", "oxford_pets") == ["a photo of a {}, a type of pet."]
    assert len(option("zero_shot", "templates", ["selected7", "dtd"])) == 8
    assert option("kgcoop", "knowledge_template", "dtd") == "a photo of a {}, a type of texture."
    assert option("prograd", "knowledge_template", "dtd") == "a texture of {}."
    assert option("zero_shot", "templates", "my own {}") == ["my own {}"]
    with pytest.raises(ConfigError, match="exactly once"):
        option("kgcoop", "knowledge_template", "no place")
