#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#include "rowwise/list.hpp"
#include "runtime/dispatch.hpp"
#include "simd/simd.hpp"

namespace fastact::kernels {
// Of each instruction set's own, for none may run what was compiled for another.
namespace {

/// The order of every sum, whatever the instruction set, the strides and the threads: a row is cut into pieces; element
/// j of a row is added to its piece's sum j modulo `sums_of_piece`; these are added in halves, and the pieces' sums in
/// turn.
template <class T>
constexpr std::size_t sums_of_piece = 128 / sizeof(T);

/// Pieces begin at multiples of 64, where a vector and the first of the sums do too.
struct Pieces {
  static constexpr std::size_t most = 16, least_length = 32768;
  std::size_t length, count, size;

  explicit Pieces(std::size_t n)
      : length(n), count(n < least_length ? 1 : most), size((n + 64 * count - 1) / (64 * count) * 64) {}
  std::size_t begin(std::size_t i) const { return std::min(length, i * size); }
};

/// A place in an array, and how far apart its neighbours are, in bytes.
struct Place {
  char* p;
  std::ptrdiff_t stride;
  template <class S>
  S& at(std::size_t i) const {
    return *reinterpret_cast<S*>(p + static_cast<std::ptrdiff_t>(i) * stride);
  }
};

/// Element j of row r, and on along the row, or across the rows.
Place along(const Operand& o, std::size_t r, std::size_t j = 0) { return {o.at(r, j), o.element}; }
Place across(const Operand& o, std::size_t r, std::size_t j = 0) { return {o.at(r, j), o.row}; }

template <class T>
constexpr Format native = std::is_same_v<T, double> ? Format::f64 : Format::f32;

/// Whether results come in S; double is computed from floats too, but not stored as such.
template <class T, class S>
constexpr bool is_stored_as = std::is_same_v<T, S> || std::is_same_v<T, float>;

/// f(S*), S being the type of the format that T can be computed from.
template <class T, class F>
auto with_type(Format format, F f) {
  if (format == native<T>) return f(static_cast<T*>(nullptr));
  if (format == Format::f16) return f(static_cast<simd::Half*>(nullptr));
  if (format == Format::bf16) return f(static_cast<simd::Bfloat16*>(nullptr));
  return f(static_cast<float*>(nullptr));
}

/// A vector of the first elements of a buffer of floats, or of less, as doubles.
template <class V, class S>
V load_buffer(const S* buffer) {
  if constexpr (is_stored_as<typename V::Element, S>) {
    return V::load(buffer);
  } else {
    float floats[V::template Of<float>::size];
    V::template Of<float>::load(buffer, V::size).store(floats);
    return V::load_double(floats);
  }
}

/// What does not lie contiguous in the type computed in. Not inlined, for the sake of what does.
template <class V>
[[gnu::noinline]] V gather(Format format, Place from, std::size_t count) {
  return with_type<typename V::Element>(format, [&]<class S>(S*) {
    if (from.stride == sizeof(S) && count == V::size) return load_buffer<V>(reinterpret_cast<const S*>(from.p));
    if constexpr (std::is_same_v<typename V::Element, S>) {
      if (count == V::size) return V::gather([from](std::size_t i) { return &from.at<const S>(i); });
    }
    S buffer[V::size] = {};
    for (std::size_t i = 0; i < count; ++i) buffer[i] = from.at<S>(i);
    return load_buffer<V>(buffer);
  });
}

template <class V>
[[gnu::noinline]] void scatter(Format format, V v, Place to, std::size_t count) {
  with_type<typename V::Element>(format, [&]<class S>(S*) {
    if constexpr (is_stored_as<typename V::Element, S>) {
      if (to.stride == sizeof(S) && count == V::size) return v.store(reinterpret_cast<S*>(to.p));
      S buffer[V::size];
      v.store(buffer);
      for (std::size_t i = 0; i < count; ++i) to.at<S>(i) = buffer[i];
    }
  });
}

/// A vector of `count` neighbours from the place on, the other lanes 0.
template <class V>
V load(Format format, Place from, std::size_t count) {
  using T = typename V::Element;
  if (format != native<T> || from.stride != sizeof(T)) return gather<V>(format, from, count);
  const T* const p = reinterpret_cast<const T*>(from.p);
  return count == V::size ? V::load(p) : V::load(p, count);
}

template <class V>
void store(Format format, V v, Place to, std::size_t count) {
  using T = typename V::Element;
  if (format != native<T> || to.stride != sizeof(T)) return scatter(format, v, to, count);
  T* const p = reinterpret_cast<T*>(to.p);
  return count == V::size ? v.store(p) : v.store(p, count);
}

/// Short rows are brought side by side, a block at a time: column j of the vectors' k-th rows is block[k length + j].
constexpr std::size_t short_row = 128;
/// Beyond so many elements of a row's arrays it takes less to join the lanes of its sums than to turn them.
constexpr std::size_t most_to_turn = 192;
/// Elements of rows that are swept more than once, of which no more are taken at a time.
constexpr std::size_t cached = 4096;
template <class V>
using Block = typename V::Element[short_row][V::size];
template <class V>
using Columns = typename V::Element (*)[V::size];

/// As many short rows as are worth taking at a time: neighbours in memory, in either direction.
template <class V>
constexpr std::size_t rows_of_block(std::size_t length) {
  return V::size * std::max<std::size_t>(1, short_row / 2 / std::max<std::size_t>(1, length));
}

/// tile(width, first) for as many columns at once as there are lanes, then for half as many, …: all of them, no other.
template <std::size_t width, class Tile>
void each_tile(std::size_t first, std::size_t length, Tile tile) {
  for (; first + width <= length; first += width) tile(std::integral_constant<std::size_t, width>{}, first);
  if constexpr (width > 1) each_tile<width / 2>(first, length, tile);
}

/// Reads the rows into the block.
template <class V>
[[gnu::noinline, gnu::flatten]] void read(Columns<V> block, std::size_t length, std::size_t rows, Format format,
                                          const Operand& from) {
  using T = typename V::Element;
  using Isa = typename V::InstructionSet;
  if (format == native<T> && from.element == sizeof(T)) {
    each_tile<V::lanes>(0, length, [&]<std::size_t width>(std::integral_constant<std::size_t, width>, std::size_t j) {
      for (std::size_t i = 0; i < rows; i += V::lanes) {
        typename V::template Squares<width> squares;
        const Place first = across(from, i, j);
        const auto row = [first](std::size_t k) { return &first.at<const char>(k); };
        if (rows - i < V::lanes) {
          squares.load([&](std::size_t k) { return row(std::min(k, rows - i - 1)); });
        } else {
          squares.load(row);
        }
        squares.transpose();
        T* const to = block[i / V::size * length + j] + i % V::size;
        for (std::size_t k = 0; k < width; ++k) Isa::store(to + k * V::size, squares.rows[k]);
      }
    });
    return;
  }
  for (std::size_t j = 0; j < length; ++j) {
    for (std::size_t i = 0; i < rows; i += V::size) {
      load<V>(format, across(from, i, j), std::min(V::size, rows - i)).store(block[i / V::size * length + j]);
    }
  }
}

/// Writes the block to the rows.
template <class V>
[[gnu::noinline, gnu::flatten]] void write(Columns<V> block, std::size_t length, std::size_t rows, Format format,
                                           const Operand& to, std::size_t row, std::size_t first) {
  using T = typename V::Element;
  using Isa = typename V::InstructionSet;
  if (format == native<T> && to.element == sizeof(T)) {
    each_tile<V::lanes>(0, length, [&]<std::size_t width>(std::integral_constant<std::size_t, width>, std::size_t j) {
      for (std::size_t i = 0; i < rows; i += V::lanes) {
        typename V::template Squares<width> squares;
        const T* const from = block[i / V::size * length + j] + i % V::size;
        for (std::size_t k = 0; k < width; ++k) squares.rows[k] = Isa::load(from + k * V::size);
        squares.transpose();
        const Place first_row = across(to, row + i, first + j);
        const auto to_row = [first_row](std::size_t k) { return &first_row.at<char>(k); };
        constexpr std::integral_constant<std::size_t, V::lanes> all;
        rows - i < all ? squares.store(rows - i, to_row) : squares.store(all, to_row);
      }
    });
    return;
  }
  for (std::size_t j = 0; j < length; ++j) {
    for (std::size_t i = 0; i < rows; i += V::size) {
      const V column = V::load(block[i / V::size * length + j]);
      store(format, column, across(to, row + i, first + j), std::min(V::size, rows - i));
    }
  }
}

/// A block's worth of columns, from `first` on, by way of which rows come side by side that do not lie so.
template <class V>
struct Window {
  alignas(64) Block<V> block;
  std::size_t first;
  bool is_used = false;
};

/// What overflows leaves infinity or NaN there.
template <class V>
V finite_low(math::Pair<V> a) {
  return select(math::is_finite(a.lo), a.lo, V(0.0));
}

/// The gradient of a float parameter is summed in double.
template <class V>
struct Wide {
  using D = typename V::template Of<double>;
  std::array<D, V::size / D::size> parts;

