// A pool that reuses the memory of freed arrays.
#include "numpy/pool.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace py = pybind11;

namespace fastact::numpy {
namespace {

constexpr const char* capsule_name = "mem_handler";  // required by NumPy

/// One lock for all pools, so that a fork can acquire it. It is never held while memory is allocated or freed.
std::mutex mutex;

#if defined(__unix__) || defined(__APPLE__)
// A fork acquires the lock, because the child has no other thread that could release it or finish changing the lists.
[[maybe_unused]] const int fork_guard =
    pthread_atfork([] { mutex.lock(); }, [] { mutex.unlock(); }, [] { mutex.unlock(); });
#endif

/// The allocator from which pools get their memory: NumPy's own, which requests huge pages and returns zeroed memory
/// that has not been touched yet.
const PyDataMemAllocator& source() {
  static const auto* const handler =
      static_cast<PyDataMem_Handler*>(PyCapsule_GetPointer(PyDataMem_DefaultHandler, capsule_name));
  return handler->allocator;
}

/// A member of a circular list; the list itself is a member that is not a block.
template <class Order>
struct Link {
  Link *previous = this, *next = this;

  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  bool alone() const { return next == this; }
  void remove() {
    previous->next = next;
    next->previous = previous;
    previous = next = this;
  }
  void append(Link& link) {
    link.remove();
    link.previous = previous;
    link.next = this;
    previous = previous->next = &link;
  }
};

using ByAge = Link<struct Age>;
using BySize = Link<struct Size>;

/// Sizes are rounded up to one of four sizes between two powers of two, by at most a quarter.
struct SizeClass {
  std::size_t index, capacity;

  static constexpr std::size_t count = 4 * 64;

  explicit SizeClass(std::size_t size) {
    const std::size_t last = std::max<std::size_t>(size, 64) - 1;
    const auto shift = static_cast<std::size_t>(std::bit_width(last)) - 3;
    index = 4 * shift + (last >> shift) - 4;
    capacity = ((last >> shift) + 1) << shift;
  }
};

/// The header before the data of an array. It is in the lists only while the memory is free.
struct alignas(64) Block : ByAge, BySize {
  void* memory;
  std::size_t bytes;  // of memory
  SizeClass size_class;

  Block(void* whole, std::size_t size, SizeClass c) : memory(whole), bytes(size), size_class(c) {}

  void* data() { return this + 1; }
  static Block& of(void* data) { return *(static_cast<Block*>(data) - 1); }

  static Block* make(SizeClass c, bool zeroed) {
    const std::size_t used = sizeof(Block) + c.capacity, bytes = used + alignof(Block);
    void* const memory = zeroed ? source().calloc(source().ctx, 1, bytes) : source().malloc(source().ctx, bytes);
    if (memory == nullptr) return nullptr;
    void* place = memory;
    std::size_t space = bytes;
    return new (std::align(alignof(Block), used, place, space)) Block(memory, bytes, c);
  }
  void give_back() {
    ByAge::remove();
    source().free(source().ctx, memory, bytes);
  }
};

/// Blocks that have been taken out of a pool and are freed at the end of the scope. The object is declared before the
/// lock, so that they are freed after the lock is released.
struct Doomed : ByAge {
  ~Doomed() {
    while (!alone()) static_cast<Block*>(next)->give_back();
  }
};

struct Statistics {
  std::size_t hits = 0, misses = 0, held = 0;
};

class Pool {
 public:
  explicit Pool(std::size_t limit) : limit_(limit) {}
  ~Pool() { trim(); }

  PyDataMem_Handler* handler() { return &handler_; }

  void* allocate(std::size_t size, bool zeroed) {
    if (size > PTRDIFF_MAX / 2) return nullptr;
    const SizeClass c(size);
    if (Block* block = take(c)) return zeroed ? std::memset(block->data(), 0, size) : block->data();
    Block* block = Block::make(c, zeroed);
    if (block == nullptr) {
      trim();
      block = Block::make(c, zeroed);
    }
    return block == nullptr ? nullptr : block->data();
  }

  void free(void* data) {
    if (data == nullptr) return;
    Block& block = Block::of(data);
    Doomed doomed;
    const std::scoped_lock lock(mutex);
    if (block.bytes > limit_) {
      doomed.append(block);
      return;
    }
    by_age_.append(block);
    by_size_[block.size_class.index].append(block);
    statistics_.held += block.bytes;
    shrink(limit_, doomed);
  }

