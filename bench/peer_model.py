# SPDX-License-Identifier: GPL-3.0-or-later
"""The models of bench/*.yaml in PyTorch: what bench/peer_torch.py trains and forecasts with. Parts whose
networks are an `mlp` are here; those with a `context` are in peer_context.py, the diffusion in peer_diffusion.py.

The mathematics is that of the plugins which the recipes name, and parameters carry the plugins' names, so
that weights can be exchanged (peer_exchange.py). Whatever does not recur is batched over time: only the
encoder's recursion over its own samples is a loop. Slabs are time-major, [T, rows, width]; rows of a batch
with several paths are ordered (window, path).
"""
import functools
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
    """Sizes that every part needs: latents d, observed D, order j, summary width H, time features F."""

    def __init__(self, d, D, j, H, F_):
        self.d, self.D, self.j, self.H, self.F = d, D, j, H, F_


@functools.lru_cache(maxsize=None)
@torch.inference_mode(False)
def time_features(first, n, width):
    """[n, width] of steps first...first+n-1: sines and cosines at wave numbers from 1 down to 1e-4."""
    half = width // 2
    wave = 1e4 ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = torch.arange(first, first + n, dtype=torch.float64)[:, None] * wave
    return torch.cat([angle.sin(), angle.cos()], 1).float()


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


def undecayed(values):
    """A parameter of several dimensions that weight decay leaves alone."""
    parameter = nn.Parameter(values)
    parameter.undecayed = True
    return parameter


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
        self.W = undecayed(torch.zeros(hidden, 2 * outputs))
        self.path = undecayed(torch.zeros(inputs, 2 * outputs))
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
    """h_t = GRU over reversed time of silu(W i_t + b), or of W i_t + b."""

    def __init__(self, recipe, inputs):
        super().__init__()
        require(recipe, "layers", 1)
        self.linear = require(recipe, "projection", "silu", "linear") == "linear"
        hidden = recipe["hidden"]
        self.project = nn.Linear(inputs, hidden)
        self.gru = nn.GRU(hidden, hidden)

    def forward(self, inputs):
        projected = self.project(inputs.flip(0))
        h, _ = self.gru(projected if self.linear else F.silu(projected))
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
        require(recipe, "frame", "additive")
        if dims.j > 1:
            raise Unsupported("the peer's emission sees the newest latent only (order 1)")
        self.variance = Variance(recipe)
        self.head = Head(dims.d, *network(recipe), dims.D)
        self.raw = nn.Parameter(torch.full((dims.D,), self.variance.raw_start))
        self.read = None
        if not recipe["identity"] or dims.d != dims.D:
            self.read = nn.Parameter(nn.init.xavier_uniform_(torch.empty(dims.d, dims.D)))

    def forward(self, z, first):
        """z [T, P, d] -> mean [T*P, D], logvar [D]; the step of the first latent does not matter."""
        z = z.flatten(0, 1)
        mean = self.head(z)
        mean = mean + z if self.read is None else torch.addmm(mean, z, self.read)
        return mean, self.variance.log(self.raw)


class Initial(nn.Module):
    def __init__(self, recipe, dims):
        super().__init__()
        self.variance = Variance(recipe)
        self.mean = undecayed(torch.zeros(dims.j, 1, dims.d))
        self.raw = undecayed(torch.full((dims.j, 1, dims.d), self.variance.raw_start))

    def rate(self, z, mean, logvar, draws):
        """[j, P, d] -> [P]"""
        return gaussian_kl(mean, logvar, self.mean, self.variance.log(self.raw)).sum(0)

    def draws(self, P, d):
        return None

    def draws_from(self, step):
        return None


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
        """Slabs past [n, P, j*d], z, mean, logvar [n, P, d] -> [n, P]."""
        own = self.moments(past.reshape(-1, past.shape[2]))
        return gaussian_kl(mean, logvar, *(moment.view(z.shape) for moment in own))

    def draws(self, n):
        return None

    def draws_from(self, step):
        return None

    def update_statistics(self):
        pass

    def sampler(self, first, n):
        def sample(past, step):
            mean, logvar = self.moments(past)
            return torch.addcmul(mean, (0.5 * logvar).exp(), torch.randn_like(mean))
        return sample


