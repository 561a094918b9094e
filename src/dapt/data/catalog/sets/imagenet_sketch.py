"""ImageNet-Sketch."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Dataset, Download, Layout
from dapt.data.catalog.readers.imagenet import VariantReader
from dapt.data.catalog.sets.imagenet import SHARED_NAMES
from dapt.data.catalog.shared_downloads import class_names_source, in_collection

CATALOG.add(
    "imagenet_sketch",
    Dataset(
        name="imagenet_sketch",
        title="ImageNet-Sketch",
        paper="Wang et al., 2019, Learning robust global representations by penalizing local predictive power",
        homepage="https://github.com/HaohanWang/ImageNet-Sketch",
        licence="see homepage",
        size_mb=7594,
        classes=1000,
        counts={"test": 50889},
        layouts=(
            Layout("coop", "imagenet-sketch", "images"),
            Layout("archive", "imagenet-sketch", "sketch"),
        ),
        reader=VariantReader(),
        sources=(
            Download(
                "images",
                "https://huggingface.co/datasets/songweig/imagenet_sketch/resolve/main/data/ImageNet-Sketch.zip",
                to="images",
                inside="sketch",
            ),
            in_collection("images", "imagenet-sketch.zip", alternative=1),
            class_names_source(),
        ),
        shared_names=SHARED_NAMES,
    ),
)
