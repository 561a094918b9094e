"""What a file in a folder of photos is, by its name: a picture, a leftover of another program, or something else."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec

# Endings of what Pillow reads as photographs or masks; `dapt.data.load.picture_files.FORMATS` are their kinds.
HEIF_TYPES = {".heic", ".heif", ".hif"}
IMAGE_TYPES = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".bmp", ".dib", ".webp", ".gif", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".jpx", ".jpf", ".j2c", ".jpc", ".avif", ".avifs"),
    *HEIF_TYPES,
}

LEFTOVER = "left by other programs"
HEIF_MISSING = "HEIC pictures, which need pillow-heif: pip install 'dapt[heic]'"
RAW = "raw pictures of cameras, which are not read"
UNKNOWN = "of an unknown kind"
# By reason, as it is said of files that are not used; a file whose ending is in none of them is of an unknown kind.
_OTHERS = {
    RAW: ".cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .dng .raf .orf .rw2 .pef .raw .x3f",
    "sidecar files of cameras": ".aae .xmp .thm .pp3",
    "videos and sound": ".mp4 .mov .avi .mkv .webm .m4v .mpg .mpeg .wmv .3gp .mp3 .wav .m4a",
    "drawings, documents and other pictures": ".psd .svg .eps .ai .pdf .doc .docx .ppt .pptx .xcf .indd .dcm .exr .hdr "
    ".ico .tga .html .htm .nii .svs .ndpi .fits .dds .jxl",
    "texts and tables": ".txt .csv .tsv .json .jsonl .xml .yaml .yml .md .rst .log .xls .xlsx .ods .ini .cfg .toml "
    ".names .data .sqlite .db .license .bib .geojson",
    "archives, which are not unpacked": ".zip .tar .gz .tgz .bz2 .xz .7z .rar .zst",
    "arrays and records of other programs": ".npy .npz .mat .pkl .pickle .pt .pth .h5 .hdf5 .tfrecord .parquet .arrow "
    ".lmdb .mdb .bin .safetensors .onnx .ckpt",
    "programs": ".py .ipynb .sh .bat .exe .m .r .js .c .cpp .h .java .lnk .url",
}
_REASONS = {ending: reason for reason, endings in _OTHERS.items() for ending in endings.split()}
_UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".tmp", ".temp", ".bak", ".swp")
_LEFT_FILES = {"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r", "zbthumbnail.info"}
_LEFT_FOLDERS = {
    "__macosx",
    "__pycache__",
    "@eadir",
    "$recycle.bin",
    "#recycle",
    "system volume information",
    "lost+found",
}
_CONFLICT = re.compile(r"~$|^~\$")


def is_leftover(name: str) -> bool:
    """Whether a file or folder of this name was left by a file manager, an archiver or an editor.

    Names that begin with a dot are, too: ``._photo.jpg``, ``.ipynb_checkpoints``.
    """
    low = name.lower()
    return (
        name.startswith(".")
        or low in _LEFT_FILES
        or low in _LEFT_FOLDERS
        or low.endswith((*_UNFINISHED, ":zone.identifier"))
        or bool(_CONFLICT.search(name))
    )


def ending(name: str) -> str:
    """The ending of a file name with its dot, in lower case; empty where there is none."""
    stem, dot, end = name.rpartition(".")
    return f".{end.lower()}" if dot and stem else ""


def is_picture(name: str) -> bool:
    """Whether a file of this name is read as a picture."""
    end = ending(name)
    return end in IMAGE_TYPES and (end not in HEIF_TYPES or reads_heif())


def why_unused(name: str) -> str:
    """Why a file that is no picture is not used, as it is said with a count before it."""
    end = ending(name)
    if end in HEIF_TYPES:
        return HEIF_MISSING
    return _REASONS.get(end, UNKNOWN)


@cache
def reads_heif() -> bool:
    """Whether pillow-heif is installed."""
    return find_spec("pillow_heif") is not None
