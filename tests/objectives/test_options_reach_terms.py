"""Options of methods reach their loss terms, and the dtypes of what is compared do not matter."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from dapt.config import make_config
from dapt.data.batch import Batch
from dapt.model.build import build_model
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.base import Objective
from dapt.objectives.build import build_objectives
from dapt.objectives.clap import NearZeroShot
from dapt.objectives.classification import image_losses
from dapt.objectives.kgcoop import KnowledgeGuided
from dapt.objectives.prograd import ZeroShotKnowledge
from dapt.objectives.promptkd import Distillation
from dapt.objectives.reliability import HIDDEN, ReliabilityGate, gate_inputs, gate_loss
from helpers import tiny_clip

NAMES = ["red square", "blue disc", "green_bar"]


def built(method: str, **prompt: Any) -> tuple[list[Objective], PromptedClip]:
    config = make_config({"data": "-", "method": method, "prompt": prompt})
    model = build_model(config, tiny_clip(), NAMES)
    return build_objectives(config, model), model


def texts(model: PromptedClip, template: str) -> torch.Tensor:
    """Features of the classes in a sentence, one by one."""
    clip = model.clip
    sentences = [template.replace("{}", name.replace("_", " ")) for name in NAMES]
    return torch.cat([F.normalize(clip.text.encode(clip.tokenizer.plain([each])).float()) for each in sentences])


def test_kgcoop() -> None:
    objectives, model = built("kgcoop", knowledge_weight=3.5, knowledge_template="art of the {}.")
    assert isinstance(objectives[1], KnowledgeGuided)
    assert objectives[1].weight == 3.5
    assert torch.allclose(objectives[1].reference, texts(model, "art of the {}."), atol=1e-5)


def test_prograd() -> None:
    given = {"temperature": 2.5, "strength": 0.4, "knowledge_template": "art of the {}."}
    objectives, model = built("prograd", **given)
    term = objectives[1]
    assert isinstance(term, ZeroShotKnowledge)
    assert (term.temperature, term.gradient_rule.strength, term.gradient_rule.general) == (2.5, 0.4, "general")
    assert torch.allclose(term.reference, texts(model, "art of the {}."), atol=1e-5)


def test_promptkd() -> None:
    term = Distillation.build(SimpleNamespace(temperature=2.5, kd_weight=7.0), SimpleNamespace())
    assert (term.temperature, term.weight) == (2.5, 7.0)


@pytest.mark.parametrize("constraint", [True, False])
def test_clap(constraint: bool) -> None:
    config = make_config({"data": "-", "method": "clap", "prompt": {"constraint": constraint}})
    model = build_model(config, tiny_clip(), NAMES)
    term = NearZeroShot.build(SimpleNamespace(**config.prompt), model)
    assert term.prompts is (model.prompts if constraint else None)


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
@pytest.mark.parametrize("half", [torch.float32, torch.bfloat16])
def test_targets_of_any_dtype(kind: Any, half: torch.dtype) -> None:
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, 3.0]])
    targets = torch.tensor([[1, 0, 1], [0, 0, 1]])
    labels = torch.tensor([0, 2])
    centred = logits - logits.mean(dim=1, keepdim=True)
    if kind == "softmax":
        expected = -(logits.log_softmax(dim=1) * targets).sum(dim=1) / torch.tensor([2.0, 1.0])
    else:
        expected = -(targets * F.logsigmoid(centred) + (1 - targets) * F.logsigmoid(-centred)).mean(dim=1)
    for given in (targets, targets.float(), targets.double()):
        batch = Batch(torch.zeros(2, 3, 1, 1), labels, None, None, given, multi_label=kind)
        found = image_losses(logits.to(half), labels, batch)
        assert found.dtype == half
        assert torch.allclose(found.float(), expected, atol=1e-6 if half == torch.float32 else 2e-2)


def test_the_gate_layer_by_layer() -> None:
    """32 hidden units; the start does not depend on the global generator, and leaves it as it was."""
    torch.manual_seed(11)
    state = torch.get_rng_state()
    gate = ReliabilityGate()
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(int(torch.randint(2**31, (1,), generator=torch.Generator().manual_seed(0))))
    first, last = torch.nn.Linear(3, 32), torch.nn.Linear(32, 1)
    full, part = torch.randn(4, 3), torch.randn(4, 3)
    area = torch.tensor([0.3, 0.5, 0.7, 0.97])
    p, q = full.softmax(dim=1), part.softmax(dim=1)
    inputs = torch.stack(
        [(q * q.log() - p * p.log()).sum(dim=1), (p * q).sum(dim=1) / (p.norm(dim=1) * q.norm(dim=1)), area], dim=1
    )
    assert torch.allclose(gate_inputs(full, part, area), inputs, atol=1e-6)
    score = last(torch.relu(first(inputs))).squeeze(1)
    assert HIDDEN == 32
    assert torch.allclose(gate(full, part, area)[1], score, atol=1e-6)


def test_the_gate_compares_whole_precision_and_the_true_class() -> None:
    """In half precision the two probabilities of the second class are the same number, in whole precision not."""
    full = torch.tensor([[4.0, 0.0, 0.0], [0.0, 9.0, 0.0]])
    part = torch.tensor([[0.0, 4.0, 0.0], [0.0, 8.9375, 0.0]])
    labels = torch.tensor([1, 1])
    assert torch.equal(full.bfloat16().float(), full)
    assert torch.equal(part.bfloat16().float(), part)
    score = torch.zeros(2) + 2.0
    helps, hurts = float(-F.logsigmoid(score[0])), float(-F.logsigmoid(-score[0]))
    for dtype in (torch.float32, torch.bfloat16):
        found = gate_loss(score, full.to(dtype), part.to(dtype), labels)
        assert found.tolist() == pytest.approx([helps, hurts])
