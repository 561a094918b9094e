"""Stanford Cars."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Dataset, Layout
from dapt.data.catalog.readers.coop_split import SplitFileReader
from dapt.data.catalog.shared_downloads import in_collection, masks_only, split_sources, with_foreground

FOLDERS = ("cars_train", "cars_test")

CATALOG.add(
    "stanford_cars",
    Dataset(
        name="stanford_cars",
        title="Stanford Cars",
        paper="Krause et al., 2013, 3D object representations for fine-grained categorization",
        homepage="https://ai.stanford.edu/~jkrause/cars/car_dataset.html",
        licence="see homepage",
        size_mb=1956,
        classes=196,
        counts={"train": 6509, "val": 1635, "test": 8041},
        layouts=(
            Layout("coop", "stanford_cars", holds=FOLDERS),
            Layout("foreground", "stanford_cars/stanford_cars", holds=FOLDERS),
        ),
        reader=SplitFileReader("split_zhou_StanfordCars.json"),
        sources=(
            in_collection("images", "stanford_cars.zip", alternative=0),
            with_foreground("cars", "stanford_cars", alternative=1),
            *split_sources(
                "split_zhou_StanfordCars.json",
                "1ObCFbaAgVu0I-k_Au-gIUcefirdAuizT",
                1_855_652,
                "40acee7aa65c8e4727a32d90e884b7c3f8960b523422317e163f7af65432959d",
                "stanford_cars.zip",
            ),
            masks_only("cars", "stanford_cars"),
        ),
        notes=("The addresses of its authors are dead; a collection of the field has it.",),
    ),
)
