"""The device of the tests, which runs CUDA on the CPU: what GPUs do it does, and what they do not forgive it finds."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cuda_on_host import HostDevice, HostModule, LaunchError
from snnlearn.errors import BuildError

# What kernels here find their arrays by, as an emitted program's do.
HEAD = """
#ifdef __CUDACC_RTC__
typedef unsigned char uint8_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
#endif
#ifndef SNN_SPIN
#define SNN_SPIN() __nanosleep(20)
#endif
#ifndef SNN_DYNAMIC_SHARED
extern __shared__ __align__(16) unsigned char snn_dynamic_shared[];
#define SNN_DYNAMIC_SHARED(type, name) type *const name = reinterpret_cast<type *>(snn_dynamic_shared)
#endif
struct Arrays { float *x, *y; uint32_t *u; uint32_t n; };
extern "C" {
__constant__ Arrays arrays;
}
"""

SAXPY = """
extern "C" __global__ void __launch_bounds__(64) saxpy()
{
    for (uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < arrays.n; i += gridDim.x * blockDim.x) {
        arrays.y[i] = fma(2.0f, arrays.x[i], arrays.y[i]);
    }
}
"""

# How many of the elements before each are odd: a vote in each warp, and the warps' counts in shared memory.
PREFIX = """
template <int WARPS> __device__ inline uint32_t prefix(bool mine)
{
    __shared__ uint32_t counts[WARPS];
    const uint32_t votes = __ballot_sync(0xffffffffu, mine), lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    if (lane == 0) {
        counts[warp] = __popc(votes);
    }
    __syncthreads();
    uint32_t before = __popc(votes & ((1u << lane) - 1u));
    for (uint32_t w = 0; w < warp; w++) {
        before += counts[w];
    }
    __syncthreads();
    return before;
}
extern "C" __global__ void odd_before()
{
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < arrays.n) { // not for all lanes of the last warp
        arrays.u[i] = prefix<4>(arrays.u[i] % 2 == 1);
    }
}
"""

TREE = """
extern "C" __global__ void tree()
{
    static __shared__ float part[128];
    const uint32_t t = threadIdx.x;
    part[t] = arrays.x[blockIdx.x * 128 + t];
    for (uint32_t half = 64; half >= 32; half /= 2) {
        __syncthreads();
        if (t < half) {
            part[t] += part[t + half];
        }
    }
    if (t < 32) {
        float sum = part[t];
        for (int half = 16; half > 0; half /= 2) {
            sum += __shfl_down_sync(0xffffffffu, sum, half);
        }
        if (t == 0) {
            arrays.y[blockIdx.x] = sum;
        }
    }
}
"""

# Each round, each block takes over what its neighbour had; what it had first is in both kinds of shared memory.
GRID = """
extern "C" {
__device__ uint32_t barrier;
}
__device__ void wait_for_all_blocks()
{
    __syncthreads();
    if (threadIdx.x == 0) {
        __threadfence();
        const uint32_t goal = (atomicAdd(&barrier, 1u) / gridDim.x + 1u) * gridDim.x;
        while (*(volatile uint32_t *)&barrier < goal) {
            SNN_SPIN();
        }
        __threadfence();
    }
    __syncthreads();
}
extern "C" __global__ void rotate(uint64_t rounds)
{
    __shared__ uint32_t first[64];
    SNN_DYNAMIC_SHARED(uint32_t, last);
    uint32_t *const mine = arrays.u + blockIdx.x * blockDim.x;
    uint32_t *const neighbours = arrays.u + (blockIdx.x + 1) % gridDim.x * blockDim.x;
    first[63 - threadIdx.x] = mine[threadIdx.x];
    for (uint64_t n = 0; n < rounds; n++) {
        const uint32_t next = neighbours[threadIdx.x];
        last[63 - threadIdx.x] = next;
        wait_for_all_blocks();
        mine[threadIdx.x] = last[63 - threadIdx.x];
        wait_for_all_blocks();
    }
    arrays.y[blockIdx.x * blockDim.x + threadIdx.x] = float(first[63 - threadIdx.x]);
}
extern "C" __global__ void rotate_apart() { wait_for_all_blocks(); }
"""

# The barrier between writing and reading is missing.
RACE = """
extern "C" __global__ void reverse()
{
    __shared__ uint32_t kept[64];
    kept[threadIdx.x] = arrays.u[threadIdx.x];
    arrays.u[threadIdx.x] = kept[63 - threadIdx.x];
}
extern "C" __global__ void shift_up()
{
    __shared__ uint32_t kept[64];
    kept[threadIdx.x] = threadIdx.x;
    arrays.u[threadIdx.x] = threadIdx.x > 0 ? kept[threadIdx.x - 1] : 0;
}
"""

WARP = """
extern "C" __global__ void warp()
{
    const uint32_t t = threadIdx.x;
    uint32_t *out = arrays.u + t * 16;
    out[0] = __shfl_sync(0xffffffffu, t, 5);
    out[1] = __shfl_sync(0xffffffffu, t, 1, 8);
    out[2] = __shfl_up_sync(0xffffffffu, t, 2);
    out[3] = __shfl_down_sync(0xffffffffu, t, 3, 16);
    out[4] = __shfl_xor_sync(0xffffffffu, t, 7);
    out[5] = uint32_t(__shfl_xor_sync(0xffffffffu, double(t) + 0.5, 1) * 2.0);
    out[6] = __any_sync(0xffffffffu, t == 40);
    out[7] = __all_sync(0xffffffffu, t != 40);
    out[8] = __ballot_sync(0xffffffffu, t % 3 == 0);
    if (t % 2 == 0) { // the halves of a warp meet apart
        out[9] = __ballot_sync(0x55555555u, t < 40);
    } else {
        out[9] = __ballot_sync(0xaaaaaaaau, t < 40);
    }
    __syncwarp();
    out[10] = __syncthreads_or(t == 63);
    out[11] = __syncthreads_and(t != 63);
    out[12] = __syncthreads_count(t < 10);
    out[13] = __activemask() >> (t % 32) & 1u;
    if (t >= 20) {
        return;
    }
    __syncthreads(); // those that have ended are not waited for
    out[14] = __popc(__ballot_sync(0xffffffffu, 1));
}
"""

ATOMICS = """
extern "C" __global__ void atomics()
{
    uint32_t *const u = arrays.u;
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
    atomicAdd(u + 0, i);
    atomicSub(u + 1, 1u);
    atomicMin(u + 2, ~i);
    atomicMax((int *)u + 3, int(i));
    atomicOr(u + 4, 1u << i % 32);
    atomicAnd(u + 5, ~i);
    atomicExch(u + 6, 7u);
    atomicInc(u + 7, 9u);
    uint32_t seen = u[8], expected;
    do {
        expected = seen;
        seen = atomicCAS(u + 8, expected, expected + 2);
    } while (seen != expected);
    atomicXor(u + 9, 1u);
    atomicAdd((unsigned long long *)(u + 10), 1ull << 32);
    atomicAdd((uint64_t *)(u + 12), uint64_t(2));
    atomicAdd(arrays.x, 0.5f);
    atomicAdd((double *)arrays.y, 0.25);
}
"""

BITS = """
extern "C" __global__ void bits()
{
    uint32_t *out = arrays.u;
    *out++ = __popc(0xf0f0u);
    *out++ = __popcll(0xf0f000000000000full);
    *out++ = __ffs(8);
    *out++ = __ffs(0);
    *out++ = __clz(1);
    *out++ = __clz(0);
    *out++ = __umulhi(0xffffffffu, 0xfffffffeu);
    *out++ = __float_as_uint(1.5f);
    *out++ = __double2hiint(1.5);
    *out++ = uint32_t(__umul64hi(1ull << 63, 6ull));
    *out++ = __brev(3u);
    *out++ = min(3, 4) + max(5u, 6u) + uint32_t(max(1.5f, 2.5f)) + uint32_t(abs(-3)) + uint32_t(fabs(-1.5f));
    *out++ = __uint_as_float(0x40000000u) == 2.0f && __longlong_as_double(0) == 0.0;
    *out++ = isnan(__int_as_float(0x7fffffff)) && !isinf(1.0) && signbit(-1.0f);
    *out++ = __ldg(arrays.u);
    const uint4 four = make_uint4(1, 2, 3, 4);
    memcpy(out, &four, sizeof(four));
    float *y = arrays.y;
    *y++ = rsqrt(4.0f);
    *y++ = exp(0.0f) + float(pow(2.0, 3)) + powf(2.0f, 2.0f);
    *y++ = sizeof(exp(1.0f));
    *y++ = sizeof(sqrt(1.0));
    *y++ = arrays.x[0] * 0.5f;
    assert(arrays.n < 100u);
    printf("n = %u\\n", arrays.n);
}
"""

MISTAKES = """
extern "C" __global__ void half_waits()
{
    if (threadIdx.x < 8) {
        __syncthreads();
    } else {
        __syncwarp();
    }
}
extern "C" __global__ void two_places()
{
    if (threadIdx.x < 32) {
        __syncthreads();
    } else {
        __syncthreads();
    }
}
extern "C" __global__ void not_in_mask() { __ballot_sync(1u, 1); }
extern "C" __global__ void waits_for_nothing()
{
    while (*(volatile uint32_t *)arrays.u == 0) {
        SNN_SPIN();
    }
}
extern "C" __global__ void never_ends()
{
    while (*(volatile uint32_t *)arrays.u == 0) {
        __syncthreads();
    }
}
extern "C" __global__ void never_waits()
{
    while (*(volatile uint32_t *)arrays.u == 0) {
    }
}
__device__ float deep(float x)
{
    volatile float kept[1024];
    kept[int(x)] = x;
    return x > 1000.0f ? x : deep(x + 1.0f) + kept[int(x)];
}
extern "C" __global__ void too_deep() { arrays.y[0] = deep(0.0f); }
extern "C" __global__ void one_too_many() { arrays.x[arrays.n] = 1.0f; }
extern "C" __global__ void one_too_few() { arrays.x[-1] = 1.0f; }
extern "C" __global__ void far_off() { *(volatile float *)(uint64_t(threadIdx.x) * 8) = 1.0f; }
extern "C" __global__ void by_zero() { arrays.u[0] = int(arrays.u[1]) / int(arrays.u[0]); }
extern "C" __global__ void asserts() { assert(threadIdx.x < 3u); }
extern "C" __global__ void traps() { __trap(); }
extern "C" __global__ void too_much_shared()
{
    SNN_DYNAMIC_SHARED(uint8_t, shared);
    shared[threadIdx.x] = 1;
}
extern "C" __global__ void unwritten()
{
    __shared__ float shared[2];
    SNN_DYNAMIC_SHARED(float, dynamic);
    if (arrays.n == 99999u) {
        shared[threadIdx.x] = 1.0f;
    }
    arrays.y[0] = shared[0];
    arrays.y[1] = dynamic[0];
}
"""

SOURCES = {
    name: HEAD + body
    for name, body in {
        "saxpy": SAXPY,
        "prefix": PREFIX,
        "tree": TREE,
        "grid": GRID,
        "race": RACE,
        "warp": WARP,
        "atomics": ATOMICS,
        "bits": BITS,
        "mistakes": MISTAKES,
    }.items()
}
ORDERS = ["ascending", "descending", "shuffled", "shuffled:5"]
ARRAYS = np.dtype([("x", "<u8"), ("y", "<u8"), ("u", "<u8"), ("n", "<u4")], align=True)


class Bench:
    """A program on a device, with an array of each kind."""

    def __init__(self, source: str, device: HostDevice, n: int = 64, flush_denormals: bool = True) -> None:
        self.device = device
        self.module: HostModule = device.load(device.compile(SOURCES[source], flush_denormals))
        self.x, self.y = device.zeros(n, "float32"), device.zeros(n, "float32")
        self.u = device.zeros(n, "uint32")
        pointers = [device.pointer(array) for array in (self.x, self.y, self.u)]
        self.module.write_global("arrays", np.array((*pointers, n), ARRAYS))

    def result(self, kernel: str, blocks: int = 1, threads: int = 64, **more: Any) -> NDArray[Any]:
        self.module.launch(kernel, blocks, threads, **more)
        return self.device.read(self.u)


@pytest.fixture(params=ORDERS)
def device(request: pytest.FixtureRequest) -> Iterator[HostDevice]:
    made = HostDevice(request.param)
    yield made
    made.close()


@pytest.fixture
def mistakes() -> Bench:
    return Bench("mistakes", HostDevice("ascending", seconds=0.3))


def test_every_element_has_a_thread(device: HostDevice) -> None:
    bench = Bench("saxpy", device, 1000)
    device.write(bench.x, np.arange(1000, dtype=np.float32))
    device.write(bench.y, np.ones(1000, np.float32))
    bench.module.launch("saxpy", 3, 64)
    np.testing.assert_array_equal(device.read(bench.y), 2 * np.arange(1000) + 1)
    assert device.launches == {"saxpy": 1}


def test_votes_and_shared_memory(device: HostDevice) -> None:
    bench = Bench("prefix", device, 250)  # the last warp is not whole
    values = np.random.default_rng(1).integers(0, 100, 250, dtype=np.uint32)
    device.write(bench.u, values)
    odd = values % 2
    expected = np.concatenate([np.cumsum(odd[:128]) - odd[:128], np.cumsum(odd[128:]) - odd[128:]])
    np.testing.assert_array_equal(bench.result("odd_before", 2, 128), expected)


def test_a_sum_as_a_tree(device: HostDevice) -> None:
    bench = Bench("tree", device, 384)
    values = np.random.default_rng(1).integers(0, 100, 384).astype(np.float32)
    device.write(bench.x, values)
    bench.module.launch("tree", 3, 128)
    np.testing.assert_array_equal(device.read(bench.y)[:3], values.reshape(3, 128).sum(1))


def test_blocks_wait_for_one_another(device: HostDevice) -> None:
    bench = Bench("grid", device, 5 * 64)
    values = np.arange(5 * 64, dtype=np.uint32)
    device.write(bench.u, values)
    bench.module.launch_together("rotate", 5, 64, 7, shared=256)
    np.testing.assert_array_equal(device.read(bench.u), np.roll(values, -7 * 64))
    np.testing.assert_array_equal(device.read(bench.y), values)
    assert bench.module.read_global("barrier", np.dtype("u4")) == 2 * 7 * 5


def test_blocks_that_are_not_launched_together_never_meet() -> None:
    bench = Bench("grid", HostDevice("ascending"))
    with pytest.raises(LaunchError, match=r"block 0 waits for something that never happens: thread 0 in __nanosleep"):
        bench.module.launch("rotate_apart", 2, 64)


def test_a_missing_barrier_shows() -> None:
    reverse, shift = [
        [Bench("race", HostDevice(order)).result(kernel).tolist() for order in ORDERS]
        for kernel in ("reverse", "shift_up")
    ]
    right = [0, *range(63)]
    assert shift[0] == right  # happens to be
    assert shift[1] != right
    assert shift[2] != shift[3] != right
    assert reverse[0] != reverse[1]


def test_orders_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def shifted(order: str | None) -> Any:
        return Bench("race", HostDevice(order)).result("shift_up").tolist()

    assert shifted("shuffled:5") == shifted("shuffled:5") != shifted("shuffled:6")
    monkeypatch.setenv("SNN_HOST_ORDER", "descending")
    assert shifted(None) == shifted("descending") != shifted("ascending")
    with pytest.raises(ValueError, match="order 'upward' is none of ascending"):
        HostDevice("upward")


def test_warps(device: HostDevice) -> None:
    bench = Bench("warp", device, 64 * 16)
    found = bench.result("warp").reshape(64, 16)
    t = np.arange(64)
    lane, warp = t % 32, t // 32
    expected = [
        warp * 32 + 5,
        t // 8 * 8 + 1,
        np.where(lane >= 2, t - 2, t),
        np.where(t % 16 < 13, t + 3, t),
        t ^ 7,
        2 * (t ^ 1) + 1,
        warp == 1,
        warp == 0,
        np.where(warp == 0, 0x49249249, 0x92492492),
        np.where(warp == 0, 0xFFFFFFFF, 0xFF) & np.where(t % 2 == 0, 0x55555555, 0xAAAAAAAA),
        1 + 0 * t,
        0 * t,
        10 + 0 * t,
        1 + 0 * t,
        np.where(t < 20, 20, 0),
    ]
    for column, values in enumerate(expected):
        np.testing.assert_array_equal(found[:, column], values, f"column {column}")


def test_atomics(device: HostDevice) -> None:
    bench = Bench("atomics", device)
    device.write(bench.u, np.array([0, 0, 2**32 - 1, 0, 0, 2**32 - 1] + 58 * [0], np.uint32))
    found = bench.result("atomics", 4, 32)
    n = 128
    expected = [
        n * (n - 1) // 2,
        2**32 - n,
        2**32 - n,
        n - 1,
        2**32 - 1,
        2**32 - n,
        7,
        n % 10,
        2 * n,
        0,
        0,
        n,
        2 * n,
        0,
    ]
    np.testing.assert_array_equal(found[:14], expected)
    assert device.read(bench.x)[0] == n / 2
    assert device.read(bench.y).view(np.float64)[0] == n / 4


@pytest.mark.parametrize("flush", [True, False])
def test_functions(capfd: pytest.CaptureFixture[str], flush: bool) -> None:
    bench = Bench("bits", HostDevice(), flush_denormals=flush)
    tiny = np.float32(2e-38)
    bench.device.write(bench.x, np.full(64, tiny))
    found = bench.result("bits", threads=1)
    expected = [8, 12, 4, 0, 31, 32, 0xFFFFFFFD, 0x3FC00000, 0x3FF80000, 3, 0xC0000000, 15, 1, 1, 8, 1, 2, 3, 4]
    np.testing.assert_array_equal(found[:19], expected)
    half = 0 if flush else tiny * np.float32(0.5)
    np.testing.assert_array_equal(bench.device.read(bench.y)[:5], np.array([0.5, 13, 4, 8, half], np.float32))
    assert capfd.readouterr().out == "n = 64\n"
    assert float(tiny) * np.float32(1e-3) > 0  # the mode is as before


@pytest.mark.parametrize(
    ("kernel", "threads", "message"),
    [
        (
            "half_waits",
            32,
            r"half_waits, block 0 can never go on: threads 0 to 7 in __syncthreads of line \d+, "
            r"threads 8 to 31 in __syncwarp of line \d+ with mask 0xffffffff",
        ),
        ("two_places", 64, r"thread 32, line \d+: __syncthreads here while others of its block are in the one of line"),
        ("not_in_mask", 2, r"thread 1, line \d+: lane 1 is not in the mask 0x00000001"),
        ("waits_for_nothing", 2, r"waits for something that never happens: threads 0 to 1 in __nanosleep of line"),
        ("never_ends", 2, "block 0 takes too long: "),
        ("never_waits", 2, "block 0, thread 0: takes too long, and does not wait"),
        ("too_deep", 1, "thread 0: its local variables take too much room"),
        ("one_too_many", 1, "after one_too_many: memory behind an array, of 256 bytes"),
        ("one_too_few", 1, "after one_too_few: memory before an array, of 256 bytes"),
        ("far_off", 2, "thread 0: there is no memory at address"),
        ("by_zero", 1, "thread 0: an integer is divided by zero"),
        ("asserts", 32, "thread 3, line .*: an assertion failed: threadIdx.x < 3u"),
        ("traps", 1, r"__trap\(\) was called"),
        ("too_much_shared", 1, "block 0 wrote beyond the 0 bytes of its dynamic shared memory"),
        ("nowhere", 1, "the program has no nowhere"),
        ("traps", 1025, "a GPU cannot launch 1 blocks of 1025 threads"),
    ],
)
def test_mistakes_are_found(mistakes: Bench, kernel: str, threads: int, message: str) -> None:
    with pytest.raises(LaunchError, match=message):
        mistakes.module.launch(kernel, 1, threads)
    # And the device goes on.
    mistakes.module.launch("too_much_shared", 2, 64, shared=64)
    mistakes.device.check()


def test_shared_memory_is_not_empty_at_first(mistakes: Bench) -> None:
    mistakes.module.launch("unwritten", 1, 1, shared=4)
    assert np.isnan(mistakes.device.read(mistakes.y)[:2]).all()


def test_damage_from_elsewhere_is_found_when_an_array_is_read() -> None:
    device = HostDevice()
    array = device.zeros(3, "uint8")
    around = (ctypes.c_uint8 * 5).from_address(device.pointer(array) - 1)
    around[4] = 0
    with pytest.raises(LaunchError, match="before read: memory behind an array, of 3 bytes"):
        device.read(array)
    del array
    device.close()


def test_memory_is_counted() -> None:
    device = HostDevice(memory=1000)
    array = device.zeros(100, "float32")
    assert device.pointer(array) % 256 == 0
    part = array[3:]
    assert device.free_memory() == 600
    del array
    assert device.free_memory() == 600
    with pytest.raises(MemoryError, match="604 bytes are asked for, and 600 are free"):
        device.zeros(151, "float32")
    del part
    assert device.free_memory() == 1000
    with pytest.raises(ValueError, match=r"float64\(2,\) does not go into float32\(2,\)"):
        device.write(device.zeros(2, "float32"), np.zeros(2))


def test_a_small_card() -> None:
    device = HostDevice(multiprocessors=2, resident=256)
    module = Bench("grid", device).module
    assert module.blocks_at_once("rotate", 64) == 8
    assert module.blocks_at_once("rotate", 512) == 0
    with pytest.raises(LaunchError, match="9 blocks of 64 threads at once, where there is room for 8"):
        module.launch_together("rotate", 9, 64, 1)
    with pytest.raises(LaunchError, match="has no cooperative launches"):
        Bench("grid", HostDevice(cooperative=False)).module.launch_together("rotate", 1, 64, 1)


def test_modules_have_their_own_variables() -> None:
    device = HostDevice()
    first, second = Bench("saxpy", device, 8), Bench("saxpy", device, 16)
    assert first.module.read_global("arrays", ARRAYS)["n"] == 8
    assert second.module.read_global("arrays", ARRAYS)["n"] == 16
    with pytest.raises(LaunchError, match="arrays has 32 bytes, not 40"):
        first.module.write_global("arrays", np.zeros(5, np.uint64))


def test_launches_are_captured() -> None:
    device = HostDevice()
    bench = Bench("saxpy", device, 8)
    device.write(bench.x, np.ones(8, np.float32))
    start = device.mark()

    def ask() -> None:
        for _ in range(3):
            bench.module.launch("saxpy", 1, 64)

    replay = device.capture(ask)
    assert not device.read(bench.y).any()
    replay()
    replay()
    assert (device.read(bench.y) == 12).all()
    assert device.elapsed(start, device.mark()) > 0
    with pytest.raises(LaunchError, match=r"read\(\) cannot be captured"):
        device.capture(lambda: print(device.read(bench.y)))
    device.read(bench.y)


def test_errors_of_the_compiler_name_the_line() -> None:
    with pytest.raises(BuildError, match=r"program\.cu:2:.*not_there"):
        HostDevice().compile('\nextern "C" __global__ void f() { not_there(); }', True)
