// Stacks to switch between: a fiber runs one thread of a GPU at a time, from its kernel's beginning to its end.

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <sys/mman.h>
#include <vector>
#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))
#define SNN_OWN_SWITCH 1
#else
#define SNN_OWN_SWITCH 0
#include <ucontext.h>
#endif

namespace snn_host {

#if SNN_OWN_SWITCH

// Keeps what a function must not change, but not the floating-point mode: it is the same for all fibers.
using Context = void *;
extern "C" __attribute__((visibility("hidden"))) void snn_host_switch(Context *from, Context *to);

#if defined(__x86_64__)
__asm__(R"(
    .text
    .hidden snn_host_switch
    .globl snn_host_switch
    .type snn_host_switch, @function
snn_host_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq (%rsi), %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size snn_host_switch, .-snn_host_switch
)");
constexpr size_t KEPT = 8; // words; one more than are pushed keeps the stack aligned
constexpr size_t RETURN = 6;
#else
__asm__(R"(
    .text
    .hidden snn_host_switch
    .globl snn_host_switch
    .type snn_host_switch, @function
snn_host_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    ldr x9, [x1]
    mov sp, x9
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
    .size snn_host_switch, .-snn_host_switch
)");
constexpr size_t KEPT = 20;
constexpr size_t RETURN = 11;
#endif

inline void begin(Context &context, char *stack, size_t size, void (*function)())
{
    void **const kept = reinterpret_cast<void **>(stack + size) - KEPT;
    for (size_t n = 0; n < KEPT; n++) {
        kept[n] = nullptr;
    }
    kept[RETURN] = reinterpret_cast<void *>(function);
    context = kept;
}

#else

using Context = ucontext_t;
inline void snn_host_switch(Context *from, Context *to) { swapcontext(from, to); }
inline void begin(Context &context, char *stack, size_t size, void (*function)())
{
    getcontext(&context);
    context.uc_stack.ss_sp = stack;
    context.uc_stack.ss_size = size;
    context.uc_link = nullptr;
    makecontext(&context, function, 0);
}

#endif

struct Fiber {
    Context context;
    char *stack;
};

// Fibers, made where there are too few, and kept for other launches.
class Fibers {
public:
    explicit Fibers(void (*function)()) : m_Function(function) {}

    Fiber *take()
    {
        if (m_Free.empty()) {
            constexpr int access = PROT_READ | PROT_WRITE, kind = MAP_PRIVATE | MAP_ANONYMOUS;
            void *const memory = mmap(nullptr, GUARD + SIZE, access, kind, -1, 0);
            if (memory == MAP_FAILED || mprotect(memory, GUARD, PROT_NONE) != 0) {
                return nullptr;
            }
            Fiber *const fiber = new Fiber{{}, static_cast<char *>(memory) + GUARD};
            begin(fiber->context, fiber->stack, SIZE, m_Function);
            m_Free.push_back(fiber);
        }
        Fiber *const fiber = m_Free.back();
        m_Free.pop_back();
        return fiber;
    }

    void give_back(Fiber *fiber) { m_Free.push_back(fiber); }

    // The fiber forgets what it was about.
    void abandon(Fiber *fiber)
    {
        begin(fiber->context, fiber->stack, SIZE, m_Function);
        give_back(fiber);
    }

    // Whether an address is where a stack would go on if it could.
    static bool beyond(const Fiber *fiber, const void *address)
    {
        const char *const byte = static_cast<const char *>(address);
        return byte >= fiber->stack - GUARD && byte < fiber->stack;
    }

private:
    static constexpr size_t SIZE = 128 * 1024, GUARD = 64 * 1024; // multiples of any page size
    void (*m_Function)();
    std::vector<Fiber *> m_Free;
};

} // namespace snn_host
