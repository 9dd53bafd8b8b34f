"""Stage 5, *emit*, for NVIDIA's GPUs: CUDA C++ from a plan."""
