# SPDX-License-Identifier: GPL-3.0-or-later
"""The diffusion transition in PyTorch: the discrete bound with sampled levels, and Heun's sampler with churn
(Ho et al. 2020; Karras et al. 2022)."""
import math

import torch
from torch import nn

from peer_denoisers import CsdiDenoiser, MlpDenoiser
from peer_model import Unsupported, gaussian_kl, require, time_features


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
        self.centred = require(recipe, "baseline", "zero", "persistence") == "persistence"
        self.uniform = require(recipe, "proposal", "uniform", "importance") == "uniform"
        self.spread = require(recipe, "draw_mode", "iid", "low_discrepancy") == "low_discrepancy"
        self.tracks = require(recipe, "sigma_data_mode", "fixed", "global") == "global"
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
        self.tracked = self.fixed_tables = None
        if self.tracks:  # {square, weight}: sigma_data^2 is their ratio
            self.register_buffer("sigma_data", torch.full((2,), self.START_WEIGHT, dtype=torch.float64))

    def scale(self):
        if not self.tracks:
            return self.recipe["sigma_data"]
        square, weight = self.sigma_data.tolist()
        return self.recipe["sigma_data"] * math.sqrt(max(square / weight, 1e-8))

    @torch.no_grad()
    def update_statistics(self):
        if self.tracks:
            self.sigma_data.lerp_(self.tracked, 1 - self.recipe["sigma_data_decay"])

    @torch.no_grad()
    def track(self, z, share):
        square = z.double().square().mean() / self.recipe["sigma_data"] ** 2
        self.tracked = torch.stack([share * square, square.new_tensor(share)])

    def draws(self, n):
        """Noise [n*M, d], and a function from the levels' probabilities to levels [n, M]. One
        shift for all; draw m of the row with rank r is at (m + r/n)/M of the cumulative probability."""
        if self.spread:
            place = (torch.arange(self.M) + torch.randperm(n)[:, None].double() / n) / self.M
            u = (torch.rand((), dtype=torch.float64) + place).remainder_(1)
        else:
            u = torch.rand(n, self.M, dtype=torch.float64)

        def choose(p):
            return torch.searchsorted(p.cumsum(0), u, right=True).clamp_(max=len(p) - 1)
        return torch.randn(n * self.M, self.dims.d), choose

    def draws_from(self, step):
        """The same of a step that sskit exported: its levels are told by c_noise = log(sigma)/4."""
        c_noise = step["draws/model.transition/levels/0"].double()
        level = (c_noise[:, None] - self.sigma.log() / 4).abs().argmin(1).view(-1, self.M)
        return step["draws/model.transition/noise/0"], lambda p: level

    def tables(self):
        """The probability of each level; of all levels c_in, c_in sigma, the target's factors, and the weight
        of the error."""
        if self.fixed_tables:
            return self.fixed_tables
        scale = self.scale()
        sigma, square, data = self.sigma, self.sigma ** 2, scale ** 2
        root = (square + data).sqrt()
        weight = self.weight * data * (1 + square) / (data + square)
        p = torch.ones_like(weight) if self.uniform else weight ** self.recipe["power"]
        uniform = self.recipe["uniform_part"]
        p = (1 - uniform) * p / p.sum() + uniform / len(p)
        factors = torch.stack([1 / root, sigma / root, sigma / (scale * root), scale / root,
                               weight / (p * self.M)], 1)
        if not self.tracks:
            self.fixed_tables = p, factors.float()
        return p, factors.float()

    def rate(self, past, z, mean, logvar, draws, share):
        """Slabs of the steps j...T-1: past [T-j, P, j*d], z, mean, logvar [T-j, P, d] -> [T-j, P]; they are this
        share of all latents."""
        noise, choose = draws
        steps, P, d = z.shape
        n, M = steps * P, self.M
        time = time_features(self.dims.j, steps, self.dims.F) if self.dims.F else None
        past, z = past.reshape(n, -1), z.reshape(n, d)
        baseline = past[:, -d:] if self.centred else None
        clean = z - baseline if self.centred else z
        if self.tracks:
            self.track(clean, share)
        p, factors = self.tables()
        level = choose(p)
        in_z, in_noise, of_z, of_noise, of_error = factors[level].split(1, -1)  # [n, M, 1]
        noise = noise.view(n, M, d)
        target = clean[:, None]
        noisy = in_z * target + in_noise * noise
        tables = self.denoiser.levels((self.sigma.log() / 4).float())
        F_ = self.denoiser.run(noisy, level, tables, self.denoiser.given(past, time))
        error = (of_error * (F_ - of_z * target + of_noise * noise).square()).sum((1, 2))
        centre = baseline.view(z.shape) if self.centred else z.new_zeros(())
        ends = gaussian_kl(mean.reshape(n, d), logvar.reshape(n, d), centre, mean.new_tensor(self.widest))
        return (error + ends + d * self.constant).view(steps, P)

    # ---- Heun's steps, in algorithm 2 of Karras et al. 2022 ----

    def grid(self):
        """Noise of each step, and what churn raises it to; steps N, then 0."""
        sampler, schedule = self.recipe.at("sampler"), self.recipe.at("schedule")
        rho = {"rho": sampler["rho"], "schedule": schedule["rho"]}[sampler["spacing"]]
        sigmas = karras(schedule["sigma_min"], schedule["sigma_max"], rho, sampler["steps"]).flip(0).tolist()
        most = 1 + min(sampler["churn"] / len(sigmas), math.sqrt(2) - 1)
        low, high = sampler["churn_min"], sampler["churn_max"]
        return sigmas + [0.0], [s * most if low <= s <= high else s for s in sigmas]

    def sampler(self, first, n):
        """A function of the past [rows, j*d] and the step, first...first+n-1, -> latent; what depends on neither
        is made once."""
        sigmas, raised = self.grid()
        scale, d, F_, s_noise = self.scale(), self.dims.d, self.dims.F, self.recipe.at("sampler")["s_noise"]
        evaluated = raised + sigmas[:-1]  # by first and by second evaluations
        tables = self.denoiser.levels((torch.tensor(evaluated, dtype=torch.float64).log() / 4).float())
        levels = [torch.full((1, 1), i, dtype=torch.long) for i in range(len(evaluated))]
        totals = [s ** 2 + scale ** 2 for s in evaluated]

        def slope(x, i, given):
            """(x - D(x))/sigma at evaluation i."""
            sigma, total = evaluated[i], totals[i]
            F_ = self.denoiser.run((x / math.sqrt(total))[:, None], levels[i], tables, given)[:, 0]
            return torch.add(x * (sigma / total), F_, alpha=-scale / math.sqrt(total))

        def sample(past, step):
            given = self.denoiser.given(past, time_features(step, 1, F_) if F_ else None)
            x = torch.randn(len(past), d) * sigmas[0]
            for i, (low, high) in enumerate(zip(sigmas, raised)):
                if high > low:
                    x.add_(torch.randn_like(x), alpha=s_noise * math.sqrt(high ** 2 - low ** 2))
                below = sigmas[i + 1]
                first_slope = slope(x, i, given)
                moved = torch.add(x, first_slope, alpha=below - high)
                if below > 0:
                    again = slope(moved, len(raised) + i + 1, given)
                    moved = torch.add(x, first_slope + again, alpha=(below - high) / 2)
                x = moved
            return x + past[:, -d:] if self.centred else x
        return sample
