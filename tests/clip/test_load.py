"""Loading backbones: every accepted form, and every refusal."""

from __future__ import annotations

import pickle
from pathlib import Path

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from dapt.clip.load import load_clip, read_weights
from dapt.clip.torchscript import is_torchscript, read_torchscript
from dapt.errors import ModelError
from helpers import save_tiny_model, tiny_model

ARCHITECTURE = "tiny-for-dapt-tests"


@pytest.fixture(scope="module", autouse=True)
def architecture(tmp_path_factory):
    """Make the tiny architecture known to open_clip under a name."""
    import json

    from helpers import TINY

    folder = tmp_path_factory.mktemp("configs")
    path = folder / f"{ARCHITECTURE}.json"
    path.write_text(json.dumps(TINY))
    open_clip.add_model_config(path)


def openai_named() -> dict[str, torch.Tensor]:
    """A state dict as OpenAI's files have it."""
    weights = {name: value.clone() for name, value in tiny_model().state_dict().items()}
    extras = {"input_resolution": 32, "context_length": 32, "vocab_size": 49408}
    return {**weights, **{name: torch.tensor(value) for name, value in extras.items()}}


def same_features(clip, quick_gelu: bool) -> None:
    model = tiny_model(quick_gelu=quick_gelu).eval()
    model.load_state_dict(tiny_model().state_dict())
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(clip.image.encode(pixels), model.encode_image(pixels), atol=1e-5)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("naming", ["openai", "open_clip", "data_parallel"])
def test_weight_files(tmp_path: Path, suffix: str, naming: str) -> None:
    weights = openai_named() if naming == "openai" else dict(tiny_model().state_dict())
    if naming == "data_parallel":
        weights = {f"module.{name}": value for name, value in weights.items()}
        if suffix == ".safetensors":
            pytest.skip("safetensors files are not written by DataParallel")
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pt":
        torch.save({"state_dict": weights} if naming == "open_clip" else weights, path)
    else:
        save_file({name: value.contiguous() for name, value in weights.items()}, str(path))
    same_features(load_clip(f"{ARCHITECTURE}:{path}"), quick_gelu=naming == "openai")


@pytest.mark.filterwarnings("ignore")
def test_torchscript_archive_is_read_without_running_it(tmp_path: Path, monkeypatch) -> None:
    model = tiny_model().eval()

    class Root(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.visual = torch.nn.Linear(3, 4)
            self.strided = torch.nn.Parameter(torch.randn(2, 5).half().t())
            self.logit_scale = torch.nn.Parameter(torch.tensor(2.5))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.visual(x)

    root = Root()
    path = tmp_path / "root.pt"
    torch.jit.save(torch.jit.trace(root, torch.randn(1, 3), check_trace=False), str(path))
    monkeypatch.setattr(torch.jit, "load", lambda *a, **k: pytest.fail("torch.jit.load was called"))
    assert is_torchscript(path)
    found = read_torchscript(path)
    for name, value in root.state_dict().items():
        assert torch.equal(found[name], value), name
    # a whole CLIP, traced as OpenAI's are
    clip_path = tmp_path / "clip.pt"
    traced = torch.jit.trace_module(
        model,
        {"encode_image": torch.randn(1, 3, 32, 32), "encode_text": torch.zeros(1, 32, dtype=torch.long)},
        check_trace=False,
    )
    torch.jit.save(traced, str(clip_path))
    own = model.state_dict()
    loaded = read_weights(clip_path)
    assert all(torch.equal(loaded[name], own[name]) for name in own)


def test_torchscript_archive_with_foreign_code_is_refused(tmp_path: Path) -> None:
    import zipfile

    class Evil:
        def __reduce__(self):
            return (Path(tmp_path / "executed").touch, ())

    path = tmp_path / "evil.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("evil/data.pkl", pickle.dumps(Evil()))
        archive.writestr("evil/constants.pkl", pickle.dumps(()))
    with pytest.raises(ModelError, match=r"cannot be read safely[\s\S]*Convert it"):
        read_weights(path)
    assert not (tmp_path / "executed").exists()


def test_pickle_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self):
            return (Path(tmp_path / "executed").touch, ())

    path = tmp_path / "evil.pt"
    path.write_bytes(pickle.dumps({"state_dict": Evil()}))
    with pytest.raises(ModelError, match=r"was refused[\s\S]*never run"):
        load_clip(f"{ARCHITECTURE}:{path}")
    torch.save({"weights": Evil()}, path)
    with pytest.raises(ModelError, match="was refused"):
        load_clip(f"{ARCHITECTURE}:{path}")
    assert not (tmp_path / "executed").exists()


