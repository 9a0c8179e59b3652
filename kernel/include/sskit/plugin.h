/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plugin.h - the plugin interface: what a component is, and what each kind of component must do.
 *
 * A plugin is a shared object with one exported function, ssk_plugin_entry, written by the macro
 * SSK_PLUGIN. It returns static const data: a magic block, by which the kernel sees whether the
 * plugin was built for it, and 1...n component descriptors. Loading has no side effects; a plugin
 * is never unloaded.
 *
 * A component's author writes a struct (its parameters first, its weights behind them), a table of
 * parameter rows, and the functions of its kind. The kernel allocates the struct, zeroed, fills the
 * parameters, and calls init, then build; it owns all memory but what `init` and `open` allocate,
 * which `done` frees. Functions that run on a tape are called from several threads at once, with
 * different contexts and the same `self`: they must not write to *self.
 *
 * Slots that are marked [optional] may be NULL: then the kernel's default applies, or the
 * capability is absent. Every public struct begins with its size; fill it with sizeof. Strings are
 * borrowed and static. */
#ifndef SSKIT_PLUGIN_H
#define SSKIT_PLUGIN_H

#ifdef __FAST_MATH__
#error "plugins must not be built with -ffast-math: it changes the arithmetic of the whole process"
#endif

#include <sskit/err.h>
#include <sskit/params.h>
#include <sskit/rng.h>
#include <sskit/tape.h>
#include <sskit/weights.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the magic block ------------------------------------------------------------------------ */

#define SSK_MAGIC          0x54494b53u /* "SKIT", little endian */
#define SSK_ABI            7u /* raised with every change of a public struct; must be equal */
#define SSK_KERNEL_VERSION "0.1.0"

struct ssk_magic {
  uint32_t magic;     /* SSK_MAGIC */
  uint32_t size;      /* sizeof(struct ssk_magic) */
  uint32_t abi;       /* SSK_ABI of the headers it was built with */
  uint32_t real_size; /* sizeof(ssk_real): 4, or 8 for a double build */
  char version[16];   /* SSK_KERNEL_VERSION of the headers: informative */
};

/* ---- components ----------------------------------------------------------------------------- */

struct ssk_component {
  size_t size; /* sizeof(struct ssk_component) */
  enum ssk_kind kind;
  const char *name;    /* what recipes write after `use:`; lower case, digits, underscores */
  const char *summary; /* one line, for lists */
  const char *doc;     /* paragraphs, for `sskit describe`: formulas with their source */
  size_t self_size;    /* of the component's struct */
  const struct ssk_param *params; /* rows, ended by SSK_PARAM_END; NULL: no parameters */
  const void *ops;                /* the ops struct of the kind */
  /* [optional] After the parameters are filled: check combinations, allocate. SSK_OK, or describe
   * the reason in err and return a code. On failure `done` is not called. */
  int (*init)(void *self, ssk_err *err);
  /* [optional] Free what init (or open) allocated. */
  void (*done)(void *self);
};

struct ssk_plugin {
  struct ssk_magic magic; /* first, so that it can be read whatever follows */
  uint32_t n_components;
  const struct ssk_component *const *components;
};

typedef const struct ssk_plugin *ssk_plugin_entry_fn(void);

/* Define the entry function of a plugin with these components: SSK_PLUGIN(&laplace, &cauchy). */
#define SSK_PLUGIN(...)                                                                            \
  SSK_API const struct ssk_plugin *ssk_plugin_entry(void);                                         \
  const struct ssk_plugin *ssk_plugin_entry(void) {                                                \
    static const struct ssk_component *const components[] = {__VA_ARGS__};                         \
    static const struct ssk_plugin plugin = {.magic = {.magic = SSK_MAGIC,                         \
                                                       .size = sizeof(struct ssk_magic),           \
                                                       .abi = SSK_ABI,                             \
                                                       .real_size = sizeof(ssk_real),              \
                                                       .version = SSK_KERNEL_VERSION},             \
                                             .n_components =                                       \
                                                 sizeof components / sizeof components[0],         \
                                             .components = components};                            \
    return &plugin;                                                                                \
  }

/* A component with its parameters filled, at its place in a recipe. */
struct ssk_instance {
  const struct ssk_component *component;
  void *self;       /* the component's struct */
  const char *path; /* where in the recipe: "model.transition.denoiser" */
};

