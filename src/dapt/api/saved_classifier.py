"""The folder of a shared `DaptClassifier`: its prompts, its labels, and a card for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dapt.api.estimator_base import EstimatorError, Ready
from dapt.api.estimator_input import images_in, labels_of
from dapt.api.model_hub import fetch
from dapt.api.models import create_model
from dapt.environment import version
from dapt.errors import ConfigError, ModelError
from dapt.files import json_text, read_json
from dapt.model.model_folder import FILES as MODEL_FILES
from dapt.model.predictor import Predictor
from dapt.model.prompts_file import load_prompts
from dapt.model.saved import CONFIG, PROMPTS
from dapt.owned import check_sealed, read_manifest
from dapt.paths import with_home
from dapt.report.model_card import Accuracy, CardFacts, model_card
from dapt.runs.run_folder import find_run, read_results
from dapt.strict import shown

LABELS, CARD = "classifier.json", "README.md"
FILES = (CARD, LABELS, *MODEL_FILES)
SCHEMA = 1
OF_THE_PLACE = ("out", "verbose", "device", "precision", "class_names")  # parameters that are not shared
AUDIT = "audit.json"
KINDS = {"U": str, "i": int, "u": int, "f": float, "b": bool}


def save(
    classifier: Any,
    folder: Path,
    name: str,
    *,
    test: tuple[Any, Any] | None,
    audit: Path | str | Mapping[str, Any] | None,
) -> Path:
    """Write the folder; see `DaptClassifier.save_pretrained`.

    Args:
        classifier: the `DaptClassifier`. name: by which the card says it is loaded.

    Raises:
        DaptError: see there.
    """
    model = classifier.predictor.model
    background = {} if audit is None else _background(audit)
    mine, theirs, of_test = (None, None, {}) if test is None else _tested(classifier, test)
    results = classifier.results_
    facts = CardFacts(
        name=name,
        classes=classifier.class_names_,
        method=classifier._fitted_with["method"],
        model=model.clip.spec,
        dapt=bool(results["dapt"]),
        shots=int(results["shots"]),
        seed=int(results["seed"]),
        version=version(),
        images={**classifier.images_, **of_test},
        test=mine or _of_the_run(results, results["metrics"]),
        zero_shot=theirs if mine else _of_the_run(results, (results.get("baselines") or {}).get("zero_shot") or {}),
        cue=results.get("cue"),
        background=background,
        flags=results.get("flags") or (),
    )
    about = json_text(_described(classifier), folder / LABELS).encode()
    card = model_card(facts).encode("utf-8", "backslashreplace")
    model.save_pretrained(folder, more={CARD: card, LABELS: about})
    return folder


def read(classifier: Any, name: Path | str, *, revision: str | None, token: str | None) -> None:
    """Make a new classifier a trained one; see `DaptClassifier.from_pretrained`.

    Raises:
        DaptError: see there.
    """
    folder = Path(with_home(str(name)))
    if not folder.exists():
        if len(Path(str(name)).parts) != 2 or Path(str(name)).is_absolute() or str(name).startswith("."):
            raise ConfigError(f"There is no folder {name}, and OWNER/NAME would be the name of a model on the hub.")
        folder = fetch(str(name), FILES, revision=revision, token=token)
    if (folder / LABELS).is_file():
        _read_saved(classifier, folder)
    elif (folder / CONFIG).is_file():
        _read_run(classifier, folder)
    else:
        raise ModelError(
            f"{name} holds no classifier ({LABELS} is missing).",
            todo="Give what DaptClassifier.save_pretrained or dapt train has made; dapt.load_model opens other models.",
        )
    classifier._fitted_with = classifier.get_params(deep=False)


def _described(classifier: Any) -> dict[str, Any]:
    parameters = {key: value for key, value in classifier._fitted_with.items() if key not in OF_THE_PLACE}
    parameters["model"] = classifier.predictor.model.clip.spec  # as it was found here, where it was moved
    return {
        "schema": SCHEMA,
        "dapt_version": version(),
        "labels": classifier.classes_.tolist(),
        "kind": str(classifier.classes_.dtype.kind),
        "class_names": classifier.class_names_,
        "images": classifier.images_,
        "parameters": json.loads(json.dumps(parameters, default=_plain)),
        "results": classifier.results_,
    }


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)


def _read_saved(classifier: Any, folder: Path) -> None:
    about = read_json(folder / LABELS)
    try:
        labels, names, kind = about["labels"], about["class_names"], about["kind"]
        good = about["schema"] == SCHEMA and len(labels) == len(names) == len(set(names)) >= 2
        good = good and all(type(label) is KINDS.get(kind, str) for label in labels)
        parameters, results, images = (dict(about[key]) for key in ("parameters", "results", "images"))
        good = good and all(isinstance(parameters[key], str) for key in ("method", "model"))
        good = good and {"dapt", "shots", "seed"} <= set(results) and isinstance(results["metrics"], dict)
    except (KeyError, TypeError, ValueError):
        good = False
    if not good:
        raise ModelError(f"{folder / LABELS} is damaged, or was written by a newer version of dapt.")
    if not (folder / PROMPTS).is_file():
        raise ModelError(f"{folder} lacks {PROMPTS}.", todo="Copy the whole folder.")
    if sorted(load_prompts(folder / PROMPTS).names) != sorted(names):
        raise ModelError(
            f"{folder / LABELS} names other classes than {PROMPTS} beside it.", todo="Copy both from one folder."
        )
    known = classifier.get_params(deep=False)
    classifier.set_params(**{key: value for key, value in parameters.items() if key in known})
    classifier._files = {PROMPTS: (folder / PROMPTS).read_bytes()}
    _take(classifier, np.array(labels, dtype=object if kind == "O" else None), names, results, images)


def _read_run(classifier: Any, folder: Path) -> None:
    run = find_run(folder)
    config = run.config()
    given = {key: getattr(config, key) for key in ("method", "model", "shots", "epochs", "batch_size", "lr", "seed")}
    classifier.set_params(**given, dapt=config.dapt.enabled, cue=config.cue.source)
    check_sealed(run.path, read_manifest(run.path), PROMPTS)
    classifier._files = {PROMPTS: run.prompts_file.read_bytes(), CONFIG: run.config_file.read_bytes()}
    names = load_prompts(run.prompts_file).names
    _take(classifier, np.array(names), list(names), read_results(run).tree(), images_in(run.earlier_split()))


def _take(classifier: Any, labels: Any, names: list[str], results: Any, images: Any) -> None:
    classifier.classes_, classifier.class_names_ = labels, names
    classifier.results_, classifier.images_, classifier._ready = results, images, Ready()


def _tested(classifier: Any, test: tuple[Any, Any]) -> tuple[Accuracy, Accuracy, dict[str, dict[str, int]]]:
    """Of the classifier, of zero-shot of its backbone among the same class names, and how many pictures those are."""
    if not isinstance(test, (tuple, list)) or len(test) != 2:
        raise EstimatorError(f"test is {shown(type(test).__name__)}, and pictures with their labels are wanted.")
    pictures = classifier._pictures(test[0])
    labels = classifier._known(labels_of(test[1], len(pictures)))
    right = int((classifier.predict(test[0]) == labels).sum())
    plain = Predictor(create_model(classifier.predictor.model.clip, "zero_shot", classifier.class_names_))
    places = {name: place for place, name in enumerate(plain.names)}
    answers = [classifier.classes_[places[each.classes[0]]] for each in plain(pictures, top=1)]
    others = Accuracy(int((np.asarray(answers) == labels).sum()), len(pictures))
    called = dict(zip(classifier.classes_.tolist(), classifier.class_names_, strict=True))
    counts = Counter(called[label] for label in labels.tolist())
    return Accuracy(right, len(pictures)), others, {"test": dict(counts)}


def _of_the_run(results: Mapping[str, Any], metrics: Mapping[str, Any]) -> Accuracy | None:
    """The test accuracy that a run has noted itself: in `metrics`, its own or those of a baseline."""
    percent, number = metrics.get("test/accuracy"), results.get("counts", {}).get("test", 0)
    return None if percent is None or not number else Accuracy(round(percent * number / 100), number)


def _background(given: Path | str | Mapping[str, Any]) -> dict[str, float]:
    """What an audit of one model says of its backgrounds.

    Raises:
        ConfigError: there is none, or it is of several models.
    """
    if isinstance(given, Mapping):
        record, place = given, "audit"
    else:
        path = Path(with_home(str(given)))
        path = path / AUDIT if path.is_dir() else path
        record, place = read_json(path), str(path)
    models = record.get("models") if isinstance(record, Mapping) else None
    if not isinstance(models, list) or len(models) != 1:
        number = len(models) if isinstance(models, list) else 0
        raise ConfigError(f"{place} tells of {number} models, and the audit of this one alone is wanted.")
    try:
        found = {"bg_gap": models[0]["bg_gap"]["value"], "only_bg_t": models[0]["accuracy"]["only_bg_t"]["value"]}
        return {} if None in found.values() else {key: float(value) for key, value in found.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{place} holds no figures of backgrounds.", todo="Give what dapt.audit returned, or its file."
        ) from error
