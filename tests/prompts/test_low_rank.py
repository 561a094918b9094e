"""CLIP-LoRA: the updates act as defined, train alone, leave the backbone as it is, and agree with every saving."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import open_clip
import pytest
import torch
from safetensors.torch import load_file

from dapt.clip.adapters import Place
from dapt.clip.frozen import FrozenClip, Preprocess
from dapt.clip.prompts import NO_PROMPTS
from dapt.clip.savings import Savings
from dapt.config import make_config
from dapt.data.batch import Batch
from dapt.errors import ConfigError, NotSupportedError
from dapt.methods.base import METHODS
from dapt.model.classifier import Classifier
from dapt.model.needs import CLASSES, FOREGROUND, FROZEN, FULL, Needs
from dapt.model.prompted_clip import PromptedClip
from dapt.model.prompts_file import load_prompts, save_prompts
from dapt.model.saved import rebuild_model
from dapt.runs.train import run_training
from helpers import TINY, stopping, tiny_clip

NAMES = ["cat", "golden_retriever", "a very long name of something", "dog"]
OF_TOWERS = [field.name for field in fields(Savings)][:7]


@pytest.fixture(scope="module")
def clip() -> FrozenClip:
    return tiny_clip(quick_gelu=True)


@pytest.fixture
def pixels() -> torch.Tensor:
    return torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def build(clip: FrozenClip, method: str = "clip_lora", *, start: float = 0.3, **options):
    """The method with updates that are not zero."""
    recipe = METHODS.get(method)
    settings = recipe.options.model_validate({**recipe.preset, **options})
    prompts = recipe.load_architecture()(settings, clip, NAMES, torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name, parameter in prompts.named_parameters():
            if name.endswith(".b"):
                parameter.add_(torch.randn(parameter.shape, generator=generator) * start)
    return prompts


def step(clip: FrozenClip, prompts, pixels: torch.Tensor):
    """Logits, and the gradients of a small step by parameter."""
    model = PromptedClip(clip, prompts, NAMES)
    outputs = model.compute(Batch(pixels, torch.tensor([0, 1, 2])), Needs({FULL: True}, {CLASSES: True}))
    loss = torch.nn.functional.cross_entropy(outputs.logits(FULL), torch.tensor([0, 1, 2]))
    prompts.zero_grad()
    loss.backward()
    return outputs.logits(FULL).detach(), {name: value.grad for name, value in prompts.named_parameters()}


def assert_same(ours, plain) -> None:
    assert torch.allclose(ours[0], plain[0], atol=2e-4)  # logits are of the order of 10
    for name, gradient in plain[1].items():
        largest = float(gradient.abs().max())
        assert torch.allclose(ours[1][name], gradient, atol=5e-5 * largest + 1e-6), name


@pytest.mark.parametrize(
    ("method", "options", "count"),
    [
        ("clip_lora", {}, 12 * 3 * 2 * (768 + 768) + 12 * 3 * 2 * (512 + 512)),
        ("clip_lora.vision", {}, 12 * 3 * 2 * (768 + 768)),
        ("clip_lora.text", {"projections": ["q", "o"], "last_layers": 3, "rank": 4}, 3 * 2 * 4 * (512 + 512)),
    ],
)
def test_parameter_counts_on_vit_b16(method, options, count) -> None:
    model = open_clip.create_model("ViT-B-16", load_weights=False)
    preprocess = Preprocess(open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    clip = FrozenClip(model, open_clip.get_tokenizer("ViT-B-16"), preprocess, "ViT-B-16")
    assert build(clip, method, **options).count() == count
    assert method != "clip_lora" or count == 184_320


def test_it_starts_as_zero_shot_with_the_published_values(clip, pixels) -> None:
    prompts = build(clip, start=0.0)
    tokens = prompts.texts(NAMES)[0]
    assert torch.equal(clip.encode_image(pixels, prompts().detached()), clip.encode_image(pixels))
    assert torch.equal(clip.encode_text(tokens, prompts().detached()), clip.encode_text(tokens))
    part = prompts.image["0"]["q"]
    assert not part.b.any()
    bound = clip.image.width**-0.5
    assert bound / 2 < float(part.a.detach().abs().max()) <= bound


def test_updates_are_what_the_paper_adds(clip) -> None:
    """Every row block of the weight is W + alpha / sqrt(r) B A, the blocks that are not adapted are W."""
    prompts = build(clip, projections=["q", "v", "o"], alpha=3.0, rank=4, last_layers=1, dropout=0.0)
    q, v, o = (prompts.text["3"][name] for name in "qvo")
    assert set(prompts.text) == {"3"}
    for update in prompts().text_updates:
        frozen = getattr(update.place.module, update.place.name)
        added = [torch.zeros_like(q.b @ q.a) if part is None else part.b @ part.a for part in (q, None, v)]
        expected = torch.cat(added) if update.place.name == "in_proj_weight" else o.b @ o.a
        assert torch.allclose(update.weight(), frozen + 1.5 * expected, atol=1e-6)
    assert len(prompts().text_updates) == 2


def test_it_equals_a_model_whose_weights_were_changed_for_good(clip, pixels) -> None:
    prompts = build(clip, projections=["q", "k", "v", "o"]).eval()
    other = tiny_clip(quick_gelu=True)
    weights = dict(other.model.named_parameters())
    names = {id(module): name for name, module in clip.model.named_modules()}
    with torch.no_grad():
        for update in (*prompts().image_updates, *prompts().text_updates):
            weights[f"{names[id(update.place.module)]}.{update.place.name}"].copy_(update.weight())
    tokens = prompts.texts(NAMES)[0]
    assert torch.allclose(
        clip.encode_image(pixels, prompts()), other.model.encode_image(pixels, normalize=True), atol=1e-5
    )
    assert torch.allclose(
        clip.encode_text(tokens, prompts()), other.model.encode_text(tokens.ids, normalize=True), atol=1e-5
    )


@pytest.mark.parametrize("switch", [*OF_TOWERS, "all"])
def test_each_saving_equals_the_way_without_it(clip, pixels, switch) -> None:
    prompts = build(clip, projections=["q", "k", "v", "o"], dropout=0.0)
    ours = step(clip, prompts, pixels)
    clip.savings.set_all(switch != "all")
    if switch != "all":
        setattr(clip.savings, switch, False)
    try:
        without = step(clip, prompts, pixels)
    finally:
        clip.savings.set_all(True)
    for name, gradient in without[1].items():
        assert gradient is not None, name
        assert float(gradient.abs().max()) > 0, name
    assert_same(ours, without)


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("at_once", [1, 3])
def test_chunks_of_texts_and_recomputed_blocks_equal_the_whole(
    clip, pixels, at_once, checkpointing, monkeypatch
) -> None:
    def run(memory: float | None):
        prompts = build(clip, dropout=0.5)  # built anew: the same masks
        clip.text.memory_mb = memory
        clip.set_checkpointing(checkpointing and memory is not None)
        try:
            return step(clip, prompts, pixels)
        finally:
            clip.text.memory_mb = None
            clip.set_checkpointing(False)

    seen: list[int] = []
    encode = clip.text._encode
    monkeypatch.setattr(clip.text, "_encode", lambda part, p: seen.append(len(part)) or encode(part, p))
    whole = run(None)
    assert seen == [4]
    tokens = build(clip).texts(NAMES)[0]
    chunked = run((at_once + 0.5) * clip.text.memory_per_text(tokens, NO_PROMPTS))
    assert sorted(seen[1:]) == sorted(([1] * 4 if at_once == 1 else [3, 1]) * 2)
    assert_same(chunked, whole)


def test_no_chunks_where_only_the_image_side_is_trained(clip) -> None:
    clip.text.memory_mb = 1e-6
    try:
        tokens = build(clip).texts(NAMES)[0]
        assert clip.text.texts_at_once(tokens, build(clip)()) == 1
        assert clip.text.texts_at_once(tokens, build(clip)().detached()) == len(NAMES)
        assert clip.text.texts_at_once(tokens, build(clip, "clip_lora.vision")()) == len(NAMES)
    finally:
        clip.text.memory_mb = None


def test_the_backbone_stays_as_it_is_and_gets_no_gradient(clip, pixels) -> None:
    before = {name: value.clone() for name, value in clip.model.state_dict().items()}
    described, features = clip.describe(), clip.encode_image(pixels)
    prompts = build(clip)
    step(clip, prompts, pixels)
    after = clip.model.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(value.grad is None and not value.requires_grad for value in clip.model.parameters())
    assert clip.describe() == described
    assert torch.equal(clip.encode_image(pixels), features)
    assert not torch.allclose(clip.encode_image(pixels, prompts()), features, atol=1e-3)
    with pytest.raises(RuntimeError):  # an image of another size, refused inside the tower
        clip.encode_image(torch.zeros(1, 3, 8, 8), prompts())
    assert torch.equal(clip.encode_image(pixels), features)


def test_the_frozen_view_is_that_of_the_untouched_model(clip, pixels) -> None:
    model = PromptedClip(clip, build(clip), NAMES)
    outputs = model.compute(Batch(pixels, torch.tensor([0, 1, 2])), Needs({FULL: True, FROZEN: False}))
    assert torch.equal(outputs.image[FROZEN], clip.encode_image(pixels))
    assert not torch.allclose(outputs.image[FROZEN], outputs.image[FULL], atol=1e-3)


def test_two_sets_of_updates_on_one_backbone_do_not_meet(clip, pixels) -> None:
    one, two = (PromptedClip(clip, build(clip, start=start), NAMES) for start in (0.2, 0.4))
    first = Classifier(one)(pixels)
    second = Classifier(two)(pixels)
    assert not torch.allclose(first, second, atol=1e-2)
    assert torch.equal(Classifier(one)(pixels), first)


def test_dropout_is_one_mask_for_all_of_a_step(clip, pixels) -> None:
    prompts = build(clip, dropout=0.5)
    model = PromptedClip(clip, prompts, NAMES)
    masks = torch.ones(3, 1, 32, 32)  # all is foreground: the view is the image
    batch = Batch(pixels, torch.tensor([0, 1, 2]), masks)
    outputs = model.compute(batch, Needs({FULL: True, FOREGROUND: False}))
    again = model.compute(batch, Needs({FULL: True}))
    assert int(prompts.steps) == 2
    assert torch.allclose(outputs.image[FULL], outputs.image[FOREGROUND], atol=1e-5)
    assert not torch.allclose(outputs.image[FULL], again.image[FULL], atol=1e-4)
    prompts.steps.zero_()
    assert torch.equal(model.compute(batch, Needs({FULL: True})).image[FULL], outputs.image[FULL].detach())
    a, part = prompts().image_updates[0].a[0], prompts.image["0"]["q"].a
    dropped = (a == 0).all(dim=0)
    assert 0 < int(dropped.sum()) < a.shape[1]
    assert torch.allclose(a[:, ~dropped], 2 * part[:, ~dropped])
    steps = int(prompts.steps)
    with torch.no_grad():  # a teacher, say
        assert torch.equal(prompts().image_updates[0].a[0], part)
    prompts.eval()
    assert torch.equal(prompts().image_updates[0].a[0], part)
    assert int(prompts.steps) == steps


@pytest.mark.parametrize(
    ("method", "text", "image"),
    [("clip_lora", True, True), ("clip_lora.vision", False, True), ("clip_lora.text", True, False)],
)
def test_what_is_trained_is_said(clip, method, text, image) -> None:
    model = PromptedClip(clip, build(clip, method), NAMES, ["a clean origami sky."])
    can = model.trainable()
    assert (can.class_texts, can.background_texts, can.image) == (text, text, image)
    adapted = {name.partition(".")[0] for name, _ in model.prompts.named_parameters()}
    assert ("text" in adapted, "image" in adapted) == (text, image)
    features = model.text_features(model.prompts())
    assert features.requires_grad == text
    assert torch.equal(features, clip.encode_text(model.prompts.texts(NAMES)[0])) is not text


@pytest.mark.parametrize("method", ["clip_lora", "clip_lora.vision", "clip_lora.text"])
def test_saved_and_loaded_it_predicts_the_same_also_for_other_names(clip, pixels, method, tmp_path: Path) -> None:
    prompts = build(clip, method, templates=["a photo of a {}.", "art of the {}."])
    model = PromptedClip(clip, prompts, NAMES)
    step(clip, prompts, pixels)
    path, options = tmp_path / "prompts.safetensors", prompts.options.model_dump()
    save_prompts(path, dict(prompts.state_dict()), method=method, options=options, names=NAMES, clip=clip)
    again = rebuild_model(load_prompts(path), tiny_clip(quick_gelu=True))
    assert torch.equal(Classifier(again)(pixels), Classifier(model)(pixels))
    for other in (model, again):
        other.set_classes(["violet_cone", "grey cube"])
    assert Classifier(model)(pixels).shape == (3, 2)
    assert torch.equal(Classifier(again)(pixels), Classifier(model)(pixels))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_towers_and_full_precision_updates(pixels, dtype) -> None:
    clip, low = tiny_clip(quick_gelu=True), tiny_clip(quick_gelu=True)
    open_clip.model.convert_weights_to_lp(low.model, dtype)
    low = FrozenClip(low.model, clip.tokenizer._tokenize, clip.preprocess, "low")
    assert low.text.dtype == dtype
    full, half = (step(each, build(each, dropout=0.0), pixels) for each in (clip, low))
    assert torch.allclose(half[0], full[0], atol=1.0)
    for name, gradient in half[1].items():
        assert gradient.dtype == torch.float32
        assert float(gradient.abs().max()) > 0, name


def test_timm_towers_are_adapted() -> None:
    pytest.importorskip("timm")
    from open_clip.model import CustomTextCLIP

    torch.manual_seed(0)
    vision = {"image_size": 160, "timm_model_name": "test_vit", "timm_pool": "map", "timm_proj": "none"}
    model = CustomTextCLIP(**{**TINY, "embed_dim": 64, "vision_cfg": vision})
    like = tiny_clip()
    clip = FrozenClip(model, like.tokenizer._tokenize, like.preprocess, "timm")
    pixels = torch.randn(3, 3, 160, 160)
    features = clip.encode_image(pixels)
    prompts = build(clip, projections=["q", "k", "v", "o"], dropout=0.0)
    assert isinstance(prompts().image_updates[0].place, Place)
    _, gradients = step(clip, prompts, pixels)
    assert all(float(gradient.abs().max()) > 0 for gradient in gradients.values())
    assert not torch.allclose(clip.encode_image(pixels, prompts()), features, atol=1e-3)
    assert torch.equal(clip.encode_image(pixels), features)


def test_other_attention_is_refused_and_the_other_tower_named() -> None:
    resnet = tiny_clip(vision_cfg={"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16})
    with pytest.raises(NotSupportedError, match=r"image tower of tiny[\s\S]*clip_lora\.text"):
        build(resnet)
    assert build(resnet, "clip_lora.text").count() == 4 * 3 * 2 * (24 + 24)
    clip = tiny_clip()
    clip.model.visual.transformer.resblocks[1].attn = torch.nn.Identity()
    with pytest.raises(NotSupportedError, match="keys and values of Identity are not one weight"):
        build(clip)


def test_impossible_options_are_refused(clip) -> None:
    with pytest.raises(ConfigError, match=r"4 adapted layers are more than the 3 of the image tower"):
        build(clip, last_layers=4)
    for wrong in ({"projections": []}, {"projections": ["q", "q"]}, {"dropout": 1.0}, {"rank": 0}):
        with pytest.raises(ConfigError, match=r"prompt\."):
            make_config({"data": "none", "method": "clip_lora", "prompt": wrong})


def settings(data: Path, spec: str, out: Path, **changes: object):
    plain = {"data": str(data), "model": spec, "method": "clip_lora", "shots": 4, "epochs": 3, "batch_size": 4}
    return make_config({**plain, "lr": 0.01, "out": str(out), "device": "cpu", **changes})


def test_published_settings() -> None:
    config = make_config({"data": "none", "method": "clip_lora.text"})
    assert (config.lr, config.epochs, config.batch_size, config.optimizer) == (2e-4, 160, 32, "adamw")
    assert (config.weight_decay, config.warmup_epochs, config.prompt["encoder"]) == (1e-2, 0, "text")


@pytest.mark.long
@pytest.mark.parametrize(
    "changes", [{}, {"dapt": {"variant": "joint"}, "text_memory_mb": 1, "grad_checkpointing": True}]
)
def test_resumed_after_any_epoch_is_bit_equal(table: Path, tiny_spec: str, tmp_path: Path, changes) -> None:
    whole = tmp_path / "whole"
    run_training(settings(table, tiny_spec, whole, **changes))
    for stop in (1, 2):
        cut = settings(table, tiny_spec, tmp_path / f"cut{stop}", **changes)

        with pytest.raises(KeyboardInterrupt):
            run_training(cut, after_epoch=stopping(stop))
        run_training(cut, resume=True)
        a, b = (load_file(Path(folder) / "prompts.safetensors") for folder in (whole, cut.out))
        assert list(a) == list(b)
        assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.long
@pytest.mark.parametrize("method", ["clip_lora", "clip_lora.vision", "clip_lora.text"])
def test_it_learns_alone_and_with_dapt(table: Path, tiny_spec: str, tmp_path: Path, method: str) -> None:
    for name, extra in (("alone", {}), ("dapt", {"dapt": True})):
        out = tmp_path / name
        results = run_training(settings(table, tiny_spec, out, method=method, epochs=8, crop_scale=(0.7, 1.0), **extra))
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        assert lines[-1]["L_cls"] < lines[0]["L_cls"]
        assert results["metrics"]["test/accuracy"] is not None
