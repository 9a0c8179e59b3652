/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diffusion_bound.h - the variational bound of a discrete diffusion, as pure functions of its
 * levels.
 *
 * Levels are noise-to-signal ratios sigma_1 < ... < sigma_K, sigma_0 = 0 (VE coordinates); the
 * diffusion is the variance-preserving one with alpha-bar_k = 1/(1 + sigma_k^2). With the denoiser
 * D in EDM's preconditioning, D = c_skip z' + c_out F, and the target y = (z - c_skip z')/c_out of
 * F,
 *
 *   -log p(z) <= E[ sum_k w_k |F - y|^2 ] + L_K + C         in nats, for z of dimension d
 *   L_K = (alpha-bar_K |z|^2 - d alpha-bar_K - d log(1 - alpha-bar_K)) / 2
 *   C   = d/2 log(2 pi beta_1) + [variance beta_k] sum_{k>=2} d/2 (r_k - 1 - log r_k)
 *
 * where beta_k = (sigma_k^2 - sigma_{k-1}^2)/(1 + sigma_k^2) and r_k = beta~_k / beta_k is the
 * posterior's variance over it. The reverse step has variance beta_k, or the posterior's.
 *
 * Ho, Jain, Abbeel: Denoising diffusion probabilistic models, NeurIPS 2020, eqs. 5-8; Karras et
 * al.: Elucidating the design space of diffusion-based generative models, NeurIPS 2022, table 1. A
 * known value: the bound of N(0.7, 0.5) for z ~ N(-0.3, 0.2) with the exact denoiser, K = 128
 * Karras levels from 0.002 to 80, rho 7, is 1.76238 (beta) and 2.64238 (posterior); exact
 * is 1.77236. */
#ifndef DIFFUSION_BOUND_H
#define DIFFUSION_BOUND_H

#include <math.h>

enum reverse_variance { VARIANCE_BETA, VARIANCE_POSTERIOR };

/* beta_k of the variance-preserving diffusion; `below` is sigma_{k-1}. */
static inline double bound_beta(double sigma, double below) {
  return (sigma * sigma - below * below) / (1 + sigma * sigma);
}

/* r_k = beta~_k / beta_k = (1 - alpha-bar_{k-1}) / (1 - alpha-bar_k); 0 for k = 1. */
static inline double bound_variance_ratio(double sigma, double below) {
  double s2 = sigma * sigma, b2 = below * below;
  return b2 * (1 + s2) / (s2 * (1 + b2));
}

/* w_k for sigma_data = 1. The lowest level (below = 0) decodes with variance beta_1 in both cases.
 */
static inline double bound_weight(enum reverse_variance variance, double sigma, double below) {
  double s2 = sigma * sigma, b2 = below * below;
  if (below == 0)
    return 0.5;
  if (variance == VARIANCE_BETA)
    return (s2 - b2) / (2 * s2 * (1 + b2));
  return (s2 - b2) / (2 * b2 * (1 + s2));
}

/* What w_k is multiplied by when the preconditioning has another sigma_data: the ratio of c_out^2.
 */
static inline double bound_weight_factor(double sigma, double sigma_data) {
  double s2 = sigma * sigma, d2 = sigma_data * sigma_data;
  return d2 * (1 + s2) / (d2 + s2);
}

/* C / d for the levels sigma[0..K-1] = sigma_1..sigma_K. */
static inline double bound_constant(enum reverse_variance variance, const double *sigma, int K) {
  double sum = 0.5 * log(2 * 3.14159265358979323846 * bound_beta(sigma[0], 0));
  for (int k = 1; variance == VARIANCE_BETA && k < K; k++) {
    double r = bound_variance_ratio(sigma[k], sigma[k - 1]);
    sum += 0.5 * (r - 1 - log(r));
  }
  return sum;
}

/* L_K / d, given |z|^2 / d and sigma_K; log(1 - alpha-bar) = log(sigma^2 / (1 + sigma^2)). */
static inline double bound_prior(double mean_square, double sigma_max) {
  double s2 = sigma_max * sigma_max;
  return 0.5 * ((mean_square - 1) / (1 + s2) - log(s2 / (1 + s2)));
}

/* In continuous time, with D* the posterior mean E[z | z'] under the encoder's Gaussian q, the path
 * of the reverse diffusion has (Song, Durkan, Murray, Ermon: Maximum likelihood training of
 * score-based diffusion models, NeurIPS 2021, theorem 1, in VE coordinates, where beta dtau /
 * (alpha^2 sigma^4) is 2 d sigma / sigma^3)
 *
 *   KL(q || p) <= integral of E|D - D*|^2 / sigma^2 d log sigma   from sigma_1 to sigma_K
 *               + KL( q noised to sigma_K || N(0, 1 + sigma_K^2) )
 *               + E KL( q(z | z') || N(D, beta_1) )               at sigma_1
 *
 * This is what |F - F*|^2 weighs a unit of log sigma. The last term's squared error has the weight
 * of the lowest level in discrete time. */
static inline double score_weight(double sigma, double sigma_data) {
  return sigma_data * sigma_data / (sigma * sigma + sigma_data * sigma_data);
}

/* EDM's preconditioning at a level, and the target's factor: noisy input c_in (z + sigma e), target
 * y = of_z (z - sigma_data^2/sigma e), written without the cancellation of z - c_skip z'. */
struct precondition {
  double c_skip, c_out, c_in, c_noise;
  double of_z;
};

static inline struct precondition precondition(double sigma, double sigma_data) {
  double total = sigma * sigma + sigma_data * sigma_data, root = sqrt(total);
  return (struct precondition){
      .c_skip = sigma_data * sigma_data / total,
      .c_out = sigma * sigma_data / root,
      .c_in = 1 / root,
      .c_noise = log(sigma) / 4,
      .of_z = sigma / (sigma_data * root),
  };
}

#endif
