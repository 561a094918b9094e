"""`dapt masks`: the default command without a name, and options of the cue."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_arguments(dapt, caught) -> None:
    calls = caught("dapt.runs.write_masks.write_masks")
    code, _, err = dapt(
        *("masks", "d", "--out", "o", "--threshold", 0.25, "--soft", "--set", "cue.batch_size=7", "--classes", "a, b"),
        *("--run", "r", "--split", "val", "--preview", "--compare", "--seed", 3),
    )
    assert code == 0, err
    ((given, named),) = calls
    assert given == ("d", Path("o"))
    assert named["options"] == {"threshold": 0.25, "soft": True, "batch_size": 7}
    assert (named["source"], named["run"], named["classes"]) == ("auto", Path("r"), ["a", "b"])
    assert (named["split"], named["preview"], named["compare"], named["seed"]) == ("val", True, True, 3)


def test_without_options_the_cue_has_its_own(dapt, caught) -> None:
    calls = caught("dapt.runs.write_masks.write_masks")
    assert dapt("masks", "d", "--out", "o", "--cue", "random")[0] == 0
    assert (calls[0][1]["source"], calls[0][1]["options"], calls[0][1]["classes"]) == ("random", {}, None)


def test_data_called_like_a_sub_command_has_a_path(dapt, caught) -> None:
    made, verified = caught("dapt.runs.write_masks.write_masks"), caught("dapt.runs.verify_masks.verify_masks")
    assert dapt("masks", "./verify", "--out", "o")[0] == 0
    assert made[0][0][0] == "./verify"
    assert verified == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "shots=4"], "takes options of the cue only"),
        (["--set", "cue.source=random"], "takes options of the cue only"),
        (["--threshold", "2"], "--threshold"),
        (["--seed", "-1"], "--seed"),
        (["--cue", "gradcm"], "Did you mean 'gradcam'"),
        (["--set", "cue.treshold=0.5"], "Did you mean 'threshold'"),
    ],
)
def test_mistakes(dapt, tmp_path: Path, arguments: list[str], message: str) -> None:
    code, out, err = dapt("masks", tmp_path, "--out", tmp_path / "out", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert not (tmp_path / "out").exists()
