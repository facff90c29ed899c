// Pairs of neighbouring bf16 numbers. The sources of kernels on them begin with this.

typedef unsigned int u32;

__device__ __forceinline__ float low_of(u32 pair) { return __uint_as_float(pair << 16); }

__device__ __forceinline__ float high_of(u32 pair) { return __uint_as_float(pair & 0xffff0000u); }

__device__ __forceinline__ u32 to_pair(float low, float high) {
    u32 out;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
    return out;
}

