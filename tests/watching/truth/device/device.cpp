// A torch device called `xpu` whose memory is the machine's and whose engines are simulated.
//
// Every operator is computed on the processor; those in HEAVY then keep an engine of the GPU busy, by sleeping, for as long as the program
// said. The time, and the memory that is held, stand in a file of one DRM client that the process keeps open, as it would keep
// /dev/dri/renderD128 open: a forked child inherits it, and the kernel says who has it.

#include <ATen/EmptyTensor.h>
#include <ATen/detail/XPUHooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/set_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/Allocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>

namespace {

constexpr int MOST_GPUS = 4;

struct Client {  // `tests/watching/truth/clients.py` reads this
  uint64_t id, gpu, busy_ns, local_bytes, system_bytes, operators, peak_bytes, allocations;
};

thread_local int current = 0;
int count = 1;
std::atomic<int64_t> cost_ns{0};
uint64_t local_limit[MOST_GPUS];
Client* clients[MOST_GPUS];
std::mutex guard;
std::string folder;

void configure() {
  const char* named = std::getenv("SIMULATED_GPUS");
  folder = named ? named : "";
  if (const char* sizes = std::getenv("SIMULATED_GPU_BYTES")) {  // one number for each GPU, with commas between them
    count = 0;
    for (const char* at = sizes; *at && count < MOST_GPUS;) {
      char* end = nullptr;
      local_limit[count++] = std::strtoull(at, &end, 10);
      at = *end ? end + 1 : end;
    }
  } else {
    local_limit[0] = UINT64_MAX;
  }
}

Client* client(int gpu) {
  std::lock_guard<std::mutex> held(guard);
  if (clients[gpu]) return clients[gpu];
  for (uint64_t id = 1; id < 100000; id++) {
    const std::string path = folder + "/clients/" + std::to_string(gpu) + "-" + std::to_string(id);
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) continue;
    TORCH_CHECK(fd >= 0 && ftruncate(fd, sizeof(Client)) == 0, "no simulated GPU at ", path);
    void* at = mmap(nullptr, sizeof(Client), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    TORCH_CHECK(at != MAP_FAILED, "no memory for a client");
    clients[gpu] = static_cast<Client*>(at);
    clients[gpu]->gpu = gpu;
    clients[gpu]->id = id;
    return clients[gpu];
  }
  TORCH_CHECK(false, "too many clients");
}

struct Block {
  int gpu;
  uint64_t bytes;
  bool local;
};
std::mutex blocks_guard;
std::unordered_map<void*, Block> blocks;

void release(void* at) {
  {
    std::lock_guard<std::mutex> held(blocks_guard);
    auto found = blocks.find(at);
    if (found != blocks.end()) {
      Client* of = clients[found->second.gpu];
      (found->second.local ? of->local_bytes : of->system_bytes) -= found->second.bytes;
      blocks.erase(found);
    }
  }
  std::free(at);
}

struct SimulatedAllocator final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    void* at = bytes ? std::calloc(1, bytes) : nullptr;
    if (at) {
      Client* of = client(current);
      std::lock_guard<std::mutex> held(blocks_guard);
      const bool local = of->local_bytes + bytes <= local_limit[current];
      blocks[at] = {current, bytes, local};
      (local ? of->local_bytes : of->system_bytes) += bytes;
      of->allocations++;
      of->peak_bytes = std::max(of->peak_bytes, of->local_bytes + of->system_bytes);
    }
    return {at, at, &release, c10::Device(c10::DeviceType::XPU, current)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { std::memcpy(to, from, bytes); }
};
SimulatedAllocator allocator;

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return c10::DeviceType::XPU; }
  c10::Device exchangeDevice(c10::Device to) const override {
    const int before = current;
    current = to.index() < 0 ? 0 : to.index();
    return {type(), static_cast<c10::DeviceIndex>(before)};
  }
  c10::Device getDevice() const override { return {type(), static_cast<c10::DeviceIndex>(current)}; }
  void setDevice(c10::Device to) const override { current = to.index() < 0 ? 0 : to.index(); }
  void uncheckedSetDevice(c10::Device to) const noexcept override { current = to.index() < 0 ? 0 : to.index(); }
  c10::Stream getStream(c10::Device of) const override {
    return c10::Stream(c10::Stream::DEFAULT, of.index() < 0 ? getDevice() : of);
  }
  c10::Stream getDefaultStream(c10::Device of) const override { return getStream(of); }
  c10::Stream exchangeStream(c10::Stream) const override { return getStream(getDevice()); }
  void record(void**, const c10::Stream&, const c10::DeviceIndex, const c10::EventFlag) const override {}
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  bool queryStream(const c10::Stream&) const override { return true; }
  void synchronizeStream(const c10::Stream&) const override {}
  void synchronizeEvent(void*) const override {}
  void synchronizeDevice(const c10::DeviceIndex) const override {}
  c10::DeviceIndex deviceCount() const noexcept override { return static_cast<c10::DeviceIndex>(count); }
};