/* ---- what a model component is told ---------------------------------------------------------- */

/* Sizes, known before any weight is declared. */
struct ssk_dims {
  size_t size;
  int D; /* observation */
  int V; /* time-varying covariates; 0: none */
  int E; /* static covariates; 0: none */
  int d; /* latent */
  int j; /* Markov order: past latents that a step sees */
  int H; /* width of the future summary, as the encoder gets it */
  int W; /* width of the transition's state; 0: it has none, it is Markov of order j */
  int F; /* time features; 0: none */
  int T; /* steps of a training window */
};

/* One pass of one shard. Made by the kernel; read-only for plugins. */
struct ssk_ctx {
  size_t size;
  ssk_tape *tape;
  const struct ssk_dims *dims;
  bool training;   /* false: evaluation, sampling (the tape may not record) */
  double progress; /* fraction of the training steps done, 0...1; 1 in evaluation */
  double share;    /* this shard's share of the batch: batch means are sum of share*mean */
  /* Steps, series, paths a series, and P = B*S; row p is path p%S of series p/S. T counts all steps
   * of the pass, also where they come in parts. */
  int T, B, S, P;
  uint64_t seed;                     /* of the recipe */
  uint32_t step;                     /* training step: names the random numbers */
  uint32_t shard;                    /* shard: names the random numbers */
  const char *path;                  /* of the component that runs: names the random numbers */
  const struct ssk_weights *weights; /* see weights.h */
  ssk_real *gradient;                /* of this shard; NULL in evaluation */
  ssk_tensor *leaves;                /* a header for each weight; see ssk_use */
  const struct ssk_model *model;     /* opaque */
};

/* The random stream of the running component for this pass. Different purposes, and different
 * indices (a time step, a draw), give independent streams. */
SSK_API ssk_rng ssk_ctx_rng(const struct ssk_ctx *ctx, const char *purpose, uint32_t index);
/* Standard normals [shape] from that stream: the usual way to draw. */
SSK_API ssk_tensor *ssk_ctx_normal(const struct ssk_ctx *ctx, const char *purpose, uint32_t index,
                                   int ndim, const int *shape);
/* The same without the first `skipped` of them: a part of a larger draw. */
SSK_API ssk_tensor *ssk_ctx_normal_from(const struct ssk_ctx *ctx, const char *purpose,
                                        uint32_t index, uint64_t skipped, int ndim,
                                        const int *shape);
/* Show what was made of the numbers of ssk_ctx_rng to whoever records this pass (`sskit bench
 * --export`); most passes nobody does. ssk_ctx_normal shows its normals by itself. */
SSK_API void ssk_ctx_show_draw(const struct ssk_ctx *ctx, const char *purpose, uint32_t index,
                               const ssk_tensor *values);

/* A shard's observations: time-major, standardised when the recipe says so. */
struct ssk_observed {
  size_t size;
  ssk_tensor *x;     /* [T, B, D]; zero where missing */
  ssk_tensor *mask;  /* [T, B, D]; 1 observed, 0 missing */
  ssk_tensor *u;     /* [T, B, V], or NULL when V = 0 */
  ssk_tensor *s;     /* [B, E], or NULL when E = 0 */
  ssk_tensor *time;  /* [T, B, F], or NULL when F = 0 */
  ssk_tensor *alive; /* [T, B] 1 for the steps that count: up to the end of each series, but at
                        least j (a series of fewer steps is one of j whose last are missing); NULL:
                        all last T steps */
  /* Of all steps of the pass, means over its series, as in struct ssk_bound. */
  double entries, log_jacobian;
  ssk_tensor *z; /* [T, B, d] true latents, standardised when the recipe says so; NULL unless
                    the encoder takes them */
};

