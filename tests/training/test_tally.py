"""Figures of an epoch: their sums, and when and in which order they are looked at."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dapt.errors import DaptError
from dapt.training.tally import Tally


def figures(loss: float, **more: float) -> dict[str, Tensor]:
    return {"loss": torch.tensor(loss), **{name: torch.tensor(value) for name, value in more.items()}}


class Looker:
    """Remembers what it was shown; refuses a loss of 0."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, dict[str, float], int]] = []

    def __call__(self, loss: Tensor, figures: dict[str, Tensor], number: int) -> None:
        self.seen.append((float(loss), {name: float(value) for name, value in figures.items()}, number))
        if not loss:
            raise DaptError("zero")


def test_sums_are_over_images() -> None:
    tally = Tally(Looker(), 0)
    tally.add(figures(1.0, L_a=2.0), 6)
    tally.add(figures(2.0, L_a=3.0), 4)
    assert {name: float(value) for name, value in tally.sums().items()} == {"loss": 14.0, "L_a": 24.0}


def test_a_figure_that_is_not_there_every_time() -> None:
    tally = Tally(Looker(), 0)
    tally.add(figures(1.0, L_a=2.0), 1)
    tally.add(figures(2.0, L_b=3.0), 1)
    tally.add(figures(4.0), 2)
    assert {name: float(value) for name, value in tally.sums().items()} == {"loss": 11.0, "L_a": 2.0, "L_b": 3.0}
    assert Tally(Looker(), 0).sums() == {}


def test_steps_are_shown_together_in_their_order() -> None:
    looker = Looker()
    tally = Tally(looker, 3)
    for number in range(4):
        tally.add(figures(1.0 + number, L_a=number), 2)
        assert len(looker.seen) == (3 if number >= 2 else 0)
    tally.look()
    tally.look()
    assert looker.seen == [(1.0 + number, {"L_a": float(number)}, number) for number in range(4)]


def test_figures_that_are_overwritten_were_kept() -> None:
    looker = Looker()
    tally = Tally(looker, 2)
    held = figures(1.0)
    tally.add(held, 1)
    held["loss"].fill_(5.0)
    tally.add(held, 1)
    assert [loss for loss, _, _ in looker.seen] == [1.0, 5.0]
    assert float(tally.sums()["loss"]) == 6.0


def test_the_first_bad_step_is_refused() -> None:
    looker = Looker()
    tally = Tally(looker, 4)
    tally.add(figures(1.0), 1)
    tally.add(figures(0.0, L_a=7.0), 1)
    tally.add(figures(0.0), 1)
    with pytest.raises(DaptError, match="zero"):
        tally.look()
    assert looker.seen[-1] == (0.0, {"L_a": 7.0}, 1)


def test_nothing_is_shown_where_every_step_is_looked_at_elsewhere() -> None:
    looker = Looker()
    tally = Tally(looker, 0)
    tally.add(figures(0.0), 1)
    tally.look()
    assert looker.seen == []
