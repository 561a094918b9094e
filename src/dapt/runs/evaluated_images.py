"""The test images of a run, as it was evaluated on them."""

from __future__ import annotations

from pathlib import Path

from dapt.config import RunConfig
from dapt.data.labelled import LabelledImages, class_labels, select_classes
from dapt.data.resolve import load_data
from dapt.runs.division import how_divided
from dapt.runs.run_folder import RunFolder


def evaluated_images(config: RunConfig, run: Path | str, classes: str | None = None) -> LabelledImages:
    """The test images of a run's own data, as far as they are there.

    Args:
        run: its folder. classes: all, base or novel; None: those that the run was trained on.

    Raises:
        DaptError: the data is not there, or has changed its form.
    """
    source = load_data(
        config.data,
        config.names,
        root=config.root,
        own_split=config.own_split,
        skip_bad=config.skip_bad,
        split_file=config.split_file,
        **how_divided(config, RunFolder(Path(run))),
    )
    return select_classes(source, source.chosen_labelled("test"), class_labels(source, classes or config.subset))
