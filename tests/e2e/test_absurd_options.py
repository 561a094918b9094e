"""Absurd options through the command line: exit code 2, a message, nothing made, no time or memory taken."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

TRAIN = [
    (("--lr", "nan"), "lr"),
    (("--lr", "inf"), "lr"),
    (("--lr", "1e39"), "lr"),
    (("--lr", "-1"), "lr"),
    (("--seed", 2**70), "seed"),
    (("--seed", -1), "seed"),
    (("--shots", 2**70), "shots"),
    (("--epochs", 10**18), "epochs"),
    (("--batch-size", 10**18), "batch_size"),
    (("--devices", 10**6), "devices"),
    (("--n-ctx", 10**6), "1000000 context vectors"),
    (("--n-ctx", 10**18), "context vectors"),
    (("--depth", 10**18), "layers of the"),
    (("--fraction", "nan"), "fraction"),
    (("--set", "crop_scale=[1,.1]"), "crop_scale"),
    (("--set", "crop_scale=[0,0]"), "crop_scale"),
    (("--set", "crop_scale=[2,3]"), "crop_scale"),
    (("--set", "crop_scale=[.nan,1]"), "crop_scale"),
    (("--set", "flip=.nan"), "flip"),
    (("--set", "workers=1000000"), "workers"),
    (("--set", "cache_mb=1" + "0" * 30), "cache_mb"),
    (("--set", "eval_batch_size=1" + "0" * 30), "eval_batch_size"),
    (("--set", "text_memory_mb=1" + "0" * 30), "text_memory_mb"),
    (("--set", "prompt.n_ctx=" + "[" * 5000), "--set prompt.n_ctx"),
    (("--set", "dapt.margin=.inf", "--dapt"), "margin"),
    (("--set", "cue.grid=1000000", "--dapt", "--cue", "random"), "cue.grid"),
    (("--set", r'masks="a\0b"'), "zero byte"),
    (("--set", "data: &a [*a]"), "KEY=VALUE"),
    (("--set", "selection.options.rate=.nan", "--select", "glister", "--fraction", 0.5), "options: rate: the number"),
    (("--set", "selection.options.neighbours=.inf", "--select", "cal", "--fraction", 0.5), "neighbours"),
    (("--set", "selection.options.neighbours=x", "--select", "cal", "--fraction", 0.5), "neighbours"),
    (("--set", "selection.lr=1e300", "--select", "forgetting", "--fraction", 0.5), "selection.lr"),
    (("--protocol", "few_shot", "--over", "1" * 30), "shots"),
    (("--protocol", "few_shot", "--over", "1" * 5000), "few_shot goes over shots"),
    (("--protocol", "few_shot", "--over", "nan"), "few_shot goes over shots"),
    (("--protocol", "data_efficient", "--over", "nan"), "between 0 and 1"),
    (("--protocol", "data_efficient", "--over", "1e-400"), "between 0 and 1"),
    (("--method", "vpt", "--n-ctx", 10**6), "visual prompts"),
    (("--method", "ivlp", "--set", "prompt.n_ctx_vision=1000000", "--set", "prompt.depth=2"), "visual prompts"),
    (("--method", "clip_lora", "--set", "prompt.rank=1000000"), "rank"),
    (("--method", "tip_adapter", "--set", "prompt.views=1000000"), "views"),
    (("--method", "promptsrc", "--set", "prompt.gpa_std=1e-300"), "gpa_std"),
    (("--method", "linear_probe", "--set", "prompt.c=.inf"), "prompt: c: the number"),
    (("--method", "x" * 100_000), "no method"),
    (("--model", "local-dir:" + "x" * 100_000), "name too long|no model"),
]


@pytest.mark.parametrize(("extra", "message"), TRAIN, ids=lambda value: str(value)[:50])
def test_train(dapt, table: Path, tiny_spec: str, tmp_path: Path, extra: tuple[object, ...], message: str) -> None:
    depth = () if "--depth" in extra or "--method" in extra else ("--depth", 2)
    model = () if "--model" in extra else ("--model", tiny_spec)
    started = time.process_time()
    code, printed, err = dapt("train", table, *model, *depth, "--out", tmp_path / "r", *extra)
    assert code == 2, err
    assert time.process_time() - started < 20
    assert printed == ""
    assert any(part in err.lower() for part in message.lower().split("|"))
    assert "Traceback" not in err
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b"PK\x03\x04",
        bytes(range(256)),
        b"[" * 100_000,
        b"a: &a [*a]",
        b"? 1\n: 2\n",
        b"- 1",
    ],
)
def test_configuration_files(dapt, table: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.yaml").write_bytes(content)
    code, _, err = dapt("train", table, "--config", tmp_path / "c.yaml", "--out", tmp_path / "r")
    assert code == 2
    assert "c.yaml" in err
    assert "Traceback" not in err


def test_other_commands(dapt, photos: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "o"
    for command in (
        ("masks", photos, "--model", tiny_spec, "--out", out, "--threshold", "nan"),
        ("masks", photos, "--cue", "random", "--out", out, "--seed", 2**70),
        ("masks", photos, "--model", tiny_spec, "--out", out, "--compare"),
        ("data", "select", photos, "--select", "uniform", "--fraction", "nan", "--out", out),
        ("data", "select", photos, "--select", "uniform", "--fraction", "inf", "--out", out),
        ("data", "select", photos, "--select", "uniform", "--fraction", 0.5, "--seed", 2**70, "--out", out),
        ("methods", "info", "maple", "--num-classes", 10**12),
        ("methods", "info", "m" * 10_000),
        ("train", photos, "--protocol", "few_shot", "--over", "", "--model", tiny_spec, "--out", out),
        ("train", photos, "--protocol", "few_shot", "--over", " , ", "--model", tiny_spec, "--out", out),
        ("demo", "--out", out, "--seeds", 2**70),
        ("demo", "--out", out, "--set", "lr=.nan"),
        ("demo", "--data-only", out, "--set", "scene_seed=-1"),
        ("predict", tmp_path / "absent", photos, "--top", 0),
    ):
        code, printed, err = dapt(*command)
        assert code == 2, command
        assert printed == ""
        assert "Traceback" not in err
        assert not out.exists()


def test_a_damaged_run_yaml(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "r"
    arguments = ["train", table, "--model", tiny_spec, "--depth", 2, "--epochs", 1, "--shots", 1, "--out", out]
    assert dapt(*arguments)[0] == 0
    whole = (out / "run.yaml").read_text()
    for content in (
        *(b"", b"\xff", b"3", b"[" * 100_000, b"a: &a [*a]", b"\x00", whole.encode() + b"lr: 1\nlr: 2\n"),
        *(whole.replace("maple", "x").encode(), whole.replace("seed: 1", "seed: -1").encode(), whole[:20].encode()),
        whole.replace("crop_scale:\n- 0.08", "crop_scale:\n- .nan").encode(),
    ):
        (out / "run.yaml").write_bytes(content)
        code, printed, err = dapt("eval", out)
        assert code == 2, content[:50]
        assert printed == ""
        assert "Traceback" not in err
        assert dapt(*arguments, "--resume")[0] == 2
