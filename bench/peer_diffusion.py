# SPDX-License-Identifier: GPL-3.0-or-later
"""The diffusion transition of bench/*.yaml in PyTorch: the discrete bound with sampled levels, its two
denoisers, and Heun's sampler (Ho et al. 2020; Karras et al. 2022; Tashiro et al. 2021)."""
import json
import math

import torch
import torch.nn.functional as F
from torch import nn

from peer_model import Unsupported, gaussian_kl, require


def sinusoids(values, width, highest):
    """[U] -> [U, width]: sines and cosines of values times 1...highest, geometrically spaced."""
    half = width // 2
    frequency = torch.logspace(0, math.log10(highest), half, dtype=torch.float64)
    angle = values.double()[:, None] * frequency
    return torch.cat([angle.sin(), angle.cos()], 1).float()


# ---- denoisers: `levels` embeds c_noise values, `given` projects the conditions, `run` is the network --


class MlpDenoiser(nn.Module):
    """Residual blocks x + W2 silu(FiLM(W1 x)), FiLM by level; linear paths to the output."""

    def __init__(self, recipe, dims):
        super().__init__()
        h, e, d, blocks = recipe["hidden"], recipe["embedding"], dims.d, recipe["blocks"]
        given = dims.j * (d + 1)
        self.hidden, self.embedding, self.highest = h, e, recipe["highest_frequency"]
        self.j = dims.j
        self.level1, self.level2 = nn.Linear(e, e), nn.Linear(e, e)
        self.film = nn.Linear(e, (blocks + 1) * 2 * h)
        self.film_out = nn.Linear(e, 2 * d)
        self.given1, self.given2 = nn.Linear(given, h), nn.Linear(h, h)
        self.given_linear, self.given_out = nn.Linear(given, h), nn.Linear(given, d)
        setattr(self, "in", nn.Linear(d, h))
        self.block = nn.ModuleList(
            nn.ModuleDict({"up": nn.Linear(h, h), "down": nn.Linear(h, h)}) for _ in range(blocks))
        self.out, self.out_linear = nn.Linear(h, d), nn.Linear(d, d)
        for layer in (self.film_out, self.given_out, self.out, self.out_linear):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def levels(self, c_noise):
        """Scales and shifts of each level: one pair of [U, h] tables a block, one of [U, d] at the end."""
        e = sinusoids(c_noise, self.embedding, self.highest)
        e = F.silu(self.level2(F.silu(self.level1(e))))
        return list(self.film(e).split(2 * self.hidden, 1)) + [self.film_out(e)]

    def given(self, past):
        """past [n, j*d] (no row of training or forecasting is padded) -> context [n, h], offset [n, d]."""
        given = torch.cat([past, past.new_zeros(len(past), self.j)], 1)
        context = self.given2(F.silu(self.given1(given))) + self.given_linear(given)
        return context, self.given_out(given)

    @staticmethod
    def modulate(x, table, level, given=None):
        """x [n, M, w] -> (x + given) (1 + scale) + shift."""
        scale, shift = F.embedding(level, table).chunk(2, -1)
        if given is not None:
            x = x + given[:, None]
        return torch.addcmul(x + shift, x, scale)

    def run(self, noisy, level, tables, given):
        """noisy [n, M, d], level [n, M] or [1, 1] -> F [n, M, d]."""
        context, offset = given
        x = self.modulate(getattr(self, "in")(noisy), tables[0], level, context)
        for block, table in zip(self.block, tables[1:]):
            x = x + block["down"](F.silu(self.modulate(block["up"](x), table, level)))
        x = self.out(F.silu(x)) + self.out_linear(noisy)
        return self.modulate(x, tables[-1], level, offset)


