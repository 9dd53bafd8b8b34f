// ---- support: the same in every program ----

#if defined(__CUDACC_RTC__)
// There are no headers.
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
#endif

// What a thread does that waits for another block.
#ifndef SNN_SPIN
#define SNN_SPIN() ((void)0)
#endif

// Before a function that stands for many.
#define SNN_MERGED __noinline__
#define SNN_APART __noinline__

constexpr unsigned int THREADS = {{ threads }};

namespace snn {

template <typename T> T infinity();
template <> inline float infinity<float>() { return __int_as_float(0x7F800000); }
template <> inline double infinity<double>() { return __longlong_as_double(0x7FF0000000000000LL); }
template <typename T> T not_a_number();
template <> inline float not_a_number<float>() { return __int_as_float(0x7FC00000); }
template <> inline double not_a_number<double>() { return __longlong_as_double(0x7FF8000000000000LL); }
// Of integers: no bit but the sign, if there is one.
template <typename T> inline T lowest() { return T(-1) < T(0) ? T(1ull << (8 * sizeof(T) - 1)) : T(0); }
template <> inline bool lowest<bool>() { return false; }
template <> inline float lowest<float>() { return __int_as_float(int(0xFF7FFFFFu)); }
template <> inline double lowest<double>() { return __longlong_as_double((long long)0xFFEFFFFFFFFFFFFFull); }

// CUDA's maths: as accurate as a few units in the last place, and not rounded as the C library does.
#define SNN_OF_ONE(name) inline float name(float x) { return ::name##f(x); } inline double name(double x) { return ::name(x); }
#define SNN_OF_TWO(name) inline float name(float x, float y) { return ::name##f(x, y); } inline double name(double x, double y) { return ::name(x, y); }
SNN_OF_ONE(cos) SNN_OF_ONE(sin) SNN_OF_ONE(tan) SNN_OF_ONE(acos) SNN_OF_ONE(asin) SNN_OF_ONE(atan)
SNN_OF_ONE(cosh) SNN_OF_ONE(sinh) SNN_OF_ONE(tanh) SNN_OF_ONE(acosh) SNN_OF_ONE(asinh) SNN_OF_ONE(atanh)
SNN_OF_ONE(exp) SNN_OF_ONE(expm1) SNN_OF_ONE(exp2) SNN_OF_ONE(log) SNN_OF_ONE(log1p) SNN_OF_ONE(log2)
SNN_OF_ONE(log10) SNN_OF_ONE(sqrt) SNN_OF_ONE(cbrt) SNN_OF_ONE(ceil) SNN_OF_ONE(floor) SNN_OF_ONE(round)
SNN_OF_ONE(rint) SNN_OF_ONE(trunc) SNN_OF_ONE(nearbyint) SNN_OF_ONE(fabs) SNN_OF_ONE(erf) SNN_OF_ONE(erfc)
SNN_OF_ONE(tgamma) SNN_OF_ONE(lgamma)
SNN_OF_TWO(atan2) SNN_OF_TWO(pow) SNN_OF_TWO(hypot) SNN_OF_TWO(fmod) SNN_OF_TWO(nextafter) SNN_OF_TWO(remainder)
SNN_OF_TWO(fdim) SNN_OF_TWO(copysign)
inline float fma(float x, float y, float z) { return ::fmaf(x, y, z); }
inline double fma(double x, double y, double z) { return ::fma(x, y, z); }
inline float ldexp(float x, int n) { return ::ldexpf(x, n); }
inline double ldexp(double x, int n) { return ::ldexp(x, n); }
inline float scalbn(float x, int n) { return ::scalbnf(x, n); }
inline double scalbn(double x, int n) { return ::scalbn(x, n); }
inline int ilogb(float x) { return ::ilogbf(x); }
inline int ilogb(double x) { return ::ilogb(x); }
inline float abs(float x) { return ::fabsf(x); }
inline double abs(double x) { return ::fabs(x); }
template <typename T> inline T abs(T x) { return x < T(0) ? -x : x; }

{% include "arithmetic.h" %}
{% include "random.h" %}
{% include "random.cpp" %}

// What can go wrong in a user's code.
enum Kind { {{ report_kinds | map(attribute="name") | join(", ") }} };

// The first thing that went wrong, for the host to read; a floating-point number as its bits.
struct Report {
    unsigned int seen;
    int kind;
    long long a, b;
    char where[768];
};
inline void report(Report &to, Kind kind, const char *where, long long a, long long b)
{
    if (atomicCAS(&to.seen, 0u, 1u) != 0u) {
        return;
    }
    to.kind = kind;
    to.a = a;
    to.b = b;
    unsigned int n = 0;
    for (; n < sizeof(to.where) - 1 && where[n] != '\0'; n++) {
        to.where[n] = where[n];
    }
    to.where[n] = '\0';
}

{% include "checks.h" %}

// ---- blocks that wait for one another ----

// `arrive` counts a thread whose block has waited for it; what that block wrote can be read by the block of a thread to
// which `arrived` gives that count.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 700
inline void arrive(unsigned int &count)
{
    asm volatile("red.release.gpu.global.add.u32 [%0], 1;" : : "l"(__cvta_generic_to_global(&count)) : "memory");
}
inline unsigned int arrived(const unsigned int &count)
{
    unsigned int number;
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(number) : "l"(__cvta_generic_to_global(&count)) : "memory");
    return number;
}
#else
inline void arrive(unsigned int &count)
{
    __threadfence();
    atomicAdd(&count, 1u);
}
inline unsigned int arrived(const unsigned int &count)
{
    const unsigned int number = *(const volatile unsigned int *)&count;
    __threadfence();
    return number;
}
#endif

