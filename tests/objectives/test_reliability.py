"""The experimental gate on foreground terms."""

from __future__ import annotations

import math

import pytest
import torch
from test_disentangle import batch, step

from dapt.config import make_config
from dapt.errors import ConfigError
from dapt.objectives.reliability import ReliabilityGate, gate_inputs, gate_loss


def test_inputs_by_hand() -> None:
    full = torch.tensor([[0.0, 0.0], [math.log(3.0), 0.0]])
    foreground = torch.tensor([[0.0, 0.0], [0.0, 0.0]])
    found = gate_inputs(full, foreground, torch.tensor([0.25, 0.5]))
    assert torch.allclose(found[0], torch.tensor([0.0, 1.0, 0.25]), atol=1e-6)
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) - math.log(2.0)
    cosine = (0.75 + 0.25) * 0.5 / (math.hypot(0.75, 0.25) * math.hypot(0.5, 0.5))
    assert torch.allclose(found[1], torch.tensor([entropy, cosine, 0.5]), atol=1e-6)


def test_areas_out_of_range_are_not_trusted() -> None:
    logits = torch.randn(4, 3)
    trust, _ = ReliabilityGate()(logits, logits, torch.tensor([0.01, 0.02, 0.98, 0.99]))
    assert (trust > 0).tolist() == [False, True, True, False]
    assert (trust < 1).all()


def test_the_gate_learns_which_foregrounds_help() -> None:
    """Foreground views with a sharper, agreeing prediction help here; the gate finds that out."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 5, (256,), generator=generator)
    helps = torch.rand(256, generator=generator) > 0.5
    full = torch.randn(256, 5, generator=generator)
    full[torch.arange(256), labels] += 2.0
    foreground = torch.where(helps[:, None], 3 * full, torch.randn(256, 5, generator=generator) * 0.1)
    gate = ReliabilityGate()
    optimizer = torch.optim.Adam(gate.parameters(), lr=0.02)
    area = torch.full((256,), 0.4)
    for _ in range(200):
        optimizer.zero_grad()
        gate_loss(gate(full, foreground, area)[1], full, foreground, labels).mean().backward()
        optimizer.step()
    trust = gate(full, foreground, area)[0]
    assert float(trust[helps].mean()) > float(trust[~helps].mean()) + 0.3


def test_the_gate_weighs_foreground_terms_and_learns_from_its_own_loss_only() -> None:
    plain, gated = step("maple", variant="joint"), step("maple", variant="joint", gate=True)
    terms = gated(batch(), 0, 10)[1]
    before = plain(batch(), 0, 10)[1]
    assert set(terms) == {*before, "L_gate"}
    assert float(terms["L_v"].value) < float(before["L_v"].value)
    assert float(terms["L_b"].value) == pytest.approx(float(before["L_b"].value), rel=1e-6)
    gate = gated.helpers[0]
    (terms["L_v"].value + terms["L_f"].value).backward(retain_graph=True)
    assert all(parameter.grad is None for parameter in gate.parameters())
    gated.zero_grad()
    terms["L_gate"].value.backward()
    assert all(parameter.grad is not None for parameter in gate.parameters())
    assert all(parameter.grad is None for parameter in gated.model.parameters())


def test_the_gate_needs_pixel_views() -> None:
    with pytest.raises(ConfigError, match=r"dapt\.gate needs dapt\.views=pixels"):
        make_config({"data": "-", "dapt": {"gate": True, "views": "attention"}})
