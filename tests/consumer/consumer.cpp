// What a C++ program may rely on. Exits with the number of promises broken, and names each.

#include <fastact/fastact.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <span>
#include <stdexcept>
#include <vector>

namespace {

int broken = 0;

void promise(bool kept, const char* what) {
  if (kept) return;
  std::printf("broken: %s\n", what);
  ++broken;
}

template <class Error, class F>
bool throws(F f) {
  try {
    f();
  } catch (const Error&) {
    return true;
  }
  return false;
}

template <class T>
void rows(const std::vector<T>& x, T tolerance) {
  const std::size_t length = 7, count = x.size() / length;
  std::vector<T> y(x.size()), sideways(x.size()), turned(x.size());
  fastact::softmax(x, y, {.length = length});
  bool one = true;
  for (std::size_t r = 0; r < count; ++r) {
    T sum = 0;
    for (std::size_t j = 0; j < length; ++j) sum += y[r * length + j];
    one &= std::abs(sum - T(1)) <= T(10) * tolerance;
  }
  promise(one, "each row of softmax sums to one");
  for (std::size_t i = 0; i < x.size(); ++i) turned[i % length * count + i / length] = x[i];
  fastact::softmax(turned, sideways, {.length = length, .inner = count});
  bool same = true;
  for (std::size_t i = 0; i < x.size(); ++i) same &= sideways[i % length * count + i / length] == y[i];
  promise(same, "rows give the same bits whichever way they lie");
  std::vector<T> unknown = x, masked(x.size());
  std::vector<std::uint8_t> where(x.size(), 1);
  for (std::size_t i = 1; i < x.size(); i += length) unknown[i] = std::numeric_limits<T>::quiet_NaN(), where[i] = 0;
  fastact::softmax(unknown, masked, {.length = length}, where);
  bool apart = true;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const T sum = T(1) - y[i / length * length + 1];
    apart &= where[i] == 0 ? masked[i] == 0 : std::abs(masked[i] * sum - y[i]) <= T(10) * tolerance * y[i];
  }
  promise(apart, "a mask leaves elements of rows out");
  promise(throws<std::invalid_argument>(
              [&] { fastact::softmax(x, masked, {.length = length}, std::span(where).first(length)); }),
          "a mask of the wrong size is refused");

  for (const std::size_t n : {length, x.size()}) {  // short rows, and one that is not copied
    std::vector<T> g(x.rbegin(), x.rend()), plain(x.size());
    fastact::softmax_backward(x, g, plain, {.length = n});
    fastact::softmax_backward(x, g, g, {.length = n});
    promise(g == plain, "a gradient of rows may take the place of the one it is computed from");
  }

  std::vector<T> dropped(x.size()), part(x.size());
  fastact::dropout(x, dropped, 0.5, 7, 2);
  fastact::dropout(std::span(x).subspan(3), std::span(part).subspan(3), 0.5, 7, 5);
  bool kept_or_zero = true;
  for (std::size_t i = 3; i < x.size(); ++i) {
    kept_or_zero &= (dropped[i] == 0 || dropped[i] == 2 * x[i]) && part[i] == dropped[i];
  }
  promise(kept_or_zero, "dropout keeps elements doubled or drops them, in parts as in the whole");
  promise(throws<std::invalid_argument>([&] { fastact::dropout(x, dropped, 1, 7); }), "the rate 1 throws");

