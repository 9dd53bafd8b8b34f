// ---- what code may call besides the maths library ----

// As in C: where one argument is not a number, the other. Written so that a compiler can vectorise it.
template <typename T> inline T fmax(T a, T b) { return (a >= b || b != b) ? a : b; }
template <typename T> inline T fmin(T a, T b) { return (a <= b || b != b) ? a : b; }
template <typename T> inline T max(T a, T b) { return a < b ? b : a; }
template <typename T> inline T min(T a, T b) { return b < a ? b : a; }

// The slot of a queue some timesteps after the newest, or before.
inline unsigned int later(unsigned int newest, unsigned int steps, unsigned int slots)
{
    return newest + steps < slots ? newest + steps : newest + steps - slots;
}
inline unsigned int earlier(unsigned int newest, unsigned int steps, unsigned int slots)
{
    return newest >= steps ? newest - steps : newest + slots - steps;
}

// When a spike arrives that was emitted some timesteps before: the product that t is then, not a sum that rounds differently.
template <typename T> inline T arrival(T emitted, int steps, T dt)
{
    const double timestep = nearbyint(double(emitted) / double(dt));
    const bool whole = timestep >= 0.0 && timestep < 0x1p62 && T(uint64_t(timestep)) * dt == emitted;
    return whole ? T(uint64_t(timestep) + uint64_t(steps)) * dt : emitted + T(steps) * dt;
}

// Whether a time is that of the timestep before.
template <typename T> inline bool just_now(T time, uint64_t timestep, T dt)
{
    return timestep > 0 && time == T(timestep - 1) * dt;
}