class ConvMixer(nn.Module):
    """x + W silu(depthwise(x)) over the slots, once a dilation. Slots are few: taps are products of slices."""

    def __init__(self, recipe, width):
        super().__init__()
        self.kernel = recipe["kernel"]
        self.dilations = [int(v) for v in json.loads(recipe["dilations"])]
        self.W = nn.ParameterList(nn.Parameter(torch.empty(self.kernel, width).uniform_(-1, 1) /
                                               math.sqrt(self.kernel)) for _ in self.dilations)
        self.b = nn.ParameterList(nn.Parameter(torch.zeros(width)) for _ in self.dilations)
        self.point = nn.ModuleList(nn.Linear(width, width) for _ in self.dilations)

    def depthwise(self, x, W, b, dilation):
        slots, L, half = x.unbind(1), x.shape[1], self.kernel // 2
        out = []
        for place in range(L):
            y = b
            for tap in range(self.kernel):
                source = place + (tap - half) * dilation
                if 0 <= source < L:
                    y = torch.addcmul(y, slots[source], W[tap])
            out.append(y)
        return torch.stack(out, 1)

    def forward(self, x):
        """x [rows, L, d, C]"""
        for W, b, point, dilation in zip(self.W, self.b, self.point, self.dilations):
            x = x + point(F.silu(self.depthwise(x, W, b, dilation)))
        return x


