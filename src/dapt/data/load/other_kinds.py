"""What a file is that is not read as a picture, told by how it begins; its name says nothing."""

from __future__ import annotations

import struct
from typing import BinaryIO

from PIL import Image, TiffImagePlugin, features

from dapt.data.load.refusal import SAVE_AS, Refusal

START = 1024  # bytes by which the kind of a file is told
HEIC = "Install what reads it (pip install 'dapt[heic]'), or save it as JPEG, or pass --skip-bad to go on without."
NEWER = "Update Pillow (pip install -U pillow), or save it as JPEG or PNG, or pass --skip-bad to go on without."
DEVELOP = "Export it as JPEG, PNG or TIFF, or pass --skip-bad to go on without such files."
# Kinds of files that are taken for pictures by mistake and that Pillow does not name, by how they begin.
_BEGIN = (
    (b"%!PS", "an EPS picture"),
    (b"\xc5\xd0\xd3\xc6", "an EPS picture"),
    (b"%PDF", "a PDF document"),
    (b"8BPS", "a PSD document (Photoshop)"),
    (b"gimp xcf", "an XCF document (GIMP)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a FlashPix, MIC or Office file"),
    (b"PK\x03\x04", "a zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"#?RGBE", "a Radiance HDR picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"II\xbc", "a JPEG XR picture"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF\r\n", "an HDF5 file"),
    (b"MATLAB 5.0", "a MATLAB file"),
    (b"\x1aE\xdf\xa3", "a video (Matroska or WebM)"),
    (b"\x00\x00\x01\xba", "a video (MPEG)"),
    (b"FLV\x01", "a video (Flash)"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a video (Windows Media)"),
    (b"\x00\x05\x16\x07", "what macOS keeps beside a file (._), not the picture"),
    (b"version https://git-lfs", "a Git LFS pointer, in place of the picture"),
)
_TEXTS = (
    (b"<svg", "an SVG drawing"),
    (b"<!doctype svg", "an SVG drawing"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
)
_RAW = (  # files of cameras that are not TIFFs, or not such that Pillow opens
    *(b"IIRO", b"IIRS", b"MMOR", b"IIU\x00", b"FUJIFILMCCD-RAW", b"FOVb", b"\x00MRM", b"HEAPCCDR"),
)
CAMERA = "a raw file of a camera"
# TIFF: what the first picture is, further pictures in it, version of DNG, and how colours are meant
_SUBFILE, _SUB_IFDS, _DNG, _PHOTOMETRIC = 254, 330, 50706, 262
_MOSAIC = (32803, 34892)
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2")
_AVIF = (b"avif", b"avis")
_VIDEO = (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"qt  ", b"3gp4", b"3gp5")
_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


def refusal_of(file: BinaryIO, read: tuple[str, ...]) -> Refusal | None:
    """Why a file is not read that Pillow does not know; None where it begins like no known kind.

    Args:
        read: formats that are read.
    """
    file.seek(0)
    start = file.read(START)
    if start[:4] in _TIFF:
        return _odd_tiff(file, start)
    if start[4:8] == b"ftyp":
        return _of_box(start, read)
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP" and "WEBP" not in read:
        return Refusal("is a WebP picture, which this Pillow does not read", NEWER)
    if start.startswith(b"\x00\x00\x00\x0cjP  ") and "JPEG2000" not in read:
        return Refusal("is a JPEG 2000 picture, which this Pillow does not read", NEWER)
    kind = _kind(start, read)
    return Refusal(f"is {kind}, which is not read", DEVELOP if kind == CAMERA else SAVE_AS) if kind else None


def _of_box(start: bytes, read: tuple[str, ...]) -> Refusal | None:
    """The family of MP4: photographs of phones, and videos. None of those that are read: this one is damaged."""
    brand = start[8:12]
    brands = {brand, *(start[place : place + 4] for place in range(16, min(len(start), 64), 4))}
    if brand == b"crx ":
        return Refusal(f"is {CAMERA} (CR3), which is not read", DEVELOP)
    if brands & set(_AVIF):
        if features.check("avif"):
            return None
        return Refusal("is an AVIF picture, which this Pillow does not read", NEWER)
    if brand in _HEIF or brands & set(_HEIF):
        if "HEIF" in read:
            return None
        return Refusal("is a HEIF picture (HEIC), which needs pillow-heif", HEIC)
    return Refusal("is a video, which is not read", "Save its frames as pictures, or pass --skip-bad to go on without.")


def _odd_tiff(file: BinaryIO, start: bytes) -> Refusal | None:
    if start[8:10] == b"CR":
        return Refusal(f"is {CAMERA} (CR2), which is not read", DEVELOP)
    file.seek(0)
    try:
        TiffImagePlugin.TiffImageFile(file)
    except SyntaxError as error:
        if "unknown" in str(error):  # number, bits or meaning of its channels
            return Refusal("is a TIFF whose channels Pillow does not read (their number, bits or meaning)", DEVELOP)
    except (OSError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, struct.error):
        return None  # damaged
    return None


def refuse_raw(image: Image.Image) -> None:
    """Refuse raw files of cameras that are TIFFs: the first picture in them is a thumbnail.

    Raises:
        Refusal: it is one.
    """
    tags = getattr(image, "tag_v2", None)
    if not tags:
        return
    small = isinstance(tags.get(_SUBFILE), int) and tags.get(_SUBFILE) & 1
    if _DNG in tags or tags.get(_PHOTOMETRIC) in _MOSAIC or (small and _SUB_IFDS in tags):
        raise Refusal(f"is {CAMERA}, of which only a thumbnail could be read", DEVELOP)


def _kind(start: bytes, read: tuple[str, ...]) -> str:
    """What a file is that is no picture of the formats that are read; empty where that cannot be told."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<?xml", b"<!--")):
        return "an SVG drawing" if b"<svg" in text else "a web page" if b"<html" in text else "an XML file"
    for signature, kind in (*_BEGIN, *_TEXTS):
        if start.startswith(signature) or text.startswith(signature.lower()):
            return kind
    if start.startswith(_RAW):
        return CAMERA
    if start[128:132] == b"DICM":
        return "a DICOM picture"
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return "a video (AVI)"
    if start[344:347] in (b"n+1", b"ni1"):
        return "a NIfTI volume"
    for name, (_, accept) in Image.OPEN.items():
        try:
            accepted = name not in read and accept is not None and accept(start[:16])
        except (LookupError, struct.error):  # of plugins that count on longer files
            continue
        if accepted is True:
            return f"{'an' if name[0] in 'AEFHILMNORSX' else 'a'} {name} picture"
    return ""
