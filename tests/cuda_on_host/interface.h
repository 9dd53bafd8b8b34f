// What a program compiled for the host and the scheduler that runs its threads know of each other.

namespace snn_host {

struct Index {
    unsigned int x, y, z;
};

enum Barrier { SYNC, SYNC_OR, SYNC_AND, SYNC_COUNT };
enum Warp { SYNC_WARP, BALLOT, SHUFFLE };

struct Runtime {
    // All threads of the block that have not ended meet; returns what `kind` makes of their values.
    int (*meet)(Barrier kind, int value, int line);
    // The lanes of a mask that have not ended meet; returns those with a value, or the value of lane `source`.
    unsigned long long (*meet_in_warp)(Warp kind, unsigned int mask, unsigned long long value, unsigned int source,
                                       int line);
    // Others go on: the thread waits for something in memory.
    void (*yield)(int line);
    // The launch ends with an error.
    void (*fail)(const char *what, int line);
};

struct Module {
    Index thread, block, threads, blocks; // of the thread that runs
    void *dynamic_shared; // of its block
    const Runtime *runtime;
    int flush_denormals;
    char *(*shared)(); // an address within the static shared memory, which is the OS thread's own
    unsigned long long shared_offset, shared_size; // where that is, and how long it is; the scheduler finds out
};

} // namespace snn_host