// ---- sums that many threads add to ----

inline void add_to(float &to, float x) { atomicAdd(&to, x); }
inline void add_to(double &to, double x) { atomicAdd(&to, x); }
inline void add_to(int &to, int x) { atomicAdd(&to, x); }
inline void add_to(unsigned int &to, unsigned int x) { atomicAdd(&to, x); }
inline void add_to(uint64_t &to, uint64_t x) { atomicAdd((unsigned long long *)&to, (unsigned long long)x); }
inline void add_to(int64_t &to, int64_t x) { atomicAdd((unsigned long long *)&to, (unsigned long long)x); }
// Of fewer bits: within the word that the element is in.
template <typename T> inline void add_to(T &to, T x)
{
    static_assert(sizeof(T) <= 2, "a small integer");
    const size_t address = (size_t)&to;
    unsigned int *const word = (unsigned int *)(address & ~size_t(3));
    const unsigned int shift = 8u * (unsigned int)(address & size_t(3));
    const unsigned int mask = ((1u << (8u * sizeof(T))) - 1u) << shift;
    unsigned int old = *word, seen;
    do {
        seen = old;
        const T sum = T(T((seen & mask) >> shift) + x);
        old = atomicCAS(word, seen, (seen & ~mask) | (((unsigned int)sum << shift) & mask));
    } while (old != seen);
}
// Code may add a number of any type.
template <typename T, typename U> inline void add(T &to, U x) { add_to(to, T(x)); }

// ---- what a block of threads does together; each thread of it has to call these ----

// Of the threads of a warp, those for which something holds, a bit each.
inline unsigned int ballot(bool x) { return __ballot_sync(0xFFFFFFFFu, x); }

// List those whose mark is set, behind `count` that are listed already, in the order of threads; returns how many there
// are then. `marks` are those of the thread's warp.
inline unsigned int list_in_order(unsigned int marks, unsigned int i, unsigned int *list, unsigned int count)
{
    __shared__ unsigned int numbers[THREADS / 32];
    const unsigned int lane = threadIdx.x % 32u, warp = threadIdx.x / 32u;
    if (lane == 0) {
        numbers[warp] = __popc(marks);
    }
    __syncthreads();
    unsigned int place = count + __popc(marks & ((1u << lane) - 1u));
    for (unsigned int n = 0; n < THREADS / 32u; n++) {
        place += n < warp ? numbers[n] : 0u;
        count += numbers[n];
    }
    if ((marks >> lane) & 1u) {
        list[place] = i;
    }
    __syncthreads();
    return count;
}

