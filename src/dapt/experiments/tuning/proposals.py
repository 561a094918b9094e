"""Optuna's part of a search: what is tried next, what is given up, what mattered.

Its study is made anew from `study.json` whenever it is asked, so that it keeps nothing and a search goes on anywhere.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from dapt.errors import ConfigError
from dapt.experiments.tuning.space import Space
from dapt.experiments.tuning.study import DONE, PRUNED, RUNNING, Trial
from dapt.methods.search import Choice

SEEDS = 1_000_003  # apart from each other, one per trial
BEFORE_PRUNING = 5  # trials that are carried to their end before others are measured by them
FOR_IMPORTANCE = 8  # finished trials


def check_optuna() -> None:
    """Whether Optuna is there.

    Raises:
        ConfigError: it is not installed.
    """
    if importlib.util.find_spec("optuna") is None:
        raise ConfigError(
            "dapt tune needs Optuna, which is not installed.", todo="Install it: pip install 'dapt[tune]'."
        )


def proposed(space: Space, trials: Sequence[Trial], seed: int, start: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the next trial: the settings as they are first, then those of the tree-structured Parzen estimator
    (Bergstra et al., NeurIPS 2011).

    They depend on the seed, the number of the trial and the trials before it, and on nothing else. Trials that are
    going on count as poor ones ("constant liar"), so that those that run side by side differ.
    """
    optuna = _optuna()
    number = len(trials)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the constant liar is called experimental
        sampler = optuna.samplers.TPESampler(seed=(seed * SEEDS + number) % 2**32, constant_liar=True)
    study = _study(space, trials, sampler=sampler)
    if number == 0 and start:
        study.enqueue_trial(dict(start))
    return dict(study.ask(_distributions(space)).params)


def is_poor(space: Space, trials: Sequence[Trial], values: Mapping[str, Any], epochs: Sequence[float]) -> bool:
    """Whether a trial is to be given up: its best accuracy so far is below the median of the others at this epoch."""
    optuna = _optuna()
    if len(epochs) < 2:
        return False
    pruner = optuna.pruners.MedianPruner(n_startup_trials=BEFORE_PRUNING, n_warmup_steps=1)
    study = _study(space, trials)
    trial = optuna.trial.create_trial(
        state=optuna.trial.TrialState.RUNNING,
        params=dict(values),
        distributions=_distributions(space),
        intermediate_values=dict(enumerate(epochs, start=1)),
    )
    return bool(pruner.prune(study, trial))


def importances(space: Space, trials: Sequence[Trial]) -> dict[str, float]:
    """How much each setting mattered, in shares of 1, by PED-ANOVA (Watanabe et al., IJCAI 2023); empty: too few trials
    have been finished to tell, or all are equally good."""
    done = [trial for trial in trials if trial.state == DONE]
    if len(done) < FOR_IMPORTANCE or len({trial.accuracy for trial in done}) == 1:
        return {}
    optuna = _optuna()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        found = optuna.importance.get_param_importances(_study(space, done), evaluator=evaluator)
    return {str(key): float(share) for key, share in found.items()}


def _optuna() -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _distributions(space: Space) -> dict[str, Any]:
    from optuna import distributions as kinds

    found: dict[str, Any] = {}
    for key, each in space.items():
        if isinstance(each, Choice):
            found[key] = kinds.CategoricalDistribution(each.values)
        elif each.whole:
            found[key] = kinds.IntDistribution(int(each.low), int(each.high), log=each.log)
        else:
            found[key] = kinds.FloatDistribution(each.low, each.high, log=each.log)
    return found


def _study(space: Space, trials: Sequence[Trial], sampler: Any = None) -> Any:
    optuna = _optuna()
    states = optuna.trial.TrialState
    known = {DONE: states.COMPLETE, PRUNED: states.PRUNED, RUNNING: states.RUNNING}
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for trial in trials:
        if trial.state in known:
            past = optuna.trial.create_trial(
                state=known[trial.state],
                params=trial.values,
                distributions=_distributions(space),
                value=trial.accuracy if trial.state == DONE else None,
                intermediate_values=dict(enumerate(trial.epochs, start=1)),
            )
            study.add_trial(past)
    return study