  friend Wide operator+(Wide a, const Wide& b) {
    for (std::size_t i = 0; i < a.parts.size(); ++i) a.parts[i] = a.parts[i] + b.parts[i];
    return a;
  }
  friend Wide operator+(const Wide& a, math::Pair<V> b) { return a + widened(b.hi) + widened(finite_low(b)); }

 private:
  static Wide widened(V v) {
    float floats[V::size];
    v.store(floats);
    Wide w;
    for (std::size_t i = 0; i < w.parts.size(); ++i) w.parts[i] = D::load_double(floats + i * D::size);
    return w;
  }
};

/// What sums and states consist of.
template <class V, class X>
auto vectors(const X& x) {
  return std::bit_cast<std::array<V, sizeof(X) / sizeof(V)>>(x);
}

/// As Vec::exchange.
template <class V, std::size_t distance, class X>
void exchange(X& low, X& high) {
  if constexpr (std::is_same_v<X, V>) {
    V::template exchange<distance>(low, high);
  } else if constexpr (std::is_same_v<X, Wide<V>>) {
    using D = typename X::D;
    for (std::size_t i = 0; i < low.parts.size(); ++i) {
      if constexpr (distance < D::size) {
        D::template exchange<distance>(low.parts[i], high.parts[i]);
      } else if ((i & (distance / D::size)) != 0) {
        std::swap(low.parts[i], high.parts[i ^ (distance / D::size)]);
      }
    }
  } else {
    auto low_vectors = vectors<V>(low), high_vectors = vectors<V>(high);
    for (std::size_t i = 0; i < low_vectors.size(); ++i) exchange<V, distance>(low_vectors[i], high_vectors[i]);
    low = std::bit_cast<X>(low_vectors), high = std::bit_cast<X>(high_vectors);
  }
}

/// Joins the lanes of each x, halves first; they then share the lanes of what is returned.
template <class V, std::size_t distance, class Join, class X, std::size_t count>
X fold(Join join, const std::array<X, count>& x) {
  if constexpr (distance == 0) {
    return x[0];
  } else {
    std::array<X, (count + 1) / 2> halves;
    for (std::size_t i = 0; i < halves.size(); ++i) {
      X low = x[i], high = x[(i + halves.size()) % count];
      exchange<V, distance>(low, high);
      halves[i] = join(low, high);
    }
    return fold<V, distance / 2>(join, halves);
  }
}

/// Rows that lie along share the joining of lanes, so many as stay in the first-level cache: each then has as many
/// lanes of the vector in which all of them are joined.
template <class V>
constexpr std::size_t lanes_of_row = std::max<std::size_t>(1, V::size / 8);
template <class V>
std::size_t rows_at_once(std::size_t length) {
  return std::clamp<std::size_t>(cached / std::max<std::size_t>(1, length), 1, V::size / lanes_of_row<V>);
}

/// A row function (see rowwise/softmax.hpp), computed in V for a few rows. A vector holds one element of each of them
/// where they lie `side_by_side`, else several elements of one row; the rows' sums then share vectors, of whose lanes
/// each row has `width`.
template <class V, class F, bool side_by_side>
class Rows {
  using T = typename V::Element;
  static constexpr rowwise::Shape shape = F::shape;
  static constexpr std::size_t step = side_by_side ? 1 : V::size;
  static constexpr std::size_t sums_at_once = sums_of_piece<T> / step;
  static constexpr std::size_t width = side_by_side ? 1 : lanes_of_row<V>;

  static constexpr bool resumes = requires { &F::template from_early<V>; };
  static constexpr bool has_early = requires { &F::template early<V>; };
  static constexpr bool has_late = requires { &F::template late<V>; };
  static constexpr bool writes_rows = has_early || has_late;
  static constexpr bool has_result = requires { &F::template result<V>; };
  static constexpr std::size_t inputs = shape.rows + shape.scalars;
  static constexpr std::size_t output = shape.rows;
  static constexpr std::size_t result_index = inputs + writes_rows;
  static constexpr auto each_row = std::make_index_sequence<shape.rows>{};
  static constexpr auto each_other_row = []<std::size_t... k>(std::index_sequence<k...>) {
    return std::index_sequence<(k + 1)...>{};
  }(std::make_index_sequence<shape.rows - 1>{});
  static constexpr auto each_scalar = std::make_index_sequence<shape.scalars>{};

