"""The configuration of a run: one strict, documented tree, read from and written to YAML.

Every key is also a key of ``--set``; an unknown key is an error that names the closest one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from dapt.colour import BLACK, WHITE, colour_of
from dapt.config_sections import CueSettings as CueSettings
from dapt.config_sections import Section as Section
from dapt.config_sections import SelectionOptions as SelectionOptions
from dapt.config_sections import TrackOptions as TrackOptions
from dapt.config_shorthand import SECTIONS as SECTIONS
from dapt.config_shorthand import written_out
from dapt.console import warn
from dapt.dapt_options import BACKGROUND_WORDS as BACKGROUND_WORDS
from dapt.dapt_options import RELEASED_SLICE as RELEASED_SLICE
from dapt.dapt_options import DaptOptions as DaptOptions
from dapt.errors import ConfigError
from dapt.limits import MAX_MEGAPIXELS
from dapt.mask_pattern import annotation_format, check_pattern
from dapt.methods.base import METHODS, Method, MethodOptions, OptimizerName
from dapt.paths import with_home
from dapt.plugins import load_plugins
from dapt.split_rule import POSITIONS, SplitRule
from dapt.strict import LARGEST_FLOAT, Count, Megabytes, Rate
from dapt.validation import known_options, validated

LARGEST_ADAM_LR = 1e30  # multiplied with the decay, and divided by as little as 1 - beta, it stays a float32

MaskFormat = Literal["binary", "labels", "trimap", "alpha", "colours", "dapt", "foreground"]


class RunSettings(Section):
    """Everything that decides a run, as it is given: what is left open is filled in by `resolve`."""

    data: str = Field(description="Catalog name, folder with one sub-folder per class, CSV index, or hf:OWNER/NAME.")
    root: str | None = Field(None, description="Where catalog data lives; none: $DAPT_DATA, else the user's cache.")
    own_split: bool = Field(
        False, description="Divide a catalog data set anew if its official split file is missing; results.json says so."
    )
    model: str = Field("ViT-B-16/openai", description="Backbone: any open_clip specification.")
    method: str = Field("maple", description="Prompt method; see 'dapt methods list'.")
    plugins: list[str] = Field(
        default_factory=list, description="Python files that register methods, cues and so on; see docs/plugins.md."
    )
    prompt: dict[str, Any] = Field(default_factory=dict, description="Options of the method.")
    n_ctx: int | None = Field(None, ge=1, description="Number of context vectors; none: the method's own.")
    depth: int | None = Field(None, ge=1, description="Layers with fresh prompts; none: the method's own.")
    dapt: DaptOptions = Field(default_factory=DaptOptions)
    cue: CueSettings = Field(default_factory=CueSettings)
    masks: str | None = Field(None, description="Folder of mask files; docs/cues.md says where formats look.")
    mask_format: MaskFormat = Field(
        "binary",
        description="binary (>= 128), labels (0 = background), trimap, alpha (of cut-outs), colours (any but "
        "mask_background), or the rules of a collection: dapt, foreground.",
    )
    mask_name: str | None = Field(
        None,
        description="How mask files are called, as in {stem}_mask.png; with {stem}, {name} and {parent} of the image, "
        "* for anything. none: as the image.",
    )
    mask_background: str = Field(BLACK, description="colours: the colour of the background: black, white or #rrggbb.")
    names: str | None = Field(None, description="File with the class names to use.")
    classes: list[str] | None = Field(None, min_length=1, description="The classes to use, by name; none: all.")
    split_file: str | None = Field(
        None, description="JSON split file whose images replace the data's own split, see 'dapt data select'."
    )
    split_rule: SplitRule | None = Field(
        None,
        description="How data without splits is divided. hash: by the content of each image, so that others do not "
        "matter; positions: by its place in the list of its class. none: hash, or as a run that goes on.",
    )
    keep_split: str | None = Field(
        None, description="Earlier run whose images stay in train, val and test; new ones are dealt by need."
    )
    allow_leaks: bool = Field(
        False, description="Go on although test images are equal to training images; results.json says so."
    )
    skip_bad: bool = Field(False, description="Leave out damaged files and count them, instead of stopping.")
    max_pixels: float = Field(
        MAX_MEGAPIXELS,
        gt=0,
        description="Million pixels of the largest image or mask that is decoded. JPEGs of up to twice as many are "
        "read at a half, a quarter or an eighth of their size, which is said. See docs/limits.md.",
    )

    draft: bool = Field(
        False,
        description="Decode large JPEGs of test images reduced: faster, nearly the same. See docs/performance.md.",
    )
    matte: str = Field(
        WHITE, description="Colour behind transparent parts of images: white, black or #rrggbb. See docs/data.md."
    )
    bits: int | None = Field(
        None,
        ge=8,
        le=16,
        description="Bits that images of more than 8 per channel use (12 for 12-bit in 16); none: told by the largest "
        "value of each.",
    )

    shots: int = Field(16, ge=0, description="Training images per class; 0: all.")
    seed: int = Field(1, ge=0, description="Seed of the few-shot sample, the prompts and the batches.")
    subset: Literal["all", "base"] = Field("all", description="base: train on the first half of the classes.")
    select: str | None = Field(None, description="Selection method that chooses training images; none: all are used.")
    fraction: float = Field(1.0, gt=0, le=1, description="Share of the training images that is chosen.")
    selection: SelectionOptions = Field(default_factory=SelectionOptions, description="How it is chosen.")

    epochs: Count | None = Field(None, ge=0, description="Passes over the data; none: the method's own.")
    batch_size: Count | None = Field(None, ge=1, description="Images per step over all devices.")
    lr: float | None = Field(None, gt=0, description="Base learning rate; none: the method's own.")
    lr_rule: Literal["none", "sqrt"] = Field(
        "none", description="sqrt: lr times the root of batch_size over the method's own batch size."
    )
    optimizer: OptimizerName | None = Field(
        None,
        description="sgd, adam (decay in the gradient), adamw (apart from it), lion, or muon (matrices; the rest by "
        "adamw); none: the method's own.",
    )
    adam_eps: Rate | None = Field(
        None, gt=0, le=1, description="Added to the denominator by adam and adamw; none: the method's own, else 1e-8."
    )
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: Rate | None = Field(None, ge=0, description="Of everything trained; none: the method's own.")
    warmup_epochs: Count | None = Field(
        None, ge=0, description="Epochs at warmup_lr before the cosine starts; none: the method's own."
    )
    warmup_lr: float = Field(1e-5, gt=0)
    schedule: Literal["cosine", "one_cycle"] = Field(
        "cosine",
        description="cosine: after the warm-up, epoch by epoch. one_cycle: step by step from lr / 25 up to lr in the "
        "first 30% and down to nearly nothing; it has no warm-up beside.",
    )
    stop_margin: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="End the training after an epoch in which most images had a probability of their class so much "
        "above that of any other; none: all epochs.",
    )
    stop_share: float = Field(0.95, gt=0, le=1, description="How many are most, of the images that the epoch saw.")
    drop_last: bool = Field(True, description="Leave out the last, smaller batch when there is a full one.")
    model_selection: Literal["last", "best_val", "best_test"] = Field(
        "last",
        description="last epoch, or the one with the best validation accuracy. best_test chooses by the TEST "
        "images, as some published figures do; results.json says so.",
    )
    transductive: bool = Field(
        False,
        description="Methods that learn without labels: train on the images of all classes, held-back ones included, "
        "as the published PromptKD does; results.json says so.",
    )
    multi_label: Literal["softmax", "sigmoid"] = Field(
        "softmax",
        description="Data whose images show several classes. softmax: an equal share of the probability for each class "
        "shown; sigmoid: each class is a yes-no question, asked of the logit minus the mean logit of the image.",
    )

    class_weights: str = Field(
        "none",
        min_length=1,
        description="What images of a class count in the cross-entropy. none: all the same; auto: by the inverse of "
        "their number, where classes differ in it; else a YAML or JSON file with a number for each class name.",
    )

    crop_scale: tuple[float, float] = Field((0.08, 1.0), description="Area range of the random crop.")
    flip: float = Field(0.5, ge=0, le=1, description="Probability of a horizontal flip.")
    workers: int = Field(0, ge=0, le=256, description="Loader processes.")
    cache_mb: Megabytes = Field(2048, ge=0, description="Memory for decoded training images.")
    eval_batch_size: Count = Field(100, ge=1)

    device: str = Field("auto", description="auto, cpu, cuda, cuda:N or mps.")
    devices: int = Field(1, ge=1, le=64, description="Processes of data-parallel training.")
    precision: Literal["32", "bf16", "16"] = Field("32", description="Type of the towers; prompts are float32.")
    grad_checkpointing: bool = Field(False, description="Recompute blocks in backward to save memory.")
    cuda_graph: Literal["auto", "off"] = Field(
        "auto",
        description="auto: on one GPU the training step is recorded as a CUDA graph after a few steps, and played "
        "back, where it can be; the numbers are the same.",
    )
    text_memory_mb: Megabytes | None = Field(
        None,
        ge=1,
        description="Memory for what the text tower keeps for backward; classes beyond it are recomputed in "
        "chunks. none: half of what the device has.",
    )
    onednn: Literal["auto", "on", "off"] = Field(
        "auto",
        description="oneDNN multiplies by frozen weights (float32 on x86); auto: where it was measured as faster.",
    )
    deterministic: bool = Field(False, description="Refuse non-deterministic GPU kernels.")
    features: Literal["off", "auto", "on"] = Field(
        "off",
        description="Features of frozen image towers are kept in the user's cache and shared by runs. auto: where "
        "nothing within the image tower is trained; on: the same, others are refused. See docs/features.md.",
    )
    features_mb: Megabytes = Field(
        2048,
        ge=1,
        description="Of features that a run keeps: epochs beyond so many see the crops of earlier ones again; of "
        "methods with prompt.views, views beyond so many are computed by every run.",
    )
    track: list[str] = Field(
        default_factory=list,
        description="Trackers that follow the run, beside TensorBoard: wandb, mlflow, trackio; see docs/tracking.md.",
    )
    track_options: TrackOptions = Field(default_factory=TrackOptions, description="How they do.")
    out: str | None = Field(None, description="Run folder; none: runs/<data>-<method>-<shots>shot-seed<seed>.")

    @field_validator("data", "root", "masks", "names", "split_file", "keep_split", "class_weights", "out")
    @classmethod
    def _home(cls, value: str | None) -> str | None:
        return None if value is None else with_home(value)

    @field_validator("matte", "mask_background")
    @classmethod
    def _colour(cls, value: str) -> str:
        try:
            colour_of(value)
        except ConfigError as error:
            raise ValueError(error.message.replace("\n", " ")) from error
        return value

    @field_validator("mask_format", mode="before")
    @classmethod
    def _no_annotations(cls, value: object) -> object:
        if value not in get_args(MaskFormat) and (told := annotation_format(value)):
            raise ValueError(told)
        return value

    @field_validator("mask_name")
    @classmethod
    def _mask_name(cls, value: str | None) -> str | None:
        try:
            return None if value is None else check_pattern(value)
        except ConfigError as error:
            raise ValueError(error.message.replace("\n", " ")) from error

    @field_validator("crop_scale")
    @classmethod
    def _crop_scale(cls, value: tuple[float, float]) -> tuple[float, float]:
        low, high = value
        if not (0 <= low <= high <= 1 and high > 0):
            raise ValueError("an area range is two shares of the image, the smaller first, as in [0.08, 1.0]")
        return value

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, value: Any) -> Any:
        return written_out(value) if isinstance(value, Mapping) else value


class RunConfig(RunSettings):
    """Everything that decides a run, with nothing left to the method; made by `make_config` or `resolve`."""

    epochs: Count = Field(ge=0)
    batch_size: Count = Field(ge=1)
    lr: float = Field(gt=0)
    optimizer: OptimizerName
    weight_decay: Rate = Field(ge=0)
    warmup_epochs: Count = Field(ge=0)

    @property
    def given_epochs(self) -> bool:
        """Whether epochs were asked for, even if the method has no training steps and therefore none."""
        return "epochs" in self.model_fields_set

    @property
    def recipe(self) -> Method:
        """The declaration of the method."""
        return METHODS.get(self.method)

    @property
    def options(self) -> MethodOptions:
        """The options of the method, checked."""
        return validated(self.recipe.options, self.prompt, "prompt.")

    @property
    def scaled_lr(self) -> float:
        """The base learning rate by which is trained: `lr` by the rule for other batch sizes."""
        return by_rule(self.lr_rule, self.lr, self.batch_size, self.recipe.training.batch_size)


def by_rule(rule: Literal["none", "sqrt"], lr: float, batch_size: int, own: int) -> float:
    """A learning rate for batches of another size than the method's own."""
    return lr if rule == "none" else lr * math.sqrt(batch_size / own)


