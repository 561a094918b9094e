"""Food-101."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Dataset, Download, Layout
from dapt.data.catalog.readers.coop_split import SplitFileReader, folder_class
from dapt.data.catalog.shared_downloads import in_collection, masks_only, split_sources, with_foreground

CATALOG.add(
    "food101",
    Dataset(
        name="food101",
        title="Food-101",
        paper="Bossard et al., 2014, Food-101: mining discriminative components with random forests",
        homepage="https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101/",
        licence="see homepage",
        size_mb=4996,
        classes=101,
        counts={"train": 50500, "val": 20200, "test": 30300},
        layouts=(
            Layout("coop", "food-101", "images"),
            Layout("foreground", "food101/food-101", "images"),
        ),
        reader=SplitFileReader("split_zhou_Food101.json", folder_class),
        sources=(
            Download(
                "images",
                "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
                inside="food-101",
                checksum="md5:85eeb15f3717b99a5da872d97d918f87",
            ),
            in_collection("images", "food101.zip", alternative=1),
            with_foreground("food", "food-101", alternative=2),
            *split_sources(
                "split_zhou_Food101.json",
                "1QK0tGi096I0Ba6kggatX1ee6dJFIcEJl",
                10_203_303,
                "7c3d456c4f348255e1a363e0ea5118318936488f3ec20d83758e0ee67cb9037c",
                "food101.zip",
            ),
            masks_only("food", "food-101"),
        ),
    ),
)