  using Terms = typename F::template Terms<V>;
  using Sum = std::conditional_t<shape.parameter && std::is_same_v<T, float>, Wide<V>, Terms>;
  using Scalars = std::array<V, shape.scalars>;

  const RowCall& call_;
  const Pieces pieces_;
  const std::size_t row_, rows_;
  Window<V>* const windows_;  // null, or one for each operand that is rows
  std::array<bool, shape.rows + 1> plain_;
  Scalars scalars_;

 public:
  /// Rows that fit into one object.
  static std::size_t most(std::size_t length) { return side_by_side ? V::size : rows_at_once<V>(length); }

  Rows(const RowCall& call, std::size_t row, std::size_t rows, Window<V>* windows = nullptr)
      : call_(call), pieces_(call.length), row_(row), rows_(rows), windows_(windows) {
    for (std::size_t k = 0; k <= output; ++k) {
      plain_[k] = is_plain(k);
      if (windows != nullptr) windows[k].first = -short_row;
    }
    for (std::size_t k = 0; k < shape.scalars; ++k) {
      if constexpr (shape.labelled) {
        if (k == 0) {
          scalars_[k] = at_labels();
          continue;
        }
      }
      // A learned parameter stays as precise as the arithmetic.
      scalars_[k] = per_row(shape.parameter ? native<T> : call.format, call.operands[shape.rows + k]);
    }
  }

  [[gnu::flatten]] void operator()() const {
    const auto state = this->state();
    if constexpr (has_late) {
      const auto of_row = of_rows(state);
      each_part(
          [&](std::size_t, std::size_t r, std::size_t begin, std::size_t end) { late(of_row(r), r, begin, end); });
    }
    if constexpr (has_late && shape.labelled) {
      with_type<T>(call_.rows_format, [&]<class S>(S*) {
        if constexpr (is_stored_as<T, S>) {
          S at_label[V::size];
          F::at_label(state).store(at_label);
          for (std::size_t r = 0; r < rows_; ++r) {
            if (has_label(r)) along(call_.operands[inputs], row_ + r).template at<S>(label(r)) = at_label[r * width];
          }
        }
      });
    }
    if constexpr (has_result) {
      auto result = F::result(state);
      if constexpr (std::is_same_v<T, float> && requires { F::cancels(state, result); }) {
        const V wanted = select(F::cancels(state, result), V(1.0), V(0.0));
        if (!all(wanted == V(0.0))) result = in_double(result, wanted);
      }
      put_result(result);
    }
  }

  auto state() const {
    V largest = 0.0;
    if constexpr (shape.shifted) {
      const auto larger = [](V a, V b) { return max(b, a); };
      largest = joined(larger, [&](std::size_t r, std::size_t begin, std::size_t end) { return peak(r, begin, end); });
    }
    const auto plus = [](const Sum& a, const Sum& b) { return a + b; };
    const auto largest_of_row = of_rows(largest);
    const auto scalars_of_row = of_rows(scalars_);
    const Sum total = joined(plus, [&](std::size_t r, std::size_t begin, std::size_t end) {
      return sum(largest_of_row(r), scalars_of_row(r), r, begin, end);
    });
    return with(scalars_, [&](auto... scalars) { return F::state(largest, total, scalars...); });
  }

 private:
  /// body(i, row, begin, end) for every piece i of the rows; of several rows, none has more than one.
  template <class Body>
  void each_part(const Body& body) const {
    const std::size_t count = side_by_side ? pieces_.count : std::max(pieces_.count, rows_);
    const auto some = [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) {
        const bool is_row = !side_by_side && pieces_.count == 1;
        body(i, is_row ? i : 0, pieces_.begin(is_row ? 0 : i), pieces_.begin(is_row ? 1 : i + 1));
      }
    };
    if constexpr (side_by_side) return some(0, count);
    if (call_.split == nullptr || pieces_.count == 1) return call<decltype(some)>(&some, 0, count);
    call_.split(count, pieces_.size, call<decltype(some)>, &some);
  }
  /// Not inlined, so that there is one copy.
  template <class Some>
  [[gnu::noinline, gnu::flatten]] static void call(const void* some, std::size_t first, std::size_t last) {
    (*static_cast<const Some*>(some))(first, last);
  }

  /// What part(row, begin, end) gives for every piece of every row, joined to one of each row.
  template <class Join, class Part>
  auto joined(Join join, Part part) const {
    using X = decltype(part(0, 0, 0));
    std::array<X, std::max(Pieces::most, V::size / width)> x;
    x[0] = {};  // there is always a piece, which compilers cannot see
    each_part([&](std::size_t i, std::size_t r, std::size_t begin, std::size_t end) { x[i] = part(r, begin, end); });
    if (!side_by_side && pieces_.count == 1) {
      std::array<X, V::size / width> rows;
      for (std::size_t r = 0; r < rows.size(); ++r) rows[r] = x[row_of_lane(r * width)];
      return fold<V, V::size / 2>(join, rows);
    }
    for (std::size_t i = 0; i < pieces_.count; ++i) {
      if constexpr (!side_by_side) x[i] = fold<V, V::size / 2>(join, std::array<X, 1>{x[i]});
      if (i > 0) x[0] = join(x[0], x[i]);
    }
    return x[0];
  }
  /// What vectors hold for row r, in all their lanes. They are stored once, not for each row.
  template <class X>
  static auto of_rows(const X& x) {
    if constexpr (side_by_side) {
      return [x](std::size_t) { return x; };
    } else {
      std::array<std::array<T, V::size>, sizeof(X) / sizeof(V)> lanes;
      const auto stored = vectors<V>(x);
      for (std::size_t i = 0; i < lanes.size(); ++i) stored[i].store(lanes[i].data());
      return [lanes](std::size_t r) {
        std::array<V, sizeof(X) / sizeof(V)> of_row;
        for (std::size_t i = 0; i < lanes.size(); ++i) of_row[i] = V(lanes[i][r * width]);
        return std::bit_cast<X>(of_row);
      };
    }
  }

  /// The operands that are rows, the inputs first.
  const Operand& operand(std::size_t k) const { return call_.operands[k < shape.rows ? k : inputs]; }
  Place place(std::size_t k, std::size_t r, std::size_t j) const {
    return side_by_side ? across(operand(k), row_, j) : along(operand(k), row_ + r, j);
  }
  std::size_t count(std::size_t j, std::size_t end) const { return side_by_side ? rows_ : std::min(V::size, end - j); }

