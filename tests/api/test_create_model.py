"""`dapt.create_model`: an ordinary module from a specification or from a model that the caller has."""

from __future__ import annotations

import copy
import io
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from torch import nn

import dapt
from dapt.clip.frozen import Preprocess
from dapt.clip.text_tower import TextTower
from dapt.errors import ConfigError, DaptError, DataError, ModelError, NotSupportedError
from dapt.model.classifier import Classifier
from helpers import draw, tiny_clip, tiny_model

NAMES = ["red square", "blue_disc", "green bar"]
CHEAP = {"maple": {"depth": 2}, "coop": {"n_ctx": 4}, "vpt": {"depth": 2}, "clip_lora": {"dropout": 0.0}, "cocoop": {}}


def made(method: str = "maple", seed: int = 0, **more: object) -> dapt.PromptedClip:
    return dapt.create_model(tiny_clip(seed), method, NAMES, **{**CHEAP.get(method, {}), **more})


def pixels(count: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


def count_encodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls: list[int] = []
    encode = TextTower.encode
    monkeypatch.setattr(TextTower, "encode", lambda *given, **named: calls.append(1) or encode(*given, **named))
    return calls


# What it is made of.


def test_a_specification(tiny_spec: str) -> None:
    model = dapt.create_model(tiny_spec, "maple", NAMES, depth=2, n_ctx=3, device="cpu")
    assert model.prompts.options.n_ctx == 3
    assert model(pixels()).shape == (2, 3)
    assert model.made_with.method == "maple"


def test_the_callers_model_is_frozen_in_place_and_keeps_its_own_ways() -> None:
    own = tiny_model().train()
    own.visual.preprocess_cfg = {"mean": (0.5, 0.5, 0.5), "std": (0.25, 0.2, 0.3), "resize_mode": "squash"}
    own.visual.image_mean, own.visual.image_std = (0.5, 0.5, 0.5), (0.25, 0.2, 0.3)
    model = dapt.create_model(own, "coop", NAMES, n_ctx=4)
    assert model.clip.model is own
    assert not own.training
    assert not any(part.requires_grad for part in own.parameters())
    assert model.clip.preprocess == Preprocess((0.5, 0.5, 0.5), (0.25, 0.2, 0.3), "bicubic", "squash")
    like = tiny_clip()
    assert torch.equal(model.clip.encode_image(pixels()), like.encode_image(pixels()))


def test_tokenizer_and_preprocessing_may_be_given() -> None:
    how = {"mean": (0.1, 0.2, 0.3), "std": (1.0, 1.0, 1.0), "interpolation": "bilinear", "size": 32, "mode": "RGB"}
    model = dapt.create_model(
        tiny_model(), "coop", NAMES, tokenizer=open_clip.SimpleTokenizer(context_length=32), preprocess=how, n_ctx=4
    )
    assert model.clip.preprocess == Preprocess((0.1, 0.2, 0.3), (1.0, 1.0, 1.0), "bilinear", "shortest")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tokenizer": None}, "vocabulary of 1000 words"),
        ({"tokenizer": open_clip.SimpleTokenizer(context_length=32)}, "49408 words, the model 1000"),
    ],
)
def test_another_vocabulary_is_told(given: dict[str, object], message: str) -> None:
    own = tiny_model(text_cfg={"context_length": 32, "vocab_size": 1000, "width": 24, "heads": 2, "layers": 2})
    with pytest.raises(ModelError, match=message) as caught:
        dapt.create_model(own, "coop", NAMES, **given)
    assert "tokenizer=" in caught.value.message


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"model": nn.Linear(2, 2)}, ModelError, "Linear is no open_clip model"),
        ({"model": 3}, ConfigError, "not 3"),
        ({"method": "mapel"}, ConfigError, "maple"),
        ({"n_ctxs": 3}, ConfigError, "Did you mean 'n_ctx'"),
        ({"n_ctx": 0}, ConfigError, "n_ctx"),
        ({"classes": []}, DataError, "no classes"),
        ({"classes": "cat"}, ConfigError, "list of names"),
        ({"dapt": {"margins": 1}}, ConfigError, "Did you mean 'margin'"),
        ({"dapt": 3}, ConfigError, "True, False or a mapping"),
        ({"method": "zero_shot", "dapt": True}, NotSupportedError, "no training steps"),
        ({"preprocess": lambda image: image}, ConfigError, "preprocess= wants numbers"),
        ({"preprocess": {"means": (0, 0, 0)}}, ModelError, "Did you mean 'mean'"),
        ({"precision": "bf16"}, ConfigError, "its own precision"),
        ({"device": "nowhere"}, ConfigError, "nowhere"),
    ],
)
def test_mistakes_are_named(given: dict[str, object], error: type[DaptError], message: str) -> None:
    settings = {"model": tiny_model(), "method": "coop", "classes": NAMES, **given}
    with pytest.raises(error, match=message):
        dapt.create_model(**settings)


