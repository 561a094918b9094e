"""Features of frozen towers that later runs read: the same training as through the tower, in fewer passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from dapt.errors import ConfigError
from dapt.model.prompted_clip import PromptedClip
from dapt.training.fit import Fitter
from dapt.training.saved_views import SavedViews
from fitters import make_fitter, prompts_of, resumed, same, stopped
from helpers import make_folder

COOP = {"method": "coop", "prompt": {"n_ctx": 2}, "epochs": 4, "features": "on"}
MASKED = {"dapt": {"variant": "joint"}, "cue": "border"}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos", per_class=4)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The views of every pass through the tower that features are saved of."""
    seen: list[str] = []
    make = PromptedClip.tower_features

    def look(self: PromptedClip, batch: Any, view: str) -> torch.Tensor:
        seen.append(view)
        return make(self, batch, view)

    monkeypatch.setattr(PromptedClip, "tower_features", look)
    return seen


def trained(photos: Path, bank: Path | None, **changes: Any) -> Fitter:
    fitter = make_fitter(photos, bank=bank, **{**COOP, **changes})
    fitter.fit()
    return fitter


@pytest.mark.parametrize("method", ["coop", "cocoop", "kgcoop", "prograd"])
@pytest.mark.parametrize("more", [{}, MASKED], ids=["host", "dapt"])
def test_the_training_is_that_of_fresh_crops(
    photos: Path, tmp_path: Path, passes: list[str], method: str, more: dict[str, Any]
) -> None:
    given = {**more, "method": method, "prompt": {"n_ctx": 2} if method in ("coop", "prograd") else {}}
    kept = trained(photos, tmp_path / "bank", **given)
    assert isinstance(kept.images, SavedViews)
    plain = trained(photos, None, **given)
    assert not isinstance(plain.images, SavedViews)
    for name, value in prompts_of(plain).items():
        assert torch.allclose(value, prompts_of(kept)[name], atol=2e-3), name  # they are kept in half precision
    passes.clear()
    again = trained(photos, tmp_path / "bank", **given)
    assert not passes, "the second run reads all of them"
    assert same(prompts_of(again), prompts_of(kept))


def test_runs_with_and_without_dapt_share_whole_images(photos: Path, tmp_path: Path, passes: list[str]) -> None:
    trained(photos, tmp_path / "bank")
    assert set(passes) == {"full"}
    passes.clear()
    trained(photos, tmp_path / "bank", **MASKED)
    assert "full" not in passes
    assert "foreground" in passes
    passes.clear()
    trained(photos, tmp_path / "bank", cue="border", dapt={"variant": "joint", "fill": "blur"})
    assert set(passes) == {"foreground"}, "other views of the same masks"
    passes.clear()
    trained(photos, tmp_path / "bank", seed=2)
    assert passes, "other crops"


def test_crops_that_show_both_depend_on_the_masks(photos: Path, tmp_path: Path, passes: list[str]) -> None:
    trained(photos, tmp_path / "bank")
    passes.clear()
    trained(photos, tmp_path / "bank", cue="border", dapt={"variant": "joint", "crops": "both"})
    assert "full" in passes


def test_an_image_that_changes_is_seen_anew(photos: Path, tmp_path: Path, passes: list[str]) -> None:
    from PIL import Image

    first = trained(photos, tmp_path / "bank").images.items[0].path
    passes.clear()
    with Image.open(first) as opened:
        changed = opened.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    changed.putpixel((0, 0), (1, 2, 3))
    changed.save(first)
    trained(photos, tmp_path / "bank")
    assert passes


def test_epochs_beyond_the_limit_see_earlier_crops_again(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dapt.runs import kept_features

    fitter = make_fitter(photos, bank=tmp_path / "bank", **COOP)
    count, width = len(fitter.images), fitter.step.model.clip.embed_dim
    monkeypatch.setattr(kept_features, "MEGABYTE", 2 * count * width * 2)
    fitter = make_fitter(photos, bank=tmp_path / "bank", **{**COOP, "features_mb": 1})
    said = capsys.readouterr().err
    assert "Only 2 of 4 epochs have crops of their own" in said
    assert isinstance(fitter.images, SavedViews)
    assert [fitter.images.view_of(epoch) for epoch in range(4)] == [0, 1, 0, 1]


@pytest.mark.parametrize(("views", "each"), [(0, 4), (3, 3), (9, 4)])
def test_of_a_methods_own_views_those_beyond_the_limit_are_not_kept(
    photos: Path,
    tmp_path: Path,
    passes: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    views: int,
    each: int,
) -> None:
    from dapt.runs import kept_features

    given = {"method": "prolip", "prompt": {"views": views, "anchor": 0.1}, "optimizer": "adam", "lr": 1e-3}
    unlimited = trained(photos, tmp_path / "other", **given)
    said = capsys.readouterr().err
    count, width = len(unlimited.images), unlimited.step.model.clip.image.width
    assert f"features of {each} views of {count} images are kept" in said
    assert "Only" not in said
    monkeypatch.setattr(kept_features, "MEGABYTE", 2 * count * width * 2)  # two views
    one = trained(photos, tmp_path / "bank", features_mb=1, **given)
    assert f"Only {2} of {each} views fit (features_mb), every run computes the others." in capsys.readouterr().err
    kept = [path.stat().st_size for path in (tmp_path / "bank").rglob("*.safetensors")]
    assert sum(size > count * width for size in kept) == 2
    passes.clear()
    again = trained(photos, tmp_path / "bank", features_mb=1, **given)
    assert len(passes) == each - 2
    assert same(prompts_of(again), prompts_of(one))
    assert same(prompts_of(again), prompts_of(unlimited)), "the crops are the same, rounded alike"


def test_an_interrupted_run_goes_on_to_the_same_bits(photos: Path, tmp_path: Path) -> None:
    def make(**more: Any) -> Fitter:
        return make_fitter(photos, bank=tmp_path / "bank", **COOP, **more)

    whole = make()
    whole.fit()
    state = stopped(make, 2)
    assert same(prompts_of(resumed(make, state)), prompts_of(whole))


def test_a_method_within_the_tower_is_refused_or_does_without(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError, match="maple trains within the image tower"):
        make_fitter(photos, bank=tmp_path, features="on")
    fitter = make_fitter(photos, bank=tmp_path, features="auto")
    assert not isinstance(fitter.images, SavedViews)
    assert "none are kept, as maple trains within the image tower" in capsys.readouterr().err


def test_methods_with_views_of_their_own_keep_them_too(photos: Path, tmp_path: Path, passes: list[str]) -> None:
    given = {"method": "prolip", "prompt": {"views": 3, "anchor": 0.1}, "optimizer": "adam", "lr": 1e-3}
    one = trained(photos, tmp_path / "bank", **given)
    assert len(passes) == 3
    passes.clear()
    other = trained(photos, tmp_path / "bank", **given)
    assert not passes
    assert same(prompts_of(one), prompts_of(other))


def test_damaged_files_are_said_and_replaced(
    photos: Path, tmp_path: Path, passes: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    first = trained(photos, tmp_path / "bank")
    for path in (tmp_path / "bank").rglob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:20])
    passes.clear()
    second = trained(photos, tmp_path / "bank")
    assert passes, "there is nothing to read"
    assert "is damaged" in capsys.readouterr().err
    passes.clear()
    third = trained(photos, tmp_path / "bank")
    assert not passes, "the second training has replaced them"
    assert "is damaged" not in capsys.readouterr().err
    assert same(prompts_of(first), prompts_of(second))
    assert same(prompts_of(second), prompts_of(third))
