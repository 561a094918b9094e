"""Explanations made up for tests of how they are shown."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image

from dapt.evaluation.explanation import Answer, Explanation, Look
from dapt.model.decision import Evidence


def made_up(
    path: str = "a/cat.png",
    classes: tuple[str, ...] = ("cat", "dog"),
    titles: tuple[str, ...] = ("before (zero-shot)", "after (maple)"),
    *,
    masked: bool = True,
    attention: bool = True,
) -> Explanation:
    """An explanation of a red picture whose left half is foreground."""
    chances = tuple(0.5**n for n in range(1, len(classes) + 1))
    answer = Answer(classes, chances, chances[0])
    mask = torch.zeros(1, 32, 32)
    mask[..., :16] = 1
    look = Look(
        whole=answer,
        foreground=answer if masked else None,
        background=Answer(classes[1:], chances[1:], 0.001) if masked else None,
        empty=answer,
        evidence=Evidence(3.0, 1.0, 2.0, -2.0) if masked else None,
        attention=torch.rand(4, 4) if attention else None,
        on_foreground=0.25 if masked and attention else None,
        maps={"gradcam": torch.rand(32, 32), "other": None},
    )
    red = torch.zeros(3, 32, 32)
    red[0] = 1
    return Explanation(
        path=Path(path),
        size=(48, 64),
        picture=Image.new("RGB", (64, 48), "red"),
        picture_mask=mask[0, :1].expand(48, 32).repeat_interleave(2, 1) if masked else None,
        seen=red,
        hidden=(0.0, 0.0, 1.0),
        mask=mask if masked else None,
        problem="" if masked else "no foreground was found",
        looks=dict.fromkeys(titles, look),
    )
