"""The tiny CLIP that the package brings along: where it is, and whether it is whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

from dapt.errors import DaptError, ModelError
from dapt.files import read_json

MODEL = Path(__file__).parent / "bundled_model"
CHECKSUMS = "checksums.json"


def bundled_model(folder: Path | None = None) -> Path:
    """The folder of the bundled model, in open_clip's own format.

    Args:
        folder: look here instead.

    Raises:
        ModelError: a file is missing or is not the one that was packaged.
    """
    folder = folder or MODEL
    again = (
        "Install the package again: pip install --force-reinstall --no-deps dapt (in a clone: git checkout the file)."
    )
    sums = folder / CHECKSUMS
    if not sums.is_file():
        raise ModelError("The bundled model is missing from the package.", where=str(folder), todo=again)
    try:
        listed = read_json(sums)
    except DaptError:
        listed = None
    if not isinstance(listed, dict) or not listed:
        raise ModelError(f"The bundled model is damaged: {CHECKSUMS} cannot be read.", where=str(folder), todo=again)
    for name, expected in listed.items():
        path = folder / name
        if not path.is_file():
            raise ModelError(f"The bundled model lacks {name}.", where=str(folder), todo=again)
        if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            raise ModelError(f"The bundled model is damaged: {name} is not as packaged.", where=str(folder), todo=again)
    return folder
