"""Miniature exports of annotation tools, written here, that all say the same of the same photographs."""

from __future__ import annotations

import base64
import io
import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIZE = (40, 30)  # width and height of the photographs
BOXES = {  # left, top, right, bottom of the object in each
    "cat/1.jpg": (4, 5, 20, 15),
    "cat/2.jpg": (10, 2, 30, 28),
    "dog/1.jpg": (0, 0, 12, 12),
    "dog/3.jpg": (25, 15, 40, 30),
}

Write = Callable[[Path, Mapping[str, tuple[int, int, int, int]]], None]


def make_photos(folder: Path, names: Mapping[str, Any] = BOXES, size: tuple[int, int] = SIZE, **saved: Any) -> Path:
    """Noise of a size."""
    rng = np.random.default_rng(0)
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)).save(path, **saved)
    return folder


def true_mask(box: tuple[int, int, int, int], size: tuple[int, int] = SIZE) -> np.ndarray:
    """What every export means."""
    mask = np.zeros((size[1], size[0]), dtype=bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


def read(path: Path) -> np.ndarray:
    """A mask that was written: 0 and 255 alone."""
    values = np.asarray(Image.open(path))
    assert values.ndim == 2
    assert set(np.unique(values)) <= {0, 255}
    return values > 0


def corners(box: tuple[int, int, int, int]) -> list[list[float]]:
    """The corners of a box, as a polygon."""
    left, top, right, bottom = map(float, box)
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def save(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Write a text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))


def png(path: Path, pixels: np.ndarray, mode: str | None = None) -> None:
    """Write a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(pixels)
    if mode == "P":
        picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + [7] * 759)
    picture.save(path)


def label_of(name: str) -> str:
    """The category of a photograph's object."""
    return name.split("/")[0]


def coco_tree(boxes: Mapping[str, Any], place: Callable[[Any], Any]) -> dict[str, Any]:
    """COCO's content, the segmentation as `place` writes it."""
    return {
        "images": [
            {"id": number, "file_name": name, "width": SIZE[0], "height": SIZE[1]} for number, name in enumerate(boxes)
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {
                "id": number,
                "image_id": number,
                "category_id": 1 + (label_of(name) == "dog"),
                "iscrowd": int(isinstance(place(box), dict)),
                "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
                "segmentation": place(box),
            }
            for number, (name, box) in enumerate(boxes.items())
        ],
    }


def runs(mask: np.ndarray) -> list[int]:
    """COCO's run lengths: down the columns, beginning outside."""
    flat, lengths, inside, count = mask.T.ravel(), [], False, 0
    for pixel in flat:
        if bool(pixel) != inside:
            lengths.append(count)
            inside, count = not inside, 0
        count += 1
    return [*lengths, count]


def packed(lengths: list[int]) -> str:
    """Run lengths in COCO's text form (maskApi.c)."""
    text = ""
    for place, length in enumerate(lengths):
        value = length - lengths[place - 2] if place > 2 else length
        more = True
        while more:
            bits = value & 0x1F
            value >>= 5
            more = value != (-1 if bits & 0x10 else 0)
            text += chr(48 + (bits | (0x20 if more else 0)))
    return text


def write_coco(folder: Path, boxes: Mapping[str, Any]) -> None:
    tree = coco_tree(boxes, lambda box: [[value for corner in corners(box) for value in corner]])
    save(folder / "instances.json", json.dumps(tree))


def write_coco_runs(folder: Path, boxes: Mapping[str, Any]) -> None:
    tree = coco_tree(boxes, lambda box: {"counts": runs(true_mask(box)), "size": [SIZE[1], SIZE[0]]})
    save(folder / "instances.json", json.dumps(tree))


def write_coco_packed(folder: Path, boxes: Mapping[str, Any]) -> None:
    tree = coco_tree(boxes, lambda box: {"counts": packed(runs(true_mask(box))), "size": [SIZE[1], SIZE[0]]})
    save(folder / "instances.json", json.dumps(tree))


def labelme(name: str, shapes: list[dict[str, Any]], size: tuple[int, int] | None = SIZE) -> str:
    """Labelme's file of one photograph."""
    tree: dict[str, Any] = {"version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": name.split("/")[-1]}
    tree |= {"imageData": None, "imageWidth": size and size[0], "imageHeight": size and size[1]}
    return json.dumps(tree)


def shape(label: str, points: Any, kind: str = "polygon", **more: Any) -> dict[str, Any]:
    """A shape of Labelme."""
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}, **more}


