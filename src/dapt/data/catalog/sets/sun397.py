"""SUN397."""

from __future__ import annotations

from dapt.data.catalog.base import CATALOG, Dataset, Layout
from dapt.data.catalog.readers.coop_split import SplitFileReader
from dapt.data.catalog.shared_downloads import in_collection, masks_only, split_sources, with_foreground


def scene(path: str) -> str | None:
    """``a/apse/indoor/x.jpg`` -> ``indoor apse``: without the letter, the parts in reverse order."""
    return " ".join(reversed(path.split("/")[1:-1])) or None


CATALOG.add(
    "sun397",
    Dataset(
        name="sun397",
        title="SUN397",
        paper="Xiao et al., 2010, SUN database: large-scale scene recognition from abbey to zoo",
        homepage="https://vision.princeton.edu/projects/2010/SUN/",
        licence="see homepage",
        size_mb=39096,
        classes=397,
        counts={"train": 15880, "val": 3970, "test": 19850},
        layouts=(
            Layout("coop", "sun397", "SUN397"),
            Layout("foreground", "sun-397/sun397", "sun397"),
            Layout("foreground", "sun-397/sun397", "SUN397"),
        ),
        reader=SplitFileReader("split_zhou_SUN397.json", scene),
        sources=(
            in_collection("images", "sun397.zip", alternative=0),
            with_foreground("sun", "sun397", alternative=1),
            *split_sources(
                "split_zhou_SUN397.json",
                "1y2RD81BYuiyvebdN-JymPfyWYcd8_MUq",
                4_744_862,
                "9847f9ef611008073ac42adee6614bbb83f877cfbcfbd3115fc8284e0c8c1c47",
                "sun397.zip",
            ),
            masks_only("sun", "sun397"),
        ),
        notes=(
            "The archive of its authors is no longer served; a collection of the field has it.",
            "The archive holds all 108,754 images, of which the split names 39,700.",
        ),
    ),
)