/* n conditioning rows, and for `rate` the targets. Tensors that do not apply are NULL. */
struct ssk_rows {
  size_t size;
  int n;
  ssk_tensor *past;   /* [n, j*d] latents, oldest first; zero where padded */
  ssk_tensor *state;  /* [n, W] the transition's state before the rows' step, or NULL; emissions,
                         too,  get that of the step's latent's past */
  ssk_tensor *x;      /* [n, D] the step's observation, for `advance`; NULL: not known */
  ssk_tensor *mask;   /* [n, D] 1 where it was observed */
  ssk_tensor *pad;    /* [n, j] 1 where the slot is padding; NULL: no row has padding */
  ssk_tensor *u;      /* [n, V] covariates of the step, or NULL */
  ssk_tensor *time;   /* [n, F] time features of the step, or NULL */
  ssk_tensor *z;      /* [n, d] the encoder's sample; targets of rate and log_prob */
  ssk_tensor *mean;   /* [n, d] the encoder's moments, for rate; NULL for log_prob */
  ssk_tensor *logvar; /* [n, d] */
  ssk_tensor *log_q;  /* [n] log q(z | ...), for rate */
  ssk_tensor *alive;  /* [n] 0 where the series has ended before, for rate; NULL: nowhere */
  uint32_t index;     /* names the rows' random numbers: hand it to ssk_ctx_rng */
  /* Long series go through `rate` and `log_prob` in parts: these are the rows from `first` on of
   * `total` with one index. What is drawn must be what a call with all of them draws for these (see
   * ssk_ctx_normal_from). A total of 0 stands for n. */
  int first, total;
  /* Which step of the pass, counted from 0, the rows are of: the first `width` of them of `step`,
   * the next of the step after it, and so on. A width of 0 stands for n: all are of one step. A
   * forecast goes on counting where its history ends. */
  int step, width;
};

static inline int ssk_rows_total(const struct ssk_rows *rows) {
  return rows->total ? rows->total : rows->n;
}
/* The step of row i. */
static inline int ssk_rows_step(const struct ssk_rows *rows, int i) {
  return rows->step + (rows->width ? i / rows->width : 0);
}

/* ---- dataset -------------------------------------------------------------------------------- */

enum ssk_split { SSK_TRAIN, SSK_VALID, SSK_TEST, SSK_SPLIT_COUNT };

struct ssk_data_shape {
  size_t size;
  int D, V, E;    /* observation, time-varying and static covariates */
  int latent;     /* ground-truth latent dimension that fill provides; 0: none */
  int max_length; /* longest series of any split */
};

/* One series, in the data's own units. The kernel allocates the arrays for max_length steps. */
struct ssk_series {
  size_t size;
  int length;   /* set by fill */
  double *x;    /* [length, D]; anything where missing */
  double *mask; /* [length, D]; preset to 1: write 0 where missing */
  double *u;    /* [length, V], or NULL */
  double *s;    /* [E], or NULL */
  double *z;    /* [length, latent] ground truth, or NULL */
};

/* A linear-Gaussian model, time-invariant, for the Kalman filter:
 * z_1 ~ N(m0, P0), z_t = A z_{t-1} + N(0, Q), x_t = C z_t + N(0, R). Row-major, borrowed. */
struct ssk_linear_gaussian {
  size_t size;
  int d, D;
  const double *m0, *P0; /* [d], [d,d] */
  const double *A, *Q;   /* [d,d] */
  const double *C, *R;   /* [D,d], [D,D] */
};

/* The generating process of a synthetic data set. `self` is the dataset's. Thread-safe. */
struct ssk_oracle {
  size_t size;
  int d; /* latent dimension */
  void (*initial)(const void *self, ssk_rng *rng, double *z);
  void (*transition)(const void *self, ssk_rng *rng, const double *z_prev, double *z);
  void (*emission)(const void *self, ssk_rng *rng, const double *z, double *x);
  /* log p(x | z) over the entries with mask 1, in nats. */
  double (*emission_log_prob)(const void *self, const double *z, const double *x,
                              const double *mask);
  /* [optional] E[x | z]: the observation without its noise. Default: C z of a linear process. */
  void (*emission_mean)(const void *self, const double *z, double *x);
  /* [optional] log p(z | z_prev); absent where the transition has no density. */
  double (*transition_log_prob)(const void *self, const double *z_prev, const double *z);
  /* [optional] P(x_dim <= value | z_prev) one step ahead, and the centre that histograms subtract:
   * the reference of the metric jsd. */
  double (*predictive_cdf)(const void *self, const double *z_prev, int dim, double value);
  double (*predictive_centre)(const void *self, const double *z_prev, int dim);
  /* [optional] The whole process, where it is linear and Gaussian. */
  void (*linear)(const void *self, struct ssk_linear_gaussian *out);
  /* Of the d entries of the state, the last ones that are labels (a sign, a regime): no transition
   * is trained on them, or scored. transition_log_prob is then that of latents and labels. */
  int labels;
  /* [optional] P(z_dim <= value | z_prev), of a latent dim < d - labels: the exact kernel that the
   * metric kernel_jsd compares with. */
  double (*transition_cdf)(const void *self, const double *z_prev, int dim, double value);
};

