// The threads of a block: what each does until it waits, and when it goes on.

#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <random>
#include <string>

namespace snn_host {
namespace {

enum State : uint8_t { READY, MEETS, MEETS_IN_WARP, SLEEPS, ENDED };

struct Thread {
    Fiber *fiber = nullptr;
    int line = 0; // where it waits
    Warp kind = SYNC_WARP;
    unsigned int mask = 0, source = 0; // of what it waits for
    unsigned long long value = 0, result = 0;
};

struct Block {
    unsigned int number = 0;
    std::vector<State> states;
    std::vector<Thread> threads;
    unsigned int live = 0, ready = 0, meeting = 0, sleeping = 0;
    Barrier kind = SYNC; // of the barrier that the first thread has come to
    int line = 0;
    unsigned int values = 0; // how many of those that have come have one
    std::vector<char> shared; // static shared memory, while another block runs
    std::vector<char> dynamic;
};

enum Order { ASCENDING, DESCENDING, SHUFFLED };

struct Launch {
    Module *module;
    void *kernel;
    bool has_argument;
    uint64_t argument;
    unsigned int threads;
    size_t dynamic;
    Order order;
    std::minstd_rand random;
    std::chrono::steady_clock::time_point end;
};

void run_threads();

Launch *launch = nullptr;
Block *block = nullptr;
unsigned int current = 0; // the thread
bool running = false; // whether a fiber runs
bool failed = false;
unsigned long long events = 0; // whenever a thread comes to a barrier or ends
std::vector<unsigned int> *sweep = nullptr; // the threads of the block in the order in which they have their turns
size_t turn = 0; // whose it is in the sweep
Context scheduler;
Fibers fibers(run_threads);
std::string message; // what went wrong

std::string text(const char *format, ...)
{
    char buffer[512];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(buffer, sizeof(buffer), format, arguments);
    va_end(arguments);
    return buffer;
}

// ---- called by threads ----

void leave() { snn_host_switch(&block->threads[current].fiber->context, &scheduler); }

void fail(const char *what, int line)
{
    message = text("block %u, thread %u", block->number, current);
    if (line > 0) {
        message += text(", line %d", line);
    }
    message += std::string(": ") + what;
    failed = true;
    leave();
}

void wait(State state, int line)
{
    block->states[current] = state;
    block->threads[current].line = line;
    block->ready--;
    leave();
}

void yield(int line)
{
    block->sleeping++;
    wait(SLEEPS, line);
}

int meet(Barrier kind, int value, int line)
{
    if (block->meeting == 0) {
        block->kind = kind;
        block->line = line;
        block->values = 0;
    } else if (block->kind != kind || block->line != line) {
        fail(text("__syncthreads here while others of its block are in the one of line %d", block->line).c_str(), line);
    }
    events++;
    block->meeting++;
    block->values += value != 0;
    wait(MEETS, line);
    return int(block->threads[current].result);
}

unsigned long long meet_in_warp(Warp kind, unsigned int mask, unsigned long long value, unsigned int source, int line)
{
    if (!(mask >> (current % 32) & 1u)) {
        fail(text("lane %u is not in the mask 0x%08x that it names", current % 32, mask).c_str(), line);
    }
    Thread &thread = block->threads[current];
    thread.kind = kind;
    thread.mask = mask;
    thread.value = value;
    thread.source = source;
    events++;
    wait(MEETS_IN_WARP, line);
    return thread.result;
}

const Runtime runtime = {meet, meet_in_warp, yield, fail};

// ---- between two threads' turns ----

void end_barrier()
{
    if (block->meeting == 0 || block->meeting < block->live) {
        return;
    }
    const unsigned int values = block->values, all = block->meeting;
    const unsigned int results[] = {0, values != 0, values == all, values};
    for (unsigned int t = 0; t < launch->threads; t++) {
        if (block->states[t] == MEETS) {
            block->states[t] = READY;
            block->threads[t].result = results[block->kind];
        }
    }
    block->ready += all;
    block->meeting = 0;
}

// Let a warp's lanes go on that wait for no other, if this is so for those in a mask.
void end_meeting_in_warp(unsigned int first, unsigned int mask, Warp kind)
{
    unsigned int there = 0, ballot = 0;
    for (unsigned int lane = 0; lane < 32 && first + lane < launch->threads; lane++) {
        const unsigned int t = first + lane;
        if (!(mask >> lane & 1u) || block->states[t] == ENDED) {
            continue;
        }
        const Thread &thread = block->threads[t];
        if (block->states[t] != MEETS_IN_WARP || thread.kind != kind || thread.mask != mask) {
            return;
        }
        there |= 1u << lane;
        ballot |= (thread.value != 0 ? 1u : 0u) << lane;
    }
    for (unsigned int lane = 0; lane < 32; lane++) {
        if (!(there >> lane & 1u)) {
            continue;
        }
        Thread &thread = block->threads[first + lane];
        block->states[first + lane] = READY;
        block->ready++;
        if (kind == SHUFFLE) {
            // What a lane holds that takes no part is not defined.
            const bool defined = thread.source < 32 && (there >> thread.source & 1u);
            const uint64_t pattern = uint64_t(PATTERN) << 32 | PATTERN;
            thread.result = defined ? block->threads[first + thread.source].value : pattern;
        } else {
            thread.result = ballot;
        }
    }
}

void end_thread()
{
    events++;
    block->states[current] = ENDED;
    block->threads[current].fiber = nullptr;
    block->live--;
    block->ready--;
    end_barrier();
    const unsigned int first = current - current % 32;
    for (unsigned int t = first; t < first + 32 && t < launch->threads; t++) {
        if (block->states[t] == MEETS_IN_WARP) {
            end_meeting_in_warp(first, block->threads[t].mask, block->threads[t].kind);
        }
    }
}

void become(unsigned int t)
{
    current = t;
    launch->module->thread.x = t;
}

// What a fiber does: run the kernel for a thread, and for those whose turn is next if they are at its beginning too.
void run_threads()
{
    while (true) {
        if (!SNN_OWN_SWITCH) { // then each fiber has a mode of its own
            set_mode(flushing(get_mode(), launch->module->flush_denormals));
        }
        if (launch->has_argument) {
            reinterpret_cast<void (*)(uint64_t)>(launch->kernel)(launch->argument);
        } else {
            reinterpret_cast<void (*)()>(launch->kernel)();
        }
        Fiber *const fiber = block->threads[current].fiber;
        end_thread();
        const unsigned int next = turn + 1 < sweep->size() ? (*sweep)[turn + 1] : current;
        if (block->states[next] == READY && block->threads[next].fiber == nullptr) {
            turn++;
            become(next);
            block->threads[next].fiber = fiber;
        } else {
            fibers.give_back(fiber);
            snn_host_switch(&fiber->context, &scheduler);
        }
    }
}

// Let a thread go on until it waits.
void resume(unsigned int t)
{
    Thread &thread = block->threads[t];
    if (thread.fiber == nullptr) {
        thread.fiber = fibers.take();
        if (thread.fiber == nullptr) {
            message = "no memory for another thread's stack";
            failed = true;
            return;
        }
    }
    become(t);
    running = true;
    snn_host_switch(&scheduler, &thread.fiber->context);
    running = false;
    if (failed) {
        return;
    }
    const Thread &last = block->threads[current]; // may be another than at first
    if (block->states[current] == MEETS) {
        end_barrier();
    } else if (block->states[current] == MEETS_IN_WARP) {
        end_meeting_in_warp(current - current % 32, last.mask, last.kind);
    }
}

} // namespace
} // namespace snn_host
