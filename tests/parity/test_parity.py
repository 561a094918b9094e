"""Every number of every fixture case, through the product's own classes. Run with --parity-dir for others."""

from __future__ import annotations

import pytest
import torch
from cases import Case, Folder, batches
from feature_case import CHECKS
from projection_case import check_projection

from dapt.config import DaptOptions
from dapt.data.batch import Batch
from dapt.data.fewshot import sample_few_shot, split_off_validation
from dapt.data.subsets import base_and_novel, keep_classes
from dapt.methods.base import METHODS
from dapt.model.classifier import Classifier
from dapt.model.grad_cam import grad_cam, normalise_maps
from dapt.model.needs import BACKGROUND, CLASSES, FOREGROUND, FROZEN, FULL, Needs, Outputs
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.base import by_group
from dapt.objectives.classification import Classification
from dapt.objectives.disentangle import Disentangle
from dapt.objectives.epoch_weights import gaussian_weights
from dapt.objectives.gradients import backward_by_rule
from dapt.objectives.reference import template_features
from dapt.training.averaging import EpochAverage
from dapt.training.optimizer import make_optimizer
from dapt.training.schedule import learning_rate
from dapt.training.step import TrainStep

ON_FEATURES = {"prolip": check_projection, **CHECKS}  # the longer names first


def settings_to_method(case: Case) -> tuple[str, dict]:
    """The product's method and options for a fixture."""
    name, given = case.name, case.settings
    words = given.get("ctx_init") or None
    if name.startswith("zeroshot"):
        return "zero_shot", {"templates": given.get("templates") or [given["template"]]}
    if name.startswith("coop"):
        return "coop", {
            "n_ctx": given["n_ctx"],
            "ctx_init": words,
            "class_specific": given["class_specific"],
            "position": given["position"],
        }
    if name.startswith("vpt"):
        return "vpt", {"n_ctx": given["n_ctx_vision"], "depth": given["depth_vision"]}
    if name.startswith("ivlp"):
        return "ivlp", {
            "n_ctx": given["n_ctx_text"],
            "n_ctx_vision": given["n_ctx_vision"],
            "depth": given["depth_text"],
            "depth_vision": given["depth_vision"],
            "ctx_init": words,
        }
    if name.startswith("cocoop"):
        return "cocoop", {"n_ctx": given["n_ctx"], "ctx_init": words}
    if name.startswith("kgcoop"):
        return "kgcoop", {
            "ctx_init": words,
            "knowledge_template": given["teacher_template"],
            "knowledge_weight": given["weight"],
        }
    if name.startswith("prograd"):
        return "prograd", {
            "n_ctx": given["n_ctx"],
            "knowledge_template": given["teacher_template"],
            "temperature": given["temperature"],
            "strength": given["lam"],
        }
    if name.startswith("promptsrc"):
        return "promptsrc", {
            "n_ctx": given["n_ctx_text"],
            "n_ctx_vision": given["n_ctx_vision"],
            "depth": given["depth_text"],
            "depth_vision": given["depth_vision"],
            "ctx_init": words,
            "templates": given.get("teacher_templates") or ["promptsrc60"],
            "text_weight": given["text_weight"],
            "image_weight": given["image_weight"],
            "logit_weight": given["logit_weight"],
            "gpa_mean": given["gpa"]["mean"],
            "gpa_std": given["gpa"]["std"],
        }
    if name.startswith("promptkd"):
        return "promptkd", {
            "n_ctx": given["n_ctx_vision"],
            "depth": given["depth_vision"],
            "temperature": given["temperature"],
            "kd_weight": given["kd_weight"],
            "teacher_dim": case.folder.json(given["teacher"]["clip"])["embed_dim"],
        }
    if name.startswith(("maple", "dapt", "gradcam")):
        return "maple", {"n_ctx": given["n_ctx"], "depth": given["depth"], "ctx_init": words}
    raise KeyError(f"no product method for the fixture {name}")