def make_config(tree: Mapping[str, Any]) -> RunConfig:
    """Check a nested mapping and fill in the method's published settings.

    Raises:
        ConfigError: unknown key or method, or a value of the wrong kind.
    """
    settings = validated(RunSettings, tree)
    load_plugins(settings.plugins)
    return resolve(settings)


def make_saved_config(tree: Mapping[str, Any]) -> RunConfig:
    """`make_config` of a saved run: options that the method does not have are left out, see `known_options`.

    Raises:
        ConfigError: as `make_config`.
    """
    plugins, there = tree.get("plugins"), []
    if isinstance(plugins, list):
        there = [file for file in plugins if isinstance(file, str) and Path(file).is_file()]
        for file in plugins:
            if file not in there:
                warn(f"The plugin {file} of this run is not there any more; name it with --plugin where it is now.")
        tree = {**tree, "plugins": there}
    tree = {"split_rule": POSITIONS, **tree}  # the only one before it had a name
    load_plugins(there)
    method, options = tree.get("method"), tree.get("prompt")
    if method in METHODS.names() and isinstance(options, Mapping):
        tree = {**tree, "prompt": known_options(METHODS.get(str(method)).options, options)}
    return make_config(tree)


def resolve(config: RunSettings) -> RunConfig:
    """The configuration with every open choice replaced by the method's published value."""
    method = METHODS.get(config.method)
    own = method.options.model_fields
    prompt = {**method.preset, **config.prompt}
    for key, value in (("n_ctx", config.n_ctx), ("depth", config.depth)):
        if value is None:
            continue
        if key not in own:
            raise ConfigError(
                f"The method {config.method} has no {key}.", todo=f"Its options: {', '.join(sorted(own))}."
            )
        prompt[key] = value
    options = validated(method.options, prompt, "prompt.")
    defaults = method.training
    lr = config.lr or defaults.lr
    filled: dict[str, Any] = {
        "prompt": options.model_dump(),
        "n_ctx": None,
        "depth": None,
        "epochs": defaults.epochs_for(config.shots) if config.epochs is None else config.epochs,
        "batch_size": config.batch_size or defaults.batch_size,
        "lr": lr,
        "optimizer": config.optimizer or defaults.optimizer,
        "weight_decay": defaults.weight_decay if config.weight_decay is None else config.weight_decay,
        "warmup_epochs": defaults.warmup_epochs if config.warmup_epochs is None else config.warmup_epochs,
    }
    filled["adam_eps"] = defaults.adam_eps if config.adam_eps is None else config.adam_eps
    scaled = by_rule(config.lr_rule, lr, filled["batch_size"], defaults.batch_size)
    if filled["optimizer"] not in ("adam", "adamw"):
        if config.adam_eps is not None:
            raise ConfigError(
                f"adam_eps belongs to adam and adamw, and this run uses {filled['optimizer']}.", todo="Leave it out."
            )
        filled["adam_eps"] = None
    largest = LARGEST_FLOAT if filled["optimizer"] == "sgd" else LARGEST_ADAM_LR
    if max(scaled, config.warmup_lr, config.selection.lr) > largest:
        raise ConfigError(f"A learning rate beyond {largest:g} is too large for {filled['optimizer']}.")
    if config.schedule == "one_cycle":
        if config.warmup_epochs:
            raise ConfigError(
                "warmup_epochs belongs to the cosine, and schedule=one_cycle begins with a rise of its own.",
                todo="Leave it out.",
            )
        filled["warmup_epochs"] = 0
    if config.stop_margin is not None and method.label_free:
        raise ConfigError(
            f"{config.method} learns without labels, so no training image has a margin of its class.",
            todo="Leave stop_margin out.",
        )
    if config.transductive and not method.label_free:
        raise ConfigError(
            f"{config.method} learns from labels, so it cannot train on classes that are held back.",
            todo="Leave transductive out, or choose a method that learns without labels (promptkd).",
        )
    if not method.trains:
        filled["epochs"] = 0
    given = config.model_fields_set - (set() if config.epochs else {"epochs"})  # 0: as a run without steps is saved
    return RunConfig.model_construct(given, **{**dict(config), **filled})
