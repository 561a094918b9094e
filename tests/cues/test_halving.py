"""Batches that are halved where memory runs out."""

from __future__ import annotations

import pytest
import torch

from dapt.cues.halving import BatchSize, in_batches, is_out_of_memory
from dapt.errors import DataError


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9.00 GB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
        RuntimeError("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Failed to allocate memory for requested buffer"),
        MemoryError(),
    ],
)
def test_memory_that_runs_out_is_recognised(error: Exception) -> None:
    assert is_out_of_memory(error)


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("out of memory"), KeyError("x")])
def test_other_errors_are_not(error: Exception) -> None:
    assert not is_out_of_memory(error)


def _alone(job: int) -> DataError:
    return DataError(f"{job} is too large")


def test_a_batch_that_does_not_fit_is_halved_until_it_does_and_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    tried: list[list[int]] = []

    def run(jobs: list[int]) -> list[int]:
        tried.append(list(jobs))
        if len(jobs) > 2:
            raise RuntimeError("CUDA out of memory")
        return [10 * job for job in jobs]

    size = BatchSize(8, "clipseg")
    assert list(in_batches(range(11), size, run, _alone)) == [10 * job for job in range(11)]
    assert [len(jobs) for jobs in tried] == [8, 4, 2, 2, 2, 2, 2, 1]
    said = capsys.readouterr().err
    assert said.count("do not fit into memory") == 1
    assert "2 from now on (cue.batch_size=2)" in said
    tried.clear()
    assert list(in_batches(range(4), size, run, _alone)) == [0, 10, 20, 30]  # it stays so
    assert [len(jobs) for jobs in tried] == [2, 2]


def test_one_that_does_not_fit_alone_is_named() -> None:
    def run(jobs: list[int]) -> list[int]:
        if 5 in jobs:
            raise MemoryError
        return jobs

    done: list[int] = []
    with pytest.raises(DataError, match="5 is too large"):
        done.extend(in_batches(range(8), BatchSize(4, "x"), run, _alone))


def test_other_errors_are_raised_and_jobs_are_taken_as_needed() -> None:
    taken: list[int] = []

    def jobs():
        for job in range(100):
            taken.append(job)
            yield job

    results = in_batches(jobs(), BatchSize(4, "x"), lambda batch: batch, _alone)
    assert next(results) == 0
    assert len(taken) == 4

    def broken(batch: list[int]) -> list[int]:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        list(in_batches(range(3), BatchSize(2, "x"), broken, _alone))
