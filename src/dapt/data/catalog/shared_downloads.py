"""Sources that several data sets share: CoOp's Google Drive and the two collections on the Hugging Face hub."""

from __future__ import annotations

import re

from dapt.data.catalog.base import Download, HubFiles

# All data sets but ImageNet in CoOp's layout, one archive each, split file included (PromptKD's authors).
PROMPT_LEARNING = "zhengli97/prompt_learning_dataset"
# Images with foreground masks, and archives of masks alone (FVG-PT's authors, arXiv 2603.08708).
FOREGROUND = "JREion/Prompt_Tuning_Datasets_with_Foreground"
MASKS_ONLY = "_OPTIONAL_FOREGROUND_MASK_ONLY_DATA"


def drive(
    what: str, file: str, name: str, *, size: int | None = None, checksum: str = "", unpack: bool = False
) -> Download:
    """A file of CoOp's authors on Google Drive, by its id there."""
    url = f"https://drive.usercontent.google.com/download?id={file}&export=download&confirm=t"
    return Download(what, url, size=size, checksum=checksum, name=name, unpack=unpack)


def split_sources(name: str, file: str, size: int, sha256: str, archive: str) -> tuple[Download, HubFiles]:
    """CoOp's split file from Google Drive, else with the whole archive of the collection."""
    return (
        drive("split", file, name, size=size, checksum=f"sha256:{sha256}"),
        in_collection("split", archive, alternative=1),
    )


def class_names_source() -> Download:
    """ImageNet's class names, which its variants use too."""
    return drive("class names", "1-61f_ol79pViBFDG_IDlUQSwoLcn2XXF", "classnames.txt")


def in_collection(what: str, archive: str, alternative: int) -> HubFiles:
    """An archive of the collection in CoOp's layout; it brings the data set's folder itself."""
    pattern = rf"(?i)(^|/){re.escape(archive)}$"
    return HubFiles(what, PROMPT_LEARNING, pattern, alternative=alternative, repo_type="model")


def with_foreground(word: str, folder: str, alternative: int) -> HubFiles:
    """Images and masks of the masked collection. `word`: regular expression in its file names."""
    return HubFiles("images", FOREGROUND, rf"(?i)^(?!{MASKS_ONLY}/).*{word}", to=folder, alternative=alternative)


def masks_only(word: str, folder: str) -> HubFiles:
    """Masks of the masked collection alone, kept in a folder of their own: their files are called like the images."""
    return HubFiles("masks", FOREGROUND, rf"(?i)^{MASKS_ONLY}/.*{word}", to=f"{folder}/mask")
