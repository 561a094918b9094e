"""Guards against poor cues while the masks are made anew: areas and scores are those of the last refresh."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from dapt.cues.gradcam import GradCamCue
from dapt.cues.guards import trust_of
from fitters import figures, make_fitter, prompts_of, resumed, same, stopped

POOR = {"variant": "joint", "min_area": 0.2, "max_area": 0.45, "trust": "score"}


@pytest.fixture
def _scored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grad-CAM whose confidence in a map is its mean, so that scores follow the prompts."""
    prepare = GradCamCue.prepare

    def scored(self: GradCamCue, items: Any, model: Any) -> list[torch.Tensor | None]:
        masks = prepare(self, items, model)
        pairs = zip(items, masks, strict=True)
        self.report.scores = {item.name: float(mask.mean()) for item, mask in pairs if mask is not None}
        return masks

    monkeypatch.setattr(GradCamCue, "prepare", scored)


def making(photos: Path, **dapt: Any) -> partial[Any]:
    cue = {"source": "gradcam", "soft": True, "refresh": 2}
    return partial(make_fitter, photos, dapt=dapt, cue=cue, epochs=4)


@pytest.mark.usefixtures("_scored")
def test_a_refresh_renews_areas_and_scores(photos: Path) -> None:
    fitter = making(photos, **POOR)()
    start, report = fitter.images.trust, fitter.cue.report
    assert report.small or report.large
    assert 0 < report.total - report.without < report.total
    fitter.fit()
    assert fitter.cue.report is not report
    assert fitter.cue.report.small is not None
    usable = [mask is not None for mask in fitter.images.masks]
    assert usable.count(True) == fitter.cue.report.total - fitter.cue.report.without
    assert not torch.equal(fitter.images.trust, start)
    assert torch.equal(fitter.images.trust, trust_of(fitter.cue, fitter.images.items, fitter.images.masks))
    weights = fitter.images.trust[torch.tensor(usable)]
    assert float(weights.mean()) == pytest.approx(1.0)


@pytest.mark.long
@pytest.mark.usefixtures("_scored")
def test_a_stopped_run_goes_on_with_the_trust_of_the_last_refresh(photos: Path) -> None:
    make = making(photos, **POOR)
    whole = make()
    whole.fit()
    again = resumed(make, stopped(make, 3))
    assert same(prompts_of(again), prompts_of(whole))
    assert figures(again) == figures(whole)
    assert torch.equal(again.images.trust, whole.images.trust)
    assert again.cue.report == whole.cue.report
    plain = making(photos, **{**POOR, "trust": "none"})()
    plain.fit()
    assert not same(prompts_of(plain), prompts_of(whole))


@pytest.mark.long
@pytest.mark.usefixtures("_scored")
def test_limits_that_hold_everything_change_nothing(photos: Path) -> None:
    """And so do equal weights: with limits nobody reaches, the run is that without, to the bit."""
    plain, wide = making(photos, variant="joint")(), making(photos, variant="joint", min_area=1e-9)()
    assert (plain.cue.report.small, wide.cue.report.small) == (None, [])
    plain.fit()
    wide.fit()
    assert same(prompts_of(plain), prompts_of(wide))


def test_leaving_areas_out_is_leaving_their_masks_out(photos: Path) -> None:
    make = partial(make_fitter, photos, cue={"source": "random", "grid": 3}, epochs=2)
    guarded = make(dapt={"variant": "joint", "min_area": 0.4, "max_area": 0.6})
    by_hand = make(dapt={"variant": "joint"})
    shares = [None if mask is None else float(mask.float().mean()) for mask in by_hand.images.masks]
    kept = [share is not None and 0.4 <= share <= 0.6 for share in shares]
    assert 0 < kept.count(True) < len(kept)
    masks = by_hand.images.masks
    by_hand.images = by_hand.images.with_masks([mask if keep else None for mask, keep in zip(masks, kept, strict=True)])
    guarded.fit()
    by_hand.fit()
    assert same(prompts_of(guarded), prompts_of(by_hand))
    assert figures(guarded) == figures(by_hand)


@pytest.mark.usefixtures("_scored")
def test_masks_that_come_to_nothing_are_said(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fitter = making(photos, **POOR)()
    monkeypatch.setattr(GradCamCue, "prepare", lambda self, items, model: [None for _ in items])
    fitter.fit()
    said = " ".join(capsys.readouterr().err.split())
    assert said.count("Of the masks made anew none is of use, so the DAPT terms rest.") == 1
