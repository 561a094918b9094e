"""The commands that are tortured: what they need, how they are called, and how they are called again after a kill."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shapes import NAME

from helpers import make_csv, save_tiny_model

OUT = "out"  # the folder of the output, below the stage


@dataclass
class Stage:
    """A folder with everything that a command reads, and `out`, which it writes.

    Attributes:
        folder: holds all. table: CSV data set. model: specification of the backbone. web: address of a server that has
            what `shapes` offers.
    """

    folder: Path
    table: Path
    model: str
    web: str = ""

    @property
    def saved(self) -> Path:
        """The data as `datasets` saves it, made when it is first asked for."""
        path = self.folder / "saved"
        if not path.exists():
            from hub_data import save, with_classes

            save(with_classes(6), path)
        return path

    @property
    def out(self) -> Path:
        """What is written and compared."""
        return self.folder / OUT

    @property
    def kept(self) -> Path:
        """Copies of `out` that commands begin with."""
        return self.folder / "kept"

    def clear(self) -> None:
        """Remove the output."""
        shutil.rmtree(self.out, ignore_errors=True)

    def keep(self, name: str) -> None:
        """Keep a copy of the output."""
        shutil.copytree(self.out, self.kept / name)

    def bring(self, name: str) -> None:
        """Make the output what was kept."""
        self.clear()
        shutil.copytree(self.kept / name, self.out)


def set_stage(folder: Path) -> Stage:
    """Make model and data."""
    model = save_tiny_model(folder / "model")
    return Stage(folder, make_csv(folder / "table", per_class=8, classes=3, groups=True), model)


def train(stage: Stage, *more: object) -> list[object]:
    """`dapt train` with DAPT on the data's own masks; half a second."""
    small = ["--depth", 2, "--shots", 2, "--epochs", 2, "--batch-size", 2, "--device", "cpu"]
    chosen = ["--dapt", "--set", "model_selection=best_val", "--set", "dapt.variant=joint"]
    return ["train", stage.table, "--model", stage.model, *small, *chosen, "--out", stage.out, *more]


Command = Callable[[Stage], list[object]]


@dataclass(frozen=True)
class Step:
    """What happens before a scene.

    Attributes:
        command: the call. kill_at: where it is killed, see `Watch`; None: it ends well.
    """

    command: Command
    kill_at: tuple[str, str, int] | None = None


@dataclass(frozen=True)
class Scene:
    """A command that is interrupted.

    Attributes:
        name: for people. command: arguments of the first call. again: of the call that ends what was interrupted.
        prepare: what happens beforehand in the output folder. whole: the call that nothing interrupts, on an empty
            folder, with whose result all others are compared; None: `command` after `prepare`.
        first: function of `shapes` that is called in the child first, with the address of the server.
    """

    name: str
    command: Command
    again: Command
    prepare: tuple[Step, ...] = ()
    whole: Command | None = None
    first: str = ""

    def setup(self, stage: Stage) -> list[str] | None:
        """What the child calls first, see `Warm.run`."""
        return [f"shapes:{self.first}", stage.web] if self.first else None


def protocol(stage: Stage, *more: object) -> list[object]:
    """`dapt train --protocol`: two runs of one epoch."""
    small = ["--depth", 2, "--epochs", 1, "--batch-size", 2, "--device", "cpu"]
    return [
        *("train", stage.table, "--model", stage.model, *small),
        *("--protocol", "few_shot", "--over", "1,2", "--out", stage.out, *more),
    ]


def demo(stage: Stage, *more: object) -> list[object]:
    """`dapt demo` of two classes, six scenes and three runs."""
    sizes = [f"--set={key}" for key in ("classes=2", "train_per_class=1", "test_per_class=2", "size=32")]
    return ["demo", "--out", stage.out, "--seeds", 1, "--shots", 1, "--epochs", 1, "--jobs", 1, *sizes, *more]


def scenes_alone(stage: Stage, *more: object) -> list[object]:
    """`dapt demo --data-only` of two classes and six scenes."""
    sizes = [f"--set={key}" for key in ("classes=2", "train_per_class=1", "test_per_class=2", "size=32")]
    return ["demo", "--data-only", stage.out, "--jobs", 1, "--shots", 1, *sizes, *more]


def masks(stage: Stage) -> list[object]:
    """`dapt masks`, as much of it as there is."""
    return ["masks", stage.table, "--cue", "random", "--preview", "--compare", "--out", stage.out]


def imported(stage: Stage) -> list[object]:
    """`dapt masks import` of a COCO file with a box in every photograph, and two that overlap in the first."""
    names = sorted(path.name for path in (stage.table.parent / "images").glob("*.png"))
    boxes = [(number, 1 + number % 2) for number in range(len(names))]
    tree = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
        "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
        "annotations": [{"image_id": at, "category_id": kind, "bbox": [3, 4, 9, 8]} for at, kind in [*boxes, (0, 2)]],
    }
    file = stage.folder / "instances.json"
    file.write_text(json.dumps(tree))
    return ["masks", "import", file, "--data", stage.table, "--out", stage.out]


