#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's own implementation, as its authors published it, on the work of bench/paper_*.yaml.

    peer_authors.py train RECIPE.json    --checkout DIR [--threads N] [-n N] [--warmup N]
    peer_authors.py forecast RECIPE.json --checkout DIR [--threads N] [-n N] [--warmup N]
    peer_authors.py parameters RECIPE.json --checkout DIR

DIR is a checkout of github.com/jackruder/diffusion-driven-state-space-models at 4b2acb5, the code of the paper's
experiment, which is no part of sskit; its modules are imported as they are. RECIPE.json is what `sskit explain --json RECIPE` prints: its
sizes become their configuration. A step is that of their trainer: loss, backward, AdamW, averaged weights of
the transition; without its logging. Where PyTorch is older than theirs, `torch.compile` is left out, and without
pydantic 2 their configuration classes hold values without checking them.
"""
import argparse
import json
import os
import sys
import types

import torch

import peer_torch


class Default:
    """What pydantic.Field() stands for in a class body: where a value comes from that is not given."""

    def __init__(self, value=None, default_factory=None, **_):
        self.make = default_factory or (lambda: value)


class Settings:
    """As much of pydantic.BaseModel as the configuration classes need: attributes with defaults."""

    def __init__(self, **given):
        for kind in reversed(type(self).__mro__):
            for name in kind.__dict__.get("__annotations__", {}):
                default = kind.__dict__.get(name)
                setattr(self, name, default.make() if isinstance(default, Default) else default)
        for name, value in given.items():
            setattr(self, name, value)


def unchecked(*_, **__):
    return lambda method: method


def import_theirs(checkout):
    """-> their modules, with what an older PyTorch and a missing pydantic 2 do not offer."""
    source = os.path.join(checkout, "src")
    if not os.path.isfile(os.path.join(source, "dssd", "dssd.py")):
        sys.exit(f"peer_authors.py: '{checkout}' has no src/dssd/dssd.py: it is no checkout of the paper's commit")
    try:
        from pydantic import field_validator  # noqa: F401  of version 2
    except ImportError:
        sys.modules["pydantic"] = types.SimpleNamespace(
            BaseModel=Settings, Field=lambda *value, **how: Default(*value, **how), field_validator=unchecked,
            model_validator=unchecked)
    if not hasattr(torch, "compile"):
        torch.compile = lambda module, **_: module
    sys.path.insert(0, source)
    from dssd import config, dssd, train_utils
    return types.SimpleNamespace(config=config, model=dssd.DSSD_base, groups=train_utils.param_groups_for_adamw)


def context_of(classes, network):
    return classes.ContextProducerConfig(channels=network["channels"], num_layers=network["blocks"],
                                         time=classes.ConvTimeConfig(kernel_size=network["time.kernel"]),
                                         feature=classes.IdentityFeatureConfig())


def transition_of(classes, model, head):
    transition = model.at("transition")
    if peer_torch.require(model, "transition", "gaussian", "diffusion") == "gaussian":
        network = transition.at("network")
        return classes.GaussianTransitionConfig(hidden_dim=network["hidden"], gaussian_head=head(),
                                                context=context_of(classes, network))
    schedule, denoiser = transition.at("schedule"), transition.at("denoiser")
    feature = denoiser.at("feature")
    block = classes.ResidualBlockConfig(
        channels=denoiser["channels"], layers=denoiser["layers"], nheads=feature["heads"],
        time=classes.ConvTimeConfig(kernel_size=denoiser["time.kernel"]),
        feature=classes.TransformerFeatureConfig(nheads=feature["heads"], layers=feature["blocks"]))
    embedding = classes.DiffusionEmbeddingConfig(embedding_dim=denoiser["embedding"],
                                                 projection_dim=denoiser["embedding"])
    return classes.DiffusionTransitionConfig(
        unet=classes.UNetConfig(embedding=embedding, block=block),
        schedule=classes.DiffusionScheduleConfig(
            S_k=transition["draws"], k_chunk=transition["draws"], num_steps=transition["levels"],
            sigma_min=schedule["sigma_min"], sigma_max=schedule["sigma_max"], rho=schedule["rho"]))


def configuration(classes, recipe):
    """Their configuration of the sizes of a recipe of recipes/paper/."""
    def head():
        return classes.GaussianHeadConfig(init_logvar=0.0, var_min=1e-6, clamp_logvar_min=-10.0,
                                          clamp_logvar_max=6.0)
    model, rates = recipe.at("model"), recipe.at("training.learning_rate")
    encoder, emission, initial = (model.at(part + ".network") for part in ("encoder", "emission", "initial"))
    summary, flags = model.at("summary"), encoder["flags"]
    both_heads = {"gaussian_head": head(), "latent_init_head": head()}
    return classes.DSSDConfig(
        encoder=classes.EncoderConfig(
            fut_mask_emb_dim=flags, pad_mask_emb_dim=flags, hidden_dim=encoder["hidden"],
            context=context_of(classes, encoder), **both_heads,
            summary_config=classes.FutureSummaryConfig(
                summary_dim=summary["hidden"], num_layers=summary["layers"],
                time=classes.GRUTimeConfig(hidden_dim=summary["hidden"], gru_layers=summary["layers"]))),
        decoder=classes.DecoderConfig(mask_emb_dim=flags, hidden_dim=emission["hidden"], gaussian_head=head(),
                                      context=context_of(classes, emission)),
        z_init=classes.InitPriorConfig(
            pad_mask_emb_dim=flags, hidden_dim=initial["hidden"], context=context_of(classes, initial),
            aux_context=context_of(classes, initial), **both_heads),
        transition=transition_of(classes, model, head),
        j=model["order"], data_dim=1, latent_dim=model["latent"], emb_time_dim=model["time_features"],
        mask_emb_dim=flags, use_observation_mask=False,
        hyperparams=classes.DSSDHyperParams(
            S=model["paths"], ema_decay=recipe["training.ema"], weight_decay=recipe["training.weight_decay"],
            batch_size=recipe["training.batch"], grad_accum_steps=1, enc_lr=rates["encoder"],
            dec_lr=rates["emission"], zinit_lr=rates["initial"], trans_lr=rates["transition"]))


class Trainer:
    """A step of theirs: src/dssd/train.py, fit() with one batch a step and no logging."""

    def __init__(self, theirs, recipe, model):
        self.model, settings = model, model.config.hyperparams
        self.weight_of_rate = peer_torch.rate_schedule(recipe.at("objective"))
        self.optimiser = torch.optim.AdamW(
            theirs.groups(model, enc_lr=settings.enc_lr, dec_lr=settings.dec_lr, trans_lr=settings.trans_lr,
                          zinit_lr=settings.zinit_lr, weight_decay=settings.weight_decay),
            betas=(0.9, 0.999), eps=1e-8)
        self.average = {name: value.detach().clone() for name, value in model.transition.state_dict().items()}
        self.keep, self.updates = settings.ema_decay, 0

    def step(self, x, mask):
        self.model.train()
        self.optimiser.zero_grad(set_to_none=True)
        _, distortion, rate, _, _ = self.model(*as_theirs(x, mask), train=True, report_scaled=False)
        self.updates += 1
        loss = distortion + self.weight_of_rate(self.updates) * rate
        loss.backward()
        self.optimiser.step()
        with torch.no_grad():
            for name, value in self.model.transition.state_dict().items():
                self.average[name].mul_(self.keep).add_(value, alpha=1 - self.keep)
        return loss


def as_theirs(x, mask):
    """[T, B, 1] -> series and mask [B, 1, T], times [B, T]."""
    steps, batch, _ = x.shape
    return (x.permute(1, 2, 0).contiguous(), mask.permute(1, 2, 0).contiguous(),
            torch.arange(steps, dtype=torch.float32).expand(batch, steps).contiguous())


def parameters(model):
    return {part: sum(p.numel() for p in getattr(model, part).parameters())
            for part in ("encoder", "decoder", "zinit", "transition")}


def run(options):
    torch.manual_seed(1)
    recipe, theirs = peer_torch.load_recipe(options.recipe), import_theirs(options.checkout)
    model = theirs.model(configuration(theirs.config, recipe), torch.device("cpu"))
    if options.command == "parameters":
        return parameters(model)
    x = peer_torch.training_data(recipe)
    if options.command == "train":
        return peer_torch.measure_training(options, Trainer(theirs, recipe, model), recipe, x)
    how = recipe.at("evaluate")
    model.eval()
    context = x[:how["context"], :1]
    series, mask, past = as_theirs(context, torch.ones_like(context))
    future = torch.arange(how["context"], how["context"] + how["horizon"], dtype=torch.float32)[None]
    return peer_torch.measure(options, lambda: model.forecast(
        series, mask, past, future, num_samples=how["samples"]))


def main():
    parser = argparse.ArgumentParser(description="The paper's own implementation on the same work as sskit.")
    parser.add_argument("command", choices=["train", "forecast", "parameters"])
    parser.add_argument("recipe")
    parser.add_argument("--checkout", required=True, help="folder with the authors' repository at 4b2acb5")
    peer_torch.add_measurement_options(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(json.dumps(dict(run(options), peak_memory=peer_torch.peak_memory())))


if __name__ == "__main__":
    main()
