"""The training loop: Lightning Fabric, one optimiser, a checkpoint after every epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from dapt.config import RunConfig
from dapt.console import progress, say, warn
from dapt.cues.base import Cue
from dapt.cues.guards import guard
from dapt.data.batch import Batch
from dapt.data.load.loader import TrainImages
from dapt.environment import peak_memory_mb
from dapt.errors import DaptError, ModelError
from dapt.objectives.gradients import backward_by_rule
from dapt.training.averaging import EpochAverage
from dapt.training.diagnosis import Diagnosis
from dapt.training.graph_step import CudaRecorder, GraphStep, Recorder
from dapt.training.kept_views import KeptViews
from dapt.training.optimizer import make_optimizer
from dapt.training.plain_step import PlainStep
from dapt.training.saved_views import SavedViews, load_epoch, saved_where_possible
from dapt.training.schedule import step_rate
from dapt.training.step import TrainStep
from dapt.training.stopping import Stopped, check_stop, why_stop
from dapt.training.tally import Tally

State = dict[str, Any]
CHECK_EVERY = 10  # steps between two looks at the loss where looking makes the host wait


@dataclass
class Progress:
    """What has happened so far.

    Attributes:
        epoch: finished epochs. lines: one dictionary per finished epoch (metrics.jsonl).
        best_accuracy, best_epoch, best: validation accuracy, epoch and parameters of the best epoch.
        stopped: why the training ended before its last epoch; None: it did not.
        earlier: seconds that epochs before an interruption took; validation and new masks between them not counted.
    """

    epoch: int = 0
    lines: list[dict[str, Any]] = field(default_factory=list)
    best_accuracy: float = -math.inf
    best_epoch: int = -1
    best: dict[str, Tensor] = field(default_factory=dict)
    earlier: float = 0.0
    stopped: Stopped | None = None


class Fitter:
    """Trains the prompts of one run.

    Args:
        config: resolved configuration. step: model and objectives. images: training images.
        cue: source of masks, or None without DAPT. fabric: a launched Lightning Fabric.
        kept: where features of frozen towers are kept, see `dapt.training.kept_views`.
        validate: returns the accuracy in percent by which the best epoch is chosen, or None to keep the last one
            (or the average over epochs, where the method asks for one).
        after_epoch: called on the main process with the resume state after every epoch.
    """

    def __init__(
        self,
        config: RunConfig,
        step: TrainStep,
        images: TrainImages,
        cue: Cue | None,
        fabric: Any,
        *,
        kept: KeptViews | None = None,
        validate: Callable[[], float | None] | None = None,
        after_epoch: Callable[[State, Progress], None] | None = None,
    ) -> None:
        self.config = config
        self.step = step
        self.images: TrainImages | SavedViews = saved_where_possible(images, step.model, config, kept)
        self.cue = cue
        self.fabric = fabric
        self.validate = validate
        self.after_epoch = after_epoch
        self.progress = Progress()
        self._cue_prompts: dict[str, Tensor] | None = None
        self.rule = step.gradient_rule
        weights = step.epoch_weights(self.epochs) if validate is None else None
        self.average = None if weights is None else EpochAverage(weights)
        check_stop(config, averaged=self.average is not None)
        self.optimizer = make_optimizer(
            step.parameters(),
            config.optimizer,
            lr=config.scaled_lr,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            adam_eps=config.adam_eps,
        )
        self.device = step.model.clip.device
        self.check_every = 1 if self.device.type == "cpu" else CHECK_EVERY
        half = config.precision == "16"
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=half)
        self.wrapped = fabric.setup_module(
            PlainStep(step, config.multi_label, config.stop_margin), move_to_device=False
        )
        self.graph: GraphStep | None = None
        alone = self.device.type == "cuda" and fabric.world_size == 1
        if config.cuda_graph == "auto" and alone and step.recordable and not config.grad_checkpointing:
            self.record_with(CudaRecorder(self.device))

    def record_with(self, recorder: Recorder) -> None:
        """Let steps be recorded and played back, see `dapt.training.graph_step`."""
        self.graph = GraphStep(self._differentiate, self.step.parameters(), self.step.model.prompts, recorder)

    @property
    def epochs(self) -> int:
        """Length of the run."""
        return self.config.epochs

    def state(self) -> State:
        """Everything needed to go on: tensors and plain values."""
        done = self.progress
        return {
            "epoch": done.epoch,
            "prompts": _copied(self._prompts()),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "helpers": self.step.helpers.state_dict(),
            "average": {} if self.average is None else self.average.sums,
            "lines": done.lines,
            "best": done.best,
            "best_accuracy": done.best_accuracy,
            "best_epoch": done.best_epoch,
            # from which the present masks are made again; None: they are those of the start, or no longer needed
            "cue_prompts": None if self._renews_cue(done.epoch) else self._cue_prompts,
        }

    def load_state(self, state: State) -> None:
        """Go on from `state`.

        Raises:
            ModelError: it is the state of another run, or of none.
        """
        try:
            self._load_state(state)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            reason = str(error).splitlines()[-1].strip() if str(error) else type(error).__name__
            raise ModelError(
                f"The resume state does not fit this run: {reason}.", todo="Start again with --overwrite."
            ) from error
        self._restore_masks()

    def _load_state(self, state: State) -> None:
        epoch, lines = state["epoch"], state["lines"]
        if type(epoch) is not int or not 0 < epoch <= self.epochs:
            raise ValueError(f"it has {epoch} epochs of {self.epochs}")
        if not isinstance(lines, list) or [line["epoch"] for line in lines] != list(range(1, epoch + 1)):
            raise ValueError(f"it has no metrics for each of {epoch} epochs")
        for key in ("average", "best", "scaler", "helpers"):
            if not isinstance(state[key], Mapping):
                raise TypeError(f"'{key}' is no mapping")
        if not isinstance(state["best_accuracy"], float) or type(state["best_epoch"]) is not int:
            raise TypeError("the best epoch is no number")
        if state["cue_prompts"] is not None:
            self.step.model.prompts.load_state_dict(state["cue_prompts"])  # whether they fit
            self._cue_prompts = dict(state["cue_prompts"])
        self.step.model.prompts.load_state_dict(state["prompts"])
        self.optimizer.load_state_dict(state["optimizer"])
        if state["scaler"]:
            self.scaler.load_state_dict(state["scaler"])
        self.step.helpers.load_state_dict(state["helpers"])
        if self.average is not None:
            self.average.sums = dict(state["average"])
        best = (state["best_accuracy"], state["best_epoch"], state["best"])
        self.progress = Progress(epoch, list(lines), *best, earlier=sum(float(line["seconds"]) for line in lines))

    def _restore_masks(self) -> None:
        """Make the masks of the last refresh again, from the prompts of that time."""
        if self._cue_prompts is None:
            return
        now = _copied(self._prompts())
        self.step.model.prompts.load_state_dict(self._cue_prompts)
        self._make_masks()
        self.step.model.prompts.load_state_dict(now)

    def _prompts(self) -> dict[str, Tensor]:
        return dict(self.step.model.prompts.state_dict())

    def _renews_cue(self, epoch: int) -> bool:
        """Whether the masks are made anew before a 0-based epoch; the first ones were prepared before training."""
        every = self.config.cue.refresh
        follows = self.cue is not None and self.cue.follows_prompts
        return follows and bool(every) and 0 < epoch < self.epochs and epoch % every == 0

    def _make_masks(self) -> None:
        if self.cue is not None:
            items = self.images.items
            guarded = guard(self.cue, items, self.cue.prepare(items, self.step.model), self.config.dapt)
            self.images = self.images.with_masks(guarded.masks, trust=guarded.trust)
            if items and not any(mask is not None for mask in guarded.masks) and not self.cue.may_be_without:
                warn(f"Of the masks made anew none is of use, so the DAPT terms rest. {self.cue.report.summary()}.")

    def fit(self) -> Progress:
        """Train all epochs that are left, or until `why_stop` says that it is enough.

        Raises:
            DaptError: the loss is not finite.
        """
        for epoch in range(self.progress.epoch, self.epochs):
            self.progress.stopped = why_stop(self.config, self.step, self.progress.lines)
            if self.progress.stopped is not None:
                self._say(self.progress.stopped.sentence)
                break
            self._update_cue(epoch)
            line = self._epoch(epoch)
            self._check_parameters(epoch)
            if self.average is not None:
                self.average.add(epoch, dict(self.step.model.prompts.named_parameters()))
            accuracy = self.validate() if self.validate is not None else None
            if accuracy is not None:
                line["val/accuracy"] = accuracy
                if accuracy > self.progress.best_accuracy:
                    self.progress.best_accuracy, self.progress.best_epoch = accuracy, epoch
                    self.progress.best = _copied(self._prompts())
            self.progress.epoch = epoch + 1
            self.progress.lines.append(line)
            self._tell(line)
            if self.after_epoch is not None and self.fabric.is_global_zero:
                self.after_epoch(self.state(), self.progress)
            self.fabric.barrier()
        if self.graph is not None:
            self.graph.forget()
        if self.progress.best:
            self.step.model.prompts.load_state_dict(self.progress.best)
        elif self.average is not None and self.average.sums:
            self.step.model.prompts.load_state_dict({**self._prompts(), **self.average.sums})
        return self.progress

    def _update_cue(self, epoch: int) -> None:
        """Make masks that depend on the prompts anew, and remember which prompts these were."""
        if self._renews_cue(epoch):
            self._cue_prompts = _copied(self._prompts())
            self._make_masks()

    def _epoch(self, epoch: int) -> dict[str, Any]:
        config, fabric = self.config, self.fabric
        batches, loader = load_epoch(
            self.images, self.step, config, epoch, rank=fabric.global_rank, world=fabric.world_size
        )
        self.step.train()
        tally = Tally(
            lambda loss, figures, number: self._check(loss, figures, epoch, number),
            0 if self.check_every == 1 else self.check_every,
        )
        skipped = torch.zeros((), device=self.device)
        diagnosis = Diagnosis(self.step if config.dapt.diagnose and self.cue is not None else None)
        start, seen = time.perf_counter(), 0
        label = f"epoch {epoch + 1}/{self.epochs}"
        shown = progress(loader, batches, label, "batches") if fabric.is_global_zero else loader
        for number, batch in enumerate(shown):
            self._set_rate(step_rate(config, epoch, number, batches))
            diagnosis.see(number, batch, epoch, self.epochs)
            tally.add(self._step(batch, epoch, number), len(batch.labels))
            if batch.usable is not None:
                skipped += (~batch.usable).sum()
            seen += len(batch.labels)
        tally.look()
        seconds = time.perf_counter() - start
        line: dict[str, Any] = {"epoch": epoch + 1, "lr": step_rate(config, epoch, batches - 1, batches)}
        for name, value in tally.sums().items():
            line[name] = float(fabric.all_reduce(value / max(seen, 1), reduce_op="mean"))
        if self.cue is not None:
            line["views_without_cue"] = int(fabric.all_reduce(skipped, reduce_op="sum"))
        line |= {**diagnosis.means(), "seconds": round(seconds, 3)}
        line["images_per_second"] = round(seen * fabric.world_size / max(seconds, 1e-9), 2)
        line["peak_memory_mb"] = peak_memory_mb(str(self.device))
        return line

    def _set_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def _step(self, batch: Batch, epoch: int, number: int) -> dict[str, Tensor]:
        if self.graph is None:
            figures = self._differentiate(batch, epoch, number)
        else:
            figures = self.graph(batch, epoch, self.step.stage(epoch, self.epochs))
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return figures

    def _differentiate(self, batch: Batch, epoch: int, number: int = 0) -> dict[str, Tensor]:
        """The loss of a batch and its figures, and gradients in ``.grad``.

        Raises:
            DaptError: the loss is not finite, where every step is looked at.
        """
        self.optimizer.zero_grad(set_to_none=True)
        seen = (batch.pixels, batch.labels, batch.masks, batch.usable, batch.targets, batch.weights)
        parts = (*seen, epoch, self.epochs, batch.trust, batch.background, batch.saved, batch.before)
        look = self.check_every == 1
        if self.rule is None:
            loss, _, figures = self.wrapped(*parts)
            if look:
                self._check(loss, figures, epoch, number)
            self.fabric.backward(self.scaler.scale(loss))
        else:
            with self.fabric.no_backward_sync(self.wrapped):  # the rule wants the gradients of each group apart
                loss, groups, figures = self.wrapped(*parts)
                if look:
                    self._check(loss, figures, epoch, number)
                scaled = {name: self.scaler.scale(value) for name, value in groups.items()}
                backward_by_rule(self.rule, scaled, list(self.step.parameters()), self._mean_over_processes)
        return {"loss": loss.detach(), **figures}

    def _check_parameters(self, epoch: int) -> None:
        """Refuse parameters that are not finite before they are kept.

        Raises:
            DaptError: naming the first of them.
        """
        for name, value in self.step.model.prompts.named_parameters():
            if not bool(torch.isfinite(value).all()):
                raise DaptError(
                    f"The parameters {name} are not finite after epoch {epoch + 1}; training stopped. {_kept(epoch)}",
                    todo="Use a lower --lr or --precision 32 and start again.",
                )

    def _mean_over_processes(self, gradient: Tensor) -> Tensor:
        mean: Tensor = self.fabric.all_reduce(gradient, reduce_op="mean")
        return mean

    def _check(self, loss: Tensor, figures: dict[str, Tensor], epoch: int, number: int) -> None:
        """Refuse a loss that is not finite.

        Raises:
            DaptError: naming step, term and the last good checkpoint.
        """
        if bool(torch.isfinite(loss)):
            return
        broken = [name for name, value in figures.items() if not bool(torch.isfinite(value))]
        raise DaptError(
            f"The loss is {float(loss.detach())} in epoch {epoch + 1}, step {number + 1}"
            f" ({', '.join(broken) or 'the sum of all terms'}); training stopped. {_kept(epoch)}",
            todo="Use a lower --lr or --precision 32 and start again.",
        )

    def _say(self, text: str) -> None:
        if self.fabric.is_global_zero:
            say(text)

    def _tell(self, line: dict[str, Any]) -> None:
        parts = [f"epoch {line['epoch']}/{self.epochs}", f"lr {line['lr']:.2e}"]
        names = [name for name in line if name == "loss" or name.startswith("L_")]
        parts += [f"{name} {line[name]:.4f}" for name in names]
        parts += [f"{name} {line[name]:.1f}%" for name in ("train/accuracy", "val/accuracy") if name in line]
        self._say("  ".join([*parts, f"{line['seconds']:.1f} s"]))


def _copied(prompts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A copy on the CPU, which does not change with the training."""
    return {name: value.detach().cpu().clone() for name, value in prompts.items()}


def _kept(epochs: int) -> str:
    """What is left of a run that stops after so many good epochs."""
    return f"The state after epoch {epochs} is kept in last.ckpt." if epochs else "No epoch was finished."
