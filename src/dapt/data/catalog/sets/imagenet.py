"""ImageNet (ILSVRC 2012)."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Dataset, Layout, Manual
from dapt.data.catalog.readers.imagenet import ImageNetReader
from dapt.data.catalog.shared_downloads import class_names_source, masks_only

SHARED_NAMES = ("missile", "sunglasses")  # each is the name of two classes in CLIP's list, which the field uses

CATALOG.add(
    "imagenet",
    Dataset(
        name="imagenet",
        title="ImageNet",
        paper="Deng et al., 2009, ImageNet: a large-scale hierarchical image database",
        homepage="https://image-net.org/challenges/LSVRC/2012/2012-downloads.php",
        licence="non-commercial research and education, on request, see homepage",
        size_mb=154643,
        classes=1000,
        counts={"train": 1281167, "val": 50000, "test": 50000},
        layouts=(
            Layout("coop", "imagenet", "images", holds=("train", "val")),
            Layout("foreground", "imagenet-1k/imagenet", "images", holds=("train", "val")),
        ),
        reader=ImageNetReader(),
        sources=(
            Manual(
                "images",
                "Register at https://image-net.org, accept its terms and download ILSVRC2012_img_train.tar and "
                "ILSVRC2012_img_val.tar. Unpack them to imagenet/images/train/<wnid>/ and imagenet/images/val/<wnid>/ "
                "under the data root: the archive of each class into a folder of its name, the validation images "
                "sorted into such folders.",
            ),
            class_names_source(),
            masks_only("imagenet", "imagenet"),
        ),
        shared_names=SHARED_NAMES,
        notes=(
            "Validation images are the test images, as in the field.",
            "The names 'missile' and 'sunglasses' stand for two classes each, as in the field.",
            "Few-shot images are drawn from sorted file names; no list is published that could be repeated.",
        ),
    ),
)
