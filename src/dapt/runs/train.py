"""One run from configuration to results: check, load, select, prepare, execute, finish."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import torch

from dapt import console
from dapt.config import RunConfig
from dapt.console import say
from dapt.data.items import ImageSet
from dapt.devices import pick_device
from dapt.results import RunResults
from dapt.runs.candidate_cache import CandidateCache
from dapt.runs.check import Plan, check_run
from dapt.runs.division import describe_division
from dapt.runs.execute import AfterEpoch, Work, execute, follow, save_log
from dapt.runs.identity import MADE, Inputs, check_unchanged, fingerprint, identity
from dapt.runs.load_inputs import load_inputs, select_inputs
from dapt.runs.multiplying import settle, with_note
from dapt.runs.prepare import Prepared, prepare
from dapt.runs.run_data import describe_split
from dapt.runs.run_folder import RunFolder, read_results
from dapt.runs.torchrun import Group, processes, with_processes
from dapt.runs.training_cue import mask_digests, tell_of_changed_masks, training_cue


def run_training(
    config: RunConfig,
    *,
    resume: bool = False,
    overwrite: bool = False,
    candidates: CandidateCache | None = None,
    within: Path | None = None,
    after_epoch: AfterEpoch | None = None,
    validation_only: bool = False,
    baselines: bool = False,
    images: ImageSet | None = None,
) -> RunResults:
    """Train and evaluate; write the run folder.

    Everything that can be wrong with the data, the model, the masks and the folder is found before anything
    is written.

    Args:
        config: resolved configuration. resume: go on with an interrupted run in the same folder.
        overwrite: remove the run that the folder holds and start again; nothing else is ever removed.
        candidates: what selectors looked at in earlier runs of a group.
        within: folder of the group, which is not made.
        after_epoch: called after every epoch, once its state is kept.
        validation_only: a run of a search: its test images are not opened, the figure is ``val/accuracy``.
        baselines: find the accuracy without training beside it, and say at the end what to do next.
        images: the data set, from a program, in the place of the one that `config` names.

    Returns:
        the content of results.json.

    Raises:
        DaptError: anything the user can mend.
    """
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    group = None
    if processes() > 1:
        config = with_processes(config)
        group = Group(torch.device(pick_device(config.device)).type)
        if not group.leads:
            return follow(group)
    try:
        plan = check_run(config, resume=resume, overwrite=overwrite, within=within)
        baselines = baselines and not validation_only
        plan = replace(plan, validation_only=validation_only, baselines=baselines, images=images)
        return _led(plan, candidates, after_epoch, within, group)
    finally:
        if group is not None:
            group.tell(None)


def _led(
    plan: Plan,
    candidates: CandidateCache | None,
    after_epoch: AfterEpoch | None,
    within: Path | None,
    group: Group | None,
) -> RunResults:
    """A run by the process that reads and writes."""
    lines: list[str] = []
    console.keep_lines(lines)
    try:
        return _finished_before(plan) or _trained(plan, lines, candidates, after_epoch, within, group)
    except BaseException:
        if plan.config.devices == 1 or group is not None:  # several processes of our own write it themselves
            save_log(plan.folder, lines)
        plan.folder.lock.abandon()
        raise
    finally:
        console.keep_lines(None)
        plan.folder.lock.release()


def _finished_before(plan: Plan) -> RunResults | None:
    """Results of a finished run that tells nothing of its inputs, so that they cannot have changed; else None.

    From here on the folder is held, if it is one of dapt's: one that may yet be refused gets no lock.
    """
    folder = plan.folder
    if (plan.resume or plan.overwrite) and folder.is_ours:
        folder.lock.take()
    if not (plan.resume and folder.done):
        return None
    folder.lock.take()
    folder.sweep()
    folder.verify()
    return None if folder.inputs_file.is_file() else _as_it_is(folder, "; version 0.1.0 did not note its inputs")


def _as_it_is(folder: RunFolder, more: str = "") -> RunResults:
    say(f"{folder.path} is finished already{more}.")
    return read_results(folder)


def _trained(
    plan: Plan,
    lines: list[str],
    candidates: CandidateCache | None,
    after_epoch: AfterEpoch | None,
    within: Path | None,
    joined: Group | None,
) -> RunResults:
    """Load, select, prepare, execute, finish."""
    config, folder = plan.config, plan.folder
    loaded = load_inputs(plan)
    choice = settle(config, loaded.clip, folder.earlier_inputs() if plan.goes_on else None)
    loaded = select_inputs(plan, loaded, candidates)
    cue = training_cue(config, loaded.data, loaded.cache)
    inputs = with_note(fingerprint(config, loaded.data, loaded.clip, cue), choice)
    if plan.goes_on:
        earlier = folder.earlier_inputs()
        check_unchanged(earlier, inputs, run=folder.path, data=config.data)
        inputs = earlier
    if plan.resume and folder.done:
        return _as_it_is(folder)
    prepared = prepare(config, loaded.data, loaded.clip, loaded.cache, cue)
    config = prepared.config
    if prepared.cue is not None and not prepared.cue.reads_files:
        inputs = _with_masks(inputs, prepared, goes_on=plan.goes_on)
    split = describe_split(loaded.data)
    division = describe_division(loaded.data.source)
    folder.begin(config, resume=plan.resume, overwrite=plan.overwrite, split=split, inputs=inputs, division=division)
    group = None if within is None else within.name
    work = Work(
        config,
        folder,
        loaded.data,
        plan.device,
        identity(config, inputs),
        lines,
        after_epoch,
        group,
        baselines=plan.baselines,
        multiplied_by=choice,
    )
    return execute(work, prepared, joined)


def _with_masks(inputs: Inputs, prepared: Prepared, *, goes_on: bool) -> Inputs:
    """What is noted of a run's inputs with what its cue has made of them, held against what was noted before."""
    if goes_on:
        tell_of_changed_masks(inputs.get(MADE, {}), prepared.images)
        return inputs
    return {**inputs, MADE: mask_digests(prepared.images)}
