"""EuroSAT."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Dataset, Download, Layout
from dapt.data.catalog.readers.coop_split import SplitFileReader, renamed
from dapt.data.catalog.shared_downloads import in_collection, masks_only, split_sources, with_foreground

CLASS_OF = renamed(
    {
        "AnnualCrop": "Annual Crop Land",
        "HerbaceousVegetation": "Herbaceous Vegetation Land",
        "Highway": "Highway or Road",
        "Industrial": "Industrial Buildings",
        "Pasture": "Pasture Land",
        "PermanentCrop": "Permanent Crop Land",
        "Residential": "Residential Buildings",
        "SeaLake": "Sea or Lake",
    }
)

CATALOG.add(
    "eurosat",
    Dataset(
        name="eurosat",
        title="EuroSAT",
        paper="Helber et al., 2019, EuroSAT: a novel dataset and deep learning benchmark for land use and land cover",
        homepage="https://github.com/phelber/EuroSAT",
        licence="MIT",
        size_mb=94,
        classes=10,
        counts={"train": 13500, "val": 5400, "test": 8100},
        layouts=(
            Layout("coop", "eurosat", "2750"),
            Layout("foreground", "eurosat/eurosat", "2750"),
        ),
        reader=SplitFileReader("split_zhou_EuroSAT.json", CLASS_OF),
        sources=(
            Download(
                "images",
                "https://huggingface.co/datasets/torchgeo/eurosat/resolve/c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
                checksum="md5:c8fa014336c82ac7804f0398fcb19387",
            ),
            in_collection("images", "eurosat.zip", alternative=1),
            with_foreground("eurosat", "eurosat", alternative=2),
            *split_sources(
                "split_zhou_EuroSAT.json",
                "1Ip7yaCWFi0eaOFUGga0lUdVi_DDQth1o",
                3_006_492,
                "541503a77d0b26b735d85ec7a3e672804fe0aa466c2e5f07da772cc6c0af8ad2",
                "eurosat.zip",
            ),
            masks_only("eurosat", "eurosat"),
        ),
    ),
)
