// Layer norm of rows of half-precision numbers, summed in f32, with the SiLU that may follow it: a warp takes a row into its
// registers, so that it is read once and written once whatever its length.
//
// CHANNELS, a multiple of 64, comes from the compiler's options.

typedef unsigned int u32;
typedef unsigned short f16;
typedef long long i64;

constexpr int PAIRS = CHANNELS / 64; // of neighbouring channels, for each lane
static_assert(CHANNELS % 64 == 0, "lanes share channels evenly");

__device__ __forceinline__ float from_half(u32 value) {
    float out;
    asm("cvt.f32.f16 %0, %1;" : "=f"(out) : "h"(static_cast<f16>(value)));
    return out;
}

__device__ __forceinline__ u32 to_halves(float low, float high) {
    u32 out;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
    return out;
}

__device__ __forceinline__ float sum_of_warp(float x) {
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
        x += __shfl_xor_sync(0xffffffff, x, step);
    }
    return x;
}

__device__ __forceinline__ float silu(float x) { return x / (1.0f + __expf(-x)); }

// `weight` and `bias` are null for a norm without them. What comes out is half, or f32 where `out_f32` is not null.
extern "C" __global__ void layer_norm(const u32* __restrict__ x, const u32* __restrict__ weight,
                                      const u32* __restrict__ bias, u32* out, float2* __restrict__ out_f32, i64 num_rows,
                                      float epsilon, int has_silu) {
    const i64 row = static_cast<i64>(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32;
    const int lane = threadIdx.x % 32;
    if (row >= num_rows) {
        return;
    }
    const i64 start = row * (CHANNELS / 2) + lane;
    float low[PAIRS];
    float high[PAIRS];
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < PAIRS; ++i) {
        const u32 pair = x[start + i * 32];
        low[i] = from_half(pair & 0xffff);
        high[i] = from_half(pair >> 16);
        sum += low[i] + high[i];
    }
    const float mean = sum_of_warp(sum) / CHANNELS;
    float squares = 0.0f;
#pragma unroll
    for (int i = 0; i < PAIRS; ++i) {
        low[i] -= mean;
        high[i] -= mean;
        squares += low[i] * low[i] + high[i] * high[i];
    }
    const float scale = rsqrtf(sum_of_warp(squares) / CHANNELS + epsilon);
#pragma unroll
    for (int i = 0; i < PAIRS; ++i) {
        float a = low[i] * scale;
        float b = high[i] * scale;
        if (weight) {
            const u32 weights = weight[lane + i * 32];
            const u32 shifts = bias[lane + i * 32];
            a = a * from_half(weights & 0xffff) + from_half(shifts & 0xffff);
            b = b * from_half(weights >> 16) + from_half(shifts >> 16);
        }
        if (out_f32) {
            out_f32[start + i * 32] = make_float2(a, b);
            continue;
        }
        u32 pair = to_halves(a, b);
        if (has_silu) {
            // The norm's result is rounded first, as where the two are apart.
            pair = to_halves(silu(from_half(pair & 0xffff)), silu(from_half(pair >> 16)));
        }
        out[start + i * 32] = pair;
    }
}
