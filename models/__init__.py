"""The model library: one declared model a file, with equations, units and source.

Names that GeNN has too (``ExpCurr``, ``Transpose``, …) mean what they mean there.
"""

from typing import TypeVar

from snnlearn.declare import Model
from snnlearn.errors import DeclarationError, did_you_mean
from snnlearn.models.adam import Adam
from snnlearn.models.adam_w import AdamW
from snnlearn.models.avg_pool_conv2d import AvgPoolConv2D
from snnlearn.models.binomial import Binomial
from snnlearn.models.class_readout import ClassReadout
from snnlearn.models.constant import Constant
from snnlearn.models.conv2d import Conv2D
from snnlearn.models.conv2d_toeplitz import Conv2DToeplitz
from snnlearn.models.dc import DC
from snnlearn.models.delta_curr import DeltaCurr
from snnlearn.models.exp_cond import ExpCond
from snnlearn.models.exp_curr import ExpCurr
from snnlearn.models.exponential import Exponential
from snnlearn.models.feedback import Feedback
from snnlearn.models.fixed_number_post_with_replacement import FixedNumberPostWithReplacement
from snnlearn.models.fixed_number_pre_with_replacement import FixedNumberPreWithReplacement
from snnlearn.models.fixed_number_total_with_replacement import FixedNumberTotalWithReplacement
from snnlearn.models.fixed_probability import FixedProbability
from snnlearn.models.fixed_probability_no_autapse import FixedProbabilityNoAutapse
from snnlearn.models.gamma import Gamma
from snnlearn.models.gaussian_noise import GaussianNoise
from snnlearn.models.izhikevich import Izhikevich
from snnlearn.models.izhikevich_variable import IzhikevichVariable
from snnlearn.models.keep_sum import KeepSum
from snnlearn.models.kernel import Kernel
from snnlearn.models.lif import LIF
from snnlearn.models.normal import Normal
from snnlearn.models.normal_clipped import NormalClipped
from snnlearn.models.normal_clipped_delay import NormalClippedDelay
from snnlearn.models.note_sum import NoteSum
from snnlearn.models.one_to_one import OneToOne
from snnlearn.models.pattern_source import PatternSource
from snnlearn.models.poisson import Poisson
from snnlearn.models.poisson_exp import PoissonExp
from snnlearn.models.r_max_prop import RMaxProp
from snnlearn.models.r_max_prop_safe import RMaxPropSafe
from snnlearn.models.r_max_prop_scheduled import RMaxPropScheduled
from snnlearn.models.rms_prop import RMSProp
from snnlearn.models.rulkov_map import RulkovMap
from snnlearn.models.sgd import SGD
from snnlearn.models.show_label import ShowLabel
from snnlearn.models.show_pattern import ShowPattern
from snnlearn.models.source_reset import SourceReset
from snnlearn.models.spike_source_array import SpikeSourceArray
from snnlearn.models.static_graded import StaticGraded
from snnlearn.models.static_pulse import StaticPulse
from snnlearn.models.static_pulse_constant_weight import StaticPulseConstantWeight
from snnlearn.models.static_pulse_dendritic_delay import StaticPulseDendriticDelay
from snnlearn.models.stdp import STDP
from snnlearn.models.superspike import SuperSpike
from snnlearn.models.superspike_hidden import SuperSpikeHidden
from snnlearn.models.superspike_output import SuperSpikeOutput
from snnlearn.models.superspike_readout import SuperSpikeReadout
from snnlearn.models.transpose import Transpose
from snnlearn.models.traub_miles import TraubMiles
from snnlearn.models.uniform import Uniform
from snnlearn.models.uninitialised import Uninitialised
from snnlearn.models.uninitialised_sparse import UninitialisedSparse
from snnlearn.models.uninitialised_toeplitz import UninitialisedToeplitz

ALL: tuple[Model, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Model))
"""Every model that is imported above."""

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
    "DC",
    "LIF",
    "SGD",
    "STDP",
    "Adam",
    "AdamW",
    "AvgPoolConv2D",
    "Binomial",
    "ClassReadout",
    "Constant",
    "Conv2D",
    "Conv2DToeplitz",
    "DeltaCurr",
    "ExpCond",
    "ExpCurr",
    "Exponential",
    "Feedback",
    "FixedNumberPostWithReplacement",
    "FixedNumberPreWithReplacement",
    "FixedNumberTotalWithReplacement",
    "FixedProbability",
    "FixedProbabilityNoAutapse",
    "Gamma",
    "GaussianNoise",
    "Izhikevich",
    "IzhikevichVariable",
    "KeepSum",
    "Kernel",
    "Normal",
    "NormalClipped",
    "NormalClippedDelay",
    "NoteSum",
    "OneToOne",
    "PatternSource",
    "Poisson",
    "PoissonExp",
    "RMSProp",
    "RMaxProp",
    "RMaxPropSafe",
    "RMaxPropScheduled",
    "RulkovMap",
    "ShowLabel",
    "ShowPattern",
    "SourceReset",
    "SpikeSourceArray",
    "StaticGraded",
    "StaticPulse",
    "StaticPulseConstantWeight",
    "StaticPulseDendriticDelay",
    "SuperSpike",
    "SuperSpikeHidden",
    "SuperSpikeOutput",
    "SuperSpikeReadout",
    "Transpose",
    "TraubMiles",
    "Uniform",
    "Uninitialised",
    "UninitialisedSparse",
    "UninitialisedToeplitz",
    "find",
]