# ---- the whole ----------------------------------------------------------------------------------------


class Model(nn.Module):
    def __init__(self, recipe, D):
        super().__init__()
        import peer_context as context
        from peer_diffusion import Diffusion
        model = recipe.at("model")

        def part(name, **kinds):
            """The part, of the class that is named by its component and its component's network."""
            kind = require(model, name, *{key.split("_")[0] for key in kinds})
            if kind not in kinds:
                kind += "_" + require(model, f"{name}.network", "mlp", "context")
            return kinds[kind](model.at(name), self.dims)
        F_ = model["time_features"]
        require(model, "summary", "gru")
        self.dims = Dims(model["latent"], D, model["order"], model.at("summary")["hidden"], F_)
        self.paths = model["paths"]
        self.summary = Summary(model.at("summary"), 2 * D + F_)
        self.encoder = part("encoder", gaussian_mlp=Encoder, gaussian_context=context.ContextEncoder)
        self.emission = part("emission", gaussian_mlp=Emission, gaussian_context=context.ContextEmission)
        self.initial = part("initial", gaussian=Initial, vhp_context=context.HierarchicalInitial)
        self.transition = part("transition", diffusion=Diffusion, gaussian_mlp=GaussianTransition,
                               gaussian_context=context.ContextTransition)
        if F_ and not isinstance(self.encoder, context.ContextEncoder):
            raise Unsupported("the peer's networks mlp know no time features")

    def encode(self, x, mask, noise, paths):
        inputs = [x, mask]
        if self.dims.F:
            time = time_features(0, len(x), self.dims.F)
            inputs.append(time[:, None].expand(-1, x.shape[1], -1))
        return self.encoder(self.summary(torch.cat(inputs, -1)), x, mask, noise, paths)

    def draws(self, T, B):
        """The random numbers of one step."""
        P, j, d = B * self.paths, self.dims.j, self.dims.d
        return torch.randn(T, P, d), self.initial.draws(P, d), self.transition.draws((T - j) * P)

    def bound(self, x, mask, draws):
        """x, mask [T, B, D] -> distortion, initial rate, transition rate, each [P]."""
        j, S = self.dims.j, self.paths
        noise, of_initial, of_transition = draws
        z, mean, logvar = self.encode(x, mask, noise, S)
        T, P = z.shape[:2]
        if S > 1:
            x, mask = x.repeat_interleave(S, 1), mask.repeat_interleave(S, 1)
        emitted, emitted_logvar = self.emission(z, 0)
        x, mask = x.flatten(0, 1), mask.flatten(0, 1)
        distortion = -gaussian_log_prob(x, emitted, emitted_logvar, mask).view(T, P).sum(0)
        initial = self.initial.rate(z[:j], mean[:j], logvar[:j], of_initial)
        past = z[:-1] if j == 1 else torch.cat([z[i:T - j + i] for i in range(j)], -1)
        rate = self.transition.rate(past, z[j:], mean[j:], logvar[j:], of_transition, (T - j) / T)
        return distortion, initial, rate.sum(0)

    @torch.inference_mode()
    def forecast(self, x, mask, samples, horizon):
        """x, mask [T, 1, D] -> [horizon, samples, D]."""
        j, T = self.dims.j, len(x)
        noise = torch.randn(T, samples, self.dims.d)
        z, _, _ = self.encode(x, mask, noise, samples)
        slots, latents, sample = list(z[-j:]), [], self.transition.sampler(T, horizon)
        for step in range(T, T + horizon):
            slots = slots[1:] + [sample(slots[-1] if j == 1 else torch.cat(slots, 1), step)]
            latents.append(slots[-1])
        mean, logvar = self.emission(torch.stack(latents), T)
        out = torch.addcmul(mean, (0.5 * logvar).exp().expand_as(mean), torch.randn_like(mean))
        return out.view(horizon, samples, -1)