struct ssk_dataset_ops {
  size_t size;
  /* Read, or prepare to generate. `seed` is the data's, independent of the model's streams. Called
   * once, before the slots below. */
  int (*open)(void *self, uint64_t seed, ssk_err *err);
  void (*shape)(const void *self, struct ssk_data_shape *out);
  int64_t (*count)(const void *self, enum ssk_split split); /* series in the split; may be 0 */
  /* Series i of the split; thread-safe; the same series at each call. */
  int (*fill)(const void *self, enum ssk_split split, int64_t i, struct ssk_series *out,
              ssk_err *err);
  const struct ssk_oracle *(*oracle)(const void *self); /* [optional]; may return NULL */
};

/* ---- summary -------------------------------------------------------------------------------- */

/* The future summary F_phi: h_t is a function of the inputs from t on. The kernel concatenates the
 * inputs [x*m, m, u, time, s], reverses time, and flips the result back: a summary only has to be
 * causal along the first axis. Each series is reversed by its own length, so that what fills up a
 * shorter one comes last. */
struct ssk_summary_ops {
  size_t size;
  /* Declare weights for inputs of width `in`; write the width of the result to *out. */
  int (*build)(void *self, ssk_builder *b, const struct ssk_dims *dims, int in, int *out);
  ssk_tensor *(*run)(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x); /* [T,B,in] ->
                                                                                      [T,B,out] */
  /* [optional, both or none] The same in parts, so that long series need not be in memory at once:
   * x holds some of the steps, `state` [B, W] what *next was in the call before (zeros at first).
   * `state_width` is W. All parts together give what `run` gives. */
  ssk_tensor *(*run_part)(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x,
                          ssk_tensor *state, ssk_tensor **next);
  int (*state_width)(const void *self);
};

/* ---- encoder -------------------------------------------------------------------------------- */

struct ssk_encoder_step {
  size_t size;
  int t;              /* 0-based step */
  struct ssk_rows in; /* n = P: past, pad, u, time */
  ssk_tensor *h;      /* [P, .] what `prepare` returned for this step; else the summary [P, H] */
  ssk_tensor *x;      /* [P, D] the step's observation and mask */
  ssk_tensor *mask;
  ssk_tensor *z; /* [P, d] the step's true latents, where `truth` is set; else NULL */
};

struct ssk_encoder_ops {
  size_t size;
  int (*build)(void *self, ssk_builder *b, const struct ssk_dims *dims);
  /* [optional] Work for many steps at once, on B rows a step: h [n, B, H] -> [n, B, anything]. Each
   * step is worked on by itself: long series come in parts. */
  ssk_tensor *(*prepare)(const void *self, const struct ssk_ctx *ctx,
                         const struct ssk_observed *obs, ssk_tensor *h);
  /* q(z_t | past, h_t): mean and log variance [P, d]. */
  struct ssk_gaussian (*posterior)(const void *self, const struct ssk_ctx *ctx,
                                   const struct ssk_encoder_step *step);
  /* It takes the true latents of a data set, which must have as many as the model: the model's
   * latents are then those of the data, and its transition can be scored against the exact one. */
  bool truth;
};

/* ---- emission ------------------------------------------------------------------------------- */

/* p(x_t | z_{t-j+1:t}). In `in`, `past` holds z_{t-j+1:t}: the newest last. */
struct ssk_emission_ops {
  size_t size;
  int (*build)(void *self, ssk_builder *b, const struct ssk_dims *dims);
  /* [n]: log p(x | z), summed over the observed entries of x [n, D]. In nats. */
  ssk_tensor *(*log_prob)(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in,
                          ssk_tensor *x, ssk_tensor *mask);
  /* [optional] [n, D]: a draw. Absent where observations are not modelled: then there are neither
   * forecasts nor bounds of them. */
  ssk_tensor *(*sample)(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in);
  /* [optional] E[x | z], [n, D]; default: not available. */
  ssk_tensor *(*mean)(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *in);
  bool discrete; /* x must not be standardised (binary, counts) */
  /* [optional] NULL where x can be observed, else what an observation must be ("0 or 1"). Asked for
   * each observed entry when the data are read: log_prob need not check. */
  const char *(*refuse)(const void *self, double x);
};

