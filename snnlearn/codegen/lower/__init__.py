"""Stage 6, *lower*: from a plan to loop nests, one schedule for the CPU and one for the GPU."""
