"""Measure the bundled CLIP and write its model card and checksums.

python tools/demo_clip_card.py FOLDER       # only measures; `train_demo_clip.py` writes the card at its end
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import torch

from dapt.clip.bundled import CHECKSUMS
from dapt.clip.load import load_clip
from dapt.console import progress, say
from dapt.cues.quality import MaskQuality, compare_masks
from dapt.data.load.transforms import eval_transform
from dapt.demo.drawing.look import OBJECTS
from dapt.demo.drawing.objects import class_names
from dapt.demo.drawing.scenes import render
from dapt.demo.scene_data import background_for
from dapt.files import write_json, write_text
from dapt.methods.zero_shot import TemplateOptions
from dapt.model.attention import features_and_attention, foreground_share
from dapt.model.classifier import Classifier
from dapt.model.grad_cam import grad_cam, normalise_maps
from dapt.model.prompted_clip import PromptedClip
from dapt.prompts.untrained import UntrainedPrompts

KINDS = ("own", "random", "exchanged")
HELD_OUT_SEED = 987_654

CARD = """# The bundled CLIP: a miniature for `dapt demo` and for tests

An open_clip model in open_clip's own folder format: `--model demo` in dapt; with open_clip alone
`create_model("local-dir:FOLDER")` and `get_tokenizer("local-dir:FOLDER", bpe_path="FOLDER/bpe_vocab.txt.gz")`.

Image 64 px, patch 8 (8 x 8 grid), width 128, 10 layers, 4 heads; text context 32, width 128, 10 layers, 4
heads; joint dimension 128; GELU; {parameters:.1f} million parameters, float16 weights, {megabytes:.1f} MB.

## Data

Scenes drawn by the code in `dapt.demo`, nothing else: {classes} object classes on 8 backgrounds, with varied
colours, sizes, light, distractors and partial occlusion. An object stands on the background where it belongs in
{home:.0%} of the scenes and on a random one otherwise; {empty:.0%} of the scenes have no object. Captions are made of
words and templates: they name the object, the background or both, sometimes the colour. No photograph, no text and no
weights of anyone else went in, so the licence is the package's own.

The tokenizer is byte-pair encoding trained on the captions' words; each of those is one token. Any other word
falls apart into letters and bytes. Letters were seen in training (words are spelled out now and then), so an
unknown word gets a feature of its own, but no meaning.

## Recipe

`python tools/train_demo_clip.py`: contrastive loss with equal captions counted as equal, half of the patches left out
for the first 85% of the steps, random crops and mirroring; {recipe}

## Accuracy

Zero-shot, "a photo of a {{}}.", {count} held-out scenes of each kind, percent:

| backgrounds | accuracy | attention on the object | chance |
|---|---|---|---|
{rows}

With random backgrounds it is right {times:.0f} times as often as chance, so it knows objects; and it leans on the
background: with an exchanged one it is {gap:.0f} points worse than with the usual one. Nobody scripted that; it follows
from where objects usually stand in its training scenes.
Grad-CAM of the true class, cut at half its maximum, overlaps the true masks of the random scenes with IoU
{iou:.1f}.

## Limits

It knows the {classes} classes ({names}), 8 backgrounds and a few colours, as drawings. It knows nothing about
photographs. Use it to see how the program works and in tests; never to claim a result about the field.
"""


@torch.no_grad()
def measure(folder: Path, kind: str, per_class: int = 25) -> dict[str, float]:
    """Zero-shot accuracy and foreground attention in percent, and Grad-CAM's overlap, on scenes never trained on."""
    clip = load_clip(f"local-dir:{folder}")
    transform = eval_transform(clip.image.image_size, clip.preprocess)
    names = class_names()
    untrained = UntrainedPrompts(TemplateOptions(), clip, names, torch.Generator())
    classify = Classifier(PromptedClip(clip, untrained, names))
    right, shares, quality = 0, [], MaskQuality()
    for label, name in enumerate(progress(names, len(names), f"{kind} backgrounds", "classes")):
        scenes = []
        for index in range(per_class):
            rng = np.random.default_rng((HELD_OUT_SEED, label, index))
            scenes.append(
                render(name, background_for(OBJECTS[name].home, kind, rng), (HELD_OUT_SEED, label, index, 1), 128)
            )
        pairs = [
            transform(torch.from_numpy(scene.image).permute(2, 0, 1), torch.from_numpy(scene.mask)[None] / 255)
            for scene in scenes
        ]
        pixels, masks = (torch.stack(part) for part in zip(*pairs, strict=True))
        features, attention = features_and_attention(classify, pixels)
        right += int((classify.logits(features).argmax(dim=1) == label).sum())
        shares += foreground_share(attention, masks).tolist()
        coarse = grad_cam(classify, pixels, torch.full((per_class,), label)).coarse
        for cue, mask in zip(normalise_maps(coarse, clip.image.image_size), masks, strict=True):
            compare_masks(cue >= 0.5, mask[0] > 0.5, quality)
    return {
        "accuracy": 100 * right / (per_class * len(names)),
        "attention": 100 * sum(shares) / len(shares),
        "iou": quality.figures()["iou"] or 0.0,
    }


def measure_all(folder: Path) -> dict[str, dict[str, float]]:
    """`measure` on every kind of background, said aloud."""
    found = {kind: measure(folder, kind) for kind in KINDS}
    for kind, figures in found.items():
        say(f"{kind} backgrounds: " + ", ".join(f"{name} {value:.1f}" for name, value in figures.items()))
    return found


def finish(folder: Path, recipe: str, *, home: float, empty: float) -> None:
    """Measure the model in `folder`; write README.md and the checksums that `--model demo` is checked against.

    Args:
        recipe: how it was trained. home, empty: shares of training scenes on the object's own background, and without
            an object.
    """
    found = measure_all(folder)
    weights = folder / "open_clip_model.safetensors"
    clip = load_clip(f"local-dir:{folder}")
    rows = [
        f"| {kind} | {figures['accuracy']:.1f} | {figures['attention']:.1f} | {100 / len(OBJECTS):.1f} |"
        for kind, figures in found.items()
    ]
    text = CARD.format(
        parameters=sum(parameter.numel() for parameter in clip.model.parameters()) / 1e6,
        megabytes=weights.stat().st_size / 1e6,
        classes=len(OBJECTS),
        count=25 * len(OBJECTS),
        rows="\n".join(rows),
        times=found["random"]["accuracy"] * len(OBJECTS) / 100,
        gap=found["own"]["accuracy"] - found["exchanged"]["accuracy"],
        iou=found["random"]["iou"],
        names=", ".join(class_names()),
        recipe=recipe,
        home=home,
        empty=empty,
    )
    write_text(folder / "README.md", text)
    packaged = (path for path in sorted(folder.iterdir()) if path.suffix in (".json", ".gz", ".safetensors"))
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in packaged if path.name != CHECKSUMS}
    write_json(folder / CHECKSUMS, sums)


def main() -> None:
    """Measure the model of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    measure_all(parser.parse_args().folder)


if __name__ == "__main__":
    from ending import ending

    ending(main)
