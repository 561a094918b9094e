"""The share of the background, by hand: Shapley values of two players in log-odds."""

from __future__ import annotations

import math

import pytest
import torch

from dapt.model.decision import Evidence, evidence_of, log_odds


def two(*odds: float) -> torch.Tensor:
    """Logits of two classes whose first has these log-odds."""
    return torch.tensor([[value, 0.0] for value in odds])


def test_log_odds_are_those_of_the_softmax() -> None:
    logits = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]]).log()
    found = log_odds(logits, torch.tensor([0, 2])).tolist()
    assert found == pytest.approx([math.log(0.7 / 0.3), math.log(0.3 / 0.7)])


def test_sure_models_have_finite_odds() -> None:
    assert log_odds(two(1000.0), torch.tensor([0])).tolist() == [1000.0]
    assert log_odds(two(1000.0), torch.tensor([1])).tolist() == [-1000.0]


def test_by_hand() -> None:
    (found,) = evidence_of(two(3), two(2), two(1), two(-1))
    assert found is not None
    # alone the foreground adds 2 - -1 = 3, beside the background 3 - 1 = 2; the background 1 - -1 = 2 and 3 - 2 = 1
    assert (found.foreground, found.background) == (2.5, 1.5)
    assert found.foreground + found.background == found.whole - found.empty == 4
    assert found.background_share == 1.5 / 4


def test_the_class_is_the_one_decided_for_on_the_whole_image() -> None:
    whole, front = torch.tensor([[0.0, 5.0, 1.0]]), torch.tensor([[9.0, 1.0, 1.0]])
    (found,) = evidence_of(whole, front, whole, torch.zeros(1, 3))
    assert found is not None
    assert found.whole == pytest.approx(log_odds(whole, torch.tensor([1])).item())
    assert found.foreground < 0, "the foreground alone is another class"
    assert found.background_share == 1.0


@pytest.mark.parametrize(
    ("foreground", "background", "share"),
    [(1.0, 1.0, 0.5), (3.0, -1.0, 0.0), (-1.0, 3.0, 1.0), (0.0, 0.0, None), (-1.0, -2.0, None), (0.0, 2.0, 1.0)],
)
def test_what_speaks_against_has_no_share(foreground: float, background: float, share: float | None) -> None:
    assert Evidence(foreground, background, 0.0, 0.0).background_share == share


def test_a_part_that_changes_nothing_has_no_share() -> None:
    (found,) = evidence_of(two(4), two(4), two(-2), two(-2))
    assert found is not None
    assert (found.foreground, found.background, found.background_share) == (6.0, 0.0, 0.0)


def test_of_a_single_class_there_is_nothing_to_decide() -> None:
    one = torch.ones(2, 1)
    assert evidence_of(one, one, one, one[:1]) == [None, None]


def test_many_images_share_one_empty_view() -> None:
    torch.manual_seed(0)
    whole, front, back = torch.randn(3, 4, 5).unbind(0)
    empty = torch.randn(1, 5)
    together = evidence_of(whole, front, back, empty)
    for n in range(4):
        (alone,) = evidence_of(whole[n : n + 1], front[n : n + 1], back[n : n + 1], empty)
        assert together[n] == alone


def test_whether_the_image_adds_anything() -> None:
    (sure,) = evidence_of(two(3), two(2), two(1), two(-1))
    (surer_without,) = evidence_of(two(3), two(2), two(5), two(6))
    assert sure is not None
    assert surer_without is not None
    assert (sure.adds, surer_without.adds) == (True, False)
