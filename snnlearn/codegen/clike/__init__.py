"""What C++ and CUDA share: printed code, kernels in the form that templates want, random numbers."""

from snnlearn.codegen.clike.printer import ANY_SLOT, NEWEST, Printer, literal, spell_index
from snnlearn.codegen.clike.view import KernelView, fill_literal, view_name

__all__ = ["ANY_SLOT", "NEWEST", "KernelView", "Printer", "fill_literal", "literal", "spell_index", "view_name"]
