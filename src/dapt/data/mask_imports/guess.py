"""Which format the files of a folder have, by what is in them."""

from __future__ import annotations

from dapt.console import say
from dapt.data.mask_imports.base import IMPORTS, Asked, MaskImport
from dapt.data.mask_imports.source import Source
from dapt.errors import DataError
from dapt.wording import some

AUTO = "auto"
TODO = "If they are mask pictures that are called as their photos, no import is needed: --masks FOLDER reads them."


def format_of(name: str, source: Source, asked: Asked) -> tuple[str, MaskImport]:
    """The format called so, or the only one that the files look like, which is said.

    Raises:
        ConfigError: there is no such format. DataError: the files look like none, or like several.
    """
    if name != AUTO:
        return name, IMPORTS.get(name)()
    formats = {each: IMPORTS.get(each)() for each in IMPORTS.names()}
    for tables in (True, False):  # pictures beside tables are photographs, most likely
        fitting = {
            each: why for each, one in formats.items() if one.tables == tables and (why := one.evidence(source, asked))
        }
        if len(fitting) > 1:
            both = "; ".join(f"{each}: {why}" for each, why in fitting.items())
            raise DataError(
                f"{source.given} fits several formats ({both}).",
                todo=f"Say which with --format {' or '.join(fitting)}.",
            )
        if fitting:
            ((found, why),) = fitting.items()
            say(f"{source.given} is taken for --format {found}: {why}.")
            return found, formats[found]
    damaged = [f"{name} is packed: unpack it." for name in source.packed] + source.unreadable()
    told = f" {some(damaged, 2)}" if damaged else ""
    raise DataError(
        f"{source.given} looks like none of the formats that masks are imported from ({', '.join(formats)}).{told}",
        todo=TODO,
    )