def test_weights_of_another_architecture_are_refused_by_name(tmp_path: Path) -> None:
    weights = dict(tiny_model().state_dict())
    weights["visual.proj"] = torch.zeros(32, 7)
    path = tmp_path / "other.safetensors"
    save_file({name: value.contiguous() for name, value in weights.items()}, str(path))
    with pytest.raises(ModelError, match=rf"do not fit {ARCHITECTURE}: visual.proj: file \(32, 7\)"):
        load_clip(f"{ARCHITECTURE}:{path}")
    del weights["visual.proj"]
    save_file({name: value.contiguous() for name, value in weights.items()}, str(path))
    with pytest.raises(ModelError, match=r"missing visual\.proj"):
        load_clip(f"{ARCHITECTURE}:{path}")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("ViT-B-61/openai", "Did you mean 'ViT-B-16'"),
        ("ViT-B-16/openia", "Did you mean 'openai'"),
        ("ViT-B-16", r"for example ViT-B-16/openai"),
        ("local-dir:/no/such/folder", "no model folder"),
        ("ViT-B-16:/no/such/file.pt", "no weight file"),
        ("nonsense", "'nonsense' is not a model"),
    ],
)
def test_bad_names(spec: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        load_clip(spec)


def test_local_folder_and_half_precision(tmp_path: Path) -> None:
    spec = save_tiny_model(tmp_path / "model")
    full = load_clip(spec)
    pixels = torch.randn(2, 3, 32, 32)
    tokens = full.tokenizer.plain(["a cat", "a dog"])
    for precision, kind in (("bf16", torch.bfloat16), ("16", torch.float16)):
        half = load_clip(spec, precision=precision)
        assert half.text.dtype == kind
        assert half.fingerprint() == full.fingerprint()
        features = half.encode_image(pixels)
        assert features.dtype == torch.float32
        assert float((features * full.encode_image(pixels)).sum(dim=1).min()) > 0.99
        assert float((half.encode_text(tokens) * full.encode_text(tokens)).sum(dim=1).min()) > 0.99


def test_damaged_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"not a file of tensors")
    with pytest.raises(ModelError, match="not a readable safetensors file"):
        read_weights(path)


@pytest.mark.parametrize("spec", ["ViT-B-16/openai", "hf-hub:nobody/nothing"])
def test_without_a_network_the_message_is_short(spec: str, monkeypatch, tmp_path: Path) -> None:
    from huggingface_hub import HfApi

    def unreachable(*args: object, **kwargs: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(HfApi, "model_info", unreachable)
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *args: None)
    with pytest.raises(ModelError, match=r"cannot be reached\.\nCheck the network, or use a local copy") as caught:
        load_clip(spec)
    assert len(str(caught.value)) < 300


def test_what_is_downloaded_is_announced(monkeypatch, capsys) -> None:
    from types import SimpleNamespace

    from huggingface_hub import HfApi

    import dapt.clip.load as module

    files = [SimpleNamespace(rfilename="open_clip_model.safetensors", size=300 * 2**20)]
    monkeypatch.setattr(HfApi, "model_info", lambda *args, **kwargs: SimpleNamespace(siblings=files))
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *args: None)
    module._announce("somebody/model", None)
    said = capsys.readouterr().err
    assert "Downloading somebody/model (300 MB) to " in said
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *args: "/cached")
    module._announce("somebody/model", None)
    assert capsys.readouterr().err == ""


def test_a_hub_model_in_the_transformers_layout_is_named_before_it_is_downloaded(monkeypatch) -> None:
    from types import SimpleNamespace

    from huggingface_hub import HfApi

    files = [SimpleNamespace(rfilename=name, size=1) for name in ("config.json", "model.safetensors")]
    monkeypatch.setattr(HfApi, "model_info", lambda *args, **kwargs: SimpleNamespace(siblings=files))
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *args: None)
    monkeypatch.setattr(open_clip, "create_model", lambda *args, **kwargs: pytest.fail("it was downloaded"))
    with pytest.raises(ModelError, match=r"transformers layout[\s\S]*Did you mean ViT-B-16/openai\?[\s\S]*local-dir"):
        load_clip("hf-hub:openai/clip-vit-base-patch16")


def test_a_folder_with_a_pointer_or_half_of_its_weights(tmp_path: Path) -> None:
    spec = save_tiny_model(tmp_path / "model")
    (weights,) = (tmp_path / "model").glob("*.safetensors")
    content = weights.read_bytes()
    weights.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match=f"is incomplete: {len(content) // 2:,} of {len(content):,} bytes"):
        load_clip(spec)
    weights.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 12\n")
    with pytest.raises(ModelError, match="is a git-LFS pointer"):
        load_clip(spec)
