"""The plain way: a straightforward prompted CLIP that does the work the published code does.

Every text is run at the model's full context length in every step, class and background texts together, whether
or not a term reads the background; the full image, its foreground and its background take three passes that all
record gradient; attention keeps its weights when DAPT is on, as the released code (arXiv 2508.00395) asks for them,
and is fused otherwise (MaPLe, arXiv 2210.03117; CoOp, arXiv 2109.01134). No saving of `dapt.clip` is used; the
prompts themselves and the loss weights are those of dapt, so that loss and gradients can be compared. In half precision
the towers compute in it, and prompts, features and losses stay in float32, as there.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dapt.clip.prompts import Prompts
from dapt.config import DaptOptions
from dapt.data.batch import Batch
from dapt.model.prompted_clip import PromptedClip

Phase = Literal["", "L_v", "L_f+L_b"]


class PlainStep(nn.Module):
    """The loss of one batch.

    Args:
        prompted: the model whose prompts, class texts and background texts are used.
        options: weights and margin of DAPT. phase: the active terms; empty: no DAPT.
    """

    def __init__(self, prompted: PromptedClip, options: DaptOptions, phase: Phase) -> None:
        super().__init__()
        self.prompts = prompted.prompts
        self.options = options
        self.phase = phase
        self._clip = (prompted.clip,)  # in a tuple, so that its weights are not parameters of this module
        tokenizer = prompted.clip.tokenizer
        tokens = self.prompts.texts(prompted.names)[0]
        ids = tokens.ids
        if phase:
            background = tokenizer.plain([options.template.replace("{}", word) for word in options.words])
            ids = torch.cat([ids, background.ids])
        self.classes = len(prompted.names)
        self._kind: torch.dtype = prompted.clip.model.visual.conv1.weight.dtype
        self.register_buffer("ids", ids.to(prompted.clip.device), persistent=False)
        self.n_ctx = 0 if tokens.slots is None else tokens.slots.shape[1]

    def _block(self, block: nn.Module, x: Tensor, mask: Tensor | None) -> Tensor:
        inner = block.ln_1(x)
        mask = None if mask is None else mask.to(x.dtype)
        x = x + block.attn(inner, inner, inner, need_weights=bool(self.phase), attn_mask=mask)[0]
        return x + block.mlp(block.ln_2(x))

    def text_features(self, prompts: Prompts) -> Tensor:
        """Unit-length features ``[C + background, D]``: all texts, all positions."""
        model = self._clip[0].model
        kind = self._kind
        x = model.token_embedding(self.ids).to(kind)
        if self.n_ctx:
            context = prompts.text_ctx.to(kind).expand(self.classes, -1, -1)
            prompted = torch.cat([x[: self.classes, :1], context, x[: self.classes, 1 + self.n_ctx :]], dim=1)
            x = torch.cat([prompted, x[self.classes :]])
        x = x + model.positional_embedding.to(kind)
        for index, block in enumerate(model.transformer.resblocks):
            if 1 <= index <= len(prompts.text_deep):
                deep = prompts.text_deep[index - 1].to(kind).expand(x.shape[0], -1, -1)
                x = torch.cat([x[:, :1], deep, x[:, 1 + deep.shape[1] :]], dim=1)
            x = self._block(block, x, model.attn_mask)
        rows = torch.arange(x.shape[0], device=x.device)
        x = model.ln_final(x)[rows, self.ids.argmax(dim=1)]
        return F.normalize((x @ model.text_projection).float(), dim=-1)

    def image_features(self, pixels: Tensor, prompts: Prompts) -> Tensor:
        """Unit-length features ``[B, D]``: all tokens in every block."""
        visual, kind = self._clip[0].model.visual, self._kind
        x = visual.conv1(pixels.to(kind)).flatten(2).transpose(1, 2)
        cls = visual.class_embedding.to(kind).expand(x.shape[0], 1, -1)
        x = torch.cat([cls, x], dim=1) + visual.positional_embedding.to(kind)
        count = 0
        if prompts.visual_ctx is not None:
            count = prompts.visual_ctx.shape[0]
            x = torch.cat([x, prompts.visual_ctx.to(kind).expand(x.shape[0], -1, -1)], dim=1)
        x = visual.ln_pre(x)
        for index, block in enumerate(visual.transformer.resblocks):
            if 1 <= index <= len(prompts.visual_deep):
                deep = prompts.visual_deep[index - 1].to(kind).expand(x.shape[0], -1, -1)
                x = torch.cat([x[:, :-count], deep], dim=1)
            x = self._block(block, x, None)
        x = visual.ln_post(x[:, 0])
        return F.normalize((x @ visual.proj).float(), dim=-1)

    def forward(self, batch: Batch) -> Tensor:
        """The loss; every image has a usable cue."""
        prompts = self.prompts()
        texts = self.text_features(prompts)
        image = self.image_features(batch.pixels, prompts)
        scale = self._clip[0].logit_scale
        classes = (scale * image @ texts.t())[:, : self.classes]
        loss = F.cross_entropy(classes, batch.labels)
        if not self.phase:
            return loss
        foreground = self.image_features(batch.pixels * batch.masks, prompts)
        background = self.image_features(batch.pixels * (1 - batch.masks), prompts)
        weights = self.options
        if self.phase == "L_v":
            triplet = F.triplet_margin_loss(image, foreground.detach(), background.detach(), margin=weights.margin)
            return loss + weights.visual_weight * triplet
        logits = scale * foreground.detach() @ texts.t()
        loss = loss + weights.foreground_weight * F.cross_entropy(logits[:, : self.classes], batch.labels)
        logits = (scale * background @ texts.t())[:, self.classes :]
        nearest = logits.detach().argmax(dim=1)
        return loss + weights.background_weight * F.cross_entropy(logits, nearest)
