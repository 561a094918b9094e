"""Files appear whole, synced, or not at all; a full disk is said, names its file, and damages nothing."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from comparing import differences, halves, snapshot
from disk import Disk
from scale import share
from scenes import (
    DEMO,
    DOWNLOAD,
    EVAL,
    EXPORT,
    HUB_DOWNLOAD,
    MASKS,
    OVERWRITE,
    PROTOCOL,
    RESUME_EARLY,
    SMALL,
    TRAIN,
    Scene,
    Stage,
)
from stories import begin, reference, start
from warm import Ended, Warm

EVERY = (TRAIN, RESUME_EARLY, OVERWRITE, EVAL, MASKS, PROTOCOL, DEMO, DOWNLOAD)
SLOW = {DEMO.name: (2, 100), PROTOCOL.name: (2, None)}  # of the short form, and of the long one
USUAL = (4, None)
PART = re.compile(r"\.(.+)\.[0-9a-f]{8}\.part")


@pytest.mark.parametrize("scene", [*EVERY, HUB_DOWNLOAD, *SMALL], ids=lambda scene: scene.name)
def test_every_file_is_written_aside_synced_and_renamed(warm: Warm, stage: Stage, scene: Scene, tell) -> None:
    done = begin(warm, stage, scene)
    shutil.rmtree(stage.kept, ignore_errors=True)
    wrong = [line for line in Disk().play(done.seen).wrong if not mended(scene, line)]
    tell(f"power failure: {scene.name}", 1, f"{len(done.seen)} operations")
    assert not wrong, "\n".join(wrong[:20])


def mended(scene: Scene, wrong: str) -> bool:
    """Whether the next call notices by itself: until the index is there, all content of an export is compared; what
    huggingface_hub has put among the downloads is no final file, and is compared with its checksum.
    """
    early = "before it was synced" in wrong
    return early and (scene is EXPORT or (scene is HUB_DOWNLOAD and "/.downloads/hub-" in wrong.partition(" to ")[2]))


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("in_place", "was written in its place"),
        ("no_sync_of_files", "before it was synced"),
        ("no_sync_of_folders", "the folder of"),
        ("sync_after_rename", "before it was synced"),
    ],
)
def test_that_other_ways_of_writing_are_noticed(warm: Warm, stage: Stage, how: str, told: str) -> None:
    stage.clear()
    done = warm.run(*TRAIN.command(stage), watch={"inside": [str(stage.out)]}, setup=[f"sabotage:{how}"])
    assert done.code == 0, done.output
    wrong = Disk().play(done.seen).wrong
    assert any(told in line and "run.yaml" in line for line in wrong), wrong


def test_the_model_of_a_disk() -> None:
    good = [["open", "/d/.a.part"], ["write", "/d/.a.part"], ["fsync", "/d/.a.part"]]
    good += [["os.rename", "/d/.a.part", "/d/a"], ["fsync", "/d"]]
    assert Disk().play(good).wrong == []
    for left_out in range(2, 5):
        assert Disk().play(good[:left_out] + good[left_out + 1 :]).wrong, good[left_out]
    folder = [["os.mkdir", "/d/new"], ["open", "/d/new/x"], ["write", "/d/new/x"]]
    assert Disk().play([*folder, ["os.rename", "/d/new", "/d/n"], ["sync", "/d"]]).wrong
    assert Disk().play([*folder, ["sync", "/d"], ["os.rename", "/d/new", "/d/n"], ["sync", "/d"]]).wrong == []
    assert Disk().play([*folder, ["os.remove", "/d/new/x"], ["os.rmdir", "/d/new"]]).wrong == []


@pytest.mark.parametrize("scene", EVERY, ids=lambda scene: scene.name)
def test_a_disk_that_is_full_or_breaks(warm: Warm, stage: Stage, scene: Scene, tell) -> None:
    """Exit 2, the file is named, nothing is hurt; nothing grows any more, all fails, or one operation does."""
    expected = reference(warm, stage, scene)
    try:
        whole = begin(warm, stage, scene)
        needy = ("open", "write", "half", "os.mkdir")
        ways = [("full", n) for n, (kind, *_) in enumerate(whole.seen, start=1) if kind in needy and n in whole.new]
        broken = ("fsync", "os.rename", "write")
        ways += [("broken", n) for n, (kind, *_) in enumerate(whole.seen, start=1) if kind in broken]
        ways += [("dead", n) for n in whole.new]
        chosen = share(scene.name, ways, *SLOW.get(scene.name, USUAL))
        wrong: list[str] = []
        for how, number in chosen:
            wrong += failed(warm, stage, scene, how, number, whole, expected)
    finally:
        shutil.rmtree(stage.kept, ignore_errors=True)
    tell(f"full or broken disk: {scene.name}", len(chosen), f"of {len(ways)}")
    assert not wrong, "\n".join(wrong[:20])


def failed(
    warm: Warm, stage: Stage, scene: Scene, how: str, number: int, whole: Ended, expected: dict[str, bytes]
) -> list[str]:
    """What is wrong after one failure, and after another call on a disk that works."""
    start(stage, scene)
    story = f"disk {how} at operation {number} ({' '.join(whole.seen[number - 1])})"
    setup = scene.setup(stage)
    first = warm.run(*scene.command(stage), watch={"inside": [str(stage.out)], how: number}, setup=setup)
    if first.code != 2 or "error: " not in first.output or "Traceback" in first.output:
        return [f"{story}: ended with {first.code}\n{first.output}"]
    kind, place, *_ = whole.seen[number - 1]
    cleaning = kind in ("os.rmdir", "os.remove") and "/unpacking-" in place  # what is left is removed by the next call
    names = [named(path) for path in (first.failed if cleaning else first.failed[:1])]
    told = first.output[first.output.index("error: ") :]
    if not any(name in told for name in names):
        name = names[0]
        return [f"{story}: the message does not name {name}:\n{told}"]
    left = snapshot(stage.out) if stage.out.exists() else {}
    wrong = [f"{story}: {text}" for text in halves(left, expected)]
    second = warm.run(*scene.again(stage), setup=setup)
    if scene is OVERWRITE and second.code == 2 and "was started with" in second.output:
        second = warm.run(*scene.command(stage))
    if second.code != 0:
        return [*wrong, f"{story}: the next call ended with {second.code}\n{second.output}"]
    return wrong + [f"{story}: {text}" for text in differences(expected, snapshot(stage.out))]


def named(path: str) -> str:
    """The name by which a message has to call a file: that of the whole one, where a part could not be written."""
    match = PART.fullmatch(Path(path).name)
    return str(Path(path).with_name(match[1])) if match else path


@pytest.mark.parametrize("scene", [TRAIN, MASKS, DOWNLOAD], ids=lambda scene: scene.name)
def test_writes_that_take_half(warm: Warm, stage: Stage, scene: Scene) -> None:
    """A system may write less than it was asked to; the rest is written then."""
    expected = reference(warm, stage, scene)
    stage.clear()
    watch = {"inside": [str(stage.out)], "short": True}
    done = warm.run(*scene.command(stage), watch=watch, setup=scene.setup(stage))
    assert done.code == 0, done.output
    assert differences(expected, snapshot(stage.out)) == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can mount a small disk")
@pytest.mark.parametrize("kilobytes", [8, 32, 56, 80])
def test_a_small_disk(warm: Warm, stage: Stage, tmp_path: Path, kilobytes: int) -> None:
    """A file system that is really full."""
    import subprocess

    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", disk], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        command = [disk / "out" if each == stage.out else each for each in TRAIN.command(stage)]
        done = warm.run(*command)
        assert done.code == 2, done.output
        assert "No space left on device" in done.output
        assert "Traceback" not in done.output
        left = snapshot(disk / "out") if (disk / "out").exists() else {}
        assert halves(left, {}) == []
        assert [name for name in left if name.endswith(".part")] == []
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        again = warm.run(*command, "--resume")
        assert again.code == 0, again.output
        stage.clear()
        whole = warm.run(*TRAIN.command(stage))
        assert whole.code == 0, whole.output
        same = ("prompts.safetensors", "metrics.jsonl", "log.txt", "results.json", "split.json")
        expected, found = (
            {
                name: part.replace(str(folder).encode(), b"OUT")
                for name, part in snapshot(folder).items()
                if name in same
            }
            for folder in (stage.out, disk / "out")
        )
        assert differences(expected, found) == []
    finally:
        subprocess.run(["umount", disk], check=True)
