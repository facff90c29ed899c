// Queries and keys before attention: brought to one length, weighed, and turned by their tokens' places, in one pass over bf16
// numbers with sums in f32. A warp takes a vector (one token, one head) into its registers, so that it is read once and written
// once, in place.
//
// HEAD_DIM, a multiple of 64, comes from the compiler's options. Pairs of neighbouring channels are turned.

typedef long long i64;

constexpr int PAIRS = HEAD_DIM / 64; // of neighbouring channels, for each lane
static_assert(HEAD_DIM % 64 == 0, "lanes share channels evenly");

// Row `r` of `x` begins at `r * row_stride` numbers and starts with `num_heads` vectors of HEAD_DIM. `gamma` has a factor for
// each of them, the length that they get included. `phases` has cosine and sine of each pair for each of `num_places` rows, which
// repeat, or is null where nothing is turned.
extern "C" __global__ void query_key(u32* x, const float2* __restrict__ gamma, const float2* __restrict__ phases, i64 num_rows,
                                     i64 num_heads, i64 row_stride, i64 num_places) {
    const i64 vector = static_cast<i64>(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32;
    const int lane = threadIdx.x % 32;
    if (vector >= num_rows * num_heads) {
        return;
    }
    const i64 row = vector / num_heads;
    const i64 head = vector % num_heads;
    const i64 start = (row * row_stride + head * HEAD_DIM) / 2 + lane;
    float low[PAIRS];
    float high[PAIRS];
    float squares = 0.0f;
#pragma unroll
    for (int i = 0; i < PAIRS; ++i) {
        const u32 pair = x[start + i * 32];
        low[i] = low_of(pair);
        high[i] = high_of(pair);
        squares += low[i] * low[i] + high[i] * high[i];
    }
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
        squares += __shfl_xor_sync(0xffffffff, squares, step);
    }
    const float scale = 1.0f / fmaxf(sqrtf(squares), 1e-12f);
#pragma unroll
    for (int i = 0; i < PAIRS; ++i) {
        const int place = lane + i * 32;
        const float2 factor = gamma[head * (HEAD_DIM / 2) + place];
        float a = low[i] * scale * factor.x;
        float b = high[i] * scale * factor.y;
        if (phases) {
            // The norm's result is rounded first, as where the two are apart.
            const u32 pair = to_pair(a, b);
            a = low_of(pair);
            b = high_of(pair);
            const float2 phase = phases[(row % num_places) * (HEAD_DIM / 2) + place];
            const float turned = a * phase.x - b * phase.y;
            b = a * phase.y + b * phase.x;
            a = turned;
        }
        x[start + i * 32] = to_pair(a, b);
    }
}
