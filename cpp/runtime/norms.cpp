// Splits a call of a norm among threads, and adds up the gradients of what all rows share.
#include "runtime/norms.hpp"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "runtime/dispatch.hpp"
#include "runtime/threads.hpp"

namespace fastact::runtime {
namespace {

using kernels::Norm;
using kernels::NormCall;
using kernels::NormKernel;
using kernels::NormPass;

/// The cost of an element in all passes over a row, in picoseconds.
constexpr std::size_t norm_element_cost = 300;
/// The largest number of blocks of rows that are summed separately, and the smallest numbers of rows and of elements
/// that are worth a block.
constexpr std::size_t most_blocks = 16, least_rows = 16, least_elements = 32768;

/// Calls the kernel for the rows from begin to end, an axis' rows at a time.
void run_rows(NormKernel kernel, const NormCall& call, bool per_row, std::span<const NormAxis> axes, std::size_t begin,
              std::size_t end) {
  const std::size_t size = axes.back().size;
  for (std::size_t r = begin, some; r < end; r += some) {
    const std::size_t first = r % size;
    some = std::min(size - first, end - r);
    NormCall part = call;
    kernels::Segments* const arrays[] = {&part.x, &part.g, &part.result};
    std::size_t index = r / size;
    for (std::size_t i = axes.size() - 1; i-- > 0; index /= axes[i].size) {
      const auto at = static_cast<std::ptrdiff_t>(index % axes[i].size);
      for (std::size_t k = 0; k < 3; ++k) {
        char*& data = reinterpret_cast<char*&>(arrays[k]->rows.data);
        if (data != nullptr) data += at * axes[i].strides[k];
      }
    }
    if (per_row) {
      for (kernels::Operand* const o : {&part.gamma, &part.beta}) {
        if (o->data != nullptr) o->data = o->at(r - first, 0);
      }
      part.first += r - first, part.second += r - first;
    }
    kernel(part, first, first + some);
  }
}

/// Adds hi + lo to sum + low.
void add_to(double& sum, double& low, double hi, double lo) {
  const double s = sum + hi, back = s - sum;
  low += ((sum - (s - back)) + (hi - back)) + lo;
  sum = s;
}

}  // namespace

void run(const NormCall& given, std::span<const NormAxis> axes) {
  NormCall call = given;
  kernels::Segments* const arrays[] = {&call.x, &call.g, &call.result};
  std::size_t rows = 1;
  for (const NormAxis& axis : axes) rows *= axis.size;
  for (std::size_t k = 0; k < 3; ++k) arrays[k]->rows.row = axes.back().strides[k];
  const bool is_double = call.format == kernels::Format::f64, per_row = call.norm == Norm::batch;
  const NormKernel kernel = is_double ? current().norms.f64 : current().norms.f32;
  const std::size_t cost = std::max<std::size_t>(1, call.length) * norm_element_cost;
  if (per_row || call.pass != NormPass::backward) {
    const bool side_by_side = std::ranges::any_of(arrays, [](const kernels::Segments* a) {
      return std::abs(a->rows.row) < 64 && std::abs(a->rows.row) < std::abs(a->rows.element);
    });
    if (side_by_side && call.pass == NormPass::given && axes.size() == 1 && call.segment == call.length) {
      // Nothing is summed, so threads may share the elements of rows and read memory in its order.
      return split(call.length, {.cost = std::max<std::size_t>(1, rows) * norm_element_cost},
                   [&](std::size_t begin, std::size_t end) {
                     NormCall part = call;
                     for (kernels::Operand* const o : {&part.x.rows, &part.result.rows}) o->data = o->at(0, begin);
                     part.length = part.segment = end - begin;
                     kernel(part, 0, rows);
                   });
    }
    // One thread computes neighbouring rows that are short or share cache lines.
    const std::size_t border = call.length <= 256 || side_by_side ? 64 : 1;
    return split(rows, {.cost = cost, .border = border},
                 [&](std::size_t begin, std::size_t end) { run_rows(kernel, call, per_row, axes, begin, end); });
  }

  const std::size_t n = call.length, parts = is_double ? 2 : 1;
  const std::size_t blocks =
      std::max<std::size_t>(1, std::min({most_blocks, rows / least_rows, rows * n / least_elements}));
  const std::size_t size = (rows + blocks - 1) / blocks;
  std::vector<double> sums(blocks * 2 * parts * n);
  split(blocks, {.cost = size * cost * 2, .border = 1}, [&](std::size_t first, std::size_t last) {
    for (std::size_t b = first; b < last; ++b) {
      NormCall own = call;
      own.first = sums.data() + b * 2 * parts * n, own.second = own.first + parts * n;
      run_rows(kernel, own, false, axes, std::min(rows, b * size), std::min(rows, (b + 1) * size));
    }
  });
  for (double* const total : {call.first, call.second}) {
    if (total == nullptr) continue;
    const double* const of_block = sums.data() + (total == call.first ? 0 : parts * n);
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0, low = 0;
      for (std::size_t b = 0; b < blocks; ++b) {
        const double* const part = of_block + b * 2 * parts * n;
        add_to(sum, low, part[j], is_double ? part[n + j] : 0.0);
      }
      total[j] = low == low ? sum + low : sum;  // what is infinite leaves NaN in the low part
    }
  }
}

}  // namespace fastact::runtime
