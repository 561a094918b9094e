"""Cues whose model is told in words what to look for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from dapt.console import warn
from dapt.cues.base import CueContext
from dapt.cues.model_cue import ModelCue, ModelOptions
from dapt.data.items import UNLABELLED, Item
from dapt.errors import DataError
from dapt.strict import PartOptions

if TYPE_CHECKING:
    from dapt.model.prompted_clip import PromptedClip


class TextOptions(ModelOptions):
    """Options of cues that look for what is named."""

    template: str = Field(
        "{}",
        min_length=1,
        description="What is looked for, {} being the class name; without {} it is the same for all.",
    )
    text: str = Field("", description="What is looked for in images whose class is not known.")


class TextCue(ModelCue):
    """A model that looks for the class of each image, or for each of its classes where it shows several.

    Images of unknown class, and all images of a method that learns without labels, are searched for `cue.text`.
    """

    options_type: ClassVar[type[PartOptions]] = TextOptions

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
        assert isinstance(context.options, TextOptions)
        self.words = context.options
        self._told = False

    def texts(self, items: Sequence[Item], model: PromptedClip | None) -> list[tuple[str, ...]]:
        label_free = model is not None and model.prompts.label_free
        names = () if label_free else self._names(model)
        self._tell_unused(label_free)
        asked = [self._texts_of(item, names) for item in items]
        without = [item.name for item, texts in zip(items, asked, strict=True) if not texts]
        if without:
            why = "the method learns without labels" if label_free else "it has no class"
            raise DataError(
                f"The cue {self.title} has to be told what to look for in {without[0]}: {why}"
                + (f" ({len(without)} of {len(items)} images)." if len(items) > 1 else "."),
                todo="Say it for all such images: --set 'cue.text=a dog'.",
            )
        return asked

    def _names(self, model: PromptedClip | None) -> Sequence[str]:
        """The class names by label: as the model numbers them, where there is one."""
        if model is not None:
            return tuple(model.names)
        return () if self.context.data is None else tuple(self.context.data.names)

    def _tell_unused(self, label_free: bool) -> None:
        """Say once that `cue.text` is not used, where every image of the data has a class."""
        data, self._told = self.context.data, self._told or not self.words.text
        if self._told or label_free or data is None:
            return
        self._told = True
        if all(item.label != UNLABELLED for part in data.splits.values() for item in part):
            warn(
                "cue.text is what is looked for in images without a class; here all have one, so it is not used. "
                f"For the same words everywhere: --set 'cue.template={self.words.text}'."
            )

    def _texts_of(self, item: Item, names: Sequence[str]) -> tuple[str, ...]:
        words = self.words
        if "{}" not in words.template:
            return (words.template,)
        labels = item.labels or (item.label,)
        known = [names[label] for label in labels if label != UNLABELLED and label < len(names)]
        found = [words.template.replace("{}", name.replace("_", " ")) for name in known]
        return tuple(dict.fromkeys(found)) or ((words.text,) if words.text else ())
