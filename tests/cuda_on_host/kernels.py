"""Small CUDA programs, right ones and wrong ones, for tests of the device itself."""

from __future__ import annotations

# What kernels here find their arrays by, as an emitted program's do.
HEAD = """
#ifdef __CUDACC_RTC__
typedef unsigned char uint8_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
#endif
#ifndef SNN_SPIN
#define SNN_SPIN() __nanosleep(20)
#endif
#ifndef SNN_DYNAMIC_SHARED
extern __shared__ __align__(16) unsigned char snn_dynamic_shared[];
#define SNN_DYNAMIC_SHARED(type, name) type *const name = reinterpret_cast<type *>(snn_dynamic_shared)
#endif
struct Arrays { float *x, *y; uint32_t *u; uint32_t n; };
extern "C" {
__constant__ Arrays arrays;
}
"""

SAXPY = """
extern "C" __global__ void __launch_bounds__(64) saxpy()
{
    for (uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < arrays.n; i += gridDim.x * blockDim.x) {
        arrays.y[i] = fma(2.0f, arrays.x[i], arrays.y[i]);
    }
}
"""

# How many of the elements before each are odd: a vote in each warp, and the warps' counts in shared memory.
PREFIX = """
template <int WARPS> __device__ inline uint32_t prefix(bool mine)
{
    __shared__ uint32_t counts[WARPS];
    const uint32_t votes = __ballot_sync(0xffffffffu, mine), lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    if (lane == 0) {
        counts[warp] = __popc(votes);
    }
    __syncthreads();
    uint32_t before = __popc(votes & ((1u << lane) - 1u));
    for (uint32_t w = 0; w < warp; w++) {
        before += counts[w];
    }
    __syncthreads();
    return before;
}
extern "C" __global__ void odd_before()
{
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < arrays.n) { // not for all lanes of the last warp
        arrays.u[i] = prefix<4>(arrays.u[i] % 2 == 1);
    }
}
"""

TREE = """
extern "C" __global__ void tree()
{
    static __shared__ float part[128];
    const uint32_t t = threadIdx.x;
    part[t] = arrays.x[blockIdx.x * 128 + t];
    for (uint32_t half = 64; half >= 32; half /= 2) {
        __syncthreads();
        if (t < half) {
            part[t] += part[t + half];
        }
    }
    if (t < 32) {
        float sum = part[t];
        for (int half = 16; half > 0; half /= 2) {
            sum += __shfl_down_sync(0xffffffffu, sum, half);
        }
        if (t == 0) {
            arrays.y[blockIdx.x] = sum;
        }
    }
}
"""

# Each round, each block takes over what its neighbour had; what it had first is in both kinds of shared memory.
GRID = """
extern "C" {
__device__ uint32_t barrier;
}
__device__ void wait_for_all_blocks()
{
    __syncthreads();
    if (threadIdx.x == 0) {
        __threadfence();
        const uint32_t goal = (atomicAdd(&barrier, 1u) / gridDim.x + 1u) * gridDim.x;
        while (*(volatile uint32_t *)&barrier < goal) {
            SNN_SPIN();
        }
        __threadfence();
    }
    __syncthreads();
}
extern "C" __global__ void rotate(uint64_t rounds)
{
    __shared__ uint32_t first[64];
    SNN_DYNAMIC_SHARED(uint32_t, last);
    uint32_t *const mine = arrays.u + blockIdx.x * blockDim.x;
    uint32_t *const neighbours = arrays.u + (blockIdx.x + 1) % gridDim.x * blockDim.x;
    first[63 - threadIdx.x] = mine[threadIdx.x];
    for (uint64_t n = 0; n < rounds; n++) {
        const uint32_t next = neighbours[threadIdx.x];
        last[63 - threadIdx.x] = next;
        wait_for_all_blocks();
        mine[threadIdx.x] = last[63 - threadIdx.x];
        wait_for_all_blocks();
    }
    arrays.y[blockIdx.x * blockDim.x + threadIdx.x] = float(first[63 - threadIdx.x]);
}
extern "C" __global__ void rotate_apart() { wait_for_all_blocks(); }
"""

# The barrier between writing and reading is missing.
RACE = """
extern "C" __global__ void reverse()
{
    __shared__ uint32_t kept[64];
    kept[threadIdx.x] = arrays.u[threadIdx.x];
    arrays.u[threadIdx.x] = kept[63 - threadIdx.x];
}
extern "C" __global__ void shift_up()
{
    __shared__ uint32_t kept[64];
    kept[threadIdx.x] = threadIdx.x;
    arrays.u[threadIdx.x] = threadIdx.x > 0 ? kept[threadIdx.x - 1] : 0;
}
"""

WARP = """
extern "C" __global__ void warp()
{
    const uint32_t t = threadIdx.x;
    uint32_t *out = arrays.u + t * 16;
    out[0] = __shfl_sync(0xffffffffu, t, 5);
    out[1] = __shfl_sync(0xffffffffu, t, 1, 8);
    out[2] = __shfl_up_sync(0xffffffffu, t, 2);
    out[3] = __shfl_down_sync(0xffffffffu, t, 3, 16);
    out[4] = __shfl_xor_sync(0xffffffffu, t, 7);
    out[5] = uint32_t(__shfl_xor_sync(0xffffffffu, double(t) + 0.5, 1) * 2.0);
    out[6] = __any_sync(0xffffffffu, t == 40);
    out[7] = __all_sync(0xffffffffu, t != 40);
    out[8] = __ballot_sync(0xffffffffu, t % 3 == 0);
    if (t % 2 == 0) { // the halves of a warp meet apart
        out[9] = __ballot_sync(0x55555555u, t < 40);
    } else {
        out[9] = __ballot_sync(0xaaaaaaaau, t < 40);
    }
    __syncwarp();
    out[10] = __syncthreads_or(t == 63);
    out[11] = __syncthreads_and(t != 63);
    out[12] = __syncthreads_count(t < 10);
    out[13] = __activemask() >> (t % 32) & 1u;
    if (t >= 20) {
        return;
    }
    __syncthreads(); // those that have ended are not waited for
    out[14] = __popc(__ballot_sync(0xffffffffu, 1));
}
"""

