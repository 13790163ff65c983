// What a C program may rely on. Exits with the number of promises broken, and names each.

#include <fastact/fastact.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static int broken = 0;

static void promise(int kept, const char* what) {
  if (kept) return;
  printf("broken: %s\n", what);
  ++broken;
}

static int same(double a, double b, double tolerance) { return fabs(a - b) <= tolerance * fabs(b); }

int main(void) {
  enum { n = 1001 };
  static float x[n], y[n], g[n], again[n];
  static double wide[n], gradient[n], ones[n];
  int right = 1, right_gradient = 1;
  for (int i = 0; i < n; ++i) {
    wide[i] = x[i] = 0.01F * (float)(i - 500);
    ones[i] = 1;
  }
  promise(fastact_gelu_f32(x, y, n) == FASTACT_OK, "gelu succeeds");
  promise(fastact_gelu_backward_f64(wide, ones, gradient, n) == FASTACT_OK, "gelu_backward succeeds");
  for (int i = 0; i < n; ++i) {
    const double phi = 0.5 * erfc(-wide[i] / sqrt(2.0));
    const double density = exp(-0.5 * wide[i] * wide[i]) / sqrt(2.0 * acos(-1.0));
    right &= same(y[i], wide[i] * phi, 2e-7);
    right_gradient &= fabs(gradient[i] - (phi + wide[i] * density)) <= 1e-14;
  }
  promise(right, "gelu is x times the normal distribution function");
  promise(right_gradient, "gelu_backward is its derivative");

  memcpy(g, x, sizeof g);
  fastact_gelu_f32(g, g, n);
  promise(memcmp(g, y, sizeof g) == 0, "the output may be the input");
  promise(fastact_gelu_f32(NULL, NULL, 0) == FASTACT_OK, "there may be nothing to compute");

  const float two[] = {-2, 2};
  float out[] = {7, 7};
  promise(fastact_leaky_relu_f32(two, out, 2, 0.5) == FASTACT_OK && out[0] == -1 && out[1] == 2,
          "parameters follow the number of elements");
  const int code = fastact_softplus_f32(two, out, 2, -1.0);
  promise(code == FASTACT_INVALID_ARGUMENT && out[0] == -1, "an impossible parameter is an error, and changes nothing");
  promise(strstr(fastact_error_message(code), "softplus: beta = -1 is not allowed") != NULL,
          "a message says what failed");
  promise(strcmp(fastact_error_message(FASTACT_OK), "no error") == 0, "no error has a message");
  promise(fastact_error_message(1234) != NULL, "what is no code has a message");

  const double logits[] = {1, 2, 3, 3, 2, 1};
  double p[6], sideways[6], loss[2], both[2], dlogits[6];
  promise(fastact_softmax_f64(logits, p, 2, 3, 1) == FASTACT_OK, "softmax succeeds");
  promise(same(p[0], exp(1.0) / (exp(1.0) + exp(2.0) + exp(3.0)), 1e-15) && p[0] == p[5], "rows lie one after another");
  const double columns[] = {1, 3, 2, 2, 3, 1};
  promise(fastact_softmax_f64(columns, sideways, 1, 3, 2) == FASTACT_OK && sideways[0] == p[0] && sideways[1] == p[3],
          "rows may lie side by side");
  const double without[] = {1, NAN, 2, NAN, NAN, NAN};
  const uint8_t where[] = {1, 0, 1, 0, 0, 0};
  double masked[6];
  promise(fastact_softmax_where_f64(without, where, masked, 2, 3, 1) == FASTACT_OK &&
              same(masked[2], exp(1.0) / (1 + exp(1.0)), 1e-15) && masked[1] == 0 && masked[5] == 0,
          "a mask leaves elements out, whatever they are");
  const int64_t labels[] = {0, 2}, wrong[] = {0, 3};
  promise(fastact_softmax_cross_entropy_f64(logits, labels, loss, 2, 3, 1) == FASTACT_OK &&
              same(loss[0], -log(p[0]), 1e-14) && loss[0] == loss[1],
          "cross-entropy is -log softmax");
  promise(fastact_softmax_cross_entropy_with_gradient_f64(logits, labels, both, dlogits, 2, 3, 1) == FASTACT_OK &&
              both[0] == loss[0] && same(dlogits[1], p[1], 1e-15),
          "a loss comes with its gradient");
  const int64_t ignored = 7, some[] = {0, 7};
  promise(fastact_softmax_cross_entropy_general_f64(logits, some, NULL, NULL, &ignored, 0, NULL, both, dlogits, 2, 3,
                                                    1) == FASTACT_OK &&
              both[0] == loss[0] && both[1] == 0 && same(dlogits[1], p[1], 1e-15) && dlogits[4] == 0,
          "labels can be ignored");
  promise(fastact_softmax_cross_entropy_general_f64(logits, labels, p, NULL, NULL, 0, NULL, both, NULL, 2, 3, 1) ==
              FASTACT_INVALID_ARGUMENT,
          "labels are either numbers or probabilities");
  promise(fastact_softmax_cross_entropy_f64(logits, wrong, loss, 2, 3, 1) == FASTACT_INVALID_ARGUMENT,
          "a label out of range is an error");
  promise(fastact_glu_f64(logits, loss, 2, 3, 1) == FASTACT_INVALID_ARGUMENT, "odd gated rows are an error");

  promise(fastact_dropout_f64(logits, p, 6, 0.5, 7, 0) == FASTACT_OK && (p[0] == 0 || p[0] == 2), "dropout succeeds");
  promise(fastact_dropout_backward_f64(logits, p, 6, -1, 7, 0) == FASTACT_INVALID_ARGUMENT,
          "a negative rate is an error");
  const float line[] = {1, 2, 3, 6}, factor[] = {1, 2, 1, 1};
  float normed[4], dline[4], dfactor[4];
  promise(fastact_layer_norm_f32(line, factor, NULL, normed, 1, 4, 1, 0.0) == FASTACT_OK &&
              same(normed[1], -2 / sqrt(3.5), 1e-6),
          "a norm takes a factor, or none, and what is added, or nothing");
  promise(fastact_rms_norm_backward_f32(line, line, NULL, dline, dfactor, 1, 4, 1, 0.0) == FASTACT_OK &&
              same(dfactor[3], 36 / sqrt(12.5), 1e-6) && fabsf(dline[3]) < 1e-6F,
          "a norm has gradients");
  promise(fastact_rms_norm_f32(line, NULL, normed, 1, 4, 1, -1.0) == FASTACT_INVALID_ARGUMENT, "eps < 0 is an error");

  const char* const sets[] = {"avx512", "avx2", "neon", "portable"};
  for (int i = 0; i < 4; ++i) {
    if (fastact_set_instruction_set(sets[i]) != FASTACT_OK) continue;
    promise(strcmp(fastact_instruction_set(), sets[i]) == 0, "the instruction set can be chosen");
    fastact_gelu_f32(x, again, n);
    promise(memcmp(again, y, sizeof y) == 0, "every instruction set gives the same bits");
  }
  promise(fastact_set_instruction_set("abacus") == FASTACT_INVALID_ARGUMENT, "unknown instruction sets are errors");
  promise(fastact_set_num_threads(0) == FASTACT_INVALID_ARGUMENT, "no threads at all are an error");
  promise(fastact_set_num_threads(2) == FASTACT_OK && fastact_get_num_threads() >= 1, "threads can be set");
  printf("%d promises broken\n", broken);
  return broken;
}
