"""The model library: one declared model a file, with equations, units and source.

Names that GeNN has too (``ExpCurr``, ``Transpose``, …) mean what they mean there.
"""

from typing import TypeVar

from snnlearn.declare import Model
from snnlearn.errors import DeclarationError, did_you_mean
from snnlearn.models.adam import Adam
from snnlearn.models.adam_w import AdamW
from snnlearn.models.class_readout import ClassReadout
from snnlearn.models.constant import Constant
from snnlearn.models.delta_curr import DeltaCurr
from snnlearn.models.exp_curr import ExpCurr
from snnlearn.models.feedback import Feedback
from snnlearn.models.normal import Normal
from snnlearn.models.normal_clipped import NormalClipped
from snnlearn.models.pattern_source import PatternSource
from snnlearn.models.r_max_prop import RMaxProp
from snnlearn.models.r_max_prop_safe import RMaxPropSafe
from snnlearn.models.r_max_prop_scheduled import RMaxPropScheduled
from snnlearn.models.rms_prop import RMSProp
from snnlearn.models.sgd import SGD
from snnlearn.models.show_label import ShowLabel
from snnlearn.models.show_pattern import ShowPattern
from snnlearn.models.source_reset import SourceReset
from snnlearn.models.spike_source_array import SpikeSourceArray
from snnlearn.models.superspike import SuperSpike
from snnlearn.models.superspike_hidden import SuperSpikeHidden
from snnlearn.models.superspike_output import SuperSpikeOutput
from snnlearn.models.superspike_readout import SuperSpikeReadout
from snnlearn.models.transpose import Transpose
from snnlearn.models.uniform import Uniform

ALL: tuple[Model, ...] = (
    Adam,
    AdamW,
    ClassReadout,
    Constant,
    DeltaCurr,
    ExpCurr,
    Feedback,
    Normal,
    NormalClipped,
    PatternSource,
    RMSProp,
    RMaxProp,
    RMaxPropSafe,
    RMaxPropScheduled,
    SGD,
    ShowLabel,
    ShowPattern,
    SourceReset,
    SpikeSourceArray,
    SuperSpike,
    SuperSpikeHidden,
    SuperSpikeOutput,
    SuperSpikeReadout,
    Transpose,
    Uniform,
)

AnyModel = TypeVar("AnyModel", bound=Model)


def find(kind: type[AnyModel], name: str) -> AnyModel:
    """Return the library's model of this kind and name.

    Raises
    ------
    DeclarationError
        If there is none; names the nearest.
    """
    known = {model.name: model for model in ALL if isinstance(model, kind)}
    if name not in known:
        raise DeclarationError(f"there is no {kind.__name__} called '{name}'{did_you_mean(name, known)}")
    return known[name]


__all__ = [
    "ALL",
    "SGD",
    "Adam",
    "AdamW",
    "ClassReadout",
    "Constant",
    "DeltaCurr",
    "ExpCurr",
    "Feedback",
    "Normal",
    "NormalClipped",
    "PatternSource",
    "RMSProp",
    "RMaxProp",
    "RMaxPropSafe",
    "RMaxPropScheduled",
    "ShowLabel",
    "ShowPattern",
    "SourceReset",
    "SpikeSourceArray",
    "SuperSpike",
    "SuperSpikeHidden",
    "SuperSpikeOutput",
    "SuperSpikeReadout",
    "Transpose",
    "Uniform",
    "find",
]
