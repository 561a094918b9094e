"""Auditing from Python: the same call that `dapt audit` makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dapt.cues.build import AUTO
from dapt.paths import with_home
from dapt.runs.audit_images import Question


def audit(
    models: str | Path | Sequence[str | Path],
    data: str | Path,
    *,
    masks: str | Path | None = None,
    cue: str | None = None,
    backgrounds: str | Path | None = None,
    out: str | Path | None = None,
    write: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    size: int | None = None,
    blank: str = "black",
    device: str = "auto",
    cue_options: Mapping[str, Any] | None = None,
    **question: Any,
) -> dict[str, Any]:
    """How much of the accuracy of models hangs on the background of images; see `dapt audit`.

    Args:
        models: run folders, saved models, backbones by name; one or several. data: as for `train`, with masks.
        masks: folder of mask files. cue: what guesses the objects where there are no masks; `cue_options` are its own.
        out: folder for the figures, a page and a table of all images. write: folder for the composites, a data set for
            each variant. overwrite: replace what an earlier audit wrote there. resume: go on with an interrupted one.
        size: pixels of the shorter side of composites, at most. blank: colour of what is taken away.
        backgrounds: other data whose backgrounds the objects are put on, too.
        question: ``split``, ``classes``, ``names``, ``limit``, ``seed``, ``skip_bad``, ``allow_leaks``, ``root``,
            ``own_split``, ``mask_format``, ``mask_name``, ``mask_background``, as the
            options of the command.

    Returns:
        the content of audit.json.

    Raises:
        DaptError: anything the user can mend. TypeError: there is no such argument.
    """
    from dapt.report.audit import audit_and_write

    named = [models] if isinstance(models, (str, Path)) else models
    asked = Question(
        data=with_home(str(data)),
        masks=None if masks is None else with_home(str(masks)),
        cue=cue or AUTO,
        backgrounds=None if backgrounds is None else with_home(str(backgrounds)),
        options=cue_options or {},
        **question,
    )
    return audit_and_write(
        [str(model) for model in named],
        asked,
        out=None if out is None else Path(with_home(str(out))),
        write=None if write is None else Path(with_home(str(write))),
        overwrite=overwrite,
        resume=resume,
        size=size,
        blank=blank,
        device=device,
    ).record