/* ---- initial -------------------------------------------------------------------------------- */

/* The first j latents of P paths. */
struct ssk_first {
  size_t size;
  ssk_tensor *z, *mean, *logvar; /* [j, P, d] */
  ssk_tensor *log_q;             /* [P] summed over the j steps */
};

struct ssk_initial_ops {
  size_t size;
  int (*build)(void *self, ssk_builder *b, const struct ssk_dims *dims);
  /* [P]: an estimate of (a bound on) E_q[log q(z_{1:j}) - log p(z_{1:j})]. */
  ssk_tensor *(*rate)(const void *self, const struct ssk_ctx *ctx, const struct ssk_first *first);
  ssk_tensor *(*sample)(const void *self, const struct ssk_ctx *ctx, int P); /* [j, P, d] */
  /* [optional] [P]: log of p(first->z), or of an estimate of p without bias; for likelihoods. Only
   * first->z is given. */
  ssk_tensor *(*log_prob)(const void *self, const struct ssk_ctx *ctx,
                          const struct ssk_first *first);
};

/* ---- transition ----------------------------------------------------------------------------- */

/* A figure that a component reports of itself; the name in lower case, as keys of logs are. */
struct ssk_figure {
  const char *name;
  double value;
};
enum { SSK_MAX_FIGURES = 8 };

/* p(z_t | z_{t-j:t-1}). Needs `build`, and either `moments` (a Gaussian: everything else follows),
 * or a way to train (`rate` or `log_prob`) and `sample`. */
struct ssk_transition_ops {
  size_t size;
  int (*build)(void *self, ssk_builder *b, const struct ssk_dims *dims);
  /* [optional] [n]: an estimate of (a bound on) E_q[log q(z) - log p(z | past)]. Default: the
   * closed form KL from `moments`, else log_q - log_prob at the sample. */
  ssk_tensor *(*rate)(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows);
  /* [optional] [n, d]: a draw for rows of one step. Default: from `moments`. */
  ssk_tensor *(*sample)(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows);
  /* [optional] [n]: log p(rows->z | past). Default: from `moments`. */
  ssk_tensor *(*log_prob)(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows);
  /* [optional] Of a Gaussian transition: mean and log variance [n, d]. */
  struct ssk_gaussian (*moments)(const void *self, const struct ssk_ctx *ctx,
                                 const struct ssk_rows *rows);
  /* [optional] Network evaluations that one draw costs; default 1. */
  int (*evaluations)(const void *self);
  /* [optional, all or none] A transition that sees more than j latents keeps a state of them: a
   * deterministic function of all latents (and observations) before, of width W, which
   * `rows->state` gives to the slots above. It is known from the parameters alone. */
  int (*state_width)(const void *self);
  /* [n, W]: before the first latent. */
  ssk_tensor *(*start)(const void *self, const struct ssk_ctx *ctx, int n);
  /* [n, W]: what `state` becomes by the latent rows->z of the rows' step, and its observation. */
  ssk_tensor *(*advance)(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows);
  /* [optional] Figures by which a training is watched (docs/health.md), as means over these rows of
   * one step, of which past, u and time are given: at most SSK_MAX_FIGURES into `figures`; returns
   * how many. The same names in the same order at each call with the same weights. */
  int (*stats)(const void *self, const struct ssk_ctx *ctx, const struct ssk_rows *rows,
               struct ssk_figure *figures);
};

/* ---- network ------------------------------------------------------------------------------- */

/* The network of a conditional Gaussian: from what a step is conditioned on to the step's mean and
 * log variance. Encoders, emissions, priors and transitions differ in what they are conditioned on,
 * not in how a network may look: each says which of these inputs it has, and its recipe key
 * `network` says what is made of them. */
