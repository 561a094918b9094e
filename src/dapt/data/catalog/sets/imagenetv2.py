"""ImageNetV2, matched frequency."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Dataset, Download, Layout
from dapt.data.catalog.readers.imagenet import VariantReader
from dapt.data.catalog.sets.imagenet import SHARED_NAMES
from dapt.data.catalog.shared_downloads import class_names_source, in_collection

CATALOG.add(
    "imagenetv2",
    Dataset(
        name="imagenetv2",
        title="ImageNetV2 (matched frequency)",
        paper="Recht et al., 2019, Do ImageNet classifiers generalize to ImageNet?",
        homepage="https://github.com/modestyachts/ImageNetV2",
        licence="MIT",
        size_mb=1256,
        classes=1000,
        counts={"test": 10000},
        layouts=(Layout("coop", "imagenetv2", "imagenetv2-matched-frequency-format-val"),),
        reader=VariantReader(by_number=True),
        sources=(
            Download(
                "images",
                "https://huggingface.co/datasets/vaishaal/ImageNetV2/resolve/main/imagenetv2-matched-frequency.tar.gz",
            ),
            Download(
                "images",
                "https://s3-us-west-2.amazonaws.com/imagenetv2public/imagenetv2-matched-frequency.tar.gz",
                alternative=1,
            ),
            in_collection("images", "imagenetv2.zip", alternative=2),
            class_names_source(),
        ),
        shared_names=SHARED_NAMES,
    ),
)
