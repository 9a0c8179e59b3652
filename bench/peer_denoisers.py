# SPDX-License-Identifier: GPL-3.0-or-later
"""The denoisers of the diffusion transition in PyTorch: a residual network, and CSDI's stack (Tashiro et al.
2021). `levels` embeds c_noise values, `given` what does not depend on the noised latent, `run` is the network."""
import json
import math

import torch
import torch.nn.functional as F
from torch import nn

from peer_model import Unsupported, require, undecayed


def sinusoids(values, width, highest):
    """[U] -> [U, width]: sines and cosines of values times 1...highest, geometrically spaced."""
    half = width // 2
    frequency = torch.logspace(0, math.log10(highest), half, dtype=torch.float64)
    angle = values.double()[:, None] * frequency
    return torch.cat([angle.sin(), angle.cos()], 1).float()


class MlpDenoiser(nn.Module):
    """Residual blocks x + W2 silu(FiLM(W1 x)), FiLM by level; linear paths to the output."""

    def __init__(self, recipe, dims):
        super().__init__()
        if dims.F:
            raise Unsupported("the peer's denoiser mlp knows no time features")
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

    def given(self, past, time):
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
        if dilation >= L:  # only the middle tap has something under it
            return torch.addcmul(b, x, W[half])
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
        """x [N, d, C]: attention over d. One copy lays heads out; the softmax is over a middle axis, of which
        PyTorch has a vectorised one, where over a last axis of four it has none."""
        N, d, C = x.shape
        heads, width = self.heads, C // self.heads
        qkv = self.qkv(self.norm1(x)).view(N, d, 3, heads, width).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.reshape(3, N * heads, d, width).unbind(0)
        scores = torch.baddbmm(x.new_empty(1, 1, 1), k, q.transpose(1, 2), beta=0, alpha=width ** -0.5)
        y = torch.bmm(scores.softmax(1).transpose(1, 2), v)
        x = x + self.mix(y.view(N, heads, d, width).transpose(1, 2).reshape(N, d, C))
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

    def forward(self, x, level, side):
        """x [rows, L, d, C], side [T, 1, L, d, 2C] of as many rows each -> the next x (None after the last
        layer), the target slot's skip."""
        y = self.time(x + level)
        if self.residual is None:  # only the target slot is read
            y, side = y[:, -1:], side[:, :, -1:]
        y = F.linear(self.feature(y), self.middle.weight)
        a, b = (y.view(len(side), -1, *y.shape[1:]) + side).chunk(2, -1)
        y = (a.sigmoid() * b.tanh()).view(len(x), -1, *x.shape[2:])
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
        self.feature_names = undecayed(torch.randn(dims.d, recipe["feature_embedding"]))
        self.place = nn.Linear(self.SLOT_FEATURES + recipe["feature_embedding"] + 1, layers * 2 * C)
        self.row = nn.Linear(1 + dims.F, layers * 2 * C)  # padding flag (no row here has one), time
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

    def given(self, past, time):
        """past [n, j*d], time [T, F] (or None) of n/T rows each -> the projected history [n, j, d, C], and each
        layer's side information, [T, 1, L, d, 2C], with the bias that it is added to."""
        side = self.places()[None, None] + torch.cat([layer.middle.bias for layer in self.layer])
        if time is not None:
            side = side + F.linear(time, self.row.weight[:, 1:], self.row.bias)[:, None, None, None]
        past = past.view(len(past), self.dims.j, self.dims.d, 1)
        return F.relu(past * self.of_history + self.in_bias), side.split(2 * self.channels, -1)

    def run(self, noisy, level, table, given):
        """noisy [n, M, d], level [n, M] or [1, 1] -> F [n, M, d]."""
        n, M, d = noisy.shape
        C = self.channels
        history, sides = given
        history = history[:, None].expand(n, M, *history.shape[1:])
        target = F.relu(noisy[..., None] * self.of_target + self.in_bias)[:, :, None]
        x = torch.cat([history, target], 2).view(n * M, self.dims.j + 1, d, C)
        level = F.embedding(level.reshape(-1), table)[:, None, None].split(C, -1)
        skips = []
        for layer, at_level, side in zip(self.layer, level, sides):
            x, skip = layer(x, at_level, side)
            skips.append(skip)
        x = sum(skips[1:], skips[0]) * (1 / math.sqrt(self.layers))
        return self.out2(F.relu(self.out1(x))).view(n, M, d)
