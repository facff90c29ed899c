// What happens to tokens between the linear layers of a transformer block, in one pass over bf16 numbers with sums in f32: what
// a branch gives is added to the tokens, and they are normalized, weighed and shifted for the next; or they go through GELU. What
// comes out is bf16, or 8-bit with a scale for each row. WARPS warps take a row into their registers, so that it is read once.
//
// From the compiler's options: CHANNELS, a multiple of 128 * WARPS; WARPS; STEP: 0 is none, others see below; MODULATED, whether results are rounded
// to bf16 before they are weighed and before they are shifted, as where these are operations of their own; EIGHT, whether 8-bit
// numbers come out.

typedef unsigned short u16;
typedef long long i64;

constexpr int NORM = 1;
constexpr int GELU = 2;
constexpr int QUADS = CHANNELS / 128 / WARPS; // of neighbouring channels, for each lane
constexpr int ROWS = 8 / WARPS;               // for each block of threads
static_assert(CHANNELS % (128 * WARPS) == 0 && 8 % WARPS == 0, "lanes share channels evenly");

__device__ __forceinline__ void take(uint2 quad, float (&values)[4]) {
    values[0] = low_of(quad.x);
    values[1] = high_of(quad.x);
    values[2] = low_of(quad.y);
    values[3] = high_of(quad.y);
}

__device__ __forceinline__ uint2 to_quad(const float (&values)[4]) {
    return make_uint2(to_pair(values[0], values[1]), to_pair(values[2], values[3]));
}

__device__ __forceinline__ void round_all(float (&values)[4]) { take(to_quad(values), values); }

__device__ __forceinline__ float gelu(float x) {
    float tanh;
    asm("tanh.approx.f32 %0, %1;" : "=f"(tanh) : "f"(0.7978845608f * (x + 0.044715f * x * x * x)));
    return 0.5f * x * (1.0f + tanh);
}

// Over the threads of a row; `best` takes two numbers to one. All threads of the block come here.
template <typename Best> __device__ __forceinline__ float over_row(float x, Best best) {
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
        x = best(x, __shfl_xor_sync(0xffffffff, x, step));
    }
    if (WARPS > 1) {
        __shared__ float of_warps[8];
        const int warp = threadIdx.x / 32;
        __syncthreads();
        of_warps[warp] = x;
        __syncthreads();
        const int first = warp / WARPS * WARPS;
        x = of_warps[first];
#pragma unroll
        for (int other = 1; other < WARPS; ++other) {
            x = best(x, of_warps[first + other]);
        }
    }
    return x;
}

#if EIGHT
constexpr float LARGEST = 448.0f; // of 8-bit numbers with 4 bits of exponent

__device__ __forceinline__ u32 to_eight_bits(const float (&values)[4], float factor) {
    u16 low;
    u16 high;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(low) : "f"(values[1] * factor), "f"(values[0] * factor));
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(high) : "f"(values[3] * factor), "f"(values[2] * factor));
    return static_cast<u32>(high) << 16 | low;
}
#endif

