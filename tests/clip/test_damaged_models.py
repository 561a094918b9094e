"""Model folders and weight files that are damaged in any way are refused before memory is taken for them."""

from __future__ import annotations

import gzip
import json
import shutil
import time
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from dapt.clip.bundled import bundled_model
from dapt.clip.load import load_clip, read_weights
from dapt.errors import DaptError, ModelError
from helpers import TINY, save_tiny_model, tiny_model

ABSURD: list[Any] = [
    *(0, -1, 1, 3, 10**6, 10**9, 2**70, 1.5, float("nan"), float("inf"), "x", "", None, True, [], {}),
    *([1], [1, 2], ["x", "y"], {"a": 1}),
]
ARCHITECTURE = "tiny-for-damage"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    save_tiny_model(folder)
    path = tmp_path_factory.mktemp("configs") / f"{ARCHITECTURE}.json"
    path.write_text(json.dumps(TINY))
    open_clip.add_model_config(path)
    return folder


def loads(folder: Path) -> bool:
    """Whether the model is taken, and then works; a refusal is a `DaptError` and comes at once."""
    started = time.process_time()
    try:
        clip = load_clip(f"local-dir:{folder}")
    except DaptError as error:
        said = error.message
        clip = None
    if clip is None:
        assert 0 < len(said) < 1500
        assert time.process_time() - started < 5
        return False
    clip.encode_text(clip.tokenizer.plain(["a cat"]))
    clip.encode_image(torch.zeros(1, 3, *clip.image.image_size))
    return True


def config_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "open_clip_config.json").read_text())


def damaged(folder: Path, whole: Path, config: Any) -> Path:
    folder.mkdir(exist_ok=True)
    weights = folder / "open_clip_model.safetensors"
    if not weights.exists():
        weights.symlink_to(whole / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    return folder


def places(config: dict[str, Any], prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, value in config.items():
        found.append((*prefix, key))
        if isinstance(value, dict):
            found += places(value, (*prefix, key))
    return found


@pytest.mark.long
def test_every_value_of_the_configuration(whole: Path, tmp_path: Path) -> None:
    for place in places(config_of(whole)):
        for value in ABSURD:
            config = config_of(whole)
            node = config
            for key in place[:-1]:
                node = node[key]
            node[place[-1]] = value
            loads(damaged(tmp_path / "m", whole, config))
        config = config_of(whole)
        node = config
        for key in place[:-1]:
            node = node[key]
        del node[place[-1]]
        loads(damaged(tmp_path / "m", whole, config))
    assert loads(damaged(tmp_path / "m", whole, config_of(whole)))


@pytest.mark.parametrize(
    ("part", "key", "value", "message"),
    [
        ("vision_cfg", "width", 10**9, "vision_cfg.width is 1000000000"),
        ("vision_cfg", "width", 50_000, "describes a model of at least"),
        ("vision_cfg", "layers", 10**6, "vision_cfg.layers is 1000000"),
        ("vision_cfg", "image_size", 10**9, "vision_cfg.image_size"),
        ("vision_cfg", "patch_size", 0, "vision_cfg.patch_size"),
        ("vision_cfg", "mlp_ratio", 10**9, "mlp_ratio"),
        ("text_cfg", "context_length", 10**6, "context_length"),
        ("text_cfg", "vocab_size", 10**7, "describes a model of at least"),
        ("text_cfg", "layers", "x", "text_cfg.layers is 'x'"),
        ("text_cfg", "tokenizer_kwargs", [1], "tokenizer_kwargs is no table"),
    ],
)
def test_what_is_wrong_is_said(whole: Path, tmp_path: Path, part: str, key: str, value: Any, message: str) -> None:
    config = config_of(whole)
    config["model_cfg"][part][key] = value
    folder = damaged(tmp_path / "m", whole, config)
    with pytest.raises(ModelError, match=message):
        load_clip(f"local-dir:{folder}")


@pytest.mark.parametrize("config", [[], 3, None, "x", {}, {"model_cfg": 3}, {"model_cfg": {}}, {"model_cfg": {"a": 1}}])
def test_configurations_of_other_shapes(whole: Path, tmp_path: Path, config: Any) -> None:
    assert not loads(damaged(tmp_path / "m", whole, config))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 100_000, b'{"model_cfg": NaN}', b"\x00" * 50])