struct ssk_network_shape {
  size_t size;
  int slots, width; /* past latents, and their dimension */
  int lag;          /* steps from the newest of them to the step that u and time belong to */
  bool pad;         /* whether slots may be padding */
  int now;          /* width of whatever else depends on the path */
  int u;            /* width of the covariates; 0: none, here and below */
  int time;         /* width of the time features */
  int known;        /* width of what is known of the step before any path is drawn: a summary */
  int outputs;
};

struct ssk_network_in {
  size_t size;
  struct ssk_rows rows; /* n, past, pad, u, time */
  ssk_tensor *now;      /* [n, now], or NULL */
  ssk_tensor *known;    /* [n, known], or NULL */
  ssk_tensor *prepared; /* [n, .] what `prepare` made of u, time and known; then these are NULL */
};

struct ssk_network_ops {
  size_t size;
  /* Declare weights, all named `name`.something. The variance says where the log variance starts;
   * NULL: only the mean is asked for. */
  int (*build)(void *self, ssk_builder *b, const char *name, const struct ssk_network_shape *shape,
               const struct ssk_variance *variance);
  /* For recursions over paths: the work on u, time and known [.., .] that can be done for all steps
   * at once, ahead; [.., anything]. run on what it returns equals run on its inputs. */
  ssk_tensor *(*prepare)(const void *self, const struct ssk_ctx *ctx,
                         const struct ssk_network_in *in);
  /* Mean and log variance [n, outputs]; the log variance is NULL where it was not asked for. The
   * limits may differ from those of the build (a floor that is annealed). */
  struct ssk_gaussian (*run)(const void *self, const struct ssk_ctx *ctx,
                             const struct ssk_network_in *in, const struct ssk_variance *variance);
};

/* ---- schedule ------------------------------------------------------------------------------- */

/* A noise schedule as the noise-to-signal ratio sigma(u) = sigma_tau / alpha_tau of diffusion time
 * u in [0, 1], increasing. Pure functions. */
struct ssk_schedule_ops {
  size_t size;
  double (*sigma)(const void *self, double u);
  /* [optional] Its inverse; default: bisection. */
  double (*time)(const void *self, double sigma);
};

/* ---- denoiser ------------------------------------------------------------------------------- */

/* M noised targets for each of n conditioning rows; row n*M + m belongs to conditioning row n. */
struct ssk_noisy {
  size_t size;
  struct ssk_rows cond; /* n, past, pad, u, time */
  int M;
  ssk_tensor *noisy;   /* [n*M, d] already scaled by c_in */
  ssk_tensor *c_noise; /* [n*M] the noise level as the network sees it: log(sigma)/4 */
};

struct ssk_denoiser_ops {
  size_t size;
  int (*build)(void *self, ssk_builder *b, const struct ssk_dims *dims);
  ssk_tensor *(*run)(const void *self, const struct ssk_ctx *ctx, const struct ssk_noisy *in);
  /* [n*M, d]: the raw network output F of EDM's preconditioning */
};

/* ---- mixer ---------------------------------------------------------------------------------- */

/* Mixing along an axis, width kept: the first axis of x [L, N, C]. Components that have a second
 * axis before it give x [A, L, N, C]: A groups that do not see each other. */
struct ssk_mixer_ops {
  size_t size;
  int (*build)(void *self, ssk_builder *b, int width);
  ssk_tensor *(*run)(const void *self, const struct ssk_ctx *ctx, ssk_tensor *x, bool causal);
  /* Does `run` take groups as they lie? Else the kernel brings them into the form [L, A*N, C]. */
  bool groups;
};

/* ---- sampler -------------------------------------------------------------------------------- */

/* Draw from a diffusion given its denoiser, in VE coordinates (sigma is the noise-to-signal ratio).
 */
struct ssk_sampling {
  size_t size;
  int n, d;
  double sigma_min, sigma_max; /* the levels of training lie between them */
  double sigma_data;           /* root mean square of what is drawn, as far as it is known */
  /* sigma of diffusion time u in [0,1], increasing, from sigma_min to sigma_max. */
  double (*sigma)(const struct ssk_sampling *problem, double u);
  int levels; /* K of the training grid, sigma(0)...sigma(1) in K points */
  /* D(x; sigma): the expected clean value, [n, d]. */
  ssk_tensor *(*denoise)(const struct ssk_sampling *problem, const struct ssk_ctx *ctx,
                         ssk_tensor *x, double sigma);
  const void *state; /* for the two functions above */
  uint32_t index;    /* names the random numbers */
};