  /// Whether vectors of an operand lie in memory as they are computed.
  bool is_plain(std::size_t k) const {
    return call_.rows_format == native<T> && place(k, 0, 0).stride == sizeof(T) && !has_window(k);
  }
  /// A piece of row r, up to `end`. Where its vectors lie is kept here, for after every store compilers must expect
  /// what is elsewhere to have changed.
  struct Part {
    std::size_t r, end, rows;
    std::array<char*, shape.rows + 1> first;  // of operands that are plain, else null
    std::array<std::ptrdiff_t, shape.rows + 1> stride;

    bool has(std::size_t k, std::size_t j) const { return first[k] != nullptr && (side_by_side || end - j >= V::size); }
    T* at(std::size_t k, std::size_t j) const {
      return reinterpret_cast<T*>(first[k] + static_cast<std::ptrdiff_t>(j) * stride[k]);
    }
    bool is_full() const { return !side_by_side || rows == V::size; }
  };
  Part part(std::size_t r, std::size_t end) const {
    Part part = {r, end, rows_, {}, {}};
    for (std::size_t k = 0; k <= output; ++k) {
      if (plain_[k]) part.first[k] = place(k, r, 0).p;
      part.stride[k] = side_by_side ? operand(k).element : std::ptrdiff_t{sizeof(T)};
    }
    return part;
  }
  V get(std::size_t k, const Part& part, std::size_t j) const {
    if (!part.has(k, j)) return get_apart(k, part.r, j, part.end);
    return part.is_full() ? V::load(part.at(k, j)) : V::load(part.at(k, j), part.rows);
  }
  void put(V y, const Part& part, std::size_t j) const {
    if (!part.has(output, j)) return put_apart(y, part.r, j, part.end);
    part.is_full() ? y.store(part.at(output, j)) : y.store(part.at(output, j), part.rows);
  }
  /// Beyond the row's end: -inf, of which the exponential is 0; 0 in the other arrays, which it or 0 multiplies. Not
  /// inlined, for the sake of what is plain.
  [[gnu::noinline]] V get_apart(std::size_t k, std::size_t r, std::size_t j, std::size_t end) const {
    if (has_window(k)) return column(k, j);
    const std::size_t n = count(j, end);
    const V x = load<V>(call_.rows_format, place(k, r, j), n);
    if (side_by_side || !shape.shifted || k != 0 || n == V::size) return x;
    return select(V::indices() < V(static_cast<double>(n)), x, V(-std::numeric_limits<double>::infinity()));
  }
  [[gnu::noinline]] void put_apart(V y, std::size_t r, std::size_t j, std::size_t end) const {
    if (!has_window(output)) return store(call_.rows_format, y, place(output, r, j), count(j, end));
    y.store(windows_[output].block[j % short_row]);
    if ((j + 1) % short_row == 0) write_window(j + 1);
  }
  void write_window(std::size_t end) const {
    const std::size_t count = (end - 1) % short_row + 1;
    write<V>(windows_[output].block, count, rows_, call_.rows_format, operand(output), row_, end - count);
  }
  /// Once everything up to there is put, in whatever order.
  void end_put(std::size_t end) const {
    if (has_window(output) && end % short_row != 0) write_window(end);
  }
  bool has_window(std::size_t k) const { return side_by_side && windows_ != nullptr && windows_[k].is_used; }
  /// Of a window, which is moved there if need be.
  V column(std::size_t k, std::size_t j) const {
    Window<V>& window = windows_[k];
    if (j - window.first >= short_row) {
      window.first = j / short_row * short_row;
      Operand from = operand(k);
      from.data = from.at(row_, window.first);
      read<V>(window.block, std::min(short_row, call_.length - window.first), rows_, call_.rows_format, from);
    }
    return V::load(window.block[j - window.first]);
  }
  /// What is to be resumed is too much for 16 bits, is not found again where it was written by way of a window, and
  /// must not take the place of another input.
  bool writes_early() const {
    return !resumes || (call_.rows_format == native<T> && !has_window(output) &&
                        (shape.rows == 1 || operand(1).data != operand(output).data));
  }
  template <std::size_t... k, class G>
  auto with_rows(std::index_sequence<k...>, const Part& part, std::size_t j, G g) const {
    [[maybe_unused]] const auto of = [&](std::size_t operand) { return get(operand, part, j); };
    return g(of(k)...);
  }
  template <class G>
  static auto with(const Scalars& scalars, G g) {
    return [&]<std::size_t... k>(std::index_sequence<k...>) { return g(scalars[k]...); }(each_scalar);
  }

  [[gnu::flatten]] V peak(std::size_t r, std::size_t begin, std::size_t end) const {
    const Part part = this->part(r, end);
    V largest = -std::numeric_limits<double>::infinity();
    for (std::size_t j = begin; j < end; j += step) {
      fetch(j);
      largest = max(get(0, part, j), largest);
    }
    return largest;
  }
  /// In the first sweep over rows side by side, has the processor fetch what is wanted later, for it foresees no steps
  /// as long as those from column to column: of short rows the same column of those that follow; of long ones some
  /// columns on, or what only the next sweep needs.
  void fetch(std::size_t j) const {
    if (!side_by_side || windows_ == nullptr) return;  // no need within a block
    const bool is_short = call_.length <= short_row;
    const std::size_t row = is_short ? row_ + V::size : row_;
    const std::ptrdiff_t column = static_cast<std::ptrdiff_t>(j) + (is_short || shape.shifted ? 0 : 8);
    for (std::size_t k = is_short || !shape.shifted ? 0 : 1; k < shape.rows + writes_rows; ++k) {
      const Operand& o = operand(k);
      const char* const first = o.at(row, 0) + column * o.element;
      const auto fetch_each = [&](std::ptrdiff_t rows) {
        for (std::ptrdiff_t i = rows - 1; i < static_cast<std::ptrdiff_t>(V::size); i += rows)
          simd::prefetch(first + i * o.row);
      };
      if (!is_short) simd::prefetch(first);  // of which the rows before have fetched no line
      plain_[k] ? fetch_each(64 / sizeof(T)) : fetch_each(1);
    }
  }

