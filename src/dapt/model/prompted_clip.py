"""`PromptedClip`: a frozen CLIP with trainable prompts, as an ordinary PyTorch module."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, overload

import torch
from torch import Tensor, nn

from dapt.clip.frozen import FrozenClip
from dapt.clip.logits import Line, line_logits
from dapt.clip.prompts import Prompts
from dapt.data.batch import Batch
from dapt.data.load.preprocess import ImagePreprocess
from dapt.data.load.reading import Reading
from dapt.environment import version
from dapt.errors import ConfigError, DataError, NotSupportedError
from dapt.model.check_batch import check_batch, check_pixels
from dapt.model.made_with import MadeWith
from dapt.model.model_folder import write_model_folder
from dapt.model.plain import PlainModel
from dapt.model.prompted_towers import PromptedTowers
from dapt.model.prompts_file import prompts_content
from dapt.model.views import ViewMaking, with_both_halves
from dapt.paths import with_home
from dapt.prompts.base import PromptArchitecture, TrainingSet


class Criterion(Protocol):
    """What gives a model its loss; made in a room above (`dapt.objectives.criterion`)."""

    @property
    def helpers(self) -> Sequence[nn.Module]:
        """What is trained beside the prompts and is no part of the result."""
        ...

    def __call__(
        self, model: PromptedClip, batch: Batch, epoch: int, epochs: int
    ) -> tuple[Tensor, dict[str, Tensor]]: ...


@dataclass(frozen=True)
class _Kept:
    """Prompts, class texts and the line that stands for them, and the tensors they were made from."""

    prompts: Prompts
    texts: Tensor | None
    line: Line | None
    made_from: list[tuple[Tensor, int]]
    content: list[Tensor]


class PromptedClip(PromptedTowers):
    """A frozen CLIP with trainable prompts: pixels in, class logits out.

    An ordinary module. Its parameters and its state are the prompts alone; the frozen model is not registered, but
    moves along (`to`). In training mode every call makes the prompts anew, with gradient. In evaluation mode class
    texts are encoded once, and again when the prompts, the classes, the device or the mode have changed.

    Attributes:
        names: the classes, in the order of the logits. clip: the frozen model. prompts: the prompt architecture.
        preprocess: makes normalised pixels of a picture, see `ImagePreprocess`.
        made_with: the name of the method and the DAPT options.
    """

    def __init__(self, *args: Any, made_with: MadeWith | None = None, **kwargs: Any) -> None:
        self._kept: _Kept | None = None
        self._awaits_images = False
        self._criterion: Criterion | None = None
        self._looked = False
        super().__init__(*args, **kwargs)
        self.made_with = made_with or MadeWith()
        self.preprocess = ImagePreprocess(self.clip.image.image_size, self.clip.preprocess, self.made_with.reading)

    @property
    def device(self) -> torch.device:
        """Where the frozen model is, and the pixels have to be."""
        return self.clip.device

    @overload
    def __call__(self, images: Tensor) -> Tensor: ...
    @overload
    def __call__(self, images: Batch, epoch: int = 0, epochs: int = 1) -> tuple[Tensor, dict[str, Tensor]]: ...
    def __call__(self, images: Tensor | Batch, epoch: int = 0, epochs: int = 1) -> Any:
        return super().__call__(images, epoch, epochs)

    def forward(
        self, images: Tensor | Batch, epoch: int = 0, epochs: int = 1
    ) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Logits ``[B, C]`` of normalised pixels ``[B, 3, H, W]``; of a batch its `loss`, for wrappers such as DDP.

        Raises:
            DataError: these are no normalised pixels of the model's size.
        """
        if isinstance(images, Batch):
            return self.loss(images, epoch, epochs)
        prompts, texts, line = self._prompts_and_texts()
        features = self._image_features(images, prompts)
        if texts is None:
            texts = self.texts_for(prompts, features.detach())
        logits = self.clip.logits(features, texts) if line is None else line_logits(features, line)
        return self.asked(self.prompts.adjust_logits(logits, features))

    def encode_image(self, pixels: Tensor) -> Tensor:
        """Image features ``[B, D]`` of normalised pixels ``[B, 3, H, W]``, of unit length but for the linear probe."""
        return self._image_features(pixels, self._prompts_and_texts(texts=False)[0])

    def encode_text(self, texts: Sequence[str] | None = None) -> Tensor:
        """Unit-length features ``[C, D]`` of the class texts, or of other complete texts.

        Deep prompts and updates of weights act on other texts too; context vectors belong to class names.

        Raises:
            NotSupportedError: each image has its own class texts, or prompts would be written over the end of a text.
            DataError: a text is too long. ConfigError: `texts` is one text.
        """
        if isinstance(texts, str):
            raise ConfigError(f"The texts are a list, not the text '{texts}'.")
        prompts, features, _ = self._prompts_and_texts(texts=texts is None)
        if texts is not None:
            return self._other_texts(list(texts), prompts)
        if features is None:
            raise NotSupportedError("Here every image has its own class texts.", todo="Call the model with pixels.")
        return self.asked(features.t()).t()

    def _other_texts(self, texts: list[str], prompts: Prompts) -> Tensor:
        if not texts:
            raise DataError("There are no texts to encode.")
        given = self.prompts.background_features(texts)
        if given is not None:
            return given
        tokens = self.clip.tokenizer.plain(texts)
        shortest = int(tokens.eot.argmin())
        if prompts.text_deep and int(tokens.eot[shortest]) - tokens.offset < prompts.text_deep[0].shape[0]:
            raise NotSupportedError(
                f"The text '{texts[shortest]}' is shorter than the deep text prompts, which would overwrite its end.",
                todo="Use longer texts, such as 'a photo of a ...'.",
            )
        return self.clip.encode_text(tokens.to(self.clip.device), prompts)

    def loss(self, batch: Batch, epoch: int = 0, epochs: int = 1) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a batch, to be differentiated, and its terms by name before weighting, without gradient.

        Args:
            epoch: 0-based, of so many `epochs`: methods and DAPT's two phases have a schedule.

        Raises:
            ConfigError: the model has no objectives, awaits `prepare`, or asks about some classes; no such epoch.
            DataError: DAPT needs masks, and the batch has none; the parts of the batch do not belong together. Their
                numbers are looked at in the first batch.
        """
        if self._criterion is None:
            raise ConfigError(
                "This model has no objectives, so no loss.", todo="Give it some: dapt.create_objectives(model)."
            )
        self._check_prepared()
        if self.asks_some:
            raise ConfigError(
                f"{self.made_with.method} is trained on all of its {len(self.prompts.names)} classes, not on some.",
                todo="Call model.set_classes with all of them first.",
            )
        if not 0 <= epoch < epochs:
            raise ConfigError(f"Of {epochs} epochs there is none of number {epoch}; the first is 0.")
        texts = len(self._background_texts) - self.distractors
        check_batch(batch, self.clip.image.image_size, len(self.names), values=not self._looked, texts=texts)
        self._looked = True
        return self._criterion(self, with_both_halves(batch, self.making), epoch, epochs)

    def set_criterion(self, criterion: Criterion) -> None:
        """Let `criterion` make the loss; what it trains beside the prompts becomes a part of this module."""
        self._criterion = criterion
        self.helpers = nn.ModuleList(criterion.helpers).to(self.clip.device)

    def await_images(self) -> PromptedClip:
        """Refuse to be used before `prepare`, or before a state is loaded, if the method looks at all images first."""
        own = self.prompts
        self._awaits_images = own.looks_first and not own.label_free  # a student looks at its teacher, when it needs to
        return self

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        loaded = super().load_state_dict(state_dict, strict, assign)
        self._awaits_images = False
        return loaded

    def _check_prepared(self) -> None:
        if self._awaits_images:
            raise ConfigError(
                f"{self.made_with.method} looks at all training images before it is of use.",
                todo="Call model.prepare(batches) first.",
            )

    @torch.no_grad()
    def prepare(self, batches: Iterable[Batch], val: Iterable[Batch] | None = None) -> PromptedClip:
        """Let methods look at all training images once that want to: a cache, a probe, prototypes.

        Args:
            batches: of all training images, by the test transform. val: of images by which settings are chosen.
        """
        features, labels = self._looked_at(batches)
        val_features, val_labels = self._looked_at(val or ())
        self.prompts.prepare(
            TrainingSet(
                self.clip,
                labels,
                val_labels,
                lambda: self.text_features(self.prompts.at_rest()),
                lambda views: features,
                lambda: val_features,
                lambda views: features[None],
            )
        )
        self._awaits_images = False
        self._constant, self._kept = {}, None
        return self

    def _looked_at(self, batches: Iterable[Batch]) -> tuple[Tensor, Tensor]:
        """Features ``[N, D]`` by the untouched image tower, not normalised, and labels ``[N]``."""
        parts = [(self.clip.image.encode(batch.pixels).float(), batch.labels.cpu()) for batch in batches]
        if not parts:
            return torch.empty(0, self.clip.embed_dim, device=self.device), torch.empty(0, dtype=torch.long)
        features, labels = zip(*parts, strict=True)
        return torch.cat(features), torch.cat(labels)

    def set_classes(self, names: Sequence[str]) -> None:
        if isinstance(names, str):
            raise ConfigError(f"The classes are a list of names, not the text '{names}'.")
        super().set_classes(names)
        self._kept = None

    def with_classes(self, names: Sequence[str] | None = None) -> PromptedClip:
        """A second view of this model that chooses among other classes; it shares the prompts and the frozen model.

        Raises:
            NotSupportedError, DataError: as `set_classes`.
        """
        twin = copy.copy(self)
        twin._constant = dict(self._constant)
        if names is not None and list(names) != self.names:
            twin.set_classes(names)
        return twin

    def still(self) -> PromptedClip:
        """A second view of this model for which its texts are encoded once: what happens to the prompts afterwards does
        not reach them. For looking many times at a finished model.
        """
        twin = self.eval().with_classes()
        if not twin._still:
            twin._still, twin._constant = True, {}
        return twin

    def plain(self) -> PlainModel:
        """A copy for export: an ordinary module from pixels to logits, see `dapt.model.plain`.

        Raises:
            NotSupportedError: every image has its own class texts.
        """
        self._check_prepared()
        kept = self._evaluated()
        if kept.texts is None:
            raise NotSupportedError(
                f"{self.made_with.method or 'This method'} runs the text tower for every image: it has no plain form.",
                todo="Use a method with class texts that do not depend on the image, such as coop or maple.",
            )
        columns = self.asked_columns(len(kept.texts))
        return PlainModel(self.clip, self.prompts, kept.prompts, kept.texts, columns, kept.line)

    def save_pretrained(self, folder: Path | str, *, more: Mapping[str, bytes] | None = None) -> Path:
        """Save the prompts and what is needed to use them again into a folder, whole or not at all.

        The folder is new, empty, or one that was saved before, whose model is replaced. See `dapt.load_model`.

        Args:
            more: other files that go with the model, by name.

        Raises:
            ConfigError: it holds what dapt did not write. DaptError: the file system refuses.
            ModelError: the prompts are not finite.
        """
        own, made_with = self.prompts, self.made_with
        if not made_with.method:
            raise ConfigError("This model does not say which method made it.", todo="Make it with dapt.create_model.")
        options = {**own.options.model_dump(mode="json"), **own.saved_options()}
        use: dict[str, Any] = {"dapt": made_with.dapt.model_dump(mode="json")} if made_with.dapt.enabled else {}
        if made_with.reading != Reading():
            use["reading"] = asdict(made_with.reading)
        if self.names != own.names:
            use["classes"] = self.names
        content = prompts_content(
            dict(own.state_dict()), method=made_with.method, options=options, names=own.names, clip=self.clip, use=use
        )
        target = Path(with_home(str(folder)))
        config = {"method": made_with.method, "options": options, "classes": self.names, **use}
        write_model_folder(
            target, content, {"dapt_version": version(), **config, "backbone": self.clip.describe()}, more
        )
        return target

    def train(self, mode: bool = True) -> PromptedClip:
        """Training or evaluation mode; the frozen model stays in evaluation mode."""
        self._kept = None
        super().train(mode)
        return self

    def _prompts_and_texts(self, *, texts: bool = True) -> tuple[Prompts, Tensor | None, Line | None]:
        """The prompts, and class texts ``[C, D]`` and their line, unless they depend on the image or are not wanted."""
        self._check_prepared()
        if not self.training:
            kept = self._evaluated()
            return kept.prompts, kept.texts, kept.line
        prompts: Prompts = self.prompts()
        if not texts or self.prompts.conditional:
            return prompts, None, None
        found = self.text_features(prompts)
        return prompts, found, self.line_of(found)

    def _evaluated(self) -> _Kept:
        """What evaluation mode keeps; in full precision and for every later call, whatever the present one is in."""
        now = [(value, -1 if value.is_inference() else value._version) for value in self._state()]
        kept = self._kept
        if kept is not None and _same(kept, now):
            return kept
        kind = self.clip.device.type
        with torch.inference_mode(False), torch.no_grad(), torch.autocast(kind, enabled=False):
            prompts = self.prompts.at_rest().detached()
            texts = None if self.prompts.conditional else self.text_features(prompts).detach()
            line = None if texts is None else self.line_of(texts)
            content = [value.detach().clone() for value, _ in now]
        self._kept = _Kept(prompts, texts, line, now, content)
        return self._kept

    def _state(self) -> list[Tensor]:
        return [*self.prompts.parameters(), *self.prompts.buffers()]

    def _image_features(self, pixels: Tensor, prompts: Prompts) -> Tensor:
        check_pixels(pixels, self.clip.image.image_size)
        return self.finish_image(self.clip.image.encode(pixels, prompts))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> PromptedClip:
        """Move the prompts, and the frozen model with them.

        Raises:
            NotSupportedError: another type of numbers was asked for.
        """
        moved = fn(torch.zeros(1, device=self.clip.device))
        if moved.dtype != torch.float32:
            raise NotSupportedError(
                f"Prompts stay in float32; they cannot become {moved.dtype}.",
                todo="Load the frozen model in another precision (precision='bf16'), or use torch.autocast.",
            )
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self.clip.to(moved.device)
        self._texts = [tokens.to(moved.device) for tokens in self._texts]
        self._background = None if self._background is None else self._background.to(moved.device)
        self._constant, self._kept = {}, None
        return self


def make_prompted(
    clip: FrozenClip, architecture: PromptArchitecture, names: Sequence[str], made_with: MadeWith
) -> PromptedClip:
    """The model of a method, with what its DAPT options ask of it."""
    dapt = made_with.dapt
    if not dapt.enabled:
        return PromptedClip(clip, architecture, names, made_with=made_with)
    return PromptedClip(
        clip,
        architecture,
        names,
        dapt.texts,
        views=dapt.views,
        making=ViewMaking.of(dapt),
        distractors=dapt.distractors,
        made_with=made_with,
    )


def _same(kept: _Kept, now: Sequence[tuple[Tensor, int]]) -> bool:
    """Whether the tensors are those of before, unchanged: what is written through ``.data`` counts up no version."""
    before = kept.made_from
    if len(before) != len(now):
        return False
    if any(a is not b or one != other for (a, one), (b, other) in zip(before, now, strict=True)):
        return False
    if torch.compiler.is_compiling():
        return True
    return all(torch.equal(value, copy) for (value, _), copy in zip(now, kept.content, strict=True))
