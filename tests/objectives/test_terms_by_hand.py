"""The loss terms of the other methods on numbers worked out from their formulas, and how terms become one loss."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dapt.clip.logits import similarities
from dapt.config import DaptOptions, make_config
from dapt.data.batch import Batch
from dapt.model.build import build_model
from dapt.model.needs import (
    BACKGROUND,
    CLASSES,
    FOREGROUND,
    FROZEN,
    FULL,
    Needs,
    Outputs,
    Trainable,
)
from dapt.objectives.base import Term, by_group, total
from dapt.objectives.build import build_objectives
from dapt.objectives.clap import NearZeroShot
from dapt.objectives.classification import Classification, centred, image_losses
from dapt.objectives.disentangle import Disentangle
from dapt.objectives.kgcoop import KnowledgeGuided
from dapt.objectives.prograd import GENERAL, ZeroShotKnowledge
from dapt.objectives.promptkd import Distillation
from dapt.objectives.promptsrc import SelfConsistency
from dapt.objectives.reference import mean_divergence, template_features, zero_shot_logits
from dapt.objectives.reliability import GREATEST_AREA, SMALLEST_AREA, ReliabilityGate, gate_inputs, gate_loss
from dapt.prompts.prototypes import own_class_probability
from helpers import tiny_clip

NAMES = ["red square", "blue disc", "green_bar"]
GENERATOR = torch.Generator().manual_seed(5)
IMAGE = F.normalize(torch.randn(4, 8, generator=GENERATOR))
FROZEN_IMAGE = F.normalize(torch.randn(4, 8, generator=GENERATOR))
TEXT = F.normalize(torch.randn(3, 8, generator=GENERATOR))
REFERENCE = F.normalize(torch.randn(3, 8, generator=GENERATOR))
TEACHER = torch.randn(4, 3, generator=GENERATOR)
BATCH = Batch(torch.zeros(4, 3, 2, 2), torch.tensor([0, 1, 2, 1]))


def outputs(teacher: Tensor | None = None, bias: float = 0.0) -> Outputs:
    return Outputs({FULL: IMAGE, FROZEN: FROZEN_IMAGE}, {CLASSES: TEXT}, torch.tensor(10.0), bias, None, teacher)


def one(terms: dict[str, Term], name: str) -> Term:
    assert list(terms) == [name]
    return terms[name]


def test_kgcoop() -> None:
    term = one(KnowledgeGuided(REFERENCE, 8.0).terms(outputs(), BATCH, 0, 1), "L_kg")
    assert float(term.value) == pytest.approx(1 - float((TEXT * REFERENCE).sum(dim=1).mean()), rel=1e-5)
    assert (term.weight, term.group) == (8.0, "main")


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_promptkd(temperature: float) -> None:
    objective = Distillation(temperature, 1000.0)
    term = one(objective.terms(outputs(TEACHER), BATCH, 0, 1), "L_kd")
    p = (TEACHER / temperature).softmax(dim=1)
    q = (10 * IMAGE @ TEXT.t() / temperature).softmax(dim=1)
    expected = temperature**2 * float((p * (p / q).log()).sum()) / (4 * 3)
    assert float(term.value) == pytest.approx(expected, rel=1e-4)
    assert (term.weight, term.group) == (1000.0, "main")
    assert objective.needs(0, 1) == Needs({FULL: True}, {CLASSES: True}, teacher=True)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_prograd(temperature: float) -> None:
    objective = ZeroShotKnowledge(REFERENCE, temperature, 0.8)
    term = one(objective.terms(outputs(), BATCH, 0, 1), "L_kl")
    p = (10 * FROZEN_IMAGE @ REFERENCE.t() / temperature).softmax(dim=1)
    q = (10 * IMAGE @ TEXT.t() / temperature).softmax(dim=1)
    assert float(term.value) == pytest.approx(temperature**2 * float(-(p * q.log()).sum(dim=1).mean()), rel=1e-4)
    assert (term.weight, term.group) == (1.0, GENERAL)
    assert (objective.gradient_rule.general, objective.gradient_rule.strength) == (GENERAL, 0.8)
    assert objective.needs(0, 1) == Needs({FULL: True, FROZEN: False}, {CLASSES: True})


def test_promptsrc() -> None:
    options = make_config({"data": "-", "method": "promptsrc"}).prompt
    objective = SelfConsistency(SimpleNamespace(**options), REFERENCE)
    found = objective.terms(outputs(), BATCH, 0, 1)
    p = (10 * FROZEN_IMAGE @ REFERENCE.t()).softmax(dim=1)
    q = (10 * IMAGE @ TEXT.t()).softmax(dim=1)
    expected = {
        "L_scl_text": (float((TEXT - REFERENCE).abs().mean()), 25.0),
        "L_scl_image": (float((IMAGE - FROZEN_IMAGE).abs().mean()), 10.0),
        "L_scl_logits": (float((p * (p / q).log()).sum()) / 12, 1.0),
    }
    assert list(found) == list(expected)
    for name, (value, weight) in expected.items():
        assert float(found[name].value) == pytest.approx(value, rel=1e-4), name
        assert found[name].weight == weight, name


@pytest.mark.parametrize(
    ("mean", "epochs", "warned"), [(15.0, 20, False), (20.0, 20, False), (20.5, 20, True), (None, 20, False)]
)
def test_an_average_around_an_epoch_that_never_comes(capsys, mean: float | None, epochs: int, warned: bool) -> None:
    objective = SelfConsistency(SimpleNamespace(gpa_mean=mean, gpa_std=1.0), REFERENCE)
    weights = objective.epoch_weights(epochs)
    objective.epoch_weights(epochs)
    assert (weights is None) == (mean is None)
    assert " ".join(capsys.readouterr().err.split()).count("The prompts are averaged around epoch") == int(warned)
    assert objective.epoch_weights(0) is None
    if weights is not None:
        assert len(weights) == epochs
        assert max(weights) == weights[min(int(mean), epochs) - 1]


def test_clap() -> None:
    prototypes = SimpleNamespace(penalty=lambda: torch.tensor(2.5))
    term = one(NearZeroShot(prototypes).terms(outputs(), BATCH, 0, 1), "L_clap")
    assert (float(term.value), term.weight) == (2.5, 1.0)
    assert NearZeroShot(None).terms(outputs(), BATCH, 0, 1) == {}
    logits = torch.tensor([[0.0, math.log(3.0), -torch.inf], [0.0, 0.0, -torch.inf], [math.log(4.0), 0.0, -torch.inf]])
    found = own_class_probability(logits, torch.tensor([1, 1, 0]))
    assert found.tolist() == pytest.approx([0.8, (0.75 + 0.5) / 2, 0.0])


def test_the_divergence_is_not_symmetric_and_divided_by_all_entries() -> None:
    logits, known = torch.tensor([[0.0, math.log(3.0)]]), torch.zeros(1, 2)
    forward = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert float(mean_divergence(logits, known)) == pytest.approx(forward / 2)
    assert float(mean_divergence(known, known)) == pytest.approx(0.0, abs=1e-7)


def test_zero_shot_logits_carry_scale_and_bias() -> None:
    expected = 10 * FROZEN_IMAGE @ REFERENCE.t() - 3
    assert torch.allclose(zero_shot_logits(outputs(bias=-3.0), REFERENCE), expected, atol=1e-5)
    assert torch.allclose(outputs(bias=-3.0).logits(FULL), 10 * IMAGE @ TEXT.t() - 3, atol=1e-5)


def test_reference_texts_are_averages_over_templates() -> None:
    clip = tiny_clip()
    templates = ["a photo of a {}.", "art of the {}."]
    each = [
        clip.text.encode(clip.tokenizer.plain([template.replace("{}", name.replace("_", " ")) for name in NAMES]))
        for template in templates
    ]
    first = sum(F.normalize(part.float()) for part in each) / 2
    later = sum(part.float() for part in each) / 2
    found = template_features(clip, templates, NAMES)
    assert torch.allclose(found, F.normalize(first), atol=1e-5)
    assert torch.allclose(template_features(clip, templates, NAMES, unit_first=False), F.normalize(later), atol=1e-5)
    assert not torch.allclose(F.normalize(first), F.normalize(later), atol=1e-4)
    assert torch.allclose(found.norm(dim=1), torch.ones(3))


def test_terms_become_one_loss() -> None:
    terms = {
        "a": Term(torch.tensor(2.0), 3.0),
        "b": Term(torch.tensor(5.0), 0.1, "other"),
        "c": Term(torch.tensor(7.0), 1.0),
    }
    assert float(total(terms)) == pytest.approx(13.5)
    assert {name: float(value) for name, value in by_group(terms).items()} == pytest.approx(
        {"main": 13.0, "other": 0.5}
    )


def test_needs_add_up() -> None:
    left = Needs({FULL: True, FOREGROUND: False}, {CLASSES: False})
    right = Needs({FULL: False, FOREGROUND: True, BACKGROUND: False}, {CLASSES: False}, teacher=True)
    assert left | right == Needs({FULL: True, FOREGROUND: True, BACKGROUND: False}, {CLASSES: False}, True)
    assert right | left == left | right
    assert (left | left).teacher is False


def test_texts_of_each_image() -> None:
    own = F.normalize(torch.randn(4, 3, 8, generator=GENERATOR), dim=2)
    expected = torch.stack([IMAGE[row] @ own[row].t() for row in range(4)])
    assert torch.allclose(similarities(IMAGE, own), expected, atol=1e-6)
    assert torch.allclose(similarities(IMAGE, TEXT), IMAGE @ TEXT.t())


def test_a_method_adjusts_class_logits_only() -> None:
    made = Outputs({FULL: IMAGE}, {CLASSES: TEXT, BACKGROUND: REFERENCE}, torch.tensor(10.0), 0.0, lambda z, f: z + 100)
    assert torch.allclose(made.logits(FULL), 10 * IMAGE @ TEXT.t() + 100)
    assert torch.allclose(made.logits(FULL, BACKGROUND), 10 * IMAGE @ REFERENCE.t())


def test_a_teacher_stands_in_for_labels() -> None:
    assert torch.equal(outputs().targets(BATCH.labels), BATCH.labels)
    assert torch.allclose(outputs(TEACHER).targets(BATCH.labels), TEACHER.softmax(dim=1))
    soft = TEACHER.softmax(dim=1)
    each = image_losses(10 * IMAGE @ TEXT.t(), soft, BATCH)
    assert torch.allclose(each, -(soft * (10 * IMAGE @ TEXT.t()).log_softmax(dim=1)).sum(dim=1), atol=1e-5)
    assert torch.allclose(centred(torch.tensor([[1.0, 3.0]])), torch.tensor([[-1.0, 1.0]]))


@pytest.mark.parametrize(
    ("trainable", "options", "names"),
    [
        (Trainable(True, True, True), {}, {"L_v", "L_f", "L_b"}),
        (Trainable(True, False, False), {}, {"L_f"}),
        (Trainable(False, False, True), {}, {"L_v", "L_b"}),
        (Trainable(False, False, True), {"foreground_gradient": True}, {"L_v", "L_f", "L_b"}),
        (Trainable(False, True, False), {}, {"L_b"}),
        (Trainable(False, False, False, logits=True), {}, {"L_f"}),
        (Trainable(False, False, False), {"foreground_gradient": True}, set()),
        (Trainable(True, True, True), {"visual_weight": 0.0}, {"L_f", "L_b"}),
        (Trainable(True, True, True), {"foreground_weight": 0.0, "background_weight": 0.0}, {"L_v"}),
    ],
)
def test_which_terms_act(trainable: Trainable, options: dict, names: set[str]) -> None:
    dapt = Disentangle(DaptOptions(variant="joint", **options), trainable)
    assert set(dapt.active(0, 10)) == names
    zero = {name for name, key in zip(("L_v", "L_f", "L_b"), ("visual", "foreground", "background"), strict=True)
            if options.get(f"{key}_weight") == 0.0}  # fmt: skip
    assert len(dapt.left_out) == 3 - len(names) - len(zero)


def test_the_gate_has_its_published_range_and_a_weight_of_one() -> None:
    logits = torch.zeros(6, 3)
    areas = torch.tensor([0.0199, 0.02, 0.5, 0.98, 0.9801, 1.0])
    trust, score = ReliabilityGate()(logits, logits, areas)
    assert (trust > 0).tolist() == [False, True, True, True, False, False]
    assert torch.allclose(trust[1:4], score[1:4].sigmoid())
    assert (SMALLEST_AREA, GREATEST_AREA) == (0.02, 0.98)
    config = make_config({"data": "-", "method": "maple", "depth": 2, "dapt": {"gate": True, "variant": "joint"}})
    model = build_model(config, tiny_clip(), NAMES)
    dapt = build_objectives(config, model)[1]
    mask = torch.zeros(4, 1, 32, 32)
    mask[..., :16] = 1
    batch = Batch(torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 2, 0]), mask)
    made = model.compute(batch, dapt.needs(0, 10) | Needs({}, {CLASSES: True}))
    assert dapt.terms(made, batch, 0, 10)["L_gate"].weight == 1.0


def test_the_gate_is_told_whether_the_foreground_helps() -> None:
    """As much probability for the true class counts as help."""
    full = torch.tensor([[2.0, 0.0], [2.0, 0.0], [2.0, 0.0]])
    foreground = torch.tensor([[3.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    score = torch.tensor([0.3, 0.3, 0.3])
    helps, hurts = math.log(1 + math.exp(-0.3)), math.log(1 + math.exp(0.3))
    labels = torch.tensor([0, 0, 0])
    assert gate_loss(score, full, foreground, labels).tolist() == pytest.approx([helps, hurts, helps])


def test_no_gradient_leaves_the_gate_by_its_inputs() -> None:
    full, foreground = (torch.randn(4, 3, requires_grad=True) for _ in range(2))
    trust, score = ReliabilityGate()(full, foreground, torch.full((4,), 0.5))
    (trust.sum() + gate_loss(score, full, foreground, torch.tensor([0, 1, 2, 0])).sum()).backward()
    assert full.grad is None
    assert foreground.grad is None
    half = gate_inputs(full.detach().bfloat16(), foreground.detach().bfloat16(), torch.full((4,), 0.5).bfloat16())
    whole = gate_inputs(full.detach().bfloat16().float(), foreground.detach().bfloat16().float(), torch.full((4,), 0.5))
    assert half.dtype == torch.float32
    assert torch.equal(half, whole)


def test_what_classification_and_kgcoop_read() -> None:
    assert Classification().needs(0, 1) == Needs({FULL: True}, {CLASSES: True})
    assert KnowledgeGuided(REFERENCE, 1.0).needs(0, 1) == Needs({}, {CLASSES: True})
    assert NearZeroShot(None).needs(0, 1) == Needs()


def test_background_texts_fill_the_template() -> None:
    options = DaptOptions(words=["sky", "a {} b"], template="see {} here")
    assert options.texts == ["see sky here", "see a {} b here"]
    assert DaptOptions(word_count=2).texts == ["a clean origami ground.", "a clean origami land."]
    assert len(DaptOptions().texts) == 32
    assert (DaptOptions().distractors, DaptOptions(released=True).distractors) == (0, 7)
    assert DaptOptions(released=True, word_count=25).distractors == 0
