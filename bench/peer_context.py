# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of recipes/paper/*.yaml in PyTorch whose conditional Gaussians are networks `context`: encoder,
emission, transition and the hierarchical prior (Klushyn et al. 2019; the residual stack: Tashiro et al. 2021).

Channels come first, [C, slots, rows, H]: a 1x1 convolution is one product with a short matrix on the left and
all else to its right, a convolution over two slots a small matrix a channel, and what the gate splits is
contiguous. What does not depend on the latents is made once a pass: side information, filters, output maps.
"""
import json
import math

import torch
import torch.nn.functional as F
from torch import nn

from peer_model import Unsupported, Variance, gaussian_kl, require, time_features, undecayed


class SlotMixer(nn.Module):
    """x + W silu(depthwise(x)) over the slots, once a dilation, channels first."""

    def __init__(self, recipe, width):
        super().__init__()
        kernel = recipe["kernel"]
        self.dilations = [int(v) for v in json.loads(recipe["dilations"])]
        self.W = nn.ParameterList(nn.Parameter(torch.empty(kernel, width).uniform_(-1, 1) / math.sqrt(kernel))
                                  for _ in self.dilations)
        self.b = nn.ParameterList(nn.Parameter(torch.zeros(width)) for _ in self.dilations)
        self.point = nn.ModuleList(nn.Linear(width, width) for _ in self.dilations)

    def ready(self, L):
        """A dilation each: filters as matrices [C, L, L], or [C, 1, 1] where only the middle tap has something
        under it, their bias, and the map between channels."""
        out = []
        for W, b, point, dilation in zip(self.W, self.b, self.point, self.dilations):
            taps = torch.cat([W, W.new_zeros(1, W.shape[1])])  # the last: out of reach
            reach, place = len(W) // 2, []
            for to in range(L):
                for source in range(L):
                    steps, rest = divmod(source - to, dilation)
                    place.append(len(W) if rest or abs(steps) > reach else steps + reach)
            if dilation >= L:
                matrix = W[reach, :, None, None]
            else:
                matrix = taps[place].view(L, L, -1).permute(2, 0, 1).contiguous()
            out.append((matrix, b[:, None, None], point.weight, point.bias[:, None]))
        return out

    @staticmethod
    def run(x, ready):
        """x [C, L, n]"""
        C = len(x)
        for matrix, b, weight, bias in ready:
            y = torch.addcmul(b, matrix, x) if matrix.shape[1] == 1 else torch.baddbmm(b, matrix, x)
            y = F.silu(y)
            x = x + torch.addmm(bias, weight, y.view(C, -1)).view(x.shape)
        return x


class Block(nn.Module):
    def __init__(self, recipe, C, slots, last):
        super().__init__()
        self.time = SlotMixer(recipe.at("time"), C) if slots > 1 else None
        self.middle, self.skip = nn.Linear(C, 2 * C), nn.Linear(C, C)
        self.residual = None if last else nn.Linear(C, C)
        for layer in (self.middle, self.skip, self.residual):
            if layer:
                nn.init.kaiming_normal_(layer.weight)
                nn.init.zeros_(layer.bias)

    def ready(self, slots):
        """The time mixer's, the middle's weight (its bias is in the side information), what follows the gate."""
        time = self.time.ready(slots) if self.time else []
        after = [self.skip] if self.residual is None else [self.residual, self.skip]
        return (time, self.middle.weight, torch.cat([layer.weight for layer in after]),
                torch.cat([layer.bias for layer in after])[:, None])


class Context(nn.Module):
    """The network `context`: `slots` latents of `width`, newest `lag` steps before that of the output, and
    where there is one the summary of `summary` numbers before them. -> means, raw variances."""

    def __init__(self, recipe, width, outputs, variance, F_, lag, summary=0, pad=False):
        super().__init__()
        require(recipe, "feature", "none")
        H, C, flags, blocks = recipe["hidden"], recipe["channels"], recipe["flags"], recipe["blocks"]
        self.H, self.C, self.F, self.lag, self.outputs = H, C, F_, lag, outputs
        self.lags = [0, lag] if summary else [lag]
        L = len(self.lags)
        self.latent = nn.Linear(width, H)
        self.summary = nn.Linear(summary, H) if summary else None
        self.role = nn.Linear(1, flags) if summary else None
        self.pad = nn.Linear(1, flags) if pad else None
        self.side = nn.Linear(F_ + flags * (bool(summary) + pad), blocks * 2 * C)
        self.open = nn.Linear(1, C)
        for layer in (self.side, self.open):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.block = nn.ModuleList(Block(recipe, C, L, i + 1 == blocks) for i in range(blocks))
        self.over_slots = nn.Parameter(torch.empty(L, H * C).uniform_(-1, 1) / math.sqrt(L))
        self.after = nn.Parameter(torch.empty(H * C).uniform_(-1, 1) / math.sqrt(L))
        self.mean = nn.Linear(H * C, outputs)
        nn.init.xavier_uniform_(self.mean.weight, gain=0.5)
        nn.init.zeros_(self.mean.bias)
        self.raw = undecayed(torch.zeros(H * C, outputs))
        self.raw_bias = nn.Parameter(torch.full((outputs,), variance.raw_start))

    def sides(self, first, n):
        """Of each block, [n, 2C, L, 1]: side information of the steps first...first+n-1, the same for all rows
        and hidden units, with the bias that it is added to."""
        L, parts = len(self.lags), []
        if self.F:
            parts.append(torch.stack([time_features(first - lag, n, self.F) for lag in self.lags], 1))
        if self.role:
            role = torch.eye(L, 1)[None].expand(n, L, 1)
            parts.append(self.role(role))
        if self.pad:
            step = torch.arange(first, first + n)[:, None] - torch.tensor(self.lags)
            parts.append(self.pad((step < 0).float()[..., None]))
        bias = torch.cat([block.middle.bias for block in self.block])
        out = F.linear(torch.cat(parts, -1), self.side.weight, self.side.bias + bias)
        return out.transpose(1, 2)[..., None].split(2 * self.C, 1)

    def ready(self):
        """What a pass makes once: the blocks' maps, and the map of all skips, [L*C, H, 2*outputs], with its
        bias: the filter over the slots times the output's weights."""
        L, H, C = len(self.lags), self.H, self.C
        blocks = [block.ready(L) for block in self.block]
        W = torch.cat([self.mean.weight.t(), self.raw], 1)
        filters = self.over_slots.view(L, H, C, 1) * W.view(H, C, -1) / math.sqrt(len(blocks))
        bias = torch.addmm(torch.cat([self.mean.bias, self.raw_bias]), self.after[None], W)
        return blocks, filters.permute(2, 0, 1, 3).reshape(C * L, H, -1), bias

    def run(self, slots, sides, ready):
        """slots [L, T, P, H], sides of T steps -> mean, raw [T*P, outputs]."""
        L, T, P, H = slots.shape
        C = self.C
        blocks, head, bias = ready
        x = F.relu(torch.addcmul(self.open.bias[:, None], self.open.weight, slots.reshape(1, -1)))
        skips = None
        for (time, middle, after, after_bias), side in zip(blocks, sides):
            y = SlotMixer.run(x.view(C, L, -1), time) if time else x
            y = torch.mm(middle, y.view(C, -1)).view(2 * C, L, T, P * H)
            y = y + side.permute(1, 2, 0, 3)
            a, b = y.view(2, C, -1).unbind(0)
            y = torch.addmm(after_bias, after, a.sigmoid() * b.tanh())
            if len(y) > C:
                residual, y = y.view(2, C, -1).unbind(0)
                x = (x + residual) * math.sqrt(0.5)
            skips = y if skips is None else skips + y
        out = torch.bmm(skips.view(C * L, T * P, H), head).sum(0) + bias
        return out.split(self.outputs, 1)

    def forward(self, z, first):
        """z [T, P, width] of networks without a summary; steps first...first+T-1 are what is given moments."""
        return self.run(self.latent(z)[None], self.sides(first, len(z)), self.ready())


