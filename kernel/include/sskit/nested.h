/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nested.h - running nested components. Part of plugin.h. */
#ifndef SSKIT_NESTED_H
#define SSKIT_NESTED_H

#include <sskit/component.h>
#include <sskit/diffusion.h>
#include <sskit/parts.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A component with nested ones builds them in its own build, and runs them through these, which set
 * ctx->path for the nested one's random numbers and apply the kernel's defaults. The first argument
 * is of the right kind by construction. */

/* A copy of a nested component with the same parameters and no weights yet, for a component that
 * needs several of it (a mixer for each layer). Before build; owned by the model. NULL without
 * memory, which is then sticky in the builder. The *_build functions below open a scope with the
 * component's key (the last part of its path); wrap copies in a scope of their own. */
SSK_API struct ssk_instance *ssk_build_copy(ssk_builder *b, const struct ssk_instance *i);

SSK_API int ssk_denoiser_build(struct ssk_instance *i, ssk_builder *b, const struct ssk_dims *dims);
SSK_API ssk_tensor *ssk_denoiser_run(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                     const struct ssk_noisy *in);
SSK_API int ssk_mixer_build(struct ssk_instance *i, ssk_builder *b, int width);
/* x [L, N, C] or [A, L, N, C]. */
SSK_API ssk_tensor *ssk_mixer_run(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                  ssk_tensor *x, bool causal);
/* A network's weights are named `name`.something in the scope that is open; see ssk_network_ops. */
SSK_API int ssk_network_build(struct ssk_instance *i, ssk_builder *b, const char *name,
                              const struct ssk_network_shape *shape,
                              const struct ssk_variance *variance);
SSK_API ssk_tensor *ssk_network_prepare(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                        const struct ssk_network_in *in);
SSK_API struct ssk_gaussian ssk_network_run(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                            const struct ssk_network_in *in,
                                            const struct ssk_variance *variance);
SSK_API double ssk_schedule_sigma(const struct ssk_instance *i, double u);
SSK_API double ssk_schedule_time(const struct ssk_instance *i, double sigma);
SSK_API ssk_tensor *ssk_sampler_run(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                    const struct ssk_sampling *problem);
SSK_API int ssk_sampler_evaluations(const struct ssk_instance *i, int levels);
SSK_API int ssk_transition_build(struct ssk_instance *i, ssk_builder *b,
                                 const struct ssk_dims *dims);
SSK_API ssk_tensor *ssk_transition_rate(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                        const struct ssk_rows *rows);
SSK_API ssk_tensor *ssk_transition_sample(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                          const struct ssk_rows *rows);
SSK_API ssk_tensor *ssk_transition_log_prob(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                            const struct ssk_rows *rows);
SSK_API int ssk_transition_evaluations(const struct ssk_instance *i);
/* The two of a transition with a state; errors are the tape's where it has none. */
SSK_API ssk_tensor *ssk_transition_start(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                         int n);
SSK_API ssk_tensor *ssk_transition_advance(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                           const struct ssk_rows *rows);
/* 0 where the transition has no figures. */
SSK_API int ssk_transition_stats(const struct ssk_instance *i, const struct ssk_ctx *ctx,
                                 const struct ssk_rows *rows, struct ssk_figure *figures);
/* The model's own transition (for an initial prior that continues it backwards). */
SSK_API const struct ssk_instance *ssk_ctx_transition(const struct ssk_ctx *ctx);

#ifdef __cplusplus
}
#endif
#endif
