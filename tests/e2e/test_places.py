"""Where outputs may go: each place in which one would harm something is refused before anything happens."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import get_type_hints

import pytest
import typer
from PIL import Image

from helpers import make_csv, make_folder

Call = Callable[..., tuple[int, str, str]]


pytestmark = pytest.mark.long  # half a minute of real runs in odd places


def tree(folder: Path) -> dict[str, bytes | str | None]:
    """Everything in a folder: content of files, targets of links, None for folders."""
    found: dict[str, bytes | str | None] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        found[name] = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
    return found


def refused(call: Call, arguments: list[object], words: str, keep: Path) -> str:
    """The command ends with 2, says `words`, and nothing in `keep` has changed or appeared; what it said."""
    before = tree(keep)
    code, _, err = call(*arguments)
    assert code == 2, err
    assert words in " ".join(err.split()), err
    assert "Traceback" not in err
    assert tree(keep) == before
    return err


def done(call: Call, *arguments: object) -> str:
    code, _, err = call(*arguments)
    assert code == 0, err
    return err


@pytest.fixture
def train(tiny_spec: str) -> list[object]:
    """The beginning of a command that takes a second."""
    return ["train", "--model", tiny_spec, "--depth", 2, "--epochs", 1, "--shots", 2, "--quiet"]


@pytest.fixture
def run(dapt, train, photos: Path, tmp_path: Path) -> Path:
    """A finished run of `photos`."""
    out = tmp_path / "run"
    done(dapt, *train, photos, "--out", out)
    return out


@pytest.fixture
def masks(dapt, photos: Path, tmp_path: Path) -> Path:
    """Masks that dapt made of `photos`."""
    out = tmp_path / "made"
    done(dapt, "masks", photos, "--cue", "random", "--quiet", "--out", out)
    return out


SELECT = ["--select", "uniform", "--fraction", "0.5", "--quiet"]


@pytest.mark.long
def test_pictures_of_where_the_model_looks(dapt, run: Path, masks: Path, photos: Path, tmp_path: Path, monkeypatch):
    import dapt.runs.load_run as module

    album = make_folder(tmp_path / "album", classes=1)
    photo = album / "red_square" / "me.png"
    (album / "red_square" / "00.png").rename(photo)
    (tmp_path / "link").symlink_to(album)
    (tmp_path / "into the run").symlink_to(run / "eval")
    (run / "eval").mkdir()
    (tmp_path / "nowhere").symlink_to(tmp_path / "absent")
    with monkeypatch.context() as patch:
        patch.setattr(module, "load_clip", None)  # the model is not loaded
        for folder in (run, run / "pictures", run / "eval", tmp_path / "into the run"):
            refused(dapt, ["predict", run, photo, "--explain", folder], "which dapt fills", tmp_path)
        for folder in (masks, masks / "red_square"):
            refused(dapt, ["predict", run, photo, "--explain", folder], "which dapt fills", tmp_path)
        for folder in (album, album / "red_square", album / "new", tmp_path / "link" / "new"):
            refused(dapt, ["predict", run, album, "--explain", folder], "be taken for photographs", tmp_path)
        refused(dapt, ["predict", run, tmp_path / "link", "--explain", album], "be taken for photographs", tmp_path)
        for folder in (tmp_path / "nowhere", tmp_path / "nowhere" / "x"):
            refused(dapt, ["predict", run, photo, "--explain", folder], "a link that leads nowhere", tmp_path)
        for folder in (photos, photos / "red_square", photos / "new"):  # of the run's own data
            refused(dapt, ["predict", run, photo, "--explain", folder], "lies within the data", tmp_path)
    done(dapt, "predict", run, album, "--explain", tmp_path / "pictures")
    assert len(list((tmp_path / "pictures").iterdir())) == 8
    photo = photo.rename(photo.with_suffix(".PNG"))
    done(dapt, "predict", run, photo, "--explain", photo.parent)  # an image by itself may lie beside its picture


def test_pictures_among_the_masks_that_a_run_was_trained_with(dapt, train, photos: Path, tmp_path: Path) -> None:
    out, masks, photo = tmp_path / "run", photos.parent / "photos-masks", tmp_path / "me.png"
    shutil.copy(photos / "red_square" / "00.png", photo)
    done(dapt, *train, photos, "--dapt", "--masks", masks, "--out", out)
    for folder in (masks, masks / "red_square"):
        refused(dapt, ["predict", out, photo, "--explain", folder], "lies within the masks", tmp_path)
    done(dapt, "predict", out, photo, "--explain", tmp_path / "pictures")


def files_of(run: Path, masks: Path, photos: Path, tmp_path: Path) -> list[tuple[list[object], str]]:
    """Every command with an output file but for its name, and the option it is named with."""
    new = tmp_path / "new.json"
    return [
        (["eval", run], "--json"),
        (["masks", "verify", photos, "--masks", masks], "--json"),
        (["data", "select", photos, *SELECT], "--out"),
        (["data", "select", photos, *SELECT, "--out", new], "--preview"),
        (["data", "import-fewshot", tmp_path / "shot.pkl", "--data", photos], "--out"),
    ]


def test_files_in_folders_that_dapt_fills(dapt, run: Path, masks: Path, photos: Path, tmp_path: Path) -> None:
    (run / "eval").mkdir()
    (tmp_path / "link").symlink_to(run / "eval")
    for command, option in files_of(run, masks, photos, tmp_path):
        for place in (run / "f.json", run / "eval" / "f.json", tmp_path / "link" / "f.json", run / "new" / "f.json"):
            refused(dapt, [*command, option, place], "which dapt fills", tmp_path)
        refused(dapt, [*command, option, masks / "f.json"], str(masks), tmp_path)
        refused(dapt, [*command, option, masks / "red_square" / "f.json"], str(masks), tmp_path)
    said = refused(dapt, ["eval", run, "--json", run / "eval" / "mine.json"], str(run), tmp_path)
    assert "without --json the figures are kept in eval/ of the run" in said


def test_a_run_stays_removable(dapt, train, run: Path, photos: Path) -> None:
    done(dapt, "eval", run)
    done(dapt, *train, photos, "--out", run, "--overwrite")


def test_files_in_the_folder_of_a_protocol(dapt, train, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "few"
    done(dapt, *train, table, "--protocol", "few_shot", "--over", "1", "--out", out)
    refused(dapt, ["eval", out / "1shot", "--json", out / "mine.json"], "which dapt fills", tmp_path)


def test_files_in_the_place_of_links(dapt, run: Path, masks: Path, photos: Path, tmp_path: Path) -> None:
    album = tmp_path / "album"
    album.mkdir()
    done(dapt, "eval", run, "--json", album / "figures.json")
    for name, target in (("nowhere.json", "absent"), ("linked.json", "figures.json"), ("loop.json", "loop.json")):
        (album / name).symlink_to(album / target)
        for command, option in files_of(run, masks, photos, tmp_path):
            refused(dapt, [*command, option, album / name], "is a link", tmp_path)
    (album / "gone").symlink_to(tmp_path / "unplugged")
    for command, option in files_of(run, masks, photos, tmp_path):
        refused(dapt, [*command, option, album / "gone" / "x.json"], "a link that leads nowhere", tmp_path)


@pytest.mark.parametrize("how", ["--overwrite", "--resume", "--quiet"])
def test_folders_in_the_place_of_links(dapt, train, photos: Path, tmp_path: Path, how: str) -> None:
    (tmp_path / "gone").symlink_to(tmp_path / "unplugged")
    for out in (tmp_path / "gone", tmp_path / "gone" / "run"):
        refused(dapt, [*train, photos, "--out", out, how], "a link that leads nowhere", tmp_path)
        protocol = [*train, photos, "--protocol", "few_shot", "--over", "1", "--out", out, how]
        refused(dapt, protocol, "a link that leads nowhere", tmp_path)
        refused(dapt, ["demo", "--out", out, how], "a link that leads nowhere", tmp_path)
        refused(dapt, ["demo", "--data-only", out, how], "a link that leads nowhere", tmp_path)
        refused(dapt, ["masks", photos, "--cue", "random", "--out", out], "a link that leads nowhere", tmp_path)
        download = ["data", "download", "dtd", "--root", out, "--yes"]
        refused(dapt, download, "a link that leads nowhere", tmp_path)


def test_inputs_that_are_links_in_a_circle(dapt, train, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    refused(dapt, [*train, tmp_path / "loop"], "loop", tmp_path)
    refused(dapt, [*train, tmp_path / "loop", "--out", tmp_path / "run"], "loop", tmp_path)
    refused(dapt, [*train, tmp_path / "loop", "--protocol", "few_shot"], "loop", tmp_path)
    masks = ["masks", photos, "--cue", "masks", "--masks", tmp_path / "loop", "--out", tmp_path / "out"]
    refused(dapt, masks, "loop", tmp_path)


def test_a_link_to_a_folder_is_that_folder(dapt, train, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    done(dapt, *train, photos, "--out", tmp_path / "out")
    assert (tmp_path / "disk" / "results.json").is_file()
    done(dapt, *train, photos, "--out", tmp_path / "out", "--overwrite")
    done(dapt, *train, photos, "--out", tmp_path / "disk", "--resume")


def test_output_folders_that_reach_a_run_through_links(dapt, train, run: Path, photos: Path, tmp_path: Path) -> None:
    (run / "eval").mkdir()
    (tmp_path / "link").symlink_to(run / "eval")
    for out in (tmp_path / "link", tmp_path / "link" / "new"):
        for how in ("--overwrite", "--resume", "--quiet"):
            refused(dapt, [*train, photos, "--out", out, how], "which dapt fills", tmp_path)
        refused(dapt, ["masks", photos, "--cue", "random", "--out", out], "which dapt fills", tmp_path)
        refused(dapt, ["demo", "--data-only", out], "which dapt fills", tmp_path)
        refused(dapt, ["data", "download", "dtd", "--root", out, "--yes"], "which dapt fills", tmp_path)


def test_linked_folders_within_what_dapt_fills(dapt, run: Path, masks: Path, photos: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    (run / "eval").symlink_to(disk)
    refused(dapt, ["eval", run], "is reached through a link", tmp_path)
    (run / "eval").unlink()
    name = "photos-test.json"
    done(dapt, "eval", run)
    (run / "eval" / name).unlink()
    (run / "eval" / name).symlink_to(disk / "absent")
    refused(dapt, ["eval", run], "is in the way", tmp_path)
    moved = shutil.move(masks / "red_square", disk)
    (masks / "red_square").symlink_to(moved)
    again = ["masks", photos, "--cue", "random", "--out", masks]
    refused(dapt, again, "is reached through a link", tmp_path)
    (masks / "red_square").unlink()
    shutil.move(moved, masks)
    (masks / "red_square" / "00.png").unlink()
    (masks / "red_square" / "00.png").symlink_to(disk / "absent")
    refused(dapt, again, "is a link that leads nowhere", tmp_path)
    (masks / "red_square" / "00.png").unlink()
    (masks / "preview.jpg").symlink_to(disk / "absent")
    refused(dapt, [*again, "--preview"], "dapt did not make it", tmp_path)


def test_linked_runs_of_a_protocol(dapt, train, table: Path, tmp_path: Path) -> None:
    out, disk = tmp_path / "few", tmp_path / "disk"
    command = [*train, table, "--protocol", "few_shot", "--over", "1", "--out", out]
    done(dapt, *command)
    (out / "1shot").rename(disk)
    (out / "1shot").symlink_to(disk)
    for how in ("--resume", "--overwrite"):
        refused(dapt, [*command, how], "is reached through a link", tmp_path)


def test_outputs_that_are_inputs(dapt, run: Path, masks: Path, photos: Path, tmp_path: Path) -> None:
    chosen, names = tmp_path / "chosen.json", tmp_path / "names.json"
    done(dapt, "data", "select", photos, *SELECT, "--out", chosen)
    os.link(chosen, tmp_path / "same.json")
    select = ["data", "select", photos, *SELECT, "--overwrite", "--set", f"split_file={chosen}", "--shots", 0]
    for out in (chosen, tmp_path / "masks" / ".." / "chosen.json", tmp_path / "same.json"):
        refused(dapt, [*select, "--out", out], "is the split file, which is read", tmp_path)
    refused(dapt, [*select, "--out", tmp_path / "new.json", "--preview", chosen], "is the split file", tmp_path)
    names.write_text(json.dumps({"red square": "square", **dict.fromkeys(("train", "val"), "x")}))
    select = ["data", "select", photos, *SELECT, "--overwrite"]
    refused(dapt, [*select, "--set", f"names={names}", "--out", names], "is the names file, which is read", tmp_path)
    own = photos.parent / "photos-masks"
    new = own / "red_square" / "x.json"
    refused(dapt, [*select, "--set", f"masks={own}", "--out", new], "lies within the masks", tmp_path)
    verify = ["masks", "verify", photos, "--masks", own]
    refused(dapt, [*verify, "--json", new], "lies within the masks", tmp_path)
    refused(dapt, [*verify, "--names", names, "--json", names], "is the names file", tmp_path)
    refused(dapt, [*verify, "--json", photos / "new.json"], "lies within the data", tmp_path)
    refused(dapt, ["eval", run, "--json", photos / "new.json"], "lies within the data", tmp_path)
    refused(dapt, ["eval", run, "--masks", own, "--json", new], "lies within the masks", tmp_path)
    other = make_folder(tmp_path / "other")
    refused(dapt, ["eval", run, other, "--json", other / "new.json"], "lies within the data", tmp_path)
    (tmp_path / "shot.pkl").write_bytes(b"")
    cache = ["data", "import-fewshot", tmp_path / "shot.pkl", "--data", photos]
    refused(dapt, [*cache, "--out", tmp_path / "shot.pkl"], "is the cache, which is read", tmp_path)
    refused(dapt, [*cache, "--out", photos / "new.json"], "lies within the data", tmp_path)


@pytest.fixture
def index_run(dapt, train, table: Path, tmp_path: Path) -> Path:
    """A finished run of `table`."""
    out = tmp_path / "index run"
    done(dapt, *train, table, "--out", out)
    return out


@pytest.mark.long
def test_outputs_beside_the_images_of_an_index(dapt, train, index_run: Path, table: Path, tmp_path: Path) -> None:
    root = table.parent
    (tmp_path / "link").symlink_to(root / "images")
    for place in (root / "images" / "z", root / "masks" / "deep" / "z", tmp_path / "link" / "z"):
        words = f"of the data ({root}"
        for how in ("--overwrite", "--resume", "--quiet"):
            refused(dapt, [*train, table, "--out", place, how], words, tmp_path)
        refused(dapt, ["masks", table, "--cue", "random", "--out", place], words, tmp_path)
        refused(dapt, [*train, table, "--protocol", "few_shot", "--over", "1", "--out", place], words, tmp_path)
        select = ["data", "select", table, *SELECT]
        refused(dapt, [*select, "--out", place], words, tmp_path)
        refused(dapt, [*select, "--out", tmp_path / "x.json", "--preview", place], words, tmp_path)
        refused(dapt, ["masks", "verify", table, "--json", place], words, tmp_path)
        refused(dapt, ["eval", index_run, "--json", place], words, tmp_path)
    done(dapt, *select, "--out", root / "chosen.json", "--preview", root / "chosen.jpg")
    done(dapt, "masks", "verify", table, "--json", root / "verified.json")
    done(dapt, "eval", index_run, "--json", root / "results" / "figures.json")
    done(dapt, *train, table, "--out", root / "runs" / "one")
    done(dapt, "masks", table, "--cue", "random", "--out", root / "made", "--quiet")


def test_outputs_beside_images_that_lie_beside_their_index(dapt, train, tmp_path: Path) -> None:
    table = make_csv(tmp_path / "flat")
    for path in (table.parent / "images").iterdir():
        path.rename(table.parent / path.name)
    table.write_text(table.read_text().replace("images/", ""))
    done(dapt, *train, table, "--out", table.parent / "runs" / "one")
    done(dapt, "masks", "verify", table, "--json", table.parent / "verified.json")


def test_a_protocol_in_a_data_set_that_it_tests_on(dapt, train, photos: Path, tmp_path: Path) -> None:
    other = make_folder(tmp_path / "other", classes=2)
    command = [*train, photos, "--protocol", "cross_dataset", "--over", other, "--out", other / "runs"]
    refused(dapt, command, "lies within the data", tmp_path)


def test_a_folder_chosen_by_default(dapt, train, photos: Path, table: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(photos)
    for more in ([], ["--protocol", "few_shot", "--over", "1"]):
        said = refused(dapt, [*train, ".", *more], "lies within the data", tmp_path)
        assert "chosen by default" in said
        assert "--out FOLDER" in said
        said = refused(dapt, [*train, ".", *more, "--out", "runs/x"], "lies within the data", tmp_path)
        assert "by default" not in said
    monkeypatch.chdir(table.parent / "images")
    assert "chosen by default" in refused(dapt, [*train, table], "of the data", tmp_path)


@pytest.mark.long
def test_the_home_folder(dapt, train, photos: Path, tmp_path: Path, monkeypatch, tiny_spec: str) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(home))
    make_folder(home / "photos")
    (home / "names.txt").write_text("a\nb\nc\nd\n")
    done(dapt, "data", "select", "~/photos", *SELECT, "--out=~/chosen.json", "--preview=~/chosen.jpg")
    more = ["--split-file=~/chosen.json", "--shots", 0, "--masks=~/photos-masks", "--names=~/names.txt"]
    done(dapt, *train, "~/photos", "--out", "~/run", *more)
    assert (home / "run" / "results.json").is_file()
    (home / "run.yaml").write_text(
        f"data: ~/photos\nmodel: {tiny_spec}\ndepth: 2\nepochs: 1\nshots: 2\nout: ~/from yaml\nmasks: ~/photos-masks\n"
    )
    done(dapt, "train", "--config=~/run.yaml", "--quiet")
    done(dapt, *train, "~/photos", "--set", "out=~/from set")
    make_folder(home / "other")
    protocol = ["--protocol", "cross_dataset", "--over", "~/other", "--out", "~/protocol"]
    done(dapt, *train, "~/photos", *protocol)
    done(dapt, "eval", "~/run", "~/photos", "--json=~/figures.json", "--masks=~/photos-masks")
    done(dapt, "eval", "~/run")
    done(dapt, "predict", "~/run", "~/photos/red_square", "--explain=~/pictures")
    done(dapt, "masks", "~/photos", "--run=~/run", "--out=~/made", "--quiet")
    done(dapt, "masks", "verify", "~/photos", "--masks=~/made", "--json=~/verified.json")
    done(dapt, "data", "verify", "~/photos")
    assert dapt("data", "list", "--root=~/data")[0] == 0
    assert list(work.iterdir()) == []
    for name in ("from yaml", "from set", "protocol", "figures.json", "pictures", "made", "verified.json"):
        assert (home / name).exists()
    for place in ("~/photos/x", "~/photos"):  # inputs in the home folder are known for what they are
        refused(dapt, ["masks", "~/photos", "--cue", "random", "--out", place], "the data", tmp_path)
        refused(dapt, [*train, "--set", "data=~/photos", "--set", f"out={place}"], "the data", tmp_path)


def test_the_home_folder_from_python(tiny_spec: str, tmp_path: Path, monkeypatch) -> None:
    import dapt

    home, work = tmp_path / "home", tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(home))
    make_folder(home / "photos")
    dapt.train("~/photos", model=tiny_spec, depth=2, epochs=1, shots=2, out="~/run")
    copy = dapt.load("~/run").save("~/copy")
    assert copy.folder == home / "copy"
    assert len(copy.predict(["~/photos/red_square"])) == 8
    copy.evaluate("~/photos")
    assert list(work.iterdir()) == []


def test_every_path_knows_the_home_folder() -> None:
    """Of every command, the options and arguments that take paths, and those that take paths or names."""
    from dapt.cli.app import app
    from dapt.cli.options import PluginOption, at_home

    seen = []

    def look(group: typer.Typer) -> None:
        for each in group.registered_groups:
            look(each.typer_instance)
        for command in group.registered_commands:
            for name, hint in get_type_hints(command.callback, include_extras=True).items():
                if name != "return" and ("Path" in str(hint.__origin__) or name in ("data", "root", "out")):
                    knows = (at_home, PluginOption.__metadata__[0].callback)  # plugins are loaded at once
                    assert hint.__metadata__[0].callback in knows, (command.callback, name)
                    seen.append(name)

    look(app)
    assert len(seen) >= 35
    assert {"out", "json_file", "images", "root", "run", "config", "explain", "preview", "masks_folder"} <= set(seen)


@pytest.mark.parametrize("text", ["", "mine", "{}", '{"owner": "me"}'])
def test_a_note_that_dapt_did_not_write(dapt, train, photos: Path, tmp_path: Path, text: str) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / ".owner.json").write_text(text)
    for how in ("--quiet", "--overwrite", "--resume"):
        refused(dapt, [*train, photos, "--out", out, how], str(out), tmp_path)
        refused(dapt, [*train, photos, "--protocol", "few_shot", "--over", "1", "--out", out, how], str(out), tmp_path)
        refused(dapt, ["demo", "--out", out, how], str(out), tmp_path)
    refused(dapt, ["masks", photos, "--cue", "random", "--out", out], ".owner.json", tmp_path)


def test_a_refused_command_leaves_no_lock(dapt, train, photos: Path, run: Path, table: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    spoilt = tmp_path / "spoilt"
    for name in ("cat", "dog"):
        (spoilt / name).mkdir(parents=True)
        (spoilt / name / "a.png").write_text("no picture")
    for how in ("--overwrite", "--resume", "--quiet"):
        refused(dapt, [*train, spoilt, "--out", empty, how], "", tmp_path)
        refused(dapt, [*train, photos, "--out", empty, how, "--names", tmp_path / "absent"], "names file", tmp_path)
        refused(dapt, [*train, table, "--out", table.parent / "images", how], str(table.parent), tmp_path)
    (run / "eval").mkdir()
    (run / "eval" / "photos-test.json").write_text("{}")
    (run / ".lock").unlink()
    refused(dapt, ["eval", run], "is in the way", tmp_path)
    for path in (photos.parent / "photos-masks").rglob("*.png"):  # labels, read as brightness
        Image.open(path).point(lambda value: value // 255).save(path)
    masks = ["masks", photos, "--cue", "masks", "--masks", photos.parent / "photos-masks"]
    for out in (empty, tmp_path / "new"):
        refused(dapt, [*masks, "--out", out], "--mask-format", tmp_path)


def test_a_copy_of_a_run_goes_into_no_run(run: Path, tmp_path: Path) -> None:
    import dapt
    from dapt.errors import ConfigError

    (tmp_path / "gone").symlink_to(tmp_path / "unplugged")
    before = tree(tmp_path)
    for place, words in ((run / "copy", "which dapt fills"), (tmp_path / "gone", "leads nowhere")):
        with pytest.raises(ConfigError, match=words):
            dapt.load(run).save(place)
    assert tree(tmp_path) == before
