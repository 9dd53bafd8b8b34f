// Runs a kernel's threads, one after the other and in turns where they wait for one another: what Python calls.

#if defined(__linux__)
#include <dlfcn.h>
#include <link.h>
#endif

namespace snn_host {
namespace {

#if defined(__linux__)
// Find where a module's static shared memory is, in the memory that is the OS thread's own.
int find_shared(struct dl_phdr_info *info, size_t, void *context)
{
    Module &module = *static_cast<Module *>(context);
    const char *const shared = module.shared(); // from now on there is some for this OS thread
    const char *const first = static_cast<const char *>(info->dlpi_tls_data);
    for (int n = 0; n < info->dlpi_phnum && first != nullptr; n++) {
        const auto &header = info->dlpi_phdr[n];
        if (header.p_type == PT_TLS && shared >= first && shared < first + header.p_memsz) {
            module.shared_offset = (unsigned long long)(shared - first);
            module.shared_size = header.p_memsz;
            return 1;
        }
    }
    return 0;
}
#endif

} // namespace
} // namespace snn_host

#define SNN_EXPORT extern "C" __attribute__((visibility("default")))
using namespace snn_host;

// Get a module ready for launches.
SNN_EXPORT void snn_host_attach(Module *module)
{
    module->runtime = &runtime;
#if defined(__linux__)
    module->shared();
    dl_iterate_phdr(find_shared, module);
#endif
}

// Launch a kernel and wait for its end; returns what went wrong, or nothing.
SNN_EXPORT const char *snn_host_launch(Module *module, void *kernel, unsigned int blocks, unsigned int threads,
                                       const uint64_t *argument, int together, size_t dynamic, int order,
                                       unsigned int seed, double seconds)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(int64_t(1e9 * seconds));
    Launch mine = {module, kernel, argument != nullptr, argument == nullptr ? 0 : *argument, threads, dynamic,
                   Order(order), std::minstd_rand(seed), end};
    launch = &mine;
    failed = false;
    module->threads = {threads, 1, 1};
    module->blocks = {blocks, 1, 1};
    std::vector<Block> alive(together ? blocks : 1);
    {
        catch_signals();
        watch.begin();
        const Mode mode(module->flush_denormals);
        Shared shared(*module);
        std::vector<unsigned int> thread_order = in_order(threads);
        std::vector<unsigned int> block_order = in_order(blocks);
        shuffle(block_order);
        if (together) {
            for (unsigned int n = 0; n < blocks; n++) {
                begin_block(alive[n], n);
            }
            run(alive, shared, thread_order);
        } else {
            for (unsigned int n = 0; n < blocks && !failed; n++) {
                begin_block(alive[0], block_order[n]);
                shared.clear();
                run(alive, shared, thread_order);
            }
        }
        watch.end();
    }
    for (Block &stopped : alive) {
        for (Thread &thread : stopped.threads) {
            if (thread.fiber != nullptr) {
                fibers.abandon(thread.fiber);
            }
        }
    }
    std::fflush(stdout);
    launch = nullptr;
    return failed ? message.c_str() : nullptr;
}

// Fill memory with the pattern.
SNN_EXPORT void snn_host_fill(char *first, size_t size) { fill(first, size); }

// Look for damage in pieces of memory, each an address and a size, that held the pattern: which is the first, or -1.
SNN_EXPORT long snn_host_damaged(const uint64_t *pieces, long count)
{
    for (long n = 0; n < count; n++) {
        if (!is_filled(reinterpret_cast<const char *>(pieces[2 * n]), pieces[2 * n + 1])) {
            return n;
        }
    }
    return -1;
}

// How large a module's variable is, or -1 where that cannot be told.
SNN_EXPORT long snn_host_size(const void *variable)
{
#if defined(__GLIBC__)
    Dl_info info;
    void *symbol = nullptr;
    if (dladdr1(variable, &info, &symbol, RTLD_DL_SYMENT) != 0 && symbol != nullptr && info.dli_saddr == variable) {
        return long(static_cast<const ElfW(Sym) *>(symbol)->st_size);
    }
#endif
    (void)variable;
    return -1;
}
