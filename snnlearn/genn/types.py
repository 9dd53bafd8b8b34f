"""PyGeNN's module of type objects; here a type is its name, and each works wherever a name does."""

from __future__ import annotations

from typing import Any


class ResolvedType(str):
    """The name of a type that means the same in every model."""

    __slots__ = ()


class UnresolvedType(str):
    """The name of a type that may be ``scalar``, which a model's precision decides."""

    __slots__ = ()

    def resolve(self, context: Any) -> ResolvedType:
        """Return the type that this is in a model, given a mapping of names such as ``{"scalar": types.Float}``."""
        return ResolvedType(context.get(str(self), self))


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
