"""Without scikit-learn: dapt is imported, and the estimator says what is missing when it is used."""

from __future__ import annotations

import importlib
import sys

import pytest

import dapt
from dapt.api import classifier, estimator_base, estimator_input
from dapt.errors import NotSupportedError


def test_a_missing_scikit_learn_is_told_when_the_estimator_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = (estimator_base, estimator_input, classifier)
    before = [dict(vars(module)) for module in modules]
    with monkeypatch.context() as hidden:
        for name in ("sklearn", "sklearn.base", "sklearn.exceptions"):
            hidden.setitem(sys.modules, name, None)
        try:
            for module in modules:
                importlib.reload(module)
            with pytest.raises(NotSupportedError, match=r"DaptClassifier needs scikit-learn.*\n.*dapt\[probe\]"):
                dapt.DaptClassifier(method="maple")
        finally:
            for module, content in zip(modules, before, strict=True):  # the same classes for the tests after this one
                vars(module).update(content)


def test_errors_are_those_of_both() -> None:
    error = estimator_base.EstimatorError("X holds no picture.", todo="Give some.")
    assert isinstance(error, ValueError)
    assert isinstance(error, dapt.DaptError)
    assert str(error) == "X holds no picture.\nGive some."
