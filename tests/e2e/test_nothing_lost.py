"""Nothing of the user's is ever removed or written over, whatever folder is named."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dapt.lock import FolderLock
from helpers import make_csv, make_folder, save_tiny_model

Call = Callable[..., tuple[int, str, str]]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(call: Call, arguments: list[object], words: str, keep: Path) -> None:
    """The command ends with 2, says `words`, and nothing in `keep` has changed or appeared."""
    before = snapshot(keep)
    code, _, err = call(*arguments)
    assert code == 2, err
    assert words in err
    assert "Traceback" not in err
    assert snapshot(keep) == before


@pytest.fixture
def train(tiny_spec: str) -> list[object]:
    """The beginning of a command that takes a second."""
    return ["train", "--model", tiny_spec, "--depth", 2, "--epochs", 1, "--shots", 2, "--quiet"]


def test_overwrite_of_a_folder_with_notes_and_photographs(dapt, train, photos: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "album").mkdir(parents=True)
    (home / "notes.txt").write_text("mine")
    shutil.copy(photos / "red_square" / "00.png", home / "album" / "me.png")
    refused(dapt, [*train, photos, "--out", home, "--overwrite"], "It holds album and 1 more", home)
    (home / "run.yaml").write_text("host: maple\nseed: 3\n")  # somebody else's
    refused(dapt, [*train, photos, "--out", home, "--overwrite"], "not a run folder", home)
    refused(dapt, [*train, photos, "--out", home, "--resume"], "holds no run to resume", home)


@pytest.mark.parametrize("how", ["--overwrite", "--resume", "--quiet"])
@pytest.mark.parametrize("place", [".", "red_square", "runs/new"])
def test_an_output_folder_in_or_over_the_data(dapt, train, photos: Path, how: str, place: str) -> None:
    refused(dapt, [*train, photos, "--out", photos / place, how], "the data", photos)


def test_an_output_folder_over_other_inputs(dapt, train, photos: Path, tmp_path: Path) -> None:
    masks = photos.parent / "photos-masks"
    refused(dapt, [*train, photos, "--masks", masks, "--out", masks / "run"], "lies within the masks", masks)
    refused(dapt, [*train, photos, "--masks", masks, "--out", masks, "--overwrite"], "holds the masks", masks)
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    (inputs / "names.txt").write_text("a\nb\nc\nd\n")
    refused(
        dapt,
        [*train, photos, "--names", inputs / "names.txt", "--out", inputs, "--overwrite"],
        "the names file",
        inputs,
    )
    (inputs / "split.json").write_text("{}")
    refused(
        dapt,
        [*train, photos, "--set", f"split_file={inputs / 'split.json'}", "--out", inputs],
        "the split file",
        inputs,
    )


def test_images_of_an_index_that_lie_in_the_output_folder(dapt, train, table: Path) -> None:
    root = table.parent
    for place in ("images", "masks", "."):
        refused(dapt, [*train, table, "--out", root / place, "--overwrite"], str(root), root)
    code, _, err = dapt(*train, table, "--out", root / "runs" / "one")  # an index may lie beside its runs
    assert code == 0, err


def test_a_run_with_something_else_in_it(dapt, train, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert dapt(*train, photos, "--out", out)[0] == 0
    (out / "why.txt").write_text("because")
    refused(dapt, [*train, photos, "--out", out, "--overwrite"], "holds what dapt did not write: why.txt", out)
    (out / "why.txt").unlink()
    (out / "eval").mkdir()
    (out / "eval" / "mine.json").write_text("{}")
    refused(dapt, [*train, photos, "--out", out, "--overwrite"], "eval", out)
    (out / "eval" / "mine.json").unlink()
    assert dapt("eval", out)[0] == 0
    code, _, err = dapt(*train, photos, "--seed", 2, "--out", out, "--overwrite")
    assert code == 0, err
    assert json.loads((out / "results.json").read_text())["seed"] == 2
    assert not (out / "eval").exists()


def test_a_run_of_the_version_without_manifests(dapt, train, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert dapt(*train, photos, "--out", out)[0] == 0
    assert dapt("eval", out)[0] == 0
    for name in (".dapt.json", ".lock", "inputs.json"):
        (out / name).unlink()
    (out / "events.out.tfevents.0.dapt").rename(out / "events.out.tfevents.1700000000.host.1.0")
    assert dapt("eval", out)[0] == 0
    (out / "results.json").rename(tmp_path / "results.json")
    refused(dapt, [*train, photos, "--out", out, "--resume"], "does not say what it was started with", out)
    (tmp_path / "results.json").rename(out / "results.json")
    code, _, err = dapt(*train, photos, "--out", out, "--overwrite")
    assert code == 0, err
    assert len(list(out.glob("events.*"))) == 1


def test_no_run_within_a_run(dapt, train, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert dapt(*train, photos, "--out", out)[0] == 0
    refused(dapt, [*train, photos, "--out", out / "second"], "lies within", out)
    refused(dapt, ["masks", photos, "--cue", "random", "--out", out / "masks"], "lies within", out)
    refused(dapt, ["demo", "--out", out / "demo"], "lies within", out)
    refused(dapt, [*train, photos, "--protocol", "few_shot", "--out", out / "few"], "lies within", out)


def test_one_writer(dapt, train, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert dapt(*train, photos, "--out", out)[0] == 0
    with FolderLock(out):
        for how in ("--resume", "--overwrite"):
            refused(dapt, [*train, photos, "--out", out, how], "in use by process", out)
        code, _, err = dapt("predict", out, photos / "red_square")  # readers need no lock
        assert code == 0, err
    new = tmp_path / "new"
    with FolderLock(new):
        refused(dapt, [*train, photos, "--out", new], "in use by process", new)
    masks = tmp_path / "masks"
    with FolderLock(masks):
        refused(dapt, ["masks", photos, "--cue", "random", "--out", masks], "in use by process", masks)
    demo = tmp_path / "demo"
    with FolderLock(demo):
        refused(dapt, ["demo", "--out", demo], "in use by process", demo)
    few = tmp_path / "few"
    with FolderLock(few):
        refused(dapt, [*train, photos, "--protocol", "few_shot", "--out", few], "in use by process", few)


def test_damage_to_a_finished_run_is_told(dapt, train, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert dapt(*train, photos, "--out", out)[0] == 0
    for name, commands in (
        (
            "run.yaml",
            (["eval", out], ["predict", out, photos / "red_square"], [*train, photos, "--out", out, "--resume"]),
        ),
        ("split.json", (["eval", out], [*train, photos, "--out", out, "--resume"])),
        ("metrics.jsonl", ([*train, photos, "--out", out, "--resume"],)),
        ("results.json", ([*train, photos, "--out", out, "--resume"],)),
        ("log.txt", ([*train, photos, "--out", out, "--resume"],)),
    ):
        whole = (out / name).read_bytes()
        (out / name).write_bytes(whole.replace(b"0", b"1", 1) if b"0" in whole else whole + b" ")
        for command in commands:
            refused(dapt, list(command), f"{name} is not as dapt wrote it", out)
        (out / name).write_bytes(whole)
    assert dapt(*train, photos, "--out", out, "--resume")[0] == 0


def test_masks_go_where_nothing_could_be_taken_for_a_mask(dapt, photos: Path, table: Path, tmp_path: Path) -> None:
    mine = make_folder(tmp_path / "drawn by hand")
    command = ["masks", photos, "--cue", "random", "--quiet"]
    refused(dapt, [*command, "--out", mine], "holds what dapt did not write", mine)
    refused(dapt, [*command, "--out", photos], "holds the data", photos)
    refused(dapt, [*command, "--out", photos / "masks"], "lies within the data", photos)
    root = table.parent
    for place in ("images", "masks"):
        refused(dapt, ["masks", table, "--cue", "random", "--out", root / place], "holds files of the data", root)
    out = tmp_path / "masks"
    assert dapt(*command, "--out", out)[0] == 0
    kept = out / "red_square" / "00.png"
    shutil.copy(photos.parent / "photos-masks" / "red_square" / "00.png", kept)  # mended by hand
    by_hand = kept.read_bytes()
    assert dapt(*command, "--out", out)[0] == 0
    assert kept.read_bytes() == by_hand


def test_files_named_by_the_user_are_not_written_over(dapt, train, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert dapt(*train, photos, "--out", out)[0] == 0
    album = tmp_path / "album"
    album.mkdir()
    picture = album / "me.png"
    shutil.copy(photos / "red_square" / "00.png", picture)
    (album / "mine.json").write_text('{"metrics": 3}')
    for path in (picture, album / "mine.json", album):
        words = "is a folder, not a file" if path == album else "dapt did not write it"
        refused(dapt, ["eval", out, "--json", path], words, album)
        refused(
            dapt, ["masks", "verify", photos, "--masks", photos.parent / "photos-masks", "--json", path],
            words, album,
        )  # fmt: skip
    select = ["data", "select", photos, "--select", "uniform", "--fraction", "0.5"]
    refused(dapt, [*select, "--out", picture, "--overwrite"], "dapt did not write it", album)
    refused(
        dapt, [*select, "--out", tmp_path / "new.json", "--preview", picture, "--overwrite"], "did not make it", album
    )
    refused(dapt, [*select, "--out", tmp_path / "new.json", "--preview", photos / "cat.jpg"], "the data", photos)
    for _ in range(2):
        code, _, err = dapt(
            *select, "--out", tmp_path / "new.json", "--preview", tmp_path / "new.jpg", "--overwrite", "--quiet"
        )
        assert code == 0, err
        assert dapt("eval", out, "--json", tmp_path / "figures.json")[0] == 0


def test_a_protocol_leaves_what_it_did_not_write(dapt, train, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "few"
    command = [*train, table, "--protocol", "few_shot", "--over", "1", "--out", out]
    assert dapt(*command)[0] == 0
    (out / "1shot" / "why.txt").write_text("because")
    refused(dapt, [*command, "--overwrite"], "holds what dapt did not write: why.txt", out)
    (out / "1shot" / "why.txt").unlink()
    (out / "2shot").mkdir()
    (out / "2shot" / "photo.jpg").write_text("mine")
    refused(dapt, [*train, table, "--protocol", "few_shot", "--over", "2", "--out", out, "--overwrite"], "2shot", out)
    shutil.rmtree(out / "2shot")
    code, _, err = dapt(*train, table, "--protocol", "few_shot", "--over", "2", "--out", out, "--overwrite")
    assert code == 0, err
    assert {path.name for path in out.iterdir()} == {"2shot", "protocol.json", ".dapt.json", ".lock"}


def test_a_protocol_over_its_data(dapt, train, photos: Path, tmp_path: Path) -> None:
    other = make_csv(tmp_path / "other", classes=2)
    command = [*train, photos, "--protocol", "cross_dataset", "--over", other]
    for out in (photos, photos / "runs", other.parent / "images"):
        refused(dapt, [*command, "--out", out, "--overwrite"], str(out), tmp_path)


def test_a_run_folder_removed_in_mid_run(dapt, train, photos: Path, tmp_path: Path, monkeypatch) -> None:
    import dapt.runs.keep as module

    out = tmp_path / "run"
    save = module.save_state

    for replaced in (False, True):

        def remove(path: Path, state: dict[str, object], replaced: bool = replaced) -> None:
            save(path, state)
            shutil.rmtree(out)
            if replaced:
                out.mkdir()

        monkeypatch.setattr(module, "save_state", remove)
        code, _, err = dapt(*train, photos, "--out", out)
        assert code == 2
        assert "was removed or replaced while the run was going on" in err
        assert out.exists() == replaced
        assert not replaced or list(out.iterdir()) == []
        monkeypatch.setattr(module, "save_state", save)


def test_what_a_start_that_was_killed_leaves_is_no_obstacle(dapt, train, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert dapt(*train, photos, "--out", out)[0] == 0
    whole = snapshot(out)
    for name in ("run.yaml", "results.json", "prompts.safetensors"):
        (out / name).unlink()
    refused(dapt, [*train, photos, "--out", out], "exists", out)
    code, _, err = dapt(*train, photos, "--out", out, "--resume")
    assert code == 0, err
    assert (out / "prompts.safetensors").read_bytes() == whole["prompts.safetensors"]


def test_a_settings_file_written_by_hand_is_no_run(dapt, train, photos: Path, tmp_path: Path, tiny_spec: str) -> None:
    out = tmp_path / "experiment"
    out.mkdir()
    (out / "run.yaml").write_text(f"data: {photos}\nmodel: {tiny_spec}\nmethod: maple\nshots: 2\nseed: 1\nepochs: 1\n")
    for name in ("log.txt", "split.json", "events.out.tfevents.mine"):
        (out / name).write_text("mine")
    refused(dapt, ["train", "--config", out / "run.yaml", "--out", out, "--overwrite"], "not a run folder", out)


def test_what_file_managers_leave_is_no_stranger(dapt, train, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / ".DS_Store").write_text("")
    assert dapt(*train, photos, "--out", out)[0] == 0
    assert dapt(*train, photos, "--out", out, "--overwrite")[0] == 0
    assert (out / ".DS_Store").exists()


@pytest.mark.long
def test_masks_made_from_something_else_are_not_passed_off(
    dapt, train, photos: Path, tiny_spec: str, tmp_path: Path
) -> None:
    out = tmp_path / "masks"
    command = ["masks", photos, "--cue", "gradcam", "--model", tiny_spec, "--quiet"]
    assert dapt(*command, "--out", out)[0] == 0
    refused(dapt, [*command, "--classes", "sky,grass", "--out", out], "were made with classes", out)
    other = make_folder(tmp_path / "other" / "photos")
    refused(dapt, ["masks", other, "--cue", "gradcam", "--model", tiny_spec, "--out", out], "were made with root", out)
    (out / "preview.jpg").write_text("mine")
    refused(dapt, [*command, "--out", out, "--preview"], "dapt did not make it", out)
    (out / "preview.jpg").unlink()
    for _ in range(2):
        assert dapt(*command, "--out", out, "--preview")[0] == 0
    (out / "masks.json").unlink()
    refused(dapt, [*command, "--out", out, "--threshold", 0.1], "is gone", out)
    run, tuned = tmp_path / "run", tmp_path / "tuned"
    assert dapt(*train, photos, "--out", run)[0] == 0
    with_run = ["masks", photos, "--run", run, "--out", tuned, "--quiet"]
    assert dapt(*with_run)[0] == 0
    assert dapt(*train, photos, "--seed", 2, "--out", run, "--overwrite")[0] == 0
    refused(dapt, with_run, "were made with prompts", tuned)


def test_masks_of_a_version_that_noted_less_are_not_mixed(dapt, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "masks"
    command = ["masks", photos, "--cue", "random", "--out", out]
    assert dapt(*command)[0] == 0
    tree = json.loads((out / "masks.json").read_text())
    for key in ("seed", "root"):
        del tree["settings"][key]
    (out / "masks.json").write_text(json.dumps(tree))
    code, _, err = dapt(*command)
    assert code == 0, err
    assert "made by an earlier version, which did not note: root, seed. They are kept." in err
    assert json.loads((out / "masks.json").read_text()) == tree  # what is not known is not made up
    next(out.rglob("*.png")).unlink()
    refused(dapt, [*command, "--seed", 2], "made by an earlier version, which did not note: root, seed.", out)


def test_nothing_done_is_no_success(dapt, train, photos: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert dapt(*train, photos, "--out", run)[0] == 0
    broken = tmp_path / "broken"
    for name in ("cat", "dog"):
        (broken / name).mkdir(parents=True)
        (broken / name / "a.png").write_text("no picture")
    refused(dapt, ["predict", run, broken, "--skip-bad"], "nothing to predict", broken)
    masks = ["masks", broken, "--cue", "random", "--skip-bad", "--preview", "--out", tmp_path / "masks"]
    refused(dapt, masks, "no image that can be read", broken)
    select = ["data", "select", photos, "--select", "uniform", "--fraction", "0.5", "--out", tmp_path / "s.json"]
    refused(dapt, [*select, "--preview", tmp_path / "s.json"], "are both", photos)


def test_a_protocol_takes_no_folder_of_others(dapt, train, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "group"
    assert dapt(*train, photos, "--seed", 7, "--out", out / "1shot")[0] == 0
    command = [*train, photos, "--protocol", "few_shot", "--over", "1", "--out", out]
    for how in ("--overwrite", "--resume"):
        refused(dapt, [*command, how], "group", out)
    mine = tmp_path / "mine"
    mine.mkdir()
    for text in ('{"rows": []}', '{"rows": [], "my": 1}', "notes"):
        (mine / "protocol.json").write_text(text)
        for how in ("--overwrite", "--resume"):
            refused(dapt, [*command[:-1], mine, how], "protocol.json", mine)


def test_pipes_in_the_place_of_notes(dapt, train, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert dapt(*train, photos, "--out", out)[0] == 0
    os.mkfifo(out / ".owner.json")
    assert dapt(*train, photos, "--out", out, "--resume")[0] == 0
    (out / ".dapt.json").unlink()
    os.mkfifo(out / ".dapt.json")
    code, _, err = dapt(*train, photos, "--out", out, "--overwrite")
    assert code == 2
    assert "left alone" in err


def test_groups_and_the_way_pixels_are_taken_are_inputs(
    dapt, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dapt.runs.keep as module

    spec = save_tiny_model(tmp_path / "clip")
    command = ["train", table, "--model", spec, "--depth", 2, "--epochs", 2, "--shots", 2, "--out", tmp_path / "run"]
    save = module.save_state

    def stop(path: Path, state: dict[str, object]) -> None:
        save(path, state)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "save_state", stop)
        assert dapt(*command)[0] == 130
    text = table.read_text()
    table.write_text(text.replace(",a\n", ",c\n").replace(",a\r\n", ",c\r\n"))
    refused(dapt, [*command, "--resume"], "the groups of images", table.parent)
    table.write_text(text)
    config = tmp_path / "clip" / "open_clip_config.json"
    tree = json.loads(config.read_text())
    tree["preprocess_cfg"]["mean"] = [0.1, 0.2, 0.3]
    config.write_text(json.dumps(tree))
    refused(dapt, [*command, "--resume"], "the backbone", table.parent)


def test_a_system_that_does_not_tell_its_memory(dapt, train, photos: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    assert dapt(*train, photos, "--out", tmp_path / "run")[0] == 0
    line = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[0])
    assert line["peak_memory_mb"] is None
