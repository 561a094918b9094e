"""The tables of docs/evidence.md: labels, pairs and intervals."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dapt.dapt_options import DaptOptions
from dapt.errors import DaptError
from dapt.results import save
from tools.evidence_figures import (
    HOST,
    by_host,
    collected,
    gap_words,
    interval,
    label_of,
    main,
    pairs_table,
    pooled,
    table,
    told_apart,
)


def row(seed: int, original: float, exchanged: float, backbone: str = "one", **dapt: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        **{"kind": "evaluation", "method": "maple", "backbone": backbone, "data": "photos", "shots": 8, "seed": seed},
        **{"dapt": bool(dapt), "cue": "masks" if dapt else None, "set/epochs": 10.0},
        **{"audit/original": original, "audit/mixed_rand": exchanged, "audit/bg_gap": 1.0},
    }
    if dapt:
        options = DaptOptions.model_validate({"enabled": True, **dapt}).model_dump(mode="json")
        found |= {f"set/dapt.{key}": value for key, value in options.items() if not isinstance(value, list)}
    return found


def test_labels_say_in_what_a_setting_is_another_than_its_variant() -> None:
    assert label_of(row(1, 0, 0), 10) == HOST
    assert label_of({**row(1, 0, 0), "set/epochs": 20.0}, 10) == "host 20 epochs"
    assert label_of(row(1, 0, 0, variant="symmetric"), 10) == "symmetric"
    assert label_of(row(1, 0, 0, variant="symmetric", margin=0.2, fill="blur"), 10) == "symmetric margin=0.2 fill=blur"
    assert label_of(row(1, 0, 0, variant="symmetric", foreground_weight=0.1), 10) == "symmetric foreground_weight=0.1"
    assert label_of({**row(1, 0, 0, variant="released"), "cue": "border"}, 10) == "released border"


def test_intervals_are_students() -> None:
    low, high = interval([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 4.302653 / math.sqrt(3), 2 + 4.302653 / math.sqrt(3)), abs=1e-5)
    assert interval([5.0]) == (-math.inf, math.inf)


def test_differences_are_of_what_both_have() -> None:
    rows = [row(seed, 60 + seed, 40, "one") for seed in (1, 2, 3)] + [row(1, 20, 10, "two")]
    rows += [row(seed, 63 + seed, 44, "one", variant="joint") for seed in (1, 2, 3, 4)]
    found = collected(rows)
    assert found["joint"][("one", "maple", "photos", "8", "1")]["D"] == 54.0
    assert gap_words(found["joint"], found[HOST], "original") == "+3.0 [+3.0, +3.0]"
    assert gap_words(found["joint"], found[HOST], "D") == "+3.5 [+3.5, +3.5]"
    two = {key: value for key, value in found[HOST].items() if key[-1] != "3"}
    assert gap_words(found["joint"], two, "D") == "+3.5", "two pairs have no interval worth telling"
    only_two = {key: value for key, value in found[HOST].items() if key[0] == "two"}
    assert gap_words(found["joint"], only_two, "D") == "–"


def test_the_best_come_first_beside_the_host() -> None:
    rows = [row(1, 60, 40), row(1, 50, 40, variant="phased"), row(1, 70, 50, variant="joint")]
    lines = table(collected(rows), HOST).splitlines()[2:]
    assert [line.split(" | ")[0].strip("| ") for line in lines] == ["host", "joint", "phased"]
    assert lines[1] == "| joint | 1 | 50.0 | 60.0 | 70.0 | 50.0 | 1.0 | +10.0 | +10.0 | +10.0 | +0.0 |"
    with pytest.raises(DaptError, match="There is no setting 'ramp'; there are: host, joint, phased"):
        table(collected(rows), "ramp")


def test_two_audits_of_one_run_are_refused() -> None:
    with pytest.raises(DaptError, match="two audits of host"):
        collected([row(1, 60, 40), row(1, 61, 40)])


def test_attention_is_that_of_the_run_that_was_audited() -> None:
    host, own = row(1, 60, 40), row(1, 62, 44, variant="joint")
    runs = [{**each, "kind": "run", "cue/foreground_attention": seen} for each, seen in ((host, 30.0), (own, 33.5))]
    for each in runs:
        del each["audit/original"]
    lines = by_host([host, own, *runs], "joint", HOST).splitlines()
    assert lines[0].endswith("Δ BG-gap | Δ attention |")
    assert lines[2] == "| one | maple | 1 | 60.0 | 40.0 | +3.0 | +2.0 | +4.0 | +0.0 | +3.5 |"


def test_every_host_has_a_line_and_all_together_one() -> None:
    rows = []
    for method, gain in (("maple", 1.0), ("coop", 3.0), ("ivlp", 2.0)):
        rows += [{**row(1, 60, 40), "method": method}, {**row(1, 60 + gain, 40, variant="joint"), "method": method}]
    rows.append({**row(1, 60, 40), "method": "vpt"})
    lines = by_host(rows, "joint", HOST).splitlines()[2:]
    assert [line.split(" | ")[1] for line in lines] == ["coop", "ivlp", "maple", "all"], "vpt has no such run"
    assert "+2.0 [-0.5, +4.5]" in lines[-1]
    brief = by_host(rows, "joint", HOST, brief=True).splitlines()
    assert brief[0].endswith("| exchanged | Δ original | Δ exchanged |")
    assert brief[-1] == "| all | all | 3 |  |  | +2.0 [-0.5, +4.5] | +0.0 [+0.0, +0.0] |"
    with pytest.raises(DaptError, match="No host has runs of 'ramp'"):
        by_host(rows, "ramp", HOST)


def test_a_line_is_over_the_runs_that_have_a_pair() -> None:
    rows = [row(1, 60, 40), row(2, 80, 60), row(1, 62, 40, variant="joint"), row(3, 90, 90, variant="joint")]
    (line,) = by_host(rows, "joint", HOST, brief=True).splitlines()[2:-1]
    assert line == "| one | maple | 1 | 60.0 | 40.0 | +2.0 | +0.0 |"


def test_zero_shot_has_no_epochs() -> None:
    rows = [{**row(1, 60, 40), "method": "zero_shot"}]
    del rows[0]["set/epochs"]
    assert "| host | 1 |  | 50.0 |" in table(collected(rows), HOST)


def test_a_store_that_is_not_there_is_told_in_a_sentence() -> None:
    with pytest.raises(DaptError, match=r"nosuch\.parquet"):
        main(["nosuch.parquet"])


def test_means_of_a_line_are_over_the_runs_that_both_have() -> None:
    rows = [row(1, 60, 40), row(2, 20, 10), row(1, 63, 43, variant="joint"), row(3, 90, 90, variant="joint")]
    lines = table(collected([*rows, row(3, 50, 50, variant="phased")]), HOST).splitlines()
    assert lines[0].startswith("| setting | pairs | host: D | D | original |")
    assert lines[2].startswith("| host | 2 |  | 32.5 | 40.0 | 25.0 |")
    assert lines[3] == "| joint | 1 | 50.0 | 53.0 | 63.0 | 43.0 | 1.0 | +3.0 | +3.0 | +3.0 | +0.0 |"
    assert lines[4] == "| phased | 0 | – | – | – | – | – | – | – | – | – |", "it shares no run with the host"


def test_two_settings_are_compared_over_their_own_pairs() -> None:
    rows = [row(seed, 60 + seed, 40, variant="joint") for seed in (1, 2, 3)]
    rows += [row(seed, 60, 40 + gain, variant="phased") for seed, gain in ((2, 0), (3, 5))]
    (line,) = pairs_table(collected(rows), [("joint", "phased")]).splitlines()[2:]
    assert line == "| joint | phased | 2 | 1 of 2 | +0.0 | +2.5 | -2.5 | +0.0 |"
    with pytest.raises(DaptError, match="no setting 'ramp'"):
        pairs_table(collected(rows), [("joint", "ramp")])
    with pytest.raises(DaptError, match="'host' and 'joint' have no run in common"):
        pairs_table(collected([*rows, row(9, 1, 1)]), [(HOST, "joint")])


def test_pooled_differences_are_over_pairs_and_over_means_of_hosts() -> None:
    gains = {("one", "maple"): (1.0, 3.0), ("two", "maple"): (5.0,), ("one", "coop"): (9.0,)}
    rows = []
    for (backbone, method), each in gains.items():
        for seed, gain in enumerate(each):
            own = [row(seed, 60, 40, backbone), row(seed, 60, 40 + gain, backbone, variant="joint")]
            rows += [{**found, "method": method} for found in own]
    lines = pooled(rows, "joint", HOST).splitlines()
    assert lines[0].endswith("| Δ BG-gap | Δ exchanged − original |")
    cells = {line.split(" | ")[0].strip("| "): line.split(" | ")[1:] for line in lines[2:]}
    assert list(cells) == ["all pairs", "pairs of one", "pairs of two", "means of hosts"]
    assert [each[0] for each in cells.values()] == ["4", "3", "1", "2"]
    assert cells["all pairs"][3].startswith("+4.5 [")
    assert cells["pairs of two"][3] == "+5.0"
    assert cells["means of hosts"][3] == "+6.0", "(1 + 3 + 5) / 3 and 9"
    assert cells["means of hosts"][-1] == "+6.0 |"


def test_what_is_compared_is_said_beneath(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "runs.parquet"
    rows = [row(1, 60, 40), row(1, 62, 44, variant="joint")]
    save(pd.DataFrame([{**each, "run": str(n), "subset": "all"} for n, each in enumerate(rows)]), store)
    for words in ([], ["--pair", "joint", HOST], ["--setting", "joint"], ["--setting", "joint", "--pooled"]):
        main([str(store), *words])
        out, err = capsys.readouterr()
        assert "Δ is the mean of paired differences" in out
        assert not err
    with pytest.raises(DaptError, match="--pooled needs --setting"):
        main([str(store), "--pooled"])


def test_how_many_hosts_can_be_told_apart_from_nothing() -> None:
    rows = []
    for method, gains in (("maple", (1.0, 1.0, 1.0)), ("coop", (-9.0, 9.0, 3.0)), ("ivlp", (-2.0, -2.0, -2.0))):
        for seed, gain in enumerate(gains):
            own = [row(seed, 60, 40), row(seed, 60 + gain, 40 + gain, variant="joint")]
            rows += [{**found, "method": method} for found in own]
    told = told_apart(rows, "joint", HOST)
    assert "Δ D is above zero in 2 of 3, with its interval in 1 (below: 1); Δ original" in told
