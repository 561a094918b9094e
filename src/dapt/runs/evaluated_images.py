"""The test images of a run, as it was evaluated on them."""

from __future__ import annotations

from pathlib import Path

from dapt.config import RunConfig
from dapt.data.labelled import LabelledImages, class_labels, select_classes
from dapt.runs.division import divided_data
from dapt.runs.run_folder import RunFolder


def evaluated_images(config: RunConfig, run: Path | str, classes: str | None = None) -> LabelledImages:
    """The test images of a run's own data, as far as they are there.

    Args:
        run: its folder. classes: all, base or novel; None: those that the run was trained on.

    Raises:
        DaptError: the data is not there, or has changed its form.
    """
    source = divided_data(config, RunFolder(Path(run)))
    return select_classes(source, source.chosen_labelled("test"), class_labels(source, classes or config.subset))