// `x`: rows of tokens, which change where `added` is not null; its rows begin `added_stride` numbers apart. `gate` weighs what is
// added, channel by channel, and may be null, as `weight` and `shift` may. `out` may be null, or `x` itself.
extern "C" __global__ void token_rows(u32* x, const u32* added, i64 added_stride, const u32* __restrict__ gate,
                                      const u32* __restrict__ weight, const u32* __restrict__ shift, u32* out,
                                      float* __restrict__ out_scales, i64 num_rows, float epsilon) {
    const int thread = threadIdx.x % (32 * WARPS);
    const i64 own_row = static_cast<i64>(blockIdx.x) * ROWS + threadIdx.x / (32 * WARPS);
    // Threads beyond the last row do as those of the last, but write nothing.
    const bool is_row = own_row < num_rows;
    const i64 row = is_row ? own_row : num_rows - 1;
    uint2* const tokens = reinterpret_cast<uint2*>(x) + row * (CHANNELS / 4);
    float values[QUADS][4];
#pragma unroll
    for (int i = 0; i < QUADS; ++i) {
        take(tokens[thread + i * 32 * WARPS], values[i]);
    }
    if (added) {
        const uint2* const more = reinterpret_cast<const uint2*>(added + row * added_stride / 2);
#pragma unroll
        for (int i = 0; i < QUADS; ++i) {
            const int place = thread + i * 32 * WARPS;
            float of_branch[4];
            take(more[place], of_branch);
            if (gate) {
                float gates[4];
                take(reinterpret_cast<const uint2*>(gate)[place], gates);
#pragma unroll
                for (int k = 0; k < 4; ++k) {
                    of_branch[k] *= gates[k];
                }
                round_all(of_branch);
            }
#pragma unroll
            for (int k = 0; k < 4; ++k) {
                values[i][k] += of_branch[k];
            }
            const uint2 sum = to_quad(values[i]);
            if (is_row) {
                tokens[place] = sum;
            }
            take(sum, values[i]);
        }
    }
    if (!out) {
        return;
    }
    if (STEP == NORM) {
        const auto plus = [](float a, float b) { return a + b; };
        float sum = 0.0f;
#pragma unroll
        for (int i = 0; i < QUADS; ++i) {
            sum += (values[i][0] + values[i][1]) + (values[i][2] + values[i][3]);
        }
        const float mean = over_row(sum, plus) / CHANNELS;
        float squares = 0.0f;
#pragma unroll
        for (int i = 0; i < QUADS; ++i) {
#pragma unroll
            for (int k = 0; k < 4; ++k) {
                values[i][k] -= mean;
                squares += values[i][k] * values[i][k];
            }
        }
        const float scale = rsqrtf(over_row(squares, plus) / CHANNELS + epsilon);
#pragma unroll
        for (int i = 0; i < QUADS; ++i) {
            const int place = thread + i * 32 * WARPS;
            float weights[4];
            float shifts[4];
            take(reinterpret_cast<const uint2*>(weight)[place], weights);
            take(reinterpret_cast<const uint2*>(shift)[place], shifts);
#pragma unroll
            for (int k = 0; k < 4; ++k) {
                values[i][k] *= scale;
            }
            if (MODULATED) {
                round_all(values[i]);
            }
#pragma unroll
            for (int k = 0; k < 4; ++k) {
                values[i][k] *= weights[k];
            }
            if (MODULATED) {
                round_all(values[i]);
            }
#pragma unroll
            for (int k = 0; k < 4; ++k) {
                values[i][k] += shifts[k];
            }
        }
    } else if (STEP == GELU) {
#pragma unroll
        for (int i = 0; i < QUADS; ++i) {
#pragma unroll
            for (int k = 0; k < 4; ++k) {
                values[i][k] = gelu(values[i][k]);
            }
        }
    }
#if EIGHT
    float largest = 0.0f;
#pragma unroll
    for (int i = 0; i < QUADS; ++i) {
#pragma unroll
        for (int k = 0; k < 4; ++k) {
            largest = fmaxf(largest, fabsf(values[i][k]));
        }
    }
    largest = over_row(largest, [](float a, float b) { return fmaxf(a, b); });
    const float factor = largest > 0.0f ? LARGEST / largest : 1.0f;
    if (is_row) {
#pragma unroll
        for (int i = 0; i < QUADS; ++i) {
            out[row * (CHANNELS / 4) + thread + i * 32 * WARPS] = to_eight_bits(values[i], factor);
        }
        if (thread == 0) {
            out_scales[row] = 1.0f / factor;
        }
    }
#else
    if (is_row) {
#pragma unroll
        for (int i = 0; i < QUADS; ++i) {
            reinterpret_cast<uint2*>(out)[row * (CHANNELS / 4) + thread + i * 32 * WARPS] = to_quad(values[i]);
        }
    }
#endif
}