def load_model(case: Case) -> PromptedClip:
    """The product's model with the fixture's starting parameters in place."""
    method_name, options = settings_to_method(case)
    method = METHODS.get(method_name)
    clip = case.folder.clip(case.settings.get("clip", "clip"))
    names = case.names()
    generator = torch.Generator().manual_seed(0)
    architecture = method.load_architecture()(method.options.model_validate(options), clip, names, generator)
    start = {key.removeprefix("param0."): value for key, value in case.stored.items() if key.startswith("param0.")}
    words_of = case
    if case.settings.get("same_params_as"):  # the Grad-CAM cases take parameters and words from a DAPT case
        words_of = Case(case.folder, case.folder.first("dapt_"))
        start = start or {
            key.removeprefix("param0."): value for key, value in words_of.stored.items() if key.startswith("param0.")
        }
    if case.settings.get("ctx_init") and case.name.startswith(("coop", "maple_words")):
        case_start = architecture.ctx.detach().clone()
        assert torch.allclose(case_start, start["ctx"], atol=1e-6), "word initialisation differs"
    if case.name.startswith("promptkd"):
        architecture.set_teacher(teacher_of(case))
    # buffers (batch norm, kept class features) are no part of the fixtures and start fresh
    missing, unexpected = architecture.load_state_dict(start, strict=False)
    assert not unexpected
    assert not set(missing) & set(dict(architecture.named_parameters()))
    background: list[str] = []
    if case.name.startswith(("dapt", "gradcam")):
        words = words_of.settings["background"] + words_of.settings["background_food"]
        background = [words_of.settings["background_template"].replace("{}", word) for word in words]
    released = case.name.startswith("dapt_release")
    distractors = len(background) - case.settings["n_background_slice"] if released else 0
    return PromptedClip(clip, architecture, names, background, distractors=distractors)


def teacher_of(case: Case) -> PromptedClip:
    """The prompted teacher of a distillation fixture."""
    given = case.settings["teacher"]
    clip = case.folder.clip(given["clip"])
    options = METHODS.get("ivlp").options.model_validate(
        {
            "n_ctx": given["n_ctx"],
            "depth": given["depth_text"],
            "depth_vision": given["depth_vision"],
            "ctx_init": given["ctx_init"],
        }
    )
    names = case.names()
    architecture = METHODS.get("ivlp").load_architecture()(options, clip, names, torch.Generator().manual_seed(0))
    stored = {key.removeprefix("teacher."): value for key, value in case.stored.items() if key.startswith("teacher.")}
    architecture.load_state_dict(stored)
    case.compared |= {f"teacher.{key}" for key in stored}
    return PromptedClip(clip, architecture, names)


def dapt_objective(case: Case, model: PromptedClip) -> tuple[Disentangle, int, int]:
    """The DAPT objective of a fixture, and an epoch of ten in which its terms are active."""
    weights = case.settings["weights"]
    variant = "joint" if case.name.endswith("_sum") else "phased"
    options = DaptOptions(
        enabled=True,
        variant=variant,
        visual_weight=weights["v"],
        foreground_weight=weights["f"],
        background_weight=weights["b"],
        margin=case.settings["margin"],
    )
    epoch = 0 if case.name.endswith("_vd") else 7
    return Disentangle(options, model.trainable()), epoch, 10


def check_text_layout(case: Case, model: PromptedClip) -> None:
    """Token ids, name lengths and the embeddings after the context is written in."""
    if case.name.startswith("promptkd"):  # the stored ids are those of the teacher
        case.check("tokens.class_prompts", model.architecture.teacher.architecture.texts(model.names)[0].ids)
        return
    tokens = model.architecture.texts(model.names)[0]
    moved = case.settings.get("position", "end") != "end"
    if "tokens.class_prompts" in case.stored:
        stored = case.stored["tokens.class_prompts"]
        ours = tokens.ids
        if not moved:
            case.check("tokens.class_prompts", ours)
        else:  # the stored ids have the placeholders first in every layout
            assert torch.equal(torch.sort(ours).values, torch.sort(stored).values)
            assert torch.equal(tokens.eot, stored.argmax(dim=1))
            case.compared.add("tokens.class_prompts")
    if "tokens.name_lengths" in case.stored:
        clean = [name.replace("_", " ") for name in model.names]
        lengths = torch.tensor([len(model.clip.tokenizer.pieces(name)) for name in clean])
        case.check("tokens.name_lengths", lengths)
    if "out.prompt_embeddings" in case.stored:
        length = case.stored["out.prompt_embeddings"].shape[1]
        case.check("out.prompt_embeddings", model.clip.text.embed(tokens, model.prompts())[:, :length])
    if "tokens.background_prompts" in case.stored:
        words = case.settings["background"] + case.settings["background_food"]
        texts = [case.settings["background_template"].replace("{}", word) for word in words]
        case.check("tokens.background_prompts", model.clip.tokenizer.plain(texts).ids)


