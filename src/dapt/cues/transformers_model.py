"""Loading models and processors of the transformers library from a folder; nothing is fetched here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dapt.clip.weight_files import first_line
from dapt.console import warn
from dapt.errors import ModelError, NotSupportedError

FEW = 0.01  # of a model's parameters: so many may be missing with a warning


def transformers_library(cue: str, *wanted: str) -> Any:
    """The library, if it is installed and new enough.

    Args:
        wanted: classes that it has to have.

    Raises:
        NotSupportedError: it is not.
    """
    try:
        import transformers
    except ImportError:
        raise NotSupportedError(
            f"The cue {cue} needs the package transformers, which is not installed.",
            todo="Run: pip install 'dapt[segment]'",
        ) from None
    for name in wanted:
        if not hasattr(transformers, name):
            raise NotSupportedError(
                f"The cue {cue} needs a newer transformers: {transformers.__version__} has no {name}.",
                todo="Run: pip install -U 'dapt[segment]'",
            )
    return transformers


def load_model(kind: Any, folder: Path, device: str) -> Any:
    """A frozen model for inference.

    Args:
        kind: its class.

    Raises:
        ModelError: a file is damaged or does not belong to the others.
    """
    with _quietly():
        try:
            model, found = kind.from_pretrained(folder, local_files_only=True, output_loading_info=True)
        except Exception as error:
            raise _unusable(kind, folder, error) from error
    _check_complete(model, folder, sorted(found["missing_keys"]))
    return model.to(device).eval().requires_grad_(False)


def load_processor(kind: Any, folder: Path, **settings: Any) -> Any:
    """What turns photos and words into a model's input.

    Args:
        kind: its class. settings: instead of those in the folder.

    Raises:
        ModelError: a file is missing or damaged.
    """
    with _quietly():
        try:
            return kind.from_pretrained(folder, local_files_only=True, **settings)
        except Exception as error:
            raise _unusable(kind, folder, error) from error


def _unusable(kind: Any, folder: Path, error: Exception) -> ModelError:
    return ModelError(
        f"{folder} cannot be loaded as {kind.__name__}: {first_line(error)}.",
        todo="A file of it is missing or damaged: copy the whole folder again (weights, configuration, vocabulary).",
    )


def _check_complete(model: Any, folder: Path, missing: list[str]) -> None:
    """Refuse a model that would go on with random numbers in the place of weights.

    Raises:
        ModelError: more than `FEW` of them are missing.
    """
    if not missing:
        return
    sizes = {name: value.numel() for name, value in model.state_dict().items()}
    share = sum(sizes.get(name, 0) for name in missing) / max(1, sum(sizes.values()))
    what = f"The weights in {folder} lack {len(missing)} of the {len(sizes)} that the model has, such as {missing[0]}"
    if share > FEW:
        raise ModelError(f"{what}.", todo="They are damaged or of another model: copy the whole folder again.")
    warn(f"{what} ({100 * share:.2f}% of the numbers); these are random.")


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the library's notes and bars off the screen: what matters is found out and said here."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
