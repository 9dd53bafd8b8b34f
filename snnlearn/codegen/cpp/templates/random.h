
// ---- random numbers ----
// Philox 4x32-10 (Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3). A number depends on the seed, the
// stream, the index of the neuron or synapse and how many were drawn before, and on nothing else. The transforms use
// +, -, *, / and sqrt in double precision alone, which are rounded alike everywhere.
class Random {
public:
    Random(uint64_t seed, uint32_t stream, uint64_t index)
        : m_Key{uint32_t(seed), uint32_t(seed >> 32)}, m_Counter{uint32_t(index), uint32_t(index >> 32), 0, stream}
    {
    }
    uint32_t word()
    {
        if (m_Used == 4) {
            block();
            m_Counter[2]++;
            m_Used = 0;
        }
        return m_Out[m_Used++];
    }
    // In [0, 1).
    template <typename T> T uniform();
    template <typename T> T normal() { return T(normal_quantile(open_uniform())); }
    template <typename T> T exponential() { return T(-log(open_uniform())); }

private:
    void block()
    {
        uint32_t c[4] = {m_Counter[0], m_Counter[1], m_Counter[2], m_Counter[3]};
        uint32_t k[2] = {m_Key[0], m_Key[1]};
        for (int round = 0; round < 10; round++) {
            const uint64_t p0 = uint64_t(0xD2511F53u) * c[0];
            const uint64_t p1 = uint64_t(0xCD9E8D57u) * c[2];
            const uint32_t next[4] = {uint32_t(p1 >> 32) ^ c[1] ^ k[0], uint32_t(p1), uint32_t(p0 >> 32) ^ c[3] ^ k[1],
                                      uint32_t(p0)};
            std::memcpy(c, next, sizeof(c));
            k[0] += 0x9E3779B9u;
            k[1] += 0xBB67AE85u;
        }
        std::memcpy(m_Out, c, sizeof(c));
    }
    uint64_t bits53()
    {
        const uint64_t high = word();
        return ((high << 32) | word()) >> 11;
    }
    // In (0, 1).
    double open_uniform() { return (double(bits53()) + 0.5) * 0x1p-53; }

    // Natural logarithm of a positive number: 2 atanh((m - 1) / (m + 1)) of the mantissa m in [1/sqrt 2, sqrt 2).
    static double log(double x)
    {
        uint64_t bits;
        std::memcpy(&bits, &x, sizeof(bits));
        int exponent = int(bits >> 52) - 1023;
        bits = (bits & 0x000FFFFFFFFFFFFFull) | 0x3FF0000000000000ull;
        double m;
        std::memcpy(&m, &bits, sizeof(m));
        if (m > 1.4142135623730951) {
            m *= 0.5;
            exponent++;
        }
        const double f = (m - 1.0) / (m + 1.0), f2 = f * f;
        double sum = 0.0;
        for (int n = 23; n >= 1; n -= 2) {
            sum = sum * f2 + 1.0 / n;
        }
        return 2.0 * f * sum + exponent * 0.69314718055994531;
    }

    // The normal distribution's quantile function: Wichura (1988), algorithm AS 241, PPND16; about 1 part in 10^16.
    static double normal_quantile(double p)
    {
        const double q = p - 0.5;
        if (q >= -0.425 && q <= 0.425) {
            const double r = 0.180625 - q * q;
            return q *
                   (((((((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r +
                        45921.953931549871457) * r + 13731.693765509461125) * r + 1971.5909503065514427) * r +
                     133.14166789178437745) * r + 3.387132872796366608) /
                   (((((((5226.495278852854561 * r + 28729.085735721942674) * r + 39307.89580009271061) * r +
                        21213.794301586595867) * r + 5394.1960214247511077) * r + 687.1870074920579083) * r +
                     42.313330701600911252) * r + 1.0);
        }
        double r = std::sqrt(-log(q < 0.0 ? p : 1.0 - p));
        double x;
        if (r <= 5.0) {
            r -= 1.6;
            x = (((((((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r +
                     1.27045825245236838258) * r + 3.64784832476320460504) * r + 5.7694972214606914055) * r +
                  4.6303378461565452959) * r + 1.42343711074968357734) /
                (((((((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r +
                     0.14810397642748007459) * r + 0.68976733498510000455) * r + 1.6763848301838038494) * r +
                  2.05319162663775882187) * r + 1.0);
        } else {
            r -= 5.0;
            x = (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 0.0012426609473880784386) * r +
                     0.026532189526576123093) * r + 0.29656057182850489123) * r + 1.7848265399172913358) * r +
                  5.4637849111641143699) * r + 6.6579046435011037772) /
                (((((((2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r + 1.8463183175100546818e-5) * r +
                     7.868691311456132591e-4) * r + 0.0148753612908506148525) * r + 0.13692988092273580531) * r +
                  0.59983220655588793769) * r + 1.0);
        }
        return q < 0.0 ? -x : x;
    }

    const uint32_t m_Key[2];
    uint32_t m_Counter[4];
    uint32_t m_Out[4] = {0, 0, 0, 0};
    unsigned int m_Used = 4;
};
template <> inline float Random::uniform<float>() { return float(word() >> 8) * 0x1p-24f; }
template <> inline double Random::uniform<double>() { return double(bits53()) * 0x1p-53; }