  [[gnu::flatten]] Sum sum(V largest, const Scalars& scalars, std::size_t r, std::size_t begin, std::size_t end) const {
    const Part part = this->part(r, end);
    const bool is_early = has_early && writes_early();
    const auto terms = [&](std::size_t j) {
      if constexpr (!shape.shifted) fetch(j);
      return with_rows(each_row, part, j, [&](auto... x) {
        return with(scalars, [&](auto... scalar) {
          const Terms t = F::terms(largest, x..., scalar...);
          if constexpr (has_early) {
            if (is_early) put(F::early(t), part, j);
          }
          return shape.parameter ? within(t, j, end) : t;
        });
      });
    };
    if (begin == end) return {};
    if constexpr (sums_at_once == 1) {
      Sum total = first(terms(begin));
      for (std::size_t j = begin + step; j < end; j += step) total = total + terms(j);
      if (is_early) end_put(end);
      return total;
    } else if (end - begin <= short_row) {
      const Sum total = sum_of_few(terms, begin, end);
      if (is_early) end_put(end);
      return total;
    } else {
      std::array<Sum, sums_at_once> sums;
      for (std::size_t i = 0; i < sums_at_once; ++i) sums[i] = first(terms(begin + i * step));
      for (std::size_t j = begin + sums_at_once * step; j < end; j += step) {
        Sum& s = sums[j / step % sums_at_once];
        s = s + terms(j);
      }
      for (std::size_t half = sums_at_once / 2; half > 0; half /= 2) {
        for (std::size_t i = 0; i < half; ++i) sums[i] = sums[i] + sums[i + half];
      }
      if (is_early) end_put(end);
      return sums[0];
    }
  }

  /// Zeros beyond the row's end, also where a parameter is infinite or NaN.
  static Terms within(const Terms& terms, std::size_t j, std::size_t end) {
    if (side_by_side || end - j >= V::size) return terms;
    auto all = vectors<V>(terms);
    for (V& v : all) v = select(V::indices() < V(static_cast<double>(end - j)), v, V(0.0));
    return std::bit_cast<Terms>(all);
  }
  /// Every sum is added as soon as it and what it is to be added to are complete, so that few are kept at a time.
  template <class GetTerms>
  static Sum sum_of_few(const GetTerms& terms, std::size_t begin, std::size_t end) {
    const std::size_t used = std::min(sums_at_once, (end - begin + step - 1) / step);
    std::array<Sum, std::bit_width(sums_at_once)> waiting;
    for (std::size_t i = 0, count = 0;;) {
      Sum s = first(terms(begin + i * step));
      for (std::size_t j = begin + (i + sums_at_once) * step; j < end; j += sums_at_once * step) s = s + terms(j);
      std::size_t half = sums_at_once / 2;
      for (; half > 0; half /= 2) {
        if ((i & half) != 0) {
          s = waiting[--count] + s;
          i -= half;
        } else if (i + half < used) {
          waiting[count++] = s;
          i += half;
          break;
        }
      }
      if (half == 0) return s;
    }
  }

  template <class State>
  [[gnu::flatten]] void late(const State& state, std::size_t r, std::size_t begin, std::size_t end) const {
    const Part part = this->part(r, end);
    const bool is_early = writes_early();
    for (std::size_t j = begin; j < end; j += step) {
      if constexpr (resumes) {
        if (is_early) {
          const V early = get(output, part, j);
          const auto resume = [&](auto... x) { return F::from_early(state, early, x...); };
          put(with_rows(each_other_row, part, j, resume), part, j);
          continue;
        }
      }
      put(with_rows(each_row, part, j, [&](auto... x) { return F::late(state, x...); }), part, j);
    }
    end_put(end);
  }

  static Sum first(const Terms& terms) {
    if constexpr (std::is_same_v<Sum, Terms>) return terms;
    return Sum{} + terms;
  }

  /// One number of each row.
  V per_row(Format format, const Operand& operand) const {
    const Place first = across(operand, row_);
    if (side_by_side) return load<V>(format, first, rows_);
    return with_type<T>(format, [&]<class S>(S*) {
      S x[V::size];
      for (std::size_t i = 0; i < V::size; ++i) x[i] = first.at<S>(row_of_lane(i));
      return load_buffer<V>(x);
    });
  }
  std::size_t row_of_lane(std::size_t i) const { return std::min(i / width, rows_ - 1); }
  std::size_t label(std::size_t r) const {
    return static_cast<std::size_t>(across(call_.operands[shape.rows], row_).template at<std::int64_t>(r));
  }
  /// Callers refuse labels out of range, but a lazy array's have not been seen.
  bool has_label(std::size_t r) const { return label(r) < call_.length; }
  V at_labels() const {
    return with_type<T>(call_.rows_format, [&]<class S>(S*) {
      S x[V::size] = {};
      T doubt[V::size] = {};
      for (std::size_t i = 0; i < V::size; ++i) {
        if (const std::size_t r = row_of_lane(i); has_label(r)) {
          x[i] = along(call_.operands[0], row_ + r).template at<S>(label(r));
        } else {
          doubt[i] = std::numeric_limits<T>::quiet_NaN();
        }
      }
      return load_buffer<V>(x) + V::load(doubt);
    });
  }

  void put_result(V result) const {
    T values[V::size];
    result.store(values);
    for (std::size_t r = 0; r < rows_; ++r) values[r] = values[r * width];
    store(call_.format, V::load(values), across(call_.operands[result_index], row_), rows_);
  }
  /// The results again, in double, where that is wanted; those of short rows side by side, several at once.
  [[gnu::noinline]] V in_double(V result, V is_wanted) const {
    using D = typename V::template Of<double>;
    T values[V::size], wanted[V::size];
    result.store(values);
    is_wanted.store(wanted);
    const bool at_once = side_by_side && call_.length <= short_row;
    const std::size_t most = at_once ? D::size : 1;
    for (std::size_t r = 0; r < rows_; r += most) {
      const std::size_t count = std::min(most, rows_ - r);
      const auto is_among = [&](std::size_t i) { return wanted[(r + i) * width] > 0; };
      bool any = false;
      for (std::size_t i = 0; i < count; ++i) any |= is_among(i);
      if (!any) continue;
      double exact[D::size];
      F::result(at_once ? Rows<D, F, side_by_side>(call_, row_ + r, count).state()
                        : Rows<D, F, false>(call_, row_ + r, count).state())
          .store(exact);
      for (std::size_t i = 0; i < count; ++i) {
        if (is_among(i)) values[(r + i) * width] = static_cast<T>(exact[i]);
      }
    }
    return V::load(values);
  }
  void put_result(math::Pair<V> result) const {
    const V zero = 0.0;  // in front, for otherwise -0 would depend on how many zeros are added
    T sums[V::size];
    (zero + result.hi + finite_low(result)).store(sums);
    put_sums(sums);
  }
  void put_result(const Wide<V>& result) const {
    double sums[V::size];
    for (std::size_t i = 0; i < result.parts.size(); ++i) result.parts[i].store(sums + i * Wide<V>::D::size);
    put_sums(sums);
  }
  void put_sums(const double* sums) const {
    const Place to = across(call_.operands[result_index], row_);
    for (std::size_t r = 0; r < rows_; ++r) to.at<double>(r) = sums[r * width];
  }
};

/// Whether vectors may hold elements of neighbouring rows: they lie side by side, and fill enough of a vector to be
/// worth it. Its result does not depend on this.
template <class V>
bool lie_side_by_side(const RowCall& call, std::initializer_list<std::size_t> arrays, std::size_t rows) {
  const std::ptrdiff_t item = size_of(call.rows_format);
  return (rows >= V::size / 4 || call.length <= V::size) &&
         std::ranges::all_of(arrays, [&](std::size_t k) { return call.operands[k].row == item; });
}

/// Whether rows that do not lie side by side should be brought so.
template <class V>
bool should_turn(const RowCall& call, std::size_t rows) {
  return call.length <= short_row && rows >= V::size / 4 && V::size > 1;
}

/// Elements this far apart share the sets of a cache, so that no sweep finds what the one before has fetched. Columns
/// of them are copied, several vectors' worth at a time, for memory to be read in long runs.
constexpr std::ptrdiff_t far_apart = 1024;
constexpr std::size_t copied_vectors = 4;

/// A thread's memory for what is copied, or null where there is none left.
template <class T>
class Scratch {
  static constexpr std::align_val_t alignment{64};
  T* const p_ = static_cast<T*>(::operator new(size * sizeof(T), alignment, std::nothrow));

