"""Cues: Grad-CAM without side effects, files, random grids, and their counts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from dapt.clip.prompts import Prompts
from dapt.config import make_config
from dapt.cues.base import CUES, CueContext
from dapt.data.load.image_cache import ImageCache
from dapt.data.resolve import load_data
from dapt.errors import ConfigError, DataError, NotSupportedError
from dapt.model.build import build_model
from dapt.model.grad_cam import grad_cam, normalise_maps
from helpers import classifier_of, make_csv, tiny_clip


def cue(source: str, *, folder: Path | None = None, skip_bad: bool = False, seed: int = 1, **options: object):
    kind = CUES.get(source)
    context = CueContext(kind.options_type(**options), folder, "binary", skip_bad, ImageCache(0), seed)
    return kind(context)


@pytest.fixture
def data(tmp_path: Path):
    return load_data(str(make_csv(tmp_path / "table")))


@pytest.fixture
def model(data):
    return build_model(make_config({"data": "-", "method": "maple", "depth": 3}), tiny_clip(), data.names)


def test_grad_cam_changes_nothing(model) -> None:
    clip = model.clip
    before = {name: value.clone() for name, value in clip.model.state_dict().items()}
    hooks = len(clip.image.last_norm()._forward_hooks)
    prompts = model.prompts()
    pixels, labels = torch.randn(3, 3, 32, 32), torch.tensor([0, 1, 2])
    result = grad_cam(classifier_of(clip, prompts, model.text_features(prompts)), pixels, labels)
    assert result.coarse.shape == (3, 4, 4)
    assert float(result.coarse.min()) >= 0
    assert float(result.gradients.abs().max()) > 0
    assert len(clip.image.last_norm()._forward_hooks) == hooks
    assert all(parameter.grad is None for parameter in [*clip.model.parameters(), *model.parameters()])
    assert all(torch.equal(before[name], value) for name, value in clip.model.state_dict().items())
    assert not clip.model.training


def test_grad_cam_of_an_image_does_not_depend_on_its_batch(model) -> None:
    prompts = model.prompts()
    texts = model.text_features(prompts)
    pixels, labels = torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 2, 3])
    together = normalise_maps(grad_cam(classifier_of(model.clip, prompts, texts), pixels, labels).coarse, (32, 32))
    alone = normalise_maps(
        grad_cam(classifier_of(model.clip, prompts, texts), pixels[1:2], labels[1:2]).coarse, (32, 32)
    )
    assert torch.allclose(together[1], alone[0], atol=1e-4)


def test_grad_cam_matches_a_full_backward(model) -> None:
    """Differentiating the last block only equals differentiating the whole tower."""
    clip, prompts = model.clip, model.prompts()
    texts = model.text_features(prompts).detach()
    pixels, labels = torch.randn(2, 3, 32, 32), torch.tensor([1, 0])
    kept = []
    handle = clip.image.last_norm().register_forward_hook(lambda m, a, out: kept.append(out))
    features = clip.encode_image(pixels.requires_grad_(), prompts)
    handle.remove()
    logits = clip.logits(features, texts)
    score = logits.gather(1, labels.view(-1, 1)).sum() / logits.numel()
    (expected,) = torch.autograd.grad(score, kept[0])
    result = grad_cam(classifier_of(clip, prompts, texts), pixels.detach(), labels)
    assert torch.allclose(result.gradients, expected, atol=1e-6)
    assert torch.allclose(result.score, score, atol=1e-6)


def test_grad_cam_keeps_nothing_of_the_blocks_below_the_last() -> None:
    kept = []
    for layers in (2, 6):
        clip = tiny_clip(
            vision_cfg={"image_size": 32, "layers": layers, "width": 32, "head_width": 16, "patch_size": 8}
        )
        prompts = Prompts(visual_ctx=torch.randn(2, 32, requires_grad=True))
        texts = clip.encode_text(clip.tokenizer.plain(["a cat.", "a dog."]))
        count: list[int] = []
        with torch.autograd.graph.saved_tensors_hooks(lambda tensor, seen=count: seen.append(1) or tensor, lambda t: t):
            grad_cam(classifier_of(clip, prompts, texts), torch.randn(2, 3, 32, 32), torch.tensor([0, 1]))
        kept.append(len(count))
    assert kept[0] == kept[1] > 0


def test_normalisation() -> None:
    coarse = torch.tensor([[[0.0, 2e-7], [4e-7, 0.0]], [[0.0, 1.0], [0.0, 0.0]]])
    by_image = normalise_maps(coarse, (8, 8), "image")
    assert by_image.flatten(1).amax(dim=1).tolist() == pytest.approx([1.0, 1.0])
    by_batch = normalise_maps(coarse, (8, 8), "batch")
    assert float(by_batch[1].max()) == pytest.approx(1.0, abs=1e-5)
    assert float(by_batch[0].max()) < 1e-6
    assert float(normalise_maps(torch.zeros(1, 2, 2), (4, 4)).max()) == 0.0


def test_grad_cam_cue(data, model) -> None:
    source = cue("gradcam", batch_size=5)
    masks = source.prepare(data.split("train"), model)
    assert source.follows_prompts
    assert len(masks) == 16
    assert all(mask is None or set(mask.unique().tolist()) <= {0.0, 1.0} for mask in masks)
    soft = cue("gradcam", soft=True).prepare(data.split("train"), model)
    assert any(mask is not None and len(mask.unique()) > 2 for mask in soft)
    strict, loose = (
        cue("gradcam", threshold=threshold).prepare(data.split("train"), model) for threshold in (0.9, 0.1)
    )
    shares = [[float(m.float().mean()) for m in masks if m is not None] for masks in (strict, loose)]
    assert sum(shares[0]) < sum(shares[1])


def test_grad_cam_needs_a_vit(data) -> None:
    clip = tiny_clip(vision_cfg={"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16})
    model = build_model(make_config({"data": "-", "method": "coop"}), clip, data.names)
    with pytest.raises(NotSupportedError, match="no transformer blocks"):
        cue("gradcam").prepare(data.split("train"), model)


def test_file_cues_count_what_they_find(data, tmp_path: Path) -> None:
    items = data.split("train")
    Image.new("L", (48, 40), 0).save(items[0].mask)
    Image.new("L", (48, 40), 255).save(items[1].mask)
    items[2].mask.unlink()
    items[3].mask.write_bytes(b"no picture")
    with pytest.raises(DataError, match="no mask"):
        cue("masks").prepare(items, None)
    source = cue("masks", skip_bad=True)
    masks = source.prepare(items, None)
    assert [mask is None for mask in masks[:5]] == [True, True, True, True, False]
    assert source.report.counts() == {
        "cue_images": 16,
        "cue_usable": 12,
        "cue_empty": 1,
        "cue_full": 1,
        "cue_missing": 0,
        "cue_bad": 2,
    }
    assert "12 of 16 images" in source.report.summary()
    assert "skip 4 images (1 empty, 1 full, 2 unreadable)" in source.report.summary()


def test_mirrored_masks(photos: Path) -> None:
    items = load_data(str(photos)).split("train")
    folder = photos.parent / "photos-masks"
    masks = cue("masks", folder=folder).prepare(items, None)
    assert all(mask is not None and mask.shape == (40, 48) for mask in masks)
    nowhere = cue("masks", folder=photos.parent)
    assert nowhere.prepare(items, None) == [None] * len(items)
    assert len(nowhere.report.missing) == len(items)


def test_random_grid_is_fixed_by_seed_and_name(data) -> None:
    items = data.split("train")
    first, again, other = (cue("random", seed=seed, grid=4).prepare(items, None) for seed in (1, 1, 2))
    assert all(a is b is None or torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert any(a is None or b is None or not torch.equal(a, b) for a, b in zip(first, other, strict=True))
    assert all(mask.shape == (4, 4) for mask in first if mask is not None)
    assert all(mask is None for mask in cue("random", hide=1.0).prepare(items, None))


def test_no_cue(data) -> None:
    source = cue("none")
    assert source.prepare(data.split("train"), None) == [None] * 16
    assert source.report.without == 16


def test_unknown_cue() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'gradcam'"):
        CUES.get("grad-cam")
