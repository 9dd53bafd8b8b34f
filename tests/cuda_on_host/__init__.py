"""CUDA programs on the CPU, for tests: a `Device` whose compiler is the host's and whose threads are fibers.

A program is the same text that NVRTC would compile; ``shim.h`` comes before it and says what CUDA's words mean here,
and ``scheduler.cpp`` runs the threads, one after the other in an order that tests choose. A launch has ended when it
returns. What a GPU would not forgive is raised as a `LaunchError`, with the block, the thread and, where there is one,
the line:

- a barrier that some threads of a block, or lanes of a warp, do not come to; two barriers that are not the same;
- waiting in vain, in a loop with ``SNN_SPIN()`` or without;
- writing just outside an array or a block's dynamic shared memory, accesses where there is no memory, division by zero;
- a failed assertion, ``__trap()``.

Shared memory holds a pattern at first that is not a number. A missing barrier shows where results depend on the order.

What a program minds:

- loops that wait for other blocks have ``SNN_SPIN()`` or ``__nanosleep(n)`` in them: others have their turns then.
  Both kinds of shared memory are a block's own, and survive the wait;
- ``SNN_DYNAMIC_SHARED(type, name)`` declares a pointer to the block's dynamic shared memory; for a GPU the program
  defines both macros itself, under ``#ifndef``;
- fixed-width integers are there, and no header is needed; a program's own, for NVRTC, are under
  ``#ifdef __CUDACC_RTC__``, and what is for the host only under ``#ifdef SNN_ON_HOST``;
- variables that Python looks for are defined within ``extern "C" { }`` and are ``__device__`` or ``__constant__``: in
  front of one variable without braces, C++ takes ``extern "C"`` for a mere declaration.

Not here: more than one dimension of threads, warps in step (each lane runs alone until it meets others), PTX, textures,
streams, half precision, cooperative groups. Races that no order of whole turns shows are not found; nor are reads just
outside an array, but they give the pattern.
"""

from cuda_on_host.errors import LaunchError
from cuda_on_host.host_device import HostDevice, HostModule

__all__ = ["HostDevice", "HostModule", "LaunchError"]
