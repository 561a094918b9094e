"""A run that is ready to start: prompts, objectives and the first masks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from dapt.clip.frozen import FrozenClip
from dapt.config import RunConfig, make_config
from dapt.console import say, warn
from dapt.cues.base import Cue, CueReport
from dapt.cues.build import build_cue
from dapt.cues.guards import Guarded, guard, trust_summary
from dapt.dapt_options import AUTO
from dapt.data.items import Item
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.loader import TrainImages, targets_of
from dapt.data.load.settings import reading_of, use_settings
from dapt.data.load.transforms import train_transform
from dapt.data.masks.not_found import explain_not_found
from dapt.data.masks.rules import rules_of
from dapt.devices import compute_exactly, compute_repeatably
from dapt.errors import ConfigError, DataError
from dapt.methods.base import METHODS
from dapt.model.build import assemble, build_model
from dapt.model.needs import BACKGROUND
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.build import build_objectives
from dapt.runs.background_labels import BackgroundLabels, background_labels
from dapt.runs.background_words import choose_words
from dapt.runs.features import training_set
from dapt.runs.foreground_check import ForegroundCheck, check_foregrounds
from dapt.runs.headline import headline
from dapt.runs.idle_dapt import why_idle
from dapt.runs.idle_settings import idle_settings
from dapt.runs.kept_cues import is_kept, kept_masks
from dapt.runs.kept_encodings import KeptEncodings, kept_encodings
from dapt.runs.kept_features import bank_of, kept_views
from dapt.runs.run_data import RunData
from dapt.runs.scene_words import SCENE_WORDS
from dapt.runs.training_cue import tell_of_no_lender, training_cue
from dapt.training.feature_bank import FeatureBank
from dapt.training.kept_views import KeptViews
from dapt.training.step import TrainStep
from dapt.training.stopping import check_stop


@dataclass(frozen=True)
class Prepared:
    """A run that is ready to start: the first masks are read or computed.

    Attributes:
        config: of the run, with the background words that were chosen where that was asked for.
        background: what L_b aims at, where that is settled before training.
        foregrounds: how far they show what the classes are, with DAPT. kept: where features of views are kept.
        encodings: where those of evaluated images are.
        idle: no term of DAPT acts, though it was asked for.
        model_selection: which parameters are the result: ``best_val``, ``best_test``, ``average`` (over epochs) or
            ``last``.
        seconds: that making it ready took, without loading the backbone: prompts, texts, masks, and what methods
            compute of all images beforehand.
    """

    step: TrainStep
    images: TrainImages
    cue: Cue | None
    model_selection: str
    config: RunConfig
    background: BackgroundLabels | None = None
    foregrounds: ForegroundCheck | None = None
    kept: KeptViews | None = None
    encodings: KeptEncodings | None = None
    seconds: float = 0.0
    idle: bool = False

    @property
    def model(self) -> PromptedClip:
        """The prompted model."""
        return self.step.model

    def leave_device(self) -> None:
        """Move everything to the memory of the machine: other processes want that of the device."""
        self.step.to("cpu")
        self.model.clip.model.to("cpu")
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def prepare(
    config: RunConfig, data: RunData, clip: FrozenClip, cache: ImageCache | None = None, cue: Cue | None = None
) -> Prepared:
    """Build prompts and objectives, prepare the foreground cues.

    Args:
        clip: the frozen backbone. cache: decoded training images; None: a new one. cue: of `training_cue`; None: it is
            made here.

    Raises:
        DaptError: anything that does not fit together.
    """
    began = time.perf_counter()
    use_settings(config)  # in each of several processes
    compute_exactly()
    if config.deterministic:
        compute_repeatably()
    cache = cache or ImageCache(config.cache_mb)
    if cue is None and config.dapt.enabled:
        cue = training_cue(config, data, cache)
    config, made = with_chosen_words(config, data, clip, cache, cue)
    model = build_model(config, clip, data.train.names)
    bank = bank_of(config, clip)
    kept, encodings = kept_views(config, model, bank), kept_encodings(config, model, bank)
    _let_it_look(config, model, data, cache, bank)
    step = TrainStep(model, build_objectives(config, model))
    check_stop(config, averaged=model_selection_of(config, data, step) == "average")
    if config.dapt.enabled and config.dapt.words == AUTO and not _has_background(config, step):
        warn("dapt.words=auto changes nothing: L_b does not act in this run, and nothing else reads the words.")
    if idle_options := idle_settings(config):
        warn(idle_options)
    say(headline(config, model))
    if config.epochs and model.prompts.count() and config.warmup_epochs >= config.epochs:
        warn(
            f"Every epoch of this run is warm-up, at the rate {config.warmup_lr:g}: hardly anything is learned. Pass "
            "more --epochs, or --set warmup_epochs=0."
        )
    if cue is None:
        images = _training_images(config, model, data, cache)
        selection = model_selection_of(config, data, step)
        took = time.perf_counter() - began
        return Prepared(step, images, cue, selection, config, kept=kept, encodings=encodings, seconds=took)
    masks = _made_by(cue, config, data, model) if made is None else made
    guarded = _guarded(config, cue, data.train.items, masks)
    idle = why_idle(config, step, cue)
    if idle:
        warn(idle)
    elif model.making.lends:
        tell_of_no_lender(guarded.masks)
    background = _background(config, step, cue, data.train.items, guarded.masks, cache)
    foregrounds = None if idle else _foregrounds(config, clip, cue, data, guarded.masks, cache)
    if not cue.follows_prompts:
        cue.close()
    images = _training_images(
        config,
        model,
        data,
        cache,
        masks=guarded.masks,
        soft=cue.soft,
        trust=guarded.trust,
        background=None if background is None else background.labels,
    )
    selection = model_selection_of(config, data, step)
    took = time.perf_counter() - began
    return Prepared(step, images, cue, selection, config, background, foregrounds, kept, encodings, took, bool(idle))


def _let_it_look(
    config: RunConfig, model: PromptedClip, data: RunData, cache: ImageCache, bank: FeatureBank | None
) -> None:
    """Methods that look at all training images before the first step do so."""
    images = _training_images(config, model, data, cache)
    model.prompts.prepare(training_set(config, model, data, images, bank))


def _training_images(
    config: RunConfig,
    model: PromptedClip,
    data: RunData,
    cache: ImageCache,
    *,
    masks: Sequence[Tensor | None] | None = None,
    soft: bool = False,
    trust: Tensor | None = None,
    background: Tensor | None = None,
) -> TrainImages:
    clip, part = model.clip, data.train
    transform = train_transform(
        clip.image.image_size,
        clip.preprocess,
        crop_scale=config.crop_scale,
        flip=config.flip,
        both=config.dapt.enabled and config.dapt.crops == "both",
    )
    return TrainImages(
        part.items,
        part.labels,
        transform,
        cache,
        config.seed,
        masks=masks,
        soft=soft,
        targets=targets_of(part.items, len(part.names)),
        weights=None if data.image_weights is None else torch.tensor(data.image_weights),
        trust=trust,
        background=background,
    )


def _made_by(cue: Cue, config: RunConfig, data: RunData, model: PromptedClip) -> list[Tensor | None]:
    """The masks of a cue, from its store where it has one; counted where it has not counted them itself.

    Raises:
        ConfigError: it did not make one for each image.
    """
    items = data.train.items
    kept = is_kept(cue, config) and not data.source.passing
    masks = kept_masks(cue, config, data, model) if kept else cue.prepare(items, model)
    if len(masks) != len(items):
        raise ConfigError(f"The cue {cue.name} made {len(masks)} masks for {len(items)} images.")
    if cue.report.total != len(items):
        cue.report = CueReport()
        masks = [cue.report.add(item.name, mask) for item, mask in zip(items, masks, strict=True)]
    return masks


def with_chosen_words(
    config: RunConfig, data: RunData, clip: FrozenClip, cache: ImageCache, own: Cue | None
) -> tuple[RunConfig, list[Tensor | None] | None]:
    """The configuration with background words for the data, where ``dapt.words=auto`` has not chosen any yet.

    Args:
        own: the cue of the run.

    Returns:
        the configuration, and the masks that `own` has made on the way, if the run's model would make the same ones.

    Raises:
        DaptError: see `choose_words`, and as `prepare`.
    """
    dapt = config.dapt
    if own is None or not dapt.chooses_words:
        return config, None
    alike = not (own.needs_model or own.follows_prompts)
    items, cue = data.train.items, own if alike else build_cue(config, cache, data.source)
    names = data.train.names
    words = list(SCENE_WORDS)  # what a cue that asks the model for the background may answer
    likely = dapt.model_copy(update={"chosen_words": words[: dapt.auto_count]})
    build_model(config.model_copy(update={"dapt": likely}), clip, names)  # what is wrong with it is found before masks
    trial = make_config({"data": "-", "method": "zero_shot"}).options
    model = assemble(
        clip,
        METHODS.get("zero_shot"),
        trial,
        names,
        dapt.model_copy(update={"words": words, "word_count": None}),
        seed=config.seed,
        reading=reading_of(config),
    )
    masks = _made_by(cue, config, data, model)
    chosen = choose_words(
        dapt,
        clip,
        items,
        masks,
        cue.report.stuff,
        data.source.names,
        cache,
        soft=cue.soft,
        batch_size=config.eval_batch_size,
    )
    say(chosen.summary())
    config = config.model_copy(update={"dapt": dapt.model_copy(update={"chosen_words": chosen.words})})
    return config, masks if alike else None


def _guarded(config: RunConfig, cue: Cue, items: Sequence[Item], masks: list[Tensor | None]) -> Guarded:
    """The masks that are used, after what there is to say about all of them.

    Raises:
        DataError: see `_check_cues` and `guard`.
    """
    report = cue.report
    guarded = guard(cue, items, masks, config.dapt)
    cue.report, report = report, cue.report  # the cue judges all that it made
    say(report.summary())
    cue.check()
    cue.report = report
    _check_cues(config, cue, items, own=any(item.mask is not None for item in items))
    if guarded.trust is not None:
        text, changes_nothing = trust_summary(cue, items, guarded.trust)
        (warn if changes_nothing else say)(text)
    return guarded


def _has_background(config: RunConfig, step: TrainStep) -> bool:
    """Whether background texts are read in any epoch: L_b acts."""
    return any(BACKGROUND in step.needs(epoch, config.epochs).texts for epoch in range(config.epochs))


def _foregrounds(
    config: RunConfig,
    clip: FrozenClip,
    cue: Cue,
    data: RunData,
    masks: Sequence[Tensor | None],
    cache: ImageCache,
) -> ForegroundCheck | None:
    """How far the foregrounds show what the classes are; warns if they do so worse than whole images."""
    if data.source.multi_label:
        return None
    template = make_config({"data": config.data, "method": "zero_shot"}).options.model_dump()["templates"][0]
    found = check_foregrounds(
        config.dapt,
        clip,
        data.train.items,
        data.train.labels,
        [template.replace("{}", name.replace("_", " ")) for name in data.train.names],
        masks,
        cache,
        soft=cue.soft,
        batch_size=config.eval_batch_size,
    )
    if found.images:
        say(found.summary())
    if found.worse:
        warn(found.warning())
    return found


def _background(
    config: RunConfig,
    step: TrainStep,
    cue: Cue,
    items: Sequence[Item],
    masks: Sequence[Tensor | None],
    cache: ImageCache,
) -> BackgroundLabels | None:
    """What L_b aims at in each image, where that is settled before training."""
    if config.dapt.background_label != "cue":
        return None
    if not _has_background(config, step):
        warn("dapt.background_label=cue changes nothing: L_b does not act in this run.")
        return None
    found = background_labels(
        config.dapt,
        step.model.clip,
        items,
        masks,
        cue.report.stuff,
        cache,
        soft=cue.soft,
        batch_size=config.eval_batch_size,
    )
    say(found.summary())
    return found


def model_selection_of(config: RunConfig, data: RunData, step: TrainStep) -> str:
    """Which parameters are the result, see `Prepared`."""
    judged = {"best_val": data.val, "best_test": data.test}.get(config.model_selection)
    if judged is not None and judged.items:
        return config.model_selection
    return "last" if step.epoch_weights(config.epochs) is None else "average"


def _check_cues(config: RunConfig, cue: Cue, items: Sequence[Item], *, own: bool) -> None:
    """Refuse a DAPT run in which no image has a usable cue, unless that was asked for.

    Args:
        items: training images. own: the data set names masks of its own.

    Raises:
        DataError: all masks are missing, empty, full or unreadable, or mask files are read in the wrong format.
    """
    report = cue.report
    if report.without < report.total or cue.may_be_without:
        return
    if not cue.reads_files and len(report.missing) == report.total:
        raise DataError(
            f"The cue {cue.name} found nothing in any of the {report.total} images.",
            todo="Lower its threshold (--set cue.threshold=...), give it other words to look for, or use another cue.",
        )
    if len(report.missing) == report.total:
        folder = config.masks if cue.name == "masks" else None
        more: list[str] = []
        todo = "Give a folder of masks with --masks, or use --cue border."
        if folder:
            more, todo = explain_not_found(items, Path(folder), rules_of(config))
        if folder and own:
            more = ["The data set names masks of its own, which are not looked at where --masks is given."]
            todo = f"Leave --masks out, or pass --cue dataset, to use its own. {todo}"
        raise DataError(
            "None of the images has a mask.", where=folder or "the data set's own masks", more=more, todo=todo
        )
    told = f"{len(report.empty)} masks empty, {len(report.full)} full, {len(report.bad)} unreadable"
    todo = f"Look at the masks, or use {'another cue' if cue.name == 'border' else '--cue border'}."
    if report.small or report.large:
        told += f", {len(report.small or ())} smaller than dapt.min_area"
        told += f", {len(report.large or ())} larger than dapt.max_area"
        todo = "Choose a smaller dapt.min_area or a larger dapt.max_area, or look at the masks."
    raise DataError(f"None of the images has a usable foreground cue: {told}.", todo=todo)