def write_labelme(folder: Path, boxes: Mapping[str, Any]) -> None:
    for name, box in boxes.items():
        save(folder / f"{name[:-4]}.json", labelme(name, [shape(label_of(name), corners(box))]))


def write_labelme_masks(folder: Path, boxes: Mapping[str, Any]) -> None:
    for name, box in boxes.items():
        left, top, right, bottom = box
        file = io.BytesIO()
        Image.fromarray(np.full((bottom - top, right - left), 255, np.uint8)).convert("1").save(file, format="PNG")
        bits = base64.b64encode(file.getvalue()).decode()
        points = [[left, top], [right - 1, bottom - 1]]
        save(folder / f"{name[:-4]}.json", labelme(name, [shape(label_of(name), points, "mask", mask=bits)]))


def write_voc(folder: Path, boxes: Mapping[str, Any]) -> None:
    """Label maps with 1 for cats and 2 for dogs; names do not tell folders, so they are in the tree."""
    for name, box in boxes.items():
        values = true_mask(box).astype(np.uint8) * (1 + (label_of(name) == "dog"))
        values[0, -1] = 255
        png(folder / label_of(name) / "SegmentationClass" / f"{name.split('/')[1][:-4]}.png", values, "P")
    save(folder / "labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:128,0,0::\ndog:0,128,0::\n")


def write_voc_colours(folder: Path, boxes: Mapping[str, Any]) -> None:
    """As CVAT paints them."""
    colours = {"cat": (128, 0, 0), "dog": (0, 128, 0)}
    for name, box in boxes.items():
        values = true_mask(box)[..., None] * np.array(colours[label_of(name)], np.uint8)
        png(folder / label_of(name) / "SegmentationClass" / f"{name.split('/')[1][:-4]}.png", values)
    save(folder / "labelmap.txt", "background:0,0,0::\ncat:128,0,0::\ndog:0,128,0::\n")


def voc(name: str, objects: str, size: tuple[int, int] = SIZE) -> str:
    """An XML file of Pascal VOC."""
    return (
        f"<annotation><filename>{name.split('/')[-1]}</filename><size><width>{size[0]}</width>"
        f"<height>{size[1]}</height><depth>3</depth></size>{objects}</annotation>"
    )


def write_voc_xml(folder: Path, boxes: Mapping[str, Any]) -> None:
    for name, box in boxes.items():
        numbered = [
            (f"{axis}{number}", value)
            for number, each in enumerate(corners(box), 1)
            for axis, value in zip("xy", each, strict=True)
        ]
        polygon = "".join(f"<{tag}>{value}</{tag}>" for tag, value in numbered)
        save(
            folder / f"{name[:-4]}.xml",
            voc(name, f"<object><name>{label_of(name)}</name><polygon>{polygon}</polygon></object>"),
        )


def write_voc_boxes(folder: Path, boxes: Mapping[str, Any]) -> None:
    for name, (left, top, right, bottom) in boxes.items():
        box = f"<xmin>{left + 1}</xmin><ymin>{top + 1}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax>"
        save(
            folder / f"{name[:-4]}.xml",
            voc(name, f"<object><name>{label_of(name)}</name><bndbox>{box}</bndbox></object>"),
        )


def write_yolo(folder: Path, boxes: Mapping[str, Any]) -> None:
    for name, box in boxes.items():
        shares = " ".join(f"{x / SIZE[0]:.6f} {y / SIZE[1]:.6f}" for x, y in corners(box))
        save(folder / "labels" / f"{name[:-4]}.txt", f"{int(label_of(name) == 'dog')} {shares}\n")
    save(folder / "data.yaml", "names: [cat, dog]\n")


def cvat(images: str) -> str:
    """CVAT's XML."""
    labels = "".join(f"<label><name>{name}</name></label>" for name in ("cat", "dog"))
    head = '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>'
    return f"{head}<meta><task><labels>{labels}</labels></task></meta>{images}</annotations>"


def cvat_image(number: int, name: str, shapes: str, size: tuple[int, int] = SIZE) -> str:
    """One image of it."""
    return f'<image id="{number}" name="{name}" width="{size[0]}" height="{size[1]}">{shapes}</image>'


def write_cvat(folder: Path, boxes: Mapping[str, Any]) -> None:
    images = ""
    for number, (name, box) in enumerate(boxes.items()):
        points = ";".join(f"{x},{y}" for x, y in corners(box))
        images += cvat_image(number, name, f'<polygon label="{label_of(name)}" points="{points}" z_order="0"/>')
    save(folder / "annotations.xml", cvat(images))


