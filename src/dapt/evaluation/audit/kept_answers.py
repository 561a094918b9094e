"""What an audit has been answered so far, kept in a file, so that an interrupted one goes on."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dapt.errors import ConfigError
from dapt.evaluation.audit.answers import Answers
from dapt.files import write_bytes

EVERY_S = 20.0


class KeptAnswers:
    """Answers to the first images, in a file that is written whole, now and then.

    Args:
        path: the file. key: of all that decides the answers; those to another question are not taken for these.
        every_s: seconds between two writings, at least.
    """

    def __init__(self, path: Path, key: str, every_s: float = EVERY_S) -> None:
        self.path = path
        self._key = key
        self._every_s = every_s
        self._last = time.monotonic()

    def read(self, answers: Sequence[Answers]) -> int:
        """Put what is kept into `answers`; returns of how many images, the first, that is.

        Raises:
            ConfigError: it belongs to another question, or is damaged.
        """
        if not self.path.is_file():
            return 0
        try:
            with np.load(io.BytesIO(self.path.read_bytes()), allow_pickle=False) as kept:
                key, parts = str(kept["key"]), [kept[name] for name in ("predicted", "confidence", "truth")]
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ConfigError(f"{self.path} is damaged.", todo="Pass --overwrite to start again.") from error
        done = int(parts[0].shape[-1]) if parts[0].ndim == 3 else -1
        shape = (len(answers), *answers[0].predicted.shape[:1], done) if answers else ()
        if key != self._key or any(part.shape != shape for part in parts) or done > answers[0].predicted.shape[1]:
            raise ConfigError(
                f"The audit in {self.path.parent} was started with other models, images or options.",
                todo="Repeat those it was started with, or pass --overwrite to start again.",
            )
        for place, each in enumerate(answers):
            for mine, part in zip((each.predicted, each.confidence, each.truth), parts, strict=True):
                mine[:, :done] = part[place]
        return done

    def keep(self, answers: Sequence[Answers], done: int) -> None:
        """Write the answers to the first `done` images, if it is time, and in any case those to all.

        Raises:
            DaptError: the file system refuses.
        """
        if time.monotonic() - self._last < self._every_s and done < answers[0].predicted.shape[1]:
            return
        buffer = io.BytesIO()
        np.savez(
            buffer,
            key=np.array(self._key),
            predicted=np.stack([each.predicted[:, :done] for each in answers]),
            confidence=np.stack([each.confidence[:, :done] for each in answers]),
            truth=np.stack([each.truth[:, :done] for each in answers]),
        )
        write_bytes(self.path, buffer.getbuffer(), make_parents=False)
        self._last = time.monotonic()
