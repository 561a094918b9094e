"""`dapt train`: what arguments, a file and --set become, and which wins."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def trained(dapt, caught):
    """The configuration that a command line asks for, and how the run is to begin."""
    calls = caught("dapt.runs.train.run_training")

    def call(*arguments: object):
        code, _, err = dapt("train", *arguments)
        assert code == 0, err
        (config,), how = calls.pop()
        return config, how

    return call


def test_options_become_settings(trained) -> None:
    config, how = trained("/d", "--method", "coop", "--shots", 4, "--seed", 7, "--lr", 0.5, "--subset", "base")
    assert (config.data, config.method, config.shots, config.seed, config.lr) == ("/d", "coop", 4, 7, 0.5)
    assert config.subset == "base"
    assert how == {"resume": False, "overwrite": False, "baselines": True}
    config, how = trained("/d", "--n-ctx", 3, "--depth", 2, "--device", "cpu", "--precision", "bf16", "--resume")
    assert (config.prompt["n_ctx"], config.prompt["depth"]) == (3, 2)
    assert (config.device, config.precision) == ("cpu", "bf16")
    assert how == {"resume": True, "overwrite": False, "baselines": True}
    config, how = trained("/d", "--masks", "m", "--mask-format", "labels", "--split-file", "s", "--overwrite")
    assert (config.masks, config.mask_format, config.split_file) == ("m", "labels", "s")
    assert how == {"resume": False, "overwrite": True, "baselines": True}
    assert not trained("/d", "--no-baselines")[1]["baselines"]


def test_dapt_and_its_cue(trained) -> None:
    assert not trained("/d")[0].dapt.enabled
    config, _ = trained("/d", "--dapt", "--cue", "random", "--set", "dapt.margin=0.5", "--set", "cue.grid=3")
    assert (config.dapt.enabled, config.dapt.margin) == (True, 0.5)
    assert (config.cue.source, config.cue.options) == ("random", {"grid": 3})
    assert trained("/d", "--set", "dapt.margin=0.5")[0].dapt.enabled, "any of its settings switches it on"
    assert trained("/d", "--dapt", "--set", "dapt.enabled=true")[0].dapt.enabled


@pytest.mark.parametrize("off", [["--no-dapt"], ["--set", "dapt.enabled=false"]])
def test_settings_of_dapt_that_is_off_are_warned_of(dapt, caught, off: list[str]) -> None:
    calls = caught("dapt.runs.train.run_training")
    code, _, err = dapt("train", "/d", *off, "--set", "dapt.margin=0.5", "--set", "dapt.words=auto")
    assert code == 0
    assert "DAPT is switched off, so --set dapt.margin and dapt.words change nothing" in " ".join(err.split())
    assert not calls[0][0][0].dapt.enabled
    assert "change nothing" not in dapt("train", "/d", *off)[2]


def test_options_and_set_win_over_the_file(trained, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("data: /file\nmethod: coop\nshots: 2\nseed: 3\ndapt: true\n")
    config, _ = trained("--config", file)
    assert (config.data, config.method, config.shots, config.seed, config.dapt.enabled) == ("/file", "coop", 2, 3, True)
    config, _ = trained("/option", "--config", file, "--shots", 5, "--set", "seed=9", "--no-dapt")
    assert (config.data, config.method, config.shots, config.seed, config.dapt.enabled) == (
        *("/option", "coop", 5, 9, False),
    )


def test_the_home_folder(trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    config, _ = trained("~/photos", "--masks", "~/masks", "--out", "~/run")
    assert (config.data, config.masks, config.out) == ("/home/me/photos", "/home/me/masks", "/home/me/run")


def test_a_protocol_gets_the_tree_as_it_was_given(dapt, caught) -> None:
    calls = caught("dapt.experiments.run_protocol.run_protocol")
    caught("dapt.experiments.run_protocol.print_protocol")
    code, _, err = dapt("train", "/d", "--protocol", "few_shot", "--over", "1, 2,", "--jobs", 2, "--seed", 4)
    assert code == 0, err
    assert calls == [
        (("few_shot", {"data": "/d", "seed": 4}), {"over": ["1", "2"], "jobs": 2, "resume": False, "overwrite": False})
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/d", "--jobs", "2"], "--jobs belongs to --protocol"),
        (["/d", "--over", "1"], "--over belongs to --protocol"),
        (["/d", "--protocol", "few_shot", "--over", ","], "--over names nothing"),
        (["/d", "--protocol", "few_shots"], "Did you mean 'few_shot'"),
        (["/d", "--set", "shotss=4"], "Did you mean 'shots'"),
        (["/d", "--set", "shots"], "shots"),
        (["/d", "--method", "mapel"], "Did you mean 'maple'"),
        (["/d", "--mask-format", "binery"], "mask_format"),
        (["/d", "--jobs", "0"], "--jobs"),
        (["/d", "--shots", "2", "--set", "shots=3"], "--shots is 2, and --set shots is 3"),
        (["/d", "--dapt", "--set", "dapt.enabled=false"], "--dapt was given, and --set dapt.enabled is false"),
        (["/d", "--dapt", "--set", "dapt.enabled=maybe"], "dapt.enabled"),
        (["/d", "--cue", "border", "--set", "cue=random"], "--cue is border, and --set cue.source is random"),
        (["/d", "--set", "dapt="], "--set dapt= gives the section 'dapt' no value"),
        (["--config", "/nowhere.yaml"], "/nowhere.yaml"),
    ],
)
def test_mistakes(dapt, caught, arguments: list[str], message: str) -> None:
    calls = caught("dapt.runs.train.run_training")
    code, out, err = dapt("train", *arguments)
    assert (code, out, calls) == (2, "", [])
    assert message in err
