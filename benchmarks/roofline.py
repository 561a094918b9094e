"""The machine's limit: how fast it multiplies matrices."""

from __future__ import annotations

import torch

from benchmarks.measure import seconds

# a large square, and the shapes of the MLPs of both towers of ViT-B/16 at batch 4
SHAPES = ((2048, 2048, 2048), (788, 768, 3072), (788, 3072, 768), (512, 512, 2048))


class Gemm:
    """GFLOP/s of the fastest of several matrix products; measured again and again beside the steps."""

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        self.device = device
        self._pairs = [
            (torch.randn(m, k, device=device, dtype=dtype), torch.randn(k, n, device=device, dtype=dtype))
            for m, n, k in SHAPES
        ]
        self.readings: list[float] = []

    def read(self) -> float:
        """One reading: the fastest shape, in GFLOP/s."""
        best = 0.0
        for (m, n, k), (a, b) in zip(SHAPES, self._pairs, strict=True):
            work = 2e-9 * m * n * k
            count = max(1, round(40 / work)) if self.device.type == "cpu" else max(1, round(20_000 / work))

            def product(a: torch.Tensor = a, b: torch.Tensor = b, count: int = count) -> None:
                for _ in range(count):
                    torch.mm(a, b)

            best = max(best, count * work / seconds(product, self.device))
        self.readings.append(best)
        return best
