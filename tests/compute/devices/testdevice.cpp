// An out-of-tree PyTorch device ("testgpu", PrivateUse1) that behaves as XPU_DOCTOR_TEST_DEVICE says:
//   fallback   every operator is copied to the CPU by PyTorch's own boxed fallback: the silent fallback
//   native     a matmul kernel is registered for the device, and runs on this process's CPU threads
//   elsewhere  the matmul runs in another process, through a queue: stands for a GPU of any chosen speed
//   zeros      what is read back from the device is zeros;       nan   every product is NaN
//   oom        large allocations are refused;   lost   the device is lost at the Nth product
//   hang       the Nth product never ends;      crash  the Nth product kills the process
// XPU_DOCTOR_TEST_AFTER is N (default 6). For `elsewhere`: _GFLOPS (0: compute for real, as fast as it goes),
// _WAIT (spin or block) and _QUEUE (async or sync), each with the prefix XPU_DOCTOR_TEST.
#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <ATen/Parallel.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/core/impl/alloc_cpu.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <torch/library.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <map>
#include <mutex>
#include <string>

namespace {

std::string setting(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : otherwise;
}

const std::string MODE = setting("XPU_DOCTOR_TEST_DEVICE", "fallback");
const long AFTER = std::stol(setting("XPU_DOCTOR_TEST_AFTER", "6"));
const double GFLOPS = std::stod(setting("XPU_DOCTOR_TEST_GFLOPS", "0"));
const bool SPIN = setting("XPU_DOCTOR_TEST_WAIT", "block") == "spin";
const bool ASYNC = setting("XPU_DOCTOR_TEST_QUEUE", "async") == "async";
const bool ELSEWHERE = MODE == "elsewhere";
constexpr size_t OOM_LIMIT = size_t(64) << 10;
constexpr size_t ARENA = size_t(1) << 30;
constexpr uint32_t SLOTS = 4096;

c10::Device device() { return c10::Device(c10::DeviceType::PrivateUse1, 0); }

// ------------------------------------------------------------------------------- the other process

struct Command {
  void *a, *b, *c;
  int64_t m, n, k, generation;
  c10::ScalarType type;
};

struct Queue {
  std::atomic<uint32_t> pushed, done;
  Command slots[SLOTS];
};

Queue* queue = nullptr;
char* arena = nullptr;
int64_t generation = 0;

void futex_wait(std::atomic<uint32_t>* word, uint32_t seen) {
  timespec limit{0, 100000000};
  syscall(SYS_futex, word, FUTEX_WAIT, seen, &limit, nullptr, 0);
}
void futex_wake(std::atomic<uint32_t>* word) { syscall(SYS_futex, word, FUTEX_WAKE, 64, nullptr, nullptr, 0); }

double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

void sleep_until(double when) {
  timespec t{time_t(when), long((when - time_t(when)) * 1e9)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) != 0) {
  }
}

at::Tensor host_view(void* data, int64_t rows, int64_t columns, c10::ScalarType type) {
  return at::from_blob(data, {rows, columns}, at::TensorOptions().dtype(type).device(at::kCPU));
}

// Works through the queue in order. A product of unchanged inputs is computed once and handed out again, so that a
// device faster than this machine can be modelled; the pace is kept against the clock.
[[noreturn]] void serve() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int fd = 0; fd < 256; fd++) close(fd);
  at::set_num_threads(1);
  at::Tensor kept;
  Command last{};
  double free_at = 0;
  for (uint32_t next = 0;;) {
    uint32_t pushed = queue->pushed.load();
    if (pushed == next) {
      futex_wait(&queue->pushed, pushed);
      if (getppid() == 1) _exit(0);
      continue;
    }
    const Command& command = queue->slots[next % SLOTS];
    double started = std::max(now(), free_at);
    at::Tensor out = host_view(command.c, command.m, command.n, command.type);
    bool same = command.a == last.a && command.b == last.b && command.m == last.m && command.n == last.n &&
                command.generation == last.generation && command.type == last.type;
    if (GFLOPS <= 0 || !same) {
      at::Tensor a = host_view(command.a, command.m, command.k, command.type), b = host_view(command.b, command.k, command.n, command.type);
      kept = at::mm(a.to(at::kFloat), b.to(at::kFloat)).to(command.type);  // some CPUs multiply float16 a thousand times slower
      last = command;
    }
    out.copy_(kept);
    if (GFLOPS > 0) {
      free_at = started + 2.0 * command.m * command.n * command.k / (GFLOPS * 1e9);
      if (free_at > now()) sleep_until(free_at);
    }
    queue->done.store(++next);
    futex_wake(&queue->done);
  }
}

