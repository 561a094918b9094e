"""What is to be known to make the masks of `dapt masks`, so that other processes can make them, too."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dapt.clip.load import load_clip
from dapt.colour import BLACK
from dapt.config import MaskFormat, make_config
from dapt.cues.base import Cue, CueContext
from dapt.cues.build import cue_type, make_cue
from dapt.data.items import ImageSet
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.pixels import max_megapixels, use_option
from dapt.data.load.reading import Given, given_reading, use_bits, use_matte
from dapt.devices import pick_device
from dapt.errors import ConfigError, DataError
from dapt.model.build import build_model
from dapt.model.prompted_clip import PromptedClip
from dapt.plugins import load_installed, load_plugin, loaded_files
from dapt.regular import reason
from dapt.strict import PartOptions
from dapt.validation import validated


@dataclass(frozen=True)
class MaskOrder:
    """How masks are made.

    Attributes:
        source, options: of the cue. data: what the masks are of. folder, kind, mask_name, mask_background: of mask
            files. run, model_spec, classes: of the model, where the cue needs one. device: as in a configuration.
    """

    source: str
    options: PartOptions
    data: ImageSet
    folder: Path | None = None
    kind: MaskFormat = "binary"
    mask_name: str | None = None
    mask_background: str | None = None
    skip_bad: bool = False
    seed: int = 1
    run: Path | None = None
    model_spec: str | None = None
    classes: tuple[str, ...] = ()
    device: str = "auto"

    def cue(self) -> Cue:
        """The cue.

        Raises:
            DaptError: there is none, or its files cannot be told apart.
        """
        context = CueContext(
            self.options,
            self.folder,
            self.kind,
            self.skip_bad,
            ImageCache(0),
            self.seed,
            self.data,
            mask_name=self.mask_name,
            mask_background=self.mask_background or BLACK,
            device=self.device,
        )
        return make_cue(self.source, context)

    def model(self) -> PromptedClip:
        """The model whose view of the images the cue follows.

        Raises:
            DaptError: it cannot be loaded, or there are no classes.
        """
        if self.run is not None:
            from dapt.runs.load_run import load_run

            model, _ = load_run(self.run, model_spec=self.model_spec, device=self.device)
            if self.classes:
                model.set_classes(list(self.classes))
            return model
        if not self.classes:
            raise DataError(
                "The images have no classes to explain.",
                todo="Name some with --classes, or use a trained run with --run.",
            )
        spec = self.model_spec
        config = make_config({"data": "-", "method": "zero_shot", **({"model": spec} if spec else {})})
        return build_model(config, load_clip(config.model, device=pick_device(self.device)), list(self.classes))


@dataclass(frozen=True)
class Parcel:
    """A `MaskOrder` for a process that knows nothing of this one: what was loaded and set here goes with it.

    Attributes:
        order: without its options, whose type may be that of a plugin. options: them, as plain values.
        plugins: path and content of the plugins that are loaded here. megapixels, reading: how images are read.
        place: the working folder, in which functions of one's own may lie. with_model: whether the cue needs one.
    """

    order: MaskOrder
    options: dict[str, Any]
    plugins: tuple[tuple[str, bytes], ...]
    megapixels: float
    reading: Given
    place: str
    with_model: bool

    def open(self) -> tuple[Cue, PromptedClip | None]:
        """The cue and its model, in the process that makes masks.

        Raises:
            DaptError: as `MaskOrder.cue` and `MaskOrder.model`, or a plugin cannot be loaded there.
        """
        load_installed()
        for path, content in self.plugins:
            load_plugin(_at_hand(Path(path), content))
        if self.place not in sys.path:
            sys.path.append(self.place)
        use_option(self.megapixels)
        use_matte(self.reading.matte)
        use_bits(self.reading.bits)
        options = validated(cue_type(self.order.source).options_type, self.options, "cue.")
        order = replace(self.order, options=options)
        return order.cue(), order.model() if self.with_model else None


def packed(order: MaskOrder, cue: Cue, *, device: str) -> Parcel:
    """An order to be sent elsewhere.

    Args:
        cue: that of the order. device: on which masks are made there.

    Raises:
        ConfigError: the file of a plugin that this process has loaded cannot be read any more.
    """
    data = order.data
    if not cue.reads_files and type(cue).__module__.startswith("dapt."):
        data = replace(data, splits={}, outlines={}, unused={})  # a million images, which only masks of files look at
    return Parcel(
        replace(order, data=data, device=device, options=PartOptions(), run=_absolute(order.run)),
        order.options.model_dump(exclude_unset=True),
        tuple((str(path), _text(path)) for path in loaded_files()),
        max_megapixels(),
        given_reading(),
        os.getcwd(),  # noqa: PTH109 - as sys.path has it
        with_model=cue.needs_model or cue.follows_prompts,
    )


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.absolute()


def _text(plugin: Path) -> bytes:
    try:
        return plugin.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"The plugin {plugin}, which is loaded here, cannot be sent to the nodes: {reason(error)}.",
            todo="Put the file back, or start again without it.",
        ) from error


def _at_hand(path: Path, content: bytes) -> Path:
    """The plugin itself where this machine has it, else a copy."""
    try:
        if path.read_bytes() == content:
            return path
    except OSError:
        pass
    folder = Path(tempfile.gettempdir()) / f"dapt-plugins-{os.getuid()}" / hashlib.sha256(content).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    copy = folder / path.name
    part = copy.with_name(f".{copy.name}.{os.getpid()}")
    part.write_bytes(content)
    part.replace(copy)
    return copy