def test_configurations_that_are_no_json(whole: Path, tmp_path: Path, content: bytes) -> None:
    folder = damaged(tmp_path / "m", whole, {})
    (folder / "open_clip_config.json").write_bytes(content)
    assert not loads(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("mean", 3), ("mean", [1, 2]), ("mean", ["a", "b", "c"]), ("std", [0, 1, 1]), ("std", [1, 1, float("nan")])),
        *(
            ("interpolation", "magic"),
            ("interpolation", 3),
            ("resize_mode", "magic"),
            ("resize_mode", []),
        ),
    ],
)
def test_pixels_cannot_be_prepared_so(whole: Path, tmp_path: Path, key: str, value: Any) -> None:
    config = config_of(whole)
    config["preprocess_cfg"][key] = value
    with pytest.raises(DaptError):  # a ModelError, but for NaN, which is no JSON
        load_clip(f"local-dir:{damaged(tmp_path / 'm', whole, config)}")


@pytest.mark.parametrize("kept", [0, 1, 8, 100, 4096, -1])
def test_truncated_weights(whole: Path, tmp_path: Path, kept: int) -> None:
    folder = damaged(tmp_path / "m", whole, config_of(whole))
    weights = folder / "open_clip_model.safetensors"
    content = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(content[:kept])
    assert not loads(folder)
    for suffix in ("safetensors", "pt"):
        path = tmp_path / f"w.{suffix}"
        path.write_bytes(content[:kept])
        with pytest.raises(ModelError):
            load_clip(f"{ARCHITECTURE}:{path}")


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.9, 0.999])
@pytest.mark.filterwarnings("ignore")
def test_truncated_pickles_and_archives(whole: Path, tmp_path: Path, kept: float) -> None:
    path = tmp_path / "w.pt"
    torch.save(tiny_model().state_dict(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ModelError):
        load_clip(f"{ARCHITECTURE}:{path}")


@given(st.binary(max_size=200), st.sampled_from(["", "zip", "safetensors"]))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_for_weights(tmp_path: Path, content: bytes, kind: str) -> None:
    start = {"": b"", "zip": b"PK\x03\x04", "safetensors": len(content).to_bytes(8, "little")}[kind]
    for suffix in ("safetensors", "pt", "bin"):
        path = tmp_path / f"w.{suffix}"
        path.write_bytes(start + content)
        with pytest.raises(ModelError):
            read_weights(path)


@pytest.mark.parametrize(
    "content",
    [
        {1: torch.zeros(2)},
        {"logit_scale": torch.zeros(3)},
        {"logit_scale": torch.zeros(0)},
        {"logit_scale": torch.tensor(1)},
        {"a": torch.zeros(2, dtype=torch.complex64)},
        {"visual.proj": torch.zeros(32, 32).to_sparse()},
        {},
        [],
        {"state_dict": {}},
        {"state_dict": {"a": 1}},
    ],
)
def test_pickles_that_hold_something_else(whole: Path, tmp_path: Path, content: Any) -> None:
    path = tmp_path / "w.pt"
    state = {**tiny_model().state_dict(), **content} if isinstance(content, dict) and "state_dict" not in content else 0
    for value in (content, state):
        torch.save(value, path)
        if value == 0 and isinstance(content, dict):
            continue
        if isinstance(value, dict) and list(content) == ["logit_scale"] and content["logit_scale"].numel() == 1:
            continue
        if isinstance(value, dict) and not content and value:
            continue
        with pytest.raises(ModelError):
            load_clip(f"{ARCHITECTURE}:{path}")


def test_weights_of_another_number(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    weights = {name: value.contiguous() for name, value in tiny_model().state_dict().items()}
    save_file({**weights, "logit_scale": torch.zeros(7)}, str(path))
    with pytest.raises(ModelError, match="logit_scale"):
        load_clip(f"{ARCHITECTURE}:{path}")


def vocabulary(tmp_path: Path, content: bytes) -> Path:
    folder = tmp_path / "demo"
    shutil.copytree(bundled_model(), folder, dirs_exist_ok=True)
    (folder / "bpe_vocab.txt.gz").write_bytes(content)
    return folder


def test_damaged_vocabulary(tmp_path: Path) -> None:
    content = (bundled_model() / "bpe_vocab.txt.gz").read_bytes()
    text = gzip.decompress(content)
    lines = text.split(b"\n")
    assert loads(vocabulary(tmp_path, content))
    for bad in (
        *(b"", b"no gzip", content[:50], content[:-9], gzip.compress(b""), gzip.compress(b"\xff\xfe\xfd")),
        *(gzip.compress(b"\n".join(lines[:100])), gzip.compress(text + b"\na b\nc d\n")),
        gzip.compress(b"\n".join([lines[0]] * len(lines))),
    ):
        assert not loads(vocabulary(tmp_path, bad))


@pytest.mark.parametrize("name", [3, [], {}, "", "absent.gz", "a\0b"])
def test_a_vocabulary_that_is_no_file(tmp_path: Path, name: Any) -> None:
    folder = vocabulary(tmp_path, b"")
    config = config_of(folder)
    config["model_cfg"]["text_cfg"]["tokenizer_kwargs"]["bpe_path"] = name
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    assert not loads(folder)