void start_other_process() {
  if (!ELSEWHERE || queue) return;
  auto shared = [](size_t size) { return mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0); };
  queue = new (shared(sizeof(Queue))) Queue();
  arena = static_cast<char*>(shared(ARENA));
  if (fork() == 0) serve();
}

bool finished(int64_t ticket) { return !queue || int32_t(queue->done.load() - uint32_t(ticket)) >= 0; }
int64_t ticket() { return queue ? queue->pushed.load() : 0; }

void synchronize() {
  if (!queue) return;
  uint32_t wanted = queue->pushed.load();
  for (uint32_t seen = queue->done.load(); int32_t(seen - wanted) < 0; seen = queue->done.load())
    if (!SPIN) futex_wait(&queue->done, seen);
}

// ------------------------------------------------------------------------------- memory

std::atomic<int64_t> held_bytes{0};
std::mutex lock;
std::map<char*, size_t> used;  // of the arena

char* arena_take(size_t size) {
  std::lock_guard<std::mutex> guard(lock);
  char* candidate = arena;
  for (auto& [start, length] : used) {
    if (size_t(start - candidate) >= size) break;
    candidate = start + length;
  }
  TORCH_CHECK_WITH(OutOfMemoryError, candidate + size <= arena + ARENA, "testgpu out of memory");
  used[candidate] = size;
  return candidate;
}

void release(void* pointer) {
  if (!pointer) return;
  char* start = static_cast<char*>(pointer) - 64;
  held_bytes -= *reinterpret_cast<int64_t*>(start);
  if (arena && start >= arena && start < arena + ARENA) {
    std::lock_guard<std::mutex> guard(lock);
    used.erase(start);
  } else {
    c10::free_cpu(start);
  }
}

struct Allocator final : c10::Allocator {
  c10::DataPtr allocate(size_t size) override {
    TORCH_CHECK_WITH(OutOfMemoryError, MODE != "oom" || size < OOM_LIMIT, "testgpu out of memory. Tried to allocate ", size, " bytes.");
    size_t whole = (size + 64 + 4095) / 4096 * 4096;
    char* start = ELSEWHERE ? arena_take(whole) : static_cast<char*>(c10::alloc_cpu(whole));
    *reinterpret_cast<int64_t*>(start) = int64_t(size);
    held_bytes += int64_t(size);
    return {start + 64, start + 64, &release, device()};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t size) const override { memcpy(to, from, size); }
};
Allocator allocator;
REGISTER_ALLOCATOR(c10::DeviceType::PrivateUse1, &allocator);

struct Guard final : c10::impl::DeviceGuardImplInterface {
  static constexpr c10::DeviceType static_type = c10::DeviceType::PrivateUse1;
  c10::DeviceType type() const override { return static_type; }
  c10::Device exchangeDevice(c10::Device) const override { return device(); }
  c10::Device getDevice() const override { return device(); }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device d) const override { return c10::Stream(c10::Stream::DEFAULT, d); }
  c10::Stream exchangeStream(c10::Stream s) const override { return s; }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard);

// ------------------------------------------------------------------------------- operators

using at::Tensor;
template <class T>
using Opt = std::optional<T>;

Tensor empty(c10::IntArrayRef sizes, Opt<at::ScalarType> type, Opt<c10::Layout>, Opt<c10::Device>, Opt<bool>, Opt<at::MemoryFormat> format) {
  return at::detail::empty_generic(sizes, &allocator, c10::DispatchKeySet(c10::DispatchKey::PrivateUse1), c10::dtype_or_default(type), format);
}

