// The road of a call of a row function follows from its shape and strides alone.
#include "kernels/rows/road.hpp"

#include <cstddef>
#include <cstdio>

using namespace fastact::kernels;

namespace {

constexpr std::size_t room = std::size_t{1} << 18, lanes = 16;

/// One array of rows in, one out. Strides are in elements.
struct Rows {
  std::size_t count, length;
  std::ptrdiff_t row, element;
  Format format = Format::f32;
  bool masked = false, by_element = false, only_largest = false;

  Traits traits() const {
    Traits traits = {.has_largest = !by_element, .has_late = !only_largest, .keeps = true};
    traits.has_sums = !by_element && !only_largest;
    return traits;
  }
  Road road(std::size_t vector_lanes = lanes) const {
    static char arrays[3];
    const std::ptrdiff_t item = size_of(format);
    RowCall call = {};
    call.length = length;
    call.rows_format = call.format = format;
    for (std::size_t k = 0; k < 2; ++k) call.operands[k] = {arrays + k, row * item, element * item};
    if (masked) call.mask = {arrays + 2, row, element};
    return fastact::kernels::road(call, traits(), count, Format::f32, room, vector_lanes);
  }
};

bool holds = true;
void expect(bool condition, const char* what) {
  if (!condition) std::printf("road: not so: %s\n", what);
  holds &= condition;
}

}  // namespace

int main() {
  const Road contiguous = Rows{1000, 64, 64, 1}.road();
  expect(!contiguous.across && !contiguous.staged[0] && !contiguous.staged[1], "contiguous rows stay where they are");
  expect(contiguous.rows == 1000 && contiguous.at_once, "all of them, by all sweeps at once");

  const Road brief = Rows{1000, 10, 10, 1}.road();
  expect(brief.across && brief.staged[0] && brief.staged[1], "short rows are transposed");
  expect(!Rows{2, 10, 10, 1}.road().across, "a few short rows are not");
  expect(contiguous.kept_apart && !Rows{1000, 257, 257, 1}.road().kept_apart, "what is kept of short rows stays apart");
  expect(!Rows{1000, 32768, 32768, 1}.road().at_once, "long rows are swept over in pieces");
  expect(!Rows{1000, 10, 10, 1}.road(1).across, "without SIMD instructions nothing is transposed");

  const Road columns = Rows{1024, 1024, 1, 1024}.road();
  expect(columns.across && !columns.staged[0] && !columns.staged[1], "rows side by side stay where they are");
  expect(columns.rows == 1024 && columns.length == 1024, "all of them, whole");
  expect(columns.multiple == lanes && contiguous.multiple == 1, "but for those that do not fill a vector");
  const Road copied = Rows{1024, 1024, 1, 1024, Format::f16}.road();
  expect(copied.across && copied.staged[0] && copied.staged[1], "those of half precision are copied");
  expect(copied.rows >= 64, "in runs that are worth fetching");
  expect(copied.pitch % 1024 != 0, "whose lines do not share the sets of a cache");
  const Road narrow = Rows{10, 1024, 1, 10}.road();
  expect(narrow.packed == lanes && narrow.pitch == 10 * lanes, "a line has several elements of each of a few rows");
  expect(narrow.across && !narrow.staged[0] && !narrow.staged[1] && narrow.multiple == 1, "which stay, too");
  expect(Rows{24, 1024, 1, 24}.road().packed == 2, "so many that they fill whole vectors");
  expect(Rows{32, 1024, 1, 32}.road().packed == 0 && Rows{32, 1024, 1, 32, Format::f16}.road().packed == 1,
         "and one where it fills them, if it is of half precision");
  expect(Rows{10, 1024, 1, 11}.road().packed == 0, "but not where something else lies between");
  const Road few = Rows{1000, 8, 1, 1000}.road();
  expect(few.at_once && !few.staged[0] && few.multiple == 2 * lanes,
         "very short rows stay, too, two vectors at a time");
  expect(Rows{1000, 10, 1, 1000}.road().staged[0], "but longer ones would crowd each other out of the cache");
  for (const Format format : {Format::f32, Format::f16}) {
    Rows rows = {.count = 1000, .length = 64, .row = 1, .element = 1000, .format = format, .only_largest = true};
    expect(rows.road().at_once && !rows.road().staged[0] && rows.road().multiple == 1, "all are measured at once");
    rows.row = 64, rows.element = 1;
    expect(rows.road().at_once && !rows.road().staged[0] && rows.road().rows == 1000, "along memory as well");
    rows.element = 2;
    expect(rows.road().staged[0], "but not where elements lie apart");
  }

  const Road apart = Rows{.count = 1000, .length = 5, .row = 10, .element = 1, .by_element = true}.road();
  expect(apart.joined && apart.staged[0] && apart.pitch == 5, "short rows of independent elements are joined");
  const Road joined = Rows{.count = 1000, .length = 5, .row = 5, .element = 1, .by_element = true}.road();
  expect(joined.joined && !joined.staged[0], "or lie joined already");
  expect(!Rows{.count = 1000, .length = 5, .row = 1, .element = 1000, .by_element = true}.road().joined,
         "unless their elements lie apart");

  for (const Format format : {Format::f16, Format::bf16}) {
    Rows rows = {.count = 1000, .length = 64, .row = 128, .element = 1, .format = format, .by_element = true};
    expect(!rows.road().staged[0] && !rows.road().staged[1], "independent elements of half precision stay");
    rows.element = 2;
    expect(rows.road().staged[0] && rows.road().staged[1], "where they are contiguous");
  }

  const Road strided = Rows{1000, 64, 128, 2}.road();
  expect(!strided.across && strided.staged[0] && strided.staged[1], "strided rows are gathered");
  const Road half = Rows{1000, 64, 64, 1, Format::f16}.road();
  expect(!half.across && half.staged[0] && half.staged[1], "half precision is widened");
  const Road masked = Rows{1000, 64, 64, 1, Format::f32, true}.road();
  expect(masked.staged[0] && !masked.staged[1], "masks are applied to a copy of the input alone");

  const Road stretches = Rows{1, 1 << 20, 1 << 20, 1, Format::bf16}.road();
  expect(stretches.length < 1 << 20 && stretches.length % block == 0, "long rows pass in multiples of a block");

  for (std::size_t count = 1; count < 5000; count = 2 * count + 1) {
    for (std::size_t length = 1; length < 3'000'000; length += 1 + length / 50) {
      const auto n = static_cast<std::ptrdiff_t>(length), rows = static_cast<std::ptrdiff_t>(count);
      for (const Rows& r : {Rows{count, length, n, 1}, Rows{count, length, 1, rows}, Rows{count, length, 2 * n, 2},
                            Rows{count, length, n, 1, Format::f16}}) {
        const Road road = r.road();
        const std::size_t held =
            road.packed != 0 ? road.rows * road.length : (road.across ? road.length : road.rows) * road.pitch;
        const bool shared = shares_buffer(road, r.traits(), 1);
        expect(shared == (road.staged[0] && road.staged[1]), "the output replaces a copy of the input");
        const auto buffers = static_cast<std::size_t>(road.staged[0] + road.staged[1] - shared);
        const std::size_t kept = road.kept_apart ? lanes * road.pitch : 0;
        expect(held * buffers + kept <= room, "all buffers fit");
        expect(road.length >= length || road.rows <= lanes || road.packed != 0,
               "rows that pass in stretches share one vector");
      }
    }
  }
  return holds ? 0 : 1;
}
