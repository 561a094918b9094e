"""Uploading and fetching, against a stand-in of the hub on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dapt.api.model_hub import fetch, upload
from dapt.errors import ConfigError, ModelError
from helpers import fill
from hub_stand_in import StandIn


def test_there_and_back(hub: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path / "model", "README.md", "prompts.safetensors", "private.txt")
    address = upload("me/birds", tmp_path / "model", ["README.md", "prompts.safetensors"])
    assert address == f"{hub.address}/me/birds"
    told = capsys.readouterr().err.replace("\n", " ")
    assert f"Uploading 2 files (README.md, prompts.safetensors; 28 bytes) to {address}." in told
    assert set(hub.repositories["me/birds"]) >= {"README.md", "prompts.safetensors"}
    assert "private.txt" not in hub.repositories["me/birds"]
    folder = fetch("me/birds", ["README.md", "prompts.safetensors"])
    assert (folder / "README.md").read_text() == "README.md"
    assert "Fetching me/birds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "The hub does not know you, so it refuses me/birds"),
        (403, "does not let you do that with me/birds"),
        (409, "refuses me/birds: it was changed meanwhile"),
        (500, "answers 500 for me/birds"),
    ],
)
def test_a_hub_that_refuses(hub: StandIn, tmp_path: Path, status: int, message: str) -> None:
    fill(tmp_path / "model", "README.md")
    hub.repositories["me/birds"] = {}
    hub.refuse = status
    with pytest.raises(ModelError, match=message):
        upload("me/birds", tmp_path / "model", ["README.md"])


def test_what_is_not_there(hub: StandIn) -> None:
    with pytest.raises(ModelError, match="There is no me/absent on the hub, or it is private"):
        fetch("me/absent", ["README.md"])


@pytest.mark.parametrize(
    ("name", "message"), [("birds", "lacks its owner"), ("me/b i", "cannot be a name"), (None, "None cannot be a name")]
)
def test_what_is_no_name(hub: StandIn, tmp_path: Path, name: Any, message: str) -> None:
    fill(tmp_path / "model", "README.md")
    with pytest.raises(ConfigError, match=message):
        upload(name, tmp_path / "model", ["README.md"])
    assert hub.asked == []


def test_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "model", "README.md")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match="The hub cannot be reached for me/birds"):
        upload("me/birds", tmp_path / "model", ["README.md"])