struct XPUHooks final : at::XPUHooksInterface {  // torch looks for a class of this name
  void init() const override {}
  bool hasXPU() const override { return true; }
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  c10::DeviceIndex getNumGPUs() const override { return static_cast<c10::DeviceIndex>(count); }
  c10::DeviceIndex deviceCount() const override { return static_cast<c10::DeviceIndex>(count); }
  c10::DeviceIndex current_device() const override { return static_cast<c10::DeviceIndex>(current); }
  c10::DeviceIndex getCurrentDevice() const override { return static_cast<c10::DeviceIndex>(current); }
  void setCurrentDevice(c10::DeviceIndex to) const override { current = to; }
  bool hasPrimaryContext(c10::DeviceIndex of) const override { return clients[of] != nullptr; }
  void deviceSynchronize(c10::DeviceIndex) const override {}
};

const std::set<std::string> HEAVY = {
    "aten::mm", "aten::mm.out", "aten::addmm", "aten::addmm.out", "aten::bmm", "aten::bmm.out"};

// What torch for XPU has no kernel of, in its list of operators that run on the processor.
const std::set<std::string> LISTED = {
    "aten::_linalg_svd", "aten::_linalg_svd.U", "aten::_linalg_eigh", "aten::_linalg_eigh.eigenvalues", "aten::geqrf", "aten::geqrf.a",
    "aten::linalg_qr", "aten::linalg_qr.out"};

void work(int gpu) {
  const int64_t wanted = cost_ns;
  Client* of = client(gpu);
  of->operators++;
  if (wanted <= 0) return;
  timespec begin{}, end{}, rest{wanted / 1000000000, wanted % 1000000000};
  clock_gettime(CLOCK_MONOTONIC, &begin);
  nanosleep(&rest, nullptr);
  clock_gettime(CLOCK_MONOTONIC, &end);
  __atomic_fetch_add(&of->busy_ns, (end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec - begin.tv_nsec, __ATOMIC_RELAXED);
}

int gpu_of(const torch::jit::Stack& stack, size_t arguments) {
  for (size_t n = stack.size() - arguments; n < stack.size(); n++)
    if (stack[n].isTensor() && stack[n].toTensor().defined() && stack[n].toTensor().is_xpu()) return stack[n].toTensor().device().index();
  return current;
}

void tell_of_fallback(const c10::OperatorName& name) {
  static const char* wanted = std::getenv("PYTORCH_DEBUG_XPU_FALLBACK");
  if (wanted && std::atoi(wanted)) {
    TORCH_WARN("The operator '", name, " on the XPU backend is falling back to run on the CPU.");
  } else {
    TORCH_WARN_ONCE("Aten Op fallback from XPU to CPU happends.", " This may have performance implications.",
        " If need debug the fallback ops please set environment variable `PYTORCH_DEBUG_XPU_FALLBACK=1` ");
  }
}

void run(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto& name = op.operator_name();
  const std::string text = name.overload_name.empty() ? name.name : name.name + "." + name.overload_name;
  const int gpu = gpu_of(*stack, op.schema().arguments().size());
  const bool listed = LISTED.count(text) != 0;
  if (listed) tell_of_fallback(name);
  at::native::cpu_fallback(op, stack);
  if (HEAVY.count(text)) work(gpu);
}

at::Tensor on_cpu(const at::Tensor& of) {
  if (!of.is_xpu()) return of;
  return at::from_blob(of.data_ptr(), of.sizes(), of.strides(), of.options().device(at::kCPU));
}

struct On {
  explicit On(std::optional<c10::Device> device) : before(current) {
    if (device && device->index() >= 0) current = device->index();
    TORCH_CHECK(current < count, "invalid device ordinal");
  }
  ~On() { current = before; }
  int before;
};

at::Tensor empty(at::IntArrayRef size, std::optional<at::ScalarType> dtype, std::optional<at::Layout>, std::optional<at::Device> device,
                 std::optional<bool>, std::optional<at::MemoryFormat> format) {
  const On on(device);
  return at::detail::empty_generic(size, &allocator, c10::DispatchKeySet(c10::DispatchKey::XPU), c10::dtype_or_default(dtype), format);
}

at::Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride, std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
                         std::optional<at::Device> device, std::optional<bool>) {
  const On on(device);
  return at::detail::empty_strided_generic(size, stride, &allocator, c10::DispatchKeySet(c10::DispatchKey::XPU), c10::dtype_or_default(dtype));
}

