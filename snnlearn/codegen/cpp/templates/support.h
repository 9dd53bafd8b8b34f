// ---- support: the same in every simulation ----

#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

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

// Before a function that is to have all registers to itself.
#define SNN_NO_INLINE __attribute__((noinline))

namespace snn {

// As in C: where one argument is not a number, the other. Written so that a compiler can vectorise it.
template <typename T> inline T fmax(T a, T b) { return (a >= b || b != b) ? a : b; }
template <typename T> inline T fmin(T a, T b) { return (a <= b || b != b) ? a : b; }
template <typename T> inline T max(T a, T b) { return a < b ? b : a; }
template <typename T> inline T min(T a, T b) { return b < a ? b : a; }

// While one of these lives its thread takes numbers too small for full precision (denormals) for zero.
class FlushDenormals {
public:
    explicit FlushDenormals(bool flush)
    {
#if defined(__SSE2__)
        m_Saved = _mm_getcsr();
        _mm_setcsr(flush ? (m_Saved | 0x8040u) : (m_Saved & ~0x8040u));
#elif defined(__aarch64__)
        __asm__ volatile("mrs %0, fpcr" : "=r"(m_Saved));
        const uint64_t bit = uint64_t(1) << 24;
        __asm__ volatile("msr fpcr, %0" : : "r"(flush ? (m_Saved | bit) : (m_Saved & ~bit)));
#else
        (void)flush;
#endif
    }
    ~FlushDenormals()
    {
#if defined(__SSE2__)
        _mm_setcsr(m_Saved);
#elif defined(__aarch64__)
        __asm__ volatile("msr fpcr, %0" : : "r"(m_Saved));
#endif
    }
    FlushDenormals(const FlushDenormals &) = delete;
    FlushDenormals &operator=(const FlushDenormals &) = delete;

private:
#if defined(__SSE2__)
    unsigned int m_Saved;
#elif defined(__aarch64__)
    uint64_t m_Saved;
#endif
};

// A few threads that share a range, in parts that whoever is free takes next: a thread that the operating system keeps
// waiting keeps nobody else waiting. Which thread does a part changes nothing in the results.
class Pool {
public:
    Pool(unsigned int threads, bool flush_denormals)
    {
        try {
            for (unsigned int number = 1; number < threads; number++) {
                m_Workers.emplace_back([this, flush_denormals] { work(flush_denormals); });
            }
        } catch (const std::system_error &) {
            // The operating system gives no more: do with those that are there.
        }
    }
    ~Pool()
    {
        finish();
        {
            std::lock_guard<std::mutex> lock(m_Mutex);
            m_Stop.store(true, std::memory_order_relaxed);
        }
        m_Wake.notify_all();
        for (std::thread &worker : m_Workers) {
            worker.join();
        }
    }
    Pool(const Pool &) = delete;
    Pool &operator=(const Pool &) = delete;

    unsigned int threads() const { return (unsigned int)m_Workers.size() + 1; }

    // Have parts 0 to parts - 1 of a job done, by the other threads while this one goes on; see finish().
    void start(unsigned int parts, void (*call)(void *context, unsigned int part), void *context)
    {
        finish();
        if (m_Workers.empty()) {
            for (unsigned int part = 0; part < parts; part++) {
                call(context, part);
            }
            return;
        }
        m_Call = call;
        m_Context = context;
        m_Parts = parts;
        m_Done.store(0, std::memory_order_relaxed);
        m_Round++;
        {
            std::lock_guard<std::mutex> lock(m_Mutex);
            m_Ticket.store((m_Round << 32) | parts, std::memory_order_release);
        }
        m_Wake.notify_all();
    }

    // Help with the job that was started last, if there is one, and wait until all of it is done.
    void finish()
    {
        take_parts();
        for (unsigned int tries = 0; m_Done.load(std::memory_order_acquire) != m_Parts; tries++) {
            wait_a_little(tries);
        }
    }

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
    // Tries before a thread gives its core away: some 20 microseconds where another thread works on what it waits for,
    // and longer than a block of timesteps of a small network where there is nothing to do yet: to wake it takes long.
    static const unsigned int SPIN = 2000, SPIN_IDLE = 20000;

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

    void work(bool flush_denormals)
    {
        const FlushDenormals flush(flush_denormals);
        while (true) {
            for (unsigned int tries = 0; left() == 0 && tries < SPIN_IDLE; tries++) {
                wait_a_little(0);
            }
            if (left() == 0) {
                std::unique_lock<std::mutex> lock(m_Mutex);
                m_Wake.wait(lock, [&] { return left() != 0 || m_Stop.load(std::memory_order_relaxed); });
            }
            if (m_Stop.load(std::memory_order_relaxed)) {
                return;
            }
            take_parts();
        }
    }
    uint32_t left() const { return uint32_t(m_Ticket.load(std::memory_order_acquire)); }

    // A ticket is the number of the round above, that of the parts nobody has taken below. Whoever takes one may
    // read what the round is about: the next round cannot start before the part is done.
    void take_parts()
    {
        uint64_t ticket = m_Ticket.load(std::memory_order_acquire);
        while (uint32_t(ticket) != 0) {
            if (m_Ticket.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel)) {
                m_Call(m_Context, uint32_t(ticket) - 1);
                m_Done.fetch_add(1, std::memory_order_release);
                ticket = m_Ticket.load(std::memory_order_acquire);
            }
        }
    }
    static void wait_a_little(unsigned int tries)
    {
        if (tries >= SPIN) {
            std::this_thread::yield();
            return;
        }
#if defined(__SSE2__)
        _mm_pause();
#endif
    }

    unsigned int m_Parts = 0;
    void *m_Context = nullptr;
    void (*m_Call)(void *, unsigned int) = nullptr;
    uint64_t m_Round = 0;
    std::atomic<uint64_t> m_Ticket{0};
    std::atomic<unsigned int> m_Done{0};
    std::atomic<bool> m_Stop{false};
    std::mutex m_Mutex;
    std::condition_variable m_Wake;
    std::vector<std::thread> m_Workers;
};

// Adds the time from its birth to its death to a sum [s], if asked to.
class Timer {
public:
    Timer(bool timing, double &sum) : m_Sum(timing ? &sum : nullptr)
    {
        if (m_Sum) {
            m_Start = std::chrono::steady_clock::now();
        }
    }
    ~Timer()
    {
        if (m_Sum) {
            *m_Sum += std::chrono::duration<double>(std::chrono::steady_clock::now() - m_Start).count();
        }
    }

private:
    double *m_Sum;
    std::chrono::steady_clock::time_point m_Start;
};
