"""FGVC Aircraft, by variant."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Dataset, Download, Layout
from dapt.data.catalog.readers.aircraft import AircraftReader
from dapt.data.catalog.shared_downloads import in_collection, masks_only, with_foreground

CATALOG.add(
    "fgvc_aircraft",
    Dataset(
        name="fgvc_aircraft",
        title="FGVC Aircraft",
        paper="Maji et al., 2013, Fine-grained visual classification of aircraft",
        homepage="https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/",
        licence="non-commercial research only, see homepage",
        size_mb=2753,
        classes=100,
        counts={"train": 3334, "val": 3333, "test": 3333},
        layouts=(
            Layout("coop", "fgvc_aircraft", "images"),
            Layout("foreground", "fgvc_aircraft/fgvc-aircraft-2013b/fgvc_aircraft", "images"),
            Layout("archive", "fgvc_aircraft/fgvc-aircraft-2013b/data", "images"),
        ),
        reader=AircraftReader(),
        sources=(
            Download(
                "images",
                "https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/archives/fgvc-aircraft-2013b.tar.gz",
                inside="fgvc-aircraft-2013b/data",
            ),
            in_collection("images", "fgvc_aircraft.zip", alternative=1),
            with_foreground("aircraft", "fgvc_aircraft", alternative=2),
            masks_only("aircraft", "fgvc_aircraft"),
        ),
    ),
)
