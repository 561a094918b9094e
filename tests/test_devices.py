"""The device that computes: picked, or refused with what there is."""

from __future__ import annotations

import os

import pytest
import torch

from dapt.devices import compute_exactly, compute_repeatably, pick_device
from dapt.errors import ConfigError


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_prefers_cuda_then_mps(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, expected: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device("auto") == expected


def test_only_devices_that_are_there_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert [pick_device(name) for name in ("cpu", "cuda", "cuda:0", "cuda:1")] == ["cpu", "cuda", "cuda:0", "cuda:1"]
    for absent in ("cuda:2", "mps"):
        with pytest.raises(ConfigError, match=f"no device '{absent}'.\nUse --device auto"):
            pick_device(absent)


def test_cuda_without_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ConfigError, match="This machine has no device 'cuda'"):
        pick_device("cuda")


@pytest.mark.parametrize("name", ["", "gpu", "CUDA:x", "cuda:-1", "cpu:", "0"])
def test_what_is_no_device_at_all(name: str) -> None:
    with pytest.raises(ConfigError, match="no device"):
        pick_device(name)


@pytest.mark.parametrize("name", ["xla", "meta", "hpu"])
def test_devices_that_torch_knows_and_dapt_does_not_use(name: str) -> None:
    with pytest.raises(ConfigError, match=f"This machine has no device '{name}'"):
        pick_device(name)


def test_repeatable_computing_has_what_cublas_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(torch, "use_deterministic_algorithms", asked.append)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    compute_repeatably()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    compute_repeatably()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"
    assert asked == [True, True]


def test_convolutions_of_runs_are_not_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    compute_exactly()
    assert not torch.backends.cudnn.allow_tf32


def test_the_cpu_has_no_number() -> None:
    with pytest.raises(ConfigError, match="There is one cpu device, without a number"):
        pick_device("cpu:0")
