"""Stage 5, *emit*, for the CPU: a plan becomes one C++ source file."""

from snnlearn.codegen.cpp.emit import emit_cpp, support_source

__all__ = ["emit_cpp", "support_source"]