# What it is: a module.


@pytest.mark.parametrize("method", CHEAP)
def test_logits_are_those_of_the_classifier(method: str) -> None:
    model = made(method)
    expected = Classifier(model)(pixels())
    assert torch.allclose(model.eval()(pixels()), expected, atol=1e-5)
    assert torch.allclose(model.train()(pixels()), expected, atol=1e-4)
    assert expected.shape == (2, 3)


def test_parameters_and_state_are_the_prompts_alone() -> None:
    model = made()
    assert {name.partition(".")[0] for name, _ in model.named_parameters()} == {"prompts"}
    assert sum(part.numel() for part in model.parameters()) == model.prompts.count()
    content = io.BytesIO()
    torch.save(model.state_dict(), content)
    assert len(content.getvalue()) < 60_000


def test_one_step_of_plain_pytorch_lowers_the_loss() -> None:
    model = made().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    labels = torch.tensor([0, 2])
    losses = []
    for _ in range(3):
        loss = nn.functional.cross_entropy(model(pixels()), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[2] < losses[0]
    assert all(part.grad is None for part in model.clip.model.parameters())


def test_features_are_of_unit_length_and_make_the_logits() -> None:
    model = made().eval()
    image, text = model.encode_image(pixels()), model.encode_text()
    assert torch.allclose(image.norm(dim=1), torch.ones(2))
    assert torch.allclose(text.norm(dim=1), torch.ones(3))
    assert torch.allclose(model.clip.logits(image, text), model(pixels()), atol=1e-5)
    other = made("coop").encode_text(["a photo of a cat", "a drawing"])
    clip = tiny_clip()
    tokens = clip.tokenizer.plain(["a photo of a cat", "a drawing"])
    assert torch.allclose(other, clip.encode_text(tokens), atol=1e-6)


def test_texts_that_cannot_be_encoded() -> None:
    with pytest.raises(NotSupportedError, match="every image has its own"):
        made("cocoop").encode_text()
    with pytest.raises(NotSupportedError, match="overwrite its end"):
        made("maple", n_ctx=4).encode_text(["cat"])
    with pytest.raises(ConfigError, match="a list"):
        made("coop").encode_text("cat")
    with pytest.raises(DataError, match="no texts"):
        made("coop").encode_text([])


def test_class_texts_are_encoded_once_in_evaluation_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made()
    model.eval()
    calls = count_encodings(monkeypatch)
    first = model(pixels())
    assert torch.equal(model(pixels()), first)
    model.encode_text(), model.encode_image(pixels())
    assert len(calls) == 1
    model.train(), model(pixels()), model(pixels())
    assert len(calls) == 3


def test_what_changes_the_prompts_or_classes_is_noticed_in_evaluation_mode() -> None:
    model, other = made(), made(seed=1)
    model.eval()
    before = model(pixels())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(pixels())
    for part in model.parameters():
        part.grad = torch.ones_like(part)
    optimizer.step()
    stepped = model(pixels())
    assert not torch.allclose(stepped, before)
    model.load_state_dict(other.state_dict())
    loaded = model(pixels())
    assert not torch.allclose(loaded, stepped)
    model.set_classes(["one", "two"])
    assert model(pixels()).shape == (2, 2)
    model.set_classes(NAMES)
    assert torch.equal(model(pixels()), loaded)
    assert torch.allclose(model(pixels()), Classifier(model)(pixels()), atol=1e-5)


def test_evaluation_in_inference_mode_leaves_nothing_that_cannot_be_differentiated() -> None:
    model = made("coop").eval()
    with torch.inference_mode():
        expected = model(pixels())
    given = pixels().requires_grad_(True)
    logits = model(given)
    logits.sum().backward()
    assert torch.equal(logits.detach(), expected)
    assert float(given.grad.abs().max()) > 0


def test_a_second_view_of_the_model_has_classes_of_its_own() -> None:
    model = made().eval()
    before = model(pixels())
    twin = model.with_classes(["one", "two"])
    assert twin(pixels()).shape == (2, 2)
    assert model.names == NAMES
    assert torch.equal(model(pixels()), before)
    assert twin.prompts is model.prompts


@pytest.mark.parametrize("given", [torch.zeros(3, 32, 32), torch.zeros(1, 3, 32, 32, dtype=torch.uint8)])
def test_what_is_no_batch_of_pixels_is_told(given: torch.Tensor) -> None:
    with pytest.raises(DataError, match="Normalised pixels are floats"):
        made("coop")(given)


# Moving, types, wrappers.


def test_the_frozen_model_moves_along() -> None:
    model = made()
    expected = model.eval()(pixels())
    moved: list[torch.device] = []
    to = model.clip.model.to
    model.clip.model.to = lambda device: moved.append(device) or to(device)  # type: ignore[method-assign]
    assert model.to("cpu") is model
    assert moved == [torch.device("cpu")]
    assert torch.equal(model(pixels()), expected)
    assert model.float() is model


def test_nothing_stays_behind_when_it_moves() -> None:
    model = made(dapt=True)
    model.eval()(pixels())
    nn.Sequential(model).to("meta")  # the one other device that every machine has; it holds no numbers
    places = {
        **{name: value.device.type for name, value in model.state_dict().items()},
        **{name: value.device.type for name, value in model.clip.model.state_dict().items()},
        "scale": model.clip.logit_scale.device.type,
        "mask": model.clip.text._mask.device.type,
        "texts": model._texts[0].ids.device.type,
        "background": model._background.ids.device.type,
        "device": model.device.type,
    }
    assert set(places.values()) == {"meta"}, places
    assert model._kept is None


def test_a_teacher_follows_its_student(tmp_path: Path, tiny_spec: str) -> None:
    teacher = dapt.create_model(tiny_spec, "ivlp", NAMES, depth=2, device="cpu").save_pretrained(tmp_path / "teacher")
    student = dapt.create_model(tiny_clip(), "promptkd", NAMES, depth=2, teacher=str(teacher))
    loss, terms = student.loss(dapt.Batch(pixels(), torch.tensor([0, 1])))
    assert loss.requires_grad
    assert set(terms) == {"L_kd"}
    assert student.prompts.teacher.clip.device.type == "cpu"
    assert student.to("meta").prompts.teacher.clip.device.type == "meta"


@pytest.mark.parametrize("change", [nn.Module.half, nn.Module.bfloat16, nn.Module.double])
def test_another_type_of_numbers_is_refused(change: object) -> None:
    model = made()
    with pytest.raises(NotSupportedError, match="stay in float32"):
        change(model)
    with pytest.raises(NotSupportedError, match="stay in float32"):
        change(nn.Sequential(model))
    assert all(part.dtype == torch.float32 for part in model.parameters())


@pytest.mark.parametrize("method", CHEAP)
def test_under_autocast(method: str) -> None:
    model = made(method)
    expected = model.eval()(pixels())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = model(pixels())
        trained = model.train()(pixels())
    assert found.dtype == trained.dtype == torch.float32
    assert torch.allclose(found, expected, atol=0.5)
    trained.logsumexp(dim=1).sum().backward()
    gradients = [part.grad for part in model.parameters() if part.grad is not None]
    assert gradients
    assert all(bool(torch.isfinite(gradient).all()) for gradient in gradients)
    assert torch.equal(model.eval()(pixels()), expected), "nothing that autocast made is kept"


@pytest.mark.slow
@pytest.mark.long
def test_compiled() -> None:
    """With prompts in both towers; CoOp's parts are some of them."""
    model = made("maple")
    labels = torch.tensor([0, 1])
    for mode in (False, True):
        model.train(mode)
        torch._dynamo.reset()
        compiled = torch.compile(model, backend="aot_eager")
        assert torch.allclose(compiled(pixels()), model(pixels()), atol=1e-5)
        assert torch.allclose(compiled(pixels()), model(pixels()), atol=1e-5)
    gradients = []
    for run in (model, compiled):
        model.zero_grad()
        nn.functional.cross_entropy(run(pixels()), labels).backward()
        gradients.append([part.grad.clone() for part in model.parameters() if part.grad is not None])
    assert gradients[0]
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(*gradients, strict=True))


