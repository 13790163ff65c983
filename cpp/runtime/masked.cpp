// Packs the elements that a mask selects, so that kernels compute many of them at a time.
#include "runtime/masked.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <ranges>
#include <utility>

#include "runtime/packing.hpp"
#include "runtime/threads.hpp"

namespace fastact::runtime {
namespace {

/// The elements whose masks are looked at together. If all of them are selected, they are not packed.
constexpr std::size_t group = 64;
constexpr auto all_indices = [] {
  std::array<std::uint16_t, group> indices;
  std::iota(indices.begin(), indices.end(), std::uint16_t{0});
  return indices;
}();

/// Copies the elements at the indices next to each other.
template <class Item>
void gather(const void* from, std::ptrdiff_t stride, std::span<const std::uint16_t> indices, void* to) {
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const char* const element = static_cast<const char*>(from) + indices[i] * stride;
    static_cast<Item*>(to)[i] = *reinterpret_cast<const Item*>(element);
  }
}
/// Copies elements to their places.
template <class Item>
void scatter(const void* from, std::span<void* const> to) {
  for (std::size_t i = 0; i < to.size(); ++i) *static_cast<Item*>(to[i]) = static_cast<const Item*>(from)[i];
}

/// Calls f with an unsigned integer of this size in bytes.
template <class F>
void with_item(std::size_t size, const F& f) {
  switch (size) {
    case 1:
      return f(std::uint8_t{});
    case 2:
      return f(std::uint16_t{});
    case 4:
      return f(std::uint32_t{});
    default:
      return f(std::uint64_t{});
  }
}

/// The place of an element in all arrays.
struct Place {
  std::array<const char*, kernels::most_inputs> inputs;
  char* output;
  const unsigned char* mask;

  void move(const MaskedAxis& axis, std::ptrdiff_t steps) {
    for (std::size_t k = 0; k < inputs.size(); ++k) inputs[k] += steps * axis.inputs[k];
    output += steps * axis.output;
    mask += steps * axis.mask;
  }
};

/// The part of a masked call that one thread computes.
class Selection {
 public:
  explicit Selection(const MaskedCall& masked)
      : masked_(masked),
        last_(masked.axes.back()),
        inputs_(masked.call.arrays + masked.call.parameters),
        output_size_(static_cast<std::size_t>(kernels::size_of(masked.call.format))),
        packed_call_(masked.call),
        run_call_(masked.call) {
    for (std::size_t k = 0; k < inputs_; ++k) {
      varies_[k] = std::ranges::any_of(masked.axes, [k](const MaskedAxis& axis) { return axis.inputs[k] != 0; });
      auto& [data, stride] = packed_call_.inputs[k];
      if (varies_[k]) data = packed_[k];
      stride = varies_[k] ? static_cast<std::ptrdiff_t>(masked.sizes[k]) : 0;
      run_call_.inputs[k].stride = last_.inputs[k];
    }
    packed_call_.output = results_;
    packed_call_.output_stride = static_cast<std::ptrdiff_t>(output_size_);
    run_call_.output_stride = last_.output;
  }

  /// Computes the elements from begin to end.
  void compute(std::size_t begin, std::size_t end) {
    const std::span axes = masked_.axes.first(masked_.axes.size() - 1);
    std::array<std::size_t, most_masked_axes> index;
    Place at = {{}, static_cast<char*>(masked_.call.output), masked_.mask};
    for (std::size_t k = 0; k < inputs_; ++k) at.inputs[k] = static_cast<const char*>(masked_.call.inputs[k].data);
    for (std::size_t a = axes.size(), rest = begin / last_.size; a-- > 0; rest /= axes[a].size) {
      index[a] = rest % axes[a].size;
      at.move(axes[a], static_cast<std::ptrdiff_t>(index[a]));
    }
    std::size_t first = begin % last_.size;
    for (std::size_t i = begin, count; i < end; i += count, first = 0) {
      count = std::min(end - i, last_.size - first);
      compute_row(at, first, count);
      for (std::size_t a = axes.size(); a-- > 0;) {
        at.move(axes[a], 1);
        if (++index[a] < axes[a].size) break;
        at.move(axes[a], -static_cast<std::ptrdiff_t>(std::exchange(index[a], 0)));
      }
    }
    compute_packed();
  }