def write_cvat_masks(folder: Path, boxes: Mapping[str, Any]) -> None:
    """Masks within a rectangle that is one pixel larger where there is room to the left."""
    images = ""
    for number, (name, (left, top, right, bottom)) in enumerate(boxes.items()):
        before = min(1, left)
        width = right - left
        lengths = [length for _ in range(bottom - top) for length in (before, width)]
        rle = ", ".join(map(str, lengths if before else [0, width * (bottom - top)]))
        place = f'left="{left - before}" top="{top}" width="{width + before}" height="{bottom - top}"'
        images += cvat_image(number, name, f'<mask label="{label_of(name)}" rle="{rle}" {place} z_order="0"/>')
    save(folder / "annotations.xml", cvat(images))


def brush(values: np.ndarray) -> list[int]:
    """Bytes in Label Studio's packed form: blocks of one repeated value each."""
    flat = values.ravel()
    bits = f"{flat.size:032b}{7:05b}{3:04b}{7:04b}{15:04b}{15:04b}"
    changes = [0, *(np.flatnonzero(flat[1:] != flat[:-1]) + 1).tolist(), flat.size]
    for first, last in itertools.pairwise(changes):
        while first < last:
            count = min(last - first, 2**16)
            which, width = (0, 4) if count <= 16 else (1, 8) if count <= 256 else (2, 16)
            if count == 3:  # also values one by one
                bits += f"0{which:02b}{count - 1:0{width}b}" + f"{flat[first]:08b}" * 3
            else:
                bits += f"1{which:02b}{count - 1:0{width}b}{flat[first]:08b}"
            first += count
    bits += "0" * (-len(bits) % 8)
    return [int(bits[place : place + 8], 2) for place in range(0, len(bits), 8)]


def task(number: int, name: str, results: list[dict[str, Any]]) -> dict[str, Any]:
    """A task of Label Studio, whose pictures were uploaded."""
    return {
        "id": number,
        "data": {"image": f"/data/local-files/?d={name}"},
        "annotations": [{"id": 1, "result": results}],
    }


def result(kind: str, value: dict[str, Any], size: tuple[int, int] = SIZE) -> dict[str, Any]:
    """A result of Label Studio."""
    told = {"original_width": size[0], "original_height": size[1], "image_rotation": 0}
    return {"type": kind, "from_name": "label", "to_name": "image", **told, "value": value}


def write_label_studio(folder: Path, boxes: Mapping[str, Any]) -> None:
    tasks = []
    for number, (name, box) in enumerate(boxes.items()):
        points = [[100 * x / SIZE[0], 100 * y / SIZE[1]] for x, y in corners(box)]
        tasks.append(
            task(number, name, [result("polygonlabels", {"points": points, "polygonlabels": [label_of(name)]})])
        )
    save(folder / "project.json", json.dumps(tasks))


def write_label_studio_brush(folder: Path, boxes: Mapping[str, Any]) -> None:
    tasks = []
    for number, (name, box) in enumerate(boxes.items()):
        values = np.repeat(true_mask(box)[..., None], 4, axis=2).astype(np.uint8) * 255
        value = {"format": "rle", "rle": brush(values), "brushlabels": [label_of(name)]}
        tasks.append(task(number, name, [result("brushlabels", value)]))
    save(folder / "project.json", json.dumps(tasks))


def write_label_studio_apart(folder: Path, boxes: Mapping[str, Any]) -> None:
    """As of ``<Labels>`` with ``<Polygon>``: places and labels in results of their own, and a question of each."""
    tasks = []
    for number, (name, box) in enumerate(boxes.items()):
        place = {"points": [[100 * x / SIZE[0], 100 * y / SIZE[1]] for x, y in corners(box)], "closed": True}
        values = {"polygon": {}, "labels": {"labels": [label_of(name)]}, "choices": {"choices": ["sharp"]}}
        results = [{**result(kind, {**place, **more}), "id": "aZ4"} for kind, more in values.items()]
        tasks.append(task(number, name, results))
    save(folder / "project.json", json.dumps(tasks))


