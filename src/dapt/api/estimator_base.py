"""What `DaptClassifier` has from scikit-learn, or, where that is not installed, what says so when it is used."""

from __future__ import annotations

from typing import Any

from dapt.errors import DataError, NotSupportedError

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

__all__ = ["BaseEstimator", "ClassifierMixin", "DataConversionWarning", "EstimatorError", "NotFittedError"]


class EstimatorError(DataError, ValueError):
    """Pictures or labels that are none, told as the rest of dapt tells it and caught as scikit-learn's own would be."""
