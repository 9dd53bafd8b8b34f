"""Gradients of a network: what is added to a described model, and the passes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snnlearn.errors import GradientError, LifecycleError, did_you_mean
from snnlearn.genn.adjoint_network import AdjointNetwork, delay_of
from snnlearn.genn.adjoint_parts import Task, check_fixed, find_parts
from snnlearn.genn.arrays import Variable
from snnlearn.genn.copy_weights import Weights, copy_weights
from snnlearn.genn.dynamic_params import check_dynamic, dynamic_params
from snnlearn.genn.gradient_explain import explain_reverse
from snnlearn.genn.gradient_graph import GRAPH_FORMATS, edges_of
from snnlearn.genn.neuron_group import NeuronGroup
from snnlearn.genn.parameter_slopes import slopes
from snnlearn.genn.seeds import given_seeds, loss_seeds, numbers
from snnlearn.genn.tapes import Tapes
from snnlearn.genn.windows import KeepsWindows
from snnlearn.grad.synapses import gradient_of
from snnlearn.network import Location

Hook = Callable[[NDArray[Any]], Any]


class Program(KeepsWindows):
    """Gradients of a network's loss, by a reverse pass; made by `snnlearn.grad.differentiate`.

    The loss is summed over timesteps, neurons and copies of a batch. A window is what was run since the last
    `backward`; what happened before it is taken for given (truncated backpropagation through time).

    Attributes
    ----------
    model : GeNNModel
    window : int
        The longest window, in timesteps.
    """

    def __init__(
        self, model: Any, task: Task, constants: Mapping[str, float], window: int, checkpoint: int = 0
    ) -> None:
        self.model, self.window = model, window
        self._task, self._constants = task, dict(constants)
        self._parts = find_parts(model, task)
        trained = [(c.group, c.synapse.forward(c.wrt)) for c in self._parts.connections.values() if c.wrt]
        self._check_slopes()
        delays = [delay_of(c) for c in self._parts.connections.values() if c.wrt]
        before = 1 + max(delays, default=0)
        self._tapes = Tapes(model, self._parts.neurons, self._constants, window, before, checkpoint)
        self._networks: dict[tuple[Any, ...], AdjointNetwork] = {}
        self._kept: dict[str, frozenset[str]] = {}
        self._adjoints: dict[tuple[str, str], NDArray[Any]] = {}
        self._sums: dict[tuple[str, str], Any] = {}  # gradients that no variable of the model sums up
        self._hooks: dict[tuple[str, str], list[Hook]] = {}
        self._writing: dict[str, str] = {}
        self._unloaded = False  # since it was loaded
        self._weights: Weights | None = None  # of the copies of a batch
        self._dynamic: set[Location] = set()
        for group, synapse_model in trained:
            group._train(synapse_model)
        self._followed = self._find_followed()
        for variable in self._followed:
            variable._follow(self)
        model._programs.append(self)

    def _check_slopes(self) -> None:
        """Raise GradientError for derived parameters without a derivative."""
        for name, parameters in self._task.parameters.items():
            for parameter in parameters:
                slopes(self._parts.declared[name], self.model._by_key[name].spec.params, self.model.dt, parameter)

    def _find_followed(self) -> list[Variable]:
        """Return the variables that a window depends on: weights, and what has adjoints."""
        found = [c.group.vars[v.name] for c in self._parts.connections.values() for v in c.synapse.model.vars]
        for name, reversal in self._parts.neurons.items():
            found += [self.model._by_key[name].vars[variable] for variable in reversal.states]
        return found

    # ---- passes ----

    def backward(
        self,
        gradient: Mapping[Variable | NeuronGroup, ArrayLike] | None = None,
        *,
        retain_tape: bool = False,
        create_graph: bool = False,
    ) -> None:
        """Go back through the window, and add what it gives to ``.grad`` of each variable.

        Parameters
        ----------
        gradient : mapping of Variable to array, shape (timesteps, batch, neurons), or (timesteps, neurons)
            Adjoints of neurons' variables in each timestep of the window, in place of the loss's: a product of this
            vector with the Jacobian. A batch of 1 needs no dimension. With ``method="eventprop"`` also, by population,
            the derivative by the time of each spike [per ms], in its timestep; what is in others counts for nothing.
        retain_tape : bool
            Keep the tape, for another pass through the same timesteps.
        create_graph : bool
            PyTorch's; an engine has no derivatives of derivatives.

        Raises
        ------
        GradientError
            For ``create_graph``, for variables whose adjoints are not asked for, and for arrays of another shape or
            with numbers that are not finite.
        LifecycleError
            Where no timestep was run since the last pass, more than the window, or weights were written since.
        """
        if create_graph:
            raise GradientError(
                "create_graph=True: the engine's gradients are numbers, which have no graph; for derivatives of "
                "derivatives make the network a module of PyTorch's with snnlearn.torch.to_module"
            )
        self._check_loaded()
        if gradient is None and not (self._task.losses or self._task.first_spikes or self._task.end_losses):
            raise GradientError("there is no loss: backward({variable: array}) goes back from adjoints of outputs")
        timesteps = self._tapes.check()
        if gradient is not None:
            seeds = given_seeds(self.model, self._parts, gradient, timesteps)
        else:
            seeds = loss_seeds(self.model, self._task, self._tapes, timesteps)
        network = self._network(gradient is not None, frozenset(seeds))
        network.weights = self._weights
        network.run(timesteps, seeds)
        self._collect(network, timesteps)
        if not retain_tape:
            self._tapes.free()

    def _check_loaded(self) -> None:
        self.model._loaded_simulation()

    def _network(self, seeded: bool, seeds: frozenset[tuple[str, str]]) -> AdjointNetwork:
        """Return the adjoint network for the loss, or for adjoints that are given."""
        key = (seeded, seeds, tuple(self._kept.items()))
        if key not in self._networks:
            by_group: dict[str, frozenset[str]] = {}
            for name, variable in seeds:
                by_group[name] = by_group.get(name, frozenset()) | {variable}
            task = replace(self._task, seeds=by_group, kept=dict(self._kept))
            if seeded:
                task = replace(task, losses={})
            parts = find_parts(self.model, task, self._parts)
            self._networks[key] = AdjointNetwork(self.model, parts, self._constants, self._tapes)
        return self._networks[key]

    def _collect(self, network: AdjointNetwork, timesteps: int) -> None:
        """Add the gradients of a pass to those before."""
        found = {key: self._hooked(key, value) for key, value in self._found(network).items()}
        kept = {(name, v): network.adjoint(name, v, timesteps) for name, own in self._kept.items() for v in own}
        for (name, variable), value in kept.items():
            for hook in self._hooks.get((name, f"adjoint {variable}"), ()):
                hook(value)
        for (name, variable), value in found.items():  # after the hooks, any of which may raise an error
            c = network.parts.connections.get(name)
            if c is None or variable not in c.wrt:
                before = self._sums.get((name, variable))
                self._sums[name, variable] = value if before is None else before + value
                continue
            m = c.group.vars[gradient_of(variable, c.wrt)]
            m.pull_from_device()
            m.values = m.values - value
            m.push_to_device()
        self._adjoints.update(kept)

    def _found(self, network: AdjointNetwork) -> dict[tuple[str, str], Any]:
        """Return what a pass gives: weights, variables at the start, parameters."""
        found: dict[tuple[str, str], Any] = {
            (name, v): -network.gradient(name, v) for name, c in network.parts.connections.items() for v in c.wrt
        }
        found |= {(name, v): network.at_start(name, v) for name, own in self._task.states.items() for v in own}
        for name, parameters in self._task.parameters.items():
            group = self.model._by_key[name]
            for parameter in parameters:
                own = group.spec
                fixed = parameter not in own.dynamic_params  # which derived parameters do not follow
                by_derived = slopes(self._parts.declared[name], own.params, self.model.dt, parameter) if fixed else {}
                total = network.summed(name, parameter)
                total += sum(slope * network.summed(name, derived) for derived, slope in by_derived.items())
                found[name, parameter] = np.float64(total)
        return found

    def _hooked(self, key: tuple[str, str], found: Any) -> Any:
        for hook in self._hooks.get(key, ()):
            changed = hook(found)
            if changed is None:
                continue
            changed, shape = numbers(changed, f"a hook's gradient of '{key[1]}' of '{key[0]}'"), np.shape(found)
            if changed.shape != shape:
                raise GradientError(
                    f"a hook's gradient of '{key[1]}' of '{key[0]}' has the shape {changed.shape}, not {shape}"
                )
            found = changed.astype(np.asarray(found).dtype)
        return found

    # ---- gradients ----

    def weigh_copies(self, weights: ArrayLike | None) -> None:
        """Have the loss of each copy of a batch count so many times, from the next `backward` on.

        Parameters
        ----------
        weights : array of shape (batch,), or None
            1 / batch for a mean, 0 for a copy that does not count, whatever its adjoints are. None for once each.

        Raises
        ------
        GradientError
            For another shape, and numbers that are not finite.
        """
        self._weights = copy_weights(weights, self.model.batch_size)

    def zero_grad(self) -> None:
        """Set all gradients to zero; `backward` adds to them."""
        self._check_loaded()
        for c in self._parts.connections.values():
            for variable in c.wrt:
                m = c.group.vars[gradient_of(variable, c.wrt)]
                m.values = 0
                m.push_to_device()
        self._sums.clear()

    def grad(self, what: Variable | tuple[Any, str]) -> NDArray[Any] | None:
        """Return a gradient.

        Parameters
        ----------
        what : Variable, or (population, name of a parameter)
            What the program differentiates with respect to; or a variable of neurons that `retain_grad` was called
            for, whose `adjoint` it is then.

        Returns
        -------
        ndarray or None
            In the shape of the variable's ``values``; a number for a parameter. None before the first `backward`.

        Raises
        ------
        GradientError
            For what the program does not differentiate with respect to.
        LifecycleError
            After ``unload``.
        """
        self._need_no_end()
        key = self._key(what)
        if key not in self._wanted() and key[1] in self._kept.get(key[0], ()):
            return self._adjoints.get(key)
        self._check_wanted(key)
        c = self._parts.connections.get(key[0])
        if c is None or key[1] not in c.wrt:
            return self._sums.get(key)
        if self.model._simulation is None:
            return None
        m = c.group.vars[gradient_of(key[1], c.wrt)]
        m.pull_from_device()
        return -m.values

    def adjoint(self, variable: Variable) -> NDArray[Any] | None:
        """Return the derivative with respect to what a variable of neurons was after each timestep of the last window.

        Returns
        -------
        ndarray of shape (timesteps, batch, neurons), or None
            None before the first `backward` after `retain_grad`.

        Raises
        ------
        LifecycleError
            After ``unload``.
        """
        self._need_no_end()
        return self._adjoints.get(self._key(variable))

    def _need_no_end(self) -> None:
        if self._unloaded:
            raise LifecycleError(
                "the model has been unloaded, and its gradients went with it: read them before unload()"
            )

    def requires_grad(self, what: Variable | tuple[Any, str]) -> bool:
        """Whether the program differentiates with respect to something."""
        return self._key(what) in self._wanted()

    def retain_grad(self, variable: Variable) -> None:
        """Keep the adjoint of a variable of neurons in each timestep, from the next `backward` on.

        Raises
        ------
        GradientError
            For a variable that the loss does not depend on.
        """
        key = self._key(variable)
        reversal = self._parts.neurons.get(key[0])
        if reversal is None or key[1] not in (*reversal.states, *reversal.losses):
            raise GradientError(f"there is no adjoint of {variable.location}: the loss does not depend on it")
        self._kept[key[0]] = self._kept.get(key[0], frozenset()) | {key[1]}

    def register_hook(self, what: Variable | tuple[Any, str], hook: Hook) -> Callable[[], None]:
        """Have a function called with each window's gradient, before that is added; returns what takes it off again.

        Parameters
        ----------
        what : Variable, or (population, name of a parameter)
            As in `grad`.
        hook : callable (ndarray) -> ndarray or None
            What it returns takes the place of the gradient. A variable of neurons that the program does not
            differentiate with respect to has its adjoints shown, shape (timesteps, batch, neurons).
        """
        if not callable(hook):
            raise GradientError(f"a hook is a function of a gradient, not {hook!r}")
        key = self._key(what)
        if key not in self._wanted():
            self.retain_grad(what)  # type: ignore[arg-type]
            key = (key[0], f"adjoint {key[1]}")
        hooks = self._hooks.setdefault(key, [])

        def entry(found: NDArray[Any]) -> Any:  # a function registered twice is two
            return hook(found)

        hooks.append(entry)

        def remove() -> None:
            if entry in hooks:
                hooks.remove(entry)

        return remove

    def _key(self, what: Any) -> tuple[str, str]:
        if isinstance(what, Variable):
            return what.group._key, what.name
        try:
            group, name = what
            return group._key, name
        except (TypeError, ValueError, AttributeError):
            raise GradientError(
                f"a gradient is of a variable, or of a parameter, (population, 'name'), not of {what!r}"
            ) from None

    def _wanted(self) -> set[tuple[str, str]]:
        kinds = (self._task.weights, self._task.states, self._task.parameters)
        return {(name, variable) for kind in kinds for name, variables in kind.items() for variable in variables}

    def _check_wanted(self, key: tuple[str, str]) -> None:
        if key not in self._wanted():
            known = ", ".join(f"'{name}' of '{group}'" for group, name in sorted(self._wanted()))
            raise GradientError(
                f"the program does not differentiate with respect to '{key[1]}' of '{key[0]}', but to {known}; add it "
                "to wrt=, or call retain_grad(variable) for adjoints of neurons' variables"
            )

    def explain(self) -> str:
        """Return what each population records and what its adjoints are, and what is cut or approximated."""
        return explain_reverse(self._parts, self._task, self._tapes.window)

    def graph(self, prefix: str = "", format: str = "dot") -> str:
        """Return one timestep of what the loss depends on: text that Graphviz draws, or a picture.

        Nodes are variables, inputs, spikes and losses; boxes are what is differentiated with respect to. An edge is an
        entry of the Jacobian. It says how many timesteps ago the variable counts; in the picture it is dashed then.

        Parameters
        ----------
        prefix : str
            What the name of each node begins with: ``"step0."``.
        format : {"dot", "svg"}
            The DOT language; or a picture in SVG, drawn by Matplotlib.

        Raises
        ------
        GradientError
            For another format, and a prefix that is no text.
        """
        if not isinstance(prefix, str):
            raise GradientError(f"prefix is what names of nodes begin with, such as 'step0.', not {prefix!r}")
        if not isinstance(format, str) or format not in GRAPH_FORMATS:
            raise GradientError(f"there is no format {format!r}{did_you_mean(str(format), GRAPH_FORMATS)}")
        losses = {name: loss.name for name, loss in self._task.losses.items()}
        leaves = frozenset(f"{group}.{name}" for group, name in self._wanted())
        return GRAPH_FORMATS[format](edges_of(self._parts, losses), prefix, leaves)

    # ---- what the model tells ----

    def _prepare(self) -> None:
        """Be told that the model is about to be built."""
        check_fixed(self.model, self._parts)
        check_dynamic(self.model, self._parts)
        self._dynamic = {one.at for one in dynamic_params(self.model, self._parts)}
        self._writing = self._updates_that_write()

    def _updates_that_write(self) -> dict[str, str]:
        """Return the custom update groups that write what a window depends on, with what."""
        followed = {v.location for v in self._followed}
        for c in self._parts.connections.values():
            followed |= {Location(c.group._key, space) for space in ("out_post", "den_delay")}
            followed |= {v.location for v in c.group.psm_vars.values()}
        found = {}
        for update in self.model.custom_updates.values():
            modes = {ref.name: ref for ref in update.spec.model.var_refs}
            for name, ref in update.spec.var_refs.items():
                if ref.to in followed and modes[name].writable:
                    found[update.spec.group_name] = f"custom_update('{update.spec.group_name}') wrote {ref.to}"
        return found

    def _begin(self) -> None:
        """Be told that the model is loaded."""
        self._sums.clear()
        self._adjoints.clear()
        self._unloaded = False
        self._tapes.restart()

    def _end(self) -> None:
        """Be told that the model is unloaded."""
        for network in self._networks.values():
            network.model.unload()
        self._networks.clear()
        self._unloaded = True

    def _note_update(self, group: str) -> None:
        """Be told that a custom update runs."""
        if group in self._writing and self.model._loaded:
            self._tapes.note_write(self._writing[group])

    def _note_state(self) -> None:
        """Be told that a state is put back."""
        self._tapes.note_write("set_state put a state back")

    def _note_param(self, at: Location) -> None:
        """Be told that a dynamic parameter changes."""
        if at in self._dynamic:
            self._tapes.note_write(f"the dynamic parameter {at} was changed")

    def _note_push(self, variable: Variable) -> None:
        """Be told that a variable is written from the host."""
        if self.model._loaded:
            self._tapes.note_write(f"{variable.location} was written")
