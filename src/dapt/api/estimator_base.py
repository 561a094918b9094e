"""What `DaptClassifier` has from scikit-learn, or, where that is not installed, what says so when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dapt.errors import DataError, NotSupportedError

if TYPE_CHECKING:
    from dapt.model.predictor import Predictor

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.exceptions import DataConversionWarning, NotFittedError
except ImportError:

    class BaseEstimator:  # type: ignore[no-redef]
        """Stands where scikit-learn's would."""

        def __new__(cls, *arguments: Any, **settings: Any) -> Any:
            raise NotSupportedError(
                f"{cls.__name__} needs scikit-learn, which is not installed.", todo="Run: pip install 'dapt[probe]'"
            )

    class ClassifierMixin:  # type: ignore[no-redef]
        """Stands where scikit-learn's would."""

    NotFittedError = AttributeError
    DataConversionWarning = UserWarning

__all__ = ["BaseEstimator", "ClassifierMixin", "DataConversionWarning", "EstimatorError", "NotFittedError", "Ready"]


class EstimatorError(DataError, ValueError):
    """Pictures or labels that are none, told as the rest of dapt tells it and caught as scikit-learn's own would be."""


class Ready:
    """Where the predictor is kept once it is loaded; a copy or a pickle begins without, and loads its own."""

    def __init__(self) -> None:
        self.predictor: Predictor | None = None

    def __reduce__(self) -> tuple[type[Ready], tuple[()]]:
        return Ready, ()
