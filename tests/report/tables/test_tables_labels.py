"""What runs are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.dapt_options import DaptOptions
from dapt.report.tables.labels import host_of, labels_of, zero_shot_of


def test_only_what_tells_runs_apart_is_told() -> None:
    rows = [
        {"method": "maple", "dapt": False, "set/lr": 0.1},
        {"method": "maple", "dapt": True, "cue": "masks", "set/dapt.variant": "joint", "set/lr": 0.1},
        {"method": "maple", "dapt": True, "cue": "border", "set/dapt.variant": "joint", "set/lr": 0.1},
        {"method": "coop", "dapt": False, "set/lr": 0.2, "set/seed": 1, "set/shots": 4},
        {"method": "coop", "dapt": False, "set/lr": 0.01, "set/seed": 2, "set/shots": 8},
    ]
    assert labels_of(rows) == [
        "MaPLe",
        "MaPLe + DAPT (masks)",
        "MaPLe + DAPT (border)",
        "CoOp (lr 0.2)",
        "CoOp (lr 0.01)",
    ]


def test_methods_go_by_their_titles_unless_two_have_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert labels_of([{"method": "a_plugin_s"}, {"method": "clip_lora", "dapt": True}]) == [
        "a_plugin_s",
        "CLIP-LoRA + DAPT",
    ]
    monkeypatch.setattr("dapt.report.tables.labels.title_of", lambda method: "One")
    assert labels_of([{"method": "a"}, {"method": "b"}, {"method": "a"}]) == ["One a", "One b", "One a"]


def test_settings_that_came_later_tell_runs_of_before_from_others_only_where_they_change_something() -> None:
    before = {"method": "coop", "dapt": False, "set/lr": 0.1}
    usual = {**before, "set/features": "off", "set/features_mb": 2048.0, "set/matte": "white"}
    assert labels_of([before, usual]) == ["CoOp", "CoOp"]
    kept = {**usual, "set/features": "auto"}
    assert labels_of([before, kept]) == ["CoOp", "CoOp (features auto, features_mb 2048)"]
    of_before = {**before, "dapt": True, "set/dapt.variant": "joint", "set/dapt.fill": "mean"}
    of_today = {**of_before, "set/dapt.soften": 0.0, "set/dapt.crops": "any", "set/dapt.diagnose": False}
    assert labels_of([of_before, of_today]) == ["CoOp + DAPT", "CoOp + DAPT"]
    assert len(set(labels_of([of_before, {**of_today, "set/dapt.crops": "both"}]))) == 2


def test_what_is_not_there_is_not_told() -> None:
    nan = float("nan")
    rows = [{"method": "a", "dapt": False, "set/x": nan}, {"method": "a", "dapt": False, "set/x": None}]
    assert labels_of(rows) == ["a", "a"]
    assert labels_of([{"method": "a", "dapt": True, "set/x": 1.0}, {"method": "a", "dapt": True}]) == [
        "a + DAPT (x 1)",
        "a + DAPT",
    ]


def test_one_model_named_in_two_ways(tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    (tmp_path / "other").mkdir()
    first, second = f"local-dir:{tmp_path}/clip", f"local-dir:{tmp_path}/other/../clip"
    rows = [{"method": "a", "dapt": False, "set/model": each} for each in (first, second)]
    assert labels_of(rows) == ["a", "a"]
    rows.append({"method": "a", "dapt": False, "set/model": f"local-dir:{tmp_path}/other"})
    assert labels_of(rows) == ["a (model clip)", "a (model clip)", "a (model other)"]


def test_models_of_a_store_go_by_the_names_of_their_folders() -> None:
    rows = [{"method": "a", "set/model": "local-dir:small"}, {"method": "a", "set/model": "local-dir:/models/large/"}]
    assert labels_of(rows) == ["a (model small)", "a (model large)"]


def test_epochs_that_belong_to_the_data_or_the_shots_tell_no_runs_apart() -> None:
    rows = [
        {"method": "coop", "data": data, "shots": shots, "seed": seed, "set/epochs": 10 * shots}
        for data, shots, seed in [("a", 1, 1), ("a", 16, 1), ("b", 1, 1), ("a", 1, 2)]
    ]
    assert labels_of(rows) == ["CoOp"] * 4
    rows[3]["set/epochs"] = 7
    assert labels_of(rows) == ["CoOp (epochs 10)", "CoOp (epochs 160)", "CoOp (epochs 10)", "CoOp (epochs 7)"]


def test_of_many_settings_only_what_departs_from_the_usual_is_told() -> None:
    usual = {"method": "maple", "dapt": True, "set/dapt.variant": "phased", "cue": "masks"}
    usual |= {f"set/dapt.{key}": 1.0 for key in ("margin", "visual_weight", "foreground_weight", "background_weight")}
    usual["set/dapt.foreground_weight"] = 0.1
    rows = [
        usual,
        {**usual, "set/dapt.variant": "joint"},
        {**usual, "cue": "border"},
        {**usual, "set/dapt.visual_weight": 0.0, "set/dapt.margin": 2.0},
        {**usual, "set/dapt.foreground_weight": 0.0},
        {**usual, "set/dapt.background_weight": 0.0},
    ]
    assert labels_of(rows) == [
        "MaPLe + DAPT",
        "MaPLe + DAPT (joint)",
        "MaPLe + DAPT (border)",
        "MaPLe + DAPT (dapt.margin 2, dapt.visual_weight 0)",
        "MaPLe + DAPT (phased, foreground_weight=0)",
        "MaPLe + DAPT (dapt.background_weight 0)",
    ]


def test_hosts() -> None:
    rows = [
        "maple",
        "maple + DAPT (joint)",
        "coop (lr 0.1)",
        "coop (lr 0.2)",
        "coop + DAPT (masks, lr 0.2)",
        "vpt + DAPT",
    ]
    assert [host_of(row, rows) for row in rows] == [None, "maple", None, None, "coop (lr 0.2)", None]
    assert host_of("coop + DAPT (masks)", rows) is None, "nothing tells which"
    assert host_of("maple + DAPT (phased, epochs 2)", ["maple (epochs 2)"]) == "maple (epochs 2)"
    assert host_of("maple + DAPT (epochs 2)", ["maple (epochs 1)"]) is None, "no host has these settings"
    words = "prompt.words ['a', 'b']"
    assert host_of(f"maple + DAPT (joint, {words})", [f"maple ({words})", "maple"]) == f"maple ({words})"


def test_a_host_has_the_settings_of_the_row_with_dapt() -> None:
    """As of a grid and the run of a search beside it, in whose folder no run has DAPT."""
    grid = {"method": "maple", "set/epochs": 1, "set/batch_size": 16}
    rows = [{**grid, "dapt": False}, {**grid, "dapt": True, "cue": "masks"}]
    rows += [{"method": "maple", "dapt": False, "set/epochs": 2, "set/batch_size": 4}]
    labels = labels_of(rows)
    assert labels[1] == "MaPLe + DAPT (epochs 1, batch_size 16)"
    assert host_of(labels[1], labels) == labels[0]
    more = [{**row, "set/lr": 0.1, "set/n": seed, "set/m": seed, "set/k": seed} for seed, row in enumerate(rows)]
    labels = labels_of([*more, more[2]])
    assert host_of(labels[1], labels) is None, "of many settings, too"
    other = {"method": "maple", "dapt": True, "set/epochs": 3, "set/batch_size": 4}
    labels = labels_of([rows[2], other])
    assert labels == ["MaPLe (epochs 2)", "MaPLe + DAPT (epochs 3)"]
    assert host_of(labels[1], labels) is None


def test_settings_of_dapt_tell_no_hosts_apart() -> None:
    rows = [{"method": "maple", "dapt": dapt, "set/dapt.margin": margin} for dapt in (False, True) for margin in (1, 2)]
    assert labels_of(rows) == ["MaPLe", "MaPLe", "MaPLe + DAPT (dapt.margin 1)", "MaPLe + DAPT (dapt.margin 2)"]


def test_each_backbone_has_its_own_zero_shot() -> None:
    """Also where each method has been run on one of them only."""
    rows = [
        {"method": "zero_shot", "set/model": "demo"},
        {"method": "zero_shot", "set/model": "ViT-B-32/openai"},
        {"method": "maple", "set/model": "demo"},
        {"method": "maple", "set/model": "demo", "dapt": True},
        {"method": "coop", "set/model": "ViT-B-32/openai"},
        {"method": "vpt", "set/model": "ViT-L-14/openai"},
    ]
    labels = labels_of(rows)
    assert labels[2:4] == ["MaPLe (model demo)", "MaPLe + DAPT (model demo)"]
    assert [zero_shot_of(label, labels) for label in labels] == [None, None, labels[0], labels[0], labels[1], None]
    assert host_of(labels[3], labels) == labels[2]
    assert zero_shot_of("MaPLe + DAPT (joint)", ["Zero-shot CLIP"]) == "Zero-shot CLIP"


def test_runs_whose_settings_differ_never_have_one_label() -> None:
    rows = [{"method": "a", "set/lr": rate} for rate in (0.001, 0.001 + 1e-12)]
    assert len(set(labels_of(rows))) == 2
    rows = [{"method": "a", "set/model": f"local-dir:/m/{size}/clip"} for size in ("b16", "b32")]
    assert labels_of(rows) == ["a (model local-dir:/m/b16/clip)", "a (model local-dir:/m/b32/clip)"]
    usual = {"method": "a", **{f"set/{key}": 1 for key in "pqrstu"}}
    others = [{**usual, f"set/{key}": 2} for key in "pqrstu"]
    labels = labels_of([usual, *others, {**usual, "set/p": None}])
    assert len(set(labels)) == 8
    assert "p none" in labels[-1]


def test_masks_and_options_of_a_cue_tell_rows_with_dapt_apart() -> None:
    joint = {"method": "maple", "dapt": True, "cue": "masks", "data": "d"}
    rows = [{"method": "maple", "dapt": False, "data": "d"}]
    rows += [{**joint, "set/masks": f"/m/{name}"} for name in ("drawn", "made")]
    rows += [{**joint, "cue": "border", "set/cue.share": share} for share in (0.1, 0.25)]
    labels = labels_of(rows)
    assert labels[:2] == ["MaPLe", "MaPLe + DAPT (masks, masks drawn)"]
    assert labels[3:] == ["MaPLe + DAPT (border, cue.share 0.1)", "MaPLe + DAPT (border, cue.share 0.25)"]
    assert [host_of(label, labels) for label in labels[1:]] == ["MaPLe"] * 4
    other_data = [{**joint, "data": data, "set/masks": f"/{data}/masks"} for data in "ab"]
    assert labels_of(other_data) == ["MaPLe + DAPT", "MaPLe + DAPT"]


def with_dapt(**changes: object) -> dict[str, object]:
    options = DaptOptions.model_validate({"enabled": True, **changes}).model_dump()
    return {"method": "maple", "dapt": True, "cue": "masks"} | {f"set/dapt.{key}": options[key] for key in TOLD_OPTIONS}


TOLD_OPTIONS = (
    "variant",
    "foreground_weight",
    "foreground_gradient",
    "fill",
    "warmup",
    "visual_scale",
    "views",
    "margin",
)


def test_a_variant_of_which_a_setting_was_changed_is_not_called_by_its_name_alone() -> None:
    host = {"method": "maple", "dapt": False}
    rows = [host, with_dapt(fill="mean"), with_dapt(variant="phased")]
    labels = labels_of(rows)
    assert labels == ["MaPLe", "MaPLe + DAPT (swap, fill=mean)", "MaPLe + DAPT (phased)"]
    assert host_of(labels[1], labels) == "MaPLe"
    assert labels_of([with_dapt(fill="mean")]) == ["MaPLe + DAPT (swap, fill=mean)"], "also where all share it"
    assert labels_of([with_dapt(fill="mean"), with_dapt()]) == ["MaPLe + DAPT (swap, fill=mean)", "MaPLe + DAPT (swap)"]
    assert labels_of([with_dapt(margin=1.0), with_dapt(margin=1.0, views="attention")]) == [
        "MaPLe + DAPT (dapt.views pixels)",
        "MaPLe + DAPT (dapt.views attention)",
    ]
    assert labels_of([with_dapt(fill="mean", margin=margin) for margin in (1.0, 1.5)]) == [
        "MaPLe + DAPT (swap, fill=mean, dapt.margin 1)",
        "MaPLe + DAPT (swap, fill=mean, dapt.margin 1.5)",
    ]


def test_of_many_settings_a_changed_variant_is_told_though_it_is_the_usual() -> None:
    rows = [{**with_dapt(fill="mean"), **{f"set/{key}": int(key == one) for key in "pqrstuv"}} for one in "pqrstuv"]
    assert labels_of(rows)[0] == "MaPLe + DAPT (swap, fill=mean, p 1)"


def test_runs_of_a_version_without_an_option_are_told_apart_from_those_with_it() -> None:
    older = {key: value for key, value in with_dapt().items() if key != "set/dapt.fill"}
    assert len(set(labels_of([older, with_dapt()]))) == 2