  void* reallocate(void* data, std::size_t size) {
    if (data == nullptr) return allocate(size, false);
    const std::size_t capacity = Block::of(data).size_class.capacity;
    if (size <= capacity && size >= capacity / 2) return data;
    void* const moved = allocate(size, false);
    if (moved == nullptr) return nullptr;
    std::memcpy(moved, data, std::min(size, capacity));
    free(data);
    return moved;
  }

  void trim() {
    Doomed doomed;
    const std::scoped_lock lock(mutex);
    shrink(0, doomed);
  }

  /// From now on the pool keeps no memory.
  void close() {
    Doomed doomed;
    const std::scoped_lock lock(mutex);
    shrink(limit_ = 0, doomed);
  }

  Statistics statistics() const {
    const std::scoped_lock lock(mutex);
    return statistics_;
  }

 private:
  /// The block that was freed last is most likely to be in a cache.
  Block* take(SizeClass c) {
    const std::scoped_lock lock(mutex);
    BySize& blocks = by_size_[c.index];
    if (blocks.alone()) {
      ++statistics_.misses;
      return nullptr;
    }
    ++statistics_.hits;
    auto* const block = static_cast<Block*>(blocks.previous);
    remove(*block);
    return block;
  }

  void shrink(std::size_t limit, Doomed& doomed) {
    while (statistics_.held > limit) {
      auto& oldest = static_cast<Block&>(*by_age_.next);
      remove(oldest);
      doomed.append(oldest);
    }
  }

  void remove(Block& block) {
    block.ByAge::remove();
    block.BySize::remove();
    statistics_.held -= block.bytes;
  }

  static Pool& of(void* context) { return *static_cast<Pool*>(context); }

  PyDataMem_Handler handler_ = {
      "fastact.memory_pool",
      1,
      {this, [](void* context, std::size_t size) { return of(context).allocate(size, false); },
       [](void* context, std::size_t n, std::size_t size) -> void* {
         return size != 0 && n > PTRDIFF_MAX / size ? nullptr : of(context).allocate(n * size, true);
       },
       [](void* context, void* data, std::size_t size) { return of(context).reallocate(data, size); },
       [](void* context, void* data, std::size_t) { of(context).free(data); }}};
  ByAge by_age_;
  std::array<BySize, SizeClass::count> by_size_;
  std::size_t limit_;
  Statistics statistics_;
};

/// The Python object of a pool. Arrays hold only the capsule. After the Python object has been destroyed, the pool
/// still frees their memory, but keeps none, because nobody could use it.
class Handle {
 public:
  explicit Handle(py::ssize_t limit) {
    if (limit < 0) throw std::invalid_argument("limit is " + std::to_string(limit) + "; limit >= 0 is required");
    auto pool = std::make_unique<Pool>(static_cast<std::size_t>(limit));
    capsule_ = py::reinterpret_steal<py::object>(PyCapsule_New(pool->handler(), capsule_name, [](PyObject* capsule) {
      delete static_cast<Pool*>(
          static_cast<PyDataMem_Handler*>(PyCapsule_GetPointer(capsule, capsule_name))->allocator.ctx);
    }));
    if (!capsule_) throw py::error_already_set();
    pool_ = pool.release();
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { pool_->close(); }

  py::object capsule() const { return capsule_; }
  void trim() { pool_->trim(); }
  py::dict statistics() const {
    using namespace py::literals;
    const Statistics s = pool_->statistics();
    return py::dict("hits"_a = s.hits, "misses"_a = s.misses, "bytes_held"_a = s.held);
  }

 private:
  py::object capsule_;
  Pool* pool_;
};

py::object set_handler(const py::object& capsule) {
  const auto before = py::reinterpret_steal<py::object>(PyDataMem_SetHandler(capsule.ptr()));
  if (!before) throw py::error_already_set();
  return before;
}

}  // namespace

void add_pool(py::module_& m) {
  py::class_<Handle>(m, "Pool")
      .def(py::init<py::ssize_t>(), py::arg("limit"))
      .def_property_readonly("handler", &Handle::capsule)
      .def("trim", &Handle::trim)
      .def("statistics", &Handle::statistics);
  m.def("set_handler", &set_handler, py::arg("handler"));
}

}  // namespace fastact::numpy
