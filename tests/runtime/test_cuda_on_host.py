"""The device of the tests, which runs CUDA on the CPU: what GPUs do it does, and what they do not forgive it finds."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cuda_on_host import HostDevice, HostModule, LaunchError
from cuda_on_host.kernels import SOURCES
from snnlearn.errors import BuildError

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
    assert module.max_resident_blocks("rotate", 64) == 8
    assert module.max_resident_blocks("rotate", 512) == 0
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

    def enqueue() -> None:
        for _ in range(3):
            bench.module.launch("saxpy", 1, 64)

    replay = device.capture(enqueue)
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