def check_zero_shot(case: Case, model: PromptedClip) -> None:
    batch = batches(case)[0]
    outputs = model.compute(batch, Classification().needs(0, 1))
    case.check("out.text_features", outputs.text[CLASSES])
    case.check("out.image_features", outputs.image[FULL])
    case.check("out.logits", outputs.logits(FULL))
    if "out.loss" in case.stored:
        case.check("out.loss", Classification().terms(outputs, batch, 0, 1)["L_cls"].value)
    if "out.text_features_raw" in case.stored:
        tokens = model.architecture.texts(model.names)[0]
        case.check("tokens.class_prompts", tokens.ids, optional=True)
        case.check("out.text_features_raw", model.clip.text.encode(tokens))
        case.check("out.image_features_raw", model.clip.image.encode(batch.pixels))
    elif "tokens.class_prompts" in case.stored:
        case.check("tokens.class_prompts", model.architecture.texts(model.names)[0].ids)


def check_dapt_outputs(case: Case, model: PromptedClip, batch: Batch) -> None:
    """All features, logits and loss terms, whichever of them the fixture's objective sums."""
    views = {FULL: True, FOREGROUND: False, BACKGROUND: True}
    outputs = model.compute(batch, Needs(views, {CLASSES: True, BACKGROUND: True}))
    joint = Disentangle(DaptOptions(enabled=True, variant="joint", margin=case.settings["margin"]), model.trainable())
    terms = joint.terms(outputs, batch, 0, 1)
    case.check("out.image_features", outputs.image[FULL])
    case.check("out.image_features_fg", outputs.image[FOREGROUND])
    case.check("out.image_features_bg", outputs.image[BACKGROUND])
    case.check("out.text_features", outputs.text[CLASSES])
    case.check("out.background_text_features", outputs.text[BACKGROUND])
    case.check("out.logits", outputs.logits(FULL))
    case.check("out.logits_fg", outputs.logits(FOREGROUND))
    case.check("out.logits_bg", outputs.logits(BACKGROUND, BACKGROUND))
    case.check("out.pseudo_labels", outputs.logits(BACKGROUND, BACKGROUND).argmax(dim=1))
    case.check("out.loss_cls", Classification().terms(outputs, batch, 0, 1)["L_cls"].value)
    for name, key in (("L_f", "out.loss_f"), ("L_b", "out.loss_b"), ("L_v", "out.loss_v")):
        case.check(key, terms[name].value)


def check_method_outputs(case: Case, model: PromptedClip, terms: dict, outputs: Outputs, batch: Batch) -> None:
    """Loss terms and reference features of the methods that have more than a cross-entropy."""
    value = {name: term.value for name, term in terms.items()}
    if case.name.startswith("kgcoop"):
        case.check("out.loss_ce", value["L_cls"])
        case.check("out.loss_kg", value["L_kg"])
        template = [case.settings["teacher_template"]]
        case.check("out.teacher_text_features", template_features(model.clip, template, model.names))
    if case.name.startswith("prograd"):
        case.check("out.loss_ce", value["L_cls"])
        case.check("out.loss_kl", value["L_kl"])
        known = template_features(model.clip, [case.settings["teacher_template"]], model.names)
        case.check("out.zeroshot_text_features", known)
        case.check("out.zeroshot_logits", model.clip.logits(outputs.image[FROZEN], known))
        texts = [case.settings["teacher_template"].replace("{}", name.replace("_", " ")) for name in model.names]
        case.check("tokens.teacher_prompts", model.clip.tokenizer.plain(texts).ids)
        ctx = model.architecture.ctx
        ce, kl = (torch.autograd.grad(value[name], ctx, retain_graph=True)[0] for name in ("L_cls", "L_kl"))
        case.check("out.grad_ce.ctx", ce)
        case.check("out.grad_kl.ctx", kl)
        case.check("out.cosine", torch.nn.functional.cosine_similarity(ce.flatten(), kl.flatten(), dim=0))
    if case.name.startswith("promptsrc"):
        weights = {"text": "text_weight", "image": "image_weight", "logits": "logit_weight"}
        for part, key in weights.items():  # stored with their weights
            case.check(f"out.loss_scl_{part}", case.settings[key] * value[f"L_scl_{part}"])
        case.check("out.loss_ce", value["L_cls"])
        templates = case.settings["teacher_templates"]
        known = template_features(model.clip, templates, model.names, unit_first=False)
        case.check("out.teacher_text_features", known)
        raw = [
            model.clip.text.encode(
                model.clip.tokenizer.plain([t.replace("{}", n.replace("_", " ")) for n in model.names])
            )
            for t in templates
        ]
        case.check("out.teacher_text_features_unnormalised", torch.stack(raw).mean(dim=0))
        case.check("out.teacher_image_features", outputs.image[FROZEN])
        case.check("out.zeroshot_logits", model.clip.logits(outputs.image[FROZEN], known))
        weights = gaussian_weights(
            case.settings["gpa"]["epochs"], case.settings["gpa"]["mean"], case.settings["gpa"]["std"]
        )
        assert weights == pytest.approx(case.settings["gpa"]["weights"], rel=1e-9, abs=1e-60)
        for name, stored in case.settings["gauss_weights"].items():  # "epochs20_mean15_std1"
            epochs, mean, std = (float(part.lstrip("epochsmantd")) for part in name.split("_"))
            assert gaussian_weights(int(epochs), mean, std) == pytest.approx(stored, rel=1e-9, abs=1e-60)
    if case.name.startswith("promptkd"):
        student = model.architecture
        case.check("out.teacher_text_features", outputs.text[CLASSES])
        case.check("out.teacher_logits", outputs.teacher)
        teacher = student.teacher
        case.check("out.teacher_image_features", teacher.image_features(batch.pixels, teacher.prompts())[0])
        case.check("out.student_clip_features_raw", model.clip.image.encode(batch.pixels, model.prompts()))


