"""`DaptClassifier`: the training of `dapt train` as a scikit-learn estimator."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dapt.api.estimator_base import BaseEstimator, ClassifierMixin, EstimatorError, NotFittedError, Ready
from dapt.api.estimator_input import class_texts, image_set, images_in, labels_of, pictures_of
from dapt.api.estimator_words import told_of
from dapt.config import RunConfig, make_config
from dapt.config_text import apply_settings
from dapt.console import is_quiet, set_quiet
from dapt.data.load.preprocess import Picture
from dapt.errors import ConfigError
from dapt.files import read_json
from dapt.model.saved import CONFIG, PROMPTS
from dapt.paths import with_home
from dapt.plugins import load_installed
from dapt.strict import shown
from dapt.wording import some

if TYPE_CHECKING:
    from dapt.model.predictor import Predictor

OF_THE_DATA = (  # X and y say these
    *("data", "root", "own_split", "names", "split_file", "subset", "classes", "keep_split"),
)
OWN = (  # parameters that are configuration keys
    *("method", "model", "dapt", "cue", "shots", "epochs", "batch_size", "lr", "n_ctx", "depth"),
    *("seed", "device", "precision"),
)
NESTED = "settings__"  # before a configuration key, as in parameter grids
SPLIT = "split.json"  # of a run folder
BATCH = 32  # pictures that are decoded at a time


class DaptClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of pictures that is trained as `dapt train` does it, for programs around scikit-learn.

    X is a list of paths, PIL images or uint8 arrays ``[H, W, 3]`` (or one array ``[N, H, W, 3]``), y one label of
    each: texts or whole numbers. Class names are what CLIP is told, so numbers want `class_names`. All of X is trained
    on; what is held back is the business of `cross_val_score` and the like.

    Example::

        classifier = DaptClassifier(method="maple", dapt=True, epochs=5).fit(paths, labels)
        classifier.predict(["photo.jpg"])

    Args:
        method: see `list_methods`. model: the backbone. dapt: add DAPT's terms to the loss; a mapping switches it on
            with these options. cue: what finds the foreground, see `list_cues`.
        class_names: what the classes are called: a mapping from labels, or a list in the order of the sorted labels;
            None: as their labels.
        shots: pictures of each class, 0: all. epochs, batch_size, lr, n_ctx, depth: None: the method's own.
        seed, device, precision: as of a run. settings: any other configuration key, also within sections:
            ``{"flip": 0, "dapt.margin": 1.0}``; parameter grids name one as ``settings__flip``.
        out: folder of the run, replaced by every fit; None: a temporary one. verbose: say what training says.

    Attributes:
        classes_: the labels, sorted. class_names_: what they were called. results_: content of the run's results.json.
        images_: numbers of pictures by split and class name.
    """

    def __init__(
        self,
        *,
        method: str = "maple",
        model: str = "ViT-B-16/openai",
        dapt: bool | Mapping[str, Any] = False,
        cue: str | Mapping[str, Any] | None = None,
        class_names: Sequence[str] | Mapping[Any, str] | None = None,
        shots: int = 0,
        epochs: int | None = None,
        batch_size: int | None = None,
        lr: float | None = None,
        n_ctx: int | None = None,
        depth: int | None = None,
        seed: int = 1,
        device: str = "auto",
        precision: str = "32",
        settings: Mapping[str, Any] | None = None,
        out: Path | str | None = None,
        verbose: bool = False,
    ) -> None:
        self.method = method
        self.model = model
        self.dapt = dapt
        self.cue = cue
        self.class_names = class_names
        self.shots = shots
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.n_ctx = n_ctx
        self.depth = depth
        self.seed = seed
        self.device = device
        self.precision = precision
        self.settings = settings
        self.out = out
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> DaptClassifier:  # noqa: N803 - scikit-learn's name
        """Train on pictures and their labels; what was learned before is forgotten.

        Raises:
            EstimatorError: X or y is not what is wanted, or there is one class only. DaptError: anything else the user
                can mend.
        """
        from dapt.runs.train import run_training

        pictures = self._pictures(X)
        labels = labels_of(y, len(pictures))
        classes, places = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise EstimatorError(
                f"All pictures are of one class ({classes[0]}), and a classifier needs two.",
                todo="Give pictures of at least two classes.",
            )
        names = class_texts(classes, self.class_names)
        load_installed()
        with tempfile.TemporaryDirectory(prefix="dapt-fit-") as folder, _hushed(self.verbose):
            run = Path(folder) / "run" if self.out is None else Path(with_home(str(self.out)))
            config = self._config(Path(folder) / "pictures", run)
            images = image_set(pictures, places.tolist(), names, Path(folder) / "pictures")
            results = run_training(config, overwrite=True, images=images)
            self._files = {name: (run / name).read_bytes() for name in (PROMPTS, CONFIG)}
            self.images_ = images_in(read_json(run / SPLIT))
        self.classes_, self.class_names_ = classes, list(images.names)
        self.results_ = results.tree()
        self._fitted_with = deepcopy(self.get_params(deep=False))
        self._ready = Ready()
        return self

    def predict_proba(self, X: Any) -> np.ndarray[Any, Any]:  # noqa: N803
        """Probabilities ``[N, C]`` of the classes, in the order of `classes_`.

        Raises:
            NotFittedError: nothing was trained yet. DataError: a picture cannot be read.
        """
        predictor = self.predictor
        pictures = self._pictures(X)
        column = {name: place for place, name in enumerate(self.class_names_)}
        found: np.ndarray[Any, Any] = np.zeros((len(pictures), len(column)))
        for start in range(0, len(pictures), BATCH):
            for row, each in enumerate(predictor(pictures[start : start + BATCH], top=len(column)), start):
                found[row, [column[name] for name in each.classes]] = each.probabilities
        found /= found.sum(axis=1, keepdims=True)
        return found

    def predict(self, X: Any) -> np.ndarray[Any, Any]:  # noqa: N803
        """The most likely label of each picture, ``[N]``; see `predict_proba`."""
        likely = self.predict_proba(X).argmax(axis=1)
        found: np.ndarray[Any, Any] = self.classes_[likely]
        return found

    def score(self, X: Any, y: Any) -> float:  # noqa: N803
        """The share of the pictures that are given their label.

        Raises:
            EstimatorError: labels that were not trained on, or not as many as pictures; see also `predict_proba`.
        """
        self._check_fitted()
        pictures = self._pictures(X)
        labels = self._known(labels_of(y, len(pictures)))
        return float(np.mean(self.predict(X) == labels))

    def save_pretrained(
        self,
        folder: Path | str,
        *,
        test: tuple[Any, Any] | None = None,
        audit: Path | str | Mapping[str, Any] | None = None,
    ) -> Path:
        """Save what was learned, with a model card (README.md), into a folder, whole or not at all.

        Args:
            folder: new, empty, or one that was saved before, whose model is replaced.
            test: pictures and labels that were not trained on: the card tells the accuracy of this model and of
                zero-shot on them. audit: what `dapt.audit` returned of this model, or the file or folder of that.

        Raises:
            NotFittedError: nothing was trained yet. DaptError: the folder holds what dapt did not write, or as `score`.
        """
        from dapt.api.saved_classifier import save

        place = Path(with_home(str(folder)))
        return save(self, place, place.resolve().name, test=test, audit=audit)

    @classmethod
    def from_pretrained(
        cls,
        name: Path | str,
        *,
        model: str | None = None,
        device: str = "auto",
        precision: str = "32",
        revision: str | None = None,
        token: str | None = None,
    ) -> DaptClassifier:
        """A trained classifier: what `save_pretrained` or a run has left in a folder, or one of the hub.

        Args:
            name: a folder, or ``OWNER/NAME`` on the Hugging Face hub. model: another name of its backbone (a moved
                folder, say). revision, token: of the hub.

        Raises:
            DaptError: there is none, it is damaged, or the hub refuses.
        """
        from dapt.api.saved_classifier import read

        made = cls(device=device, precision=precision)
        read(made, name, revision=revision, token=token)
        made.model = model or made.model
        return made

    def push_to_hub(
        self,
        name: str,
        *,
        test: tuple[Any, Any] | None = None,
        audit: Path | str | Mapping[str, Any] | None = None,
        private: bool | None = None,
        token: str | None = None,
    ) -> str:
        """Upload what `save_pretrained` would save, after saying what, how big and where to.

        Args:
            name: ``OWNER/NAME``; made if it is not there. test, audit: see `save_pretrained`. private: of a new
                repository. token: of the hub; None: the one logged in with.

        Returns:
            the address of the repository.

        Raises:
            DaptError: as `save_pretrained`, or the hub refuses or cannot be reached.
        """
        from dapt.api.model_hub import check_name, upload
        from dapt.api.saved_classifier import FILES, save

        check_name(name)
        with tempfile.TemporaryDirectory(prefix="dapt-push-") as folder:
            saved = save(self, Path(folder) / "model", name, test=test, audit=audit)
            return upload(name, saved, FILES, private=private, token=token)

    @property
    def predictor(self) -> Predictor:
        """The trained model ready to classify pictures, see `dapt.Predictor`; loaded on first use.

        Raises:
            NotFittedError: nothing was trained yet.
        """
        self._check_fitted()
        with _loading:
            if self._ready.predictor is None:
                self._ready.predictor = self._opened()
            return self._ready.predictor

    def set_params(self, **params: Any) -> DaptClassifier:
        """Set parameters by name; ``settings__KEY`` sets one key of `settings`."""
        nested = {key.removeprefix(NESTED): params.pop(key) for key in list(params) if key.startswith(NESTED)}
        super().set_params(**params)
        if nested:
            self.settings = {**(self.settings or {}), **nested}
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.no_validation = True
        return tags

    def _more_tags(self) -> dict[str, Any]:  # of scikit-learn before 1.6
        return {"X_types": ["string"], "no_validation": True}

    def _pictures(self, X: Any) -> list[Picture]:  # noqa: N803
        return pictures_of(X)

    def _check_fitted(self) -> None:
        if not hasattr(self, "_files"):
            raise NotFittedError(f"This {type(self).__name__} instance is not fitted yet: call fit(X, y) first.")

    def _known(self, labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The labels, if all of them were trained on.

        Raises:
            EstimatorError: naming those that were not.
        """
        other = sorted(set(labels.tolist()) - set(self.classes_.tolist()))  # values: 1.0 is 1, and "1" is not
        if other:
            raise EstimatorError(
                f"y holds labels that were not trained on: {some([shown(label) for label in other])}.",
                todo=f"The classes are {some([shown(label) for label in self.classes_.tolist()], 10)}.",
            )
        return labels

    def _config(self, data: Path, run: Path) -> RunConfig:
        """The configuration of the run.

        Raises:
            ConfigError: an unknown key, one in `settings` that X, y or a parameter says, or `settings` is no mapping.
        """
        settings = {} if self.settings is None else self.settings
        if not isinstance(settings, Mapping) or not all(isinstance(key, str) for key in settings):
            raise ConfigError(
                f"settings is {shown(settings)}, and a mapping from configuration keys is wanted.",
                todo='Write it as {"flip": 0, "dapt.margin": 1.0}.',
            )
        given = {key: getattr(self, key) for key in OWN}
        tree: dict[str, Any] = {key: _plain(value) for key, value in given.items() if value is not None}
        for key, value in settings.items():
            if key in (*OWN, "out", *OF_THE_DATA):
                says = "X and y say that" if key in OF_THE_DATA else f"that is the parameter {key}"
                raise ConfigError(f"settings holds {key}: {says}.", todo="Leave it out of settings.")
            if "." in key:
                tree = apply_settings(tree, [f"{key}={json.dumps(_plain(value))}"])
            else:
                tree[key] = _plain(value)
        return make_config({**tree, "data": str(data), "out": str(run)})

    def _opened(self) -> Predictor:
        from dapt.model.predictor import Predictor

        spec = None if self.model == self._fitted_with["model"] else self.model
        with tempfile.TemporaryDirectory(prefix="dapt-model-") as folder, _hushed(self.verbose):
            for name, content in self._files.items():
                (Path(folder) / name).write_bytes(content)
            return Predictor.from_pretrained(folder, model=spec, device=self.device, precision=self.precision)


_loading = threading.RLock()


def _plain(value: Any) -> Any:
    """Numbers of NumPy, as parameter searches give them, as Python's own."""
    return value.item() if isinstance(value, np.generic) else value


@contextmanager
def _hushed(verbose: bool) -> Iterator[None]:
    """Meanwhile nothing is said unless `verbose`; warnings and errors are a program's, see `told_of`."""
    before = is_quiet()
    set_quiet(before or not verbose)
    try:
        with told_of(DaptClassifier._get_param_names()):
            yield
    finally:
        set_quiet(before)
