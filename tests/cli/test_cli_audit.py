"""`dapt audit`: what its arguments become."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from dapt.runs.audit_table import print_audit


def test_arguments(dapt, caught) -> None:
    calls = caught("dapt.report.audit.audit_and_write", SimpleNamespace(answers={}, record={}))
    options = ["--split", "val", "--cue", "gradcam", "--set", "cue.threshold=0.3", "--seed", 3, "--limit", 9]
    places = ["--out", "o", "--write", "w", "--json", "f.json", "--overwrite", "--size", 64, "--blank", "white"]
    code, out, err = dapt("audit", "r", "demo", "d", *options, *places)
    assert code == 0, err
    assert out == ""
    (((models, question), named),) = calls
    assert models == ["r", "demo"]
    assert (question.data, question.split, question.cue, question.seed, question.limit) == ("d", "val", "gradcam", 3, 9)
    assert dict(question.options) == {"threshold": 0.3}
    assert named == {
        **{"out": Path("o"), "write": Path("w"), "json_file": Path("f.json"), "overwrite": True, "resume": False},
        **{"size": 64, "blank": "white", "device": "auto"},
        "tell": print_audit,
    }


def test_by_default(dapt, caught) -> None:
    calls = caught("dapt.report.audit.audit_and_write", SimpleNamespace(answers={}, record={}))
    assert dapt("audit", "~/r", "~/d", "--masks", "~/m")[0] == 0
    ((models, question), named), *_ = calls
    assert models == [str(Path.home() / "r")]
    assert (question.data, question.masks) == (str(Path.home() / "d"), str(Path.home() / "m"))
    assert (question.cue, question.seed, question.split) == ("auto", 1, None)
    assert named["out"] is named["write"] is named["json_file"] is named["size"] is None


def test_figures_are_printed(dapt, caught) -> None:
    calls = caught("dapt.report.audit.audit_and_write")
    printed = caught("dapt.runs.audit_table.print_audit")
    assert dapt("audit", "r", "d")[0] == 0
    calls[0][1]["tell"]({"figures": 1})
    assert printed == [(({"figures": 1},), {})]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument"),
        (["d"], "No model was named"),
        (["/nowhere/run", "/nowhere/data"], "no folder of a run"),
        (["demo", "/nowhere/data"], "There is no data"),
        (["demo", "d", "--limit", "1"], "greater than or equal to 2"),
        (["demo", "d", "--set", "dapt.margin=1"], "takes options of the cue only"),
        (["demo", "d", "--set", "cue.source=none"], "takes options of the cue only"),
        (["demo", "d", "--blank", "blak"], "no colour"),
        (["demo", "d", "--backgrounds", ""], "that lends backgrounds is empty"),
    ],
)
def test_mistakes(dapt, arguments: list[str], message: str, table: Path) -> None:
    given = [str(table) if argument == "d" else argument for argument in arguments]
    code, out, err = dapt("audit", *given)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_a_command_that_ends_with_a_run_lacks_data(dapt, tmp_path: Path) -> None:
    run = tmp_path / "r"
    run.mkdir()
    for name in ("run.yaml", ".dapt.json"):
        (run / name).write_text("{}")
    for given in ([run], [run, run]):
        code, out, err = dapt("audit", *given)
        assert (code, out) == (2, "")
        assert "is the folder of a run, and no data: the data comes last" in " ".join(err.split())