Tensor empty_strided(c10::IntArrayRef sizes, c10::IntArrayRef strides, Opt<at::ScalarType> type, Opt<c10::Layout>, Opt<c10::Device>, Opt<bool>) {
  return at::detail::empty_strided_generic(sizes, strides, &allocator, c10::DispatchKeySet(c10::DispatchKey::PrivateUse1), c10::dtype_or_default(type));
}

Tensor cpu_view(const Tensor& tensor) {
  if (tensor.is_cpu()) return tensor;
  std::vector<int64_t> sizes = tensor.sizes().vec(), strides = tensor.strides().vec();
  return at::for_blob(tensor.data_ptr(), sizes).strides(strides).options(at::TensorOptions().dtype(tensor.scalar_type()).device(at::kCPU)).make_tensor();
}

Tensor copy_from(const Tensor& from, const Tensor& to, bool) {
  synchronize();
  if (!to.is_cpu()) generation++;
  if (MODE == "zeros" && to.is_cpu()) return to.zero_();
  cpu_view(to).copy_(cpu_view(from));
  return to;
}

Tensor copy_from_and_resize(const Tensor& from, const Tensor& to) {
  to.resize_(from.sizes());
  return copy_from(from, to, false);
}

const Tensor& resize(const Tensor& tensor, c10::SymIntArrayRef symbolic, Opt<at::MemoryFormat>) {
  auto sizes = C10_AS_INTARRAYREF_SLOW(symbolic);
  size_t bytes = c10::multiply_integers(sizes) * tensor.itemsize();
  auto* impl = tensor.unsafeGetTensorImpl();
  auto storage = impl->unsafe_storage();
  if (storage.nbytes() < bytes) {
    storage.set_data_ptr_noswap(allocator.allocate(bytes));
    storage.set_nbytes(bytes);
  }
  impl->set_sizes_contiguous(sizes);
  return tensor;
}

std::atomic<long> products{0};

Tensor mm(const Tensor& a, const Tensor& b) {
  long number = ++products;
  if (number >= AFTER) {
    TORCH_CHECK(MODE != "lost", "level_zero backend failed with error: 20 (UR_RESULT_ERROR_DEVICE_LOST)");
    if (MODE == "hang") for (;;) pause();
    if (MODE == "crash") raise(SIGSEGV);
  }
  Tensor c = at::empty({a.size(0), b.size(1)}, a.options());
  if (ELSEWHERE) {
    while (queue->pushed.load() - queue->done.load() >= SLOTS - 1) usleep(100);
    queue->slots[queue->pushed.load() % SLOTS] = {a.data_ptr(), b.data_ptr(), c.data_ptr(), a.size(0), b.size(1), a.size(1), generation, a.scalar_type()};
    queue->pushed++;
    futex_wake(&queue->pushed);
    if (!ASYNC) synchronize();
    return c;
  }
  Tensor out = cpu_view(c);
  at::mm_out(out, cpu_view(a), cpu_view(b));
  if (MODE == "nan") out.fill_(std::nan(""));
  return c;
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", &empty);
  m.impl("empty_strided", &empty_strided);
  m.impl("resize_", &resize);
  m.impl("as_strided", &at::native::as_strided_tensorimpl);
  m.impl("view", &at::native::view);
  m.impl("_copy_from", &copy_from);
  m.impl("_copy_from_and_resize", &copy_from_and_resize);
  if (MODE != "fallback") m.impl("mm", &mm);
}

void to_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  synchronize();
  generation++;
  at::native::cpu_fallback(op, stack);
}
TORCH_LIBRARY_IMPL(_, PrivateUse1, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&to_cpu>()); }

}  // namespace

extern "C" {
void testgpu_start() { start_other_process(); }
void testgpu_synchronize() { synchronize(); }
int64_t testgpu_ticket() { return ticket(); }
int testgpu_finished(int64_t number) { return finished(number); }
int64_t testgpu_bytes() { return held_bytes; }
}
