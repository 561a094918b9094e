"""Pascal VOC 2012."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Dataset, Download, Layout
from dapt.data.catalog.readers.voc import VocReader

CATALOG.add(
    "voc2012",
    Dataset(
        name="voc2012",
        title="Pascal VOC 2012",
        paper="Everingham et al., 2010, The Pascal visual object classes (VOC) challenge",
        homepage="http://host.robots.ox.ac.uk/pascal/VOC/voc2012/",
        licence="see homepage",
        size_mb=2000,
        classes=20,
        counts={"train": 5717, "test": 5823},
        layouts=(
            Layout("pascal", "voc2012", "VOCdevkit/VOC2012/JPEGImages"),
            Layout("pascal", "VOCdevkit", "VOC2012/JPEGImages"),
            Layout("pascal", "VOC2012", "JPEGImages"),
        ),
        reader=VocReader(),
        sources=(
            Download(
                "images",
                "https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar",
                checksum="md5:6cd6e144f989b92b3379bac3b3de84fd",
            ),
        ),
        own_masks="labels",
        own_mask_folder="SegmentationClass",
        partly_masked=True,
        multi_label=True,
        notes=(
            "Images show several classes. Its own masks cover the images of the segmentation task only.",
            "Objects marked as difficult are ignored; images that show nothing else are left out.",
        ),
    ),
)
