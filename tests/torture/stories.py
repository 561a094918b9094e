"""Parts of what happens in a torture: the undisturbed run, and the beginnings of disturbed ones."""

from __future__ import annotations

from comparing import snapshot
from scenes import Scene, Stage
from warm import Ended, Warm


def reference(warm: Warm, stage: Stage, scene: Scene) -> dict[str, bytes]:
    """What the command leaves that nothing interrupts."""
    stage.clear()
    if scene.whole is None:
        for step in scene.prepare:
            well(warm.run(*step.command(stage)))
    well(warm.run(*(scene.whole or scene.command)(stage), setup=scene.setup(stage), modules=True))
    return snapshot(stage.out)


def begin(warm: Warm, stage: Stage, scene: Scene) -> Ended:
    """Prepare, keep what the command begins with, and watch it once."""
    stage.clear()
    for step in scene.prepare:
        watch = None if step.kill_at is None else {"inside": [str(stage.out)], "kill_at": step.kill_at}
        done = warm.run(*step.command(stage), watch=watch)
        assert done.killed if step.kill_at else done.code == 0, done.output
    if stage.out.exists():
        stage.keep("before")
    done = warm.run(*scene.command(stage), watch={"inside": [str(stage.out)]}, setup=scene.setup(stage))
    well(done)
    strange = [operation for operation in done.outside if not allowed(operation)]
    assert not strange, f"written outside the output folder: {strange}"
    return done


def start(stage: Stage, scene: Scene) -> None:
    """Bring the output to where `begin` kept it."""
    stage.clear()
    if (stage.kept / "before").exists():
        stage.bring("before")


def allowed(operation: list[str]) -> bool:
    """Whether something may be written outside the output folder: caches, and nothing else."""
    return operation[1] == "/dev/null" or "/.cache/" in operation[1] or operation[1].endswith("/matplotlib")


def well(done: Ended) -> None:
    """A call ended well."""
    assert done.code == 0, done.output