def evaluation(stage: Stage) -> list[object]:
    """`dapt eval` of a run on its validation images."""
    return ["eval", stage.out, "--split", "val", "--device", "cpu"]


def _resume(stage: Stage) -> list[object]:
    return train(stage, "--resume")


def _download(stage: Stage) -> list[object]:
    return ["data", "download", NAME, "--root", stage.out, "--yes", "--masks"]


def _exported(stage: Stage) -> list[object]:
    """Data of `datasets` is written as files first; they stay for the next command."""
    return ["masks", f"hf:{stage.saved}", "--root", stage.out / "data", "--cue", "random", "--out", stage.out / "masks"]


def _elsewhere(stage: Stage) -> list[object]:
    """A run beside the output."""
    return [stage.folder / "run" if each == stage.out else each for each in train(stage, "--overwrite")]


def features(stage: Stage, *more: object) -> list[object]:
    """`dapt features` of 24 images in three parts."""
    given = ["--model", stage.model, "--batch-size", 4, "--device", "cpu"]
    return ["features", stage.table, *given, "--out", stage.out / "f.safetensors", *more]


def _explained(stage: Stage) -> list[object]:
    image = stage.table.parent / "images" / "red_square_3.png"
    return ["predict", stage.folder / "run", image, "--explain", stage.out, "--device", "cpu"]


def _with_a_page(stage: Stage) -> list[object]:
    images = [stage.table.parent / "images" / f"red_square_{number}.png" for number in (3, 2)]
    masks = stage.table.parent / "masks"
    return ["explain", stage.folder / "run", *images, "--masks", masks, "--out", stage.out, "--device", "cpu"]


def _figures(stage: Stage) -> list[object]:
    return ["eval", stage.folder / "run", "--json", stage.out / "figures.json", "--device", "cpu"]


def _selected(stage: Stage) -> list[object]:
    files = ["--out", stage.out / "split.json", "--preview", stage.out / "chosen.jpg", "--overwrite"]
    return ["data", "select", stage.table, "--select", "uniform", "--fraction", 0.5, "--model", stage.model, *files]


def _verified(stage: Stage) -> list[object]:
    return ["masks", "verify", stage.table, "--json", stage.out / "report.json"]


TRAIN = Scene("train", train, _resume)
RESUME_EARLY = Scene(
    "train --resume after epoch 1", _resume, _resume, (Step(train, ("os.rename", "metrics.jsonl", 1)),), whole=train
)
RESUME_LATE = Scene(
    "train --resume before the results", _resume, _resume, (Step(train, ("os.rename", "results.json", 1)),), whole=train
)
OVERWRITE = Scene(
    "train --overwrite over another run",
    lambda stage: train(stage, "--overwrite"),
    _resume,
    (Step(lambda stage: train(stage, "--seed", 2, "--set", "dapt.margin=0.5")), Step(evaluation)),
    whole=train,
)
EVAL = Scene("eval", evaluation, evaluation, (Step(train),))
MASKS = Scene("masks", masks, masks)
IMPORT = Scene("masks import", imported, imported)
PROTOCOL = Scene("protocol few_shot", protocol, lambda stage: protocol(stage, "--resume"))
DEMO = Scene("demo", demo, lambda stage: demo(stage, "--resume"))
DEMO_OVERWRITE = Scene(
    "demo --overwrite over another demo",
    lambda stage: demo(stage, "--overwrite"),
    lambda stage: demo(stage, "--overwrite"),
    (Step(lambda stage: demo(stage, "--set", "scene_seed=2")),),
    whole=demo,
)
PROTOCOL_OVERWRITE = Scene(
    "protocol --overwrite over another protocol",
    lambda stage: protocol(stage, "--overwrite"),
    lambda stage: protocol(stage, "--overwrite"),
    (Step(lambda stage: protocol(stage, "--over", "1,4")),),
    whole=protocol,
)
DOWNLOAD = Scene("data download", _download, _download, first="offer")
HUB_DOWNLOAD = Scene("data download from a hub", _download, _download, first="offer_by_hub")
EXPORT = Scene("masks of hf: data", _exported, _exported)
FEATURES = Scene("features", features, lambda stage: features(stage, "--resume"), first="in_small_parts")
EXPLAIN = Scene("predict --explain", _explained, _explained, (Step(_elsewhere),))
EXPLAIN_PAGE = Scene("explain", _with_a_page, _with_a_page, (Step(_elsewhere),))
FIGURES = Scene("eval --json", _figures, _figures, (Step(_elsewhere),))
SELECT = Scene("data select", _selected, _selected)
VERIFY = Scene("masks verify --json", _verified, _verified)
SMALL = (EXPORT, FEATURES, EXPLAIN, EXPLAIN_PAGE, FIGURES, SELECT, VERIFY)
SCENES = (
    *(
        TRAIN,
        RESUME_EARLY,
        RESUME_LATE,
        OVERWRITE,
        EVAL,
        MASKS,
        IMPORT,
        PROTOCOL,
        PROTOCOL_OVERWRITE,
        DEMO,
        DEMO_OVERWRITE,
    ),
    *(DOWNLOAD, HUB_DOWNLOAD),
)