struct ssk_sampler_ops {
  size_t size;
  /* [n, d]: samples. The tape does not record. */
  ssk_tensor *(*run)(const void *self, const struct ssk_ctx *ctx,
                     const struct ssk_sampling *problem);
  /* Denoiser evaluations a sample costs, given the levels of training. */
  int (*evaluations)(const void *self, int levels);
};

/* ---- objective ------------------------------------------------------------------------------ */

/* What an objective needs besides the parts of the bound. */
enum ssk_bound_needs {
  SSK_NEEDS_STEPS = 1,     /* the transition's rate step by step */
  SSK_NEEDS_REFERENCE = 2, /* the rate of all latents against N(0, I) */
  SSK_NEEDS_WEIGHT = 4,    /* the importance weight of each path */
  SSK_NEEDS_PARTICLES = 8, /* the likelihood by a particle filter */
};

/* The parts of the bound of a shard, a value a path: [P], in nats, summed over time. */
struct ssk_bound {
  size_t size;
  ssk_tensor *distortion; /* -log p(x | z) of the data as the model sees them */
  ssk_tensor *initial;    /* rate of z_{1:j} */
  ssk_tensor *transition; /* rate of the rest */
  /* In training for an objective that needs them, else NULL. */
  ssk_tensor *steps; /* [T-j, P] whose sum over time is `transition`; 0 where there is no step */
  ssk_tensor *alive; /* [T-j, P] 1 where there is one; NULL: there are all */
  ssk_tensor *reference;  /* [P] sum over t of KL(q(z_t | .) || N(0, I)) */
  ssk_tensor *log_weight; /* [P] log p(x, z) - log q(z | x) */
  /* [P] log of an estimate without bias of p(x), the same for the paths of a series: these are the
   * particles, the encoder's steps the proposals, and particles are drawn again where the objective
   * says so (`resample_below`). */
  ssk_tensor *log_likelihood;
  /* Means over the shard's series: observed entries; and the log density of the data in their own
   * units over that of what the model sees: distortion - log_jacobian is in the data's own units.
   */
  double entries, log_jacobian;
};

struct ssk_objective_ops {
  size_t size;
  /* [P]: the loss of each path; the kernel minimises its mean over the batch. */
  ssk_tensor *(*loss)(const void *self, const struct ssk_ctx *ctx, const struct ssk_bound *bound);
  unsigned needs; /* of enum ssk_bound_needs, or-ed */
  /* [optional] Declare running statistics: what an objective must remember from step to step. */
  int (*build)(void *self, ssk_builder *b);
  /* With SSK_NEEDS_PARTICLES: the particles of a series are drawn again where their effective
   * number is under this share of them. */
  double (*resample_below)(const void *self);
  /* [optional] The weight of the rate beside that of the distortion, for the log, before the step
   * that ctx->step and ctx->progress name (ssk_peek is allowed, the tape is not). */
  double (*lambda)(const void *self, const struct ssk_ctx *ctx);
  /* [optional] The parts that are trained, a set of enum ssk_parts, when so much of the training is
   * done (ctx->progress); default: all. The others rest: weights, running statistics, averages and
   * the optimiser's moments stay as they are. Where a part begins to be trained that rested in the
   * step before, the optimiser is rebuilt: the moments of all that is trained start anew. */
  unsigned (*trains)(const void *self, double progress);
};

/* ---- metric --------------------------------------------------------------------------------- */

enum ssk_needs {
  SSK_NEEDS_SAMPLES = 1,     /* forecast paths */
  SSK_NEEDS_BOUND = 2,       /* the bound on the series */
  SSK_NEEDS_ORACLE = 4,      /* a data set with an oracle and ground-truth latents */
  SSK_NEEDS_LIKELIHOOD = 8,  /* the importance-weighted likelihood of the series */
  SSK_NEEDS_TRANSITION = 16, /* one step of the latents, from the last of the history */
  SSK_NEEDS_POSTERIOR = 32,  /* what is inferred of a series from all that is observed of it */
};

