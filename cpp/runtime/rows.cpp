#include "runtime/rows.hpp"

#include <algorithm>
#include <cstdlib>

#include "runtime/threads.hpp"
#include "simd/environment.hpp"

namespace fastact {
namespace {

// Of an element, in picoseconds, with what is summed and written.
constexpr std::size_t element_cost = activations::computing.f32;

// So many rows, and each thread has rows of its own. Fewer might leave a thread without.
constexpr std::size_t few = 8;

void split_row(std::size_t n, std::size_t cost, void (*body)(const void*, std::size_t, std::size_t),
               const void* context) {
  const auto clean = [&](std::size_t begin, std::size_t end) {
    const simd::FloatEnvironment environment;
    body(context, begin, end);
  };
  split(n, {.cost = cost * element_cost, .border = 1}, clean);
}

/// Halves that lie contiguous, those of all rows together, as so many rows of two elements side by side: none is too
/// few for the threads, or for a vector.
void cut_halves(RowCall& call, std::size_t& rows) {
  const std::ptrdiff_t item = size_of(call.rows_format), slice = item * static_cast<std::ptrdiff_t>(rows);
  for (const Operand& o : call.operands) {
    if (o.data != nullptr && (o.element != slice || (rows > 1 && o.row != item))) return;
  }
  rows *= call.length / 2;
  for (Operand& o : call.operands) o = {o.data, item, item * static_cast<std::ptrdiff_t>(rows)};
  call.length = 2;
}

}  // namespace

void run(RowKernel kernel, RowCall call, std::size_t rows, bool gated) {
  if (gated) cut_halves(call, rows);
  if (rows == 0) return;
  if (rows < few) {
    call.split = split_row;
    const simd::FloatEnvironment environment;
    return kernel(call, 0, rows);
  }
  const auto some = [&](std::size_t begin, std::size_t end) {
    const simd::FloatEnvironment environment;
    kernel(call, begin, end);
  };
  const std::size_t cost = std::max<std::size_t>(1, call.length) * element_cost;
  // Neighbouring rows of few elements, or that share cache lines, are left to one thread.
  const bool share_lines = std::ranges::any_of(
      call.operands, [](const Operand& o) { return std::abs(o.row) < 64 && std::abs(o.row) < std::abs(o.element); });
  split(rows, {.cost = cost, .border = call.length <= 256 || share_lines ? 64U : 1U}, some);
}

}  // namespace fastact
