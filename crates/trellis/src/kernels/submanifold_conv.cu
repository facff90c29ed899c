// A submanifold convolution of 3 x 3 x 3 in half precision, summed in f32, as one matrix product that gathers its own rows
// (implicit GEMM). Compiled at run time for the card that is there: compute capability 8.0 and later.
//
// A block computes BM voxels by BN channels. It reads the voxels' neighbours once, finds out which of the 27 offsets any of
// them has, and goes through those alone. Rows and weights come through a ring of STAGES buffers, filled without waiting
// (cp.async); 16-byte pieces are swizzled so that ldmatrix meets no bank twice. Each warp multiplies WM rows by WN channels
// with mma.m16n8k16.
//
// Voxels are computed in any order: `in_rows` says whose neighbours a row takes, `out_rows` where its result goes, -1 for
// rows that only fill a block up. So voxels that have the same neighbours can stand together, and rows that use another part
// of the weights too: `tile_parts` names the part, of `out_channels` rows, for each block of rows.
//
// Where `skip` is not null, row `places[r]` of it, `skip_channels` long, is added to row `r` of the result, each of its channels
// `skip_repeat` times over.
//
// BM, BN, WM, WN, BK and STAGES come from the compiler's options: `conv.rs` says which. In channels are a multiple of BK, out
// channels one of BN.

typedef unsigned int u32;
typedef unsigned short f16;
typedef long long i64;

constexpr int OFFSETS = 27;
constexpr int WARPS_N = BN / WN;
constexpr int THREADS = BM / WM * WARPS_N * 32;
constexpr int TILES_M = WM / 16;
constexpr int TILES_N = WN / 8;
constexpr int PIECES = BK / 8; // of 16 bytes, in a row of a buffer
constexpr int ROW_BYTES = BK * 2;
constexpr int A_BYTES = BM * ROW_BYTES;
constexpr int B_BYTES = BN * ROW_BYTES;
static_assert(BK == 32 || BK == 64, "other rows need another swizzle");
static_assert(BM % WM == 0 && BN % WN == 0 && WM % 16 == 0 && WN % 16 == 0, "tiles are made of whole products");
static_assert(BM % (THREADS / PIECES) == 0 && BN % (THREADS / PIECES) == 0, "threads copy whole buffers");

__device__ __forceinline__ u32 shared_address(const void* pointer) {
    return static_cast<u32>(__cvta_generic_to_shared(pointer));
}

// Where a 16-byte piece of a row lies in a buffer.
__device__ __forceinline__ u32 place(int row, int piece) {
    const int swizzle = BK == 32 ? (row >> 1) & 3 : row & 7;
    return row * ROW_BYTES + ((piece ^ swizzle) << 4);
}

// 16 bytes, or zeros where there is nothing to copy.
__device__ __forceinline__ void copy_piece(u32 to, const f16* from, bool is_there) {
    const int bytes = is_there ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes));
}

__device__ __forceinline__ void load_matrices(u32 (&out)[4], u32 address) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(address));
}

__device__ __forceinline__ void multiply_add(float (&sum)[4], const u32 (&a)[4], u32 b0, u32 b1) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

__device__ __forceinline__ float from_half(f16 value) {
    float out;
    asm("cvt.f32.f16 %0, %1;" : "=f"(out) : "h"(value));
    return out;
}

__device__ __forceinline__ u32 to_halves(float low, float high) {
    u32 out;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
    return out;
}

