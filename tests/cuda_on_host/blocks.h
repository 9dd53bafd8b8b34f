// The blocks of a launch: one after the other, or in turns.

namespace snn_host {
namespace {

constexpr size_t SHARED_GUARD = 256; // bytes behind a block's dynamic shared memory
constexpr unsigned int IDLE_ROUNDS = 20'000, SWEEPS_IN_TURN = 4096;

std::vector<unsigned int> in_order(unsigned int size)
{
    std::vector<unsigned int> order(size);
    for (unsigned int n = 0; n < size; n++) {
        order[n] = launch->order == DESCENDING ? size - 1 - n : n;
    }
    return order;
}

void shuffle(std::vector<unsigned int> &order)
{
    if (launch->order == SHUFFLED) {
        for (size_t n = order.size(); n > 1; n--) {
            std::swap(order[n - 1], order[launch->random() % n]);
        }
    }
}

// Whose static shared memory is in its place: a block's, or nobody's.
class Shared {
public:
    explicit Shared(const Module &module)
        : m_Memory(module.shared() - module.shared_offset), m_Size(module.shared_size) {}

    void clear() { fill(m_Memory, m_Size); }
    void change_to(Block *next)
    {
        if (next == m_Block) {
            return;
        }
        if (m_Block != nullptr) {
            m_Block->shared.assign(m_Memory, m_Memory + m_Size);
        }
        if (next->shared.empty()) {
            clear();
        } else {
            std::memcpy(m_Memory, next->shared.data(), m_Size);
        }
        m_Block = next;
    }

private:
    char *m_Memory;
    size_t m_Size;
    Block *m_Block = nullptr;
};

void begin_block(Block &fresh, unsigned int number)
{
    fresh.number = number;
    fresh.states.assign(launch->threads, READY);
    fresh.threads.assign(launch->threads, Thread());
    fresh.live = fresh.ready = launch->threads;
    fresh.meeting = fresh.sleeping = 0;
    fresh.dynamic.resize(launch->dynamic + SHARED_GUARD);
    fill(fresh.dynamic.data(), fresh.dynamic.size());
}

void end_block(const Block &ended)
{
    if (!failed && !is_filled(ended.dynamic.data() + launch->dynamic, SHARED_GUARD)) {
        message = text("block %u wrote beyond the %zu bytes of its dynamic shared memory", ended.number,
                       launch->dynamic);
        failed = true;
    }
}

// What those threads do that cannot go on: ranges of them in the same place.
std::string waiting(const Block &stuck)
{
    std::string list;
    unsigned int parts = 0;
    for (unsigned int first = 0, end; first < launch->threads; first = end) {
        const auto where = [&](unsigned int t) -> std::string {
            const Thread &thread = stuck.threads[t];
            switch (stuck.states[t]) {
            case READY: return "can go on";
            case MEETS: return text("in __syncthreads of line %d", thread.line);
            case SLEEPS: return text("in __nanosleep of line %d", thread.line);
            case ENDED: return "ended";
            default:
                return text("in %s of line %d with mask 0x%08x",
                            thread.kind == SYNC_WARP ? "__syncwarp" : thread.kind == BALLOT ? "a vote" : "a shuffle",
                            thread.line, thread.mask);
            }
        };
        const std::string here = where(first);
        for (end = first + 1; end < launch->threads && where(end) == here; end++) {
        }
        if (++parts > 8) {
            return list + ", ...";
        }
        list += list.empty() ? "" : ", ";
        list += end - first > 1 ? text("threads %u to %u ", first, end - 1) : text("thread %u ", first);
        list += here;
    }
    return list;
}

void stick(const Block &stuck, const char *why)
{
    message = text("block %u %s: ", stuck.number, why) + waiting(stuck);
    failed = true;
}

// Give each thread of a block its turns until none can go on, or for a while.
void take_turns(Block &mine, std::vector<unsigned int> &order)
{
    block = &mine;
    Module &module = *launch->module;
    module.block = {mine.number, 0, 0};
    module.dynamic_shared = mine.dynamic.data();
    sweep = &order;
    for (unsigned int n = 0; mine.ready > 0 && n < SWEEPS_IN_TURN; n++) {
        shuffle(order);
        for (turn = 0; turn < order.size(); turn++) {
            if (mine.states[order[turn]] == READY) {
                resume(order[turn]);
                if (failed) {
                    return;
                }
            }
        }
    }
    if (mine.ready == 0 && mine.sleeping == 0 && mine.live > 0) {
        stick(mine, "can never go on");
    }
}

void wake(Block &sleepy)
{
    for (unsigned int t = 0; sleepy.sleeping > 0 && t < launch->threads; t++) {
        if (sleepy.states[t] == SLEEPS) {
            sleepy.states[t] = READY;
            sleepy.sleeping--;
            sleepy.ready++;
        }
    }
}

// Run some blocks, in turns, to their end.
void run(std::vector<Block> &blocks, Shared &shared, std::vector<unsigned int> &order)
{
    std::vector<unsigned int> turns = in_order((unsigned int)blocks.size());
    unsigned int idle = 0;
    for (size_t live = blocks.size(); live > 0 && !failed;) {
        const unsigned long long before = events;
        const Block *last = nullptr;
        shuffle(turns);
        for (const unsigned int n : turns) {
            Block &mine = blocks[n];
            if (mine.live == 0) {
                continue;
            }
            last = &mine;
            shared.change_to(&mine);
            wake(mine);
            take_turns(mine, order);
            if (failed) {
                return;
            }
            if (mine.live == 0) {
                live--;
                end_block(mine);
            }
        }
        idle = events == before ? idle + 1 : 0;
        if (live > 0 && idle > IDLE_ROUNDS) {
            stick(*last, "waits for something that never happens");
        } else if (live > 0 && std::chrono::steady_clock::now() > launch->end) {
            stick(*last, "takes too long");
        }
    }
}

} // namespace
} // namespace snn_host
