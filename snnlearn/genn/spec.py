"""What a model says of itself as a whole: precision, timestep, batch, seed, and the defaults of its groups."""

from __future__ import annotations

import logging
import math
import operator
import warnings
from typing import Any, cast

import numpy as np

from snnlearn.attributes import CheckedAttributes
from snnlearn.declare import Precision
from snnlearn.errors import LifecycleError, ModelWarning, NetworkError, PreferenceError
from snnlearn.genn import obsolete, types
from snnlearn.genn.deprecated import deprecated
from snnlearn.genn.enums import VarLocation
from snnlearn.genn.obsolete import explain_all
from snnlearn.genn.preferences import all_names
from snnlearn.genn.types import ResolvedType
from snnlearn.network.checks import check_size
from snnlearn.network.values import as_number
from snnlearn.network.variables import time_type
from snnlearn.spelling import misspelt

_log = logging.getLogger("snnlearn")

# NumPy's type for each of PyGeNN's.
_NUMPY_TYPES: dict[str, Any] = {
    types.Float: np.float32,
    types.Double: np.float64,
    types.Int64: np.int64,
    types.Uint64: np.uint64,
    types.Int32: np.int32,
    types.Uint32: np.uint32,
    types.Int16: np.int16,
    types.Uint16: np.uint16,
    types.Int8: np.int8,
    types.Uint8: np.uint8,
    types.Bool: np.bool_,
}


# What is given to a function, and might be taken for a property.
_GIVEN = {
    "backend": "it is called backend_name; or give GeNNModel(..., backend=...)",
    "num_recording_timesteps": "give it to load(num_recording_timesteps=...)",
}


