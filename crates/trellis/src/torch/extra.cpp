// What libtorch can do and `tch` does not offer. Each function gives 0, or -1 with a message in `last_error`.
// The headers are those of the processor build: the graphics card's allocator is reached through its common interface.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/AllocatorConfig.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <cstdint>
#include <cstring>
#include <exception>
#include <string>

namespace {

thread_local std::string message;

template <typename Work> int guarded(Work work) {
    try {
        work();
        return 0;
    } catch (const std::exception& error) {
        message = error.what();
    } catch (...) {
        message = "unknown C++ exception";
    }
    return -1;
}

c10::DeviceAllocator* cuda_allocator() {
    at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
    return at::getDeviceAllocator(c10::DeviceType::CUDA);
}

std::size_t aggregate(const c10::CachingAllocator::StatArray& stats, bool peak) {
    const auto& all = stats[static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE)];
    return static_cast<std::size_t>(peak ? all.peak : all.current);
}

} // namespace

extern "C" {

const char* bozzetto_last_error() { return message.c_str(); }

// Free and total bytes of the card; bytes of tensors now and at most; bytes held by the cache now and at most.
int bozzetto_cuda_memory(int device, std::uint64_t* out) {
    return guarded([&] {
        auto* allocator = cuda_allocator();
        const auto index = static_cast<c10::DeviceIndex>(device);
        const auto info = allocator->getMemoryInfo(index);
        const auto stats = allocator->getDeviceStats(index);
        out[0] = info.first;
        out[1] = info.second;
        out[2] = aggregate(stats.allocated_bytes, false);
        out[3] = aggregate(stats.allocated_bytes, true);
        out[4] = aggregate(stats.reserved_bytes, false);
        out[5] = aggregate(stats.reserved_bytes, true);
    });
}

// Has the cache grow and shrink what it holds by pages. The environment's own settings (PYTORCH_ALLOC_CONF) come first.
int bozzetto_use_expandable_segments() {
    return guarded([] {
        if (c10::CachingAllocator::getAllocatorSettings().empty()) {
            c10::CachingAllocator::setAllocatorSettings("expandable_segments:True");
        }
    });
}

int bozzetto_cuda_empty_cache() {
    return guarded([] { cuda_allocator()->emptyCache(); });
}

int bozzetto_cuda_reset_peak(int device) {
    return guarded([&] { cuda_allocator()->resetPeakStats(static_cast<c10::DeviceIndex>(device)); });
}

// The processor's default generator: `torch.get_rng_state`. `out` has room for `room` bytes; `length` gets the size.
int bozzetto_random_state(unsigned char* out, std::size_t room, std::size_t* length) {
    return guarded([&] {
        auto generator = at::detail::getDefaultCPUGenerator();
        const std::lock_guard<std::mutex> lock(generator.mutex());
        const auto state = generator.get_state();
        *length = state.numel();
        if (out != nullptr && room >= *length) {
            std::memcpy(out, state.data_ptr(), *length);
        }
    });
}

int bozzetto_set_random_state(const unsigned char* bytes, std::size_t length) {
    return guarded([&] {
        auto generator = at::detail::getDefaultCPUGenerator();
        auto state = at::empty({static_cast<std::int64_t>(length)}, at::kByte);
        std::memcpy(state.data_ptr(), bytes, length);
        const std::lock_guard<std::mutex> lock(generator.mutex());
        generator.set_state(state);
    });
}

}