def write_label_studio_bitmask(folder: Path, boxes: Mapping[str, Any]) -> None:
    """PNGs as data URLs, black where they are not transparent."""
    tasks = []
    for number, (name, box) in enumerate(boxes.items()):
        pixels = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
        pixels[..., 3] = true_mask(box) * 255
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, format="PNG")
        url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
        value = {"imageDataURL": url, "bitmasklabels": [label_of(name)]}
        tasks.append(task(number, name, [result("bitmasklabels", value)]))
    save(folder / "project.json", json.dumps(tasks))


def write_label_studio_min_apart(folder: Path, boxes: Mapping[str, Any]) -> None:
    """As JSON-MIN of such a configuration, which does not say what is what."""
    rows = []
    for number, (name, box) in enumerate(boxes.items()):
        place = {"points": [[100 * x / SIZE[0], 100 * y / SIZE[1]] for x, y in corners(box)], "closed": True}
        place |= {"original_width": SIZE[0], "original_height": SIZE[1]}
        row = {"id": number, "image": name, "annotator": 1, "annotation_id": number, "texts": ["one", "two"]}
        rows.append({**row, "kind": [{**place, "labels": [label_of(name)]}], "shape": [place]})
    save(folder / "min.json", json.dumps(rows))


def write_label_studio_min(folder: Path, boxes: Mapping[str, Any]) -> None:
    rows = []
    for number, (name, (left, top, right, bottom)) in enumerate(boxes.items()):
        place = {"x": 100 * left / SIZE[0], "y": 100 * top / SIZE[1], "rotation": 0}
        place |= {"width": 100 * (right - left) / SIZE[0], "height": 100 * (bottom - top) / SIZE[1]}
        told = {"original_width": SIZE[0], "original_height": SIZE[1], "rectanglelabels": [label_of(name)]}
        rows.append(
            {"id": number, "image": name, "annotator": 1, "annotation_id": number, "label": [{**place, **told}]}
        )
    save(folder / "min.json", json.dumps(rows))


def write_alpha(folder: Path, boxes: Mapping[str, Any]) -> None:
    for name, box in boxes.items():
        pixels = np.full((SIZE[1], SIZE[0], 4), 90, np.uint8)
        pixels[..., 3] = true_mask(box) * 255
        png(folder / f"{name[:-4]}.png", pixels)


def write_suffix(folder: Path, boxes: Mapping[str, Any]) -> None:
    for name, box in boxes.items():
        png(folder / f"{name[:-4]}_mask.png", true_mask(box).astype(np.uint8) * 255)


def write_instances(folder: Path, boxes: Mapping[str, Any]) -> None:
    """The object in two halves."""
    for name, (left, top, right, bottom) in boxes.items():
        middle = (left + right) // 2
        for number, half in enumerate(((left, top, middle, bottom), (middle, top, right, bottom))):
            png(folder / f"{name[:-4]}_{number}.png", true_mask(half).astype(np.uint8) * 255)


def write_instance_folders(folder: Path, boxes: Mapping[str, Any]) -> None:
    """As of the Data Science Bowl: a folder per photograph."""
    for name, box in boxes.items():
        png(folder / name[:-4] / "masks" / "a.png", true_mask(box).astype(np.uint8) * 255)
        png(
            folder / name[:-4] / "masks" / "b.png",
            true_mask((box[0], box[1], box[0] + 2, box[3])).astype(np.uint8) * 255,
        )


EXPORTS: dict[str, tuple[str, Write]] = {
    "coco polygons": ("coco", write_coco),
    "coco runs": ("coco", write_coco_runs),
    "coco packed runs": ("coco", write_coco_packed),
    "labelme": ("labelme", write_labelme),
    "labelme masks": ("labelme", write_labelme_masks),
    "voc": ("voc", write_voc),
    "voc colours": ("voc", write_voc_colours),
    "voc polygons": ("voc", write_voc_xml),
    "voc boxes": ("voc", write_voc_boxes),
    "yolo": ("yolo-seg", write_yolo),
    "cvat": ("cvat", write_cvat),
    "cvat masks": ("cvat", write_cvat_masks),
    "label studio": ("label-studio", write_label_studio),
    "label studio brush": ("label-studio", write_label_studio_brush),
    "label studio labels apart": ("label-studio", write_label_studio_apart),
    "label studio bitmask": ("label-studio", write_label_studio_bitmask),
    "label studio min labels apart": ("label-studio", write_label_studio_min_apart),
    "label studio min": ("label-studio", write_label_studio_min),
    "alpha": ("alpha", write_alpha),
    "suffix": ("suffix", write_suffix),
    "instances": ("instances", write_instances),
    "instance folders": ("instances", write_instance_folders),
}