class TransformerBlock(nn.Module):
    def __init__(self, width, heads, feed_forward):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, feed_forward), nn.Linear(feed_forward, width)
        for layer in (self.qkv, self.mix, self.up, self.down):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        """x [N, d, C]: attention over d."""
        N, d, C = x.shape
        qkv = self.qkv(self.norm1(x)).view(N, d, 3, self.heads, C // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        weights = torch.matmul(q * (C // self.heads) ** -0.5, k.transpose(-1, -2)).softmax(-1)
        x = x + self.mix(torch.matmul(weights, v).transpose(1, 2).reshape(N, d, C))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class TransformerMixer(nn.Module):
    def __init__(self, recipe, width):
        super().__init__()
        self.net = nn.ModuleList(
            TransformerBlock(width, recipe["heads"], recipe["feed_forward"] or 2 * width)
            for _ in range(recipe["blocks"]))

    def forward(self, x):
        """x [rows, L, d, C]"""
        shape = x.shape
        x = x.reshape(-1, *shape[2:])
        for block in self.net:
            x = block(x)
        return x.view(shape)


class CsdiLayer(nn.Module):
    def __init__(self, recipe, width, last):
        super().__init__()
        require(recipe, "time", "conv")
        require(recipe, "feature", "transformer")
        self.time = ConvMixer(recipe.at("time"), width)
        self.feature = TransformerMixer(recipe.at("feature"), width)
        self.middle = nn.Linear(width, 2 * width)
        self.residual = None if last else nn.Linear(width, width)
        self.skip = nn.Linear(width, width)

    def forward(self, x, level, place):
        """x [rows, L, d, C] -> the next x (None after the last layer), the target slot's skip."""
        y = self.feature(self.time(x + level))
        if self.residual is None:  # only the target slot is read
            y, place = y[:, -1:], place[-1:]
        a, b = (self.middle(y) + place).chunk(2, -1)
        y = a.sigmoid() * b.tanh()
        skip = self.skip(y[:, -1])
        if self.residual is None:
            return None, skip
        return (x + self.residual(y)) * math.sqrt(0.5), skip


class CsdiDenoiser(nn.Module):
    SLOT_FEATURES = 16

    def __init__(self, recipe, dims):
        super().__init__()
        C, E, layers = recipe["channels"], recipe["embedding"], recipe["layers"]
        self.channels, self.layers, self.embedding = C, layers, E
        self.highest, self.dims = recipe["highest_frequency"], dims
        self.level1, self.level2 = nn.Linear(E, E), nn.Linear(E, E)
        self.level = nn.Linear(E, layers * C)
        self.feature_names = nn.Parameter(torch.randn(dims.d, recipe["feature_embedding"]))
        self.place = nn.Linear(self.SLOT_FEATURES + recipe["feature_embedding"] + 1, layers * 2 * C)
        self.row = nn.Linear(1, layers * 2 * C)  # padding flags: no row of this benchmark has one
        self.of_target = nn.Parameter(torch.randn(1, C) * math.sqrt(2))
        self.of_history = nn.Parameter(torch.randn(1, C) * math.sqrt(2))
        self.in_bias = nn.Parameter(torch.empty(C).uniform_(-1, 1))
        self.layer = nn.ModuleList(CsdiLayer(recipe, C, i + 1 == layers) for i in range(layers))
        self.out1, self.out2 = nn.Linear(C, C), nn.Linear(C, 1)
        nn.init.zeros_(self.out2.weight)
        nn.init.zeros_(self.out2.bias)

    def levels(self, c_noise):
        e = sinusoids(c_noise, self.embedding, self.highest)
        e = F.silu(self.level2(F.silu(self.level1(e))))
        return self.level(e)

    def places(self):
        """[L, d, layers * 2C]: what names a slot and a feature."""
        L, d = self.dims.j + 1, self.dims.d
        lag = torch.arange(L - 1, -1, -1, dtype=torch.float32)
        slot = torch.cat([sinusoids(lag, self.SLOT_FEATURES, 1e-4), (lag == 0).float()[:, None]], 1)
        slot = slot[:, None].expand(L, d, slot.shape[1])
        names = self.feature_names.expand(L, *self.feature_names.shape)
        return self.place(torch.cat([slot, names], -1))

    def given(self, past):
        """past [n, j*d] -> the projected history [n, j, d, C], and the side information."""
        past = past.view(len(past), self.dims.j, self.dims.d, 1)
        return F.relu(past * self.of_history + self.in_bias), self.places()

    def run(self, noisy, level, table, given):
        """noisy [n, M, d], level [n, M] or [1, 1] -> F [n, M, d]."""
        n, M, d = noisy.shape
        C = self.channels
        history, places = given
        history = history[:, None].expand(n, M, *history.shape[1:])
        target = F.relu(noisy[..., None] * self.of_target + self.in_bias)[:, :, None]
        x = torch.cat([history, target], 2).view(n * M, self.dims.j + 1, d, C)
        level = F.embedding(level.reshape(-1), table)[:, None, None].split(C, -1)
        skips = []
        for layer, at_level, at_place in zip(self.layer, level, places.split(2 * C, -1)):
            x, skip = layer(x, at_level, at_place)
            skips.append(skip)
        x = sum(skips[1:], skips[0]) * (1 / math.sqrt(self.layers))
        return self.out2(F.relu(self.out1(x))).view(n, M, d)


# ---- the transition --------------------------------------------------------------------------------------


def karras(sigma_min, sigma_max, rho, n):
    """n levels from sigma_min to sigma_max, equally spaced in sigma^(1/rho)."""
    low, high = sigma_min ** (1 / rho), sigma_max ** (1 / rho)
    return torch.linspace(0, 1, n, dtype=torch.float64).mul(high - low).add(low).pow(rho)


class Diffusion(nn.Module):
    START_WEIGHT = 1e-3

    def __init__(self, recipe, dims):
        super().__init__()
        require(recipe, "schedule", "karras")
        require(recipe, "sampler", "heun")
        require(recipe, "variance", "beta")
        require(recipe, "baseline", "persistence")
        require(recipe, "proposal", "importance")
        require(recipe, "draw_mode", "stratified")
        require(recipe, "sigma_data_mode", "global")
        self.dims, self.recipe, self.M = dims, recipe, recipe["draws"]
        schedule, K = recipe.at("schedule"), recipe["levels"]
        self.sigma = karras(schedule["sigma_min"], schedule["sigma_max"], schedule["rho"], K)
        kinds = {"mlp": MlpDenoiser, "csdi": CsdiDenoiser}
        self.denoiser = kinds[require(recipe, "denoiser", *kinds)](recipe.at("denoiser"), dims)
        square = self.sigma ** 2
        below = torch.cat([square.new_zeros(1), square[:-1]])
        self.weight = (square - below) / (2 * square * (1 + below))
        self.weight[0] = 0.5
        ratio = (below * (1 + square) / (square * (1 + below)))[1:]
        constant = 0.5 * math.log(2 * math.pi * float(square[0] / (1 + square[0])))
        constant += float((0.5 * (ratio - 1 - ratio.log())).sum())
        highest = float(square[-1])
        constant += 0.5 * (-1 / (1 + highest) - math.log(highest / (1 + highest)))
        self.constant = constant - 0.5 * (math.log(2 * math.pi) + math.log1p(highest))
        self.widest = math.log1p(highest)
        # {square, weight}: sigma_data^2 is their ratio.
        self.register_buffer("sigma_data", torch.full((2,), self.START_WEIGHT, dtype=torch.float64))
        self.tracked = None

    def scale(self):
        square, weight = self.sigma_data.tolist()
        return self.recipe["sigma_data"] * math.sqrt(max(square / weight, 1e-8))

    @torch.no_grad()
    def update_statistics(self):
        self.sigma_data.lerp_(self.tracked, 1 - self.recipe["sigma_data_decay"])

    def draws(self, n):
        """Noise [n*M, d], and a function from the levels' probabilities to levels [n, M]. Stratified: one
        shift for all; draw m of the row with rank r is at (m + r/n)/M of the cumulative probability."""
        place = (torch.arange(self.M) + torch.randperm(n)[:, None].double() / n) / self.M
        u = (torch.rand((), dtype=torch.float64) + place).remainder_(1)

        def choose(p):
            return torch.searchsorted(p.cumsum(0), u, right=True).clamp_(max=len(p) - 1)
        return torch.randn(n * self.M, self.dims.d), choose

    def draws_from(self, step):
        """The same of a step that sskit exported: its levels are told by c_noise = log(sigma)/4."""
        c_noise = step["draws/model.transition/levels/0"].double()
        level = (c_noise[:, None] - self.sigma.log() / 4).abs().argmin(1).view(-1, self.M)
        return step["draws/model.transition/noise/0"], lambda p: level

    def tables(self, scale):
        """Of all levels: c_in, c_in sigma, target's factors, and the weight of the error; double."""
        sigma, square, data = self.sigma, self.sigma ** 2, scale ** 2
        root = (square + data).sqrt()
        weight = self.weight * data * (1 + square) / (data + square)
        p = weight ** self.recipe["power"]
        uniform = self.recipe["uniform_part"]
        p = (1 - uniform) * p / p.sum() + uniform / len(p)
        factors = torch.stack([1 / root, sigma / root, sigma / (scale * root), scale / root,
                               weight / (p * self.M)], 1)
        return p, factors.float()

    def rate(self, past, z, mean, logvar, draws, share):
        """Rows past [n, j*d], z, mean, logvar [n, d] -> [n]; they are this share of all latents."""
        noise, choose = draws
        n, d, M = z.shape[0], self.dims.d, self.M
        baseline = past[:, -d:]
        centred = z - baseline
        with torch.no_grad():
            square = centred.double().square().mean() / self.recipe["sigma_data"] ** 2
            self.tracked = torch.stack([share * square, square.new_tensor(share)])
        p, factors = self.tables(self.scale())
        level = choose(p)
        in_z, in_noise, of_z, of_noise, of_error = factors[level].split(1, -1)  # [n, M, 1]
        noise = noise.view(n, M, d)
        target = centred[:, None]
        noisy = in_z * target + in_noise * noise
        tables = self.denoiser.levels((self.sigma.log() / 4).float())
        F_ = self.denoiser.run(noisy, level, tables, self.denoiser.given(past))
        error = (of_error * (F_ - of_z * target + of_noise * noise).square()).sum((1, 2))
        widest = mean.new_tensor(self.widest)
        return error + gaussian_kl(mean, logvar, baseline, widest) + d * self.constant

    def sampler(self):
        """A function past [n, j*d] -> latent, with what does not depend on the past made once."""
        sampler, schedule = self.recipe.at("sampler"), self.recipe.at("schedule")
        if sampler["churn"] != 0 or sampler["spacing"] != "rho":
            raise Unsupported("the peer's Heun sampler has no churn, and spacing rho")
        N, scale, d = sampler["steps"], self.scale(), self.dims.d
        grid = karras(schedule["sigma_min"], schedule["sigma_max"], sampler["rho"], N).flip(0)
        tables = self.denoiser.levels((grid.log() / 4).float())
        sigmas = grid.tolist() + [0.0]
        levels = [torch.full((1, 1), i, dtype=torch.long) for i in range(N)]

        def denoise(x, i, given):
            total = sigmas[i] ** 2 + scale ** 2
            root = math.sqrt(total)
            F_ = self.denoiser.run((x / root)[:, None], levels[i], tables, given)[:, 0]
            return torch.add(x * (scale ** 2 / total), F_, alpha=sigmas[i] * scale / root)

        def sample(past):
            given = self.denoiser.given(past)
            x = torch.randn(len(past), d) * sigmas[0]
            for i in range(N):
                step = sigmas[i + 1] - sigmas[i]
                slope = (x - denoise(x, i, given)) / sigmas[i]
                moved = torch.add(x, slope, alpha=step)
                if sigmas[i + 1] > 0:
                    again = (moved - denoise(moved, i + 1, given)) / sigmas[i + 1]
                    moved = torch.add(x, slope + again, alpha=step / 2)
                x = moved
            return x + past[:, -d:]
        return sample
