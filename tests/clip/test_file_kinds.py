"""What is no weight file is called by its name, with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from dapt.clip.file_kinds import incomplete, refuse_foreign, safetensors_header
from dapt.errors import ModelError

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:aaaa\nsize 598641023\n"


@pytest.mark.parametrize("suffix", [".pt", ".bin", ".safetensors"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (POINTER, r"a git-LFS pointer: it stands for weights of 598,641,023 bytes[\s\S]*git lfs pull"),
        (POINTER[:45], r"a git-LFS pointer: it stands for weights, which"),
        (b"<!DOCTYPE html><html>login</html>", r"a web page of 33 bytes[\s\S]*Fetch the file again"),
        (b"\xef\xbb\xbf\n  <HTML lang=en>" + bytes(10), "a web page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "a web page"),
        (b'{"error": "Repository not found"}', "it is JSON"),
        (b'{"weight_map": {"a": "b"}}', "the index of weights in several files"),
        (b"Entry not found", "it is a text"),
        (b"\x1f\x8b\x08\x00" + bytes(50), r"a packed archive \(gzip\)[\s\S]*Unpack"),
        (bytes(257) + b"ustar" + bytes(300), r"a packed archive \(tar\)"),
        (b"PK\x03\x04" + bytes(60), "is incomplete: 64 bytes are there"),
        (b"\x89HDF\r\n\x1a\n" + bytes(20), "an HDF5 file"),
        (b"GGUF" + bytes(20), "a GGUF file"),
        (b"\x93NUMPY\x01\x00", "a NumPy array"),
    ],
)
def test_kinds(tmp_path: Path, suffix: str, content: bytes, message: str) -> None:
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message):
        refuse_foreign(path)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_cut_safetensors_file_says_how_much_is_missing(tmp_path: Path, suffix: str) -> None:
    content = save({"a": torch.zeros(100), "b": torch.zeros(7)})
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    refuse_foreign(path)
    assert set(safetensors_header(path)) == {"a", "b"}
    length = 8 + int.from_bytes(content[:8], "little")
    for kept, whole in ((len(content) - 1, len(content)), (length, len(content)), (length - 5, f"at least {length}")):
        path.write_bytes(content[:kept])
        with pytest.raises(ModelError, match=f"is incomplete: {kept} of {whole} bytes are there"):
            refuse_foreign(path)


def test_other_bytes_are_left_to_the_readers(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    for content in (b"\x80\x02}q\x00.", bytes(100), b"\xff\xfe\x00"):
        path.write_bytes(content)
        refuse_foreign(path)
        assert safetensors_header(path) is None


def test_incomplete_in_words(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    path.write_bytes(bytes(1500))
    assert "is incomplete: 1,500 bytes are there, its end is missing." in incomplete(path).what
    assert "1,500 of 2,000 bytes" in incomplete(path, 2000).what
