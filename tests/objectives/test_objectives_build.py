"""The objectives of a run: the method's own, and DAPT's where it is switched on and can act."""

from __future__ import annotations

import pytest
import torch

from dapt.config import RunConfig, make_config
from dapt.errors import NotSupportedError
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.build import build_objectives, check_dapt
from dapt.objectives.disentangle import Disentangle
from helpers import tiny_clip


def config(method: str, **changes: object) -> RunConfig:
    return make_config({"data": "x", "model": "demo", "method": method, **changes})


def model(of: RunConfig) -> PromptedClip:
    names = ["cat", "dog"]
    clip = tiny_clip()
    made = of.recipe.load_architecture()(of.options, clip, names, torch.Generator().manual_seed(0))
    return PromptedClip(clip, made, names)


@pytest.mark.parametrize(("method", "depth"), [("coop", {}), ("maple", {"depth": 2}), ("kgcoop", {}), ("prograd", {})])
def test_the_methods_own_terms(method: str, depth: dict[str, int]) -> None:
    plain = config(method, **depth)
    found = build_objectives(plain, model(plain))
    assert [type(each) for each in found] == list(plain.recipe.load_objectives())
    assert not any(isinstance(each, Disentangle) for each in found)


def test_with_dapt_one_more() -> None:
    both = config("maple", depth=2, epochs=20, cue="dataset", dapt={"enabled": True})
    found = build_objectives(both, model(both))
    assert [type(each) for each in found] == [*both.recipe.load_objectives(), Disentangle]


def test_where_dapt_cannot_act() -> None:
    check_dapt(config("zero_shot"))
    with pytest.raises(NotSupportedError, match="zero_shot has no training steps"):
        check_dapt(config("zero_shot", cue="dataset", dapt={"enabled": True}))


def test_terms_that_teach_nothing_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    released = config("vpt", depth=2, epochs=20, cue="dataset", dapt={"enabled": True, "variant": "released"})
    build_objectives(released, model(released))
    assert "L_f is left out" in capsys.readouterr().err
    usual = config("vpt", depth=2, epochs=20, cue="dataset", dapt={"enabled": True})
    build_objectives(usual, model(usual))  # its L_f reaches the image side, too
    assert capsys.readouterr().err == ""
