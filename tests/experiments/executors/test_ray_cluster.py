"""Clusters that cannot be used, each in a sentence and within seconds; nodes that cannot carry out what."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from dapt.errors import DaptError
from dapt.experiments.executors.needs import Needs
from dapt.experiments.executors.ray_cluster import Nodes, probed
from dapt.experiments.executors.ray_work import Look, versions

pytest.importorskip("ray")


def nodes(**resources: float) -> Nodes:
    found = [
        {"NodeID": key * 8, "NodeManagerHostname": key, "Resources": {"CPU": cpus}, "Alive": True}
        for key, cpus in resources.items()
    ]
    return Nodes(SimpleNamespace(nodes=lambda: found))


def test_runs_keep_off_nodes_without_their_data(capsys: pytest.CaptureFixture[str]) -> None:
    found, needs = nodes(a=2, b=2), Needs(1, 0, ("/d",))
    assert "label_selector" not in found.options(needs)
    found.note_missing("a" * 8, ["/d"])
    found.note_missing("a" * 8, ["/d"])
    error = capsys.readouterr().err
    assert error.count("Node a (aaaaaaaa) does not have /d") == 1
    assert found.options(needs)["label_selector"] == {"ray.io/node-id": "!in(aaaaaaaa)"}
    assert "label_selector" not in found.options(Needs(1, 0, ("/e",)))
    assert found.problem(needs) == ""
    found.note_missing("b" * 8, ["/d"])
    assert found.problem(needs) == "No node of the cluster that could carry it out has /d."


def test_what_no_node_has_room_for() -> None:
    found = nodes(a=2)
    assert "3 processor cores" in found.problem(Needs(3, 0, ()))
    assert "1 processor core and 1 GPU" in found.problem(Needs(1, 1, ()))
    assert not found.have_gpus


def test_the_probe_is_removed(tmp_path: Path) -> None:
    for left in (".ray-0123456789ab", ".ray-0123456789ab.xyz"):  # by a process that was killed
        (tmp_path / left).write_text("")
    with probed(tmp_path) as probe:
        assert (tmp_path / probe.name).read_text() == probe.token
    assert not list(tmp_path.iterdir())
    (tmp_path / ".ray-of-somebody").write_text("")
    with probed(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [".ray-of-somebody"]
    with pytest.raises(DaptError, match="Could not write"), probed(tmp_path / "none"):
        pass


def test_other_versions_on_a_node_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    found = nodes(a=2)
    found._tell_versions("a" * 8, Look({**versions(), "torch": "1.0"}, "", ()))
    assert "Node a (aaaaaaaa) has torch 1.0 (here " in capsys.readouterr().err
    found._tell_versions("a" * 8, Look(versions(), "", ()))
    assert capsys.readouterr().err == ""
