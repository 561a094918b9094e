"""Maps of where a model looks, by the cues that are made from the model itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dapt.cues.base import CUES, Cue, CueContext
from dapt.data.items import Item
from dapt.data.load.resize import resize_map
from dapt.data.load.transforms import Joint
from dapt.errors import ConfigError, did_you_mean
from dapt.model.prompted_clip import PromptedClip

LONGEST = 1024  # pixels of a mask's longer side while it is brought into the frame that the model sees

TITLES = {"gradcam": "Grad-CAM", "grad_eclip": "Grad-ECLIP"}
OF_A_CLASS = set(TITLES)  # maps of one class; others show all that is no background


def map_names() -> list[str]:
    """The cues that show where a model looks: made from it alone, without weights of their own."""
    return [name for name in CUES.names() if _is_map(CUES.get(name))]


def _is_map(kind: type[Cue]) -> bool:
    return kind.needs_model and "model" not in kind.options_type.model_fields


def check_maps(names: Sequence[str]) -> list[str]:
    """Names of maps, as given.

    Raises:
        ConfigError: one is no map.
    """
    known = map_names()
    for name in names:
        if name not in known:
            raise ConfigError(f"There is no map '{name}'.", where="--maps", todo=did_you_mean(name, known))
    return list(dict.fromkeys(names))


def title_of(name: str, of_class: str = "") -> str:
    """How a map is called in pictures; of a class, where it is made for one."""
    title = TITLES.get(name, name)
    return f"{title}: {of_class}" if of_class and name in OF_A_CLASS else title


def make_cue_map(name: str, load_image: Callable[[Item], Tensor]) -> Cue:
    """The cue of that name, which keeps its map as it is where it can."""
    kind = CUES.get(name)
    given = {"soft": True} if "soft" in kind.options_type.model_fields else {}
    context = CueContext(kind.options_type(**given), None, "binary", skip_bad=False, load_image=load_image, seed=1)
    cue = kind(context)
    cue.name = name
    return cue


def maps_of(cue: Cue, items: Sequence[Item], model: PromptedClip) -> list[Tensor | None]:
    """A map ``[h, w]`` in 0..1 over each whole image, None where the cue finds nothing.

    Args:
        items: labelled by the class to look for. model: for which they are made.

    Raises:
        NotSupportedError: the model has no such map.
    """
    return cue.prepare(items, model)


def into_frame(mask: Tensor, size: tuple[int, int], transform: Joint, *, soft: bool) -> Tensor:
    """A mask ``[h, w]`` over a whole image, of any resolution, in the frame that the model sees, ``[1, H, W]`` in 0..1.

    Args:
        size: height and width of the image. transform: the test transform. soft: the mask is a map of values.
    """
    scale = min(1.0, LONGEST / max(size))
    height, width = (max(1, round(side * scale)) for side in size)
    fitted = resize_map(mask, (height, width), soft=soft)
    return transform(torch.zeros(3, height, width, dtype=torch.uint8), fitted[None])[1]
