"""Training, evaluating and predicting from Python: the same calls the command line makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dapt.config import make_config
from dapt.paths import with_home
from dapt.results import EvaluationResults, ProtocolResults
from dapt.runs.run_folder import RunFolder, copy_run, find_run, read_results
from dapt.runs.run_names import default_folder

if TYPE_CHECKING:
    from dapt.model.predictor import Prediction, Predictor
    from dapt.model.prompted_clip import PromptedClip


class Run:
    """A finished run.

    Args:
        folder: its run folder. model_spec: another name for the same backbone (a moved file, say).
        device: where predictions are computed.

    Attributes:
        folder: the run folder. results: content of results.json.
    """

    def __init__(self, folder: Path | str, *, model_spec: str | None = None, device: str = "auto") -> None:
        self.folder = find_run(folder).path
        self.results = read_results(RunFolder(self.folder))
        self._model_spec = model_spec
        self._device = device
        self._model: PromptedClip | None = None
        self._predictor: Predictor | None = None

    @property
    def metrics(self) -> dict[str, float | None]:
        """The figures of results.json, in percent."""
        return dict(self.results.metrics)

    @property
    def model(self) -> PromptedClip:
        """The model with its learned prompts, loaded on first use."""
        if self._model is None:
            from dapt.runs.load_run import load_run

            self._model, _ = load_run(self.folder, model_spec=self._model_spec, device=self._device)
        return self._model

    @property
    def predictor(self) -> Predictor:
        """The model ready to classify pictures, made on first use and for other classes; see `dapt.Predictor`."""
        if self._predictor is None or list(self._predictor.names) != self.model.names:
            from dapt.model.predictor import Predictor

            self._predictor = Predictor(self.model)
        return self._predictor

    def predict(
        self, images: Sequence[Path | str], *, top: int = 5, classes: Sequence[str] | None = None
    ) -> list[Prediction]:
        """Classify images or folders of images, among `classes` instead of the trained ones if given."""
        from dapt.model.predictor import Predictor
        from dapt.runs.predict import find_images, predict_images

        files = find_images([Path(image) for image in images])
        if classes:
            return predict_images(Predictor(self.model, classes), files, top=top)
        return predict_images(self.predictor, files, top=top)

    def evaluate(
        self,
        data: str | Path | None = None,
        *,
        split: str | None = None,
        classes: str | Sequence[str] | None = None,
        names: str | Path | None = None,
        allow_leaks: bool = False,
    ) -> EvaluationResults:
        """Evaluate on the run's own or other data; see `dapt eval`.

        Args:
            data: other data, as for `train`. split: ``train``, ``val``, ``test`` or ``all``; None: ``test``, of other
                data without splits of its own ``all``.
            classes: ``data`` (those of the data), ``base``, ``novel``, or names; None: the trained classes, with which
                those of other data are matched by name. names: file with other names for the classes of the data.
            allow_leaks: go on although the run was trained on some of the images, which ``leaks`` then says.

        Raises:
            DaptError: there is no such data, no class of it is asked about, or images of it were trained on.
        """
        from dapt.runs.evaluate_run import evaluate_saved

        return evaluate_saved(
            self.folder,
            data=None if data is None else str(data),
            split=split,
            classes=classes if classes is None or isinstance(classes, str) else ",".join(classes),
            names=None if names is None else str(names),
            allow_leaks=allow_leaks,
            model_spec=self._model_spec,
            device=self._device,
        )[0]

    def explain(
        self,
        images: Sequence[Path | str],
        out: Path | str | None = None,
        *,
        classes: Sequence[str] | None = None,
        masks: Path | str | None = None,
        mask_format: str | None = None,
        mask_name: str | None = None,
        mask_background: str | None = None,
        cue: str | None = None,
        cue_options: Mapping[str, Any] | None = None,
        maps: Sequence[str] | None = None,
        top: int = 5,
        limit: int = 50,
        skip_bad: bool = False,
    ) -> dict[str, Any]:
        """Explain what the run decides by, and zero-shot of the same backbone; see `dapt explain` and docs/explain.md.

        Args:
            images: images or folders of images. out: folder for pictures, page and figures; None: ``explained/NAME``.
            classes: to choose among; None: the trained ones. masks: folder of mask files, which say what is
                foreground; `mask_format`, `mask_name` and `mask_background` as the options of the command. cue: what
                guesses it where there are no masks, None: ``border``; `cue_options` are its own. maps: cues that show
                where it looks; None: all.
            top: so many classes of each view. limit: so many images, evenly chosen. skip_bad: leave out images that
                cannot be read.

        Returns:
            the content of explain.json.

        Raises:
            DaptError: anything the user can mend.
        """
        return explain(
            images,
            out,
            run=self.folder,
            model=self._model_spec,
            classes=classes,
            masks=masks,
            mask_format=mask_format,
            mask_name=mask_name,
            mask_background=mask_background,
            cue=cue,
            cue_options=cue_options,
            maps=maps,
            top=top,
            limit=limit,
            skip_bad=skip_bad,
            device=self._device,
        )

    def save(self, folder: Path | str) -> Run:
        """Copy the run to another, new folder and return it from there."""
        target = Path(with_home(str(folder)))
        copy_run(self.folder, target)
        return Run(target, model_spec=self._model_spec, device=self._device)


def train(
    data: str | Path, *, resume: bool = False, overwrite: bool = False, baselines: bool = False, **settings: Any
) -> Run:
    """Train prompts and evaluate them.

    Args:
        data: folder of photos or CSV index. resume, overwrite: what to do with an existing run folder.
        baselines: find what zero-shot CLIP and a closed form reach on the test images without training
            (``run.results.baselines``), and say at the end what to do next.
        settings: any configuration key, as in run.yaml: ``method="maple"``, ``dapt=True``,
            ``dapt={"margin": 1.0}``, ``cue="gradcam"``, ``shots=16``, ``out="runs/mine"``, ...

    Raises:
        DaptError: anything the user can mend.
    """
    from dapt.runs.train import run_training

    config = make_config({"data": str(data), **settings})
    run_training(config, resume=resume, overwrite=overwrite, baselines=baselines)
    return Run(config.out or default_folder(config), device=config.device)


def load(folder: Path | str, *, model: str | None = None, device: str = "auto") -> Run:
    """Open a finished run.

    Raises:
        DaptError: there is none.
    """
    return Run(folder, model_spec=model, device=device)


def explain(
    images: Sequence[Path | str],
    out: Path | str | None = None,
    *,
    run: Path | str | None = None,
    model: str | None = None,
    classes: Sequence[str] | None = None,
    masks: Path | str | None = None,
    mask_format: str | None = None,
    mask_name: str | None = None,
    mask_background: str | None = None,
    cue: str | None = None,
    cue_options: Mapping[str, Any] | None = None,
    maps: Sequence[str] | None = None,
    top: int = 5,
    limit: int = 50,
    skip_bad: bool = False,
    device: str = "auto",
) -> dict[str, Any]:
    """Explain what a run decides by, or without one what zero-shot does; see `Run.explain`.

    Args:
        run: a finished run; None: zero-shot of `model` among `classes`. model: a backbone, as for `create_model`.

    Raises:
        DaptError: anything the user can mend.
    """
    from dapt.plugins import load_installed
    from dapt.report.explain import explain_and_write
    from dapt.runs.explain import Foreground

    load_installed()
    return explain_and_write(
        [Path(with_home(str(image))) for image in images],
        None if out is None else Path(with_home(str(out))),
        run=None if run is None else Path(with_home(str(run))),
        model=model,
        classes=classes,
        foreground=Foreground(
            None if masks is None else Path(with_home(str(masks))),
            mask_format,
            mask_name,
            mask_background,
            cue,
            cue_options or {},
        ),
        maps=maps,
        top=top,
        limit=limit,
        skip_bad=skip_bad,
        device=device,
    )


def run_protocol(
    name: str,
    data: str | Path,
    *,
    over: str | Path | float | Iterable[str | Path | float] = (),
    jobs: int = 1,
    resume: bool = False,
    overwrite: bool = False,
    **settings: Any,
) -> ProtocolResults:
    """Run a whole protocol: ``few_shot``, ``base_to_novel``, ``cross_dataset``, ``domain_generalisation``,
    ``data_efficient`` or ``background_audit``, for one method, data set and seed.

    Args:
        name: of the protocol. data: as for `train`. over: shots, target data sets, fractions or other data that
            lends backgrounds; a single one needs no list; empty: as published.
        jobs: runs at the same time. settings: any configuration key; ``out`` is the folder of the whole protocol.

    Returns:
        the content of protocol.json: a row of figures per run or target, and their average where there is one.

    Raises:
        DaptError: anything the user can mend.
    """
    from dapt.experiments.run_protocol import run_protocol as run

    return run(name, {"data": str(data), **settings}, over=over, jobs=jobs, resume=resume, overwrite=overwrite)
