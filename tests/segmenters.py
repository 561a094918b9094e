"""Tiny segmentation models of the real library classes with random weights, saved as the library saves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

LETTERS = "abcdefghijklmnopqrstuvwxyz"
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", "butterfly", "leaf", "red", "cat", "dog"]


def _saved(folder: Path, *parts: Any) -> Path:
    for part in parts:
        part.save_pretrained(folder)
    return folder


def _clip_tokenizer() -> Any:
    from transformers import CLIPTokenizer

    words = [*LETTERS, *(letter + "</w>" for letter in LETTERS), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={word: place for place, word in enumerate(words)}, merges=[], model_max_length=16)


def _backbone(**more: Any) -> Any:
    from transformers import SwinConfig

    return SwinConfig(
        image_size=64,
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 1, 2, 2],
        window_size=4,
        drop_path_rate=0.0,
        **more,
    )


def tiny_clipseg(folder: Path) -> Path:
    """CLIPSeg that sees 32 x 32 pixels."""
    from transformers import CLIPSegConfig, CLIPSegForImageSegmentation, CLIPSegProcessor, ViTImageProcessor

    torch.manual_seed(0)
    tokenizer = _clip_tokenizer()
    end = tokenizer.eos_token_id
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2}
    config = CLIPSegConfig(
        text_config={
            **tower,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 16,
            "eos_token_id": end,
            "bos_token_id": end - 1,
            "pad_token_id": end,
        },
        vision_config={**tower, "image_size": 32, "patch_size": 8},
        projection_dim=16,
        extract_layers=[0, 1],
        reduce_dim=8,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
    )
    images = ViTImageProcessor(size={"height": 32, "width": 32})
    processor = CLIPSegProcessor(image_processor=images, tokenizer=tokenizer)
    return _saved(folder, CLIPSegForImageSegmentation(config), processor)


def tiny_grounding_dino(folder: Path) -> Path:
    """Grounding DINO with 12 queries, on a Swin and a BERT of a few numbers."""
    from transformers import (
        BertTokenizer,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoImageProcessor,
        GroundingDinoProcessor,
    )

    torch.manual_seed(0)
    tokenizer = BertTokenizer(vocab={word: place for place, word in enumerate([*BERT, *LETTERS])})
    config = GroundingDinoConfig(
        backbone_config=_backbone(out_indices=[2, 3, 4]),
        text_config={
            "model_type": "bert",
            "vocab_size": len(tokenizer),
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 16,
            "max_position_embeddings": 64,
        },
        num_queries=12,
        encoder_layers=1,
        decoder_layers=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        d_model=32,
        max_text_len=32,
        disable_custom_kernels=True,
    )
    images = GroundingDinoImageProcessor(size={"shortest_edge": 128, "longest_edge": 192})
    processor = GroundingDinoProcessor(image_processor=images, tokenizer=tokenizer)
    return _saved(folder, GroundingDinoForObjectDetection(config), processor)


def tiny_sam2(folder: Path) -> Path:
    """SAM 2 that sees 64 x 64 pixels."""
    from transformers import Sam2Config, Sam2ImageProcessor, Sam2Model, Sam2Processor

    torch.manual_seed(0)
    config = Sam2Config(
        vision_config={
            "backbone_config": {
                "model_type": "sam2_hiera_det_model",
                "hidden_size": 8,
                "num_attention_heads": 1,
                "image_size": [64, 64],
                "blocks_per_stage": [1, 1, 2, 1],
                "embed_dim_per_stage": [8, 16, 32, 64],
                "num_attention_heads_per_stage": [1, 1, 2, 2],
                "window_size_per_stage": [8, 4, 4, 4],
                "global_attention_blocks": [3],
            },
            "backbone_channel_list": [64, 32, 16, 8],
            "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
            "fpn_hidden_size": 16,
        },
        prompt_encoder_config={"hidden_size": 16, "image_size": 64, "patch_size": 16, "mask_input_channels": 4},
        mask_decoder_config={
            "hidden_size": 16,
            "mlp_dim": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 16,
        },
    )
    images = Sam2ImageProcessor(size={"height": 64, "width": 64}, mask_size={"height": 16, "width": 16})
    return _saved(folder, Sam2Model(config), Sam2Processor(image_processor=images))


def tiny_sam3(folder: Path) -> Path:
    """SAM 3 that sees 56 x 56 pixels."""
    from transformers import Sam3Config, Sam3ImageProcessor, Sam3Model, Sam3Processor

    torch.manual_seed(0)
    tokenizer = _clip_tokenizer()
    end = tokenizer.eos_token_id
    part = {"hidden_size": 32, "intermediate_size": 16, "num_attention_heads": 2, "dropout": 0.0}
    config = Sam3Config(
        vision_config={
            "backbone_config": {
                "model_type": "sam3_vit_model",
                "hidden_size": 16,
                "intermediate_size": 16,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "image_size": 56,
                "patch_size": 14,
                "window_size": 2,
                "global_attn_indexes": [1],
                "pretrain_image_size": 28,
            },
            "fpn_hidden_size": 32,
            "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
        },
        text_config={
            "model_type": "clip_text_model",
            "vocab_size": len(tokenizer),
            "hidden_size": 16,
            "intermediate_size": 16,
            "projection_dim": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "max_position_embeddings": 32,
            "eos_token_id": end,
            "bos_token_id": end - 1,
            "pad_token_id": end,
        },
        geometry_encoder_config={**part, "num_layers": 1},
        detr_encoder_config={**part, "num_layers": 1},
        detr_decoder_config={**part, "num_layers": 1, "num_queries": 6},
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 2},
    )
    images = Sam3ImageProcessor(size={"height": 56, "width": 56})
    return _saved(folder, Sam3Model(config), Sam3Processor(image_processor=images, tokenizer=tokenizer))


COCO_LIKE = {0: "person", 1: "dog", 2: "sky-other-merged", 3: "grass-merged", 4: "floor-wood"}


def tiny_mask2former(folder: Path, names: dict[int, str] | None = None) -> Path:
    """Mask2Former with 10 queries; photos become 64 pixels on the shorter side, filled up to multiples of 32."""
    from transformers import Mask2FormerConfig, Mask2FormerForUniversalSegmentation, Mask2FormerImageProcessor

    torch.manual_seed(0)
    names = COCO_LIKE if names is None else names
    config = Mask2FormerConfig(
        backbone_config=_backbone(out_features=["stage1", "stage2", "stage3", "stage4"]),
        feature_size=32,
        mask_feature_size=32,
        hidden_dim=32,
        encoder_feedforward_dim=16,
        encoder_layers=1,
        decoder_layers=2,
        num_attention_heads=2,
        dim_feedforward=16,
        num_queries=10,
        id2label=names,
        label2id={name: number for number, name in names.items()},
    )
    images = Mask2FormerImageProcessor(size={"shortest_edge": 64, "longest_edge": 96}, ignore_index=255)
    return _saved(folder, Mask2FormerForUniversalSegmentation(config), images)


def tiny_oneformer(folder: Path) -> Path:
    """OneFormer, likewise."""
    from transformers import (
        OneFormerConfig,
        OneFormerForUniversalSegmentation,
        OneFormerImageProcessor,
        OneFormerProcessor,
    )

    torch.manual_seed(0)
    tokenizer = _clip_tokenizer()
    config = OneFormerConfig(
        backbone_config=_backbone(out_features=["stage1", "stage2", "stage3", "stage4"]),
        num_queries=10,
        task_seq_len=16,
        text_encoder_width=32,
        text_encoder_context_length=16,
        text_encoder_num_layers=1,
        text_encoder_vocab_size=len(tokenizer),
        text_encoder_n_ctx=4,
        conv_dim=32,
        mask_dim=32,
        hidden_dim=32,
        encoder_feedforward_dim=16,
        encoder_layers=1,
        decoder_layers=2,
        num_attention_heads=2,
        dim_feedforward=16,
        query_dec_layers=1,
        dropout=0.0,
        id2label=COCO_LIKE,
        label2id={name: number for number, name in COCO_LIKE.items()},
    )
    images = OneFormerImageProcessor(size={"shortest_edge": 64, "longest_edge": 96}, ignore_index=255, num_text=10)
    processor = OneFormerProcessor(image_processor=images, tokenizer=tokenizer, max_seq_length=16, task_seq_length=16)
    return _saved(folder, OneFormerForUniversalSegmentation(config), processor)


def asked(
    name: str,
    photos: dict[str, torch.Tensor],
    *,
    labels: list[int] | None = None,
    names: tuple[str, ...] = ("red leaf", "cat"),
    skip_bad: bool = False,
    **options: Any,
) -> tuple[Any, list[Any]]:
    """A cue, and the images to ask it about.

    Args:
        photos: uint8 ``[3, H, W]`` by name; one that is None cannot be read. labels: of each.
    """
    from dapt.cues.base import CueContext
    from dapt.cues.build import cue_options, make_cue
    from dapt.data.items import ImageSet, Item
    from dapt.errors import DataError

    def read(item: Item) -> torch.Tensor:
        if photos[item.name] is None:
            raise DataError(f"{item.name} cannot be read.")
        return photos[item.name]

    numbers = labels or [place % len(names) for place in range(len(photos))]
    items = [Item(Path(name), label, name) for name, label in zip(photos, numbers, strict=True)]
    data = ImageSet("photos", Path(), names, {"train": tuple(items)})
    context = CueContext(cue_options(name, options), None, "binary", skip_bad, read, 1, data, device="cpu")
    return make_cue(name, context), items


def noise(*sizes: tuple[int, int]) -> dict[str, torch.Tensor]:
    """Photos of noise of these heights and widths, ``0.png`` and so on."""
    generator = torch.Generator().manual_seed(0)
    made = [torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=generator) for size in sizes]
    return {f"{place}.png": photo for place, photo in enumerate(made)}
