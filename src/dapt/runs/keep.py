"""After every epoch: the resume state, and metrics, curves and log, of which the state alone decides after a kill."""

from __future__ import annotations

from dapt.errors import ModelError
from dapt.runs.checkpoint import load_state, save_state
from dapt.runs.events import EventsFile
from dapt.runs.run_folder import RunFolder
from dapt.training.fit import Progress, State

STAMP = len("2000-01-01 00:00:00 ")  # what the lines of a log begin with


class StateKeeper:
    """Writes and reads the state of one run.

    Args:
        identity: of the run; a state of another one is refused. device: kind of device that trains.
        log: lines said so far; grows while the run goes on. events: of the run.
    """

    def __init__(self, folder: RunFolder, identity: str, device: str, log: list[str], events: EventsFile) -> None:
        self.folder = folder
        self.identity = identity
        self.device = device
        self.log = log
        self.events = events
        self._loaded: State = {}

    def begin(self) -> None:
        """Write what has been said so far: a run that is killed in its first epoch has a log, too."""
        self.folder.write_log(self.log)

    def keep(self, state: State, progress: Progress) -> None:
        """Write the state, then what follows from it.

        Raises:
            DaptError: the folder is gone, or the file system refuses.
        """
        about = {"identity": self.identity, "device": self.device, "log": list(self.log)}
        with self.folder.staying():
            save_state(self.folder.checkpoint_file, {**state, **about})
        self.folder.write_metrics(progress.lines)
        self.events.add(progress.lines[-1])
        self.folder.write_log(self.log)

    def load(self) -> State:
        """The state to go on from.

        Raises:
            ModelError: damaged, of another run, or trained on another kind of device.
        """
        path = self.folder.checkpoint_file
        state = load_state(path)
        if state["identity"] != self.identity:
            raise ModelError(
                f"The checkpoint {path} belongs to a run with other settings, inputs or rules of training.",
                todo="Restore the run's own, or start again with --overwrite.",
            )
        if state["device"] != self.device:
            raise ModelError(
                f"The run in {self.folder.path} was begun on {state['device']}; {self.device} rounds differently.",
                todo=f"Go on with --device {state['device']}, or start again with --overwrite.",
            )
        if not isinstance(state["log"], list):
            raise ModelError(f"The checkpoint {path} holds no log.", todo="Start again with --overwrite.")
        self._loaded = state
        return state

    def restore(self) -> None:
        """Bring metrics and log to where the state is: a kill may have come between their writing.

        What this session said while it prepared stands in the log already, unless it is new.
        """
        earlier = [str(line) for line in self._loaded["log"]]
        said = {line[STAMP:] for line in earlier}
        self.log[:] = [*earlier, *(line for line in self.log if line[STAMP:] not in said)]
        self.folder.write_metrics(self._loaded["lines"])
        self.events.restore(self._loaded["lines"])
        self.folder.write_log(self.log)
