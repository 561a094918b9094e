"""The two towers with trainable prompts in them, computing exactly the features that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from dapt.clip.frozen import FrozenClip, unit
from dapt.clip.logits import Line
from dapt.clip.masked_views import encode_views, require_readers
from dapt.clip.prompts import Prompts
from dapt.clip.tokens import PromptTokens
from dapt.data.batch import Batch
from dapt.errors import DataError, NotSupportedError
from dapt.model.branches import beside_others, tensors_of
from dapt.model.needs import (
    BACKGROUND,
    CLASSES,
    FOREGROUND,
    FROZEN,
    FULL,
    Needs,
    Outputs,
    Trainable,
)
from dapt.model.views import AS_PUBLISHED, ViewMaking, masks_of, view_of
from dapt.prompts.base import PromptArchitecture

MOST_BESIDE = 64  # images without gradient that are worth the memory of a branch of their own on a GPU, as measured


class PromptedTowers(nn.Module):
    """A frozen backbone and one prompt architecture, of which only the prompts are parameters.

    What training, evaluation and figures compute; `dapt.model.prompted_clip` makes an ordinary module of it.

    Args:
        clip: the frozen model. It is not registered, so it is neither saved, moved nor trained.
        architecture: the prompts.
        names: class names of the classifier.
        background: complete background texts, empty without DAPT.
        views: how foreground and background are seen, see `DaptOptions`. making: how they are made of pixels.
        distractors: so many background texts act as further classes (only to repeat the released code).

    Raises:
        NotSupportedError: the image tower cannot make views by attention.
    """

    def __init__(
        self,
        clip: FrozenClip,
        architecture: PromptArchitecture,
        names: Sequence[str],
        background: Sequence[str] = (),
        *,
        views: str = "pixels",
        making: ViewMaking = AS_PUBLISHED,
        distractors: int = 0,
    ) -> None:
        super().__init__()
        if views == "attention":
            require_readers(clip.image)
        if distractors and architecture.conditional:
            raise NotSupportedError("dapt.released does not work with texts that depend on the image.")
        self.views = views
        self.making = making
        self.distractors = distractors
        self.prompts = architecture
        self._clip = (clip,)  # in a tuple, so that torch does not register it
        self._background_texts = list(background)
        self._background = clip.tokenizer.plain(background).to(clip.device) if background else None
        self._constant: dict[str, Tensor] = {}
        self._still = False
        self.set_classes(names)

    @property
    def clip(self) -> FrozenClip:
        """The frozen model."""
        return self._clip[0]

    @property
    def architecture(self) -> PromptArchitecture:
        """The prompt architecture."""
        return self.prompts

    def set_classes(self, names: Sequence[str]) -> None:
        """Classify among `names` from now on; what belongs to the training classes can be asked about some of them.

        Raises:
            NotSupportedError: the prompts belong to other classes.
            DataError: no names.
        """
        if not len(names):
            raise DataError("There are no classes to choose from.", todo="Give a list of their names.")
        strange = [name for name in names if not isinstance(name, str) or not name.strip()]
        if strange:
            raise DataError(f"The name of a class is a text with something in it, not {strange[0]!r}.")
        own = self.prompts
        some = own.fixed_classes and len(set(names)) == len(names) and set(names) <= set(own.names)
        whole = own.names if some else list(names)
        with torch.inference_mode(False):  # they are kept
            texts = own.texts(whole)  # refuses before anything is changed
            self._texts: list[PromptTokens] = [tokens.to(self.clip.device) for tokens in texts]
        self.names = list(names)
        self._whole = list(whole)
        self._columns = None if self.names == self._whole else [whole.index(name) for name in names]
        self._constant.pop(CLASSES, None)

    @property
    def asks_some(self) -> bool:
        """Whether only some of the classes are asked about that the prompts belong to, see `asked`."""
        return self._columns is not None

    def asked(self, logits: Tensor) -> Tensor:
        """Of logits ``[B, C]`` of all classes the prompts belong to, those of `names`; further columns stay behind."""
        columns = self.asked_columns(logits.shape[1])
        return logits if columns is None else logits[:, columns]

    def asked_columns(self, width: int) -> list[int] | None:
        """Which of so many columns `asked` leaves; None: all."""
        return None if self._columns is None else [*self._columns, *range(len(self._whole), width)]

    def trainable(self) -> Trainable:
        """Which features depend on trained parameters."""
        own = self.prompts
        return Trainable(own.trains_text, own.trains_deep_text, own.trains_visual, own.trains_logits)

    def text_features(self, prompts: Prompts, texts: str = CLASSES) -> Tensor:
        """Unit-length text features ``[C, D]`` of a text set; constant ones are computed once."""
        trained = self.prompts.trains_text if texts == CLASSES else self.prompts.trains_deep_text
        if (trained and not self._still) or not self.clip.savings.keep_constant_texts:
            return self._encode_texts(prompts, texts)
        if texts not in self._constant:
            kind = self.clip.device.type
            with torch.inference_mode(False), torch.no_grad(), torch.autocast(kind, enabled=False):
                self._constant[texts] = self._encode_texts(prompts, texts)
        return self._constant[texts]

    def _encode_texts(self, prompts: Prompts, texts: str) -> Tensor:
        if texts == BACKGROUND:
            return self._encode_background(prompts)[self.distractors :]
        classes = self._encode_classes(prompts)
        if self.distractors:
            classes = torch.cat([classes, self._encode_background(prompts)[: self.distractors]])
        return classes

    def _encode_background(self, prompts: Prompts) -> Tensor:
        assert self._background is not None, "no background texts were given"
        given = self.prompts.background_features(self._background_texts)
        return self.clip.encode_text(self._background, prompts) if given is None else given

    def _encode_classes(self, prompts: Prompts, sharing: int = 1) -> Tensor:
        given = self.prompts.class_features(self._whole)
        if given is not None:
            return given
        sharing *= len(self._texts)
        each = [self.clip.encode_text(tokens, prompts, sharing) for tokens in self._texts]
        return each[0] if len(each) == 1 else unit(torch.stack(each).mean(dim=0))

    def line_of(self, texts: Tensor) -> Line | None:
        """Class logits as a line in the image features, see `PromptArchitecture.logit_line`.

        Args:
            texts: class features ``[C, D]``.
        """
        return self.prompts.logit_line(self._whole, texts, self.clip.logit_scale)

    def texts_for(self, prompts: Prompts, features: Tensor) -> Tensor:
        """Class texts ``[B, C, D]`` of each image with unit-length features ``[B, D]``, for conditional prompts."""
        contexts = self.prompts.contexts(features)
        return torch.stack(
            [self._encode_classes(replace(prompts, text_ctx=context), len(contexts)) for context in contexts]
        )

    def finish_image(self, raw: Tensor, view: str = FULL) -> Tensor:
        """What the method makes of the image tower's features ``[B, D]``; of unit length unless it says otherwise."""
        mapped = self.prompts.map_image(raw, whole=view == FULL)
        return unit(mapped) if self.prompts.unit_features else mapped.float()

    def image_features(self, pixels: Tensor, prompts: Prompts, views: Sequence[str] = (FULL,)) -> list[Tensor]:
        """Image features ``[B, D]`` of each view, see `finish_image`, of their normalised pixels below each other."""
        with torch.set_grad_enabled(self.prompts.trains_visual and torch.is_grad_enabled()):
            raw = self.clip.image.encode(pixels, prompts).chunk(len(views))
            return [self.finish_image(part, view) for part, view in zip(raw, views, strict=True)]

    def compute(self, batch: Batch, needs: Needs) -> Outputs:
        """The features that `needs` names."""
        prompts: Prompts = self.prompts()
        needs = self._without_savings(needs)
        if self.prompts.conditional and CLASSES in needs.texts:
            needs |= Needs({FULL: False})  # the texts are made from it
        if batch.saved is not None and FROZEN in needs.views:
            needs |= Needs({FULL: False})  # there are no pixels, and it is the same
        views = {name: wanted for name, wanted in needs.views.items() if name != FROZEN}
        make = self._views_saved if batch.saved is not None else self._maker(views)
        text: dict[str, Tensor] | None = None
        beside = beside_others(self.clip.device) if views and not self.prompts.conditional else None
        if beside is not None:  # a step is recorded: texts and images are two branches of its graph
            with beside.branch(tensors_of(prompts)) as join:
                text = self._texts_of(needs, prompts, {})
        image = make(batch, replace(needs, views=views), prompts)
        if beside is not None and text is not None:
            join(text.values())
        if text is None:
            text = self._texts_of(needs, prompts, image)
        with torch.no_grad():
            if FROZEN in needs.views:
                same = FULL in image and self._untouched
                image[FROZEN] = image[FULL].detach() if same else self.clip.encode_image(batch.pixels)
            teacher = self.prompts.teacher_logits(batch.pixels) if needs.teacher else None
        scale, bias = self.clip.logit_scale, self.clip.logit_bias
        return Outputs(image, text, scale, bias, self.prompts.adjust_logits, teacher)

    def _texts_of(self, needs: Needs, prompts: Prompts, image: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The features of the text sets, which depend on the features of `image` where prompts are conditional."""
        text: dict[str, Tensor] = {}
        if self._in_one_pass(needs):
            with torch.set_grad_enabled(needs.texts[CLASSES] and torch.is_grad_enabled()):
                assert self._background is not None
                found = self.clip.encode_together([self._texts[0], self._background], prompts)
            if found is not None:
                return dict(zip((CLASSES, BACKGROUND), found, strict=True))
        for name, wanted in needs.texts.items():
            with torch.set_grad_enabled(wanted and torch.is_grad_enabled()):
                if name == CLASSES and self.prompts.conditional:
                    text[name] = self.texts_for(prompts, image[FULL].detach())
                else:
                    text[name] = self.text_features(prompts, name)
        return text

    def _in_one_pass(self, needs: Needs) -> bool:
        """Whether class and background texts are both computed in every step, and by the text tower alone."""
        own, texts = self.prompts, needs.texts
        if self._background is None or self.distractors or own.conditional or len(self._texts) > 1:
            return False
        if not (own.trains_text and own.trains_deep_text) or len(texts) < 2 or texts[CLASSES] != texts[BACKGROUND]:
            return False
        kind = type(own)
        given = kind.class_features, kind.background_features
        return given == (PromptArchitecture.class_features, PromptArchitecture.background_features)

    def _maker(self, views: Iterable[str]) -> Callable[[Batch, Needs, Prompts], dict[str, Tensor]]:
        """What makes the features of views of pixels."""
        by_attention = self.views == "attention" and any(name != FULL for name in views)
        return self._views_by_attention if by_attention else self._views_by_pixels

    def views_for(self, needs: Needs) -> list[str]:
        """The views whose features `compute` makes for `needs`.

        Raises:
            NotSupportedError: more is needed than features of views, so that they cannot be saved.
        """
        needs = self._without_savings(needs)
        if needs.teacher or (FROZEN in needs.views and not self._untouched):
            raise NotSupportedError("Features of views are saved for methods that need nothing else of the pixels.")
        whole = FROZEN in needs.views or (self.prompts.conditional and CLASSES in needs.texts)
        names = [name for name in needs.views if name != FROZEN]
        return [FULL, *names] if whole and FULL not in names else names

    @property
    def _untouched(self) -> bool:
        """Whether the features of whole images are those of the untouched image tower."""
        return not self.prompts.trains_visual and self.prompts.unit_features

    @torch.no_grad()
    def tower_features(self, batch: Batch, view: str) -> Tensor:
        """What the image tower makes of a view, before `finish_image`: ``[B, width]``; the prompts are those of now."""
        prompts = self.prompts.at_rest()
        if self.views == "attention" and view != FULL:
            _, *sides = encode_views(self.clip.image, batch.pixels, masks_of(batch), prompts)
            return sides[0 if view == FOREGROUND else 1]
        return self.clip.image.encode(view_of(batch, view, self.making), prompts)

    def _views_saved(self, batch: Batch, needs: Needs, prompts: Prompts) -> dict[str, Tensor]:
        """Unit-length features of the views from what the tower made of them before, see `tower_features`."""
        assert batch.saved is not None
        image: dict[str, Tensor] = {}
        for name, wanted in needs.views.items():
            with torch.set_grad_enabled(wanted and self.prompts.trains_visual and torch.is_grad_enabled()):
                image[name] = self.finish_image(batch.saved[name], name)
        return image

    def _views_by_pixels(self, batch: Batch, needs: Needs, prompts: Prompts) -> dict[str, Tensor]:
        """Unit-length features of the views, those with gradient in one pass, the others in one without.

        The pass without gradient comes first: its memory is free again when the other one fills up.
        """
        taught = [name for name, wanted in needs.views.items() if wanted]
        others = [name for name in needs.views if name not in taught]
        beside = None
        if taught and others and len(others) * len(batch.pixels) <= MOST_BESIDE:
            beside = beside_others(self.clip.device, 1)
        if beside is None:
            return self._views(batch, others, prompts) | self._views(batch, taught, prompts, gradient=True)
        with beside.branch(tensors_of(prompts)) as join:
            image = self._views(batch, others, prompts)
        image |= self._views(batch, taught, prompts, gradient=True)
        join(image[name] for name in others)
        return image

    def _views(
        self, batch: Batch, names: Sequence[str], prompts: Prompts, *, gradient: bool = False
    ) -> dict[str, Tensor]:
        """Unit-length features of some views, in one pass."""
        if not names:
            return {}
        pixels = torch.cat([view_of(batch, name, self.making) for name in names])
        with torch.set_grad_enabled(gradient and torch.is_grad_enabled()):
            features = self.image_features(pixels, prompts if gradient else prompts.detached(), names)
        return dict(zip(names, features, strict=True))

    def _views_by_attention(self, batch: Batch, needs: Needs, prompts: Prompts) -> dict[str, Tensor]:
        """Unit-length features of the views, all from one pass (approximate, see `dapt.clip.masked_views`)."""
        with_gradient = self.prompts.trains_visual and any(needs.views.values())
        with torch.set_grad_enabled(with_gradient and torch.is_grad_enabled()):
            features = encode_views(self.clip.image, batch.pixels, masks_of(batch), prompts)
            views = (FULL, FOREGROUND, BACKGROUND)
            made = {view: self.finish_image(raw, view) for view, raw in zip(views, features, strict=True)}
        return {name: made[name] if wanted else made[name].detach() for name, wanted in needs.views.items()}

    def _without_savings(self, needs: Needs) -> Needs:
        """`needs`, with everything that switched-off savings would leave out."""
        use = self.clip.savings
        if not use.skip_unread and self._background is not None:
            needs |= Needs({FULL: False, FOREGROUND: False, BACKGROUND: False}, {CLASSES: False, BACKGROUND: False})
        if not use.detach_views:
            needs = replace(needs, views=dict.fromkeys(needs.views, True), texts=dict.fromkeys(needs.texts, True))
        return needs
