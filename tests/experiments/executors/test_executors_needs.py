"""What a run needs of another machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.experiments.executors.base import Job
from dapt.experiments.executors.needs import elsewhere, needs_of, places_of


@pytest.mark.parametrize(
    ("device", "devices", "gpus_there", "cpus", "gpus"),
    [
        ("cpu", 1, True, 2, 0),
        ("cuda", 1, False, 2, 1),
        ("cuda:3", 1, True, 2, 1),
        ("cuda", 4, True, 8, 4),
        ("auto", 1, True, 2, 1),
        ("auto", 1, False, 2, 0),
        ("cpu", 2, True, 4, 0),
    ],
)
def test_resources_by_device(device: str, devices: int, gpus_there: bool, cpus: int, gpus: int) -> None:
    needs = needs_of(Job("a", make_config({"data": "/d", "device": device, "devices": devices})), 2, gpus_there)
    assert (needs.cpus, needs.gpus) == (cpus, gpus)
    assert needs.fit({"CPU": cpus, "GPU": gpus})
    assert not needs.fit({"CPU": cpus - 1, "GPU": gpus})
    assert needs.fit({"CPU": cpus}) == (gpus == 0)


def test_what_is_read_without_the_plugins_which_travel_along(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin.py"
    plugin.write_text("")
    config = make_config({"data": "/d", "masks": "/m", "model": "local-dir:/b", "plugins": [str(plugin)]})
    assert places_of(config) == ("/d", "/m", "/b")


def test_the_number_of_a_gpu_of_this_machine_means_nothing_elsewhere() -> None:
    job = Job("a", make_config({"data": "/d", "device": "cuda:1"}), settings={"device": "cuda:1", "data": "/d"})
    moved = elsewhere(job)
    assert (moved.config.device, moved.settings) == ("cuda", {"device": "cuda", "data": "/d"})
    same = Job("a", make_config({"data": "/d", "device": "cpu"}))
    assert elsewhere(same) is same
