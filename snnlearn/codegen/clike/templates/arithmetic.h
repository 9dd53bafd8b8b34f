// ---- what code may call besides the maths library ----

// As in C: where one argument is not a number, the other. Written so that a compiler can vectorise it.
template <typename T> inline T fmax(T a, T b) { return (a >= b || b != b) ? a : b; }
template <typename T> inline T fmin(T a, T b) { return (a <= b || b != b) ? a : b; }
template <typename T> inline T max(T a, T b) { return a < b ? b : a; }
template <typename T> inline T min(T a, T b) { return b < a ? b : a; }

// Whether a type has a place for a number, once what is behind its point is cut off; floating types have one for NaN and
// infinity, and integers are given to types of integers alone.
template <typename T, typename X> inline bool holds(X x)
{
    if constexpr (X(1.5f) == X(1)) { // an integer: there and back, with its sign, which a comparison with 1 shows
        return X(T(x)) == x && (T(x) >= T(1)) == (x >= X(1));
    } else if constexpr (T(1.5f) == T(1)) { // to an integer, whose greatest number need not be one of double precision
        const double low = double(lowest<T>());
        const double end = low < 0.0 ? -low : 2.0 * double(1ull << (8 * sizeof(T) - 1));
        return (double(x) > low - 1.0 || double(x) == low) && double(x) < end;
    } else {
        return !(fabs(double(x)) > -double(lowest<T>())) || fabs(double(x)) == infinity<double>();
    }
}
template <> inline bool holds<bool>(float x) { return x >= 0.0f && x <= 1.0f; }
template <> inline bool holds<bool>(double x) { return x >= 0.0 && x <= 1.0; }

// A number as an index; what is none becomes the greatest, which no array has.
template <typename X> inline unsigned int as_index(X x) { return holds<unsigned int>(x) ? (unsigned int)x : 0xFFFFFFFFu; }

// The slot of a queue some timesteps after the newest, or before.
inline unsigned int later(unsigned int newest, unsigned int steps, unsigned int slots)
{
    return newest + steps < slots ? newest + steps : newest + steps - slots;
}
inline unsigned int earlier(unsigned int newest, unsigned int steps, unsigned int slots)
{
    return newest >= steps ? newest - steps : newest + slots - steps;
}

// When a timestep starts: the number nearest to the product. A float's product with a float dt would be that of another dt.
template <typename T> inline T time_of(uint64_t timestep, double dt) { return T(double(timestep) * dt); }

// When a spike arrives that was emitted some timesteps before: the very number that t is then.
template <typename T> inline T arrival(T emitted, int steps, double dt)
{
    const double timestep = nearbyint(double(emitted) / dt);
    const bool whole = timestep >= 0.0 && timestep < 0x1p62 && time_of<T>(uint64_t(timestep), dt) == emitted;
    return whole ? time_of<T>(uint64_t(timestep) + uint64_t(steps), dt) : T(double(emitted) + double(steps) * dt);
}

// Whether a time is that of the timestep before.
template <typename T> inline bool just_now(T time, uint64_t timestep, double dt)
{
    return timestep > 0 && time == time_of<T>(timestep - 1, dt);
}
