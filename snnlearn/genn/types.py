"""PyGeNN's module of type objects; here a type is its name, and each works wherever a name does."""

from __future__ import annotations

from snnlearn.declare.types import ResolvedType, UnresolvedType

Bool = ResolvedType("bool")
Int8 = ResolvedType("int8_t")
Uint8 = ResolvedType("uint8_t")
Int16 = ResolvedType("int16_t")
Uint16 = ResolvedType("uint16_t")
Int32 = ResolvedType("int32_t")
Uint32 = ResolvedType("uint32_t")
Int64 = ResolvedType("int64_t")
Uint64 = ResolvedType("uint64_t")
Float = ResolvedType("float")
Double = ResolvedType("double")

__all__ = [
    "Bool",
    "Double",
    "Float",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "ResolvedType",
    "Uint8",
    "Uint16",
    "Uint32",
    "Uint64",
    "UnresolvedType",
]
