# SPDX-License-Identifier: GPL-3.0-or-later
"""The models of bench/*.yaml in PyTorch: what bench/peer_torch.py trains and forecasts with.

The mathematics is that of the plugins which the recipes name, and parameters carry the plugins' names, so
that weights can be exchanged (peer_exchange.py). Whatever does not recur is batched over time: only the
encoder's recursion over its own samples is a loop. Slabs are time-major, [T, rows, width]; rows of a batch
with several paths are ordered (window, path).
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

LOG_TWO_PI = math.log(2 * math.pi)


class Unsupported(Exception):
    """A recipe asks for something that this peer does not implement."""


def require(recipe, key, *allowed):
    if recipe[key] not in allowed:
        raise Unsupported(f"the peer knows {key} = {' or '.join(map(str, allowed))}, not {recipe[key]}")
    return recipe[key]


class Recipe:
    """A resolved recipe, flat: {"model.latent": 4, ...}; `at` gives what lies under a key."""

    def __init__(self, values, prefix=""):
        self.values, self.prefix = values, prefix

    def at(self, key):
        return Recipe(self.values, f"{self.prefix}{key}.")

    def __getitem__(self, key):
        return self.values[self.prefix + key]

    @property
    def name(self):
        """The name of the component that stands here."""
        return self.values[self.prefix[:-1]]


class Dims:
    """Sizes that every part needs: latents d, observed D, order j, summary width H."""

    def __init__(self, d, D, j, H):
        self.d, self.D, self.j, self.H = d, D, j, H


# ---- Gaussians -----------------------------------------------------------------------------------


class Variance:
    """log sigma^2 = clamp(log(softplus(raw) + var_min), logvar_min, logvar_max)."""

    def __init__(self, recipe):
        self.floor = recipe["var_min"]
        self.low, self.high = recipe["logvar_min"], recipe["logvar_max"]
        start = math.exp(recipe["logvar_start"]) - self.floor
        self.raw_start = start + math.log(-math.expm1(-start))

    def variance(self, raw):
        return (F.softplus(raw) + self.floor).clamp(math.exp(self.low), math.exp(self.high))

    def log(self, raw):
        return (F.softplus(raw) + self.floor).log().clamp(self.low, self.high)


def gaussian_log_prob(x, mean, logvar, mask=None):
    terms = LOG_TWO_PI + logvar + (x - mean).square() * torch.exp(-logvar)
    return -0.5 * (terms if mask is None else mask * terms).sum(-1)


def gaussian_kl(mean, logvar, other_mean, other_logvar):
    """KL(N(mean, exp logvar) || N(other...)), summed over the last axis."""
    apart = logvar - other_logvar
    terms = (mean - other_mean).square() * torch.exp(-other_logvar) + apart.exp() - apart - 1
    return 0.5 * terms.sum(-1)


def hidden_stack(inputs, hidden, layers):
    return nn.ModuleDict(
        {f"hidden{i}": nn.Linear(hidden if i else inputs, hidden) for i in range(layers)})


def network(recipe):
    """Width and number of the hidden layers."""
    require(recipe, "network", "mlp")
    return recipe["network.hidden"], recipe["network.layers"]


class Head(nn.Module):
    """SiLU network with a zero-initialised output beside a linear path."""

    def __init__(self, inputs, hidden, layers, outputs):
        super().__init__()
        self.stack = hidden_stack(inputs, hidden, layers)
        self.out = nn.Linear(hidden if layers else inputs, outputs)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.path = nn.Parameter(torch.zeros(inputs, outputs)) if layers else None

    def forward(self, x):
        h = x
        for layer in self.stack.values():
            h = F.silu(layer(h))
        out = self.out(h)
        return out if self.path is None else torch.addmm(out, x, self.path)


class GaussianHead(nn.Module):
    """The same with two outputs a dimension: means, then raw variances."""

    def __init__(self, inputs, hidden, layers, outputs, variance):
        super().__init__()
        self.outputs, self.variance = outputs, variance
        self.stack = hidden_stack(inputs, hidden, layers)
        self.W = nn.Parameter(torch.zeros(hidden, 2 * outputs))
        self.path = nn.Parameter(torch.zeros(inputs, 2 * outputs))
        self.mean_bias = nn.Parameter(torch.zeros(outputs))
        self.raw_bias = nn.Parameter(torch.full((outputs,), variance.raw_start))

    def bias(self):
        return torch.cat([self.mean_bias, self.raw_bias])

    def forward(self, x):
        """x [n, inputs] -> mean, logvar [n, outputs]."""
        h = x
        for layer in self.stack.values():
            h = F.silu(layer(h))
        out = torch.addmm(torch.addmm(self.bias(), x, self.path), h, self.W)
        mean, raw = out.split(self.outputs, 1)
        return mean, self.variance.log(raw)


# ---- summary, encoder, emission, initial ------------------------------------------------------------


class Summary(nn.Module):
    """h_t = GRU over reversed time of silu(W i_t + b)."""

    def __init__(self, recipe, inputs):
        super().__init__()
        require(recipe, "layers", 1)
        hidden = recipe["hidden"]
        self.project = nn.Linear(inputs, hidden)
        self.gru = nn.GRU(hidden, hidden)

    def forward(self, inputs):
        h, _ = self.gru(F.silu(self.project(inputs.flip(0))))
        return h.flip(0)


class Encoder(nn.Module):
    """q(z_t | z_{t-j:t-1}, h_t): the recursion over t adds only what depends on the sampled past."""

    def __init__(self, recipe, dims):
        super().__init__()
        require(recipe, "innovation", False)
        require(recipe, "observation", True)
        self.additive = require(recipe, "frame", "additive", "free") == "additive"
        self.dims, self.variance = dims, Variance(recipe)
        self.past = dims.j * dims.d  # then j padding flags, then h, x, mask
        inputs = self.past + dims.j + dims.H + 2 * dims.D
        self.head = GaussianHead(inputs, *network(recipe), dims.d, self.variance)

    def prepare(self, h, x, mask, paths):
        """All products of the steps' inputs that do not depend on the sampled past, [T, P, .]."""
        T, j = x.shape[0], self.dims.j
        pad = x.new_zeros(T, j)
        for t in range(min(T, j)):
            pad[t, :j - t] = 1
        pad = pad[:, None].expand(T, x.shape[1], j)
        given = torch.cat([pad, h, x, mask], -1)
        first = self.head.stack["hidden0"]
        first = F.linear(given, first.weight[:, self.past:], first.bias)
        last = F.linear(given, self.head.path[self.past:].t(), self.head.bias())
        if paths > 1:
            first, last = (v.repeat_interleave(paths, 1) for v in (first, last))
        return first, last

    def forward(self, h, x, mask, noise, paths):
        """-> z, mean, logvar [T, P, d]; noise of that shape."""
        d, j = self.dims.d, self.dims.j
        first, last = (v.unbind(0) for v in self.prepare(h, x, mask, paths))
        noise = noise.unbind(0)
        layers = list(self.head.stack.values())
        into_first = layers[0].weight[:, :self.past].t()
        into_last = self.head.path[:self.past]
        slots = [noise[0].new_zeros(noise[0].shape)] * j
        latents, means, variances = [], [], []
        for t in range(len(noise)):
            newest = slots[-1]
            past = newest if j == 1 else torch.cat(slots, 1)
            a = F.silu(torch.addmm(first[t], past, into_first))
            for layer in layers[1:]:
                a = F.silu(layer(a))
            out = torch.addmm(torch.addmm(last[t], past, into_last), a, self.head.W)
            mean, raw = out.split(d, 1)
            if self.additive:
                mean = mean + newest
            variance = self.variance.variance(raw)
            z = torch.addcmul(mean, variance.sqrt(), noise[t])
            slots = slots[1:] + [z]
            latents.append(z)
            means.append(mean)
            variances.append(variance)
        return torch.stack(latents), torch.stack(means), torch.stack(variances).log()


