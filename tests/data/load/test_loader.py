"""Batches are the same whoever makes them; errors and new masks get through."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
import time
from pathlib import Path

import pytest
import torch

from dapt.data.items import Item
from dapt.data.load import pixels
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.loader import EvalImages, TrainImages, epoch_batches, eval_loader, targets_of, train_loader
from dapt.data.load.prefetch import prefetch
from dapt.data.load.transforms import eval_transform, train_transform
from dapt.data.resolve import load_data
from dapt.errors import DataError
from helpers import PREPROCESS, make_folder, spoil_png

CPU = torch.device("cpu")


def helpers_alive() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("dapt-prefetch")]


def test_prefetch_keeps_order_and_works_ahead() -> None:
    started: list[int] = []

    def load(key: int) -> int:
        started.append(key)
        return key * key

    found = prefetch(load, range(6), ahead=2)
    assert next(found) == 0
    for _ in range(200):
        if len(started) == 3:
            break
        time.sleep(0.01)
    assert started == [0, 1, 2]
    assert list(found) == [1, 4, 9, 16, 25]
    assert list(prefetch(load, [])) == []
    assert not helpers_alive()


def test_prefetch_carries_errors_to_their_place() -> None:
    def load(key: int) -> int:
        if key == 2:
            raise DataError("damaged")
        return key

    found = prefetch(load, range(9))
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(DataError, match="damaged"):
        next(found)
    assert not helpers_alive()


def test_prefetch_ends_when_it_is_given_up() -> None:
    found = prefetch(lambda key: key, iter(range(10**9)))
    assert next(found) == 0
    assert helpers_alive()
    found.close()
    assert not helpers_alive()


class Recording(TrainImages):
    """Remembers its samples and the threads that made them."""

    def __getitem__(self, key):
        sample = super().__getitem__(key)
        self.__dict__.setdefault("seen", {})[key] = sample[0]
        self.__dict__.setdefault("threads", set()).add(threading.current_thread().name)
        return sample


def images(root: Path, kind: type[TrainImages] = TrainImages, transform=None) -> TrainImages:
    items = load_data(str(make_folder(root / "photos"))).split("train")
    transform = transform or train_transform((32, 32), PREPROCESS, crop_scale=(0.1, 1.0), flip=0.5)
    return kind(items, [item.label for item in items], transform, ImageCache(8), seed=3)


def test_on_an_accelerator_one_thread_makes_the_same_samples(tmp_path: Path) -> None:
    """The meta device stands in for a GPU: it takes the same path, and stores nothing."""
    own = images(tmp_path, Recording)
    batches = epoch_batches(len(own), 4, seed=1, epoch=2)
    torch.manual_seed(5)
    expected = torch.rand(len(batches))
    torch.manual_seed(5)
    drawn = []
    for batch in train_loader(own, batches, epoch=2, workers=0, device=torch.device("meta")):
        assert batch.pixels.device.type == "meta"
        drawn.append(torch.rand(()))  # the step's own draws are not disturbed
    assert torch.equal(torch.stack(drawn), expected)
    threads, seen = own.threads, dict(own.seen)
    assert len(threads) == 1
    assert "dapt-prefetch" in next(iter(threads))
    for position in (position for batch in batches for position in batch):
        assert torch.equal(own[2, position][0], seen[2, position])


class ProcessNumber:
    """A transform that tells in which process it ran."""

    def __call__(self, image, mask, /, generator=None):
        return torch.full((1, 1, 1), float(os.getpid())), torch.tensor([[[0.0, 1.0]]])


def epoch_of(own: TrainImages, epoch: int, workers: int = 1):
    batches = epoch_batches(len(own), 4, seed=1, epoch=epoch)
    return list(train_loader(own, batches, epoch=epoch, workers=workers, device=CPU))


def test_processes_stay_until_masks_change(tmp_path: Path) -> None:
    own = images(tmp_path, transform=ProcessNumber())
    first, second = epoch_of(own, 0), epoch_of(own, 1)
    number = first[0].pixels.unique()
    assert len(number) == 1
    assert int(number) != os.getpid()
    assert all(torch.equal(batch.pixels.unique(), number) for batch in first + second)
    assert not any(batch.usable.any() for batch in first + second)
    own = own.with_masks([torch.eye(48)[:40]] * len(own))
    third = epoch_of(own, 2)
    assert all(batch.usable.all() for batch in third)
    assert not torch.equal(third[0].pixels.unique(), number)
    left = {child.pid for child in multiprocessing.active_children()}
    assert int(number) not in left
    assert int(third[0].pixels[0]) in left
    own.close()
    assert int(third[0].pixels[0]) not in {child.pid for child in multiprocessing.active_children()}


def test_persistent_processes_give_the_batches_of_every_epoch(tmp_path: Path) -> None:
    own = images(tmp_path)
    own = own.with_masks([torch.eye(48)[:40]] * len(own))
    for epoch in range(3):
        for alone, helped in zip(epoch_of(own, epoch, 0), epoch_of(own, epoch, 2), strict=True):
            for name in ("pixels", "labels", "masks", "usable"):
                assert torch.equal(getattr(alone, name), getattr(helped, name))
        if epoch == 1:  # an epoch that is left early does not disturb the next one
            batches = epoch_batches(len(own), 4, seed=1, epoch=9)
            next(train_loader(own, batches, epoch=9, workers=2, device=CPU))
    own.close()


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_image_is_named_without_a_traceback(tmp_path: Path, workers: int) -> None:
    own = images(tmp_path)
    victim = own.items[5].path
    spoil_png(victim)
    with pytest.raises(DataError) as caught:
        epoch_of(own, 0, workers)
    own.close()
    evaluated = eval_loader(EvalImages(own.items, eval_transform((32, 32), PREPROCESS)), batch_size=4, workers=workers)
    assert len(evaluated) == len(own) / 4
    with pytest.raises(DataError) as caught_too:
        list(evaluated)
    for error in (caught.value, caught_too.value):
        assert error.what.startswith(f"{victim} is damaged")
        assert "Traceback" not in error.message
        assert "--skip-bad" in error.todo


def test_without_masks_the_shapes_stay(tmp_path: Path) -> None:
    own = images(tmp_path)
    pixels, _, mask, usable = own[0, 0]
    assert (pixels.shape, mask.shape, usable) == ((3, 32, 32), (1, 32, 32), False)
    assert pixels.is_contiguous()
    assert not mask.any()
    seen, nothing = EvalImages(own.items, eval_transform((32, 32), PREPROCESS))[0]
    assert (seen.shape, nothing.shape) == ((3, 32, 32), (1, 32, 32))
    assert not nothing.any()


def test_on_the_cpu_samples_are_made_between_the_steps(tmp_path: Path) -> None:
    own = images(tmp_path, Recording)
    made = []
    for _ in train_loader(own, [[0, 1], [2, 3], [4, 5]], epoch=0, workers=0, device=CPU):
        made.append(len(own.seen))
    assert made == [2, 4, 6]
    assert own.threads == {threading.current_thread().name}


@pytest.mark.parametrize("workers", [0, 1])
def test_loaders_leave_the_global_generator_alone(tmp_path: Path, workers: int) -> None:
    own = images(tmp_path)
    evaluated = eval_loader(EvalImages(own.items, eval_transform((32, 32), PREPROCESS)), batch_size=8, workers=workers)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    epoch_of(own, 0, workers)
    epoch_of(own, 1, workers)
    own.close()
    assert torch.equal(torch.get_rng_state(), state)
    list(evaluated)
    assert torch.equal(torch.get_rng_state(), state)


def test_processes_are_kept_for_the_same_settings_only(tmp_path: Path) -> None:
    own = images(tmp_path)
    first = own.processes(1, pin=False)
    assert own.processes(1, pin=False) is first
    for change in ("workers", "pin", "masks"):
        before = own.processes(1, pin=False)
        if change == "masks":
            own = own.with_masks(own.masks)
        now = own.processes(2 if change == "workers" else 1, pin=change == "pin")
        assert now is not before, change


def test_images_are_copied_without_their_processes(tmp_path: Path) -> None:
    """As for processes that are started afresh."""
    own = images(tmp_path)
    epoch_of(own, 0)
    copy = pickle.loads(pickle.dumps(own))
    own.close()
    assert torch.equal(copy[3, 1][0], own[3, 1][0])
    with pytest.raises(StopIteration):
        next(train_loader(copy, [], epoch=0, workers=0, device=CPU))


def test_loader_processes_take_over_the_limit_of_pixels(tmp_path: Path) -> None:
    """Where they are started afresh they know no setting of this process."""
    own = images(tmp_path)
    pixels.use_option(7.5)
    try:
        training = own.processes(1, pin=False)._loader.worker_init_fn
        testing = eval_loader(EvalImages(own.items, eval_transform((32, 32), PREPROCESS)), batch_size=4, workers=1)
        for start in (training, testing._loader.worker_init_fn):
            pixels.use_option(3)
            pickle.loads(pickle.dumps(start))(0)
            assert pixels.max_megapixels() == 7.5
    finally:
        pixels.use_option(None)


@pytest.mark.parametrize("workers", [0, 1])
def test_the_first_damaged_image_of_a_batch_is_named(tmp_path: Path, workers: int) -> None:
    own = images(tmp_path)
    for position in (2, 1):
        spoil_png(own.items[position].path)
    evaluated = eval_loader(EvalImages(own.items, eval_transform((32, 32), PREPROCESS)), batch_size=4, workers=workers)
    with pytest.raises(DataError) as caught:
        list(evaluated)
    assert caught.value.what.startswith(f"{own.items[1].path} is damaged")


def test_test_images_with_their_masks(tmp_path: Path) -> None:
    """The pictures are 48 wide and 40 high; of a mask of their left half a quarter of the centre is cut away."""
    own = images(tmp_path)
    asked: list[tuple[Item, tuple[int, int]]] = []

    def read(item: Item, size: tuple[int, int]) -> torch.Tensor | None:
        asked.append((item, size))
        mask = torch.zeros(size)
        mask[:, :24] = 1.0
        return mask if len(asked) == 1 else None

    found = EvalImages(own.items, eval_transform((40, 40), PREPROCESS), read)
    mask, nothing = found[3][1], found[0][1]
    assert asked == [(own.items[3], (40, 48)), (own.items[0], (40, 48))]
    expected = torch.zeros(1, 40, 40)
    expected[..., :20] = 1.0
    assert torch.equal(mask, expected)
    assert torch.equal(nothing, torch.zeros(1, 40, 40))


def test_trust_and_backgrounds_go_with_their_images(tmp_path: Path) -> None:
    own = images(make_folder(tmp_path / "photos", per_class=3))
    order = [[2, 0], [5, 1]]
    plain = list(train_loader(own, order, epoch=0, workers=0, device=CPU))
    assert all((batch.trust, batch.background) == (None, None) for batch in plain)
    trust = torch.arange(len(own)).double() / 4
    scored = own.with_masks([None] * len(own), trust=trust)
    scored.background = torch.arange(len(own)) - 1
    for batch, positions in zip(train_loader(scored, order, epoch=0, workers=0, device=CPU), order, strict=True):
        assert batch.trust.dtype == torch.float32
        assert batch.trust.tolist() == [position / 4 for position in positions]
        assert batch.background.dtype == torch.long
        assert batch.background.tolist() == [position - 1 for position in positions]
    assert own.trust is None
    again = scored.with_masks([None] * len(own))
    assert again.trust is None  # trust is in masks, and these are others
    assert again.background is scored.background


def test_targets_of_images_with_one_or_several_classes() -> None:
    path = Path("x.png")
    one, two, all_of_them = (
        Item(path, 2, "x"),
        Item(path, 1, "x", labels=(1, 3)),
        Item(path, 0, "x", labels=(0, 1, 2, 3)),
    )
    assert targets_of([one, one], 4) is None
    assert targets_of([], 4) is None
    assert targets_of([one, two, all_of_them], 4).tolist() == [[0, 0, 1, 0], [0, 1, 0, 1], [1, 1, 1, 1]]
