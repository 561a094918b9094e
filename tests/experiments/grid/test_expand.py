"""From lists to cells: combinations, what is left out and what is put in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapt.config import make_config
from dapt.errors import ConfigError
from dapt.experiments.grid.expand import MOST, Cells, expand
from dapt.experiments.grid.experiment import make_experiment


def cells(**tree: Any) -> Cells:
    return expand(make_experiment({"data": "/d/photos", **tree}, "x"))


def test_every_combination_the_last_axis_fastest() -> None:
    found = cells(methods=["coop", "maple"], seeds=[1, 2]).cells
    assert [(cell.values["method"], cell.values["seed"]) for cell in found] == [
        ("coop", 1),
        ("coop", 2),
        ("maple", 1),
        ("maple", 2),
    ]
    assert found[0].name == "photos-coop-16shot-seed1"
    assert found[0].folder == Path("runs/x/photos-coop-16shot-seed1")
    assert make_config(found[3].settings).seed == 2


def test_a_single_run_is_an_experiment_too() -> None:
    (only,) = cells(method="coop").cells
    assert only.settings == {"out": "runs/x/photos-coop-16shot-seed1", "data": "/d/photos", "method": "coop"}


def test_without_dapt_there_is_no_cue() -> None:
    found = cells(dapt=[False, "phased", {"variant": "joint", "margin": 1.0}], cues=["masks", "border"])
    assert found.equal == 1
    assert [cell.settings.get("dapt") for cell in found.cells] == [
        None,
        {"enabled": True, "variant": "phased"},
        {"enabled": True, "variant": "phased"},
        {"enabled": True, "variant": "joint", "margin": 1.0},
        {"enabled": True, "variant": "joint", "margin": 1.0},
    ]
    assert [cell.settings.get("cue") for cell in found.cells] == [
        None,
        *[{"source": "masks"}, {"source": "border"}] * 2,
    ]
    assert len({cell.name for cell in found.cells}) == 5
    assert found.cells[3].name == "photos-maple+dapt-joint_margin=1-masks-16shot-seed1"


def test_dotted_keys_go_into_sections() -> None:
    found = cells(dapt=True, **{"dapt.margin": [0.5, 1.5], "cue": "border", "cue.cells": 8}).cells
    assert [cell.settings["dapt"] for cell in found] == [
        {"enabled": True, "margin": 0.5},
        {"enabled": True, "margin": 1.5},
    ]
    assert found[0].settings["cue"] == {"source": "border", "cells": 8}
    assert found[1].name.endswith("-dapt.margin=1.5-seed1")


def test_excluded() -> None:
    found = cells(
        methods=["zero_shot", "coop", "maple"],
        dapt=[False, True],
        exclude=[{"method": ["zero_shot", "coop"], "dapt": True}, {"method": "ivlp"}],
    )
    assert [(cell.values["method"], cell.values.get("dapt", False)) for cell in found.cells] == [
        ("zero_shot", False),
        ("coop", False),
        ("maple", False),
        ("maple", True),
    ]
    assert found.excluded == 2
    assert found.remarks == ["An entry of 'exclude' fits nothing: {'method': 'ivlp'}."]


def test_everything_excluded() -> None:
    with pytest.raises(ConfigError, match="Every combination is excluded"):
        cells(methods=["coop"], exclude=[{"method": "coop"}])


def test_included_settings_go_to_the_cells_that_they_fit() -> None:
    found = cells(
        methods=["coop", "maple"], seeds=[1, 2], include=[{"method": "coop", "lr": 0.01}, {"epochs": 3}]
    ).cells
    assert [cell.settings.get("lr") for cell in found] == [0.01, 0.01, None, None]
    assert [cell.settings["epochs"] for cell in found] == [3] * 4


def test_what_fits_no_cell_is_a_cell_of_its_own() -> None:
    found = cells(methods=["coop"], seeds=[1, 2], include=[{"method": "maple", "seed": [5, 6], "lr": 0.01}]).cells
    assert [(cell.values["method"], cell.values["seed"]) for cell in found] == [
        ("coop", 1),
        ("coop", 2),
        ("maple", 5),
        ("maple", 6),
    ]
    assert found[3].settings["lr"] == 0.01


def test_protocols_with_their_points() -> None:
    found = cells(protocol=["base_to_novel", "few-shot"], over={"few_shot": [1, 4]}).cells
    assert [(cell.protocol, cell.over) for cell in found] == [("base_to_novel", ()), ("few-shot", ("1", "4"))]
    assert "protocol" not in found[0].settings
    assert [cell.name for cell in found] == ["photos-base_to_novel-maple-seed1", "photos-few-shot-maple-seed1"]


def test_two_folders_of_one_name() -> None:
    with pytest.raises(ConfigError, match=r"the same folder.*differ in data only \(/a/x and /b/x\)"):
        expand(make_experiment({"data": ["/a/x", "/b/x"]}, "e"))


def test_more_combinations_than_can_be_looked_at() -> None:
    began = time.monotonic()
    with pytest.raises(ConfigError, match=r"98,901,000 combinations \(999 of shots, 99 of lr, 1000 of seed\)"):
        cells(seeds=list(range(1000)), shots=list(range(999)), lr=[each / 1000 for each in range(1, 100)])
    many = list(range(MOST // 2))
    with pytest.raises(ConfigError, match="150,000 combinations"):
        cells(seeds=many, vary=[{"lr": [0.1, 0.2]}])
    with pytest.raises(ConfigError, match=r"150,001 combinations"):
        cells(include=[{"method": "coop", "seed": [*range(3000)], "shots": [*range(50)]}])
    assert time.monotonic() - began < 30


def test_entries_of_include_that_contradict_each_other() -> None:
    with pytest.raises(ConfigError, match=r"one cell different values of lr: \{'method': 'coop', 'lr': 0.1\} and"):
        cells(methods=["coop", "maple"], include=[{"method": "coop", "lr": 0.1}, {"seed": 1, "lr": 0.2}], seeds=[1, 2])
    found = cells(methods=["coop", "maple"], include=[{"method": "coop", "lr": 0.1}, {"lr": 0.1}]).cells
    assert [cell.settings["lr"] for cell in found] == [0.1, 0.1]


def test_one_seed_written_in_two_ways_is_one_cell() -> None:
    found = cells(
        methods=["coop"], seeds=[1, 2], include=[{"method": "coop", "seed": 1.0}, {"method": "coop", "seed": "2"}]
    )
    assert [cell.name for cell in found.cells] == ["photos-coop-16shot-seed1", "photos-coop-16shot-seed2"]
    assert cells(seed=1, vary=[{"seed": "1"}]).equal == 1


def test_what_decides_nothing_is_said() -> None:
    assert cells(cues=["border", "patches"]).remarks == [
        "'cue' decides nothing: no cell has DAPT, and without it there is no cue."
    ]
    assert cells(dapt=[False, True], cue="border").remarks == []
    assert cells(over={"few_shot": [1]}, protocol="base-to-novel").remarks == [
        "'over' names points of few_shot, which no cell has as its protocol."
    ]
    assert cells(over={"few_shot": [1]}, protocol="few-shot").remarks == []


@given(
    st.lists(st.sampled_from(["coop", "maple", "ivlp", "vpt"]), unique=True, min_size=1),
    st.lists(st.integers(0, 9), unique=True, min_size=1, max_size=4),
    st.lists(st.sampled_from([0.1, 0.01, 1e-5]), unique=True, min_size=1),
    st.integers(0, 9),
)
def test_combinations_less_the_excluded_ones(methods: list[str], seeds: list[int], lrs: list[float], gone: int) -> None:
    tree: dict[str, Any] = {"methods": methods, "seeds": seeds, "lr": lrs, "exclude": [{"seed": gone}]}
    left = [seed for seed in seeds if seed != gone]
    if not left:
        with pytest.raises(ConfigError, match="excluded"):
            cells(**tree)
        return
    found = cells(**tree)
    assert len(found.cells) == len(methods) * len(left) * len(lrs)
    assert len({cell.name for cell in found.cells}) == len(found.cells)
    assert found.excluded == len(methods) * (len(seeds) - len(left)) * len(lrs)


def test_hosts_keep_their_masks_where_the_protocol_looks_at_them() -> None:
    """Without DAPT nothing is trained with masks, but an audit has to know where the object is."""
    how = {"dapt": [False, True], "masks": ["/m", "/n"], "mask_name": "{stem}_m.png"}
    found = cells(protocol="background-audit", **how).cells
    assert [cell.settings["masks"] for cell in found] == ["/m", "/n"] * 2
    assert len({cell.name for cell in found}) == 4
    assert all(
        "cue" not in cell.settings for cell in cells(protocol="background_audit", dapt=False, cue="border").cells
    )
    few = cells(protocol="few_shot", **how).cells
    assert [cell.settings.get("masks") for cell in few] == [None, "/m", "/n"]


def test_one_setting_is_varied_at_a_time() -> None:
    found = cells(
        methods="maple",
        dapt=[False, "phased"],
        cues="masks",
        seeds=[1, 2],
        vary=[{"dapt.margin": [1.0, 2.0]}, {"cue": "border"}, {"dapt.visual_weight": 0, "dapt.words": ["sky", "sea"]}],
    ).cells
    assert [cell.name for cell in found if cell.settings["seed"] == 1] == [
        "photos-maple-16shot-seed1",
        "photos-maple+dapt-phased-16shot-seed1",
        "photos-maple+dapt-phased-16shot-dapt.margin=1-seed1",
        "photos-maple+dapt-phased-16shot-dapt.margin=2-seed1",
        "photos-maple+dapt-phased-border-16shot-seed1",
        "photos-maple+dapt-phased-16shot-dapt.visual_weight=0-dapt.words=sky_sea-seed1",
    ]
    assert found[-1].settings["dapt"]["words"] == ["sky", "sea"]
    assert len(found) == 12