class Emission(nn.Module):
    def __init__(self, recipe, dims):
        super().__init__()
        require(recipe, "variance", "constant")
        require(recipe, "floor_start", 0)
        if dims.j > 1:
            raise Unsupported("the peer's emission sees the newest latent only (order 1)")
        self.variance = Variance(recipe)
        self.head = Head(dims.d, *network(recipe), dims.D)
        self.raw = nn.Parameter(torch.full((dims.D,), self.variance.raw_start))
        self.read = None
        if not recipe["identity"] or dims.d != dims.D:
            self.read = nn.Parameter(nn.init.xavier_uniform_(torch.empty(dims.d, dims.D)))

    def forward(self, z):
        """z [n, d] -> mean [n, D], logvar [D]."""
        mean = self.head(z)
        mean = mean + z if self.read is None else torch.addmm(mean, z, self.read)
        return mean, self.variance.log(self.raw)


class Initial(nn.Module):
    def __init__(self, recipe, dims):
        super().__init__()
        self.variance = Variance(recipe)
        self.mean = nn.Parameter(torch.zeros(dims.j, 1, dims.d))
        self.raw = nn.Parameter(torch.full((dims.j, 1, dims.d), self.variance.raw_start))

    def rate(self, mean, logvar):
        return gaussian_kl(mean, logvar, self.mean, self.variance.log(self.raw)).sum(0)


