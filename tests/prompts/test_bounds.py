"""Sizes that no model has room for are refused before anything of that size is made."""

from __future__ import annotations

import time

import pytest
import torch

from dapt.config import make_config
from dapt.errors import ConfigError, DaptError, ModelError
from dapt.methods.base import METHODS
from dapt.model.prompts_file import SavedPrompts
from dapt.model.saved import rebuild_model
from dapt.strict import shown
from helpers import tiny_clip

NAMES = ["cat", "dog"]
HUGE = (1_000_000, 10**9, 2**63 - 1)
SIZES = [
    (method, option)
    for method in METHODS.names()
    for option in ("n_ctx", "n_ctx_vision", "depth", "depth_vision", "rank", "last_layers", "teacher_dim")
    if option in METHODS.get(method).options.model_fields and (method, option) != ("language_deep", "n_ctx_vision")
]


@pytest.fixture(scope="module")
def clip():
    return tiny_clip()


def build(method: str, clip, **options: object):
    config = make_config({"data": "x", "method": method, "prompt": options})
    recipe = METHODS.get(method)
    made = recipe.options.model_validate(config.prompt)
    return recipe.load_architecture()(made, clip, NAMES, torch.Generator().manual_seed(0))


def shallow(method: str, **options: object) -> dict[str, object]:
    """The options, with a depth that the tiny model has."""
    fields = METHODS.get(method).options.model_fields
    given = {"depth": 2} if "depth" in fields else {}
    given |= {"teacher_dim": 32} if "teacher_dim" in fields else {}
    given |= {"ctx_init": None} if "ctx_init" in fields else {}
    given |= {"n_ctx": 2} if "n_ctx" in fields else {}
    return {**given, **options}


@pytest.mark.parametrize(("method", "option"), SIZES)
def test_every_size_of_every_method(clip, method: str, option: str) -> None:
    for value in HUGE:
        started = time.process_time()
        with pytest.raises(ConfigError) as found:
            build(method, clip, **shallow(method, **{option: value}))
        assert str(value) in found.value.message
        assert time.process_time() - started < 2


def test_the_most_there_is_room_for(clip) -> None:
    room = 32 - 1 - 3  # start; a name, the full stop, the end
    coop = build("coop", clip, n_ctx=room)
    assert coop.texts(["cat"])[0].ids.shape == (1, 32)
    with pytest.raises(ConfigError, match=f"more than the {room}"):
        build("coop", clip, n_ctx=room + 1)
    patches = 16
    assert build("vpt", clip, n_ctx=10 * patches, depth=2).visual_ctx.shape == (160, 32)
    with pytest.raises(ConfigError, match="161 visual prompts beside 16 patches"):
        build("vpt", clip, n_ctx=161, depth=2)
    with pytest.raises(ConfigError, match=r"n_ctx_vision"):
        build("ivlp", clip, n_ctx=2, n_ctx_vision=161, depth=2)
    assert build("clip_lora", clip, rank=24)
    with pytest.raises(ConfigError, match="rank of 25"):
        build("clip_lora", clip, rank=25)


def saved(clip, method: str, tensors: dict[str, torch.Tensor], **options: object) -> SavedPrompts:
    return SavedPrompts(tensors, method, options, tuple(NAMES), clip.describe())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("coop", {"n_ctx": 10**9}),
        ("coop", {"n_ctx": "x"}),
        ("coop", {"n_ctxx": 1}),
        ("coop", {"n_ctx": 2**70}),
        ("vpt", {"n_ctx": 10**9}),
        ("maple", {"depth": 10**9}),
        ("clip_lora", {"rank": 10**9}),
        ("tip_adapter", {"cache_size": 10**6}),
        ("tip_adapter", {"cache_size": 10**18}),
        ("promptkd", {"teacher_dim": 10**6}),
        ("no_such", {}),
        (["coop"], {}),
        ({}, {}),
        (None, {}),
        ("coop", [1]),
        ("coop", None),
        ("coop", 3),
    ],
)
def test_saved_prompts_that_say_what_is_not_there(clip, method, options) -> None:
    damaged = SavedPrompts({"ctx": torch.zeros(4, 24)}, method, options, tuple(NAMES), clip.describe())
    with pytest.raises(DaptError) as found:
        rebuild_model(damaged, clip)
    assert len(shown(found.value.message, 400)) <= 400


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        {"ctx": torch.zeros(5, 24)},
        {"ctx": torch.zeros(4, 24, 1)},
        {"ctx": torch.zeros(())},
        {"ctx": torch.full((4, 24), float("nan"))},
        {"ctx": torch.zeros(4, 24, dtype=torch.complex64)},
        {"ctx": torch.zeros(4, 24), "more": torch.zeros(1)},
    ],
)
def test_saved_tensors_of_other_shapes(clip, tensors) -> None:
    with pytest.raises(ModelError):
        rebuild_model(saved(clip, "coop", tensors, n_ctx=4), clip)


def test_saved_prompts_that_fit(clip) -> None:
    rebuild_model(saved(clip, "coop", {"ctx": torch.zeros(4, 24)}, n_ctx=4), clip)
