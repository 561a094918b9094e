"""Coreset selection: small cases by hand, and what must hold for every method."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from dapt.errors import ConfigError, DataError
from dapt.selection.base import SELECTORS, Candidates, Pick, Selector, top
from dapt.selection.cal import Cal, CalOptions
from dapt.selection.craig import Craig
from dapt.selection.forgetting import count_forgotten
from dapt.selection.glister import Glister, GlisterOptions
from dapt.selection.gradients import GradientFactors
from dapt.selection.grand import GraNd
from dapt.selection.greedy import FacilityLocation, GraphCut, lazy_greedy, plain_greedy
from dapt.selection.herding import Herding
from dapt.selection.submodular import Submodular, SubmodularOptions
from dapt.selection.uncertainty import Uncertainty, UncertaintyOptions

NAMES = ["cal", "craig", "forgetting", "glister", "grand", "herding", "submodular", "uncertainty", "uniform"]


def candidates(count: int = 30, classes: int = 3, size: int = 8, seed: int = 0) -> Candidates:
    generator = torch.Generator().manual_seed(seed)

    def part(number: int) -> Candidates:
        labels = torch.arange(number) % classes
        features = F.normalize(torch.randn(number, size, generator=generator), dim=1)
        return Candidates(labels, features, 10 * features @ texts.t(), texts)

    texts = F.normalize(torch.randn(classes, size, generator=generator), dim=1)
    whole = part(count)
    forgotten = torch.randint(0, 4, (count,), generator=generator)
    return Candidates(whole.labels, whole.features, whole.logits, texts, part(12), forgotten)


def test_all_nine_are_there() -> None:
    assert SELECTORS.names() == NAMES
    with pytest.raises(ConfigError, match="herding"):
        SELECTORS.get("hearding")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("legacy", [False, True])
def test_budgets(name: str, legacy: bool) -> None:
    given_ = candidates()
    selector = SELECTORS.get(name)(legacy=legacy)
    for fraction, per_class in ((0.1, 1), (0.25, 2), (0.5, 5), (1.0, 10)):
        found = selector.select(given_, fraction)
        assert len(found.index) == len(set(found.index)) == 3 * per_class
        assert torch.bincount(given_.labels[list(found.index)]).tolist() == [per_class] * 3
        assert len(selector.select(given_, fraction, balanced=False).index) == round(fraction * 30)
    with pytest.raises(DataError, match="leaves no image"):
        selector.select(given_, 0.0)
    with pytest.raises(DataError, match="not between 0 and 1"):
        selector.select(given_, 1.5)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "uniform"])
def test_the_order_of_the_images_does_not_matter(name: str) -> None:
    """The same images are chosen when they are given in another order (ties apart: these have none)."""
    given_ = candidates(seed=3)
    given_ = Candidates(
        given_.labels, given_.features, given_.logits, given_.texts, given_.val, torch.randperm(30).float()
    )
    order = torch.randperm(30, generator=torch.Generator().manual_seed(1))
    first = SELECTORS.get(name)().select(given_, 0.3)
    second = SELECTORS.get(name)().select(given_.rows(order), 0.3)
    assert {int(order[place]) for place in second.index} == set(first.index)


@pytest.mark.parametrize("name", NAMES)
def test_duplicates_and_tiny_classes_are_no_error(name: str) -> None:
    given_ = candidates()
    twice = given_.rows(torch.tensor([0, 0, 0, 1, 4, 4, 2]))
    for balanced in (True, False):
        found = SELECTORS.get(name)().select(twice, 0.6, balanced=balanced)
        assert len(set(found.index)) == len(found.index) > 0


def test_uniform_draws_by_seed() -> None:
    given_ = candidates()
    kind = SELECTORS.get("uniform")
    other = Candidates(given_.labels, given_.features, given_.logits, given_.texts, seed=2)
    assert kind().select(given_, 0.3) == kind().select(given_, 0.3)
    assert kind().select(given_, 0.3) != kind().select(other, 0.3)


def test_uncertainty_by_hand() -> None:
    probabilities = torch.tensor([[0.5, 0.3, 0.2], [0.48, 0.47, 0.05], [0.9, 0.05, 0.05]])
    part = Candidates(torch.zeros(3, dtype=torch.long), torch.eye(3), probabilities.log(), torch.eye(3))
    assert Uncertainty(UncertaintyOptions(score="margin")).certainty(part).tolist() == pytest.approx(
        [0.2, 0.01, 0.85], abs=1e-6
    )
    assert Uncertainty(UncertaintyOptions(score="margin")).pick(part, 3).index == [1, 0, 2]
    entropy = -(0.5 * math.log(0.5) + 0.3 * math.log(0.3) + 0.2 * math.log(0.2))
    assert float(Uncertainty(UncertaintyOptions(score="entropy")).certainty(part)[0]) == pytest.approx(
        -entropy, abs=1e-6
    )
    assert Uncertainty(UncertaintyOptions(score="entropy")).pick(part, 1).index == [0]
    assert Uncertainty(UncertaintyOptions(score="least_confidence")).pick(part, 1).index == [1]
    shifted = Candidates(part.labels, part.features, part.logits + torch.tensor([[0.0], [9.0], [0.0]]), part.texts)
    assert Uncertainty(UncertaintyOptions(score="least_confidence")).pick(shifted, 1).index == [1]
    assert Uncertainty(UncertaintyOptions(score="least_confidence"), legacy=True).pick(shifted, 1).index == [0]


def test_released_uncertainty_with_one_budget_takes_the_most_certain() -> None:
    part = candidates()
    certainty = Uncertainty().certainty(part)
    for balanced in (True, False):
        ours = Uncertainty().select(part, 0.2, balanced=balanced).index
        released = Uncertainty(legacy=True).select(part, 0.2, balanced=balanced).index
        assert (set(ours) == set(released)) == balanced
    assert set(released) == set(top(certainty, 6, largest=True))


def test_herding_by_hand() -> None:
    features = torch.tensor([[0.0, 0.0], [1.0, 0.0], [4.0, 0.0], [1.5, 0.0]])
    part = Candidates(torch.zeros(4, dtype=torch.long), features, torch.zeros(4, 1), torch.zeros(1, 2))
    assert Herding().pick(part, 2).index == [3, 1]  # mean 1.625: 1.5 first, then 3.25 - 1.5 = 1.75 is nearest to 1
    assert Herding(legacy=True).pick(part, 1).index == [2]


def test_factors_are_the_gradients() -> None:
    generator = torch.Generator().manual_seed(0)
    features, labels = torch.randn(6, 4, generator=generator), torch.tensor([0, 1, 2, 0, 1, 2])
    weight, bias = torch.randn(3, 4, generator=generator), torch.randn(3, generator=generator)
    rows = []
    for feature, label in zip(features, labels, strict=True):
        w, b = weight.clone().requires_grad_(), bias.clone().requires_grad_()
        F.cross_entropy((w @ feature + b)[None], label[None]).backward()
        rows.append(torch.cat([b.grad, w.grad.flatten()]))
    full = torch.stack(rows)
    factors = GradientFactors.of(features @ weight.t() + bias, features, labels)
    assert torch.allclose(factors.products(factors).float(), full @ full.t(), atol=1e-5)
    assert torch.allclose(factors.squared_norms().float(), full.square().sum(dim=1), atol=1e-5)
    assert torch.allclose(factors.distances(factors).float(), torch.cdist(full, full), atol=1e-3)
    cosines = F.cosine_similarity(full[:, None], full[None], dim=2)
    assert torch.allclose(factors.cosines(factors).float(), cosines, atol=1e-4)


def test_grand_takes_the_largest_gradients() -> None:
    part = candidates().rows(torch.arange(0, 30, 3))
    norms = part.gradients().squared_norms()
    assert GraNd().pick(part, 3).index == norms.argsort(descending=True)[:3].tolist()


MATRICES = st.integers(2, 7).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 20), min_size=n, max_size=n), min_size=n, max_size=n)
)


@given(MATRICES, st.integers(1, 4), st.sampled_from([GraphCut, FacilityLocation]))
def test_lazy_equals_plain_greedy(rows: list[list[int]], budget: int, kind: type) -> None:
    matrix = torch.tensor(rows, dtype=torch.double)
    matrix = matrix + matrix.t()
    budget = min(budget, len(matrix))
    lazy, plain = (greedy(kind(len(matrix), lambda i: matrix[i]), budget) for greedy in (lazy_greedy, plain_greedy))
    assert lazy == plain


@given(MATRICES, st.integers(1, 3))
def test_greedy_facility_location_is_near_the_best_set(rows: list[list[int]], budget: int) -> None:
    """At least 1 - 1/e of the optimum found by trying every set (Nemhauser et al. 1978)."""
    matrix = torch.tensor(rows, dtype=torch.double)
    matrix = matrix + matrix.t()
    budget = min(budget, len(matrix))

    def value(chosen) -> float:
        return float(matrix[list(chosen)].amax(dim=0).sum())

    best = max(value(chosen) for chosen in itertools.combinations(range(len(matrix)), budget))
    assert (
        value(lazy_greedy(FacilityLocation(len(matrix), lambda i: matrix[i]), budget)) >= (1 - 1 / math.e) * best - 1e-9
    )


def test_graph_cut_gain_is_the_documented_one() -> None:
    matrix = torch.tensor([[1.0, 0.5, 0.2], [0.5, 1.0, 0.3], [0.2, 0.3, 1.0]])
    function = GraphCut(3, lambda i: matrix[i])
    assert function.all_gains().tolist() == pytest.approx([1.7, 1.8, 1.5])
    function.add(1)
    assert function.gains(torch.tensor([0, 2])).tolist() == pytest.approx([0.7, 0.9])


def test_submodular_spreads_over_groups_of_like_gradients() -> None:
    labels = torch.zeros(6, dtype=torch.long)
    logits = torch.tensor([[0.0, 2.0, 0.0]] * 3 + [[0.0, 0.0, 2.0]] * 3)
    features = torch.eye(2).repeat_interleave(3, dim=0)
    part = Candidates(labels, features, logits, torch.zeros(3, 2))
    for function in ("graph_cut", "facility_location"):
        first, second = Submodular(SubmodularOptions(function=function)).pick(part, 2).index
        assert {first // 3, second // 3} == {0, 1}


def test_craig_weights_count_whom_each_represents() -> None:
    labels = torch.zeros(5, dtype=torch.long)
    logits = torch.tensor([[0.0, 3.0]] * 4 + [[3.0, 0.0]])
    part = Candidates(labels, torch.ones(5, 2) / 2**0.5, logits, torch.zeros(2, 2))
    found = Craig().pick(part, 2)
    assert {place in (0, 1, 2, 3) for place in found.index} == {True, False}
    by_place = dict(zip(found.index, found.weights, strict=True))
    assert by_place.pop(4) == 1
    assert list(by_place.values()) == [4]
    selection = Craig().select(candidates(), 0.3)
    assert sum(selection.weights) == 30


def test_cal_by_hand() -> None:
    """Two near pairs; in one of them the images are answered differently."""
    features = torch.tensor([[0.0, 0.0], [0.0, 0.1], [5.0, 0.0], [5.0, 0.1]])
    probabilities = torch.tensor([[0.5, 0.5], [0.5, 0.5], [0.9, 0.1], [0.1, 0.9]])
    part = Candidates(torch.zeros(4, dtype=torch.long), features, probabilities.log(), torch.zeros(2, 2))
    found = Cal(CalOptions(neighbours=1)).divergence(part)
    symmetric = 0.8 * math.log(9.0)
    assert found.tolist() == pytest.approx([0.0, 0.0, symmetric, symmetric], abs=1e-5)
    assert Cal(CalOptions(neighbours=1)).pick(part, 2).index == [2, 3]
    assert Cal(CalOptions(neighbours=1), legacy=True).pick(part, 2).index == [0, 1]


def test_glister_takes_what_helps_validation() -> None:
    """The image that is wrong in the same way as the validation image helps it; one that is right does not."""
    texts = torch.eye(2)
    val = Candidates(torch.tensor([0]), torch.tensor([[1.0, 0.0]]), torch.tensor([[-2.0, 2.0]]), texts)
    part = Candidates(
        torch.zeros(2, dtype=torch.long),
        torch.tensor([[1.0, 0.0], [1.0, 0.0]]),
        torch.tensor([[5.0, -5.0], [-2.0, 2.0]]),
        texts,
        val,
    )
    assert Glister().pick(part, 1).index == [1]
    lonely = Candidates(part.labels, part.features, part.logits, texts)
    with pytest.raises(DataError, match="validation images"):
        Glister().pick(lonely, 1)


def test_glister_renews_the_validation_gradient() -> None:
    given_ = candidates(seed=5)
    slow, fast = (Glister(GlisterOptions(rate=rate)).select(given_, 0.5).index for rate in (0.0, 5.0))
    assert slow != fast


def test_forgetting_counts_losses() -> None:
    correct = torch.tensor([[1, 0, 1], [0, 0, 1], [1, 1, 1], [0, 0, 1]], dtype=torch.bool)
    assert count_forgotten(correct).tolist() == [2, 1, 0]
    assert count_forgotten(correct[:1]).tolist() == [0, 0, 0]
    with pytest.raises(DataError, match="none"):
        SELECTORS.get("forgetting")().pick(Candidates(*(torch.zeros(2, 2),) * 4), 1)


def test_equal_scores_keep_their_order() -> None:
    assert top(torch.tensor([1.0, 2.0, 1.0, 2.0]), 4, largest=True) == [1, 3, 0, 2]
    assert top(torch.tensor([1.0, 2.0, 1.0, 2.0]), 3, largest=False) == [0, 2, 1]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([0, 1], "gave a list, not a Pick"),
        (Pick([0, 0]), "chose an image twice"),
        (Pick([0, 9]), "chose 2 of 3 images"),
        (Pick([0, 1, 2]), "chose 3 of 3 images where 2"),
        (Pick([0, 1], [1.0]), "gave 1 weights to 2 images"),
    ],
)
def test_mistakes_of_a_selector_are_named(made: object, said: str) -> None:
    class Own(Selector):
        def pick(self, part: Candidates, count: int) -> Pick:
            return made

    part = Candidates(torch.zeros(3, dtype=torch.long), *(torch.zeros(3, 2),) * 3)
    with pytest.raises(DataError, match=f"The selector Own {said}"):
        Own().select(part, 0.7)
