"""Joining a Ray cluster: what cannot be joined is said within seconds, before Ray is asked."""

from __future__ import annotations

import socket
import time

import pytest

from dapt import clusters
from dapt.clusters import _refusal, joined, refuse_client, runtime_env
from dapt.errors import ConfigError


def refused(address: str) -> str:
    began = time.monotonic()
    with pytest.raises(ConfigError) as found, joined(address):
        pass
    assert time.monotonic() - began < 10
    return found.value.message


@pytest.mark.parametrize("text", ["", "here", "host:", ":6379", "host:port", "host:0", "host:70000", "ray://host"])
def test_what_is_no_address(text: str) -> None:
    pytest.importorskip("ray")
    assert "is no address of a Ray cluster" in refused(text)


def test_where_nobody_answers() -> None:
    pytest.importorskip("ray")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but it does not listen
        port = taken.getsockname()[1]
        assert f"No Ray cluster answers at 127.0.0.1:{port}" in refused(f"127.0.0.1:{port}")


def test_without_ray_the_command_to_install_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters.importlib.util, "find_spec", lambda name: None)
    assert "pip install 'dapt[ray]'" in refused("auto")


def test_other_versions_are_named() -> None:
    error = RuntimeError("Version mismatch: The cluster was started with:\n Ray: 2.40.0\n Python: 3.11")
    assert "another version of Ray or Python than this process: Version mismatch" in _refusal("h:1", error).message
    assert "Ray: 2.40.0" in _refusal("h:1", error).message


def test_no_cluster_here() -> None:
    assert "no Ray cluster that this machine is part of" in _refusal("auto", ConnectionError("x")).message


def test_the_package_in_use_goes_with_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAPT_DATA", "/somewhere")
    monkeypatch.setenv("SECRET", "x")
    found = runtime_env()
    assert found["py_modules"] == [str(clusters.Path(clusters.__file__).parent)]
    assert found["env_vars"]["DAPT_DATA"] == "/somewhere"
    assert "SECRET" not in found["env_vars"]


def test_runs_do_not_go_through_a_client_server() -> None:
    with pytest.raises(ConfigError, match="Ray client server"):
        refuse_client("ray://head:10001")
