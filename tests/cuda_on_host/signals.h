// What stops a kernel: signals of the CPU, for what a GPU would stop it for, and of a watch.

#include <algorithm>
#include <atomic>
#include <csignal>
#include <pthread.h>
#include <thread>

namespace snn_host {
namespace {

constexpr int SIGNALS[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGURG}; // the last is the watch's own
struct sigaction others[5]; // what is done about them where no kernel runs

void on_signal(int number, siginfo_t *info, void *)
{
    if (number == SIGURG) {
        // A thread without a fiber has just ended; there will be another signal.
        if (running && block->threads[current].fiber != nullptr && std::chrono::steady_clock::now() > launch->end) {
            fail("takes too long, and does not wait; is there a loop without SNN_SPIN?", 0);
        }
        return;
    }
    if (!running) {
        sigaction(number, &others[std::find(SIGNALS, SIGNALS + 5, number) - SIGNALS], nullptr);
        return; // and it happens again
    }
    if (number == SIGFPE) {
        fail("an integer is divided by zero", 0);
    } else if (number == SIGILL) {
        fail("the compiler took this place for one that is never reached", 0);
    } else if (Fibers::beyond(block->threads[current].fiber, info->si_addr)) {
        fail("its local variables take too much room", 0);
    }
    fail(text("there is no memory at address %p", info->si_addr).c_str(), 0);
}

// Signals an OS thread whose launch takes too long, until that ends.
class Watch {
public:
    void begin()
    {
        if (!m_Begun) {
            m_Begun = true;
            std::thread([this] { watch(); }).detach();
        }
        m_Launching = pthread_self();
        m_End.store(launch->end.time_since_epoch().count());
    }
    void end() { m_End.store(0); }

private:
    void watch()
    {
        while (true) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            const auto end = m_End.load();
            if (end != 0 && std::chrono::steady_clock::now().time_since_epoch().count() > end) {
                pthread_kill(m_Launching, SIGURG);
            }
        }
    }

    bool m_Begun = false;
    pthread_t m_Launching = {};
    std::atomic<std::chrono::steady_clock::rep> m_End{0};
} &watch = *new Watch; // never deleted: its thread ends with the process

void catch_signals()
{
    static thread_local char memory[64 * 1024]; // a signal for a full stack needs another one
    static thread_local bool has_memory = false;
    if (!has_memory) {
        stack_t stack = {};
        stack.ss_sp = memory;
        stack.ss_size = sizeof(memory);
        has_memory = sigaltstack(&stack, nullptr) == 0;
    }
    static bool caught = false;
    for (int n = 0; n < 5 && !caught; n++) {
        struct sigaction action = {};
        action.sa_sigaction = on_signal;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        sigaction(SIGNALS[n], &action, &others[n]);
    }
    caught = true;
}

} // namespace
} // namespace snn_host