def check_student_at_test(case: Case, model: PromptedClip, batch: Batch) -> None:
    """The student with the running statistics it starts with."""
    with torch.no_grad():
        classify = Classifier(model)
        features = classify.features(batch.pixels)
        case.check("out.image_features_eval", features)
        case.check("out.logits_eval", classify.logits(features))
    model.train()


def check_training(case: Case, model: PromptedClip) -> None:
    method = METHODS.get(settings_to_method(case)[0])
    objectives = [kind.build(model.prompts.options, model) for kind in method.load_objectives()]
    epoch, epochs = 0, 10
    if case.name.startswith("dapt"):
        objective, epoch, epochs = dapt_objective(case, model)
        objectives.append(objective)
    step = TrainStep(model, objectives)
    named = dict(model.architecture.named_parameters())
    stored_names = {key.removeprefix("param0.") for key in case.stored if key.startswith("param0.")}
    assert set(named) == stored_names
    settings = case.settings["optimizer"]
    rates = {key: settings[key] for key in ("lr", "momentum", "weight_decay")}
    optimizer = make_optimizer(model.parameters(), **rates)
    if "out.logits_eval" in case.stored:
        check_student_at_test(case, model, batches(case)[0])
    losses = []
    for number, batch in enumerate(batches(case)[:3], start=1):
        optimizer.zero_grad()
        loss, terms, outputs = step(batch, epoch, epochs)
        losses.append(loss.detach())
        if number == 1:
            if case.name.startswith("dapt"):
                check_dapt_outputs(case, model, batch)
            else:
                case.check("out.image_features", outputs.image[FULL])
                case.check("out.text_features", outputs.text[CLASSES], optional=True)
                case.check("out.logits", outputs.logits(FULL))
            check_method_outputs(case, model, terms, outputs, batch)
            case.check("out.loss", loss, optional=step.gradient_rule is not None)
            check_visual_prompts(case, model)
        if step.gradient_rule is None:
            loss.backward()
        else:
            backward_by_rule(step.gradient_rule, by_group(terms), list(model.parameters()))
        if number == 1:
            for name, parameter in named.items():
                gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
                case.check(f"grad.{name}", gradient)
            assert all(weight.grad is None for weight in model.clip.model.parameters())
        optimizer.step()
        if number in (1, 3):
            for name, parameter in named.items():
                case.check(f"param{number}.{name}", parameter)
    case.check("out.loss_per_step", torch.stack(losses), optional=True)
    if "bn3.running_mean" in case.stored:
        case.check("bn3.running_mean", model.architecture.student_proj.bn.running_mean)
        case.check("bn3.running_var", model.architecture.student_proj.bn.running_var)


def check_averaging(case: Case, model: PromptedClip) -> None:
    """Four epochs of one step each, and the average over them that is the result."""
    method = METHODS.get(settings_to_method(case)[0])
    step = TrainStep(model, [kind.build(model.prompts.options, model) for kind in method.load_objectives()])
    settings, epochs = case.settings["optimizer"], case.settings["gpa"]["epochs"]
    rates = {key: settings[key] for key in ("lr", "momentum", "weight_decay")}
    optimizer = make_optimizer(model.parameters(), **rates)
    average = EpochAverage(step.epoch_weights(epochs))
    assert average.weights == pytest.approx(case.settings["gpa"]["weights"], rel=1e-9)
    given = batches(case)
    named = dict(model.architecture.named_parameters())
    for epoch in range(epochs):
        optimizer.zero_grad()
        step(given[epoch % len(given)], epoch, epochs)[0].backward()
        optimizer.step()
        average.add(epoch, named)
        for name, parameter in named.items():
            case.check(f"epoch{epoch + 1}.{name}", parameter)
    for name in named:
        case.check(f"gpa.{name}", average.sums[name])


