"""Oxford Flowers 102."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Dataset, Download, Layout
from dapt.data.catalog.readers.coop_split import SplitFileReader
from dapt.data.catalog.shared_downloads import in_collection, masks_only, split_sources, with_foreground

CATALOG.add(
    "oxford_flowers",
    Dataset(
        name="oxford_flowers",
        title="Oxford Flowers 102",
        paper="Nilsback and Zisserman, 2008, Automated flower classification over a large number of classes",
        homepage="https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
        licence="see homepage",
        size_mb=345,
        classes=102,
        counts={"train": 4093, "val": 1633, "test": 2463},
        layouts=(
            Layout("coop", "oxford_flowers", "jpg"),
            Layout("foreground", "flowers-102/oxford_flowers", "jpg"),
        ),
        reader=SplitFileReader("split_zhou_OxfordFlowers.json"),
        sources=(
            Download(
                "images",
                "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/102flowers.tgz",
                checksum="md5:52808999861908f626f3c1f4e79d11fa",
            ),
            in_collection("images", "oxford_flowers.zip", alternative=1),
            with_foreground("flowers", "oxford_flowers", alternative=2),
            *split_sources(
                "split_zhou_OxfordFlowers.json",
                "1Pp0sRXzZFZq15zVOzKjKBu4A9i01nozT",
                771_139,
                "2f50c42fc1a17ca13c271cb4269b1347bdb43d2be672e34f74a4e4cbfbcca794",
                "oxford_flowers.zip",
            ),
            masks_only("flowers", "oxford_flowers"),
        ),
        notes=("CoOp divides it by class, not by the official split, which has 10 training images per class.",),
    ),
)