# ---- the parts -------------------------------------------------------------------------------------


def network(recipe, dims, outputs, variance, lag, **more):
    if dims.j > 1:
        raise Unsupported("the peer's networks context see the newest latent only (order 1)")
    return Context(recipe.at("network"), dims.d, outputs, variance, dims.F, lag, **more)


class ContextEncoder(nn.Module):
    """q(z_t | z_{t-1}, h_t): only what depends on the sampled past is in the loop over t."""

    def __init__(self, recipe, dims):
        super().__init__()
        require(recipe, "innovation", False)
        require(recipe, "observation", False)
        require(recipe, "frame", "free")
        self.variance = Variance(recipe)
        self.head = network(recipe, dims, dims.d, self.variance, 1, summary=dims.H, pad=True)

    def forward(self, h, x, mask, noise, paths):
        """-> z, mean, logvar [T, P, d]; noise of that shape."""
        head, ready = self.head, self.head.ready()
        sides = zip(*(side.split(1) for side in head.sides(0, len(h))))
        given = head.summary(h)
        if paths > 1:
            given = given.repeat_interleave(paths, 1)
        W, b = head.latent.weight.t(), head.latent.bias
        z = noise.new_zeros(noise.shape[1:])
        latents, means, variances = [], [], []
        for known, side, draw in zip(given.unbind(0), sides, noise.unbind(0)):
            slots = torch.stack([known, torch.addmm(b, z, W)])[:, None]
            mean, raw = head.run(slots, side, ready)
            variance = self.variance.variance(raw)
            z = torch.addcmul(mean, variance.sqrt(), draw)
            latents.append(z)
            means.append(mean)
            variances.append(variance)
        return torch.stack(latents), torch.stack(means), torch.stack(variances).log()


