// CUDA C++ for a host's compiler: comes before a source that NVRTC would compile as it stands. Threads are fibers of
// one OS thread (threads.h), so nothing here needs to be atomic. There are no headers: they would take too long to read.

#define SNN_ON_HOST 1

#define __device__ __attribute__((visibility("default")))
#define __constant__ __attribute__((visibility("default")))
#define __global__ __attribute__((visibility("default")))
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __grid_constant__
// Local to an OS thread: a module's shared memory is one piece then, wherever it is declared, which the scheduler fills
// with a pattern before each block, and keeps for each block where blocks take turns.
#define __shared__ thread_local

#define SNN_DYNAMIC_SHARED(type, name) type *const name = static_cast<type *>(snn_host_module.dynamic_shared)
#define SNN_SPIN() __nanosleep(20)

#if !defined(__clang__)
#define __builtin_assume(condition) ((condition) ? void() : __builtin_unreachable())
#endif

// ---- types ----

typedef __SIZE_TYPE__ size_t;
typedef __PTRDIFF_TYPE__ ptrdiff_t;
typedef __INT8_TYPE__ int8_t;
typedef __INT16_TYPE__ int16_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INTPTR_TYPE__ intptr_t;
typedef __UINTPTR_TYPE__ uintptr_t;

typedef snn_host::Index uint3;
struct dim3 : uint3 {
    dim3(unsigned int x = 1, unsigned int y = 1, unsigned int z = 1) : uint3{x, y, z} {}
    dim3(const uint3 &other) : uint3(other) {}
};
struct char3 { signed char x, y, z; };
struct uchar3 { unsigned char x, y, z; };
struct short3 { short x, y, z; };
struct ushort3 { unsigned short x, y, z; };
struct int3 { int x, y, z; };
struct longlong3 { long long x, y, z; };
struct ulonglong3 { unsigned long long x, y, z; };
struct float3 { float x, y, z; };
struct double3 { double x, y, z; };
#define SNN_HOST_VECTOR(type, name) \
    struct alignas(2 * sizeof(type)) name##2 { type x, y; }; \
    struct alignas(4 * sizeof(type) < 16 ? 4 * sizeof(type) : 16) name##4 { type x, y, z, w; }; \
    inline name##2 make_##name##2(type x, type y) { return {x, y}; } \
    inline name##3 make_##name##3(type x, type y, type z) { return {x, y, z}; } \
    inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }
SNN_HOST_VECTOR(signed char, char) SNN_HOST_VECTOR(unsigned char, uchar)
SNN_HOST_VECTOR(short, short) SNN_HOST_VECTOR(unsigned short, ushort)
SNN_HOST_VECTOR(int, int) SNN_HOST_VECTOR(unsigned int, uint)
SNN_HOST_VECTOR(long long, longlong) SNN_HOST_VECTOR(unsigned long long, ulonglong)
SNN_HOST_VECTOR(float, float) SNN_HOST_VECTOR(double, double)

// ---- the program, as the scheduler sees it ----

namespace snn_host {
static thread_local char some_shared;
static char *shared() { return &some_shared; }
} // namespace snn_host

extern "C" __attribute__((visibility("default"))) snn_host::Module snn_host_module = {
    {}, {}, {}, {}, nullptr, nullptr, SNN_HOST_FLUSH, snn_host::shared, 0, 0};

static const snn_host::Index &threadIdx = snn_host_module.thread, &blockIdx = snn_host_module.block;
static const snn_host::Index &blockDim = snn_host_module.threads, &gridDim = snn_host_module.blocks;
static constexpr int warpSize = 32;

// ---- the C library ----

extern "C" {
int printf(const char *, ...);
void *memcpy(void *, const void *, size_t) noexcept;
void *memset(void *, int, size_t) noexcept;
int abs(int) noexcept;
long labs(long) noexcept;
long long llabs(long long) noexcept;
}