 public:
  static constexpr std::size_t size = (std::size_t{1} << 19) / sizeof(T);
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { ::operator delete(p_, alignment); }
  static T* of_thread() {
    thread_local const Scratch scratch;
    return scratch.p_;
  }
};

/// Has a kernel run over blocks of so many rows at a time, which it finds side by side. The first operands are inputs
/// that are rows of these lengths, one is an output, which takes the place of the first.
template <class V, std::size_t inputs, class Run>
void in_blocks(const RowCall& call, std::size_t begin, std::size_t end, const std::array<std::size_t, inputs>& lengths,
               std::size_t output, std::size_t output_length, std::array<Columns<V>, inputs> blocks, std::size_t most,
               Run run) {
  for (std::size_t r = begin; r < end; r += most) {
    const std::size_t rows = std::min(most, end - r);
    RowCall part = call;
    part.rows_format = native<typename V::Element>;
    for (Operand& o : part.operands) o.data = o.at(r, 0);
    for (std::size_t k = 0; k < inputs; ++k) {
      read<V>(blocks[k], lengths[k], rows, call.rows_format, part.operands[k]);
      part.operands[k] = {reinterpret_cast<char*>(blocks[k]), sizeof(typename V::Element), sizeof(blocks[k][0])};
    }
    if (output_length > 0) part.operands[output] = part.operands[0];
    for (std::size_t i = 0; i < rows; i += V::size) {
      run(part, 0, std::min(V::size, rows - i));
      for (std::size_t k = 0; k < part.operands.size(); ++k) {
        const bool is_block = k < inputs || (k == output && output_length > 0);
        Operand& o = part.operands[k];
        o.data = is_block ? o.at(0, k < inputs ? lengths[k] : output_length) : o.at(V::size, 0);
      }
    }
    if (output_length > 0) write<V>(blocks[0], output_length, rows, call.rows_format, call.operands[output], r, 0);
  }
}

/// Likewise as many rows at a time as fit into small blocks.
template <class V, std::size_t inputs, class Run>
void turned(const RowCall& call, std::size_t begin, std::size_t end, const std::array<std::size_t, inputs>& lengths,
            std::size_t output, std::size_t output_length, Run run) {
  alignas(64) Block<V> small[inputs];
  std::array<Columns<V>, inputs> blocks;
  std::copy(small, small + inputs, blocks.begin());
  in_blocks<V>(call, begin, end, lengths, output, output_length, blocks, rows_of_block<V>(call.length), run);
}

/// Rows that do not lie contiguous are copied, rather than gathered in every sweep, as long as they stay in the
/// first-level cache.
template <class V, class F, bool writes_rows>
void straightened(const RowCall& call, std::size_t begin, std::size_t end) {
  using T = typename V::Element;
  constexpr std::size_t output = F::shape.rows + F::shape.scalars;
  alignas(64) T lines[F::shape.rows][cached];
  const std::size_t most = Rows<V, F, false>::most(call.length);
  for (std::size_t r = begin; r < end; r += most) {
    const std::size_t rows = std::min(most, end - r);
    const auto each_vector = [&](std::size_t k, auto run) {
      for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < call.length; j += V::size) {
          run(along(call.operands[k], r + i, j), lines[0] + i * call.length + j, std::min(V::size, call.length - j));
        }
      }
    };
    RowCall part = call;
    part.rows_format = native<T>;
    for (Operand& o : part.operands) o.data = o.at(r, 0);
    for (std::size_t k = 0; k < F::shape.rows; ++k) {
      each_vector(k, [&](Place from, T* to, std::size_t count) {
        load<V>(call.rows_format, from, count).store(to + k * cached, count);
      });
      part.operands[k] = {lines[k], static_cast<std::ptrdiff_t>(call.length * sizeof(T)), sizeof(T)};
    }
    if constexpr (writes_rows) part.operands[output] = part.operands[0];
    Rows<V, F, false>(part, 0, rows)();
    if constexpr (writes_rows) {
      each_vector(output, [&](Place to, const T* from, std::size_t count) {
        store(call.rows_format, V::load(from, count), to, count);
      });
    }
  }
}

