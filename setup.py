"""Packaging: the checkout's folders and the packages they install as."""

from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.sdist import sdist

# Folders of the checkout that install as subpackages; snnlearn/ has a symbolic link to each.
_BESIDE = ("models", "userproject", "data")
_HAS_CUDA = "sys_platform != 'darwin'"


class _Sdist(sdist):
    """A source distribution that keeps the symbolic links, so that its tests run in it as they do in a checkout."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        for name in _BESIDE:
            (Path(base_dir) / "snnlearn" / name).symlink_to(Path("..") / name)


setup(
    name="snnlearn",
    version="0.1.0",
    description="Train spiking neural networks from declarative models, on any machine",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The snnlearn authors",
    license="MIT",
    keywords=[
        "spiking neural networks",
        "surrogate gradients",
        "SuperSpike",
        "GeNN",
        "PyGeNN",
        "code generation",
        "CUDA",
    ],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Environment :: GPU :: NVIDIA CUDA",
        "Intended Audience :: Science/Research",
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: C++",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 14)),
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Bio-Informatics",
        "Typing :: Typed",
    ],
    python_requires=">=3.10",
    packages=sorted({*find_packages(include=["snnlearn", "snnlearn.*"]), *(f"snnlearn.{name}" for name in _BESIDE)}),
    package_dir={f"snnlearn.{name}": name for name in _BESIDE},
    package_data={
        "snnlearn": ["py.typed"],
        "snnlearn.codegen": ["clike/templates/*", "cpp/templates/*", "cuda/templates/*"],
        "snnlearn.data": ["*.ras"],
    },
    cmdclass={"sdist": _Sdist},
    install_requires=["numpy>=1.25", "matplotlib>=3.9", "pycparser>=3.0", "Jinja2>=3.0", "tqdm>=4.60"],
    extras_require={
        # What the test command needs: runner, inputs at random, linter, type checker.
        "test": ["pytest>=7.4", "pytest-xdist>=3.5", "hypothesis>=6.80", "ruff>=0.14", "mypy>=2"],
        # For the CUDA engine: CuPy, the compiler as a library, and the headers that CuPy's own kernels need.
        "cuda12": ["cupy-cuda12x>=13", "cuda-pathfinder>=1.2", "cuda-toolkit[cudart,nvrtc]==12.*"],
        "cuda13": ["cupy-cuda13x", "cuda-pathfinder>=1.2", "cuda-toolkit[cudart,nvrtc]==13.*"],
        # To compile CUDA code where there is no GPU; the last compiler that knows compute capability 7.0.
        "test-cuda": [f"cuda-pathfinder>=1.2; {_HAS_CUDA}", f"nvidia-cuda-nvrtc-cu12>=12.8; {_HAS_CUDA}"],
        # For `snnlearn.torch`: networks as PyTorch modules.
        "torch": ["torch>=2.4"],
        # For `snnlearn.userproject.stop_gradient`: inner loops that PyTorch differentiates.
        "torchopt": ["torchopt>=0.7.3"],
        # For recordings that are streamed, and for `snnlearn.exchange`: SONATA's files. Neo's objects.
        "hdf5": ["h5py>=3.8"],
        "neo": ["neo>=0.13"],
        # For `snnlearn.exchange`: networks as graphs of NIR's, whose library reads and writes its files by HDF5.
        "nir": ["nir>=1.0.6", "h5py>=3.8"],
        # For `snnlearn.training.TensorBoardLogger`: its files' format and their writer, without TensorFlow or PyTorch.
        "tensorboard": ["tensorboard>=2.14"],
        # For `snnlearn.userproject.digits`: its handwritten digits.
        "digits": ["scikit-learn>=1.3"],
        # A C++ compiler as a wheel, for machines that have none.
        "compiler": ["ziglang"],
    },
    entry_points={
        "console_scripts": [
            "snnlearn = snnlearn.entry:snnlearn",
            "superspike_demo = snnlearn.entry:superspike_demo",
            "yin_yang = snnlearn.entry:yin_yang",
            "few_shot = snnlearn.entry:few_shot",
            "tracking = snnlearn.entry:tracking",
            "torch_yin_yang = snnlearn.entry:torch_yin_yang",
            "digits = snnlearn.entry:digits",
            "randman = snnlearn.entry:randman",
        ]
    },
)
