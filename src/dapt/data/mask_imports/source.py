"""The folder, or the file, that masks are imported from, and the tables in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from dapt.data.read.exports.base import read_json_file
from dapt.data.read.exports.xml_file import read_xml_file
from dapt.data.read.tree import Tree, look_through
from dapt.errors import ConfigError, DataError
from dapt.limits import ANNOTATION_BYTES

KEPT = 20  # parsed files that are kept, from guessing the format to reading it
PACKED = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")


class Source:
    """Files of an export.

    Args:
        given: the folder, or one file of it.

    Attributes:
        given: as the user named it. tree: what lies below. jsons, xmls, texts, packed: names of such files, sorted.

    Raises:
        ConfigError: there is nothing, or a packed file. DataError: the folder cannot be read.
    """

    def __init__(self, given: Path) -> None:
        if given.suffix.lower() in PACKED and given.is_file():
            raise ConfigError(f"{given} is packed.", todo="Unpack it, and give the folder.")
        if not given.exists():
            raise ConfigError(f"There is no folder or file {given} to import masks from.")
        self.given = given
        if given.is_dir():
            self.tree = look_through(given)
        else:
            self.tree = Tree(given.parent, unused={"given": [given.name]})
        names = [name for name, _ in self.tree.others()]
        names.sort(key=lambda name: name.split("/"))
        self.jsons = [name for name in names if name.lower().endswith(".json")]
        self.xmls = [name for name in names if name.lower().endswith(".xml")]
        self.texts = [name for name in names if name.lower().endswith(".txt")]
        self.packed = [name for name in names if name.lower().endswith(PACKED)]
        self._parsed: dict[str, Any] = {}

    @property
    def top(self) -> Path:
        """The folder that names are relative to."""
        return self.tree.top

    def json(self, name: str) -> Any:
        """The content of a JSON file.

        Raises:
            DataError: it cannot be read.
        """
        if name not in self._parsed:
            return self._keep(name, read_json_file(self.top / name, ANNOTATION_BYTES))
        return self._parsed[name]

    def xml(self, name: str) -> ElementTree.Element:
        """The top element of an XML file.

        Raises:
            DataError: it cannot be read, or declares entities.
        """
        found: ElementTree.Element | None = self._parsed.get(name)
        if found is None:
            found = read_xml_file(self.top / name, ANNOTATION_BYTES)
            self._keep(name, found)
        return found

    def xml_or_none(self, name: str) -> ElementTree.Element | None:
        """As `xml`; None where it cannot be read."""
        try:
            return self.xml(name)
        except DataError:
            return None

    def unreadable(self) -> list[str]:
        """Why the first tables cannot be read, for those that cannot."""
        found = []
        for name in (*self.jsons[:KEPT], *self.xmls[:KEPT]):
            try:
                self.json(name) if name in self.jsons else self.xml(name)
            except DataError as error:
                found.append(error.what)
        return found

    def _keep(self, name: str, value: Any) -> Any:
        if len(self._parsed) < KEPT:
            self._parsed[name] = value
        return value
