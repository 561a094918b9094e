"""UCF101, the middle frame of each video."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Dataset, Layout
from dapt.data.catalog.readers.coop_split import SplitFileReader, folder_class
from dapt.data.catalog.shared_downloads import drive, in_collection, masks_only, split_sources, with_foreground

CATALOG.add(
    "ucf101",
    Dataset(
        name="ucf101",
        title="UCF101 (middle frames)",
        paper="Soomro et al., 2012, UCF101: a dataset of 101 human action classes from videos in the wild",
        homepage="https://www.crcv.ucf.edu/data/UCF101.php",
        licence="see homepage",
        size_mb=None,
        classes=101,
        counts={"train": 7639, "val": 1898, "test": 3783},
        layouts=(
            Layout("coop", "ucf101", "UCF-101-midframes"),
            Layout("foreground", "ucf101/ucf101", "UCF-101-midframes"),
        ),
        reader=SplitFileReader("split_zhou_UCF101.json", folder_class),
        sources=(
            drive("images", "10Jqome3vtUA2keJkNanAiFpgbyC9Hc2O", "UCF-101-midframes.zip", unpack=True),
            in_collection("images", "ucf101.zip", alternative=1),
            with_foreground("ucf", "ucf101", alternative=2),
            *split_sources(
                "split_zhou_UCF101.json",
                "1I0S0q91hJfsV9Gf4xDIjgDq4AqBNJb1y",
                1_557_485,
                "d78cb834f7c5792ceaff2c5ee2d7c76a9e4086e48a3a6b01232989d29cbefdd8",
                "ucf101.zip",
            ),
            masks_only("ucf", "ucf101"),
        ),
        notes=("CoOp's authors took the middle frame of each video; the videos are not needed.",),
    ),
)
