"""Runs by what tables call them and what they were trained on."""

from __future__ import annotations

from pathlib import Path

from made_up import in_folder, material, pair, run

from dapt.report.overview.material import Setting, material_of


def test_pairs_are_of_one_setting_and_seed_and_methods_take_turns() -> None:
    rows = pair() + pair(method="coop") + [run(method="ivlp", dapt=True, cue="masks")]
    found = material(rows)
    assert [(each.host, each.setting.shots, sorted(each.runs)) for each in found.pairs] == [
        ("MaPLe", 1, [1, 2]),
        ("CoOp", 1, [1, 2]),
        ("MaPLe", 16, [1, 2]),
        ("CoOp", 16, [1, 2]),
    ]
    host, dapt = found.pairs[0].runs[2]
    assert (host.row["dapt"], dapt.row["dapt"]) == (False, True)
    assert found.pairs[0].words == "MaPLe + DAPT against MaPLe: photos, 1 shot"


def test_what_selectors_chose_is_apart() -> None:
    rows = [
        run(dapt=dapt, **{"set/select": select, "set/fraction": 0.1})
        for select in ("cal", "grand")
        for dapt in (False, True)
    ]
    settings = [each.setting for each in material(rows).pairs]
    assert [each.select for each in settings] == ["cal", "grand"]
    assert settings[0].words == "photos, 16 shots, 10% of the images, chosen by cal"
    assert Setting("a", 0, "base").words == "a, all images, base classes"


def test_files_of_runs_and_damaged_ones(tmp_path: Path) -> None:
    good = run(run=in_folder(tmp_path / "good", {"a": 1}, [{"epoch": 1, "loss": 2.0}, {"loss": 1.0}]))
    bad = run(run=in_folder(tmp_path / "bad", {}), seed=2)
    (tmp_path / "bad" / "results.json").write_text("{")
    (tmp_path / "bad" / "metrics.jsonl").write_bytes(b"\xff\n")
    found = material([good, bad, run(seed=3)])
    assert [found.lines(each) for each in found.runs] == [[{"epoch": 1, "loss": 2.0}], [], []]
    assert [found.record(each) for each in found.runs] == [{"a": 1}, {}, {}]


def test_of_one_table_only_its_runs() -> None:
    rows = [run(), run(subset="base", **{"test/accuracy_base": 80.0})]
    assert len(material_of(rows, [], [], {}).runs) == 2
    assert [each.setting.subset for each in material_of(rows, [], [], {}, "few-shot").runs] == ["all"]
    assert len(material_of(rows, [], [], {}, "audit").runs) == 2, "audits are no runs of their own"
