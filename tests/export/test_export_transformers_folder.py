"""A folder that transformers loads by itself: towers, tokenizer and preprocessing are ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dapt.clip.frozen import Preprocess
from dapt.clip.load import load_clip
from dapt.errors import NotSupportedError
from dapt.export.transformers_folder import open_folder, preprocessor_config, transformers_config, write_folder
from helpers import TINY, draw

HOW = Preprocess((0.5, 0.4, 0.3), (0.25, 0.2, 0.3))


@pytest.mark.parametrize("spec", ["demo", "tiny"])
def test_it_is_loaded_by_transformers(spec: str, tiny_spec: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    clip = load_clip(tiny_spec if spec == "tiny" else spec)
    write_folder(tmp_path, clip.model, clip)
    encode, pixels_of = open_folder(tmp_path)
    picture, _ = draw("red_square", 1, (48, 40))
    pixels = pixels_of(picture)
    assert pixels.shape[1:] == (3, *clip.image.image_size)
    with torch.no_grad():
        assert torch.allclose(encode(pixels), clip.image.encode(pixels), atol=1e-5)
    length = clip.text.context_length
    words = ["a photo of a blue disc.", "cat"]
    given = transformers.CLIPTokenizer.from_pretrained(str(tmp_path))(words, padding="max_length", max_length=length)
    ids, expected = torch.tensor(given["input_ids"]), clip.tokenizer.own(words)
    seen = torch.arange(length) <= expected.argmax(dim=1, keepdim=True)
    assert torch.equal(ids * seen, expected * seen), "the same up to the end of the text"
    model = transformers.CLIPModel.from_pretrained(str(tmp_path)).eval()
    with torch.no_grad():
        found = model.get_text_features(input_ids=ids)
        found = found if isinstance(found, torch.Tensor) else found.pooler_output
        assert torch.allclose(found, clip.model.encode_text(expected), atol=1e-4)  # type: ignore[operator]
    if spec == "tiny":
        assert load_clip(f"local-dir:{tmp_path}").fingerprint() == clip.fingerprint(), "our own loader takes it, too"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vision_cfg": {**TINY["vision_cfg"], "timm_model_name": "x"}}, "has no timm_model_name"),  # type: ignore[dict-item]
        ({"vision_cfg": {**TINY["vision_cfg"], "layers": [1, 1, 1, 1]}}, "has no ResNet"),  # type: ignore[dict-item]
        ({"init_logit_bias": -10}, "has no init_logit_bias"),
    ],
)
def test_other_towers_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(NotSupportedError, match=message):
        transformers_config({**TINY, **change})


def test_preprocessing() -> None:
    usual = preprocessor_config((32, 32), HOW)
    assert (usual["size"], usual["do_center_crop"], usual["resample"]) == ({"shortest_edge": 32}, True, 3)
    squash = preprocessor_config((32, 48), replace(HOW, resize_mode="squash", interpolation="bilinear"))
    assert (squash["size"], squash["do_center_crop"]) == ({"height": 32, "width": 48}, False)
    assert squash["resample"] == 2
    with pytest.raises(NotSupportedError, match="does not resize by 'longest'"):
        preprocessor_config((32, 32), replace(HOW, resize_mode="longest"))
