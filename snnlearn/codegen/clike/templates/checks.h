// ---- what checked builds look at before code does it ----

template <typename S, typename I> inline I checked_index(S &sim, I index, uint64_t length, const char *where)
{
    const bool fine = !(index < I(0)) && uint64_t(index) < length;
    return sim.check(fine, BEYOND_THE_ARRAY, where, (long long)index, (long long)length) ? index : I(0);
}

template <typename S, typename I> inline I checked_count(S &sim, I count, uint64_t length, const char *where)
{
    const bool fine = !(count < I(0)) && uint64_t(count) <= length;
    return sim.check(fine, BEYOND_THE_ARRAY, where, (long long)count, (long long)length) ? count : I(0);
}

// Neither by zero nor of the least number by -1, whose quotient has no place.
template <typename S, typename T> inline bool divides(S &sim, T a, T b, const char *where)
{
    const bool fine = b != T(0) && !(T(-1) < T(0) && b == T(-1) && a == lowest<T>());
    return sim.check(fine, NO_QUOTIENT, where, (long long)a, (long long)b);
}
template <typename S, typename A, typename B> inline auto checked_divide(S &sim, A a, B b, const char *where)
{
    typedef decltype(a / b) T;
    return divides(sim, T(a), T(b), where) ? T(a) / T(b) : T(0);
}
template <typename S, typename A, typename B> inline auto checked_remainder(S &sim, A a, B b, const char *where)
{
    typedef decltype(a % b) T;
    return divides(sim, T(a), T(b), where) ? T(a) % T(b) : T(0);
}

template <typename T, typename S, typename B> inline bool shifts(S &sim, B bits, const char *where)
{
    const bool fine = !(bits < B(0)) && uint64_t(bits) < 8 * sizeof(T);
    return sim.check(fine, BEYOND_THE_BITS, where, (long long)bits, (long long)(8 * sizeof(T)));
}
template <typename S, typename A, typename B> inline auto checked_shift_left(S &sim, A a, B bits, const char *where)
{
    typedef decltype(a << bits) T;
    return shifts<T>(sim, bits, where) ? T(a) << bits : T(0);
}
template <typename S, typename A, typename B> inline auto checked_shift_right(S &sim, A a, B bits, const char *where)
{
    typedef decltype(a >> bits) T;
    return shifts<T>(sim, bits, where) ? T(a) >> bits : T(0);
}

#define SNN_CHECKED_ASSIGN(name) template <typename S, typename X, typename Y> inline X &name##_assign(S &sim, X &x, Y y, const char *where) { return x = X(name(sim, x, y, where)); }
SNN_CHECKED_ASSIGN(checked_divide) SNN_CHECKED_ASSIGN(checked_remainder)
SNN_CHECKED_ASSIGN(checked_shift_left) SNN_CHECKED_ASSIGN(checked_shift_right)
#undef SNN_CHECKED_ASSIGN

