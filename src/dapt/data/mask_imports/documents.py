"""Formats whose files are read whole, one after another: JSON, or XML, of annotation tools."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from dapt.data.mask_imports.base import Asked, Found, MaskImport, nothing_there
from dapt.data.mask_imports.source import KEPT, Source
from dapt.errors import DataError


class DocumentImport(MaskImport):
    """A format of JSON files, which are known by what is in them; others override `documents` and `content`.

    Attributes:
        sign: what `evidence` says of a file, behind its name. kind, needed: what there would be, see `nothing_there`.
    """

    sign: str
    kind: str
    needed: str

    @abstractmethod
    def is_mine(self, content: Any) -> bool:
        """Whether the content of a file is of this format."""

    @abstractmethod
    def take(self, found: Found, source: Source, name: str, content: Any) -> None:
        """Add what a file says.

        Raises:
            DataError: nothing of it can be used.
        """

    def documents(self, source: Source) -> Sequence[str]:
        """The files that may be of this format."""
        return source.jsons

    def content(self, source: Source, name: str) -> Any:
        """What is in one.

        Raises:
            DataError: it cannot be read.
        """
        return source.json(name)

    def evidence(self, source: Source, asked: Asked) -> str:
        for name in self.documents(source)[:KEPT]:
            try:
                content = self.content(source, name)
            except DataError:
                continue
            if self.is_mine(content):
                return f"{name} {self.sign}"
        return ""

    def read(self, source: Source, asked: Asked) -> Found:
        found = Found(self.title)
        closed: DataError | None = None
        for name in self.documents(source):
            try:
                content = self.content(source, name)
            except DataError as error:  # of which format it is nobody knows
                closed = closed or error
                found.damaged.append(error.what)
                continue
            if self.is_mine(content):
                found.files.append(name)
                self.take(found, source, name, content)
        if not found.files:
            raise closed or nothing_there(source, self.kind, self.needed)
        return found
