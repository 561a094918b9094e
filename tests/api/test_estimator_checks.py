"""scikit-learn's own checks of an estimator. They feed tables of numbers, so here each row is made a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dapt.api.classifier import DaptClassifier
from helpers import save_tiny_model

pytest.importorskip("sklearn", minversion="1.6")
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

SIDE = 8
INEXACT = "predictions in batches of another size differ by rounding in float32 (1e-6), and 1e-7 is asked for"
EXPECTED = {"check_methods_subset_invariance": INEXACT, "check_methods_sample_order_invariance": INEXACT}


class OfTables(DaptClassifier):
    """The estimator with rows of a table as pictures; scikit-learn validates the tables."""

    def __init__(self, *, method: str = "gda", model: str = "demo", device: str = "cpu") -> None:
        super().__init__(method=method, model=model, device=device)

    def fit(self, X: Any, y: Any) -> OfTables:  # noqa: N803
        self._first = True
        return super().fit(X, y)

    def _pictures(self, X: Any) -> list[Any]:  # noqa: N803
        first = self.__dict__.pop("_first", False)
        rows = validate_data(self, X, reset=first)
        if first:
            self._low, self._span = rows.min(0), np.where(np.ptp(rows, 0) == 0, 1, np.ptp(rows, 0))
        values = (255 * np.clip((rows - self._low) / self._span, 0, 1)).astype(np.uint8)
        greys = [np.resize(row, (SIDE, SIDE)) for row in values]
        return [np.stack([grey, 255 - grey, grey.T], -1) for grey in greys]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string, tags.no_validation = True, False, False
        tags.classifier_tags.poor_score = True  # CLIP was not made to look at tables
        return tags


@pytest.fixture(scope="module", autouse=True)
def one_backbone(tmp_path_factory: pytest.TempPathFactory):
    """A hundred fits load the backbone once."""
    from dapt.clip.load import load_clip

    with pytest.MonkeyPatch.context() as patch:
        clip = load_clip(save_tiny_model(tmp_path_factory.mktemp("tiny")))
        patch.setattr("dapt.runs.load_inputs.load_clip", lambda *spec, **how: clip)
        patch.setattr("dapt.model.pretrained.open_backbone", lambda *spec, **how: clip)
        yield


@pytest.mark.long
@parametrize_with_checks([OfTables()], expected_failed_checks=lambda estimator: EXPECTED)
def test_conventions_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@parametrize_with_checks([DaptClassifier()])
def test_conventions_that_need_no_table(estimator: Any, check: Any) -> None:
    check(estimator)


def test_the_checks_of_tables_are_many() -> None:
    from sklearn.utils.estimator_checks import estimator_checks_generator

    assert len(list(estimator_checks_generator(OfTables()))) > 40
