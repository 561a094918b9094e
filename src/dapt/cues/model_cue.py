"""What all cues that hold a model of their own have in common.

A cue says how its model is loaded (`ModelCue.load`) and how a batch of photos becomes masks (`ModelCue.segment`). Here
is the rest: the device, the type of numbers, reading photos ahead, batches, and halving them where memory runs out.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

import torch
from pydantic import BeforeValidator, Field
from torch import Tensor

from dapt.console import progress
from dapt.cues.base import Cue, CueContext, CueReport
from dapt.cues.bounded import bounded_size
from dapt.cues.halving import BatchSize, in_batches
from dapt.data.items import Item
from dapt.devices import pick_device
from dapt.errors import DataError
from dapt.strict import Count, PartOptions

if TYPE_CHECKING:
    from dapt.model.prompted_clip import PromptedClip

AHEAD = 2  # batches of photos that are read while one is computed
_TYPES = {"bf16": torch.bfloat16, "16": torch.float16}

Precision = Annotated[
    Literal["32", "bf16", "16"], BeforeValidator(lambda value: str(value) if type(value) is int else value)
]


class ModelOptions(PartOptions):
    """Options of every cue that holds a model."""

    batch_size: Count = Field(8, ge=1, description="Images per batch; halved where memory runs out.")
    precision: Precision = Field("32", description="Type of numbers the cue's model computes in.")

    def noted(self) -> dict[str, Any]:
        """All but the size of a batch: it decides nothing, and may be made smaller to go on."""
        return self.model_dump(exclude={"batch_size"})


@dataclass(frozen=True)
class Photo:
    """What a model is asked about.

    Attributes:
        name: of the image. pixels: uint8 ``[3, H, W]``, upright.
        text: what to look for; empty for models that are not told. hint: where another cue sees the object, ``[h, w]``
            in 0..1 at any resolution, or None.
    """

    name: str
    pixels: Tensor
    text: str = ""
    hint: Tensor | None = None

    @property
    def height(self) -> int:
        """Of the photo, in pixels."""
        return int(self.pixels.shape[-2])

    @property
    def width(self) -> int:
        """Of the photo, in pixels."""
        return int(self.pixels.shape[-1])

    @property
    def size(self) -> tuple[int, int]:
        """Height and width that its mask shall have, see `dapt.cues.bounded`."""
        return bounded_size(self.height, self.width)


@dataclass(frozen=True)
class Found:
    """What a model has found in a photo.

    Attributes:
        mask: ``[h, w]`` in 0..1, bool when hard, of the photo's `size`; None: nothing.
        score: how far the model trusts it, 0..1, if it knows. stuff: names of what the background is, largest first.
    """

    mask: Tensor | None
    score: float | None = None
    stuff: tuple[str, ...] = ()


class _Job(NamedTuple):
    place: int  # of the image
    photo: Photo


class ModelCue(Cue):
    """Masks of a model that the cue itself holds, loaded when the first is wanted.

    Options beside those of `ModelOptions` belong to the cue. Where the same image is asked about several times (an
    image that shows several classes), all that is found counts.
    """

    options_type: ClassVar[type[PartOptions]] = ModelOptions
    seeded: ClassVar[bool] = False

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
        options = context.options
        self.precision = options.precision if isinstance(options, ModelOptions) else "32"
        self._batch = BatchSize(options.batch_size if isinstance(options, ModelOptions) else 1, self.title)
        self._device = ""

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return self.name or type(self).__name__

    @abstractmethod
    def load(self, device: str) -> None:
        """Load the model onto a device, announcing what is fetched for it.

        Raises:
            DaptError: it is missing, damaged or of another kind, or a package for it is.
        """

    @abstractmethod
    def segment(self, photos: Sequence[Photo]) -> list[Found]:
        """What is found in each of the photos; called without gradients, in the type of numbers asked for.

        Raises:
            Exception: of any type if memory runs out: it is called again with fewer photos.
        """

    def unload(self) -> None:
        """Let go of the model."""

    def texts(self, items: Sequence[Item], model: PromptedClip | None) -> list[tuple[str, ...]]:
        """What is looked for in each image; by default nothing in particular.

        Raises:
            DataError: it is not known of an image.
        """
        return [("",)] * len(items)

    def hints(self, items: Sequence[Item], model: PromptedClip | None) -> Sequence[Tensor | None]:
        """Where the object of each image is seen by another cue; by default that is not asked."""
        return [None] * len(items)

    def ready(self, items: Sequence[Item], model: PromptedClip | None) -> None:
        self.texts(items, model)
        self._open(self._device_of(model))

    def close(self) -> None:
        if self._device:
            self.unload()
            self._device = ""
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def prepare(self, items: Sequence[Item], model: PromptedClip | None) -> list[Tensor | None]:
        self.report = CueReport(missing_means="in which nothing was found")
        asked = self.texts(items, model)
        hints = self.hints(items, model)
        self._open(self._device_of(model))
        answers: list[list[Found]] = [[] for _ in items]
        with ThreadPoolExecutor() as pool:
            jobs = self._jobs(self._read_ahead(items, pool), items, asked, hints)
            done = in_batches(jobs, self._batch, self._run, self._too_large)
            total = sum(map(len, asked))
            for place, found in progress(done, total, f"finding foregrounds with {self.title}", "images"):
                answers[place].append(found)
        return [self._counted(item, found) for item, found in zip(items, answers, strict=True)]

    def _device_of(self, model: PromptedClip | None) -> str:
        return str(model.clip.device) if model is not None else pick_device(self.context.device)

    def _open(self, device: str) -> None:
        if self._device == device:
            return
        self.close()
        self.load(device)
        self._device = device

    def _read_ahead(self, items: Sequence[Item], pool: ThreadPoolExecutor) -> Iterator[Tensor | None]:
        """The photos in their order, a few of them read before they are asked for; None: unreadable."""
        waiting: deque[Future[Tensor | None]] = deque()
        for item in items:
            waiting.append(pool.submit(self._photo, item))
            if len(waiting) > AHEAD * self._batch.now:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _photo(self, item: Item) -> Tensor | None:
        try:
            return self.context.load_image(item)
        except DataError:
            if not self.context.skip_bad:
                raise
            return None

    @staticmethod
    def _jobs(
        photos: Iterable[Tensor | None],
        items: Sequence[Item],
        asked: Sequence[tuple[str, ...]],
        hints: Sequence[Tensor | None],
    ) -> Iterator[_Job]:
        for place, (pixels, item, texts, hint) in enumerate(zip(photos, items, asked, hints, strict=True)):
            if pixels is not None:
                for text in texts:
                    yield _Job(place, Photo(item.name, pixels, text, hint))

    def _run(self, jobs: list[_Job]) -> list[tuple[int, Found]]:
        kind = _TYPES.get(self.precision)
        with ExitStack() as stack:
            stack.enter_context(torch.no_grad())
            if kind is not None:
                stack.enter_context(torch.autocast(torch.device(self._device).type, dtype=kind))
            found = self.segment([job.photo for job in jobs])
        return [(job.place, _on_cpu(each)) for job, each in zip(jobs, found, strict=True)]

    def _too_large(self, job: _Job) -> DataError:
        photo = job.photo
        return DataError(
            f"The image {photo.name} ({photo.width} x {photo.height} pixels) alone does not fit into the memory of "
            f"{self._device} with the cue {self.title}.",
            todo="Use --device cpu, another cue.precision or a smaller model.",
        )

    def _counted(self, item: Item, found: Sequence[Found]) -> Tensor | None:
        """The mask of an image, and what the report says of it."""
        report = self.report
        if not found:
            report.total += 1
            report.bad.append(item.name)
            return None
        scores = [each.score for each in found if each.score is not None]
        if scores:
            report.scores[item.name] = max(scores)
        stuff = list(dict.fromkeys(name for each in found for name in each.stuff))
        if stuff:
            report.stuff[item.name] = stuff
        masks = [each.mask for each in found if each.mask is not None]
        if masks:
            return report.add(item.name, masks[0] if len(masks) == 1 else torch.stack(masks).amax(dim=0))
        return report.add(item.name, None)


def _on_cpu(found: Found) -> Found:
    if found.mask is None:
        return found
    mask = found.mask.detach().cpu()
    return Found(mask if mask.dtype == torch.bool else mask.float(), found.score, found.stuff)


def numpy_of(photo: Photo) -> Any:
    """The photo as uint8 ``[H, W, 3]``, as most libraries take it."""
    return photo.pixels.permute(1, 2, 0).contiguous().numpy()
