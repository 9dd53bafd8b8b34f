// What memory holds at first, and how the CPU calculates.

#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace snn_host {
namespace {

// What memory holds before it is written: as a float or double not a number, and no likely integer.
constexpr uint32_t PATTERN = 0x7ffa5a5a;

char pattern_at(const char *byte) { return char(PATTERN >> (8 * (reinterpret_cast<uintptr_t>(byte) % 4))); }
bool at_word(const char *byte) { return reinterpret_cast<uintptr_t>(byte) % 4 == 0; }

// Fill with the pattern, which goes by address.
void fill(char *first, size_t size)
{
    char *const end = first + size;
    for (; first < end && !at_word(first); first++) {
        *first = pattern_at(first);
    }
    for (; end - first >= 4; first += 4) {
        std::memcpy(first, &PATTERN, 4);
    }
    for (; first < end; first++) {
        *first = pattern_at(first);
    }
}

bool is_filled(const char *first, size_t size)
{
    const char *const end = first + size;
    uint32_t differs = 0;
    for (; first < end && !at_word(first); first++) {
        differs |= *first != pattern_at(first);
    }
    for (; end - first >= 4; first += 4) {
        uint32_t word;
        std::memcpy(&word, first, 4);
        differs |= word ^ PATTERN;
    }
    for (; first < end; first++) {
        differs |= *first != pattern_at(first);
    }
    return differs == 0;
}

// How the CPU calculates: whether it takes denormals for zero.
#if defined(__SSE2__)
constexpr uint64_t FLUSH = 0x8040;
uint64_t get_mode() { return _mm_getcsr(); }
void set_mode(uint64_t mode) { _mm_setcsr((unsigned int)mode); }
#elif defined(__aarch64__)
constexpr uint64_t FLUSH = uint64_t(1) << 24;
uint64_t get_mode()
{
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
}
void set_mode(uint64_t mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode)); }
#else
constexpr uint64_t FLUSH = 0;
uint64_t get_mode() { return 0; }
void set_mode(uint64_t) {}
#endif
uint64_t flushing(uint64_t mode, bool flush) { return flush ? mode | FLUSH : mode & ~FLUSH; }

// While one of these lives the floating-point mode is a module's.
class Mode {
public:
    explicit Mode(bool flush) : m_Saved(get_mode()) { set_mode(flushing(m_Saved, flush)); }
    ~Mode() { set_mode(m_Saved); }
    Mode(const Mode &) = delete;
    Mode &operator=(const Mode &) = delete;

private:
    uint64_t m_Saved;
};

} // namespace
} // namespace snn_host
