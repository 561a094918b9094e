"""Learned prompts in a file (safetensors), with a checksum: one with a wrong byte is refused, not used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dapt.clip.file_kinds import refuse_foreign, safetensors_header
from dapt.clip.frozen import FrozenClip
from dapt.digests import DIGEST, content_digest
from dapt.environment import version
from dapt.errors import ModelError
from dapt.files import write_bytes
from dapt.regular import open_regular
from dapt.strict import nfc

FORMAT = "dapt-prompts-2"
OLD_FORMAT = "dapt-prompts-1"  # of version 0.1.0, without a checksum


@dataclass(frozen=True)
class SavedPrompts:
    """Learned prompts as stored.

    Attributes:
        tensors: parameters by name. method, options: how to build the architecture.
        names: class names trained on. backbone: `FrozenClip.describe` of the model trained with.
        use: what else a saved model says: its ``dapt`` options, and ``classes`` other than `names`.
    """

    tensors: dict[str, Tensor]
    method: str
    options: dict[str, Any]
    names: tuple[str, ...]
    backbone: dict[str, Any]
    use: dict[str, Any] = field(default_factory=dict)


def prompts_content(
    tensors: dict[str, Tensor],
    *,
    method: str,
    options: dict[str, Any],
    names: Sequence[str],
    clip: FrozenClip,
    use: Mapping[str, Any] | None = None,
) -> bytes:
    """The prompts file: everything needed to use them again. Equal prompts give equal bytes.

    Args:
        the fields of `SavedPrompts`, and the model they were trained with. A run says its `use` in run.yaml.

    Raises:
        ModelError: a number in them is not finite.
    """
    metadata = {
        "format": FORMAT,
        "dapt_version": version(),
        "method": method,
        "options": json.dumps(options),
        "classnames": json.dumps(list(names)),
        "backbone": json.dumps(clip.describe()),
    }
    if use is not None:
        metadata["use"] = json.dumps(dict(use))
    plain = {name: value.detach().cpu().contiguous() for name, value in sorted(tensors.items())}
    _check_finite(plain, "The learned prompts")
    metadata[DIGEST] = content_digest([plain, metadata])
    return _safetensors(plain, metadata)


def save_prompts(path: Path, tensors: dict[str, Tensor], **about: Any) -> None:
    """Write a prompts file; the arguments are those of `prompts_content`."""
    write_bytes(path, prompts_content(tensors, **about))


def _safetensors(tensors: dict[str, Tensor], metadata: dict[str, str]) -> bytes:
    """The library's bytes with the header in a fixed order: it writes metadata in the order of a hash table."""
    from safetensors.torch import save

    content: bytes = save(tensors, metadata)
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


def load_prompts(path: Path) -> SavedPrompts:
    """Read a prompts file.

    Raises:
        ModelError: missing, damaged, changed, or not made by this program.
    """
    from safetensors.torch import load

    damaged = ModelError(
        f"The prompts {path} were changed or are damaged: their checksum does not fit.",
        todo="Restore the file, or train again with --overwrite.",
    )
    try:
        with open_regular(path) as file:
            content = file.read()
        metadata = metadata_of(content)
        tensors = load(content)
    except OSError as error:
        raise ModelError(f"The prompts {path} cannot be read: {error.strerror or error}.") from error
    except Exception as error:  # the library has errors of many types
        if safetensors_header(path) is None:
            _refuse_foreign(path)
        raise ModelError(f"The prompts {path} cannot be read: they are no whole safetensors file.") from error
    if metadata.get("format") not in (FORMAT, OLD_FORMAT):
        raise ModelError(f"{path} was not written by this version of dapt.", todo=f"Expected format {FORMAT}.")
    digest = metadata.pop(DIGEST, None)
    if digest != (content_digest([tensors, metadata]) if metadata["format"] == FORMAT else None):
        raise damaged
    _check_finite(tensors, f"The prompts {path}")
    try:
        options, names, backbone = (json.loads(metadata[key]) for key in ("options", "classnames", "backbone"))
        method, use = metadata["method"], json.loads(metadata.get("use", "{}"))
    except (KeyError, ValueError, RecursionError) as error:
        raise ModelError(f"The prompts {path} lack their description: {error}.") from error
    known = isinstance(backbone, dict) and {"spec", "fingerprint"} <= set(backbone)
    named = isinstance(names, list) and names and all(isinstance(name, str) for name in names)
    tables = isinstance(options, dict) and isinstance(use, dict) and isinstance(use.get("dapt", {}), dict)
    if not (known and named and tables and isinstance(backbone["spec"], str)):
        raise ModelError(f"The description in the prompts {path} is not what dapt writes.", todo="Train again.")
    return SavedPrompts(tensors, method, options, tuple(map(nfc, names)), backbone, use)


def _refuse_foreign(path: Path) -> None:
    """Say what there is instead of prompts, if that can be told.

    Raises:
        ModelError: naming it.
    """
    try:
        refuse_foreign(path)
    except ModelError as error:
        raise ModelError(f"The prompts cannot be read: {error.what}", todo=error.todo) from error


def metadata_of(content: bytes) -> dict[str, str]:
    """The metadata of a safetensors file, given its bytes.

    Raises:
        ValueError, AttributeError: it is no such file.
    """
    length = int.from_bytes(content[:8], "little")
    if length > len(content):
        raise ValueError("the header is longer than the file")
    metadata = json.loads(content[8 : 8 + length]).get("__metadata__") or {}
    return {str(key): str(value) for key, value in metadata.items()}


def _check_finite(tensors: Mapping[str, Tensor], what: str) -> None:
    """Refuse numbers that give no probabilities.

    Raises:
        ModelError: naming the tensor.
    """
    for name, value in tensors.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ModelError(f"{what} are not finite ({name}).", todo="Train again with a lower --lr.")


def check_backbone(saved: SavedPrompts, clip: FrozenClip) -> None:
    """Refuse a backbone the prompts were not trained with.

    Raises:
        ModelError: sizes or weights differ; both models are named.
    """
    ours, theirs = clip.describe(), saved.backbone
    sizes = [key for key in theirs if key not in ("spec", "fingerprint") and ours.get(key) != theirs[key]]
    if sizes:
        difference = f"{sizes[0]} is {theirs[sizes[0]]} there and {ours.get(sizes[0])} here"
    elif ours["fingerprint"] != theirs["fingerprint"]:
        difference = "the weights are different"
    else:
        return
    raise ModelError(
        f"These prompts were trained with {theirs['spec']}, not with {clip.spec}: {difference}.",
        todo=f"Load them with --model {theirs['spec']}.",
    )
