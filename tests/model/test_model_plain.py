"""`model.plain()`: the same logits from plain modules, which `torch.export` takes, for every family of methods."""

from __future__ import annotations

from pathlib import Path

import open_clip
import pytest
import torch
from torch import Tensor, nn

import dapt
from dapt.clip import gelu, linear, packing
from dapt.errors import NotSupportedError
from dapt.model.classifier import Classifier
from dapt.prompts.student import StudentPrompts
from helpers import tiny_clip, tiny_model

NAMES = ["red square", "blue_disc", "green bar"]
EVERY = dapt.list_methods()
EXPORTED = ["maple", "coop", "vpt", "clip_lora", "tip_adapter", "promptkd"]
SHALLOW = {"maple", "vpt", "ivlp", "language_deep", "promptsrc", "promptkd"}  # families with an option depth
TIMM = {
    "embed_dim": 64,
    "init_logit_bias": -3.0,
    "vision_cfg": {"image_size": 160, "timm_model_name": "test_vit", "timm_pool": "map", "timm_proj": "none"},
    "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 24, "heads": 2, "layers": 4},
}
RESNET = {"vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16}}


def pixels(count: int, side: int = 32, seed: int = 0) -> Tensor:
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(seed))


def made(method: str, model: object, side: int = 32, **options: object) -> dapt.PromptedClip:
    """A model after something like training: nothing in it is at its start."""
    if method == "linear_probe":
        pytest.importorskip("sklearn")
    if method.partition(".")[0] in SHALLOW:
        options = {"depth": 1 if method == "vpt.shallow" else 2, **options}
    found = dapt.create_model(model, method, NAMES, **options)
    found.prepare([dapt.Batch(pixels(6, side, 9), torch.arange(6) % 3)])
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for part in found.parameters():
            part.add_(0.05 * torch.randn(part.shape, generator=generator))
        for name, value in found.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                value.add_(torch.rand(value.shape, generator=generator))
    return found.eval()


def options_of(method: str, folder: Path, spec: str) -> dict[str, object]:
    if not method.startswith("promptkd"):
        return {}
    return {"teacher": str(made("ivlp", spec, device="cpu").save_pretrained(folder / "teacher"))}


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of what makes the towers fast may be reached."""

    def refuse(*given: object, **named: object) -> None:
        raise AssertionError("this is not plain")

    for module, name in ((linear, "multiply"), (gelu, "multiply"), (packing, "packed_block")):
        monkeypatch.setattr(module, name, refuse)


@pytest.mark.parametrize("method", EVERY)
def test_logits_are_those_of_the_classifier(method: str, tmp_path: Path, tiny_spec: str) -> None:
    model = made(method, tiny_clip(), **options_of(method, tmp_path, tiny_spec))
    if model.prompts.conditional:
        with pytest.raises(NotSupportedError, match=f"{method} runs the text tower for every image"):
            model.plain()
        return
    expected = Classifier(model)(pixels(3))
    assert torch.allclose(model.plain()(pixels(3)), expected, atol=1e-5)
    assert torch.allclose(model.train().plain()(pixels(3)), expected, atol=1e-5)
    assert model.training


@pytest.mark.parametrize("method", EXPORTED)
def test_it_is_exported_with_any_number_of_images(method: str, tmp_path: Path, tiny_spec: str) -> None:
    model = made(method, tiny_clip(), **options_of(method, tmp_path, tiny_spec))
    batch = {"pixels": {0: torch.export.Dim("batch")}}
    program = torch.export.export(model.plain(), (pixels(2),), dynamic_shapes=batch)
    for count in (1, 2, 5):
        assert torch.allclose(program.module()(pixels(count)), Classifier(model)(pixels(count)), atol=1e-5)
    called = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
    sizes = {"<built-in function mul>"}  # of a batch whose size is not known
    assert all(name.startswith("aten.") for name in called - sizes)


@pytest.mark.parametrize("method", ["maple", "clip_lora"])
def test_it_is_plain(method: str, request: pytest.FixtureRequest) -> None:
    model = made(method, tiny_clip(quick_gelu=True))
    expected, plain = model(pixels(2)), model.plain()
    request.getfixturevalue("forbidden")
    assert torch.allclose(plain(pixels(2)), expected, atol=1e-5)
    with pytest.raises(AssertionError, match="not plain"):
        model(pixels(2))


@pytest.mark.long
@pytest.mark.parametrize("method", ["coop", "vpt", "maple", "clip_lora"])
def test_towers_of_timm(method: str) -> None:
    pytest.importorskip("timm")
    torch.manual_seed(3)
    own = open_clip.model.CustomTextCLIP(**TIMM)
    model = made(method, own, 160)
    x = pixels(2, 160)
    expected = Classifier(model)(x)
    plain = model.plain()
    assert torch.allclose(plain(x), expected, atol=1e-5)
    assert torch.equal(Classifier(model)(x), expected), "the original still has its prompts"
    program = torch.export.export(plain, (x,), dynamic_shapes={"pixels": {0: torch.export.Dim("batch")}})
    assert torch.allclose(program.module()(x), expected, atol=1e-5)


def test_a_resnet() -> None:
    model = made("coop", tiny_model(**RESNET), 64)
    assert torch.allclose(model.plain()(pixels(2, 64)), model(pixels(2, 64)), atol=1e-5)


def test_it_shares_nothing_with_the_model(tmp_path: Path, tiny_spec: str) -> None:
    for method in ("maple", "clip_lora", "tip_adapter", "promptkd"):
        model = made(method, tiny_clip(), **options_of(method, tmp_path, tiny_spec))
        before = model(pixels(2))
        plain = model.plain()
        with torch.no_grad():
            for value in (*plain.parameters(), *plain.buffers()):
                if value.is_floating_point():
                    value.mul_(1.5)
        assert torch.equal(model(pixels(2)), before)
        assert not any(part.requires_grad for part in plain.parameters())
        assert not any(isinstance(part, StudentPrompts) and part is model.prompts for part in plain.modules())


def test_columns_of_the_released_code_are_there() -> None:
    model = made("maple", tiny_clip(), dapt={"released": True})
    assert model.plain()(pixels(1)).shape == (1, 3 + 7)


def test_its_state_is_whole() -> None:
    model = made("vpt", tiny_clip())
    plain: nn.Module = model.plain()
    assert {"texts", "logit_scale", "visual_ctx", "visual_deep_1"} <= set(plain.state_dict())
    other = made("vpt", tiny_clip(seed=4)).plain()
    other.load_state_dict(plain.state_dict())
    assert torch.equal(other(pixels(2)), plain(pixels(2)))
