"""The plain plan as Python: slow, obvious, and independent of how other engines print it."""

from snnlearn.codegen.reference.program import emit_reference

__all__ = ["emit_reference"]
