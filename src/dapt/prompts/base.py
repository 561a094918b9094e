"""What every prompt architecture has in common.

An architecture owns the trainable tensors and turns them into `Prompts`. It says which texts stand for a
class. It knows the sizes of the towers and nothing of how they run.

Parameter names are the field's: `ctx`, `deep_text.i`, `visual_ctx`, `deep_visual.i`, `proj`, `deep_proj.i`,
where i counts the blocks from 0, so deep prompts start at i = 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from dapt.clip.frozen import FrozenClip
from dapt.clip.logits import Line
from dapt.clip.prompts import Prompts
from dapt.clip.tokens import PromptTokens
from dapt.errors import ConfigError, NotSupportedError

AROUND_CONTEXT = 3  # positions beside context vectors at least: a name, the full stop, the end
PROMPTS_PER_PATCH = 10  # at most
SPREAD = 0.02  # standard deviation of random prompts, as published


@dataclass(frozen=True)
class TrainingSet:
    """What an architecture may look at before training.

    Attributes:
        clip: the frozen model. labels, val_labels: ``[N]`` classes of the training and validation images.
        class_features: makes the features ``[C, D]`` of the class texts as they are before training.
        features: makes features ``[N, D]`` of the training images by the untouched image tower, not normalised: of
            the test view for 0, else the mean over so many random training views.
        val_features: the same for the validation images, always of the test view.
        views: as `features`, but each random view by itself, ``[K, N, D]``; of the test view for 0, ``[1, N, D]``.
    """

    clip: FrozenClip
    labels: Tensor
    val_labels: Tensor
    class_features: Callable[[], Tensor]
    features: Callable[[int], Tensor]
    val_features: Callable[[], Tensor]
    views: Callable[[int], Tensor]


class SavedModel(Protocol):
    """A finished prompted model, as an architecture that learns from one uses it (see `dapt.model.prompted_clip`)."""

    @property
    def clip(self) -> FrozenClip: ...
    @property
    def architecture(self) -> PromptArchitecture: ...
    def set_classes(self, names: Sequence[str]) -> None: ...
    def text_features(self, prompts: Prompts) -> Tensor: ...
    def image_features(self, pixels: Tensor, prompts: Prompts) -> list[Tensor]: ...
    def eval(self) -> SavedModel: ...
    def to(self, device: torch.device, /) -> SavedModel: ...
    def requires_grad_(self, requires_grad: bool = True) -> SavedModel: ...


class OpenModel(Protocol):
    """How a saved model is opened.

    Raises:
        ConfigError: there is none. ModelError: it cannot be read, or its backbone has changed.
    """

    def __call__(self, path: str, *, spec: str | None = None, like: FrozenClip) -> SavedModel:
        """The model saved at `path`, on the device and in the precision of `like`; `spec`: its backbone."""
        ...


class PromptArchitecture(nn.Module, ABC):
    """Base of all prompt architectures.

    Args:
        options: the method's options.
        clip: the frozen model: sizes, tokenizer and word embeddings.
        names: class names to train on.
        generator: source of the random starting values.

    Attributes:
        trains_context: context vectors in the class texts are trained.
        trains_deep_text: deep text prompts are trained (they reach background texts too).
        trains_visual: image features depend on something trained.
        trains_logits: something trained acts on the class logits (see `adjust_logits`).
        conditional: every image has its own class texts (see `contexts`).
        unit_features: image features are divided by their length.
        fixed_classes: what is learned belongs to the training classes and cannot name others.
        label_free: labels are never looked at.
        looks_first: `prepare` looks at the training images, with one class each.
        saved_views: nothing that is trained acts within the image tower, so that what the tower makes of the training
            images is made once: of so many random views of each, in turn, one in each epoch; 0: each epoch has new
            views. None: images go through the tower in every step.
        recordable: but for what `draw` draws, a training step does the same every time, so that it can be recorded and
            played back. A class says so for itself; it is not inherited.
    """

    trains_context = False
    trains_deep_text = False
    trains_visual = False
    trains_logits = False
    conditional = False
    unit_features = True
    fixed_classes = False
    label_free = False
    looks_first = False
    saved_views: int | None = None
    recordable = False

    def __init__(self, options: Any, clip: FrozenClip, names: Sequence[str], generator: torch.Generator) -> None:
        super().__init__()
        self.options = options
        self.names = list(names)
        self._tokenizer = clip.tokenizer
        self._recording = False

    @classmethod
    def create(
        cls,
        options: Any,
        clip: FrozenClip,
        names: Sequence[str],
        generator: torch.Generator,
        open_model: OpenModel,
    ) -> PromptArchitecture:
        """The architecture of a run; the place to open other models that the options name.

        Args:
            open_model: opens a saved model.
        """
        return cls(options, clip, names, generator)

    @abstractmethod
    def forward(self) -> Prompts:
        """The prompts made from the current parameters."""

    @abstractmethod
    def texts(self, names: Sequence[str]) -> list[PromptTokens]:
        """Tokens of the class texts, one entry per template (features of several are averaged).

        Raises:
            NotSupportedError: the prompts belong to other classes (class-specific context).
        """

    def contexts(self, features: Tensor) -> Tensor:
        """The context of each image ``[B, n, text width]`` from image features ``[B, D]``; see `conditional`."""
        raise NotImplementedError

    def map_image(self, raw: Tensor, *, whole: bool = True) -> Tensor:
        """What follows the image tower: its features ``[B, D]``, not normalised, to the space of the class features.

        Args:
            whole: they are of whole images, not of masked views.
        """
        return raw

    def class_features(self, names: Sequence[str]) -> Tensor | None:
        """Features ``[C, D]`` of the classes that do not come from the text tower; None: they do."""
        return None

    def background_features(self, texts: Sequence[str]) -> Tensor | None:
        """Features ``[K, D]`` of background texts that do not come from the text tower; None: they do."""
        return None

    def adjust_logits(self, logits: Tensor, features: Tensor) -> Tensor:
        """Class logits ``[B, C]`` as the method wants them, given the image features ``[B, D]``."""
        return logits

    def logit_line(self, names: Sequence[str], texts: Tensor, scale: Tensor) -> Line | None:
        """Class logits as a line in the image features: weights ``[C, D]`` and offsets ``[C]``.

        None: they are the products with the class features times `scale`. Asked once for all images, where class
        features do not depend on them.

        Args:
            names: of the classes. texts: their features ``[C, D]``. scale: the model's own.
        """
        return None

    def teacher_logits(self, pixels: Tensor) -> Tensor | None:
        """Logits ``[B, C]`` of a teacher that stand in for labels; None: the method learns from labels."""
        return None

    def prepare(self, seen: TrainingSet) -> None:
        """Look at the training images once, before the first step of a run, and again when it is resumed."""

    @contextmanager
    def recording(self) -> Iterator[None]:
        """A training step is recorded, to be played back many times: a call in it uses what is held, see `hold`."""
        self._recording = True
        try:
            yield
        finally:
            self._recording = False

    def hold(self) -> None:
        """Make room for what a call in a training step draws, before one is recorded."""

    def draw(self) -> None:
        """Draw what a training step draws into that room, and count the step, before a recorded one is played back."""

    def saved_options(self) -> dict[str, Any]:
        """Options to save beside the configured ones, so that the architecture can be built again."""
        return {}

    @classmethod
    def check_saved(cls, options: Any, tensors: Mapping[str, Tensor]) -> None:
        """Refuse saved options that ask for more than the saved `tensors` hold, before anything is made of that size.

        Raises:
            ModelError: they do not belong together.
        """

    @classmethod
    def binds_classes(cls, options: Any) -> bool:
        """Whether what is learned with these options belongs to the training classes, see `fixed_classes`."""
        return cls.fixed_classes

    @torch.no_grad()
    def at_rest(self) -> Prompts:
        """The prompts as at test, without gradient: nothing that belongs to a training step is drawn or counted."""
        training = self.training
        try:
            prompts: Prompts = self.eval()()
        finally:
            self.train(training)
        return prompts

    @property
    def trains_text(self) -> bool:
        """Whether class text features depend on trained parameters."""
        return self.trains_context or self.trains_deep_text

    def count(self) -> int:
        """Number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.parameters() if parameter.requires_grad)


