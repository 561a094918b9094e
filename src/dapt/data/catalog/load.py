"""From the name of a benchmark data set to its images."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Request, data_root
from dapt.data.items import ImageSet, check_classes


def load_catalog(name: str, root: str | None = None, *, own_split: bool = False, skip_bad: bool = False) -> ImageSet:
    """Read a data set of the catalog from the data root.

    Raises:
        DataError: it is not there, or incomplete; the message names the command that gets it.
    """
    dataset = CATALOG.get(name)
    request = Request(data_root(root), own_split, skip_bad)
    raise NotImplementedError(check_classes, request, dataset)
