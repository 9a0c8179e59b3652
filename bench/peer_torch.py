#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""PyTorch on the same work as sskit: trains and forecasts with the models of bench/*.yaml, in eager mode.

    peer_torch.py train RECIPE.json    [--threads N] [-n N] [--warmup N]
    peer_torch.py forecast RECIPE.json [--threads N] [-n N] [--warmup N]
    peer_torch.py compare RECIPE.json STEP.safetensors [--after N]

RECIPE.json is what `sskit explain --json RECIPE` prints. Seconds of each step or forecast, and the largest
resident memory of the process, are printed as JSON. `compare` takes weights, batch and random draws from a
file of `sskit bench RECIPE --export STEP.safetensors`, and fails where parameter counts, the parts of the
bound or the gradients differ from those in the file.
"""
import argparse
import json
import math
import resource
import sys
import time

import torch
from torch import nn

from peer_model import Model, Recipe, require


def load_recipe(path):
    with open(path) as file:
        return Recipe({row["key"]: row["value"] for row in json.load(file)})


def bimodal(recipe, n, length):
    """[length, n, 1]: z_t = 0.9 z_{t-1} +- 4, x = z + noise."""
    z, x = torch.randn(n), []
    for t in range(length):
        if t:
            z = 0.9 * z + 4 * (2 * torch.randint(0, 2, (n,)) - 1)
        x.append(z)
    x = torch.stack(x)
    return (x + recipe["noise"] * torch.randn_like(x))[..., None]


def rate_schedule(objective):
    """-> lambda of a step, the weight of the rate in the bound."""
    start, end, warmup = (objective[key] for key in ("start", "end", "warmup"))

    def weight(step):
        return start + (end - start) * 0.5 * (1 - math.cos(math.pi * min(step / warmup, 1)))
    return (lambda step: end) if require(objective, "schedule", "constant", "cosine") == "constant" else weight


class Trainer:
    """AdamW with a rate for each part and no decay of biases, embeddings and variance heads; clipping and a
    cosine rate where the recipe asks for them; averaged weights."""

    PARTS = {"summary": "encoder"}  # the summary has the encoder's rate

    def __init__(self, recipe, model):
        self.model, self.training = model, recipe.at("training")
        rates = self.training.at("learning_rate")
        groups = []
        for part in ("summary", "encoder", "emission", "initial", "transition"):
            parameters = list(getattr(model, part).parameters())
            rate = rates[self.PARTS.get(part, part)]
            for decays in (True, False):
                chosen = [p for p in parameters
                          if (p.ndim > 1 and not hasattr(p, "undecayed")) == decays]
                if chosen:
                    decay = self.training["weight_decay"] if decays else 0
                    groups.append({"params": chosen, "lr": rate, "weight_decay": decay})
        self.optimiser = torch.optim.AdamW(
            groups, betas=(self.training["beta1"], self.training["beta2"]),
            eps=self.training["epsilon"], foreach=True)
        steps, self.schedule = self.training["steps"], None
        if require(self.training, "schedule", "constant", "cosine") == "cosine":
            self.schedule = torch.optim.lr_scheduler.LambdaLR(
                self.optimiser, lambda step: 0.5 * (1 + math.cos(math.pi * min(step / steps, 1))))
        self.weight_of_rate = rate_schedule(recipe.at("objective"))
        self.parameters = list(model.parameters())
        self.average = [p.detach().clone() for p in self.parameters]
        self.updates = 0

    def loss(self, x, mask, draws):
        distortion, initial, transition = self.model.bound(x, mask, draws)
        return (distortion + self.weight_of_rate(self.updates) * (initial + transition)).mean()

    def step(self, x, mask):
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.loss(x, mask, self.model.draws(*x.shape[:2]))
        loss.backward()
        if self.training["clip"]:
            nn.utils.clip_grad_norm_(self.parameters, self.training["clip"])
        self.optimiser.step()
        if self.schedule:
            self.schedule.step()
        self.model.transition.update_statistics()
        self.updates += 1
        keep = min(self.training["ema"], (1 + self.updates) / (10 + self.updates))
        with torch.no_grad():
            torch._foreach_mul_(self.average, keep)
            torch._foreach_add_(self.average, self.parameters, alpha=1 - keep)
        return loss


def training_data(recipe):
    data = recipe.at("data")
    x = bimodal(data, data["sequences"], data["length"])
    return (x - x.mean()) / x.std() if recipe["standardise"] else x


def batches(x, size):
    """Windows of a fresh permutation each epoch; nothing is missing, but the model does not know."""
    while True:
        order = torch.randperm(x.shape[1])
        for chosen in order[:len(order) // size * size].split(size):
            window = x[:, chosen]
            yield window, torch.ones_like(window)


def warm_up(least, work):
    """At least so many times, and where that is not 0 for so many seconds as sskit's."""
    start, done = time.perf_counter(), 0
    while least and (done < least or time.perf_counter() - start < 0.3):
        work()
        done += 1