extern "C" __global__ void __launch_bounds__(THREADS)
    submanifold_conv(const f16* __restrict__ x, const int* __restrict__ neighbours, const int* __restrict__ in_rows,
                     const int* __restrict__ out_rows, const int* __restrict__ tile_parts,
                     const f16* __restrict__ weight, const f16* __restrict__ bias, f16* __restrict__ out, int num_voxels,
                     int in_channels, int out_channels, const f16* __restrict__ skip, const i64* __restrict__ places,
                     int skip_channels, int skip_repeat) {
    extern __shared__ __align__(128) unsigned char shared[];
    unsigned char* const a_buffers = shared;
    unsigned char* const b_buffers = shared + STAGES * A_BYTES;
    int* const near = reinterpret_cast<int*>(b_buffers + STAGES * B_BYTES); // [OFFSETS][BM]
    __shared__ u32 mask;
    __shared__ int offsets[OFFSETS];

    const int thread = threadIdx.x;
    const int lane = thread & 31;
    const int warp = thread >> 5;
    const int tiles_n = out_channels / BN;
    const int tile = blockIdx.x / tiles_n;
    const int column = (blockIdx.x % tiles_n) * BN;
    const int weight_row = tile_parts[tile] * out_channels + column;

    if (thread == 0) {
        mask = 0;
    }
    __syncthreads();
    u32 seen = 0;
    for (int i = thread; i < BM * OFFSETS; i += THREADS) {
        const int row = i / OFFSETS;
        const int offset = i - row * OFFSETS;
        const int voxel = in_rows[tile * BM + row];
        const int neighbour = voxel < 0 ? num_voxels : neighbours[static_cast<i64>(voxel) * OFFSETS + offset];
        near[offset * BM + row] = neighbour;
        seen |= static_cast<u32>(neighbour < num_voxels) << offset;
    }
    atomicOr(&mask, seen);
    __syncthreads();
    if (thread < OFFSETS && (mask >> thread & 1)) {
        offsets[__popc(mask & ((1u << thread) - 1))] = thread;
    }
    __syncthreads();
    const int chunks = in_channels / BK;
    const int steps = __popc(mask) * chunks;

    // What this thread copies at each step.
    const int copy_row = thread / PIECES;
    const int piece = thread % PIECES;
    const i64 weight_stride = static_cast<i64>(OFFSETS) * in_channels;
    const f16* const weights = weight + (weight_row + copy_row) * weight_stride + piece * 8;
    int next_offset = 0;
    int next_chunk = 0;
    auto copy_step = [&](int stage) {
        const int offset = offsets[next_offset];
        const int channel = next_chunk * BK + piece * 8;
        const u32 a = shared_address(a_buffers + stage * A_BYTES);
        const u32 b = shared_address(b_buffers + stage * B_BYTES);
#pragma unroll
        for (int i = 0; i < BM / (THREADS / PIECES); ++i) {
            const int row = copy_row + i * (THREADS / PIECES);
            const int neighbour = near[offset * BM + row];
            const bool is_there = neighbour < num_voxels;
            copy_piece(a + place(row, piece), x + (is_there ? static_cast<i64>(neighbour) * in_channels + channel : 0),
                       is_there);
        }
        const f16* const from = weights + offset * in_channels + next_chunk * BK;
#pragma unroll
        for (int i = 0; i < BN / (THREADS / PIECES); ++i) {
            const int row = i * (THREADS / PIECES);
            copy_piece(b + place(copy_row + row, piece), from + row * weight_stride, true);
        }
        if (++next_chunk == chunks) {
            next_chunk = 0;
            ++next_offset;
        }
    };

    float sums[TILES_M][TILES_N][4] = {};
    const int warp_row = (warp / WARPS_N) * WM;
    const int warp_column = (warp % WARPS_N) * WN;

    for (int stage = 0; stage < STAGES - 1; ++stage) {
        if (stage < steps) {
            copy_step(stage);
        }
        asm volatile("cp.async.commit_group;");
    }
    int stage = 0;
    int free_stage = STAGES - 1;
    for (int step = 0; step < steps; ++step) {
        asm volatile("cp.async.wait_group %0;" ::"n"(STAGES - 2));
        __syncthreads();
        if (step + STAGES - 1 < steps) {
            copy_step(free_stage);
        }
        asm volatile("cp.async.commit_group;");
        const u32 a = shared_address(a_buffers + stage * A_BYTES);
        const u32 b = shared_address(b_buffers + stage * B_BYTES);
        free_stage = stage;
        stage = stage + 1 == STAGES ? 0 : stage + 1;
#pragma unroll
        for (int k = 0; k < BK / 16; ++k) {
            u32 rows[TILES_M][4];
            u32 columns[TILES_N / 2][4];
#pragma unroll
            for (int m = 0; m < TILES_M; ++m) {
                load_matrices(rows[m], a + place(warp_row + m * 16 + (lane & 15), k * 2 + (lane >> 4)));
            }
#pragma unroll
            for (int n = 0; n < TILES_N / 2; ++n) {
                const int row = warp_column + n * 16 + ((lane >> 4) << 3) + (lane & 7);
                load_matrices(columns[n], b + place(row, k * 2 + ((lane >> 3) & 1)));
            }
#pragma unroll
            for (int m = 0; m < TILES_M; ++m) {
#pragma unroll
                for (int n = 0; n < TILES_N; ++n) {
                    multiply_add(sums[m][n], rows[m], columns[n >> 1][(n & 1) * 2], columns[n >> 1][(n & 1) * 2 + 1]);
                }
            }
        }
    }

#pragma unroll
    for (int m = 0; m < TILES_M; ++m) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int row = out_rows[tile * BM + warp_row + m * 16 + half * 8 + (lane >> 2)];
            if (row < 0) {
                continue;
            }
            const i64 start = static_cast<i64>(row) * out_channels + column;
            const f16* const added = skip ? skip + places[row] * skip_channels : nullptr;
#pragma unroll
            for (int n = 0; n < TILES_N; ++n) {
                const int at = warp_column + n * 8 + (lane & 3) * 2;
                const u32 shifts = *reinterpret_cast<const u32*>(bias + weight_row + at);
                const float low = sums[m][n][half * 2] + from_half(shifts & 0xffff);
                const float high = sums[m][n][half * 2 + 1] + from_half(shifts >> 16);
                u32 pair = to_halves(low, high);
                if (added) {
                    const int from = (column + at) / skip_repeat;
                    const int from_next = (column + at + 1) / skip_repeat;
                    // The convolution's result is rounded first, as where the sum is made apart from it.
                    pair = to_halves(from_half(pair & 0xffff) + from_half(added[from]),
                                     from_half(pair >> 16) + from_half(added[from_next]));
                }
                *reinterpret_cast<u32*>(out + start + at) = pair;
            }
        }
    }
}
