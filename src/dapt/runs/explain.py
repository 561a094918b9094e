"""Explaining predictions of image files: which models, which foreground, which of many images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dapt.clip.dassl import dassl_checkpoint
from dapt.clip.load import load_clip
from dapt.colour import BLACK
from dapt.config import MaskFormat, make_config
from dapt.console import progress, say, warn
from dapt.cues.base import Cue, CueContext
from dapt.cues.build import FREE, cue_options, cue_type, make_cue
from dapt.dapt_names import run_title
from dapt.data.check.finding import count
from dapt.data.items import Item
from dapt.data.load.images import RefusedImageError
from dapt.data.load.notes import say_notes
from dapt.data.masks.mask_files import check_format, mask_folder
from dapt.data.masks.mask_finder import MaskFinder
from dapt.data.masks.not_found import explain_not_found
from dapt.data.masks.rules import MaskRules
from dapt.devices import compute_exactly, pick_device
from dapt.errors import ConfigError, DataError, NotSupportedError
from dapt.evaluation.cue_maps import check_maps, map_names, title_of
from dapt.evaluation.explain_sheet import draw_sheet
from dapt.evaluation.explanation import BATCH, Explainer, Explanation, Subject, unlabelled
from dapt.evaluation.pictures import picture_files, write_picture
from dapt.methods.base import METHODS
from dapt.model.build import assemble, build_model
from dapt.model.predictor import Prediction, Predictor
from dapt.model.prompted_clip import PromptedClip
from dapt.runs.guessed_by import guessed_by
from dapt.runs.load_run import load_run
from dapt.runs.run_folder import RunFolder
from dapt.wording import some

DEFAULT_CUE = FREE
MASKS, DATASET, NONE = "masks", "dataset", "none"
ZERO_SHOT = "zero_shot"
ADVICE = "Give mask files (--masks) or another --cue."
DEEPEST = 8  # folders of an image's path that may be mirrored among the masks


@dataclass(frozen=True)
class Foreground:
    """Where the foreground of the images comes from.

    Attributes:
        masks: folder of mask files, and their format, names and colour as in a configuration. cue: name of a cue
            instead; None: the default one, of which it is no mistake if the model has none. options: of the cue.
    """

    masks: Path | None = None
    mask_format: str | None = None
    mask_name: str | None = None
    mask_background: str | None = None
    cue: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.masks is not None and self.cue not in (None, MASKS):
            raise ConfigError(f"--masks and --cue {self.cue} are two sources of the foreground.", todo="Give one.")
        if self.cue == MASKS and self.masks is None:
            raise ConfigError("--cue masks reads a folder of masks.", todo="Name it with --masks.")
        if self.cue == DATASET:
            raise ConfigError(
                "--cue dataset reads the masks of a data set, and images by themselves belong to none.",
                todo="Name the folder of the masks with --masks.",
            )
        if self.cue is not None:
            cue_type(self.cue)

    @property
    def source(self) -> str:
        """The name of the cue."""
        return MASKS if self.masks is not None else self.cue or DEFAULT_CUE

    @property
    def words(self) -> str:
        """For people."""
        if self.source == NONE:
            return "not looked for"
        guess = f"guessed by {title_of(self.made_by)}" if self.made_by else ""
        return ", ".join(filter(None, [f"masks in {self.masks}" if self.masks is not None else "", guess]))

    @property
    def made_by(self) -> str:
        """The cue that guesses the foreground, or has guessed the masks; empty: files somebody has drawn, or none."""
        if self.source == NONE:
            return ""
        return self.source if self.masks is None else guessed_by(self.masks)


@dataclass(frozen=True)
class Models:
    """The models that are explained: before adaptation and after.

    Attributes:
        before: zero-shot of the same backbone; None where the run itself is nothing else. after: None without a run.
        after_title: of the run.
    """

    before: PromptedClip | None
    after: PromptedClip | None
    after_title: str = ""
    before_title: str = "before (zero-shot)"

    def subjects(self, maps: Sequence[str]) -> list[Subject]:
        """Both as subjects of an explanation, before adaptation first."""
        pairs = ((self.before_title, self.before), (self.after_title, self.after))
        return [Subject(title, model, maps) for title, model in pairs if model is not None]

    @property
    def first(self) -> PromptedClip:
        """The model that knows nothing of the run, if there is one."""
        model = self.before if self.before is not None else self.after
        assert model is not None
        return model


def load_models(
    run: Path | None, *, model_spec: str | None = None, classes: Sequence[str] | None = None, device: str = "auto"
) -> Models:
    """The models to explain.

    Args:
        run: a finished run; None: zero-shot of `model_spec` alone, among `classes`. model_spec: of a run, another name
            of its backbone. classes: other classes than the trained ones.

    Raises:
        DaptError: there is no such run or model; or no classes.
    """
    if run is None:
        if not classes:
            raise ConfigError(
                "Zero-shot needs classes to choose from.", todo="Name them with --classes, or give a run."
            )
        config = make_config({"data": "-", "method": ZERO_SHOT, **({"model": model_spec} if model_spec else {})})
        compute_exactly()
        clip = load_clip(config.model, device=pick_device(device), precision=config.precision)
        return Models(build_model(config, clip, list(classes)).eval(), None, before_title="zero-shot")
    after, config = load_run(run, model_spec=model_spec, device=device)
    after = after.eval().with_classes(classes or None)
    title = run_title(config)
    if config.recipe.architecture == METHODS.get(ZERO_SHOT).architecture:
        return Models(None, after, title)
    return Models(zero_shot_of(after), after, f"after ({title})")


def zero_shot_of(model: PromptedClip) -> PromptedClip:
    """The same frozen model and classes before any adaptation: "a photo of a {}."."""
    method = METHODS.get(ZERO_SHOT)
    options = method.options()
    made = assemble(
        model.clip,
        method,
        options,
        model.names,
        type(model.made_with.dapt)(),
        seed=1,
        reading=model.made_with.reading,
    )
    return made.eval()


def chosen_maps(names: Sequence[str] | None) -> list[str]:
    """The maps to show: as named, else all there are.

    Raises:
        ConfigError: one is no map.
    """
    return map_names() if names is None else check_maps(names)


def make_explainer(
    models: Models, foreground: Foreground, maps: Sequence[str], *, top: int = 5, skip_bad: bool = False
) -> Explainer:
    """What explains images with these models.

    Raises:
        DaptError: there is no such folder of masks, or an option that the cue has not.
    """
    explainer = Explainer(models.subjects(maps), None, models.first, top, skip_bad)
    explainer.cue = make_foreground(foreground, explainer)
    return explainer


def make_foreground(foreground: Foreground, explainer: Explainer) -> Cue:
    """The cue that finds the foreground of the images an explainer reads.

    Raises:
        DaptError: as `make_explainer`.
    """
    kind: MaskFormat = check_format(foreground.mask_format or "binary")
    context = CueContext(
        cue_options(foreground.source, foreground.options),
        mask_folder(foreground.masks),
        kind,
        explainer.skip_bad,
        lambda item: explainer.images(item),
        1,
        mask_name=foreground.mask_name,
        mask_background=foreground.mask_background or BLACK,
    )
    return make_cue(foreground.source, context)


def name_items(paths: Sequence[Path], foreground: Foreground) -> list[Item]:
    """The images, each named by the longest end of its path by which there is a mask; where there is none, by its file.

    Raises:
        DataError: two files could be the mask of an image, or one file that of two images, or no image has one.
    """
    if foreground.masks is None:
        return [unlabelled(path) for path in paths]
    rules = MaskRules(check_format(foreground.mask_format or "binary"), foreground.mask_name)
    finder = MaskFinder(foreground.masks, rules.kind, rules.name)
    items = [unlabelled(path, _masked_name(path, finder)) for path in paths]
    without = [item.name for item in items if not finder.find(item)]
    if items and len(without) == len(items):
        more, todo = explain_not_found(items, foreground.masks, rules)
        raise DataError("None of the images has a mask.", where=str(foreground.masks), more=more, todo=todo)
    if without:
        warn(f"{_of(without, len(items))} no mask in {foreground.masks}: {some(without)}")
    return items


def _of(names: Sequence[str], total: int) -> str:
    """How many of the images, and their verb: ``1 of 1 image has``, ``1 of 2 images have``."""
    return f"{len(names)} of {count(total, 'image')} {'has' if total == 1 else 'have'}"


def _masked_name(path: Path, finder: MaskFinder) -> str:
    parts = path.absolute().parts[1:]
    ends = ["/".join(parts[-count:]) for count in range(min(DEEPEST, len(parts)), 0, -1)]
    return next((name for name in ends if finder.find(unlabelled(path, name))), path.name)


def explain_all(explainer: Explainer, items: Sequence[Item], *, default_cue: bool = False) -> Iterator[Explanation]:
    """Explain images, a batch at a time, with progress.

    Args:
        default_cue: nobody has asked for the cue, so that a model without such masks is explained without.

    Raises:
        DataError: an image or mask cannot be read. NotSupportedError: the model has no such cue.
    """
    for start in progress(range(0, len(items), BATCH), -(-len(items) // BATCH), "explaining", "batches"):
        part = items[start : start + BATCH]
        try:
            found = explainer.explain(part)
        except NotSupportedError as error:
            if not default_cue or explainer.cue is None:
                raise
            explainer.missing = f"No foreground: {error.what}"
            explainer.cue = None
            found = explainer.explain(part)
        if start == 0:
            _say_odd_masks(explainer.cue)
        yield from found
    say_notes()


def _say_odd_masks(cue: Cue | None) -> None:
    """Say what looks wrong about the masks read last: they may be of another format, or have no foreground."""
    if cue is None or not cue.reads_files:
        return
    try:
        cue.check()
    except DataError as error:
        warn(" ".join(part for part in (error.what, error.todo) if part))


def say_left_out(explainer: Explainer) -> None:
    """Say which images were left out because they cannot be read."""
    for error in explainer.damaged:
        warn(error.what)
    refused = sum(isinstance(error, RefusedImageError) for error in explainer.damaged)
    for number, one, many in (
        (len(explainer.damaged) - refused, "damaged image was", "damaged images were"),
        (refused, "image that is too large or not read was", "images that are too large or not read were"),
    ):
        if number:
            warn(f"{number} {one if number == 1 else many} left out.")


def say_guess(foreground: Foreground, *, todo: str = "") -> None:
    """Say that the foreground is a guess, and whose; `todo`: where another one can be had."""
    if foreground.made_by:
        more = f"; {todo}" if todo else ""
        say(
            f"the foreground is {foreground.words}; where the guess is wrong the shares of the background say "
            f"little{more}"
        )


def say_missing(explainer: Explainer, without: Sequence[str], total: int, *, advice: str = ADVICE) -> None:
    """Say what could not be shown.

    Args:
        without: images without a foreground of use. total: so many images were explained. advice: where a foreground
            comes from.
    """
    for sentence in dict.fromkeys(text for subject in explainer.subjects for text in subject.missing):
        warn(sentence)
    if explainer.missing:
        warn(f"{explainer.missing} {advice}")
    elif without:
        warn(
            f"{_of(without, total)} no foreground of use, so there are no parts to compare; the rest is shown: "
            f"{some(without)}"
        )


def write_explanations(predictor: Predictor, predictions: Sequence[Prediction], folder: Path) -> None:
    """One picture per prediction of a file, named after the file, in `folder`.

    The foreground is that of the default cue, made with the model itself; what guesses it is said, and where the
    pictures are.

    Raises:
        ConfigError: as `dapt.evaluation.pictures.picture_files`.
    """
    paths = [prediction.path for prediction in predictions if prediction.path is not None]
    targets = picture_files(paths, folder)
    foreground = Foreground()
    say_guess(foreground, todo="dapt explain takes mask files or another cue")
    explainer = make_explainer(Models(None, predictor.model, "prediction"), foreground, chosen_maps(None))
    without = []
    found = explain_all(explainer, [unlabelled(path) for path in paths], default_cue=True)
    for one, target in zip(found, targets, strict=True):
        write_picture(draw_sheet(one, foreground.words), target)
        if one.mask is None:
            without.append(str(one.path))
    say_missing(explainer, without, len(paths), advice="dapt explain takes mask files or another cue.")
    say(f"{count(len(targets), 'picture')} of what decides in {folder}")


def is_run(path: Path) -> bool:
    """Whether a path is meant as a run: a folder with a configuration, prompts or a checkpoint, not one of images."""
    if not path.is_dir():
        return path.suffix == ".safetensors"
    run = RunFolder(path)
    return run.config_file.is_file() or run.prompts_file.is_file() or dassl_checkpoint(path) is not None
