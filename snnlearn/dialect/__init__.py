"""Stage 2, *check*: a code string and the names it may use become a typed syntax tree.

The dialect is GeNN's: C expressions and control flow over declared names, the functions GeNN documents and
the maths library. Nothing else is a program here, so a model from a stranger can compute and do no more.
"""

from snnlearn.dialect.models import CheckedModel, check_initialiser, check_loss, check_model
from snnlearn.dialect.parser import parse_code
from snnlearn.dialect.scope import Scope, Symbol
from snnlearn.dialect.tree import Snippet, substitute
from snnlearn.dialect.unparse import unparse

__all__ = [
    "CheckedModel",
    "Scope",
    "Snippet",
    "Symbol",
    "check_initialiser",
    "check_loss",
    "check_model",
    "parse_code",
    "substitute",
    "unparse",
]
