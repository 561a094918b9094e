"""A command that is killed at any of its operations on files, and called again, ends as if nothing had happened."""

from __future__ import annotations

import shutil

import pytest
from comparing import differences, snapshot
from scale import share
from scenes import EXPLAIN_PAGE, EXPORT, FEATURES, OVERWRITE, SCENES, Scene, Stage
from stories import begin, reference, start
from warm import Ended, Warm

# Crash points of the short form, evenly spaced: neighbours prove much the same, and `make torture` does every one.
USUAL = 5
SLOW = {
    "demo": 3,
    "demo --overwrite over another demo": 2,
    "protocol few_shot": 3,
    "protocol --overwrite over another protocol": 3,
}
NOTES = (".owner.json", ".lock")  # what only says who holds or held a folder


@pytest.mark.parametrize("scene", [*SCENES, EXPORT, FEATURES, EXPLAIN_PAGE], ids=lambda scene: scene.name)
def test_killed_at_any_operation(warm: Warm, stage: Stage, scene: Scene, tell) -> None:
    """A crash point is an operation before which the files are others than before the preceding one."""
    expected = reference(warm, stage, scene)
    try:
        whole = begin(warm, stage, scene)
        wrong = [f"nothing interrupted: {text}" for text in differences(expected, snapshot(stage.out))]
        points = share(scene.name, whole.new, SLOW.get(scene.name, USUAL))
        for point in points:
            wrong += killed(warm, stage, scene, point, whole, expected)
    finally:
        shutil.rmtree(stage.kept, ignore_errors=True)
    tell(f"crash points: {scene.name}", len(points), f"of {len(whole.new)} ({len(whole.seen)} operations)")
    assert not wrong, "\n".join(wrong[:20])


def killed(warm: Warm, stage: Stage, scene: Scene, point: int, whole: Ended, expected: dict[str, bytes]) -> list[str]:
    """What is wrong after a kill at one point and another call."""
    start(stage, scene)
    setup = scene.setup(stage)
    story = f"killed before operation {point} ({' '.join(whole.seen[point - 1])})"
    first = warm.run(*scene.command(stage), watch={"inside": [str(stage.out)], "kill": point}, setup=setup)
    if not first.killed:
        return [f"{story}: was not, but ended with {first.code}\n{first.output}"]
    left = snapshot(stage.out) if stage.out.exists() else {}
    second = warm.run(*scene.again(stage), setup=setup)
    if scene is OVERWRITE and second.code == 2 and "run.yaml" in left:
        assert "was started with" in second.output, second.output
        before = snapshot(stage.kept / "before")
        now = snapshot(stage.out)
        lost = [name for name in before if name not in NOTES and before[name] != now.get(name)]
        if lost:
            return [f"{story}: the run that was there is still in force, but these were changed: {lost}"]
        second = warm.run(*scene.command(stage))
    if second.code != 0:
        return [f"{story}: the next call ended with {second.code}\n{second.output}"]
    return [f"{story}: {text}" for text in differences(expected, snapshot(stage.out))]