// The sum of all numbers of threads before this one; of all in `total`.
inline unsigned int sum_before(unsigned int x, unsigned int &total)
{
    __shared__ unsigned int sums[THREADS / 32];
    const unsigned int lane = threadIdx.x % 32u, warp = threadIdx.x / 32u;
    unsigned int upto = x;
    for (unsigned int n = 1; n < 32; n *= 2) {
        const unsigned int other = __shfl_up_sync(0xFFFFFFFFu, upto, n);
        upto += lane >= n ? other : 0u;
    }
    if (lane == 31) {
        sums[warp] = upto;
    }
    __syncthreads();
    unsigned int before = upto - x;
    total = 0;
    for (unsigned int n = 0; n < THREADS / 32u; n++) {
        before += n < warp ? sums[n] : 0u;
        total += sums[n];
    }
    __syncthreads();
    return before;
}

// List the bits that are set in some words; returns how many there are.
inline unsigned int list_marks(const unsigned int *marks, unsigned int words, unsigned int *list)
{
    unsigned int count = 0;
    for (unsigned int first = 0; first < words; first += THREADS) {
        const unsigned int word = first + threadIdx.x;
        unsigned int bits = word < words ? marks[word] : 0u, total;
        unsigned int place = count + sum_before(__popc(bits), total);
        for (; bits != 0u; bits &= bits - 1u) {
            list[place++] = word * 32u + (unsigned int)__ffs((int)bits) - 1u;
        }
        count += total;
    }
    return count;
}

// Each number becomes the sum of all up to it.
inline void running_sums(unsigned int *numbers, unsigned int size)
{
    unsigned int count = 0;
    for (unsigned int first = 0; first < size; first += THREADS) {
        const unsigned int n = first + threadIdx.x, x = n < size ? numbers[n] : 0u;
        unsigned int total;
        const unsigned int before = count + sum_before(x, total);
        if (n < size) {
            numbers[n] = before + x;
        }
        count += total;
    }
}

// The sum, or the greatest, of all threads' numbers, in an order that is always the same; thread 0 gets it.
template <typename T> inline T block_sum(T x)
{
    __shared__ T numbers[THREADS];
    numbers[threadIdx.x] = x;
    for (unsigned int n = THREADS / 2; n > 0; n /= 2) {
        __syncthreads();
        if (threadIdx.x < n) {
            numbers[threadIdx.x] = T(numbers[threadIdx.x] + numbers[threadIdx.x + n]);
        }
    }
    const T sum = numbers[0];
    __syncthreads();
    return sum;
}
template <typename T> inline T block_max(T x)
{
    __shared__ T numbers[THREADS];
    numbers[threadIdx.x] = x;
    for (unsigned int n = THREADS / 2; n > 0; n /= 2) {
        __syncthreads();
        if (threadIdx.x < n) {
            numbers[threadIdx.x] = max(numbers[threadIdx.x], numbers[threadIdx.x + n]);
        }
    }
    const T greatest = numbers[0];
    __syncthreads();
    return greatest;
}

// Ascending, by one thread, in place: a heap, whose greatest goes to the end again and again.
inline void sort(unsigned int *numbers, unsigned int size)
{
    const auto sink = [&](unsigned int at, unsigned int end) {
        const unsigned int x = numbers[at];
        for (unsigned int child = 2 * at + 1; child < end; child = 2 * at + 1) {
            child += child + 1 < end && numbers[child + 1] > numbers[child] ? 1u : 0u;
            if (numbers[child] <= x) {
                break;
            }
            numbers[at] = numbers[child];
            at = child;
        }
        numbers[at] = x;
    };
    for (unsigned int n = size / 2; n > 0; n--) {
        sink(n - 1, size);
    }
    for (unsigned int end = size; end > 1; end--) {
        const unsigned int greatest = numbers[0];
        numbers[0] = numbers[end - 1];
        numbers[end - 1] = greatest;
        sink(0, end - 1);
    }
}

} // namespace snn