class ModelSpec(
    CheckedAttributes, explained=_GIVEN | explain_all(obsolete.MODEL), refused=(*_GIVEN, *obsolete.SETTABLE)
):
    """A model's properties; `GeNNModel` is what to make.

    Attributes
    ----------
    genn_types : dict
        NumPy's types by PyGeNN's.
    """

    genn_types: dict[str, Any]

    def __init__(self) -> None:
        self._name = "GeNNModel"
        self.genn_types = dict(_NUMPY_TYPES)
        self._precision: Precision = "float"
        self._time_precision: Precision | None = None
        self._dt = 0.5
        self._seed = 0
        self._batch_size = 1
        self._default_var_location = VarLocation.HOST_DEVICE
        self._default_sparse_location = VarLocation.HOST_DEVICE
        self._timing_enabled = False
        self._default_narrow_sparse_ind_enabled = False
        self._fuse_postsynaptic_models = False
        self._fuse_pre_post_weight_update_models = False

    @classmethod
    def _why_refused(cls, name: str) -> str | None:
        if name == "t":
            return "it follows the timestep; set timestep"
        near = misspelt(name, all_names()) if name not in _GIVEN else None
        if near is None:
            return super()._why_refused(name)
        meant = "it" if near == name else f"did you mean '{near}'? It"
        return f"{meant} is a preference: give it when the model is made, GeNNModel(..., {near}=...)"

    @property
    def _built(self) -> bool:
        return False

    @property
    def _loaded(self) -> bool:
        return False

    @property
    def _type_context(self) -> dict[str, ResolvedType]:
        """What type names that depend on the model mean in it, for ``UnresolvedType.resolve``."""
        return {"scalar": ResolvedType(self.precision), "timepoint": ResolvedType(self.time_precision)}

    def _need_unbuilt(self, what: str) -> None:
        if self._built:
            raise LifecycleError(f"the model is built already: too late for {what}")

    def _need_unbuilt_to_set(self, name: str) -> None:
        self._need_unbuilt(f"{name}; set it before build()")

    def _note_no_effect(self, what: str) -> None:
        """Say, for those who look, that something means nothing here."""
        _log.debug("%s means nothing to the embedded engine", what)

    @property
    def name(self) -> str:
        """The model's name; set it before ``build``."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._need_unbuilt_to_set("name")
        self._name = name

    @property
    def precision(self) -> Precision:
        """The type ``scalar`` of code strings, ``"float"`` or ``"double"``; set it before groups are added."""
        return self._precision

    @precision.setter
    def precision(self, precision: Any) -> None:
        self._precision = self._checked_precision("precision", precision, self._precision)

    @property
    def time_precision(self) -> Precision:
        """The type ``timepoint`` of code strings, which ``t``, ``dt`` and the times of spikes have.

        By default the model's precision. ``"double"`` keeps differences of times exact where single precision does not,
        beyond 2**24 timesteps. Set it before groups are added.
        """
        return self._time_precision or self._precision

    @time_precision.setter
    def time_precision(self, precision: Any) -> None:
        wanted = self._precision if precision is None else precision
        checked = self._checked_precision("time_precision", wanted, self.time_precision)
        self._time_precision = None if precision is None else checked

    def _checked_precision(self, what: str, precision: Any, now: Precision) -> Precision:
        self._need_unbuilt_to_set(f"its {what}")
        if str(precision) not in ("float", "double"):
            raise PreferenceError(f"{what} must be 'float' or 'double', not {precision!r}")
        if self._has_groups() and str(precision) != now:
            raise LifecycleError(f"the model has groups already: too late for its {what}")
        return cast(Precision, str(precision))

    @property
    def _time_type(self) -> str:
        return time_type(self.precision, self.time_precision)

    @property
    def dt(self) -> float:
        """Timestep [ms]; set it before ``build``."""
        return self._dt

    @dt.setter
    def dt(self, dt: float) -> None:
        self._need_unbuilt_to_set("dt")
        number = as_number(dt, "dt")
        if not 0 < number < math.inf:
            raise NetworkError(f"dt must be a positive number of ms, not {dt!r}")
        self._dt = float(number)

    # PyGeNN's obsolete spelling.
    @property
    @deprecated("dt")
    def dT(self) -> float:
        """The timestep [ms]."""
        return self._dt

    @dT.setter
    @deprecated("dt")
    def dT(self, dt: float) -> None:
        self.dt = dt

    @property
    def seed(self) -> int:
        """Seed of all random numbers, 0 to 2**64 - 1; 0 is a fresh one, drawn by ``load``. Set it before ``build``."""
        return self._seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self._need_unbuilt_to_set("seed")
        try:
            number = operator.index(seed)
        except TypeError:
            number = -1
        if not 0 <= number < 2**64:
            raise PreferenceError(f"seed must be an integer from 0 to 2**64 - 1, not {seed!r}")
        self._seed = number

    @property
    def batch_size(self) -> int:
        """How many copies of the model run at once; set it before ``build``."""
        return self._batch_size

    @batch_size.setter
    def batch_size(self, size: int) -> None:
        self._need_unbuilt_to_set("batch_size")
        self._batch_size = check_size(f"model '{self.name}'", "batch_size", size)

    @property
    def default_var_location(self) -> VarLocation:
        """Where variables of groups that are added from now on live."""
        return self._default_var_location

    @default_var_location.setter
    def default_var_location(self, location: VarLocation) -> None:
        self._need_unbuilt_to_set("default_var_location")
        self._default_var_location = _as_location("default_var_location", location)

    @property
    def default_sparse_connectivity_location(self) -> VarLocation:
        """Where it lives which neurons are connected, for connections that are added from now on."""
        return self._default_sparse_location

    @default_sparse_connectivity_location.setter
    def default_sparse_connectivity_location(self, location: VarLocation) -> None:
        self._need_unbuilt_to_set("default_sparse_connectivity_location")
        self._default_sparse_location = _as_location("default_sparse_connectivity_location", location)

    @property
    def timing_enabled(self) -> bool:
        """Whether to measure kernels (a few per cent of the time); set it before ``load``."""
        return self._timing_enabled

    @timing_enabled.setter
    def timing_enabled(self, enabled: bool) -> None:
        if self._loaded:
            raise LifecycleError("the model is loaded already: too late for timing_enabled; set it before load()")
        self._timing_enabled = bool(enabled)

    @property
    def default_narrow_sparse_ind_enabled(self) -> bool:
        """What ``narrow_sparse_ind_enabled`` of connections that are added from now on is."""
        return self._default_narrow_sparse_ind_enabled

    @default_narrow_sparse_ind_enabled.setter
    def default_narrow_sparse_ind_enabled(self, enabled: bool) -> None:
        self._need_unbuilt_to_set("default_narrow_sparse_ind_enabled")
        self._default_narrow_sparse_ind_enabled = bool(enabled)

    def _take_narrow(self, enabled: object) -> None:
        warnings.warn(
            "a model has no attribute 'narrow_sparse_ind_enabled', and it has no effect; did you mean "
            "'default_narrow_sparse_ind_enabled'?",
            ModelWarning,
            stacklevel=3,
        )

    # GeNN's own feature tests set it, so it cannot be an error.
    narrow_sparse_ind_enabled = property(
        None,
        _take_narrow,
        doc="Write-only, as in PyGeNN, and never a setting; see ``default_narrow_sparse_ind_enabled``.",
    )

    @property
    def fuse_postsynaptic_models(self) -> bool:
        """Whether connections that are alike share one summed input; set it before ``build``."""
        return self._fuse_postsynaptic_models

    @fuse_postsynaptic_models.setter
    def fuse_postsynaptic_models(self, fuse: bool) -> None:
        self._need_unbuilt_to_set("fuse_postsynaptic_models")
        self._fuse_postsynaptic_models = bool(fuse)

    @property
    def fuse_pre_post_weight_update_models(self) -> bool:
        """Accepted, and without effect: a matter of how GeNN generates code."""
        return self._fuse_pre_post_weight_update_models

    @fuse_pre_post_weight_update_models.setter
    def fuse_pre_post_weight_update_models(self, fuse: bool) -> None:
        self._need_unbuilt_to_set("fuse_pre_post_weight_update_models")
        self._fuse_pre_post_weight_update_models = bool(fuse)

    def _has_groups(self) -> bool:
        return False


def _as_location(what: str, location: Any) -> VarLocation:
    try:
        return VarLocation(location)
    except ValueError:
        raise NetworkError(f"{what}: {location!r} is no VarLocation") from None
