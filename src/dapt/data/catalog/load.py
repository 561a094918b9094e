"""From the name of a benchmark data set to its images."""

from __future__ import annotations

from dataclasses import replace

from dapt.data.catalog.base import CATALOG, Dataset, Place, Request, data_root
from dapt.data.catalog.mask_folders import with_masks
from dapt.data.catalog.places import require_place
from dapt.data.items import ImageSet, check_classes


def load_catalog(name: str, root: str | None = None, *, own_split: bool = False, skip_bad: bool = False) -> ImageSet:
    """Read a data set of the catalog from the data root.

    Names of images begin with the image folder of CoOp's layout in every layout, so lists of images made with one
    serve the other.

    Raises:
        ConfigError: there is no such data set.
        DataError: it is not there, or incomplete; the message names the command that gets it.
    """
    dataset = CATALOG.get(name)
    request = Request(data_root(root), own_split, skip_bad)
    return read_place(dataset, require_place(dataset, request.root), request)


def read_place(dataset: Dataset, place: Place, request: Request) -> ImageSet:
    """Read a data set where it was found, with its masks.

    Raises:
        DataError: files are missing or damaged.
    """
    data = dataset.reader.read(dataset, place, request)
    unshared = [f"{name} {label}" if name in dataset.shared_names else name for label, name in enumerate(data.names)]
    check_classes(replace(data, names=tuple(unshared)))
    return with_masks(data, dataset, place, request)
