"""Objectives that read no full view, or no class texts: they train, and there is no accuracy to tell."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dapt.data.batch import Batch
from dapt.model.needs import BACKGROUND, CLASSES, FOREGROUND, FULL, Needs, Outputs
from dapt.objectives.base import Objective, Term
from dapt.runs.finish import training_flags
from fitters import make_fitter, prompts_of, same


class Only(Objective):
    """One term that reads one view against one set of texts."""

    def __init__(self, view: str, texts: str) -> None:
        self.view, self.texts = view, texts

    def needs(self, epoch: int, epochs: int) -> Needs:
        return Needs({self.view: True}, {self.texts: True})

    def terms(self, outputs: Outputs, batch: Batch, epoch: int, epochs: int) -> dict[str, Term]:
        logits = outputs.logits(self.view, self.texts)
        return {"L_only": Term(torch.logsumexp(logits, dim=1).mean(), 1.0)}


def trained(photos: Path, objective: Objective, method: str, prompt: dict[str, int]):
    """The lines of a training that has only this objective."""
    fitter = make_fitter(photos, epochs=2, method=method, prompt=prompt, dapt={"variant": "joint"}, cue="random")
    fitter.step.objectives = [objective]
    before = prompts_of(fitter)
    lines = fitter.fit().lines
    assert not same(before, prompts_of(fitter))
    assert all(line["L_only"] == line["loss"] for line in lines)
    return lines


@pytest.mark.parametrize(("view", "texts"), [(FOREGROUND, CLASSES), (BACKGROUND, BACKGROUND), (FULL, BACKGROUND)])
def test_it_trains_without_an_accuracy(photos: Path, capsys, view: str, texts: str) -> None:
    lines = trained(photos, Only(view, texts), "maple", {"depth": 2})
    assert not any("train/accuracy" in line for line in lines)
    assert not training_flags(lines, 4)
    assert "epoch 2/2  lr" in capsys.readouterr().err


def test_texts_that_depend_on_the_image_are_made_from_the_full_view(photos: Path) -> None:
    lines = trained(photos, Only(FOREGROUND, CLASSES), "cocoop", {})
    assert all("train/accuracy" in line for line in lines)