def timed(n, work):
    seconds = []
    for _ in range(n):
        since = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - since)
    return seconds


def peak_memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure_training(options, trainer, recipe, x):
    losses, source = [], batches(x, recipe["training.batch"])

    def work():
        losses.append(trainer.step(*next(source)).item())
        if len(losses) == 1:  # bench/run takes the time from the start of the process to here
            print("step 1", file=sys.stderr, flush=True)
    return dict(measure(options, work), first_loss=losses[0], last_loss=losses[-1])


def measure(options, work):
    warm_up(options.warmup, work)
    start = time.process_time()
    seconds = timed(options.n, work)
    return {"seconds": seconds, "cpu": (time.process_time() - start) / max(options.n, 1)}


def run(options):
    torch.manual_seed(1)
    recipe = load_recipe(options.recipe)
    x = training_data(recipe)
    model = Model(recipe, x.shape[2])
    if options.command == "train":
        return measure_training(options, Trainer(recipe, model), recipe, x)
    how = recipe.at("evaluate")
    context = x[:how["context"], :1]
    mask = torch.ones_like(context)
    model.eval()
    return measure(options, lambda: model.forecast(context, mask, how["samples"], how["horizon"]))


def difference(mine, theirs):
    """Largest difference relative to the root mean square of the values."""
    scale = theirs.double().square().mean().sqrt()
    return ((mine.double() - theirs.double()).abs().max() / scale.clamp(min=1e-12)).item()


def gradient_difference(mine, theirs):
    """Of a whole parameter, by norms: a unit of a ReLU that rounding puts on the other side of its kink changes
    single entries by some percent."""
    return ((mine.double() - theirs.double()).norm() / theirs.double().norm().clamp(min=1e-6)).item()


GRADIENT_TOLERANCE = 1e-2


def compare(options):
    """-> what differs, and whether all is well."""
    import peer_exchange
    recipe, step = load_recipe(options.recipe), peer_exchange.Step(options.step)
    x, mask = step["data/x"], step["data/mask"]
    model = Model(recipe, x.shape[2])
    peer_exchange.load_weights(model, step)
    wanted = {part: int(step.metadata["parameters." + part]) for part in peer_exchange.PARTS}
    counts = peer_exchange.counts(model)
    trainer = Trainer(recipe, model)
    parts = model.bound(x, mask, peer_exchange.draws_of(model, step))
    apart = {name: difference(part.detach(), step["bound/" + name])
             for name, part in zip(("distortion", "initial", "transition"), parts)}
    rate = trainer.weight_of_rate(options.after)
    apart["lambda"] = abs(rate / float(step.metadata["lambda"]) - 1)
    loss = (parts[0] + rate * (parts[1] + parts[2])).mean()
    apart["loss"] = abs(loss.item() / float(step.metadata["loss"]) - 1)
    loss.backward()
    apart["gradient"], culprit = 0.0, None
    for name, parameter in model.named_parameters():
        theirs = peer_exchange.from_sskit(name, parameter, lambda n: step["gradients/" + n])
        mine = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        apart_here = gradient_difference(mine, theirs)
        if not apart_here <= apart["gradient"]:
            apart["gradient"], culprit = apart_here, name
    fine = counts == wanted and all(value <= options.tolerance for key, value in apart.items()
                                    if key != "gradient") and apart["gradient"] <= GRADIENT_TOLERANCE
    return {"parameters": counts, "wanted": wanted, "apart": apart, "culprit": culprit, "fine": fine}


def add_measurement_options(parser):
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("-n", type=int, default=10, help="steps or forecasts that are timed")
    parser.add_argument("--warmup", type=int, default=3)


def main():
    parser = argparse.ArgumentParser(description="PyTorch on the same work as sskit.")
    parser.add_argument("command", choices=["train", "forecast", "compare"])
    parser.add_argument("recipe")
    parser.add_argument("step", nargs="?", help="the exported step, for compare")
    parser.add_argument("--after", type=int, default=0, help="steps that came before it")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of relative differences")
    add_measurement_options(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.command == "compare":
        result = compare(options)
        print(json.dumps(result, indent=1))
        sys.exit(0 if result["fine"] else 1)
    result = run(options)
    result["peak_memory"] = peak_memory()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
