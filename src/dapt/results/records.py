"""What runs, evaluations and protocols have found: one typed record for all that writes or reads such figures.

Schema 2; later fields have defaults, and older readers pass over them. Files of schema 1 are read, too: there the
selection of training images was called ``selection``, which stands beside ``model_selection`` (which epoch is the
result) and is ``coreset`` now.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dapt.errors import DataError
from dapt.files import read_json
from dapt.strict import shown
from dapt.validation import in_words

SCHEMA = 2

Figures = dict[str, float | None]  # in percent; None where a figure does not apply

R = TypeVar("R", bound="Results")


class Results(BaseModel):
    """What all of them say. ``results["metrics"]`` is the same as ``results.metrics``.

    Attributes:
        version: of this format, ``schema`` in files.
        title: what the run is called, ``maple + DAPT (swap, fill=mean)``; empty in files of versions that did not say.
        backbone: as it was named. data: name of the data set.
    """

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    version: int = Field(SCHEMA, alias="schema")
    title: str = ""
    method: str
    dapt: bool
    backbone: str
    data: str

    @property
    def called(self) -> str:
        """What the run is called, as far as is known."""
        return self.title or self.method + (" + DAPT" if self.dapt else "")

    @model_validator(mode="before")
    @classmethod
    def _older(cls, tree: Any) -> Any:
        if isinstance(tree, Mapping) and tree.get("schema") == 1:
            tree = {**tree, "schema": SCHEMA}
            if "selection" in tree:
                tree["coreset"] = tree.pop("selection")
        return tree

    def __getitem__(self, key: str) -> Any:
        """A field by its name in files.

        Raises:
            KeyError: there is none.
        """
        name = "version" if key == "schema" else key
        if name not in type(self).model_fields and name not in (self.model_extra or {}):
            raise KeyError(key)
        return getattr(self, name)

    def tree(self) -> dict[str, Any]:
        """The record as plain values, as in files."""
        return self.model_dump(by_alias=True)


class RunResults(Results):
    """results.json of a run.

    Attributes:
        cue: source of the foreground masks, None without DAPT. background_words: what ``dapt.words=auto`` chose.
        model_selection: which epoch is the result.
        coreset: how the training images were chosen from more, or None. own_split: dapt divided the data itself.
        class_weights: what images of each class counted in the loss, of mean 1 over the images; None: all the same.
        leaks: test images that are equal to training images, and what allowed the run to go on; None: there are none.
        cue_coverage: mean and quantiles (p10 to p90) of the share of the picture that usable masks cover, in percent.
        confusion: images by true class and answer, as far as they are listed; a class of base or novel is answered
            among those of its half. calibration: by bin of confidence images, mean confidence and accuracy in percent,
            of the classes trained on. Both are empty in files of versions that did not keep them.
        flags: what is suspicious. metrics: figures of the test images. baselines: by method that takes no training,
            ``test/accuracy`` on the same images, where they were asked for. per_class, per_group: percent of each.
        timing: in seconds. selected_epoch: the epoch that is the result, from 1; 0 where nothing is
            trained. stopped: why the training ended before its last epoch (`stop_margin`), see
            `dapt.training.stopping.Stopped`; None: it did not.
    """

    shots: int
    seed: int
    subset: str = "all"
    cue: str | None = None
    cue_coverage: Figures = Field(default_factory=dict)
    background_words: list[str] | None = None
    model_selection: str = "last"
    transductive: bool = False
    multi_label: str | None = None
    coreset: dict[str, Any] | None = None
    own_split: bool = False
    class_weights: dict[str, float] | None = None
    leaks: dict[str, Any] | None = None
    flags: list[str] = Field(default_factory=list)
    metrics: Figures
    baselines: dict[str, Figures] = Field(default_factory=dict)
    per_class: Figures = Field(default_factory=dict)
    per_group: Figures = Field(default_factory=dict)
    confusion: dict[str, dict[str, int]] = Field(default_factory=dict)
    calibration: list[dict[str, float]] = Field(default_factory=list)
    counts: dict[str, int] = Field(default_factory=dict)
    timing: Figures = Field(default_factory=dict)
    selected_epoch: int | None = None
    stopped: dict[str, Any] | None = None
    environment: dict[str, Any] = Field(default_factory=dict)


class EvaluationResults(Results):
    """Figures of a later evaluation of a run.

    Attributes:
        run: its folder. split, classes: what was looked at. asked: the other data and options, if any.
        unused: images of other data that were not looked at, by reason. unknown_classes: their number by class, of
            classes that were not asked about. absent_classes: those asked about that have no image there.
        leaks: images that the run was trained on, and what allowed to go on; None: there are none.
        confusion, calibration: as of a run.
    """

    run: str
    split: str
    classes: str
    leaks: dict[str, Any] | None = None
    asked: dict[str, Any] = Field(default_factory=dict)
    metrics: Figures
    per_class: Figures = Field(default_factory=dict)
    per_group: Figures = Field(default_factory=dict)
    confusion: dict[str, dict[str, int]] = Field(default_factory=dict)
    calibration: list[dict[str, float]] = Field(default_factory=list)
    counts: dict[str, int] = Field(default_factory=dict)
    unused: dict[str, int] = Field(default_factory=dict)
    unknown_classes: dict[str, int] = Field(default_factory=dict)
    absent_classes: list[str] = Field(default_factory=list)


class Row(BaseModel):
    """One row of a protocol.

    Attributes:
        point: what it is called. run: the folder of its run. metrics: its figures.
        asked: of an audit its split, the seed of its mixtures, where its masks are from (``guessed``: whether a program
            has found them) and which other data lent backgrounds; of other data that was tested on its place and its
            numbers of images and classes; else, and in files of earlier versions, empty.
    """

    model_config = ConfigDict(extra="allow")

    point: str
    run: str
    metrics: Figures
    asked: dict[str, Any] = Field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key)


class ProtocolResults(Results):
    """protocol.json.

    Attributes:
        protocol, source: its name, and where it was published. rows: a run or a target each.
        average: mean over the rows called `averaged`, or None. failed: runs that failed, by point, with their error.
    """

    protocol: str
    source: str
    seed: int
    rows: list[Row]
    average: dict[str, float] | None = None
    averaged: list[str] = Field(default_factory=list)
    failed: dict[str, str] = Field(default_factory=dict)


def read_record(kind: type[R], path: Path) -> R:
    """A record from its file.

    Raises:
        DataError: missing, damaged, or of a newer format.
    """
    tree = read_json(path)
    schema = tree.get("schema") if isinstance(tree, Mapping) else None
    if type(schema) is int and schema > SCHEMA:
        raise DataError(f"{path} was written by a newer version of dapt.", todo="Install that version.")
    if type(schema) is not int or schema not in (1, SCHEMA):
        raise DataError(f"{path} is not what dapt writes: its schema is {shown(schema)}.")
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DataError(f"{path} is not what dapt writes: {where or 'the whole'}: {in_words(first['msg'])}.") from error
