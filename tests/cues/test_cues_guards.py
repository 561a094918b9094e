"""Areas and trust: what is left out, what the others weigh, and that the defaults change nothing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from dapt.cues.base import CueReport
from dapt.cues.guards import guard, trust_of, trust_summary, within
from dapt.dapt_options import DaptOptions
from dapt.data.items import Item
from dapt.errors import DataError

NAMES = ["none", "empty", "tiny", "quarter", "half", "most"]
ITEMS = [Item(Path(name), 0, name) for name in NAMES]


def share(part: float) -> Tensor:
    mask = torch.zeros(10, 10, dtype=torch.bool)
    mask.view(-1)[: round(100 * part)] = True
    return mask


def prepared(scores: dict[str, float] | None = None) -> tuple[SimpleNamespace, list[Tensor | None]]:
    report = CueReport(scores=scores or {})
    parts = [None, share(0), share(0.01), share(0.25), share(0.5), share(0.97)]
    masks = [report.add(name, mask) for name, mask in zip(NAMES, parts, strict=True)]
    return SimpleNamespace(name="mine", report=report), masks


def kept(masks: list[Tensor | None]) -> list[str]:
    return [name for name, mask in zip(NAMES, masks, strict=True) if mask is not None]


def test_by_default_nothing_is_touched() -> None:
    cue, masks = prepared({"half": 0.5})
    report = cue.report
    found = guard(cue, ITEMS, masks, DaptOptions())
    assert found.trust is None
    assert all(mask is same for mask, same in zip(found.masks, masks, strict=True))
    assert cue.report is report
    assert set(report.counts()) == {
        *("cue_images", "cue_usable", "cue_empty", "cue_full", "cue_missing", "cue_bad"),
    }


def test_areas_outside_are_left_out_counted_and_named() -> None:
    cue, masks = prepared()
    found = guard(cue, ITEMS, masks, DaptOptions(min_area=0.02, max_area=0.9))
    assert kept(found.masks) == ["quarter", "half"]
    assert (cue.report.small, cue.report.large) == (["tiny"], ["most"])
    assert cue.report.coverage == [0.25, 0.5]
    counts = cue.report.counts()
    assert (counts["cue_usable"], counts["cue_small"], counts["cue_large"]) == (2, 1, 1)
    assert cue.report.summary() == (
        "foreground cues: 2 of 6 images, mean coverage 38%; the DAPT terms skip 4 images (1 empty, 1 without a file, "
        "1 smaller than dapt.min_area, 1 larger than dapt.max_area)"
    )


def test_one_image_is_one() -> None:
    report = CueReport(2, empty=["a"], coverage=[0.5])
    assert report.summary().endswith("the DAPT terms skip 1 image (1 empty)")


def test_the_limits_themselves_are_inside() -> None:
    cue, masks = prepared()
    report, found = within(cue.report, ITEMS, masks, 0.25, 0.5)
    assert kept(found) == ["quarter", "half"]
    assert (report.small, report.large) == (["tiny"], ["most"])
    report, found = within(cue.report, ITEMS, masks, 0.0, 1.0)
    assert kept(found) == kept(masks)
    assert (report.small, report.large, report.counts()["cue_small"]) == ([], [], 0)


def test_the_area_of_a_soft_map_is_its_mean() -> None:
    soft = torch.full((4, 4), 0.3)
    report = CueReport()
    report.add("half", soft)
    _, found = within(report, ITEMS[4:5], [soft], 0.2, 0.4)
    assert found == [soft]
    _, found = within(report, ITEMS[4:5], [soft], 0.35, 0.4)
    assert found == [None]


def test_weights_by_hand() -> None:
    """The mean over images with a mask is 1; images without a score or a mask weigh 1."""
    cue, masks = prepared({"empty": 1.0, "tiny": 0.1, "quarter": 0.2, "half": 0.9})
    weights = trust_of(cue, ITEMS, masks)
    assert weights.dtype == torch.float32
    assert weights.tolist() == pytest.approx([1.0, 1.0, 0.25, 0.5, 2.25, 1.0])


def test_a_mask_left_out_for_its_area_is_not_in_the_mean() -> None:
    cue, masks = prepared({"tiny": 1.0, "quarter": 0.2, "half": 0.6})
    found = guard(cue, ITEMS, masks, DaptOptions(min_area=0.02, trust="score"))
    assert found.trust.tolist() == pytest.approx([1.0, 1.0, 1.0, 0.5, 1.5, 1.0])


@pytest.mark.parametrize("score", [0.0, 1e-12, 0.1, 1 / 3, 1.0])
def test_equal_scores_weigh_exactly_one(score: float) -> None:
    cue, masks = prepared(dict.fromkeys(NAMES, score))
    assert torch.equal(trust_of(cue, ITEMS, masks), torch.ones(6))
    assert trust_summary(cue, ITEMS)[1]


@pytest.mark.parametrize("scores", [{"none": 0.1, "empty": 0.2, "tiny": 0.5, "half": 0.5}, {"none": 0.3, "half": 0.4}])
def test_scores_that_differ_only_where_no_mask_is_used_change_nothing(scores: dict[str, float]) -> None:
    cue, masks = prepared(scores)
    text, changes_nothing = trust_summary(cue, ITEMS, trust_of(cue, ITEMS, masks))
    assert changes_nothing
    assert text == (
        f"dapt.trust=score changes nothing: the cue mine gives scores to {len(scores)} of 6 images, and those of "
        "the masks in use are all alike."
    )


def test_no_image_can_weigh_too_much_to_compute_with() -> None:
    cue, masks = prepared({"empty": 1.0, "tiny": 0.0, "quarter": 0.0, "half": 5e-324, "most": 0.0})
    weights = trust_of(cue, ITEMS, masks)
    assert bool(torch.isfinite(weights).all())


@pytest.mark.parametrize("score", [-0.1, 1.01, float("nan"), float("inf")])
def test_scores_that_are_none_are_refused(score: float) -> None:
    cue, masks = prepared({"half": score, "quarter": 0.5})
    with pytest.raises(DataError, match=r"The cue mine gave scores that are not from 0 to 1: .* for half"):
        guard(cue, ITEMS, masks, DaptOptions(trust="score"))
    assert guard(cue, ITEMS, masks, DaptOptions()).trust is None


def test_what_is_said_of_scores() -> None:
    assert trust_summary(prepared()[0], ITEMS) == (
        "dapt.trust=score changes nothing: the cue mine gives no scores, so all images weigh 1.",
        True,
    )
    text, changes_nothing = trust_summary(prepared({"tiny": 0.25, "half": 0.75})[0], ITEMS)
    assert not changes_nothing
    assert text == (
        "dapt.trust=score: 2 of 6 images have a score, from 0.25 to 0.75, mean 0.50; the others weigh as the mean"
    )
