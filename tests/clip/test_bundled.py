"""The model that the package brings along: whole, small, readable by plain open_clip, and biased as it should be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch

from dapt.clip import bundled
from dapt.clip.bundled import bundled_model
from dapt.clip.frozen import FrozenClip
from dapt.clip.load import load_clip
from dapt.data.load.transforms import eval_transform
from dapt.demo.captions import vocabulary
from dapt.demo.drawing.look import OBJECTS
from dapt.demo.drawing.objects import class_names
from dapt.demo.drawing.scenes import render
from dapt.demo.scene_data import background_for
from dapt.errors import ModelError


@pytest.fixture(scope="module")
def clip() -> FrozenClip:
    return load_clip("demo")


def test_size_depth_and_name(clip: FrozenClip) -> None:
    assert sum(path.stat().st_size for path in bundled_model().iterdir()) <= 15 * 2**20
    assert clip.image.layers >= 10
    assert clip.text.layers >= 10
    assert clip.spec == "demo"
    card = (bundled_model() / "README.md").read_text(encoding="utf-8")
    assert all(word in card for word in ("Data", "Recipe", "Accuracy", "Limits"))


def test_tokenizer_knows_its_words_and_spells_the_others(clip: FrozenClip) -> None:
    encode = clip.tokenizer.plain
    for word in vocabulary():
        tokens = encode([word])
        assert int(tokens.eot) == 2, f"{word} is one token"
    texts = ["a photo of a zebra.", "a photo of a zebu.", "a photo of a Löwe.", "a photo of a 猫.", "a photo of a car."]
    features = clip.encode_text(encode(texts))
    assert torch.isfinite(features).all()
    similarity = features @ features.T - torch.eye(len(texts))
    assert float(similarity.max()) < 0.9999, "unknown words are told apart"


def test_plain_open_clip_loads_it() -> None:
    folder = bundled_model()
    model = open_clip.create_model(f"local-dir:{folder}")
    config = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    vocabulary_file = folder / config["text_cfg"]["tokenizer_kwargs"]["bpe_path"]
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}", bpe_path=str(vocabulary_file))
    ours = load_clip("demo")
    texts = ["a photo of a car.", "a photo of grass."]
    with torch.no_grad():
        expected = model.encode_text(tokenizer(texts), normalize=True)
    torch.testing.assert_close(ours.encode_text(ours.tokenizer.plain(texts)), expected, atol=2e-5, rtol=0)


def zero_shot(clip: FrozenClip, kind: str, per_class: int = 12) -> float:
    transform = eval_transform(clip.image.image_size, clip.preprocess)
    names = class_names()
    texts = clip.encode_text(clip.tokenizer.plain([f"a photo of a {name}." for name in names]))
    pixels, labels = [], []
    for label, name in enumerate(names):
        for index in range(per_class):
            key = (31_337, label, index)
            scene = render(name, background_for(OBJECTS[name].home, kind, np.random.default_rng(key)), (*key, 1), 96)
            image = torch.from_numpy(scene.image).permute(2, 0, 1)
            pixels.append(transform(image, torch.zeros(1, 96, 96))[0])
            labels.append(label)
    with torch.no_grad():
        guesses = clip.logits(clip.encode_image(torch.stack(pixels)), texts).argmax(dim=1)
    return 100 * float((guesses == torch.tensor(labels)).float().mean())


@pytest.mark.long
def test_zero_shot_knows_the_objects_and_leans_on_the_background(clip: FrozenClip) -> None:
    """Scenes never trained on; the bias was learned, nothing here scripts it."""
    own, random, exchanged = (zero_shot(clip, kind) for kind in ("own", "random", "exchanged"))
    assert random >= 60
    assert exchanged < own - 10


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda folder: (folder / "open_clip_model.safetensors").unlink(), "lacks open_clip_model.safetensors"),
        (lambda folder: (folder / "open_clip_model.safetensors").write_bytes(b"\0" * 999), "damaged"),
        (lambda folder: (folder / "checksums.json").unlink(), "missing from the package"),
        (lambda folder: (folder / "checksums.json").write_text('{"open_clip_'), "checksums.json cannot be read"),
        (lambda folder: (folder / "checksums.json").write_text("{}"), "checksums.json cannot be read"),
        (shutil.rmtree, "missing from the package"),
    ],
)
def test_a_broken_package_says_reinstall(harm, message: str, tmp_path: Path, monkeypatch, dapt, table: Path) -> None:
    broken = tmp_path / "model"
    shutil.copytree(bundled_model(), broken)
    harm(broken)
    with pytest.raises(ModelError, match=message):
        bundled_model(broken)
    monkeypatch.setattr(bundled, "MODEL", broken)
    for command in (["demo"], ["train", table, "--model", "demo"]):
        code, _, err = dapt(*command, "--out", tmp_path / "d")
        assert code == 2
        assert "Traceback" not in err
        assert message in err
        assert "Install the package again" in err
        assert not (tmp_path / "d").exists()


def test_a_folder_without_its_vocabulary(tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(bundled_model(), copy)
    assert load_clip(f"local-dir:{copy}").fingerprint() == load_clip("demo").fingerprint()
    next(copy.glob("*.gz")).unlink()
    with pytest.raises(ModelError, match="lacks its tokenizer's vocabulary"):
        load_clip(f"local-dir:{copy}")
