"""Checksums of tensors and plain values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

DIGEST = "digest"  # under which a file keeps the checksum of its content


def content_digest(value: Any) -> str:
    """SHA-256 of tensors and plain values, whatever file they come from; the order of keys does not matter."""
    digest = hashlib.sha256()
    for part in _parts(value):
        digest.update(part)
    return digest.hexdigest()


def _parts(value: Any) -> Iterator[bytes]:
    if isinstance(value, Tensor):
        plain = value.detach().cpu().contiguous()
        yield f"tensor {plain.dtype} {tuple(plain.shape)}\n".encode()
        yield plain.reshape(-1).view(torch.uint8).numpy().tobytes()
    elif isinstance(value, Mapping):
        yield f"keys {len(value)}\n".encode()
        for key in sorted(value, key=repr):
            yield f"{key!r}\n".encode()
            yield from _parts(value[key])
    elif isinstance(value, list | tuple):
        yield f"list {len(value)}\n".encode()
        for each in value:
            yield from _parts(each)
    else:
        yield f"{value!r}\n".encode("utf-8", "surrogatepass")
