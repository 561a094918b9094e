"""Model names that are nearly right are understood by spelling and by family, and the right one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.clip.load import load_clip
from dapt.clip.model_names import check_spec, nearest, nearest_tag
from dapt.errors import ModelError


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        *((name, "ViT-B-16/openai") for name in ("ViT-B/16", "vit_b_16", "ViT-B16", "VITB16", "ViT B 16", "vit-b-16")),
        *((name, "ViT-B-16/openai") for name in ("ViT-B/16/openai", "openai/ViT-B-16", "ViT-B_16.openai")),
        *((name, "ViT-B-16/openai") for name in ("openai/clip-vit-base-patch16", "vit_base_patch16_clip_224.openai")),
        *((name, "RN50/openai") for name in ("RN-50", "resnet50", "ResNet-50", "rn50")),
        ("ViT-L/14@336px", "ViT-L-14-336/openai"),
        ("openai/clip-vit-large-patch14-336", "ViT-L-14-336/openai"),
        ("ViT-B/16/laion2b-s34b-b88k", "ViT-B-16/laion2b_s34b_b88k"),
        ("EVA02_B_16", "EVA02-B-16/merged2b_s8b_b131k"),
        ("coca_vit_b_32", "coca_ViT-B-32/laion2b_s13b_b90k"),
        ("ViT-B-161", "ViT-B-16/openai"),
    ],
)
def test_the_one_that_was_meant(spec: str, meant: str) -> None:
    assert nearest(spec) == meant
    with pytest.raises(ModelError, match=f"Did you mean '?{meant}"):
        load_clip(spec)


@pytest.mark.parametrize("spec", ["nonsense", "somebody/something", "", "/", "x" * 5000, "é/ü"])
def test_what_is_like_none_is_given_the_forms(spec: str) -> None:
    assert nearest(spec) is None
    with pytest.raises(ModelError, match="Use demo"):
        load_clip(spec)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("ViT-B-16/open-ai", "Did you mean 'openai'"),
        ("ViT-B-16/laion2b-s34b-b88k", "Did you mean 'laion2b_s34b_b88k'"),
        ("ViT-B-16/laion2b", "Did you mean 'laion2b_s34b_b88k'"),
        ("VIT-B-16/openai", "no architecture 'VIT-B-16'.\nDid you mean 'ViT-B-16'"),
        ("ViT-B/16:/x/y.pt", "Did you mean 'ViT-B-16'"),
        ("ViT-B-16:openai", "For pretrained weights write ViT-B-16/openai"),
        ("Demo", "Did you mean demo"),
        ("hf-hub/laion/x", "Did you mean hf-hub:laion/x"),
        ("somebody/model", "write hf-hub:somebody/model"),
        ("/no/such/folder", "is not a model"),
    ],
)
def test_what_is_said(spec: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        load_clip(spec)


def test_folders_and_files_are_told_their_form(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"write local-dir:{tmp_path}"):
        load_clip(str(tmp_path))
    (tmp_path / "w.pt").touch()
    with pytest.raises(ModelError, match=f"ViT-B-16:{tmp_path}/w.pt"):
        load_clip(str(tmp_path / "w.pt"))
    with pytest.raises(ModelError, match="is a file, not a model folder"):
        load_clip(f"local-dir:{tmp_path / 'w.pt'}")


def test_tags() -> None:
    assert nearest_tag("OPEN_AI", ["openai", "laion"]) == "Did you mean 'openai'?"
    assert "Available" in nearest_tag("zzz", ["openai", "laion"])


@pytest.mark.parametrize("spec", ["demo", "hf-hub:somebody/model", "ViT-B-16/openai"])
def test_names_that_can_be_loaded_are_let_pass_without_loading(spec: str) -> None:
    check_spec(spec)


def test_folders_and_files_that_are_there_are_let_pass(tmp_path: Path) -> None:
    (tmp_path / "w.pt").touch()
    check_spec(f"local-dir:{tmp_path}")
    check_spec(f"ViT-B-16:{tmp_path / 'w.pt'}")
    with pytest.raises(ModelError, match="There is no model folder"):
        check_spec(f"local-dir:{tmp_path / 'none'}")
    with pytest.raises(ModelError, match="is a folder, not a weight file"):
        check_spec(f"ViT-B-16:{tmp_path}")
