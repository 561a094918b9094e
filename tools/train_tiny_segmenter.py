"""Train a tiny U-Net that finds the object in rendered scenes, and write it as an ONNX file for the cue `salient`.

    python tools/train_tiny_segmenter.py --out tests/cues/tiny_segmenter.onnx     # a minute on a GPU and 16 cores
    python tools/train_tiny_segmenter.py --out tiny.onnx --scenes 2000 --epochs 12 --device cpu   # IoU 90%

The second takes five minutes of one processor core; the first makes nearly eight times as many steps.

It stands for U²-Net and its kin in the tests: a trained network, of 280 kB, that goes through the same path. Input and
output are those that rembg gives to U²-Net (Qin et al., 2020, arXiv 2005.09007): a photo divided by its largest value
and normalised by ImageNet's mean and deviation, and a map in 0..1. Everything random follows from --seed.
"""

from __future__ import annotations

import argparse
import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dapt.console import progress, say
from dapt.demo.drawing.backgrounds import BACKGROUNDS
from dapt.demo.drawing.objects import class_names
from dapt.demo.drawing.scenes import render
from dapt.devices import pick_device
from dapt.environment import cores
from dapt.files import write_bytes
from dapt.processes import worker_pool

SIZE = 96
CHANNELS = (8, 16, 24, 32)
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BATCH = 32


def _layer(inside: int, outside: int, dilation: int = 1) -> nn.Module:
    conv = nn.Conv2d(inside, outside, 3, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outside), nn.ReLU())


class TinyUNet(nn.Module):
    """Three levels down and up again (Ronneberger et al., 2015, arXiv 1505.04597), with wide steps at the bottom."""

    def __init__(self) -> None:
        super().__init__()
        before = (3, *CHANNELS[:-1])
        self.down = nn.ModuleList(
            nn.Sequential(_layer(a, b), _layer(b, b)) for a, b in zip(before, CHANNELS, strict=True)
        )
        self.wide = nn.Sequential(_layer(CHANNELS[-1], CHANNELS[-1], 2), _layer(CHANNELS[-1], CHANNELS[-1], 4))
        pairs = list(pairwise(CHANNELS))
        self.up = nn.ModuleList(_layer(small + large, small) for small, large in reversed(pairs))
        self.last = nn.Conv2d(CHANNELS[0], 1, 1)

    def forward(self, photos: Tensor) -> Tensor:
        """Logits ``[N, 1, SIZE, SIZE]`` of normalised photos ``[N, 3, SIZE, SIZE]``."""
        kept: list[Tensor] = []
        found = photos
        for place, level in enumerate(self.down):
            found = level(F.max_pool2d(found, 2) if place else found)
            kept.append(found)
        found = self.wide(kept.pop())
        for level in self.up:
            found = level(torch.cat([F.interpolate(found, scale_factor=2.0, mode="nearest"), kept.pop()], dim=1))
        return self.last(found)


class _AsMap(nn.Module):
    def __init__(self, network: TinyUNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, photos: Tensor) -> Tensor:
        return self.network(photos).sigmoid()


def normalised(photos: Tensor) -> Tensor:
    """Bytes ``[N, 3, H, W]`` as the network wants them."""
    values = photos.float() / photos.flatten(1).amax(dim=1).clamp(min=1).float().view(-1, 1, 1, 1)
    mean, deviation = (values.new_tensor(each).view(3, 1, 1) for each in (MEAN, DEVIATION))
    return (values - mean) / deviation


def _scene(job: tuple[int, int]) -> tuple[Any, Any]:
    seed, index = job
    rng = np.random.default_rng((seed, index))
    name = str(rng.choice(class_names()))
    scene = render(name, str(rng.choice(list(BACKGROUNDS))), (seed, index, 1), SIZE)
    return scene.image, scene.mask


def scenes(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Photos ``[N, 3, SIZE, SIZE]`` and masks ``[N, 1, SIZE, SIZE]``, as bytes."""
    jobs = [(seed, index) for index in range(count)]
    with worker_pool(cores()) as pool:
        drawn = list(progress(pool.map(_scene, jobs, chunksize=16), count, "drawing scenes", "scenes"))
    photos = torch.from_numpy(np.stack([image for image, _ in drawn])).permute(0, 3, 1, 2)
    return photos.contiguous(), torch.from_numpy(np.stack([mask for _, mask in drawn]))[:, None]


def loss_of(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy of the pixels and one minus the Dice overlap of each image (Milletari et al., arXiv 1606.04797)."""
    probability = logits.sigmoid()
    both = (probability * masks).sum(dim=(1, 2, 3))
    dice = (2 * both + 1) / (probability.sum(dim=(1, 2, 3)) + masks.sum(dim=(1, 2, 3)) + 1)
    return F.binary_cross_entropy_with_logits(logits, masks) + (1 - dice).mean()


def train(photos: Tensor, masks: Tensor, epochs: int, seed: int) -> TinyUNet:
    """A trained network."""
    torch.manual_seed(seed)
    network = TinyUNet().to(photos.device)
    steps = epochs * (len(photos) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    batches = (part for _ in range(epochs) for part in torch.randperm(len(photos)).split(BATCH) if len(part) == BATCH)
    total = 0.0
    for step, part in enumerate(progress(batches, steps, "training", "steps"), start=1):
        inputs, wanted = normalised(photos[part]), masks[part].float() / 255
        if torch.rand(()) < 0.5:
            inputs, wanted = inputs.flip(-1), wanted.flip(-1)
        loss = loss_of(network(inputs), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        total += float(loss.detach())
        if step % 100 == 0:
            say(f"step {step} of {steps}: loss {total / 100:.3f}")
            total = 0.0
    return network.cpu().eval()


@torch.no_grad()
def overlap(network: TinyUNet, photos: Tensor, masks: Tensor) -> float:
    """Mean intersection over union of the images."""
    values = []
    for some, true in zip(photos.split(BATCH), masks.split(BATCH), strict=True):
        found, there = network(normalised(some)) > 0, true > 127
        both = (found & there).sum(dim=(1, 2, 3))
        either = (found | there).sum(dim=(1, 2, 3))
        values.append(both / either.clamp(min=1))
    return float(torch.cat(values).mean())


def export(network: TinyUNet) -> bytes:
    """The network as an ONNX file."""
    file = io.BytesIO()
    torch.onnx.export(
        _AsMap(network).eval(),
        (torch.zeros(1, 3, SIZE, SIZE),),
        file,
        input_names=["photo"],
        output_names=["foreground"],
        opset_version=17,
        dynamo=False,
    )
    return file.getvalue()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--scenes", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    if given.scenes < BATCH or given.epochs < 1:
        parser.error(f"at least {BATCH} scenes (a batch) and one epoch")
    device = pick_device(given.device)
    photos, masks = scenes(given.scenes, given.seed)
    network = train(photos.to(device), masks.to(device), given.epochs, given.seed)
    new = scenes(200, given.seed + 1000)
    say(f"IoU on 200 new scenes: {100 * overlap(network, *new):.1f}%")
    content = export(network)
    write_bytes(given.out, content)
    say(f"{given.out}: {len(content) / 1000:.0f} kB")


if __name__ == "__main__":
    from ending import ending

    ending(main)