/* What a forecaster infers of a series from everything that is observed of it (smoothing, and
 * imputation of what is missing), beside what is known of the truth. In the data's own units. */
struct ssk_smoothing {
  size_t size;
  int length;             /* of the series */
  const double *x;        /* [length, D] the series */
  const double *observed; /* [length, D] 1: an entry that was seen */
  const double *hidden;   /* [length, D] 1: an entry that was held out; x is its true value. NULL:
                             none was */
  const double *paths;    /* [samples, length, D] observations drawn given what was seen */
  const double *mean;     /* [length, D] posterior mean of the observation without its noise */
  const double *signal;   /* [length, D] the true observation without its noise, or NULL */
  const double *exact;    /* [length, D] its exact posterior mean (Kalman smoother), or NULL */
};

/* One evaluated series, in the data's own units. Borrowed, valid during the call. */
struct ssk_case {
  size_t size;
  int D, context, horizon, samples; /* context 0: no history ends right before the truth, which is a
                                       later step of a forecast, taken alone */
  const double *history;            /* [context, D] */
  const double *history_mask;       /* [context, D] */
  const double *truth;              /* [horizon, D] */
  const double *truth_mask;         /* [horizon, D] */
  const double *paths;              /* [samples, horizon, D] forecast samples, or NULL */
  const double *z_last;             /* [latent] true latent of the last context step, or NULL */
  const struct ssk_oracle *oracle;  /* or NULL */
  const void *oracle_self;
  bool has_bound; /* the next three, in nats, summed over the whole series */
  double distortion, rate_initial, rate_transition;
  int bound_length;      /* steps they were summed over */
  bool has_likelihood;   /* the next two, of the series' leading steps */
  double log_likelihood; /* in nats */
  int likelihood_length; /* steps */
  /* Of the paths it was estimated from: how many count, and the shape of their weights' tail. NaN
   * where the likelihood is not importance-weighted. */
  double effective_paths, pareto_k;
  /* The transition alone: from the latents of the history's last steps, what it draws for the next
   * one, in the units of the ground truth where the row's latents are the true ones. */
  bool has_transition;
  int latents, draws;
  const double *next_latent;  /* [latents] the latent that followed */
  const double *transition;   /* [draws, latents] of the row's transition, given its past */
  const double *kernel;       /* [draws, latents] of the exact one, given the true state z_last;
                                 NULL where the row's latents are not the true ones */
  double transition_log_prob; /* log p(next_latent | past), nats; NaN where it has no density */
  const struct ssk_smoothing *smoothing; /* or NULL */
};

struct ssk_metric_ops {
  size_t size;
  unsigned needs; /* of enum ssk_needs, or-ed: a case without them is not shown to the metric */
  /* The series' value; NaN when it has none (nothing observed). Means and standard errors over
   * series are the kernel's. NULL where the figure is pooled (`terms`). */
  double (*value)(const void *self, const struct ssk_case *c);
  /* Definition and estimator settings in one line, into `text`: two figures are comparable only if
   * these agree. */
  void (*definition)(const void *self, char *text, size_t n);
  int better; /* -1: lower is better, +1: higher, 0: nearer to `ideal` */
  double ideal;
  const char *unit; /* "nats/step", "data", "1" */
  /* [optional] Names of metrics, ended by NULL, that are shown beside this one, asked for or not:
   * what says how far it can be trusted. */
  const char *const *beside;
  /* [optional] Of a metric whose ideal value is a parameter: replaces `ideal`. */
  double (*target)(const void *self);
  /* [optional] Of a figure of all series together, a function of sums such as a ratio: instead of
   * `value`, `accumulate` writes the series' terms[terms] (false: it has none), and `finish` gives
   * the figure from their means over series, with its gradient[terms] by them. A series' value is
   * then figure + gradient . (its terms - means), the linearisation whose mean is the figure and
   * whose standard error is the delta method's. NaN: the figure does not exist. */
  int terms; /* 0: none; at most SSK_METRIC_TERMS */
  bool (*accumulate)(const void *self, const struct ssk_case *c, double *terms);
  double (*finish)(const void *self, const double *means, double *gradient);
};
enum { SSK_METRIC_TERMS = 4 };

/* ---- calling nested components --------------------------------------------------------------- */

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
