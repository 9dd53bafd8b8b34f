"""The model library: one declared model a file, with equations, units and source; an optimiser's defaults too.

The lines of imports below are the library's table: a model or optimiser needs one, and no other entry.

Names that GeNN has too (``ExpCurr``, ``Transpose``, …) mean what they mean there.
"""

from typing import TypeVar

from snnlearn.declare import Model
from snnlearn.declare.optimiser import LIBRARY, Optimiser
from snnlearn.errors import DeclarationError, did_you_mean
from snnlearn.models.ad_ex import AdEx as AdEx
from snnlearn.models.adam import ADAM_OPTIMISER as ADAM_OPTIMISER
from snnlearn.models.adam import Adam as Adam
from snnlearn.models.adam_w import ADAM_W_OPTIMISER as ADAM_W_OPTIMISER
from snnlearn.models.adam_w import AdamW as AdamW
from snnlearn.models.alif import ALIF as ALIF
from snnlearn.models.analog_source import AnalogSource as AnalogSource
from snnlearn.models.avg_pool_conv2d import AvgPoolConv2D as AvgPoolConv2D
from snnlearn.models.binomial import Binomial as Binomial
from snnlearn.models.class_readout import ClassReadout as ClassReadout
from snnlearn.models.constant import Constant as Constant
from snnlearn.models.conv2d import Conv2D as Conv2D
from snnlearn.models.conv2d_toeplitz import Conv2DToeplitz as Conv2DToeplitz
from snnlearn.models.cuba_lif import CubaLIF as CubaLIF
from snnlearn.models.dc import DC as DC
from snnlearn.models.delta_curr import DeltaCurr as DeltaCurr
from snnlearn.models.exp_cond import ExpCond as ExpCond
from snnlearn.models.exp_curr import ExpCurr as ExpCurr
from snnlearn.models.exponential import Exponential as Exponential
from snnlearn.models.feedback import Feedback as Feedback
from snnlearn.models.fixed_number_post_with_replacement import (
    FixedNumberPostWithReplacement as FixedNumberPostWithReplacement,
)
from snnlearn.models.fixed_number_pre_with_replacement import (
    FixedNumberPreWithReplacement as FixedNumberPreWithReplacement,
)
from snnlearn.models.fixed_number_total_with_replacement import (
    FixedNumberTotalWithReplacement as FixedNumberTotalWithReplacement,
)
from snnlearn.models.fixed_probability import FixedProbability as FixedProbability
from snnlearn.models.fixed_probability_no_autapse import FixedProbabilityNoAutapse as FixedProbabilityNoAutapse
from snnlearn.models.gamma import Gamma as Gamma
from snnlearn.models.gaussian_noise import GaussianNoise as GaussianNoise
from snnlearn.models.hypergradient_sgd import (
    HYPERGRADIENT_SGD_OPTIMISER as HYPERGRADIENT_SGD_OPTIMISER,
)
from snnlearn.models.hypergradient_sgd import (
    HypergradientSGD as HypergradientSGD,
)
from snnlearn.models.idbd import IDBD as IDBD
from snnlearn.models.idbd import IDBD_OPTIMISER as IDBD_OPTIMISER
from snnlearn.models.if_ import IF as IF
from snnlearn.models.izhikevich import Izhikevich as Izhikevich
from snnlearn.models.izhikevich_variable import IzhikevichVariable as IzhikevichVariable
from snnlearn.models.keep_sum import KeepSum as KeepSum
from snnlearn.models.kernel import Kernel as Kernel
from snnlearn.models.li import LI as LI
from snnlearn.models.lif import LIF as LIF
from snnlearn.models.meta_sgd import META_SGD_OPTIMISER as META_SGD_OPTIMISER
from snnlearn.models.meta_sgd import MetaSGD as MetaSGD
from snnlearn.models.meta_sgd_gradient import MetaSGDGradient as MetaSGDGradient
from snnlearn.models.normal import Normal as Normal
from snnlearn.models.normal_clipped import NormalClipped as NormalClipped
from snnlearn.models.normal_clipped_delay import NormalClippedDelay as NormalClippedDelay
from snnlearn.models.note_sum import NoteSum as NoteSum
from snnlearn.models.one_to_one import OneToOne as OneToOne
from snnlearn.models.pattern_source import PatternSource as PatternSource
from snnlearn.models.poisson import Poisson as Poisson
from snnlearn.models.poisson_exp import PoissonExp as PoissonExp
from snnlearn.models.r_max_prop import RMaxProp as RMaxProp
from snnlearn.models.r_max_prop_safe import RMaxPropSafe as RMaxPropSafe
from snnlearn.models.r_max_prop_scheduled import (
    R_MAX_PROP_OPTIMISER as R_MAX_PROP_OPTIMISER,
)
from snnlearn.models.r_max_prop_scheduled import (
    RMaxPropScheduled as RMaxPropScheduled,
)
from snnlearn.models.rms_prop import RMS_PROP_OPTIMISER as RMS_PROP_OPTIMISER
from snnlearn.models.rms_prop import RMSProp as RMSProp
from snnlearn.models.rulkov_map import RulkovMap as RulkovMap
from snnlearn.models.sgd import SGD as SGD
from snnlearn.models.sgd import SGD_OPTIMISER as SGD_OPTIMISER
from snnlearn.models.show_label import ShowLabel as ShowLabel
from snnlearn.models.show_pattern import ShowPattern as ShowPattern
from snnlearn.models.source_reset import SourceReset as SourceReset
from snnlearn.models.spike_source_array import SpikeSourceArray as SpikeSourceArray
from snnlearn.models.static_analog import StaticAnalog as StaticAnalog
from snnlearn.models.static_graded import StaticGraded as StaticGraded
from snnlearn.models.static_pulse import StaticPulse as StaticPulse
from snnlearn.models.static_pulse_constant_weight import StaticPulseConstantWeight as StaticPulseConstantWeight
from snnlearn.models.static_pulse_dendritic_delay import StaticPulseDendriticDelay as StaticPulseDendriticDelay
from snnlearn.models.stdp import STDP as STDP
from snnlearn.models.superspike import SuperSpike as SuperSpike
from snnlearn.models.superspike_hidden import SuperSpikeHidden as SuperSpikeHidden
from snnlearn.models.superspike_output import SuperSpikeOutput as SuperSpikeOutput
from snnlearn.models.superspike_readout import SuperSpikeReadout as SuperSpikeReadout
from snnlearn.models.transpose import Transpose as Transpose
from snnlearn.models.traub_miles import TraubMiles as TraubMiles
from snnlearn.models.uniform import Uniform as Uniform
from snnlearn.models.uninitialised import Uninitialised as Uninitialised
from snnlearn.models.uninitialised_sparse import UninitialisedSparse as UninitialisedSparse
from snnlearn.models.uninitialised_toeplitz import UninitialisedToeplitz as UninitialisedToeplitz

ALL: tuple[Model, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Model))
"""Every model that is imported above."""

LIBRARY.update((value.name, value) for value in list(globals().values()) if isinstance(value, Optimiser))

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


__all__ = ["ALL", "find", *(name for name, value in list(globals().items()) if isinstance(value, Model))]
