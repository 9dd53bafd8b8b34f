// ---- support: the same in every simulation; what is only declared here is compiled apart, once for all ----

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>

#if defined(_WIN32)
#define SNN_API extern "C" __declspec(dllexport)
#else
#define SNN_API extern "C" __attribute__((visibility("default")))
#endif

// Before a loop over timesteps: two at once (GCC's unroll-and-jam) would need more registers than there are.
#if defined(__GNUC__) && !defined(__clang__)
#define SNN_NO_UNROLL _Pragma("GCC unroll 1")
#else
#define SNN_NO_UNROLL
#endif

// Before a loop whose passes touch different elements: more arrays than a compiler would compare at run time.
#if defined(__clang__)
#define SNN_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define SNN_INDEPENDENT _Pragma("GCC ivdep")
#else
#define SNN_INDEPENDENT
#endif

// Before a function that must not be inlined, so that it has all registers.
#define SNN_NO_INLINE __attribute__((noinline))

// Before a function that is hardly ever called.
#define SNN_COLD __attribute__((cold))

// Before a function that stands for many: a copy for each of its arguments is just what it is to save.
#if defined(__clang__)
#define SNN_MERGED __attribute__((noinline))
#else
#define SNN_MERGED __attribute__((noinline, noclone))
#endif

namespace snn {

// What <limits> has, under names that any language of the family can have.
template <typename T> constexpr T infinity() { return std::numeric_limits<T>::infinity(); }
template <typename T> constexpr T lowest() { return std::numeric_limits<T>::lowest(); }
template <typename T> constexpr T not_a_number() { return std::numeric_limits<T>::quiet_NaN(); }

// The C library's maths, as in <cmath>, which would take longer to read than most simulations to compile.
#define SNN_OF_ONE(name) inline float name(float x) { return __builtin_##name##f(x); } inline double name(double x) { return __builtin_##name(x); }
#define SNN_OF_TWO(name) inline float name(float x, float y) { return __builtin_##name##f(x, y); } inline double name(double x, double y) { return __builtin_##name(x, y); }
SNN_OF_ONE(cos) SNN_OF_ONE(sin) SNN_OF_ONE(tan) SNN_OF_ONE(acos) SNN_OF_ONE(asin) SNN_OF_ONE(atan)
SNN_OF_ONE(cosh) SNN_OF_ONE(sinh) SNN_OF_ONE(tanh) SNN_OF_ONE(acosh) SNN_OF_ONE(asinh) SNN_OF_ONE(atanh)
SNN_OF_ONE(exp) SNN_OF_ONE(expm1) SNN_OF_ONE(exp2) SNN_OF_ONE(log) SNN_OF_ONE(log1p) SNN_OF_ONE(log2)
SNN_OF_ONE(log10) SNN_OF_ONE(sqrt) SNN_OF_ONE(cbrt) SNN_OF_ONE(ceil) SNN_OF_ONE(floor) SNN_OF_ONE(round)
SNN_OF_ONE(rint) SNN_OF_ONE(trunc) SNN_OF_ONE(nearbyint) SNN_OF_ONE(fabs) SNN_OF_ONE(erf) SNN_OF_ONE(erfc)
SNN_OF_ONE(tgamma) SNN_OF_ONE(lgamma)
SNN_OF_TWO(atan2) SNN_OF_TWO(pow) SNN_OF_TWO(hypot) SNN_OF_TWO(fmod) SNN_OF_TWO(nextafter) SNN_OF_TWO(remainder)
SNN_OF_TWO(fdim) SNN_OF_TWO(copysign)
inline float fma(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
inline double fma(double x, double y, double z) { return __builtin_fma(x, y, z); }
inline float ldexp(float x, int n) { return __builtin_ldexpf(x, n); }
inline double ldexp(double x, int n) { return __builtin_ldexp(x, n); }
inline float scalbn(float x, int n) { return __builtin_scalbnf(x, n); }
inline double scalbn(double x, int n) { return __builtin_scalbn(x, n); }
inline int ilogb(float x) { return __builtin_ilogbf(x); }
inline int ilogb(double x) { return __builtin_ilogb(x); }
inline float abs(float x) { return __builtin_fabsf(x); }
inline double abs(double x) { return __builtin_fabs(x); }
template <typename T> inline T abs(T x) { return x < T(0) ? -x : x; }

{% include "arithmetic.h" %}
// From rows of synapses to columns: where each column starts, and its synapses, ascending.
template <typename Index>
void index_columns(unsigned int pre, unsigned int post, unsigned int stride, const unsigned int *row_length,
                  const Index *ind, unsigned int *start, unsigned int *synapses);

// The errors and warnings of user code.
enum Kind { {{ report_kinds | map(attribute="name") | join(", ") }} };

// The first error or warning.
class Report {
public:
    bool report(Kind kind, const char *where, long long a, long long b);
    SNN_COLD bool report_number(Kind kind, const char *where, double a);
    const char *take();
    // Whether there is a report to take.
    bool any() const { return __atomic_load_n(&m_Ready, __ATOMIC_RELAXED); }
    // The first report only, once.
    const char *take_once();

private:
    // Whether this report is the first.
    bool begin();
    void end();

    bool m_Seen = false, m_Ready = false;
    char m_Text[1024] = "";
};

{% include "checks.h" %}
// Whether code is to be given up because a signal has come: loops that may take long ask.
//
// Python's own handler of signals writes the number of each into a pipe, and cannot do more before compiled code returns.
// Between timesteps it returns often enough; a timestep is only given up when a signal has waited for long.
class Poll {
public:
    // Tell where the numbers of signals can be read, and which of them count: bits, which may change.
    void watch(int fd, const uint64_t *signals)
    {
        m_Fd = fd;
        m_Signals = signals;
    }
    // Begin to run. What was there before has been handled; after a short call that is left to the first time that
    // anything asks.
    void begin(bool may_be_short)
    {
        m_Old = true;
        if (!may_be_short && m_Fd >= 0) {
            ask();
        }
    }
    bool torn() const { return __atomic_load_n(&m_Torn, __ATOMIC_RELAXED); }
    void heal() { __atomic_store_n(&m_Torn, false, __ATOMIC_RELAXED); }
    // Whether to give up. Work is counted in what takes about a nanosecond.
    bool due(unsigned int &spent, unsigned int work)
    {
        spent += work;
        if (spent >= 1u << 22) {
            spent = 0;
            return ask();
        }
        return torn();
    }

private:
    SNN_COLD bool ask();

    int m_Fd = -1;
    const uint64_t *m_Signals = nullptr;
    int64_t m_Since = 0; // when a signal that counts was read first, or 0
    bool m_Old = true, m_Torn = false;
};

// Flushes denormals to zero in its thread during its lifetime.
class FlushDenormals {
public:
    explicit FlushDenormals(bool flush);
    ~FlushDenormals();
    FlushDenormals(const FlushDenormals &) = delete;
    FlushDenormals &operator=(const FlushDenormals &) = delete;

private:
    uint64_t m_Saved;
};

// A thread pool with dynamic scheduling: an idle thread takes the next part of a range, so a preempted thread does not delay
// the others. Results do not depend on the assignment of parts to threads.
class Pool {
public:
    // Without shared work there is one thread, whatever number is requested.
    Pool(unsigned int threads, bool flush_denormals, bool shared);
    ~Pool();
    Pool(const Pool &) = delete;
    Pool &operator=(const Pool &) = delete;

    unsigned int threads() const { return m_Threads; }

    // Start parts 0 to parts - 1 of a job on the other threads, asynchronously; see finish().
    void start(unsigned int parts, void (*call)(void *context, unsigned int part), void *context);

    // Take parts of the last job, if there is one, and wait until all are done.
    void finish();

    // Call f(begin, end) for the parts of [0, extent), and wait for them.
    template <typename F> void run(unsigned int extent, F f)
    {
        if (threads() == 1) {
            f(0u, extent);
            return;
        }
        // Multiples of 16 keep two threads out of one cache line; a few parts for each thread even out their speed.
        Range<F> range{f, extent, ((extent + 4 * threads() - 1) / (4 * threads()) + 15u) & ~15u};
        start((extent + range.step - 1) / range.step, &Range<F>::call, &range);
        finish();
    }

private:
    template <typename F> struct Range {
        F f;
        unsigned int extent, step;
        static void call(void *context, unsigned int part)
        {
            Range &range = *static_cast<Range *>(context);
            const unsigned int begin = part * range.step;
            range.f(begin, range.extent - begin < range.step ? range.extent : begin + range.step);
        }
    };

    struct Workers;
    Workers *const m_Workers;
    unsigned int m_Threads;
};

// The time since an arbitrary origin [ns].
int64_t nanoseconds();

// Adds its lifetime to a sum [s], if `timing`.
class Timer {
public:
    Timer(bool timing, double &sum) : m_Sum(timing ? &sum : nullptr), m_Start(timing ? nanoseconds() : 0) {}
    ~Timer()
    {
        if (m_Sum) {
            *m_Sum += 1e-9 * double(nanoseconds() - m_Start);
        }
    }

private:
    double *m_Sum;
    int64_t m_Start;
};