def test_in_ddp(tmp_path: Path) -> None:
    alone, wrapped = made(dapt=True), made(dapt=True)
    masks = torch.zeros(2, 1, 32, 32)
    masks[..., 8:24, 8:24] = 1
    batch = dapt.Batch(pixels(), torch.tensor([0, 1]), masks)
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'meet'}", rank=0, world_size=1)
    try:
        ddp = nn.parallel.DistributedDataParallel(wrapped)
        nn.functional.cross_entropy(alone(pixels()), batch.labels).backward()
        nn.functional.cross_entropy(ddp(pixels()), batch.labels).backward()
        same_gradients(alone, wrapped)
        alone.zero_grad(), wrapped.zero_grad()
        loss, _ = alone.loss(batch)
        loss.backward()
        ddp(batch)[0].backward()
        same_gradients(alone, wrapped)
    finally:
        torch.distributed.destroy_process_group()


def same_gradients(one: nn.Module, two: nn.Module) -> None:
    pairs = list(zip(one.named_parameters(), two.named_parameters(), strict=True))
    assert pairs
    for (name, a), (_, b) in pairs:
        assert (a.grad is None) == (b.grad is None), name
        assert a.grad is None or torch.equal(a.grad, b.grad), name
    assert any(a.grad is not None for (_, a), _ in pairs)


