"""`dapt data select`: the configuration that its arguments become."""

from __future__ import annotations

from pathlib import Path

import pytest

ASKED = ("data", "select", "/d", "--select", "herding", "--fraction", "0.2", "--out", "s.json")


def test_arguments(dapt, caught) -> None:
    calls = caught("dapt.runs.select_file.write_selection")
    code, _, err = dapt(*ASKED, "--shots", 4, "--seed", 3, "--global", "--legacy", "--preview", "p.jpg", "--overwrite")
    assert code == 0, err
    (((config, out), how),) = calls
    assert (config.data, config.select, config.fraction, config.shots, config.seed) == ("/d", "herding", 0.2, 4, 3)
    assert (config.selection.balanced, config.selection.legacy) == (False, True)
    assert (out, how) == (Path("s.json"), {"preview": Path("p.jpg"), "overwrite": True})


def test_by_default_of_all_images_and_every_class(dapt, caught) -> None:
    calls = caught("dapt.runs.select_file.write_selection")
    assert dapt(*ASKED, "--set", "selection.options.rate=0.01")[0] == 0
    config = calls[0][0][0]
    assert (config.shots, config.seed, config.subset, config.selection.balanced) == (0, 1, "all", True)
    assert config.selection.options == {"rate": 0.01}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "fractoin=1"], "Did you mean 'fraction'"),
        (["--fraction", "1.5"], "fraction"),
        (["--subset", "novel"], "subset"),
        (["--select", "hreding"], "Did you mean 'herding'"),
    ],
)
def test_mistakes(dapt, arguments: list[str], message: str) -> None:
    code, out, err = dapt(*ASKED, *arguments)
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize("option", ["--select", "--fraction", "--out"])
def test_what_has_to_be_said(dapt, option: str) -> None:
    place = ASKED.index(option)
    code, _, err = dapt(*ASKED[:place], *ASKED[place + 2 :])
    assert code == 2
    assert f"Missing option '{option}'" in err
