"""Features from Python: the same call that `dapt features` makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dapt.paths import with_home
from dapt.plugins import load_installed


def features(
    data: str | Path,
    out: str | Path,
    *,
    model: str | None = None,
    run: str | Path | None = None,
    split: str = "all",
    dtype: str = "float32",
    raw: bool = False,
    skip_bad: bool = False,
    overwrite: bool = False,
    resume: bool = False,
    device: str = "auto",
    **how: Any,
) -> dict[str, Any]:
    """Write the image features of a data set into a file, as `dapt features`.

    Args:
        data: as for `train`, or photos without classes.
        out: ``FILE.safetensors`` (``features`` ``[N, D]`` and ``labels`` ``[N]``, -1 where no class is known; names in
            ``FILE.csv``, a line for each row) or ``FILE.parquet`` (a row for each image, its feature a list of D
            numbers).
        model: the backbone. run: a finished run whose prompts are in the image tower; its backbone may be named anew.
        split: ``train``, ``val``, ``test`` or ``all``. dtype: ``float32`` or ``float16``.
        raw: features as the image tower's projection gives them, instead of unit length.
        skip_bad: leave out images that cannot be read. overwrite: replace earlier features. resume: go on with an
            interrupted call.
        how: ``precision``, ``batch_size``, ``workers``, ``names``, ``root``, ``own_split``, as the options of the
            command.

    Returns:
        what the file says of itself: ``images`` (N), ``dimensions`` (D), ``left_out``, ``classes``, ``model`` and what
        else decided the features.

    Raises:
        DaptError: anything the user can mend. TypeError: there is no such argument.
    """
    from dapt.runs.write_features import write_features

    load_installed()
    return write_features(
        with_home(str(data)),
        Path(with_home(str(out))),
        model_spec=model,
        run=None if run is None else Path(with_home(str(run))),
        split=split,
        dtype=dtype,
        raw=raw,
        skip_bad=skip_bad,
        overwrite=overwrite,
        resume=resume,
        device=device,
        **how,
    )
