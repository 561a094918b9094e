"""PromptKD's student: visual prompts, and a projector into the feature space of a teacher.

Li et al. 2024, PromptKD: Unsupervised Prompt Distillation for Vision-Language Models, CVPR, arXiv 2403.02781. Class
features are the teacher's, computed once by its prompted text tower; the student has no text tower of its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dapt.clip.frozen import FrozenClip, Preprocess
from dapt.clip.prompts import Prompts
from dapt.clip.tokens import PromptTokens
from dapt.errors import ConfigError, NotSupportedError
from dapt.methods.promptkd import PromptKdOptions
from dapt.prompts.base import (
    OpenModel,
    PromptArchitecture,
    SavedModel,
    TrainingSet,
    check_depth,
    check_visual_count,
    deep_vectors,
    in_order,
    need_visual,
    random_vectors,
    seeded,
)
from dapt.prompts.gather import gather_batch


class StudentPrompts(PromptArchitecture):
    """`visual_ctx`, `deep_visual.i` ``[n, image width]``; `student_proj`: 1x1 convolution, batch norm, ReLU, 1x1.

    The class features of the training classes are kept with the prompts, so the teacher is read again only to name
    other classes. In data-parallel training the batch norm sees the batch of all processes; one image alone, which has
    no spread, is normalised by the running statistics.
    """

    recordable = True
    trains_visual = True
    label_free = True
    looks_first = True
    options: PromptKdOptions

    def __init__(
        self,
        options: PromptKdOptions,
        clip: FrozenClip,
        names: Sequence[str],
        generator: torch.Generator,
        open_teacher: Callable[[], SavedModel] | None = None,
    ) -> None:
        super().__init__(options, clip, names, generator)
        need_visual(clip)
        check_visual_count(clip, options.n_ctx)
        depth = check_depth(options.depth, clip.image.layers, "image")
        width = clip.image.width
        self.visual_ctx = random_vectors(options.n_ctx, width, generator=generator)
        self.deep_visual = deep_vectors(options.n_ctx, depth, width, generator)
        self._student = (clip,)
        self._open_teacher = open_teacher
        self._teacher: tuple[SavedModel, ...] = ()  # in a tuple, so that torch does not register it
        size = options.teacher_dim or self.teacher.clip.embed_dim
        with seeded(generator):
            layers = [
                ("conv_in", nn.Conv2d(clip.embed_dim, size, 1)),
                ("bn", nn.BatchNorm2d(size)),
                ("relu", nn.ReLU()),
                ("conv_out", nn.Conv2d(size, size, 1)),
            ]
        self.student_proj = nn.Sequential(OrderedDict(layers))
        self.register_buffer("class_text", torch.zeros(len(self.names), size))
        self.class_text: Tensor
        self.register_buffer("class_text_known", torch.tensor(False))
        self.class_text_known: Tensor

    @classmethod
    def create(
        cls,
        options: PromptKdOptions,
        clip: FrozenClip,
        names: Sequence[str],
        generator: torch.Generator,
        open_model: OpenModel,
    ) -> StudentPrompts:
        return cls(options, clip, names, generator, partial(load_teacher, options, clip, open_model))

    @property
    def teacher(self) -> SavedModel:
        """The teacher, loaded when it is first needed, where the student is.

        Raises:
            ConfigError: none was named.
            DaptError: it cannot be loaded.
        """
        if not self._teacher:
            assert self._open_teacher is not None, "a teacher is needed and cannot be opened"
            self._teacher = (self._open_teacher(),)
        (teacher,) = self._teacher
        if teacher.clip.device != self.visual_ctx.device:
            teacher.to(self.visual_ctx.device)
        return teacher

    def set_teacher(self, model: SavedModel) -> None:
        """Learn from `model` instead of the run that the options name."""
        self._teacher = (model,)
        self.class_text_known.fill_(False)

    def saved_options(self) -> dict[str, Any]:
        return {"teacher_dim": self.class_text.shape[1]}

    def forward(self) -> Prompts:
        return Prompts(visual_ctx=self.visual_ctx, visual_deep=in_order(self.deep_visual))

    def texts(self, names: Sequence[str]) -> list[PromptTokens]:
        return []

    def prepare(self, seen: TrainingSet) -> None:
        self.class_features(self.names)  # what is wrong with the teacher is found before training

    def map_image(self, raw: Tensor, *, whole: bool = True) -> Tensor:
        x = raw.float()[:, :, None, None]
        conv_in, norm, relu, conv_out = self.student_proj
        inner = conv_in(x)
        if self.training:
            everyone, own = gather_batch(inner)
            normal = _normalise(norm, everyone, tracked=whole)[own]
        else:
            normal = norm(inner)
        mapped: Tensor = conv_out(relu(normal))
        return mapped.flatten(1)

    @torch.no_grad()
    def class_features(self, names: Sequence[str]) -> Tensor:
        if not self.class_text_known:
            self.class_text.copy_(self._teacher_texts(self.names))
            self.class_text_known.fill_(True)
        if list(names) == self.names:
            return self.class_text
        if set(names) <= set(self.names):
            return self.class_text[[self.names.index(name) for name in names]]
        return self._teacher_texts(names).to(self.class_text)

    def _teacher_texts(self, names: Sequence[str]) -> Tensor:
        self.teacher.set_classes(names)
        texts = self.teacher.text_features(self.teacher.architecture())
        self.teacher.set_classes(self.names)
        return texts

    @torch.no_grad()
    def background_features(self, texts: Sequence[str]) -> Tensor:
        teacher = self.teacher
        tokens = teacher.clip.tokenizer.plain(texts).to(teacher.clip.device)
        return teacher.clip.encode_text(tokens, teacher.architecture())

    @torch.no_grad()
    def teacher_logits(self, pixels: Tensor) -> Tensor:
        teacher = self.teacher
        teacher.eval()
        seen = as_seen_by(pixels, self._student[0], teacher.clip)
        (features,) = teacher.image_features(seen, teacher.architecture())
        return teacher.clip.logits(features, self.class_features(self.names))


def _normalise(norm: nn.Module, x: Tensor, *, tracked: bool) -> Tensor:
    """The batch norm of a training step.

    Each view is normalised by itself. The running statistics, which are used at test on whole images, are moved by
    whole images only (`tracked`) and only in passes with gradient. A lone image has no statistics of its own and is
    normalised by the running ones.
    """
    assert isinstance(norm, nn.BatchNorm2d)
    if len(x) == 1:
        return F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)
    if not (tracked and torch.is_grad_enabled()):
        return F.batch_norm(x, None, None, norm.weight, norm.bias, training=True, eps=norm.eps)
    normal: Tensor = norm(x)
    return normal


def as_seen_by(pixels: Tensor, student: FrozenClip, teacher: FrozenClip) -> Tensor:
    """Pixels ``[B, 3, H, W]`` normalised for the student as the teacher wants them: its size, mean and spread."""
    if student.image.image_size != teacher.image.image_size:
        pixels = F.interpolate(pixels, size=teacher.image.image_size, mode="bicubic", antialias=True)
    ours, theirs = student.preprocess, teacher.preprocess
    if (ours.mean, ours.std) == (theirs.mean, theirs.std):
        return pixels
    raw = pixels * _per_channel(ours, "std", pixels) + _per_channel(ours, "mean", pixels)
    return (raw - _per_channel(theirs, "mean", pixels)) / _per_channel(theirs, "std", pixels)


def _per_channel(preprocess: Preprocess, which: str, like: Tensor) -> Tensor:
    return _kept(tuple(getattr(preprocess, which)), like.dtype, like.device)


@cache
def _kept(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Values per channel, brought to the device once: bringing them makes a GPU's host wait."""
    with torch.inference_mode(False):
        return torch.tensor(values, device=device, dtype=dtype).view(3, 1, 1)


def load_teacher(options: PromptKdOptions, student: FrozenClip, open_model: OpenModel) -> SavedModel:
    """The teacher of a run: a finished run of a prompt method, with its own backbone.

    Raises:
        ConfigError: none was named. ModelError: it cannot be read, or its backbone has changed.
        NotSupportedError: its method has no class features of its own that could name new classes.
    """
    if not options.teacher:
        raise ConfigError(
            "PromptKD learns from a teacher, and none was named.",
            todo="Train one (--method promptsrc, for example) and pass --set prompt.teacher=RUN_FOLDER.",
        )
    teacher = open_model(options.teacher, spec=options.teacher_model, like=student)
    own = teacher.architecture
    kind, plain = type(own), PromptArchitecture
    adjusts = kind.adjust_logits is not plain.adjust_logits or kind.logit_line is not plain.logit_line
    if own.conditional or own.fixed_classes or adjusts or not own.unit_features:
        raise NotSupportedError(
            f"{options.teacher} cannot be a teacher: its method has no class features of its own that could name new "
            "classes.",
            todo="Use a run of promptsrc, maple, ivlp, coop or another prompt method.",
        )
    return teacher.requires_grad_(False)
