"""Describable Textures."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Dataset, Download, Layout
from dapt.data.catalog.readers.coop_split import SplitFileReader, folder_class
from dapt.data.catalog.shared_downloads import in_collection, masks_only, split_sources, with_foreground

CATALOG.add(
    "dtd",
    Dataset(
        name="dtd",
        title="Describable Textures",
        paper="Cimpoi et al., 2014, Describing textures in the wild",
        homepage="https://www.robots.ox.ac.uk/~vgg/data/dtd/",
        licence="for research, see homepage",
        size_mb=625,
        classes=47,
        counts={"train": 2820, "val": 1128, "test": 1692},
        layouts=(
            Layout("coop", "dtd", "images"),
            Layout("foreground", "dtd/dtd", "images"),
            Layout("foreground", "dtd/dtd/dtd", "images"),
        ),
        reader=SplitFileReader("split_zhou_DescribableTextures.json", folder_class),
        sources=(
            Download(
                "images",
                "https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz",
                inside="dtd",
                checksum="md5:fff73e5086ae6bdbea199a49dfb8a4c1",
            ),
            in_collection("images", "dtd.zip", alternative=1),
            with_foreground("dtd", "dtd", alternative=2),
            *split_sources(
                "split_zhou_DescribableTextures.json",
                "1u3_QfB467jqHgNXC00UIzbLZRQCg2S7x",
                563_702,
                "f26ebeccd2b58e68d70f07a0dc39fe49bf7b69024bac34396b954dfd87969c38",
                "dtd.zip",
            ),
            masks_only("dtd", "dtd"),
        ),
    ),
)