ATOMICS = """
extern "C" __global__ void atomics()
{
    uint32_t *const u = arrays.u;
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
    atomicAdd(u + 0, i);
    atomicSub(u + 1, 1u);
    atomicMin(u + 2, ~i);
    atomicMax((int *)u + 3, int(i));
    atomicOr(u + 4, 1u << i % 32);
    atomicAnd(u + 5, ~i);
    atomicExch(u + 6, 7u);
    atomicInc(u + 7, 9u);
    uint32_t seen = u[8], expected;
    do {
        expected = seen;
        seen = atomicCAS(u + 8, expected, expected + 2);
    } while (seen != expected);
    atomicXor(u + 9, 1u);
    atomicAdd((unsigned long long *)(u + 10), 1ull << 32);
    atomicAdd((uint64_t *)(u + 12), uint64_t(2));
    atomicAdd(arrays.x, 0.5f);
    atomicAdd((double *)arrays.y, 0.25);
}
"""

BITS = """
extern "C" __global__ void bits()
{
    uint32_t *out = arrays.u;
    *out++ = __popc(0xf0f0u);
    *out++ = __popcll(0xf0f000000000000full);
    *out++ = __ffs(8);
    *out++ = __ffs(0);
    *out++ = __clz(1);
    *out++ = __clz(0);
    *out++ = __umulhi(0xffffffffu, 0xfffffffeu);
    *out++ = __float_as_uint(1.5f);
    *out++ = __double2hiint(1.5);
    *out++ = uint32_t(__umul64hi(1ull << 63, 6ull));
    *out++ = __brev(3u);
    *out++ = min(3, 4) + max(5u, 6u) + uint32_t(max(1.5f, 2.5f)) + uint32_t(abs(-3)) + uint32_t(fabs(-1.5f));
    *out++ = __uint_as_float(0x40000000u) == 2.0f && __longlong_as_double(0) == 0.0;
    *out++ = isnan(__int_as_float(0x7fffffff)) && !isinf(1.0) && signbit(-1.0f);
    *out++ = __ldg(arrays.u);
    const uint4 four = make_uint4(1, 2, 3, 4);
    memcpy(out, &four, sizeof(four));
    float *y = arrays.y;
    *y++ = rsqrt(4.0f);
    *y++ = exp(0.0f) + float(pow(2.0, 3)) + powf(2.0f, 2.0f);
    *y++ = sizeof(exp(1.0f));
    *y++ = sizeof(sqrt(1.0));
    *y++ = arrays.x[0] * 0.5f;
    assert(arrays.n < 100u);
    printf("n = %u\\n", arrays.n);
}
"""

MISTAKES = """
extern "C" __global__ void half_waits()
{
    if (threadIdx.x < 8) {
        __syncthreads();
    } else {
        __syncwarp();
    }
}
extern "C" __global__ void two_places()
{
    if (threadIdx.x < 32) {
        __syncthreads();
    } else {
        __syncthreads();
    }
}
extern "C" __global__ void not_in_mask() { __ballot_sync(1u, 1); }
extern "C" __global__ void waits_for_nothing()
{
    while (*(volatile uint32_t *)arrays.u == 0) {
        SNN_SPIN();
    }
}
extern "C" __global__ void never_ends()
{
    while (*(volatile uint32_t *)arrays.u == 0) {
        __syncthreads();
    }
}
extern "C" __global__ void never_waits()
{
    while (*(volatile uint32_t *)arrays.u == 0) {
    }
}
__device__ float deep(float x)
{
    volatile float kept[1024];
    kept[int(x)] = x;
    return x > 1000.0f ? x : deep(x + 1.0f) + kept[int(x)];
}
extern "C" __global__ void too_deep() { arrays.y[0] = deep(0.0f); }
extern "C" __global__ void one_too_many() { arrays.x[arrays.n] = 1.0f; }
extern "C" __global__ void one_too_few() { arrays.x[-1] = 1.0f; }
extern "C" __global__ void far_off() { *(volatile float *)(uint64_t(threadIdx.x) * 8) = 1.0f; }
extern "C" __global__ void by_zero() { arrays.u[0] = int(arrays.u[1]) / int(arrays.u[0]); }
extern "C" __global__ void asserts() { assert(threadIdx.x < 3u); }
extern "C" __global__ void traps() { __trap(); }
extern "C" __global__ void too_much_shared()
{
    SNN_DYNAMIC_SHARED(uint8_t, shared);
    shared[threadIdx.x] = 1;
}
extern "C" __global__ void unwritten()
{
    __shared__ float shared[2];
    SNN_DYNAMIC_SHARED(float, dynamic);
    if (arrays.n == 99999u) {
        shared[threadIdx.x] = 1.0f;
    }
    arrays.y[0] = shared[0];
    arrays.y[1] = dynamic[0];
}
"""

SOURCES = {
    name: HEAD + body
    for name, body in {
        "saxpy": SAXPY,
        "prefix": PREFIX,
        "tree": TREE,
        "grid": GRID,
        "race": RACE,
        "warp": WARP,
        "atomics": ATOMICS,
        "bits": BITS,
        "mistakes": MISTAKES,
    }.items()
}
