"""What models answer: the figures of an evaluation for originals, the same for every batch size and company."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from test_audit_scenes import scenes_in

from dapt.config import make_config
from dapt.evaluation.audit.answers import NO_ANSWER, ask
from dapt.evaluation.audit.donors import NONE, Donors
from dapt.evaluation.audit.variants import MIXED, NAMES
from dapt.evaluation.evaluate import evaluate
from dapt.model.build import build_model
from dapt.model.prompted_clip import PromptedClip
from helpers import tiny_clip

CLASSES = ["red square", "blue disc"]


def model_of(seed: int = 0, **changes: object) -> PromptedClip:
    config = make_config({"data": "-", "method": "zero_shot", "model": "demo"})
    return build_model(config, tiny_clip(seed, **changes), CLASSES).eval()


@pytest.fixture(scope="module")
def models() -> list[PromptedClip]:
    larger = {"image_size": 40, "layers": 3, "width": 32, "head_width": 16, "patch_size": 8}
    return [model_of(0), model_of(1, vision_cfg=larger)]


def test_originals_are_answered_as_in_an_evaluation(tmp_path: Path, models: list[PromptedClip]) -> None:
    scenes = scenes_in(tmp_path, shorter=32)
    (found,) = ask(models[:1], scenes, [0, 0, 1, 1], [name for name in NAMES if name != "mixed_other"])
    plain = evaluate(models[0], scenes.items, [0, 0, 1, 1])
    assert found.of("original").tolist() == plain.predicted.tolist()
    assert found.confidence[0] == pytest.approx(plain.confidence.numpy(), abs=1e-6)
    assert (found.predicted != NO_ANSWER).all()
    assert ((found.truth <= found.confidence + 1e-6) & (found.truth > 0)).all()
    assert len(set(np.round(found.truth[:, 0], 6))) > 5, "variants are told apart"


def test_batches_and_company_change_nothing(tmp_path: Path, models: list[PromptedClip]) -> None:
    scenes = scenes_in(tmp_path)
    together = ask(models, scenes, [0, 0, 1, 1], NAMES, batch_size=1)
    for model, found in zip(models, together, strict=True):
        (alone,) = ask([model], scenes, [0, 0, 1, 1], NAMES, batch_size=1000)
        assert alone.truth == pytest.approx(found.truth, abs=1e-5)
        assert (alone.predicted == found.predicted).all()
    assert not np.allclose(together[0].truth, together[1].truth)


def test_what_was_not_made_has_no_answer(tmp_path: Path, models: list[PromptedClip]) -> None:
    donors = Donors({name: np.array([1, NONE, NONE, 2]) for name in MIXED}, (), ())
    scenes = scenes_in(tmp_path, donors=donors)
    (found,) = ask(models[:1], scenes, [0, 0, 1, 1], [name for name in NAMES if name != "mixed_other"])
    assert (found.of("mixed_rand") == NO_ANSWER).tolist() == [False, True, True, False]
    assert (found.of("only_fg") != NO_ANSWER).all()


def test_what_is_not_finite_is_no_answer(tmp_path: Path) -> None:
    from dapt.errors import DaptError

    model = model_of()
    with torch.no_grad():
        model.clip.logit_scale.fill_(float("nan"))
    with pytest.raises(DaptError):
        ask([model], scenes_in(tmp_path), [0, 0, 1, 1], NAMES)