template <class V, class F>
void reduce(const RowCall& call, std::size_t begin, std::size_t end) {
  constexpr rowwise::Shape shape = F::shape;
  constexpr std::size_t output = shape.rows + shape.scalars;
  constexpr bool writes_rows = requires { &F::template early<V>; } || requires { &F::template late<V>; };
  const bool lie_so = lie_side_by_side<V>(call, {0, shape.rows - 1}, end - begin);
  const std::size_t to_turn = call.length * (shape.rows + writes_rows);  // elements of a row, its result included
  std::array<std::size_t, shape.rows> lengths;
  lengths.fill(call.length);
  const std::size_t output_length = writes_rows ? call.length : 0;
  const auto run = [](const RowCall& part, std::size_t first, std::size_t last) {
    Rows<V, F, true>(part, first, last)();
  };
  if (!lie_so && should_turn<V>(call, end - begin) && to_turn <= most_to_turn) {
    return turned<V>(call, begin, end, lengths, output, output_length, run);
  }
  using S = Scratch<typename V::Element>;
  const std::size_t of_vector = shape.rows * call.length * V::size, fitting = S::size / std::max(of_vector, V::size);
  const bool is_far = call.length > short_row && std::abs(call.operands[0].element) >= far_apart;
  if (lie_so && is_far && fitting > 0 && S::of_thread() != nullptr) {
    const std::size_t vectors = std::min(fitting, copied_vectors);
    std::array<Columns<V>, shape.rows> blocks;
    for (std::size_t k = 0; k < shape.rows; ++k) {
      blocks[k] = reinterpret_cast<Columns<V>>(S::of_thread() + k * vectors * call.length * V::size);
    }
    return in_blocks<V>(call, begin, end, lengths, output, output_length, blocks, vectors * V::size, run);
  }
  // Memory is gone through along the rows or across them, whichever of an operand's neighbours are nearer.
  Window<V> windows[shape.rows + 1];
  bool any_across = false, all_lines = true;
  for (std::size_t k = 0; k < shape.rows + writes_rows; ++k) {
    const Operand& o = call.operands[k < shape.rows ? k : output];
    const bool is_line = o.element == size_of(call.rows_format);
    const bool is_across = !is_line && std::abs(o.row) < std::abs(o.element);
    windows[k].is_used = !is_across;
    any_across |= is_across;
    all_lines &= is_line;
  }
  if (lie_so || (any_across && end - begin >= V::size / 4)) {
    for (std::size_t r = begin; r < end; r += V::size) {
      Rows<V, F, true>(call, r, std::min(V::size, end - r), windows)();
    }
    return;
  }
  if (call.length <= cached && !all_lines) return straightened<V, F, writes_rows>(call, begin, end);
  const std::size_t most = Rows<V, F, false>::most(call.length);
  for (std::size_t r = begin; r < end; r += most) Rows<V, F, false>(call, r, std::min(most, end - r))();
}

/// run(place, row, element, count) over half the length of each row, in whichever direction a vector's elements lie.
template <class V, class Run>
void halves(const RowCall& call, std::initializer_list<std::size_t> arrays, std::size_t begin, std::size_t end,
            Run run) {
  const std::size_t half = call.length / 2;
  if (lie_side_by_side<V>(call, arrays, end - begin)) {
    for (std::size_t j = 0; j < half; ++j) {
      for (std::size_t r = begin; r < end; r += V::size) run(across, r, j, std::min(V::size, end - r));
    }
  } else {
    for (std::size_t r = begin; r < end; ++r) {
      for (std::size_t j = 0; j < half; j += V::size) run(along, r, j, std::min(V::size, half - j));
    }
  }
}

/// Whether halves of rows leave so much of a vector empty that several rows should share it.
template <class V>
bool are_short(const RowCall& call, std::initializer_list<std::size_t> arrays, std::size_t rows) {
  return call.length > 0 && call.length <= V::size && rows >= V::size / 4 && !lie_side_by_side<V>(call, arrays, rows);
}

/// Of what the loops need of the call, copies: see Rows::Part.
template <class V, class F>
[[gnu::flatten]] void gate(const RowCall& call, std::size_t begin, std::size_t end) {
  const auto [x, y, unused_1, unused_2, unused_3] = call.operands;
  if (are_short<V>(call, {0, 1}, end - begin)) {
    return turned<V>(call, begin, end, std::array{call.length}, 1, call.length / 2, gate<V, F>);
  }
  const Format format = call.rows_format;
  const std::size_t half = call.length / 2;
  halves<V>(call, {0, 1}, begin, end, [&](auto place, std::size_t r, std::size_t j, std::size_t count) {
    const V a = load<V>(format, place(x, r, j), count), b = load<V>(format, place(x, r, half + j), count);
    store(format, F::apply(a, b), place(y, r, j), count);
  });
}

template <class V, class F>
[[gnu::flatten]] void gate_backward(const RowCall& call, std::size_t begin, std::size_t end) {
  const auto [x, g, dx, unused_1, unused_2] = call.operands;
  if (are_short<V>(call, {0, 1, 2}, end - begin)) {
    return turned<V>(call, begin, end, std::array{call.length, call.length / 2}, 2, call.length, gate_backward<V, F>);
  }
  const Format format = call.rows_format;
  const std::size_t half = call.length / 2;
  halves<V>(call, {0, 1, 2}, begin, end, [&](auto place, std::size_t r, std::size_t j, std::size_t count) {
    const V a = load<V>(format, place(x, r, j), count), b = load<V>(format, place(x, r, half + j), count);
    const std::array<V, 2> d = F::apply(a, b, load<V>(format, place(g, r, j), count));
    store(format, d[0], place(dx, r, j), count);
    store(format, d[1], place(dx, r, half + j), count);
  });
}

/// The largest of each lane's elements of one row. Several at a time, for each waits for the one before.
template <class V, class F>
V largest_by_lane(const RowCall& call, std::size_t r) {
  const V least = -std::numeric_limits<double>::infinity();
  const Place x = along(call.operands[0], r);
  const auto at = [x](std::size_t j) { return Place{&x.at<char>(j), x.stride}; };
  std::array<V, 4> most;
  most.fill(least);
  std::size_t j = 0;
  for (; j + most.size() * V::size <= call.length; j += most.size() * V::size) {
    for (std::size_t k = 0; k < most.size(); ++k) {
      most[k] = F::larger(most[k], load<V>(call.rows_format, at(j + k * V::size), V::size));
    }
  }
  for (; j < call.length; j += V::size) {
    const std::size_t count = std::min(V::size, call.length - j);
    const V piece = load<V>(call.rows_format, at(j), count);
    const bool is_whole = count == V::size;
    most[0] = F::larger(most[0], is_whole ? piece : select(V::indices() < V(static_cast<double>(count)), piece, least));
  }
  if (call.length < most.size() * V::size) return most[0];
  return F::larger(F::larger(most[0], most[1]), F::larger(most[2], most[3]));
}

/// The largest of each of a few rows.
template <class V, class F>
void largest_along(const RowCall& call, std::size_t r, std::size_t rows, typename V::Element (&largest)[V::size]) {
  std::array<V, V::size / lanes_of_row<V>> by_lane;
  for (std::size_t i = 0; i < by_lane.size(); ++i) {
    by_lane[i] = i < rows ? largest_by_lane<V, F>(call, r + i) : by_lane[0];
  }
  F::canonical(fold<V, V::size / 2>(F::template larger<V>, by_lane)).store(largest);
  for (std::size_t i = 0; i < rows; ++i) largest[i] = largest[i * lanes_of_row<V>];
}

