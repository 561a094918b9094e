"""Caltech101."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Dataset, Download, Layout
from dapt.data.catalog.readers.coop_split import SplitFileReader, renamed
from dapt.data.catalog.shared_downloads import in_collection, masks_only, split_sources, with_foreground

CLASS_OF = renamed(
    {"Faces": "face", "Leopards": "leopard", "Motorbikes": "motorbike", "airplanes": "airplane"},
    dropped=frozenset({"BACKGROUND_Google", "Faces_easy"}),
)

CATALOG.add(
    "caltech101",
    Dataset(
        name="caltech101",
        title="Caltech101",
        paper="Fei-Fei et al., 2004, Learning generative visual models from few training examples",
        homepage="https://data.caltech.edu/records/mzrjq-6wc02",
        licence="CC BY 4.0",
        size_mb=137,
        classes=100,
        counts={"train": 4128, "val": 1649, "test": 2465},
        layouts=(
            Layout("coop", "caltech-101", "101_ObjectCategories"),
            Layout("foreground", "caltech-101/caltech-101", "101_ObjectCategories"),
        ),
        reader=SplitFileReader("split_zhou_Caltech101.json", CLASS_OF),
        sources=(
            Download(
                "images",
                "https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip",
                checksum="md5:3138e1922a9193bfa496528edbbc45d0",
                inner=r"(^|/)101_ObjectCategories\.tar\.gz$",
            ),
            in_collection("images", "caltech-101.zip", alternative=1),
            with_foreground("caltech", "caltech-101", alternative=2),
            *split_sources(
                "split_zhou_Caltech101.json",
                "1hyarUivQE36mY6jSomru6Fjd-JzwcCzN",
                809_184,
                "52ce83205ff8ff8a1a18119aad6376120ae35c36e783a984bc560cbf10e73fa5",
                "caltech-101.zip",
            ),
            masks_only("caltech", "caltech-101"),
        ),
        notes=("The classes BACKGROUND_Google and Faces_easy are left out, as in CoOp.",),
    ),
)
