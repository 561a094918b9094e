"""What programs do to a module that it may not notice: writes past autograd, inference mode, pickles."""

from __future__ import annotations

import pickle

import pytest
import torch

import dapt
from helpers import tiny_clip

NAMES = ["red square", "blue disc", "green bar"]


def made(method: str = "maple", **options: object) -> dapt.PromptedClip:
    return dapt.create_model(tiny_clip(), method, NAMES, **({"depth": 2} if method == "maple" else {}), **options)


def pixels() -> torch.Tensor:
    return torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(2))


def write_past(model: dapt.PromptedClip) -> None:
    for part in model.parameters():
        part.data.add_(0.5)


def write_vector(model: dapt.PromptedClip) -> None:
    vector = torch.nn.utils.parameters_to_vector(model.parameters())
    torch.nn.utils.vector_to_parameters(vector + 0.5, model.parameters())


@pytest.mark.parametrize("write", [write_past, write_vector])
def test_writes_that_count_up_no_version_are_noticed(write) -> None:
    model = made().eval()
    before = model(pixels())
    write(model)
    after = model(pixels())
    assert not torch.equal(after, before)
    assert torch.equal(model.train().eval()(pixels()), after)
    assert torch.allclose(model.plain()(pixels()), after, atol=1e-5)


@pytest.mark.parametrize("method", ["maple", "coop", "vpt", "clip_lora", "kgcoop", "promptsrc", "cocoop"])
def test_inference_mode_leaves_nothing_behind_that_cannot_be_trained(method: str) -> None:
    model = made(method, **({"depth": 2} if method in ("vpt", "promptsrc") else {}))
    batch = dapt.Batch(pixels(), torch.arange(3))
    with torch.inference_mode():
        model(pixels())
        model.loss(batch)
        model.eval()(pixels())
        dapt.Predictor(model)(pixels())
    model.train().loss(batch)[0].backward()
    assert all(part.grad is not None for part in model.parameters())


def test_explanations_in_inference_mode() -> None:
    predictor = dapt.Predictor(made())
    plain = predictor(pixels(), explain=True)
    model = made()
    with torch.inference_mode():
        found = dapt.Predictor(model)(pixels().clone(), explain=True)
    assert all(torch.equal(one.cam, other.cam) for one, other in zip(plain, found, strict=True))


@pytest.mark.parametrize("method", ["maple", "coop", "clip_lora"])
def test_models_can_be_pickled(method: str) -> None:
    model = made(method).eval()
    again = pickle.loads(pickle.dumps(model))
    assert torch.equal(again(pixels()), model(pixels()))
    assert torch.equal(again.train().loss(dapt.Batch(pixels(), torch.arange(3)))[0].isfinite(), torch.tensor(True))
