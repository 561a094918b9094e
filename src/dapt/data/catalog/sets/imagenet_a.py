"""ImageNet-A."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Dataset, Download, Layout
from dapt.data.catalog.readers.imagenet import VariantReader
from dapt.data.catalog.shared_downloads import class_names_source, in_collection

CATALOG.add(
    "imagenet_a",
    Dataset(
        name="imagenet_a",
        title="ImageNet-A",
        paper="Hendrycks et al., 2021, Natural adversarial examples",
        homepage="https://github.com/hendrycks/natural-adv-examples",
        licence="MIT",
        size_mb=688,
        classes=200,
        counts={"test": 7500},
        layouts=(Layout("coop", "imagenet-adversarial", "imagenet-a"),),
        reader=VariantReader(some=True),
        sources=(
            Download("images", "https://people.eecs.berkeley.edu/~hendrycks/imagenet-a.tar"),
            in_collection("images", "imagenet-adversarial.zip", alternative=1),
            class_names_source(),
        ),
        notes=("It shows 200 of ImageNet's classes; the classifier chooses among these 200, as in the field.",),
    ),
)
