"""A declaration as plain values, for files and for comparison."""

from __future__ import annotations

from typing import Any

from snnlearn.declare.models import Model


def as_plain(model: Model) -> dict[str, Any]:
    """Return what a model declares as strings, and lists and a dict of them; functions are left out.

    Its kind and name, by field each parameter, variable and reference in the order of declaration, and each code.
    """
    fields: dict[str, list[str]] = {}
    for attribute, field in model.named_fields():
        fields.setdefault(attribute, []).append(_as_text(field))
    switches = {"auto_refractory_required": True} if getattr(model, "auto_refractory_required", False) else {}
    return {"kind": type(model).__name__, "model": model.name, **fields, **switches, **model.codes()}


def _as_text(field: Any) -> str:
    access, init = getattr(field, "access", None), getattr(field, "init", None)
    parts = [field.name, field.type, access.name if access is not None else None, init]
    return " ".join(str(part) for part in parts if part is not None)
