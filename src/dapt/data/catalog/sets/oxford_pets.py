"""Oxford-IIIT Pets."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Dataset, Download, Layout
from dapt.data.catalog.readers.coop_split import SplitFileReader
from dapt.data.catalog.shared_downloads import in_collection, masks_only, split_sources, with_foreground


def breed(path: str) -> str | None:
    """The class from names like ``Abyssinian_12.jpg``."""
    return path.rpartition("_")[0].lower() or None


CATALOG.add(
    "oxford_pets",
    Dataset(
        name="oxford_pets",
        title="Oxford-IIIT Pets",
        paper="Parkhi et al., 2012, Cats and dogs",
        homepage="https://www.robots.ox.ac.uk/~vgg/data/pets/",
        licence="CC BY-SA 4.0",
        size_mb=811,
        classes=37,
        counts={"train": 2944, "val": 736, "test": 3669},
        layouts=(
            Layout("coop", "oxford_pets", "images"),
            Layout("foreground", "oxford_pets/oxford_pets", "images"),
        ),
        reader=SplitFileReader("split_zhou_OxfordPets.json", breed),
        sources=(
            Download(
                "images",
                "https://www.robots.ox.ac.uk/~vgg/data/pets/data/images.tar.gz",
                checksum="md5:5c4f3ee8e5d25df40f4fd59a7f44e54c",
            ),
            Download(
                "annotations",
                "https://www.robots.ox.ac.uk/~vgg/data/pets/data/annotations.tar.gz",
                checksum="md5:95a8c909bbe2e81eed6a22bccdf3f68f",
            ),
            in_collection("images", "oxford_pets.zip", alternative=1),
            with_foreground("pets", "oxford_pets", alternative=2),
            *split_sources(
                "split_zhou_OxfordPets.json",
                "1501r8Ber4nNKvmlFVQZ8SeUHTcdTTEqs",
                724_217,
                "d7f3ffe65b3919f95132e51422894ae18686b83c331fd8c0adcdc3dc2de6301e",
                "oxford_pets.zip",
            ),
            masks_only("pets", "oxford_pets"),
        ),
        own_masks="trimap",
        own_mask_folder="annotations/trimaps",
        notes=("Its own masks are trimaps; masks of the masked collection come first where they are there too.",),
    ),
)
