"""NVRTC: what it accepts, how it fails, where what it makes is kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from snnlearn.errors import BackendError, BuildError, CompilerNotFoundError
from snnlearn.runtime.cuda import nvrtc
from snnlearn.runtime.cuda.nvrtc import Nvrtc, find_nvrtc

Compile = Callable[[str], dict[str, bytes]]
KERNEL = 'extern "C" __global__ void k(float* p) { p[0] = p[0] * p[1] + p[2]; }'


@pytest.fixture
def library(compile_cuda: Compile) -> Nvrtc:
    """NVRTC, where it is."""
    return find_nvrtc()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "snnlearn"


TYPES = "typedef unsigned int uint32_t; typedef unsigned long long uint64_t;\n"
ONE = """exp expm1 exp2 log log2 log10 log1p sqrt rsqrt cbrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh
    erf erfc lgamma tgamma ceil floor trunc round rint fabs"""
TWO = "pow atan2 fmod remainder hypot nextafter fdim fmax fmin copysign"


def test_the_functions_of_the_dialect_are_there_without_a_header(compile_cuda: Compile) -> None:
    calls = [f"x += {name}f(x); y += {name}(y);" for name in ONE.split()]
    calls += [f"x += {name}f(x, 2.0f); y += {name}(y, 2.0);" for name in TWO.split()]
    calls += [
        "x = ldexpf(x, 3) + scalbnf(x, 2) + ilogbf(x) + fmaf(x, x, x); y = ldexp(y, 3) + scalbn(y, 2) + ilogb(y);"
    ]
    calls += ["x += isnan(x) + isinf(y) + isfinite(x) + signbit(y) + min(3, 4) + max(2u, 1u) + abs(-1);"]
    calls += ['printf("%d %s %f\\n", 1, "two", y); assert(x < 1.0f); memcpy(p, &y, 8);']
    compile_cuda(
        'extern "C" __global__ void k(float* p, double* q) { float x = p[0]; double y = q[0]; '
        + "\n".join(calls)
        + " p[0] = x; q[0] = y; }"
    )


def test_what_blocks_of_threads_need_is_there_without_a_header(compile_cuda: Compile) -> None:
    compile_cuda(
        TYPES
        + """
        struct Clock { uint64_t timestep; uint32_t pending; };
        extern "C" {
        __constant__ struct { float* v; uint32_t* spikes; } arrays;
        __device__ Clock clock_;
        __device__ unsigned int barrier;
        }
        static const float table[3] = {1.0f, 2.0f, 3.0f};
        float twice(float x) { return 2.0f * x; }
        extern "C" __global__ void __launch_bounds__(256) run(uint64_t timesteps) {
            __shared__ float sums[256];
            const unsigned int i = blockIdx.x * blockDim.x + threadIdx.x;
            sums[threadIdx.x] = twice(arrays.v[i]) + table[i % 3];
            __syncthreads();
            const unsigned int bits = __ballot_sync(0xffffffffu, sums[threadIdx.x] > 1.0f);
            if (threadIdx.x % 32 == 0) atomicOr(&arrays.spikes[i / 32], bits);
            atomicAdd(&arrays.v[i / 2], __shfl_down_sync(0xffffffffu, sums[threadIdx.x], 1));
            atomicAdd((double*)arrays.v, 1.0);
            if (threadIdx.x == 0) {
                __threadfence();
                atomicAdd(&barrier, 1u);
                while (*(volatile unsigned int*)&barrier < gridDim.x) __nanosleep(20);
            }
            __syncthreads();
            if (i == 0) clock_.timestep += timesteps;
        }
        """
    )


def test_cubins_are_for_their_architectures(compile_cuda: Compile) -> None:
    cubins = compile_cuda(KERNEL)
    assert {"sm_80", "sm_90"} <= set(cubins)
    assert all(cubin.startswith(b"\x7fELF") for cubin in cubins.values())
    assert len(set(cubins.values())) == len(cubins)


def test_nothing_is_fused_and_denormals_are_as_asked(library: Nvrtc) -> None:
    flushed, kept = (library.compile(KERNEL, "compute_80", flush).decode() for flush in (True, False))
    assert "mul.rn.ftz.f32" in flushed
    assert "add.rn.ftz.f32" in flushed
    assert "mul.rn.f32" in kept
    assert "fma" not in flushed + kept


def test_the_first_error_is_named_and_all_are_kept(library: Nvrtc) -> None:
    source = 'extern "C" __global__ void k() {\nint error;\nnowhere();\nnothing();\n}\n'
    with pytest.raises(
        BuildError, match=r'^NVRTC \d+\.\d+ failed: simulation\.cu\(3\): error: identifier "nowhere" is undefined$'
    ) as caught:
        library.compile(source, "sm_80", True)
    assert 'identifier "nothing" is undefined' in caught.value.output


def test_too_much_constant_memory(library: Nvrtc) -> None:
    source = '__constant__ char a[65537]; extern "C" __global__ void k(char* p) { *p = a[*p]; }'
    with pytest.raises(BuildError, match=r"too much global constant data \(0x10001 bytes, 0x10000 max\)$"):
        library.compile(source, "sm_80", True)


def test_an_unknown_target(library: Nvrtc) -> None:
    with pytest.raises(BuildError, match=r"failed: nvrtc: error: invalid value for --gpu-architecture"):
        library.compile(KERNEL, "sm_999", True)


def test_what_is_compiled_is_stored(library: Nvrtc, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    real = Nvrtc.compile
    monkeypatch.setattr(Nvrtc, "compile", lambda *given: (calls.append(given), real(*given))[1])
    first = nvrtc.build(KERNEL, 90, True)
    assert first.suffix == ".cubin"
    assert nvrtc.build(KERNEL, 90, True) == first
    assert len(calls) == 1
    others = {nvrtc.build(KERNEL, 80, True), nvrtc.build(KERNEL, 90, False), nvrtc.build(KERNEL + "\n", 90, True)}
    assert len({first, *others}) == 4
    whole = first.read_bytes()
    first.write_bytes(whole[:-1])
    assert nvrtc.build(KERNEL, 90, True).read_bytes() == whole, "a damaged file is made again"
    monkeypatch.setattr(library, "version", (99, 0))
    assert nvrtc.build(KERNEL, 90, True) != first
    assert len(list(folder.iterdir())) == 5, "no scratch is left"


def test_a_gpu_newer_than_nvrtc_gets_intermediate_code(library: Nvrtc, folder: Path) -> None:
    path = nvrtc.build(KERNEL, 10_000, True)
    assert path.suffix == ".ptx"
    assert f".target sm_{library.capabilities[-1]}" in path.read_text(encoding="utf-8", errors="replace")


def made_up(version: tuple[int, int], capabilities: tuple[int, ...]) -> Nvrtc:
    library = object.__new__(Nvrtc)
    library.version, library.capabilities = version, capabilities
    return library


def test_what_is_compiled_for() -> None:
    library = made_up((13, 0), (75, 80, 90))
    assert [library.target(capability) for capability in (75, 86, 90, 103)] == [
        "sm_75",
        "compute_80",
        "sm_90",
        "compute_90",
    ]
    with pytest.raises(
        BackendError,
        match=r"^a GPU of compute capability 7\.0 is too old for NVRTC 13\.0; pip uninstall cupy-cuda13x "
        r'nvidia-cuda-nvrtc, then pip install "snnlearn\[cuda12\]"$',
    ):
        library.target(70)
    with pytest.raises(BackendError, match=r"compute capability 3\.5 is too old for NVRTC 12\.9$"):
        made_up((12, 9), (50, 60)).target(35)


@pytest.fixture
def not_found_yet() -> Iterator[None]:
    find_nvrtc.cache_clear()
    yield
    find_nvrtc.cache_clear()


def not_there(name: str) -> Any:
    raise RuntimeError(f'Failure finding "lib{name}.so"')


@pytest.mark.parametrize(
    "package",
    [
        None,
        SimpleNamespace(pathfinder=SimpleNamespace(load_nvidia_dynamic_lib=not_there)),
        SimpleNamespace(
            pathfinder=SimpleNamespace(load_nvidia_dynamic_lib=lambda name: SimpleNamespace(abs_path="/no/such/file"))
        ),
    ],
    ids=["no finder", "not found", "cannot be loaded"],
)
@pytest.mark.usefixtures("not_found_yet")
def test_no_nvrtc(package: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cuda", package)
    with pytest.raises(CompilerNotFoundError, match=r'NVRTC, .* is not installed; pip install "snnlearn\[cuda13\]"'):
        find_nvrtc()