class GaussianTransition(nn.Module):
    def __init__(self, recipe, dims):
        super().__init__()
        self.dims = dims
        self.additive = require(recipe, "frame", "additive", "free") == "additive"
        self.head = GaussianHead(dims.j * dims.d, *network(recipe), dims.d,
                                 Variance(recipe))

    def moments(self, past):
        mean, logvar = self.head(past)
        return (mean + past[:, -self.dims.d:] if self.additive else mean), logvar

    def rate(self, past, z, mean, logvar, draws, share):
        return gaussian_kl(mean, logvar, *self.moments(past))

    def draws(self, n):
        return None

    def draws_from(self, step):
        return None

    def update_statistics(self):
        pass

    def sampler(self):
        def sample(past):
            mean, logvar = self.moments(past)
            return torch.addcmul(mean, (0.5 * logvar).exp(), torch.randn_like(mean))
        return sample


# ---- the whole ----------------------------------------------------------------------------------------


class Model(nn.Module):
    def __init__(self, recipe, D):
        super().__init__()
        from peer_diffusion import Diffusion
        model = recipe.at("model")
        require(model, "time_features", 0)
        for part, known in (("summary", "gru"), ("encoder", "gaussian"), ("emission", "gaussian"),
                            ("initial", "gaussian")):
            require(model, part, known)
        self.dims = Dims(model["latent"], D, model["order"], model.at("summary")["hidden"])
        self.paths = model["paths"]
        self.summary = Summary(model.at("summary"), 2 * D)
        self.encoder = Encoder(model.at("encoder"), self.dims)
        self.emission = Emission(model.at("emission"), self.dims)
        self.initial = Initial(model.at("initial"), self.dims)
        kinds = {"gaussian": GaussianTransition, "diffusion": Diffusion}
        kind = kinds[require(model, "transition", *kinds)]
        self.transition = kind(model.at("transition"), self.dims)

    def encode(self, x, mask, noise, paths):
        h = self.summary(torch.cat([x, mask], -1))
        return self.encoder(h, x, mask, noise, paths)

    def draws(self, T, B):
        """The random numbers of one step."""
        noise = torch.randn(T, B * self.paths, self.dims.d)
        return noise, self.transition.draws((T - self.dims.j) * B * self.paths)

    def bound(self, x, mask, draws):
        """x, mask [T, B, D] -> distortion, initial rate, transition rate, each [P]."""
        j, d, S = self.dims.j, self.dims.d, self.paths
        noise, level_draws = draws
        z, mean, logvar = self.encode(x, mask, noise, S)
        T, P = z.shape[:2]
        if S > 1:
            x, mask = x.repeat_interleave(S, 1), mask.repeat_interleave(S, 1)
        emitted, emitted_logvar = self.emission(z.view(T * P, d))
        distortion = -gaussian_log_prob(x, emitted.view(T, P, -1), emitted_logvar, mask).sum(0)
        initial = self.initial.rate(mean[:j], logvar[:j])
        past = z[:-1] if j == 1 else torch.cat([z[i:T - j + i] for i in range(j)], -1)
        rate = self.transition.rate(past.reshape(-1, j * d), z[j:].reshape(-1, d),
                                    mean[j:].reshape(-1, d), logvar[j:].reshape(-1, d), level_draws,
                                    (T - j) / T)
        return distortion, initial, rate.view(T - j, P).sum(0)

    @torch.no_grad()
    def forecast(self, x, mask, samples, horizon):
        """x, mask [T, 1, D] -> [horizon, samples, D]."""
        j = self.dims.j
        noise = torch.randn(x.shape[0], samples, self.dims.d)
        z, _, _ = self.encode(x, mask, noise, samples)
        slots, latents, sample = list(z[-j:]), [], self.transition.sampler()
        for _ in range(horizon):
            slots = slots[1:] + [sample(slots[-1] if j == 1 else torch.cat(slots, 1))]
            latents.append(slots[-1])
        mean, logvar = self.emission(torch.cat(latents))
        out = torch.addcmul(mean, (0.5 * logvar).exp().expand_as(mean), torch.randn_like(mean))
        return out.view(horizon, samples, -1)
