"""Parts of a step side by side: who waits for whom, and that the step is what it is without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import dapt
from dapt.clip.adapters import AdaptedPrompts, Place, Update
from dapt.clip.prompts import Prompts
from dapt.data.batch import Batch
from dapt.model import branches, prompted_towers
from dapt.model.branches import Beside, beside_others, tensors_of
from dapt.model.needs import Needs
from helpers import tiny_clip

NEEDS = Needs({"full": True, "foreground": False, "background": False}, {"classes": True, "background": True})


class Stream:
    """Writes down what is asked of it."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log = name, log

    def wait_stream(self, other: Stream) -> None:
        self.log.append(f"{self.name} waits for {other.name}")


def test_a_branch_waits_for_what_it_reads_and_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    main, side = Stream("main", log), Stream("side", log)

    def tensor(name: str) -> Any:
        return SimpleNamespace(record_stream=lambda stream: log.append(f"{name} is read by {stream.name}"))

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: side)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: main)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext(log.append(f"on {stream.name}")))
    with Beside(torch.device("cuda")).branch([tensor("prompt")]) as join:
        log.append("computes")
    join([tensor("feature")])
    waits = ["side waits for main", "prompt is read by side", "on side", "computes"]
    assert log == [*waits, "main waits for side", "feature is read by main"]


def test_there_are_none_but_while_a_step_is_recorded_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    assert beside_others(torch.device("cpu")) is None
    made: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "device", lambda device: nullcontext())
    monkeypatch.setattr(branches, "Beside", lambda device: made.append(device) or object())
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: recording)
    branches._beside.cache_clear()
    try:
        recording = False
        assert beside_others(torch.device("cuda:3")) is None
        recording = True
        first = beside_others(torch.device("cuda:3"))
        assert first is beside_others(torch.device("cuda:3"))
        assert first is not beside_others(torch.device("cuda:3"), 1)
        assert len(made) == 2  # that of a device is made before it is needed
    finally:
        branches._beside.cache_clear()


def test_all_vectors_of_prompts() -> None:
    parts = [torch.zeros(1, 1) for _ in range(4)]
    assert tensors_of(Prompts(parts[0], (parts[1],), parts[2], (parts[3],))) == parts
    assert tensors_of(Prompts(None, (parts[1],))) == parts[1:2]
    update, place = torch.zeros(1, 1, 1), Place(torch.nn.Linear(1, 1), "weight", ("o",))
    adapted = AdaptedPrompts(image_updates=(Update(place, update, update + 1, 1.0),))
    assert [float(part) for part in tensors_of(adapted)] == [0, 1]


@pytest.fixture
def batch() -> Batch:
    masks = torch.zeros(2, 1, 32, 32)
    masks[..., 8:24, 8:24] = 1
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return Batch(pixels, torch.tensor([0, 2]), masks)


class Counted:
    """A branch that runs where it stands."""

    def __init__(self) -> None:
        self.read: list[int] = []
        self.joined: list[int] = []

    @contextmanager
    def branch(self, read: Any) -> Iterator[Any]:
        self.read.append(len(list(read)))
        yield lambda made: self.joined.append(len(list(made)))


@pytest.mark.parametrize(
    ("method", "most", "joined"),
    [("maple", 64, [2, 2]), ("maple", 3, [2]), ("coop", 64, [2, 2]), ("cocoop", 64, [])],
)
def test_a_step_with_branches_is_that_without(
    method: str, most: int, joined: list[int], batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the texts, and of the two views without gradient; texts that are made from images wait for these."""
    names = ["red square", "blue disc", "green bar"]
    prompt = {"depth": 2} if method == "maple" else {}
    with_dapt = {"word_count": 4} if method != "cocoop" else {"enabled": False}
    model = dapt.create_model(tiny_clip(), method, names, dapt=with_dapt, **prompt)
    needs = NEEDS if method != "cocoop" else Needs({"full": True}, {"classes": True})

    def computed() -> list[torch.Tensor]:
        found = model.compute(batch, needs)
        return [found.image[name] for name in needs.views] + [found.text[name] for name in needs.texts]

    plain = computed()
    counted = Counted()
    monkeypatch.setattr(prompted_towers, "beside_others", lambda *args: counted)
    monkeypatch.setattr(prompted_towers, "MOST_BESIDE", most)
    beside = computed()
    assert sorted(counted.joined) == joined
    assert all(count > 0 for count in counted.read)
    assert len(counted.read) == len(joined)
    for one, other in zip(plain, beside, strict=True):
        assert torch.equal(one, other)
        assert one.requires_grad == other.requires_grad