at::Tensor& copy_(at::Tensor& self, const at::Tensor& from, bool) {
  if (self.numel() == 0) return self;
  at::Tensor to = on_cpu(self);
  to.copy_(on_cpu(from).expand(self.sizes()));
  return self;
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool) {
  at::Tensor self = to;
  copy_(self, from, false);
  return to;
}

const at::Tensor& resize_(const at::Tensor& self, at::IntArrayRef size, std::optional<at::MemoryFormat>) {
  auto* of = self.unsafeGetTensorImpl();
  of->set_sizes_contiguous(size);
  const size_t bytes = at::detail::computeStorageNbytesContiguous(size, self.itemsize(), self.storage_offset());
  if (bytes > self.storage().nbytes()) {
    const On on(self.device());
    auto storage = self.storage();
    storage.set_data_ptr_noswap(allocator.allocate(bytes));
    storage.set_nbytes(bytes);
  }
  return self;
}

at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  if (from.sizes() != to.sizes()) resize_(to, from.sizes(), std::nullopt);
  return copy_from(from, to, false);
}

at::Tensor as_strided(const at::Tensor& self, at::IntArrayRef size, at::IntArrayRef stride, std::optional<int64_t> offset) {
  return at::native::as_strided_tensorimpl(self, size, stride, offset);
}
at::Tensor view(const at::Tensor& self, at::IntArrayRef size) { return at::native::view(self, size); }
at::Tensor reshape_alias(const at::Tensor& self, at::IntArrayRef size, at::IntArrayRef stride) {
  return at::native::_reshape_alias(self, size, stride);
}

at::Tensor convolution(const at::Tensor& input, const at::Tensor& weight, const std::optional<at::Tensor>& bias, at::IntArrayRef stride,
                       at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed, at::IntArrayRef output_padding, int64_t groups) {
  const auto of = bias && bias->defined() ? std::optional<at::Tensor>(on_cpu(*bias)) : std::nullopt;
  const auto made = at::convolution(on_cpu(input), on_cpu(weight), of, stride, padding, dilation, transposed, output_padding, groups);
  work(input.device().index());
  return made.to(input.device());
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(
    const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight, at::IntArrayRef stride, at::IntArrayRef padding,
    at::IntArrayRef dilation, bool transposed, at::IntArrayRef output_padding, int64_t groups, std::array<bool, 3> wanted) {
  const int64_t channels = gradient.size(1);
  const auto made = at::convolution_backward(on_cpu(gradient), on_cpu(input), on_cpu(weight), at::IntArrayRef(&channels, 1), stride, padding,
                                             dilation, transposed, output_padding, groups, wanted);
  work(input.device().index());
  const auto back = [&](const at::Tensor& of) { return of.defined() ? of.to(input.device()) : of; };
  return {back(std::get<0>(made)), back(std::get<1>(made)), back(std::get<2>(made))};
}

}  // namespace

C10_REGISTER_GUARD_IMPL(XPU, Guard)

namespace at {
REGISTER_XPU_HOOKS(XPUHooks)
}  // namespace at

TORCH_LIBRARY_IMPL(_, XPU, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&run>()); }

TORCH_LIBRARY_IMPL(aten, XPU, m) {
  configure();
  c10::SetAllocator(c10::DeviceType::XPU, &allocator);
  m.impl("empty.memory_format", &empty);
  m.impl("empty_strided", &empty_strided);
  m.impl("copy_", &copy_);
  m.impl("_copy_from", &copy_from);
  m.impl("_copy_from_and_resize", &copy_from_and_resize);
  m.impl("resize_", &resize_);
  m.impl("as_strided", &as_strided);
  m.impl("convolution_overrideable", &convolution);
  m.impl("convolution_backward_overrideable", &convolution_backward);
  m.impl("view", &view);
  m.impl("_reshape_alias", &reshape_alias);
}

extern "C" {
int simulated_count() { return count; }
int simulated_current() { return current; }
void simulated_use(int gpu) { current = gpu; }
void simulated_cost(double seconds) { cost_ns = static_cast<int64_t>(seconds * 1e9); }
void simulated_open(int gpu) { client(gpu); }
uint64_t simulated_figure(int gpu, int which) {
  return clients[gpu] ? reinterpret_cast<uint64_t*>(clients[gpu])[which] : 0;
}
}
