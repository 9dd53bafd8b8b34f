// ---- random numbers: bodies ----

// Before a function that would be a lot of code wherever it is called.
#ifndef SNN_APART
#define SNN_APART
#endif

static inline void philox_round(uint32_t (&c)[4], uint32_t (&k)[2])
{
    const uint64_t p0 = uint64_t(0xD2511F53u) * c[0], p1 = uint64_t(0xCD9E8D57u) * c[2];
    c[0] = uint32_t(p1 >> 32) ^ c[1] ^ k[0];
    c[2] = uint32_t(p0 >> 32) ^ c[3] ^ k[1];
    c[1] = uint32_t(p1);
    c[3] = uint32_t(p0);
    k[0] += 0x9E3779B9u;
    k[1] += 0xBB67AE85u;
}

// Natural logarithm of a positive number: 2 atanh((m - 1) / (m + 1)) of the mantissa m in [1/sqrt 2, sqrt 2).
SNN_APART double natural_log(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    int exponent = int(bits >> 52) - 1023;
    bits = (bits & 0x000FFFFFFFFFFFFFull) | 0x3FF0000000000000ull;
    double m;
    memcpy(&m, &bits, sizeof(m));
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

// The exponential function: 2^k e^r with |r| <= ln(2) / 2, and the series of e^r to the term that no longer counts.
SNN_APART double natural_exp(double x)
{
    if (!(x > -745.0)) {
        return x != x ? x : 0.0;
    }
    if (x > 709.7) {
        return infinity<double>();
    }
    const double k = double(int(x * 1.4426950408889634 + (x < 0.0 ? -0.5 : 0.5)));
    const double r = (x - k * 0.693147180369123816490) - k * 1.90821492927058770002e-10;
    double sum = 1.0;
    for (int n = 18; n >= 1; n--) {
        sum = 1.0 + r / n * sum;
    }
    return ldexp(sum, int(k));
}

// The normal distribution's quantile function: Wichura (1988), algorithm AS 241, PPND16; about 1 part in 10^16.
SNN_APART double normal_quantile(double p)
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
    double r = sqrt(-natural_log(q < 0.0 ? p : 1.0 - p));
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

SNN_APART void Random::block()
{
    uint32_t c[4] = {m_Counter[0], m_Counter[1], m_Counter[2], m_Counter[3]};
    uint32_t k[2] = {m_Key[0], m_Key[1]};
    for (int n = 0; n < 10; n++) {
        philox_round(c, k);
    }
    memcpy(m_Out, c, sizeof(c));
}

void StepRandom::look_ahead(uint64_t seed, uint32_t stream, uint64_t first, uint64_t time, uint32_t ahead, size_t stride,
                            uint32_t *__restrict__ words)
{
    const uint64_t block = first / 4, blocks = stride / 4;
    for (uint32_t number = 0; number < ahead; number++) {
        uint32_t *__restrict__ const out = words + number * stride;
        for (uint32_t n = 0; n < blocks; n++) {
            uint32_t c[4] = {uint32_t(block) + n, uint32_t(time), (uint32_t(time >> 32) << 16) + number, stream};
            uint32_t k[2] = {uint32_t(seed), uint32_t(seed >> 32)};
            // Unrolled by hand: an inner loop would block vectorisation of this one.
            philox_round(c, k), philox_round(c, k), philox_round(c, k), philox_round(c, k);
            philox_round(c, k), philox_round(c, k), philox_round(c, k);
            out[4 * n] = c[0];
            out[4 * n + 1] = c[1];
            out[4 * n + 2] = c[2];
            out[4 * n + 3] = c[3];
        }
    }
}

SNN_APART uint32_t StepRandom::compute(uint64_t seed, uint32_t stream, uint64_t index, uint64_t time, uint32_t number)
{
    uint32_t c[4] = {uint32_t(index / 4), uint32_t(time), (uint32_t(time >> 32) << 16) + number, stream};
    uint32_t k[2] = {uint32_t(seed), uint32_t(seed >> 32)};
    for (int n = 0; n < 7; n++) {
        philox_round(c, k);
    }
    return c[index % 4];
}