def test_a_copy_is_another_model() -> None:
    model = made().eval()
    twin = copy.deepcopy(model)
    before = model(pixels())
    with torch.no_grad():
        next(iter(twin.parameters())).add_(1.0)
    assert torch.equal(model(pixels()), before)
    assert not torch.allclose(twin(pixels()), before)


# Pictures.


@pytest.mark.parametrize("size", [(48, 40), (40, 90), (32, 32)])
def test_preprocess_agrees_for_files_pictures_and_bytes(tmp_path: Path, size: tuple[int, int]) -> None:
    from dapt.data.load.images import image_tensor
    from dapt.data.load.transforms import eval_transform

    model = made("coop")
    picture, _ = draw("red_square", 3, size)
    picture.save(tmp_path / "a.png")
    image = image_tensor(tmp_path / "a.png")
    expected = eval_transform((32, 32), model.clip.preprocess)(image, torch.zeros(1, *image.shape[1:]))[0]
    assert expected.shape == (3, 32, 32)
    with Image.open(tmp_path / "a.png") as opened:
        for given in (tmp_path / "a.png", str(tmp_path / "a.png"), picture, opened, np.asarray(picture)):
            assert torch.equal(model.preprocess(given), expected)


def test_pictures_are_turned_upright_and_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = made("coop")
    picture, _ = draw("red_square", 3, (48, 30))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.jpg", exif=exif, quality=95)
    with Image.open(tmp_path / "a.jpg") as opened:
        assert torch.equal(model.preprocess(opened), model.preprocess(tmp_path / "a.jpg"))
        assert opened.size == (48, 30), "the caller's picture is left as it is"
    monkeypatch.setattr("dapt.data.load.picture_files.max_megapixels", lambda: 0.001)
    with pytest.raises(DataError, match="million pixels"):
        model.preprocess(picture)
    with pytest.raises(DataError, match="A picture is a path"):
        model.preprocess(np.zeros((4, 4)))  # type: ignore[arg-type]