 private:
  const MaskedCall& masked_;
  const MaskedAxis& last_;
  std::size_t inputs_, output_size_, filled_ = 0;
  std::array<bool, kernels::most_inputs> varies_;
  ElementCall packed_call_, run_call_;
  std::array<std::uint16_t, group> indices_;
  void* places_[block];
  alignas(64) std::uint64_t packed_[kernels::most_inputs][block], results_[block];

  /// Computes n elements of a row that begins at this place, which is moved only where it must be: a copy of it would
  /// take longer than a short row.
  void compute_row(Place& at, std::size_t begin, std::size_t n) {
    Place first;
    std::size_t run = 0;  // selected elements since the first
    std::size_t moved = begin;
    if (begin > 0) at.move(last_, static_cast<std::ptrdiff_t>(begin));
    for (std::size_t i = 0, count; i < n; i += count) {
      if (i > 0) at.move(last_, group), moved += group;
      count = std::min(group, n - i);
      const std::size_t selected = count_selected(at.mask, count);
      if (selected == count && (run == 0 ? count == group : run < block)) {
        if (run == 0) first = at;
        run += count;
      } else {
        compute_run(first, std::exchange(run, 0));
        if (selected > 0) pack(at, count, selected);
      }
    }
    compute_run(first, run);
    if (moved > 0) at.move(last_, -static_cast<std::ptrdiff_t>(moved));
  }
  std::size_t count_selected(const unsigned char* mask, std::size_t n) const {
    if (last_.mask == 0) return *mask != 0 ? n : 0;
    std::size_t count = 0;
    if (last_.mask == 1) {
      for (std::size_t i = 0; i < n; ++i) count += mask[i] != 0;
    } else {
      for (std::size_t i = 0; i < n; ++i, mask += last_.mask) count += *mask != 0;
    }
    return count;
  }

  void compute_run(const Place& first, std::size_t n) {
    if (n == 0) return;
    for (std::size_t k = 0; k < inputs_; ++k) run_call_.inputs[k].data = first.inputs[k];
    run_call_.output = first.output;
    run(run_call_, n);
  }

  /// Packs the selected ones of n elements.
  void pack(const Place& at, std::size_t n, std::size_t selected) {
    if (filled_ + selected > block) compute_packed();
    if (selected < n) {
      for (std::size_t i = 0, count = 0; i < n; ++i) {
        indices_[count] = static_cast<std::uint16_t>(i);
        count += at.mask[static_cast<std::ptrdiff_t>(i) * last_.mask] != 0;
      }
    }
    const std::span indices = std::span(selected < n ? indices_ : all_indices).first(selected);
    for (std::size_t k = 0; k < inputs_; ++k) {
      if (!varies_[k]) continue;
      with_item(masked_.sizes[k], [&]<class Item>(Item) {
        gather<Item>(at.inputs[k], last_.inputs[k], indices, reinterpret_cast<Item*>(packed_[k]) + filled_);
      });
    }
    for (const std::uint16_t i : indices) places_[filled_++] = at.output + i * last_.output;
  }
  void compute_packed() {
    if (filled_ == 0) return;
    run(packed_call_, filled_);
    with_item(output_size_, [this]<class Item>(Item) { scatter<Item>(results_, std::span(places_, filled_)); });
    filled_ = 0;
  }
};

}  // namespace

void run(const MaskedCall& masked) {
  const auto sizes = masked.axes | std::views::transform(&MaskedAxis::size);
  const std::size_t n = std::accumulate(sizes.begin(), sizes.end(), std::size_t{1}, std::multiplies<>());
  split(n, {masked.call.cost}, [&](std::size_t begin, std::size_t end) { Selection(masked).compute(begin, end); });
}

}  // namespace fastact::runtime