  const std::vector<std::int64_t> labels(count, 3), wrong(count, 7);
  std::vector<T> loss(count), half(x.size() / 2), channels = {T(0.25), T(0.5), T(2)}, gradient(3), dx(6);
  fastact::softmax_cross_entropy(x, labels, loss, {.length = length});
  std::vector<T> both(count), dx_both(x.size()), dx_alone(x.size());
  fastact::softmax_cross_entropy_with_gradient(x, labels, both, dx_both, {.length = length});
  fastact::softmax_cross_entropy_backward(x, labels, std::vector<T>(count, T(1)), dx_alone, {.length = length});
  promise(both == loss && dx_both == dx_alone, "a loss with its gradient is the two apart");
  std::vector<T> one_hot(x.size()), weights(length, T(2)), soft(count);
  for (std::size_t i = 0; i < count; ++i) one_hot[i * length + 3] = 1;
  fastact::softmax_cross_entropy(x, one_hot, soft, {.length = length}, {.weights = weights});
  promise(std::abs(soft[1] - 2 * loss[1]) <= T(100) * tolerance, "weights multiply");
  fastact::softmax_cross_entropy(x, labels, both, {.length = length}, {.weights = weights});
  promise(soft == both, "labels are probabilities of 0 and 1");
  fastact::softmax_cross_entropy_with_gradient(x, labels, both, dx_both, {.length = length}, {.ignore_label = 3});
  promise(both == std::vector<T>(count) && dx_both == std::vector<T>(x.size()), "what is ignored has no loss");
  promise(throws<std::invalid_argument>([&] {
            fastact::softmax_cross_entropy(x, labels, loss, {.length = length}, {.label_smoothing = T(1.5)});
          }),
          "too much smoothing throws");
  promise(std::abs(loss[1] + std::log(y[length + 3])) <= T(100) * tolerance, "cross-entropy is -log softmax");
  promise(throws<std::invalid_argument>([&] { fastact::softmax_cross_entropy(x, wrong, loss, {.length = length}); }),
          "a label out of range throws");
  promise(throws<std::invalid_argument>([&] { fastact::glu(x, half, {.length = length}); }), "odd gated rows throw");
  promise(throws<std::invalid_argument>([&] { fastact::softmax(x, y, {.length = 6}); }), "parts of rows throw");

  const std::vector<T> z = {-1, -2, 3, -4, 5, -6}, ones(6, T(1));
  fastact::prelu(z, channels, dx);
  promise(dx == std::vector<T>{T(-0.25), -1, 3, -1, 5, -12}, "each channel has its parameter");
  fastact::prelu_backward(z, ones, channels, dx, gradient);
  promise(gradient == std::vector<T>{-5, -2, -6}, "a parameter's gradient is summed over its channel");
}

template <class T>
void functions(T tolerance) {
  const std::size_t n = 1001;
  std::vector<T> x(n), g(n, T(3)), y(n), dx(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = T(0.01) * (T(i) - T(500));
  fastact::gelu(x, y);
  fastact::gelu_backward(x, g, dx);
  bool forward = true, backward = true;
  for (std::size_t i = 0; i < n; ++i) {
    const double v = double(x[i]);
    const double phi = 0.5 * std::erfc(-v / std::sqrt(2.0));
    const double density = std::exp(-0.5 * v * v) / std::sqrt(2.0 * std::acos(-1.0));
    forward &= std::abs(double(y[i]) - v * phi) <= double(tolerance);
    backward &= std::abs(double(dx[i]) - 3.0 * (phi + v * density)) <= 10.0 * double(tolerance);
  }
  promise(forward, "gelu is x times the normal distribution function");
  promise(backward, "gelu_backward is g times its derivative");

  std::vector<T> in_place = x;
  fastact::gelu(in_place, in_place);
  promise(in_place == y, "the output may be the input");

  const std::vector<T> two = {T(-2), T(2)};
  std::vector<T> out(2);
  fastact::leaky_relu(two, out);
  promise(out[0] == T(0.01) * T(-2) && out[1] == T(2), "a parameter has its default");
  fastact::leaky_relu(two, out, 0.5);
  promise(out[0] == T(-1) && out[1] == T(2), "a parameter follows the arrays");

  out = {T(7), T(7)};
  promise(throws<std::invalid_argument>([&] { fastact::gelu(x, out); }), "sizes that differ throw");
  promise(throws<std::invalid_argument>([&] { fastact::softplus(two, out, -1.0); }), "an impossible parameter throws");
  promise(out[0] == T(7) && out[1] == T(7), "a failed call changes nothing");
  fastact::gelu(std::span<const T>{}, std::span<T>{});

  rows(x, tolerance);

  for (const auto set : fastact::instruction_sets()) {
    fastact::set_instruction_set(set);
    std::vector<T> again(n);
    fastact::gelu(x, again);
    promise(again == y, "every instruction set gives the same bits");
  }
}

}  // namespace

int main() {
  functions<float>(1e-6F);
  functions<double>(1e-14);
  promise(throws<std::invalid_argument>([] { fastact::set_instruction_set("abacus"); }),
          "unknown instruction sets throw");
  promise(throws<std::invalid_argument>([] { fastact::set_num_threads(0); }), "no threads at all throw");
  fastact::set_num_threads(2);
  promise(fastact::get_num_threads() >= 1, "threads can be set");
  std::printf("%d promises broken\n", broken);
  return broken;
}
