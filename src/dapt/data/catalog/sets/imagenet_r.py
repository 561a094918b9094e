"""ImageNet-R."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Dataset, Download, Layout
from dapt.data.catalog.readers.imagenet import VariantReader
from dapt.data.catalog.shared_downloads import class_names_source, in_collection

CATALOG.add(
    "imagenet_r",
    Dataset(
        name="imagenet_r",
        title="ImageNet-R",
        paper="Hendrycks et al., 2021, The many faces of robustness",
        homepage="https://github.com/hendrycks/imagenet-r",
        licence="MIT",
        size_mb=2190,
        classes=200,
        counts={"test": 30000},
        layouts=(Layout("coop", "imagenet-rendition", "imagenet-r"),),
        reader=VariantReader(some=True),
        sources=(
            Download("images", "https://people.eecs.berkeley.edu/~hendrycks/imagenet-r.tar"),
            in_collection("images", "imagenet-rendition.zip", alternative=1),
            class_names_source(),
        ),
        notes=("It shows 200 of ImageNet's classes; the classifier chooses among these 200, as in the field.",),
    ),
)