// Overloads for float and double, as in CUDA; other types are taken for double.
#define SNN_HOST_MATHS(name) \
    extern "C" double name(double) noexcept; \
    extern "C" float name##f(float) noexcept; \
    inline float name(float x) { return name##f(x); } \
    template <typename T> inline double name(T x) { return name(double(x)); }
#define SNN_HOST_MATHS_OF_TWO(name) \
    extern "C" double name(double, double) noexcept; \
    extern "C" float name##f(float, float) noexcept; \
    inline float name(float x, float y) { return name##f(x, y); } \
    template <typename T, typename U> inline double name(T x, U y) { return name(double(x), double(y)); }
SNN_HOST_MATHS(cos) SNN_HOST_MATHS(sin) SNN_HOST_MATHS(tan) SNN_HOST_MATHS(acos) SNN_HOST_MATHS(asin)
SNN_HOST_MATHS(atan) SNN_HOST_MATHS(cosh) SNN_HOST_MATHS(sinh) SNN_HOST_MATHS(tanh) SNN_HOST_MATHS(acosh)
SNN_HOST_MATHS(asinh) SNN_HOST_MATHS(atanh) SNN_HOST_MATHS(exp) SNN_HOST_MATHS(expm1) SNN_HOST_MATHS(exp2)
SNN_HOST_MATHS(log) SNN_HOST_MATHS(log1p) SNN_HOST_MATHS(log2) SNN_HOST_MATHS(log10) SNN_HOST_MATHS(logb)
SNN_HOST_MATHS(sqrt) SNN_HOST_MATHS(cbrt) SNN_HOST_MATHS(ceil) SNN_HOST_MATHS(floor) SNN_HOST_MATHS(round)
SNN_HOST_MATHS(rint) SNN_HOST_MATHS(trunc) SNN_HOST_MATHS(nearbyint) SNN_HOST_MATHS(fabs) SNN_HOST_MATHS(erf)
SNN_HOST_MATHS(erfc) SNN_HOST_MATHS(tgamma) SNN_HOST_MATHS(lgamma)
SNN_HOST_MATHS_OF_TWO(atan2) SNN_HOST_MATHS_OF_TWO(pow) SNN_HOST_MATHS_OF_TWO(hypot) SNN_HOST_MATHS_OF_TWO(fmod)
SNN_HOST_MATHS_OF_TWO(nextafter) SNN_HOST_MATHS_OF_TWO(remainder) SNN_HOST_MATHS_OF_TWO(fdim)
SNN_HOST_MATHS_OF_TWO(copysign) SNN_HOST_MATHS_OF_TWO(fmin) SNN_HOST_MATHS_OF_TWO(fmax)
extern "C" {
double fma(double, double, double) noexcept;
float fmaf(float, float, float) noexcept;
double ldexp(double, int) noexcept;
float ldexpf(float, int) noexcept;
double scalbn(double, int) noexcept;
float scalbnf(float, int) noexcept;
double frexp(double, int *) noexcept;
float frexpf(float, int *) noexcept;
double modf(double, double *) noexcept;
float modff(float, float *) noexcept;
int ilogb(double) noexcept;
int ilogbf(float) noexcept;
long long llrint(double) noexcept;
long long llrintf(float) noexcept;
long long llround(double) noexcept;
long long llroundf(float) noexcept;
void sincos(double, double *, double *) noexcept;
void sincosf(float, float *, float *) noexcept;
}
inline float fma(float x, float y, float z) { return fmaf(x, y, z); }
inline float ldexp(float x, int n) { return ldexpf(x, n); }
inline float scalbn(float x, int n) { return scalbnf(x, n); }
inline float frexp(float x, int *n) { return frexpf(x, n); }
inline float modf(float x, float *whole) { return modff(x, whole); }
inline int ilogb(float x) { return ilogbf(x); }
inline void sincos(float x, float *s, float *c) { sincosf(x, s, c); }
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline double rsqrt(double x) { return 1.0 / sqrt(x); }
inline float rsqrt(float x) { return rsqrtf(x); }
inline float exp10f(float x) { return float(pow(10.0, double(x))); }
inline double exp10(double x) { return pow(10.0, x); }
inline float exp10(float x) { return exp10f(x); }
inline float abs(float x) { return fabsf(x); }
inline double abs(double x) { return fabs(x); }
inline long abs(long x) { return labs(x); }
inline long long abs(long long x) { return llabs(x); }
inline bool isnan(float x) { return __builtin_isnan(x); }
inline bool isnan(double x) { return __builtin_isnan(x); }
inline bool isinf(float x) { return __builtin_isinf(x); }
inline bool isinf(double x) { return __builtin_isinf(x); }
inline bool isfinite(float x) { return __builtin_isfinite(x); }
inline bool isfinite(double x) { return __builtin_isfinite(x); }
inline bool signbit(float x) { return __builtin_signbit(x); }
inline bool signbit(double x) { return __builtin_signbit(x); }

inline float min(float x, float y) { return fminf(x, y); }
inline double min(double x, double y) { return fmin(x, y); }
inline float max(float x, float y) { return fmaxf(x, y); }
inline double max(double x, double y) { return fmax(x, y); }
template <typename T, typename U> inline auto min(T x, U y) -> decltype(x + y)
{
    using Both = decltype(x + y);
    return Both(y) < Both(x) ? Both(y) : Both(x);
}
template <typename T, typename U> inline auto max(T x, U y) -> decltype(x + y)
{
    using Both = decltype(x + y);
    return Both(x) < Both(y) ? Both(y) : Both(x);
}

// ---- bits ----

namespace snn_host {
template <typename To, typename From> inline To bits(From from)
{
    static_assert(sizeof(To) == sizeof(From), "");
    To to;
    __builtin_memcpy(&to, &from, sizeof(To));
    return to;
}
} // namespace snn_host

inline int __float_as_int(float x) { return snn_host::bits<int>(x); }
inline unsigned int __float_as_uint(float x) { return snn_host::bits<unsigned int>(x); }
inline float __int_as_float(int x) { return snn_host::bits<float>(x); }
inline float __uint_as_float(unsigned int x) { return snn_host::bits<float>(x); }
inline long long __double_as_longlong(double x) { return snn_host::bits<long long>(x); }
inline double __longlong_as_double(long long x) { return snn_host::bits<double>(x); }
inline int __double2hiint(double x) { return int(__double_as_longlong(x) >> 32); }
inline int __double2loint(double x) { return int(__double_as_longlong(x)); }
inline double __hiloint2double(int high, int low)
{
    return __longlong_as_double((long long)(((unsigned long long)(unsigned int)high << 32) | (unsigned int)low));
}

inline int __popc(unsigned int x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz((unsigned int)x); }
inline int __clzll(long long x) { return x == 0 ? 64 : __builtin_clzll((unsigned long long)x); }
inline unsigned int __brev(unsigned int x)
{
    unsigned int reversed = 0;
    for (int bit = 0; bit < 32; bit++) {
        reversed |= ((x >> bit) & 1u) << (31 - bit);
    }
    return reversed;
}
inline unsigned int __umulhi(unsigned int x, unsigned int y)
{
    return (unsigned int)(((unsigned long long)x * y) >> 32);
}
inline int __mulhi(int x, int y) { return int(((long long)x * y) >> 32); }
inline unsigned long long __umul64hi(unsigned long long x, unsigned long long y)
{
    return (unsigned long long)(((unsigned __int128)x * y) >> 64);
}
inline unsigned int __funnelshift_l(unsigned int low, unsigned int high, unsigned int shift)
{
    return (unsigned int)(((((unsigned long long)high << 32) | low) << (shift & 31u)) >> 32);
}
inline unsigned int __funnelshift_r(unsigned int low, unsigned int high, unsigned int shift)
{
    return (unsigned int)((((unsigned long long)high << 32) | low) >> (shift & 31u));
}

inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fsub_rn(float x, float y) { return x - y; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fdiv_rn(float x, float y) { return x / y; }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
inline double __dadd_rn(double x, double y) { return x + y; }
inline double __dsub_rn(double x, double y) { return x - y; }
inline double __dmul_rn(double x, double y) { return x * y; }
inline double __ddiv_rn(double x, double y) { return x / y; }
inline double __dsqrt_rn(double x) { return sqrt(x); }
inline double __fma_rn(double x, double y, double z) { return fma(x, y, z); }
inline int __float2int_rn(float x) { return int(llrintf(x)); }
inline int __double2int_rn(double x) { return int(llrint(x)); }
inline float __uint2float_rn(unsigned int x) { return float(x); }
inline float __int2float_rn(int x) { return float(x); }

// ---- memory ----

template <typename T> inline T __ldg(const T *from) { return *from; }
template <typename T> inline T __ldca(const T *from) { return *from; }
template <typename T> inline T __ldcg(const T *from) { return *from; }
template <typename T> inline T __ldcs(const T *from) { return *from; }
template <typename T> inline T __ldcv(const T *from) { return *static_cast<const volatile T *>(from); }
template <typename T> inline void __stcg(T *to, T value) { *to = value; }
template <typename T> inline void __stcs(T *to, T value) { *to = value; }
template <typename T> inline void __stwt(T *to, T value) { *static_cast<volatile T *>(to) = value; }
inline void __threadfence_block() { __asm__ volatile("" : : : "memory"); }
inline void __threadfence() { __asm__ volatile("" : : : "memory"); }
inline void __threadfence_system() { __asm__ volatile("" : : : "memory"); }

#define SNN_HOST_ATOMIC(name, type, value) \
    inline type name(type *at, type by) \
    { \
        const type old = *at; \
        *at = (value); \
        return old; \
    }
#define SNN_HOST_ATOMICS(type) \
    SNN_HOST_ATOMIC(atomicAdd, type, old + by) \
    SNN_HOST_ATOMIC(atomicExch, type, by) \
    SNN_HOST_ATOMIC(atomicMin, type, by < old ? by : old) \
    SNN_HOST_ATOMIC(atomicMax, type, old < by ? by : old) \
    SNN_HOST_ATOMIC(atomicAnd, type, old & by) \
    SNN_HOST_ATOMIC(atomicOr, type, old | by) \
    SNN_HOST_ATOMIC(atomicXor, type, old ^ by) \
    inline type atomicCAS(type *at, type expected, type by) \
    { \
        const type old = *at; \
        *at = old == expected ? by : old; \
        return old; \
    }
SNN_HOST_ATOMICS(int) SNN_HOST_ATOMICS(unsigned int) SNN_HOST_ATOMICS(unsigned long long)
SNN_HOST_ATOMICS(unsigned long) // what uint64_t is here
SNN_HOST_ATOMIC(atomicSub, int, old - by) SNN_HOST_ATOMIC(atomicSub, unsigned int, old - by)
SNN_HOST_ATOMIC(atomicInc, unsigned int, old >= by ? 0 : old + 1)
SNN_HOST_ATOMIC(atomicDec, unsigned int, old == 0 || old > by ? by : old - 1)
SNN_HOST_ATOMIC(atomicMin, long long, by < old ? by : old) SNN_HOST_ATOMIC(atomicMax, long long, old < by ? by : old)
SNN_HOST_ATOMIC(atomicAdd, float, old + by) SNN_HOST_ATOMIC(atomicExch, float, by)
SNN_HOST_ATOMIC(atomicAdd, double, old + by)

// ---- barriers: where a thread may have to wait for others; a message names the line of the call ----

inline void __syncthreads(int line = __builtin_LINE()) { snn_host_module.runtime->meet(snn_host::SYNC, 0, line); }
inline int __syncthreads_or(int value, int line = __builtin_LINE())
{
    return snn_host_module.runtime->meet(snn_host::SYNC_OR, value, line);
}
inline int __syncthreads_and(int value, int line = __builtin_LINE())
{
    return snn_host_module.runtime->meet(snn_host::SYNC_AND, value, line);
}
inline int __syncthreads_count(int value, int line = __builtin_LINE())
{
    return snn_host_module.runtime->meet(snn_host::SYNC_COUNT, value, line);
}
inline void __nanosleep(unsigned int, int line = __builtin_LINE()) { snn_host_module.runtime->yield(line); }
inline void __trap(int line = __builtin_LINE()) { snn_host_module.runtime->fail("__trap() was called", line); }
#define assert(condition) \
    ((condition) ? void() : snn_host_module.runtime->fail("an assertion failed: " #condition, __LINE__))

namespace snn_host {
inline unsigned int lane() { return snn_host_module.thread.x % 32u; }
template <typename T> inline T shuffle(unsigned int mask, T value, unsigned int source, int line)
{
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "");
    unsigned long long word = 0;
    __builtin_memcpy(&word, &value, sizeof(T));
    word = snn_host_module.runtime->meet_in_warp(SHUFFLE, mask, word, source, line);
    __builtin_memcpy(&value, &word, sizeof(T));
    return value;
}
} // namespace snn_host

inline void __syncwarp(unsigned int mask = 0xffffffffu, int line = __builtin_LINE())
{
    snn_host_module.runtime->meet_in_warp(snn_host::SYNC_WARP, mask, 0, 0, line);
}
inline unsigned int __ballot_sync(unsigned int mask, int value, int line = __builtin_LINE())
{
    return (unsigned int)snn_host_module.runtime->meet_in_warp(snn_host::BALLOT, mask, value != 0, 0, line);
}
inline int __any_sync(unsigned int mask, int value, int line = __builtin_LINE())
{
    return __ballot_sync(mask, value, line) != 0;
}
inline int __all_sync(unsigned int mask, int value, int line = __builtin_LINE())
{
    return __ballot_sync(mask, !value, line) == 0;
}
// Which lanes happen to run together no program may rely on; here each runs alone.
inline unsigned int __activemask() { return 1u << snn_host::lane(); }

template <typename T>
inline T __shfl_sync(unsigned int mask, T value, int source, int width = 32, int line = __builtin_LINE())
{
    const unsigned int first = snn_host::lane() & ~(unsigned int)(width - 1);
    return snn_host::shuffle(mask, value, first + ((unsigned int)source & (unsigned int)(width - 1)), line);
}
template <typename T>
inline T __shfl_up_sync(unsigned int mask, T value, unsigned int delta, int width = 32, int line = __builtin_LINE())
{
    const unsigned int lane = snn_host::lane(), within = lane & (unsigned int)(width - 1);
    return snn_host::shuffle(mask, value, within >= delta ? lane - delta : lane, line);
}
template <typename T>
inline T __shfl_down_sync(unsigned int mask, T value, unsigned int delta, int width = 32, int line = __builtin_LINE())
{
    const unsigned int lane = snn_host::lane(), within = lane & (unsigned int)(width - 1);
    return snn_host::shuffle(mask, value, delta < (unsigned int)width - within ? lane + delta : lane, line);
}
template <typename T>
inline T __shfl_xor_sync(unsigned int mask, T value, int bits, int width = 32, int line = __builtin_LINE())
{
    const unsigned int lane = snn_host::lane(), other = lane ^ (unsigned int)bits;
    const unsigned int end = (lane & ~(unsigned int)(width - 1)) + (unsigned int)width;
    return snn_host::shuffle(mask, value, other < end ? other : lane, line);
}