class ContextEmission(nn.Module):
    def __init__(self, recipe, dims):
        super().__init__()
        require(recipe, "variance", "network")
        require(recipe, "floor_start", 0)
        require(recipe, "frame", "free")
        self.variance = Variance(recipe)
        self.head = network(recipe, dims, dims.D, self.variance, 0)

    def forward(self, z, first):
        mean, raw = self.head(z, first)
        return mean, self.variance.log(raw)


class ContextTransition(nn.Module):
    """The deep Kalman filter's: Gaussian, with a mean that is the network's alone."""

    def __init__(self, recipe, dims):
        super().__init__()
        require(recipe, "frame", "free")
        self.variance = Variance(recipe)
        self.head = network(recipe, dims, dims.d, self.variance, 1)

    def rate(self, past, z, mean, logvar, draws, share):
        """Slabs of the steps 1...T-1."""
        own, raw = self.head(past, 1)
        rate = gaussian_kl(mean.flatten(0, 1), logvar.flatten(0, 1), own, self.variance.log(raw))
        return rate.view(past.shape[:2])

    def draws(self, n):
        return None

    def draws_from(self, step):
        return None

    def update_statistics(self):
        pass

    def sampler(self, first, n):
        ready, sides = self.head.ready(), list(zip(*(s.split(1) for s in self.head.sides(first, n))))

        def sample(past, step):
            mean, raw = self.head.run(self.head.latent(past)[None, None], sides[step - first], ready)
            return torch.addcmul(mean, self.variance.variance(raw).sqrt(), torch.randn_like(mean))
        return sample


class HierarchicalInitial(nn.Module):
    """-log p(z_1) <= KL(q(a | z_1) || N(0, I)) - E[log p(z_1 | a)], in which p is a network of its own."""

    AUXILIARY = {"var_min": 1e-6, "logvar_min": -10, "logvar_max": 6, "logvar_start": 0}

    def __init__(self, recipe, dims):
        super().__init__()
        require(recipe, "head", "own")
        self.of_auxiliary, self.variance = Variance(self.AUXILIARY), Variance(recipe)
        self.posterior = network(recipe, dims, dims.d, self.of_auxiliary, 0)
        self.own = network(recipe, dims, dims.d, self.variance, 1)

    def rate(self, z, mean, logvar, noise):
        """z, mean, logvar [1, P, d], noise [P, d] -> [P]."""
        at, raw = self.posterior(z, 0)
        spread = self.of_auxiliary.log(raw)
        a = torch.addcmul(at, (0.5 * spread).exp(), noise)
        own, raw = self.own(a[None], 0)
        zero = at.new_zeros(())
        return (gaussian_kl(at, spread, zero, zero) +
                gaussian_kl(mean[0], logvar[0], own, self.variance.log(raw)))

    def draws(self, P, d):
        return torch.randn(P, d)

    def draws_from(self, step):
        return step["draws/model.initial/auxiliary/0"]
