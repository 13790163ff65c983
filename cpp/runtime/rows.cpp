// Splits a call of a row function among threads, by rows or within each row.
#include "runtime/rows.hpp"

#include <algorithm>
#include <cstdlib>

#include "runtime/threads.hpp"
#include "simd/environment.hpp"

namespace fastact::runtime {

using kernels::Operand;
using kernels::RowCall;

namespace {

/// The cost of an element in all passes over a row, in picoseconds.
constexpr std::size_t element_cost = 300;

/// From this many rows on, each thread has rows of its own; fewer might leave a thread without any.
constexpr std::size_t few = 8;

void split_row(std::size_t n, std::size_t cost, void (*body)(const void*, std::size_t, std::size_t),
               const void* context) {
  split(n, {.cost = cost * element_cost, .border = 1}, body, context);
}

/// Replaces each operand of a gated unit that contains both halves of a row by two operands, one for each half.
void take_halves(RowCall& call) {
  const std::size_t half = call.length / 2;
  auto& [x, second, third, fourth, fifth, sixth] = call.operands;
  const auto upper = [half](const Operand& o) { return Operand{o.at(0, half), o.row, o.element}; };
  if (third.data == nullptr) {
    third = second, second = upper(x);
  } else {
    fourth = third, fifth = upper(third), third = second, second = upper(x);
  }
  call.length = half;
}

/// For a function of single elements, which may be computed in any order: lets rows lie along the contiguous direction,
/// and joins all of them to one row if the arrays are contiguous as a whole.
void merge(RowCall& call, std::size_t& rows) {
  const std::ptrdiff_t item = kernels::size_of(call.rows_format);
  const auto all = [&](auto holds) {
    return std::ranges::all_of(call.operands, [&](const Operand& o) { return o.data == nullptr || holds(o); });
  };
  if (all([&](const Operand& o) { return o.row == item; })) {
    for (Operand& o : call.operands) std::swap(o.row, o.element);
    std::swap(rows, call.length);
  }
  const std::ptrdiff_t length = item * static_cast<std::ptrdiff_t>(call.length);
  if (all([&](const Operand& o) { return o.element == item && o.row == length; })) {
    call.length *= rows;
    rows = std::min<std::size_t>(rows, 1);
  }
}

}  // namespace

void run(kernels::RowKernel kernel, RowCall call, std::size_t rows, bool halves) {
  if (halves) take_halves(call), merge(call, rows);
  if (rows == 0) return;
  if (rows < few) {
    call.split = split_row;
    const simd::FloatEnvironment environment;
    return kernel(call, 0, rows);
  }
  const auto some = [&](std::size_t begin, std::size_t end) { kernel(call, begin, end); };
  const std::size_t cost = std::max<std::size_t>(1, call.length) * element_cost;
  // One thread computes neighbouring rows that are short or share cache lines.
  const bool share_lines = std::ranges::any_of(call.operands, [](const Operand& o) {
    return o.row != 0 && std::abs(o.row) < 64 && std::abs(o.row) < std::abs(o.element);
  });
  split(rows, {.cost = cost, .border = call.length <= 256 || share_lines ? 64U : 1U}, some);
}

}  // namespace fastact::runtime