/// Where in a row x first equals its largest, or the row's length if that is NaN.
template <class V>
std::size_t find(const RowCall& call, std::size_t r, V largest) {
  if (!all(largest == largest)) return call.length;
  for (std::size_t j = 0; j < call.length; j += V::size) {
    const std::size_t count = std::min(V::size, call.length - j);
    const V x = load<V>(call.rows_format, along(call.operands[0], r, j), count);
    if (all(x < largest)) continue;
    typename V::Element is_equal[V::size];
    select(x == largest, V(1.0), V(0.0)).store(is_equal);
    const auto* const found = std::find(is_equal, is_equal + count, 1);
    if (found < is_equal + count) return j + static_cast<std::size_t>(found - is_equal);
  }
  return call.length;
}

/// Of rows side by side so many are taken at a time, enough for memory to be read in long runs, and so many elements of
/// each, for what is kept of the row in between to be loaded less often.
constexpr std::size_t many_rows = 512, some_elements = 8;
template <class V>
using EachRow = typename V::Element[many_rows];

/// run(i, count, j, end) for elements j to end of each of the rows, in vectors from the i-th row on.
template <class V, class Run>
void each_across(const RowCall& call, std::size_t rows, Run run) {
  std::size_t j = 0;
  do {  // there is always an element, which compilers cannot see
    const std::size_t end = std::min(call.length, j + some_elements);
    for (std::size_t i = 0; i < rows; i += V::size) run(i, std::min(V::size, rows - i), j, end);
    j += some_elements;
  } while (j < call.length);
}

/// The largest of each.
template <class V, class F>
void largest_across(const RowCall& call, std::size_t r, std::size_t rows, EachRow<V>& largest) {
  each_across<V>(call, rows, [&](std::size_t i, std::size_t count, std::size_t j, std::size_t end) {
    const auto x = [&](std::size_t k) { return load<V>(call.rows_format, across(call.operands[0], r + i, k), count); };
    V most = j == 0 ? x(0) : V::load(largest + i);
    for (; j < end; ++j) most = F::larger(most, x(j));
    if (end == call.length) most = F::canonical(most);
    most.store(largest + i);
  });
}

template <class V, class F>
[[gnu::flatten]] void choose_across(const RowCall& call, std::size_t begin, std::size_t end) {
  alignas(64) EachRow<V> largest;
  for (std::size_t r = begin; r < end; r += many_rows) {
    const std::size_t rows = std::min(many_rows, end - r);
    largest_across<V, F>(call, r, rows, largest);
    for (std::size_t i = 0; i < rows; i += V::size) {
      store(call.format, V::load(largest + i), across(call.operands[1], r + i), std::min(V::size, rows - i));
    }
  }
}

template <class V, class F>
[[gnu::flatten]] void choose_backward_across(const RowCall& call, std::size_t begin, std::size_t end) {
  const auto& [x, upstream, dx, unused_1, unused_2] = call.operands;
  alignas(64) EachRow<V> largest, left;
  for (std::size_t r = begin; r < end; r += many_rows) {
    const std::size_t rows = std::min(many_rows, end - r);
    largest_across<V, F>(call, r, rows, largest);
    for (std::size_t i = 0; i < rows; i += V::size) {
      load<V>(call.format, across(upstream, r + i), std::min(V::size, rows - i)).store(left + i);
    }
    each_across<V>(call, rows, [&](std::size_t i, std::size_t count, std::size_t j, std::size_t last) {
      const V most = V::load(largest + i);
      V rest = V::load(left + i);
      for (; j < last; ++j) {
        const auto taken = F::share(most, load<V>(call.rows_format, across(x, r + i, j), count), rest);
        store(call.rows_format, taken[0], across(dx, r + i, j), count);
        rest = taken[1];
      }
      rest.store(left + i);
    });
  }
}

template <class V, class F>
[[gnu::flatten]] void choose(const RowCall& call, std::size_t begin, std::size_t end) {
  if (lie_side_by_side<V>(call, {0}, end - begin)) return choose_across<V, F>(call, begin, end);
  if (should_turn<V>(call, end - begin) && 2 * call.length < short_row) {  // lanes are joined faster than sums'
    return turned<V>(call, begin, end, std::array{call.length}, 1, 0, choose_across<V, F>);
  }
  const std::size_t most = rows_at_once<V>(call.length);
  for (std::size_t r = begin; r < end; r += most) {
    const std::size_t rows = std::min(most, end - r);
    typename V::Element largest[V::size];
    largest_along<V, F>(call, r, rows, largest);
    store(call.format, V::load(largest), across(call.operands[1], r), rows);
  }
}

template <class V, class F>
[[gnu::flatten]] void choose_backward(const RowCall& call, std::size_t begin, std::size_t end) {
  const auto& [x, upstream, dx, unused_1, unused_2] = call.operands;
  if (lie_side_by_side<V>(call, {0, 2}, end - begin)) return choose_backward_across<V, F>(call, begin, end);
  if (should_turn<V>(call, end - begin)) {
    return turned<V>(call, begin, end, std::array{call.length}, 2, call.length, choose_backward_across<V, F>);
  }
  const std::size_t most = rows_at_once<V>(call.length);
  for (std::size_t r = begin; r < end; r += most) {
    const std::size_t rows = std::min(most, end - r);
    typename V::Element largest[V::size];
    largest_along<V, F>(call, r, rows, largest);
    for (std::size_t i = 0; i < rows; ++i) {
      const V of_row = largest[i], g = load<V>(call.format, across(upstream, r + i), 1);
      const std::size_t chosen = find(call, r + i, of_row);
      const V rest = F::share(of_row, of_row, V(0.0))[0];
      for (std::size_t j = 0; j < call.length; j += V::size) {
        store(call.rows_format, rest, along(dx, r + i, j), std::min(V::size, call.length - j));
      }
      if (chosen < call.length) store(call.rows_format, g, along(dx, r + i, chosen), 1);
    }
  }
}

template <class V, class F>
constexpr RowKernel row_kernel() {
  if constexpr (requires { F::shape; }) {
    return reduce<V, F>;
  } else if constexpr (requires(V v) { F::apply(v, v, v); }) {
    return gate_backward<V, F>;
  } else if constexpr (requires(V v) { F::apply(v, v); }) {
    return gate<V, F>;
  } else if constexpr (requires(V v) { F::share(v, v, v); }) {
    return choose_backward<V, F>;
  } else {
    return choose<V, F>;
  }
}

/// All kernels of row functions, for one instruction set.
template <class Isa>
constexpr RowTable row_kernels() {
  using Single = simd::Vec<Isa, float>;
  using Double = simd::Vec<Isa, double>;
  return {{
#define FASTACT_ENTRY(form, name) {row_kernel<Single, rowwise::name>(), row_kernel<Double, rowwise::name>()},
      FASTACT_ROWWISE(FASTACT_ENTRY)
#undef FASTACT_ENTRY
  }};
}

}  // namespace
}  // namespace fastact::kernels