@contextmanager
def seeded(generator: torch.Generator) -> Iterator[None]:
    """Let torch's own initialisation on the CPU draw from `generator`; the global states are left as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
        yield


def random_vectors(*shape: int, generator: torch.Generator) -> nn.Parameter:
    """Trainable vectors drawn from N(0, 0.02^2)."""
    return nn.Parameter(torch.randn(*shape, generator=generator) * SPREAD)


def word_vectors(clip: FrozenClip, words: str, count: int) -> nn.Parameter:
    """Trainable vectors that start from the embeddings of the first `count` tokens of `words`."""
    ids = torch.tensor(clip.tokenizer.pieces(words.replace("_", " ")))
    if len(ids) < count:
        raise ConfigError(
            f"The words '{words}' have {len(ids)} tokens, {count} context vectors were asked for.",
            where="prompt.ctx_init",
            todo="Use more words or fewer context vectors.",
        )
    return nn.Parameter(clip.text.embed_words(ids[:count]).cpu().clone())


def start_context(
    clip: FrozenClip, words: str | None, count: int, generator: torch.Generator, *, longest: int = 4
) -> tuple[nn.Parameter, str | None]:
    """The input context of MaPLe and IVLP: from words when at most `longest` vectors are learned.

    Returns:
        the context ``[count, text width]``, and the words that stay in the class texts (None: placeholders).
    """
    if words and count <= longest:
        clean = words.replace("_", " ")
        return word_vectors(clip, clean, count), clean
    return random_vectors(count, clip.text.width, generator=generator), None


def deep_vectors(count: int, depth: int, width: int, generator: torch.Generator) -> nn.ParameterDict:
    """Fresh prompts for blocks 1 .. depth-1, each ``[count, width]``."""
    blocks = range(1, depth)
    return nn.ParameterDict({str(i): random_vectors(count, width, generator=generator) for i in blocks})


def in_order(values: nn.ParameterDict) -> tuple[Tensor, ...]:
    """The deep prompts by rising block number."""
    return tuple(values[str(i)] for i in range(1, len(values) + 1))


def check_depth(depth: int, layers: int, tower: str) -> int:
    """`depth`, if the tower has that many blocks.

    Raises:
        ConfigError: it has fewer.
    """
    if depth > layers:
        raise ConfigError(
            f"Prompt depth {depth} is more than the {layers} layers of the {tower} tower.",
            where="prompt.depth",
            todo=f"Use --depth {layers} or less.",
        )
    return depth


def check_text_count(clip: FrozenClip, count: int, where: str = "prompt.n_ctx") -> int:
    """`count` context vectors, if the text tower has room for them and the shortest name; checked before they are made.

    Raises:
        ConfigError: it has not.
    """
    room = clip.text.context_length - clip.tokenizer.offset - AROUND_CONTEXT
    if count > room:
        raise ConfigError(
            f"{count} context vectors are more than the {room} for which the text tower has room.",
            where=where,
            todo="Use a smaller --n-ctx.",
        )
    return count


def check_visual_count(clip: FrozenClip, count: int, where: str = "prompt.n_ctx") -> int:
    """`count` visual prompts, if they are not many times the patches; checked before they are made.

    Raises:
        ConfigError: they are.
    """
    height, width = clip.image.grid
    most = PROMPTS_PER_PATCH * height * width
    if count > most:
        raise ConfigError(
            f"{count} visual prompts beside {height * width} patches are too many.",
            where=where,
            todo=f"Use {most} or less; published are at most 200 beside 196 patches.",
        )
    return count


def need_visual(clip: FrozenClip) -> None:
    """Refuse image towers that have no place for prompts.

    Raises:
        NotSupportedError: the tower is not a supported ViT.
    """
    if clip.image.width == 0:
        reason = getattr(clip.image, "reason", "it is not a vision transformer")
        raise NotSupportedError(
            f"{clip.spec} has no place for visual prompts: {reason}.",
            todo="Use a ViT backbone, or a text-only method such as coop.",
        )


def need_text(clip: FrozenClip) -> None:
    """Refuse text towers that have no place for prompts.

    Raises:
        NotSupportedError: the tower is not open_clip's own text transformer.
    """
    if clip.text.width == 0:
        clip.text.embed_words(torch.tensor([0]))