def check_visual_prompts(case: Case, model: PromptedClip) -> None:
    """The mapped visual prompts of the coupled architecture."""
    prompts = model.prompts()
    if "out.visual_ctx" in case.stored:
        case.check("out.visual_ctx", prompts.visual_ctx)
        for index, values in enumerate(prompts.visual_deep, start=1):
            case.check(f"out.deep_visual.{index}", values)


def check_grad_cam(case: Case, model: PromptedClip) -> None:
    batch = batches(case)[0]
    with torch.no_grad():
        prompts = model.prompts()
        texts = torch.cat([model.text_features(prompts, CLASSES), model.text_features(prompts, BACKGROUND)])
    result = grad_cam(Classifier(model, texts), batch.pixels, batch.labels)
    case.check("out.logits_all", result.logits)
    case.check("out.score", result.score)
    case.check("out.activations", result.activations)
    case.check("out.gradients", result.gradients)
    size = tuple(batch.pixels.shape[-2:])
    continuous = normalise_maps(result.coarse, size, by="batch")
    stored = case.stored["out.map_continuous"]
    case.check("out.map_lowres", result.coarse.view(case.stored["out.map_lowres"].shape))
    case.check("out.map_continuous", continuous.view(stored.shape))
    mask = (continuous >= case.settings["threshold"]).view(case.stored["out.mask"].shape)
    case.check("out.mask", mask.to(case.stored["out.mask"].dtype))


def test_case(case_name: str, folder: Folder) -> None:
    case = Case(folder, case_name)
    on_features = next((check for name, check in ON_FEATURES.items() if case_name.startswith(name)), None)
    if on_features is not None:
        on_features(case)
        assert not case.leftovers(), f"{case_name}: numbers nobody compared: {sorted(case.leftovers())}"
        return
    model = load_model(case)
    if case_name.startswith("zeroshot"):
        check_zero_shot(case, model)
    elif case_name.startswith("gradcam"):
        check_grad_cam(case, model)
    elif "gpa" in case_name:
        check_text_layout(case, model)
        check_averaging(case, model)
    else:
        check_text_layout(case, model)
        check_training(case, model)
    assert not case.leftovers(), f"{case_name}: numbers nobody compared: {sorted(case.leftovers())}"


def test_learning_rate_schedule(folder: Folder) -> None:
    for schedule in folder.json("lr_schedule")["schedules"]:
        ours = [
            learning_rate(
                epoch,
                base_lr=schedule["base_lr"],
                epochs=schedule["max_epoch"],
                warmup_epochs=schedule["warmup_epochs"],
                warmup_lr=schedule["warmup_lr"],
            )
            for epoch in range(schedule["max_epoch"])
        ]
        assert ours == pytest.approx(schedule["lr_per_epoch"], rel=1e-12, abs=1e-15)


def test_few_shot_and_base_to_novel(folder: Folder) -> None:
    given = folder.json("fewshot")
    labels = {split: [label for _, label in items] for split, items in given["splits"].items()}
    assert given["results"]
    for result in given["results"]:
        train, val = sample_few_shot(labels["train"], labels["val"], result["shots"], result["seed"])
        assert (train, val) == (result["train"], result["val"])
        base, novel = base_and_novel(labels["train"][position] for position in train)
        for kept, stored in ((base, result["base"]), (novel, result["new"])):
            sampled = {"train": train, "val": val, "test": list(range(len(labels["test"])))}
            for split, positions in sampled.items():
                inside, relabelled = keep_classes([labels[split][p] for p in positions], kept)
                assert [positions[p] for p in inside] == stored[split]["indices"]
                assert relabelled == stored[split]["labels"]


def test_validation_split(folder: Folder) -> None:
    given = folder.json("fewshot")
    labels = [label for _, label in given["splits"]["train"]]
    for stored in given["trainval_split"]:
        train, val = split_off_validation(labels, 0.2, stored["seed"])
        assert (train, val) == (stored["train"], stored["val"])
