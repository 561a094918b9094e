"""What a training step asks for and is given: unions, logits and targets, by hand."""

from __future__ import annotations

import torch

from dapt.model.needs import Needs, Outputs

FEATURES = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
TEXTS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]])


def outputs(**more: object) -> Outputs:
    given = {"image": {"full": FEATURES}, "text": {"classes": TEXTS, "background": -TEXTS[:1]}}
    return Outputs(**{**given, "scale": torch.tensor(10.0), **more})


def test_a_union_has_everything_and_gradient_where_one_wants_it() -> None:
    one = Needs({"full": False, "foreground": True}, {"classes": True})
    two = Needs({"full": True, "background": False}, {"classes": False, "background": False}, teacher=True)
    both = Needs(
        {"full": True, "foreground": True, "background": False}, {"classes": True, "background": False}, teacher=True
    )
    assert one | two == both == two | one
    assert one | Needs() == one


def test_logits_are_scaled_cosines_plus_a_bias() -> None:
    expected = torch.tensor([[10.0, 0.0, 8.0], [6.0, 8.0, 9.6]])
    assert torch.allclose(outputs().logits("full"), expected)
    assert torch.allclose(outputs(bias=-2.0).logits("full"), expected - 2)
    assert torch.allclose(outputs().logits("full", "background"), torch.tensor([[-10.0], [-6.0]]))
    own = torch.stack([TEXTS, TEXTS.flip(0)])  # each image has its own class texts
    assert torch.allclose(
        outputs(text={"classes": own}).logits("full"), torch.tensor([[10.0, 0.0, 8.0], [9.6, 8.0, 6.0]])
    )


def test_only_class_logits_are_adjusted() -> None:
    found = outputs(adjust=lambda logits, features: logits + features[:, :1])
    assert torch.allclose(found.logits("full")[0], torch.tensor([11.0, 1.0, 9.0]))
    assert torch.allclose(found.logits("full", "background"), torch.tensor([[-10.0], [-6.0]]))


def test_what_is_predicted() -> None:
    assert outputs().predicted().tolist() == [0, 2]
    assert outputs(image={}).predicted() is None
    assert outputs(text={"background": TEXTS}).predicted() is None


def test_margins_are_of_probabilities() -> None:
    """Logits of the first image are 10, 0, 8; of the second 6, 8, 9.6; those of the true class may be the least."""
    found = outputs().margins(torch.tensor([0, 0]))
    first, second = torch.tensor([[10.0, 0.0, 8.0], [6.0, 8.0, 9.6]]).softmax(dim=1)
    assert torch.allclose(found, torch.stack([first[0] - first[2], second[0] - second[2]]))
    assert not found.requires_grad
    certain = outputs(scale=torch.tensor(1000.0)).margins(torch.tensor([0, 1]))
    assert torch.allclose(certain, torch.tensor([1.0, -1.0]))


def test_a_teacher_stands_in_for_labels() -> None:
    labels = torch.tensor([2, 1])
    assert outputs().targets(labels) is labels
    teacher = torch.tensor([[0.0, 0.0, 0.0], [0.0, 100.0, 0.0]])
    assert torch.allclose(
        outputs(teacher=teacher).targets(labels), torch.tensor([[1 / 3, 1 / 3, 1 / 3], [0.0, 1.0, 0.0]])
    )
