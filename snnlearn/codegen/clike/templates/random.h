
// ---- random numbers ----
// Philox 4x32-10 (Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3). A number depends on the seed, the
// stream, the index of the neuron or synapse and how many were drawn before, and on nothing else. The transforms use
// +, -, *, / and sqrt in double precision alone, which are rounded alike everywhere.

// Natural logarithm of a positive number, the exponential function, and the normal distribution's quantile function.
double natural_log(double x);
double natural_exp(double x);
double normal_quantile(double p);

// What can be made of random words of 32 bits, which Source::word() gives.
template <typename Source> class Distributions {
public:
    // In (0, 1): its logarithm is finite, it is below a probability of 1, and the whole part of n times it is an index.
    template <typename T> T uniform() { return sizeof(T) == 4 ? T(open_uniform_float()) : T(open_uniform()); }
    template <typename T> T normal() { return T(normal_quantile(open_uniform())); }
    template <typename T> T exponential() { return T(-natural_log(open_uniform())); }
    template <typename T> T log_normal(double mean, double sd)
    {
        return T(natural_exp(mean + sd * normal_quantile(open_uniform())));
    }
    template <typename T> T gamma(double shape) { return T(gamma_of(shape)); }
    // Devroye (1986), Non-uniform random variate generation, section X.4.3: an order statistic of the trials' uniform
    // numbers, which is distributed as beta, tells on which side of it the rest are; the last few are tried one by one.
    unsigned int binomial(double trials, double probability)
    {
        uint64_t n = trials >= 4294967295.0 ? 4294967295u : trials > 0.0 ? uint64_t(trials) : 0;
        double p = probability;
        uint64_t successes = 0;
        while (n > 64 && p > 0.0 && p < 1.0) {
            const uint64_t rank = n / 2 + 1;
            const double left = gamma_of(double(rank)), right = gamma_of(double(n - rank + 1));
            const double cut = left / (left + right);
            if (cut <= p) {
                successes += rank;
                n -= rank;
                p = (p - cut) / (1.0 - cut);
            } else {
                n = rank - 1;
                p = p / cut;
            }
        }
        if (!(p > 0.0 && p < 1.0)) {
            return (unsigned int)(p >= 1.0 ? successes + n : successes);
        }
        for (; n > 0; n--) {
            successes += open_uniform() < p ? 1 : 0;
        }
        return (unsigned int)successes;
    }

private:
    uint32_t word() { return static_cast<Source *>(this)->word(); }
    // In (0, 1), in steps that become finer towards 0; what would be rounded to 1 is the number below.
    float open_uniform_float()
    {
        const float u = float(word()) * 0x1p-32f + 0x1p-33f;
        return u < 1.0f ? u : 0x1.fffffep-1f;
    }
    // In (0, 1): the middle of one of 2^52 equal parts.
    double open_uniform()
    {
        const uint64_t high = word();
        return double((((high << 32) | word()) >> 11) | 1u) * 0x1p-53;
    }

    // Marsaglia and Tsang (2000), A simple method for generating gamma variables; of scale 1.
    double gamma_of(double shape)
    {
        if (!(shape > 0.0 && shape < infinity<double>())) {
            return shape > 0.0 ? shape : not_a_number<double>();
        }
        // Less than 1: from that of one more. No recursion: NVRTC 12.9 crashes on it for sm_90.
        const bool small = shape < 1.0;
        const double d = (small ? shape + 1.0 : shape) - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
        while (true) {
            const double x = normal_quantile(open_uniform()), v1 = 1.0 + c * x, v = v1 * v1 * v1;
            if (v1 > 0.0 && natural_log(open_uniform()) < 0.5 * x * x + d - d * v + d * natural_log(v)) {
                return small ? d * v * natural_exp(natural_log(open_uniform()) / shape) : d * v;
            }
        }
    }
};

// One after the other, of which each block gives four: for what happens once.
class Random : public Distributions<Random> {
public:
    Random(uint64_t seed, uint32_t stream, uint64_t index)
        : m_Key{uint32_t(seed), uint32_t(seed >> 32)}, m_Counter{uint32_t(index), uint32_t(index >> 32), 0, stream}
    {
    }
    // One that starts anew with each call; of fewer than 2^32 indices, and 2^18 numbers for each.
    Random(uint64_t seed, uint32_t stream, uint64_t index, uint64_t call)
        : m_Key{uint32_t(seed), uint32_t(seed >> 32)},
          m_Counter{uint32_t(index), uint32_t(call), uint32_t(call >> 32) << 16, stream}
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

private:
    void block();

    const uint32_t m_Key[2];
    uint32_t m_Counter[4];
    uint32_t m_Out[4] = {0, 0, 0, 0};
    unsigned int m_Used = 4;
};

// One that starts anew with each timestep. Four neighbours share a block, so that the first numbers of many can be made
// at once, in vectors: number d of index i is word i % 4 of block d of i / 4. Fewer than 2^34 indices and 2^16 numbers.
// Of 7 rounds, with which Philox 4x32 passes all of BigCrush (Salmon et al. 2011, table 2).
class StepRandom : public Distributions<StepRandom> {
public:
    // `ahead` numbers of this index are known: words[0], words[stride] and so on
    StepRandom(uint64_t seed, uint32_t stream, uint64_t index, uint64_t time, const uint32_t *words = nullptr,
               size_t stride = 0, uint32_t ahead = 0)
        : m_Words(words), m_Stride(stride), m_Seed(seed), m_Index(index), m_Time(time), m_Stream(stream), m_Ahead(ahead)
    {
    }
    uint32_t word()
    {
        const uint32_t number = m_Used++;
        return number < m_Ahead ? m_Words[number * m_Stride] : compute(m_Seed, m_Stream, m_Index, m_Time, number);
    }

    // The first `ahead` numbers of indices from `first` on, `stride` of them; words has room for three more of each.
    static void look_ahead(uint64_t seed, uint32_t stream, uint64_t first, uint64_t time, uint32_t ahead, size_t stride,
                           uint32_t *__restrict__ words);

private:
    // By value, so that the object itself can live in registers.
    static uint32_t compute(uint64_t seed, uint32_t stream, uint64_t index, uint64_t time, uint32_t number);

    const uint32_t *const m_Words;
    const size_t m_Stride;
    const uint64_t m_Seed, m_Index, m_Time;
    const uint32_t m_Stream, m_Ahead;
    uint32_t m_Used = 0;
};
