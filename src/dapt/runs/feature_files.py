"""The files that `dapt features` writes: which kinds there are, and what may be where they go."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from dapt.errors import ConfigError
from dapt.files import leftovers, remove_file
from dapt.runs.feature_rows import FeatureRow

FORMAT = "dapt features 1"  # by which a file is known again


@dataclass(frozen=True)
class FeatureTable:
    """All that goes into a file.

    Attributes:
        rows: ``N`` images. blocks: their features ``[n, D]`` in the same order, a part at a time, all of one type.
        dimensions: D. about: what the file says of itself, JSON values.
    """

    rows: Sequence[FeatureRow]
    blocks: Iterable[Tensor]
    dimensions: int
    about: Mapping[str, Any]


class FeatureFile(ABC):
    """One kind of file.

    Args:
        path: where it goes.

    Attributes:
        ending: by which the kind is chosen.
    """

    ending = ""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def outputs(self) -> tuple[Path, ...]:
        """All files that are written; with the first one it is whole, so that is written last and removed first."""
        return (self.path,)

    def check_packages(self) -> None:  # noqa: B027 most kinds need none
        """Whether all that writes it is installed.

        Raises:
            ConfigError: it is not.
        """

    @abstractmethod
    def is_ours(self, path: Path) -> bool:
        """Whether one of `outputs` that is there was written by dapt."""

    @abstractmethod
    def about(self) -> dict[str, Any]:
        """What the file that is there says of itself."""

    @abstractmethod
    def write(self, table: FeatureTable) -> None:
        """Write all `outputs`, each whole or not at all, with one block in memory at a time.

        Raises:
            DaptError: the file system refuses.
        """

    def check(self, *, replace: bool) -> None:
        """Whether the files may be written; with `replace` in the place of earlier ones.

        Raises:
            ConfigError: something is in the way.
        """
        for path in self.outputs:
            if not os.path.lexists(path):
                continue
            if not path.is_file() or not self.is_ours(path):
                raise ConfigError(
                    f"{path} exists, and dapt did not write it.",
                    where="--out",
                    todo="Choose another file; it was left alone.",
                )
            if not replace:
                raise ConfigError(
                    f"{path} exists.", where="--out", todo="Pass --overwrite to make it again, or choose another file."
                )

    def sweep(self) -> None:
        """Remove what killed commands have left of files that they were writing; for their only writer."""
        for path in self.outputs:
            for part in leftovers(path.parent, [path.name]):
                remove_file(part)

    def remove(self) -> None:
        """Remove those of an earlier command."""
        for path in self.outputs:
            remove_file(path)
