"""Random networks, each valid and bounded, that take what there is in turns: for engines that must all agree.

Dynamics contract, so that differences in the last digits stay there; numbers are such that none lies on a threshold.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from snnlearn import genn as g

SIZES = (1, 2, 3, 5, 8, 33)


@dataclass
class RandomNetwork:
    """What a network has been made of, for whoever asks what a seed covers.

    Attributes
    ----------
    groups : list of str
        The groups of custom updates that may be called.
    dynamic : list
        The populations whose threshold ``theta`` is a dynamic parameter.
    features : set of str
    recordings : list
        What `GeNNModel.record` returned.
    """

    groups: list[str] = field(default_factory=list)
    dynamic: list[Any] = field(default_factory=list)
    features: set[str] = field(default_factory=set)
    recordings: list[Any] = field(default_factory=list)


def add_network(model: Any, seed: int, prefix: str) -> RandomNetwork:
    """Add a random network to a model; all of its names begin with a prefix."""
    return _Builder(model, random.Random(seed), prefix).build()


class _Builder:
    def __init__(self, model: Any, rng: random.Random, prefix: str) -> None:
        self.model, self.rng, self.prefix = model, rng, prefix
        self.made = RandomNetwork()
        self.populations: list[Any] = []
        self.connections: list[tuple[Any, str]] = []

    def build(self) -> RandomNetwork:
        for number in range(self.rng.choice([1, 2, 2, 3])):
            self.populations.append(self.population(number))
        for number in range(self.rng.choice([1, 2, 2, 3])):
            self.connection(number)
        for number in range(self.rng.choice([0, 1, 1])):
            self.current_source(number)
        for number in range(self.rng.choice([0, 1, 2])):
            self.custom_update(number)
        if self.maybe(0.4):
            self.record()
        return self.made

    # ---- chances ----

    def maybe(self, chance: float) -> bool:
        return self.rng.random() < chance

    def takes(self, feature: str, chance: float) -> bool:
        """Whether the network has a feature; notes that it has."""
        found = self.maybe(chance)
        if found:
            self.made.features.add(feature)
        return found

    def number(self, low: float, high: float) -> str:
        """Return a number, as code has it, that no sum of others comes close to."""
        return f"{self.rng.uniform(low, high):.11f}"

    def start(self, low: float, high: float) -> Any:
        """Return the first values of a variable."""
        kind = self.rng.choice(["number", "Uniform", "Normal"])
        if kind == "number":
            return self.rng.uniform(low, high)
        self.made.features.add("drawn values")
        if kind == "Uniform":
            return g.init_var("Uniform", {"min": low, "max": high})
        return g.init_var("Normal", {"mean": (low + high) / 2, "sd": (high - low) / 6})

    def name(self, what: str) -> str:
        return f"{self.prefix}{what}"

    # ---- neurons ----

    def population(self, number: int) -> Any:
        name, model = self.name(f"P{number}"), self.neuron_model(number)
        params = {"tau": self.rng.uniform(5.0, 30.0), "theta": self.rng.uniform(0.6, 1.0)}
        first = {"V": self.start(-0.5, 0.5), "u": self.start(-0.3, 0.3), "refrac": 0.0, "count": self.rng.randrange(9)}
        population = self.model.add_neuron_population(name, self.rng.choice(SIZES), model, params, first)
        if self.takes("dynamic parameter", 0.2):
            population.set_param_dynamic("theta")
            self.made.dynamic.append(population)
        population.spike_recording_enabled = self.maybe(0.8)
        self.fill(population)
        return population

    def fill(self, population: Any) -> None:
        """Give a population the array that its code indexes, if it does."""
        if "bias" in population.extra_global_params:
            values = [self.rng.uniform(-0.02, 0.04) for _ in range(3)]
            population.extra_global_params["bias"].set_init_values(values)

    def neuron_model(self, number: int) -> Any:
        drive = self.number(0.3, 2.5)
        leak = f"V += dt * ({drive} + Isyn + Iother + 0.05 * u - V) / tau;"
        lines = [f"u += {self.number(0.02, 0.2)} * (V - u);"]
        refractory = self.takes("refractory", 0.5)
        lines.append(f"if (refrac > 0.0) {{ refrac -= dt; }} else {{ {leak} }}" if refractory else leak)
        if self.takes("loop", 0.3):
            lines.append(
                f"scalar s = 0.0; for (int k = 1; k < 6; k++) {{ if (k == count % 6) continue; "
                f"s = {self.number(0.2, 0.5)} * s + u / k; if (s > {self.number(0.05, 0.3)}) break; }} V += 0.01 * s;"
            )
        if self.takes("while", 0.2):
            lines.append("int left = count & 3; while (left > 0) { u *= 0.97; left--; }")
        if self.takes("switch", 0.2):
            lines.append(
                f"switch ((id + count) % 3) {{ case 0: V += 0.01 * {drive}; "
                "case 1: u *= 0.9; break; default: V *= 0.99; }"
            )
        if self.takes("maths", 0.4):
            lines.append(
                self.rng.choice(
                    ["V += 0.02 * sin(u);", "u += 0.1 * exp(-fabs(V));", "V = fmin(V, 1.5 + 0.1 * tanh(u));"]
                )
            )
        if self.takes("condition", 0.4):
            lines.append(f"V += V > {self.number(0.2, 0.5)} && u < {self.number(0.0, 0.4)} ? -0.03 : 0.01 * u;")
        if self.takes("noise", 0.4):
            draw = [
                "gennrand_uniform()",
                "gennrand_normal()",
                "gennrand_exponential()",
                "gennrand_log_normal(-1.0, 0.3)",
            ]
            draw += ["gennrand_gamma(1.7)", "gennrand_binomial(9, 0.3) / 5.0"]
            lines.append(f"V += {self.number(0.01, 0.05)} * {self.rng.choice(draw)};")
        if self.takes("while it is above", 0.1):
            lines.append("count += V > 0.3;")
        arrays = [("bias", "scalar*")] if self.takes("array", 0.25) else []
        if arrays:
            lines.append("V += bias[(id + count) % 3];")
        ready = " && refrac <= 0.0" if refractory else ""
        self.rng.shuffle(lines) if self.maybe(0.2) else None
        again = self.takes("auto refractory", 0.15)
        # A potential that stays above the threshold makes one spike there.
        reset = "" if again else f"V = -{self.number(0.0, 0.3)} - 0.001 * count; refrac = {self.number(1.1, 4.9)}; "
        return g.create_neuron_model(
            self.name(f"Model{number}"),
            params=["tau", "theta"],
            vars=["V", "u", "refrac", ("count", "int")],
            extra_global_params=arrays,
            additional_input_vars=[("Iother", "scalar", 0.01)],
            sim_code=" ".join(lines),
            threshold_condition_code="V >= 0.4 * theta" if again else f"V >= theta{ready}",
            reset_code=f"{reset}count = (count * 5 + 3) % 17;",
            auto_refractory_required=again,
        )

    # ---- connections ----

    def connection(self, number: int) -> None:
        source, target = self.rng.choice(self.populations), self.rng.choice(self.populations)
        name = self.name(f"S{number}")
        matrix = self.rng.choice(["DENSE", "DENSE", "SPARSE", "SPARSE", "BITMASK", "PROCEDURAL", "TOEPLITZ", "KERNEL"])
        # What is deferred is dense, and looks back no further than a timestep.
        of_traces = self.maybe(0.3)
        if of_traces:
            matrix, make = self.rng.choice(["DENSE"] * 5 + ["SPARSE"]), self.traces
        elif matrix in ("PROCEDURAL", "TOEPLITZ", "KERNEL"):
            make = self.stateless
        else:
            make = self.rng.choice([*[self.static] * 3, self.plastic, self.plastic, self.graded, self.events])
        s = make(name, matrix, source, target)
        self.made.features |= {matrix, make.__name__}
        late = 0.05 if of_traces else 0.3
        if self.takes("axonal delay", late):
            s.axonal_delay_steps = self.rng.randrange(1, 6)
        if self.takes("back-propagation delay", late):
            s.back_prop_delay_steps = self.rng.randrange(1, 5)
        if self.takes("another input", 0.2):
            s.post_target_var = "Iother"
        self.connections.append((s, matrix))

    def connect(self, name: str, matrix: str, source: Any, target: Any, rule: Any) -> Any:
        init, pairs = None, []
        if matrix == "SPARSE" and self.takes("given connections", 0.3):
            every = [(i, j) for i in range(source.num_neurons) for j in range(target.num_neurons)]
            pairs = self.rng.sample(every, self.rng.randint(1, len(every)))
        elif matrix != "DENSE":
            kind = self.rng.choice(["FixedProbability", "FixedNumberPostWithReplacement", "OneToOne"])
            if matrix == "BITMASK" or source.num_neurons != target.num_neurons:
                kind = "FixedProbability" if matrix == "BITMASK" or kind == "OneToOne" else kind
            params = {"FixedProbability": {"prob": 0.4}, "FixedNumberPostWithReplacement": {"num": 3}, "OneToOne": {}}
            init = g.init_sparse_connectivity(kind, params[kind])
        psm = self.postsynaptic(target)
        s = self.model.add_synapse_population(name, matrix, source, target, rule, psm, init)
        if pairs:
            s.set_sparse_connections(*zip(*pairs, strict=True))
        return s

    def postsynaptic(self, target: Any) -> Any:
        kind = self.rng.choice(["DeltaCurr", "ExpCurr", "ExpCond", "own"])
        self.made.features.add(kind)
        if kind == "DeltaCurr":
            return g.init_postsynaptic("DeltaCurr")
        if kind == "ExpCurr":
            return g.init_postsynaptic("ExpCurr", {"tau": self.rng.uniform(2.0, 9.0)})
        if kind == "ExpCond":
            reference = {"V": g.create_var_ref(target, "V")}
            return g.init_postsynaptic("ExpCond", {"tau": self.rng.uniform(2.0, 9.0), "E": 0.9}, {}, reference)
        own = g.create_postsynaptic_model(
            self.name("Psm"),
            vars=["c"],
            sim_code="injectCurrent(0.5 * inSyn + 0.1 * c); c += 0.3 * (inSyn - c); inSyn *= 0.6;",
        )
        return g.init_postsynaptic(own, {}, {"c": self.start(0.0, 0.1)})

    def scale(self, source: Any) -> float:
        """Return the size of weights that keeps what a neuron gets within bounds."""
        return 0.6 / source.num_neurons**0.5

    def weight(self, source: Any) -> Any:
        return self.start(-0.5 * self.scale(source), self.scale(source))

    def stateless(self, name: str, matrix: str, source: Any, target: Any) -> Any:
        """Return a connection whose synapses have no values of their own, of a kind that fits their number."""
        psm = self.postsynaptic(target)
        if matrix == "PROCEDURAL":
            weight = self.rng.uniform(-0.5, 1.0) * self.scale(source)
            rule = g.init_weight_update("StaticPulseConstantWeight", {"g": weight})
            init = g.init_sparse_connectivity("FixedProbability", {"prob": 0.5})
            return self.model.add_synapse_population(name, "PROCEDURAL", source, target, rule, psm, init)
        # A convolution of a row of neurons with a kernel of three: as many neurons as before.
        image = self.model.add_neuron_population(
            f"{name}Image",
            6,
            self.neuron_model(99),
            {"tau": 9.0, "theta": 0.5},
            {"V": self.start(0.0, 0.45), "u": 0.0, "refrac": 0.0, "count": 1},
        )
        self.fill(image)
        conv = {
            "conv_kh": 1,
            "conv_kw": 3,
            "conv_ih": 1,
            "conv_iw": 6,
            "conv_ic": 1,
            "conv_oh": 1,
            "conv_ow": 6,
            "conv_oc": 1,
        }
        weights = g.init_weight_update("StaticPulse", {}, {"g": [self.rng.uniform(-0.2, 0.5) for _ in range(3)]})
        full = {**conv, "conv_sh": 1, "conv_sw": 1, "conv_padh": 0, "conv_padw": 1}
        if matrix == "TOEPLITZ":
            init, kind = g.init_toeplitz_connectivity("Conv2D", conv), "TOEPLITZ"
        else:
            init, kind = g.init_sparse_connectivity("Conv2D", full), "PROCEDURAL_KERNELG"
        return self.model.add_synapse_population(
            name, kind, image, image, weights, g.init_postsynaptic("DeltaCurr"), init
        )

    def static(self, name: str, matrix: str, source: Any, target: Any) -> Any:
        """Connect by weights that stay, perhaps with a delay along the dendrite, perhaps back to the source too."""
        delayed, back = self.takes("dendritic delay", 0.6), self.takes("input to the source", 0.3)
        code = "addToPostDelay(w, d);" if delayed else "addToPost(w);"
        code += " addToPre(0.3 * w);" if back else ""
        variables = ["w", ("d", "uint8_t")] if delayed else ["w"]
        rule = g.create_weight_update_model(self.name(f"Rule{name}"), vars=variables, pre_spike_syn_code=code)
        first = {"w": self.weight(source)} | ({"d": g.init_var("Uniform", {"min": 0.0, "max": 5.9})} if delayed else {})
        s = self.connect(name, matrix, source, target, g.init_weight_update(rule, {}, first))
        if delayed:
            s.max_dendritic_delay_timesteps = 7
        if back and self.maybe(0.5):
            s.pre_target_var = "Iother"
        return s

    def plastic(self, name: str, matrix: str, source: Any, target: Any) -> Any:
        """Connect by weights that change with spikes of both ends, by traces or by times."""
        up, down = self.number(0.005, 0.02), self.number(0.005, 0.02)
        by_time = self.takes("times of spikes", 0.4)
        rise = f"w += {up} * exp((st_pre - t) / tau);" if by_time else f"w += {up} * x;"
        fall = f"if (t > st_post) w -= {down} * exp((st_post - t) / tau);" if by_time else f"w -= {down} * y;"
        fall += f" w += {down} * exp((prev_st_pre - t) / tau);" if by_time else ""
        bound = "w = fmax(-0.3, fmin(0.4, w));"
        rule = g.create_weight_update_model(
            self.name(f"Rule{name}"),
            params=["tau"],
            vars=["w"],
            pre_vars=["x"],
            post_vars=["y"],
            pre_spike_code="x += 1.0;",
            post_spike_code=f"y = {self.number(0.3, 0.9)} + 0.5 * y;",
            pre_dynamics_code="x -= x * dt / tau;",
            post_dynamics_code="y *= exp(-dt / tau);",
            pre_spike_syn_code=f"addToPost(w); {fall} {bound}",
            post_spike_syn_code=f"{rise} {bound}",
        )
        params, first = {"tau": self.rng.uniform(8.0, 25.0)}, {"w": self.weight(source)}
        return self.connect(
            name, matrix, source, target, g.init_weight_update(rule, params, first, {"x": 0.0}, {"y": 0.0})
        )

    def graded(self, name: str, matrix: str, source: Any, target: Any) -> Any:
        """Connect by what flows in each timestep."""
        code = self.rng.choice(
            [
                "addToPost(w * Vpre);",
                "if (Vpre > 0.1 * w) addToPost(w * Vpre);",
                "{ addToPre(w * Vpost); } n += 0.1 * (Vpre - n);",
                "addToPre(w * Vpost);",
            ]
        )
        rule = g.create_weight_update_model(
            self.name(f"Rule{name}"),
            vars=["w", "n"],
            pre_neuron_var_refs=["Vpre"],
            post_neuron_var_refs=["Vpost"],
            synapse_dynamics_code=code,
        )
        refs = {
            "pre_var_refs": {"Vpre": g.create_var_ref(source, "V")},
            "post_var_refs": {"Vpost": g.create_var_ref(target, "V")},
        }
        first = {"w": self.start(-0.1, 0.3 * self.scale(source)), "n": 0.0}
        return self.connect(name, matrix, source, target, g.init_weight_update(rule, {}, first, **refs))

    def traces(self, name: str, matrix: str, source: Any, target: Any) -> Any:
        """Connect by traces that are recurrences at each synapse: what is deferred, and put in matrix form."""
        decay, slow, gain = self.number(0.5, 0.9), self.number(0.9, 0.99), self.number(0.1, 0.4)
        factor = self.rng.choice(["x", "x", "z", "x * 0.7", "x - 0.1"])
        column = self.rng.choice(["V", "(V > 0.3 ? 1.0 : 0.2)", "0.6", "exp(-V * V)", "y"])
        decay = self.rng.choice([decay, decay, f"({decay} - 0.1 * y)"])
        odd = " e = fmin(e, 3.0);" if self.takes("a recurrence that is not linear", 0.15) else ""
        send = " addToPost(0.001 * m);" if self.takes("traces that send", 0.15) else ""
        rule = g.create_weight_update_model(
            self.name(f"Rule{name}"),
            vars=["w", "e", "m"],
            pre_vars=["x", "z"],
            post_vars=["y"],
            pre_spike_code="x += 1.0;",
            pre_dynamics_code=f"z = {self.number(0.3, 0.8)} * z + x; x *= {self.number(0.5, 0.95)};",
            post_dynamics_code="y = 0.5 + 0.5 * tanh(V);",
            post_neuron_var_refs=["V"],
            pre_spike_syn_code="addToPost(w);",
            synapse_dynamics_code=f"e = {decay} * e + {factor} * {column}; m = {slow} * m + {gain} * e;{odd}{send}",
        )
        first, pre, post = {"w": self.weight(source), "e": 0.0, "m": 0.0}, {"x": 0.0, "z": 0.0}, {"y": 0.5}
        refs = {"V": g.create_var_ref(target, "V")}
        rule = g.init_weight_update(rule, {}, first, pre, post, post_var_refs=refs)
        return self.connect(name, matrix, source, target, rule)

    def events(self, name: str, matrix: str, source: Any, target: Any) -> Any:
        """Connect by spike-like events of one end or both."""
        post = {}
        if self.takes("postsynaptic events", 0.5):
            post = {
                "post_event_threshold_condition_code": f"Vpost > {self.number(0.25, 0.5)}",
                "post_event_syn_code": "n += 0.01 * (1.0 - n) + 0.0001 * (t - set_post);",
            }
        rule = g.create_weight_update_model(
            self.name(f"Rule{name}"),
            vars=["w", "n"],
            pre_neuron_var_refs=["Vpre"],
            post_neuron_var_refs=["Vpost"],
            pre_event_threshold_condition_code=f"Vpre > {self.number(0.2, 0.45)}",
            pre_event_syn_code="addToPost(0.2 * w); n *= 0.95 - 0.1 * exp(prev_set_pre - set_pre);",
            pre_spike_syn_code="addToPost(w); n += 0.05;",
            **post,
        )
        refs = {
            "pre_var_refs": {"Vpre": g.create_var_ref(source, "V")},
            "post_var_refs": {"Vpost": g.create_var_ref(target, "V")},
        }
        return self.connect(
            name, matrix, source, target, g.init_weight_update(rule, {}, {"w": self.weight(source), "n": 0.2}, **refs)
        )

    # ---- the rest ----

    def current_source(self, number: int) -> None:
        target, name = self.rng.choice(self.populations), self.name(f"C{number}")
        kind = self.rng.choice(["DC", "GaussianNoise", "own"])
        self.made.features.add(f"{kind} current")
        if kind == "DC":
            self.model.add_current_source(name, "DC", target, {"amp": self.rng.uniform(0.0, 0.3)})
        elif kind == "GaussianNoise":
            self.model.add_current_source(
                name, "GaussianNoise", target, {"mean": 0.05, "sd": self.rng.uniform(0.01, 0.3)}
            )
        else:
            own = g.create_current_source_model(
                self.name("Wave"), params=["rate"], vars=["phase"], neuron_var_refs=["V"],
                injection_code="phase += rate * dt; if (phase > 1.0) phase -= 1.0; injectCurrent(0.3 * phase - V / 9);",
            )  # fmt: skip
            reference = {"V": g.create_var_ref(target, "V")}
            self.model.add_current_source(
                name, own, target, {"rate": self.rng.uniform(0.01, 0.1)}, {"phase": self.start(0.0, 0.9)}, reference
            )

    def custom_update(self, number: int) -> None:
        name, group = self.name(f"U{number}"), self.name(f"Group{number}")
        synapses = [s for s, matrix in self.connections if matrix in ("DENSE", "SPARSE", "BITMASK")]
        if synapses and self.maybe(0.6):
            self.synapse_update(name, group, self.rng.choice(synapses))
        else:
            population = self.rng.choice(self.populations)
            reduce = self.takes("reduction over neurons", 0.4)
            access = (
                g.CustomUpdateVarAccess.REDUCE_NEURON_SUM
                if self.maybe(0.5)
                else g.CustomUpdateVarAccess.REDUCE_NEURON_MAX
            )
            own = ("total", "scalar", access) if reduce else "total"
            update = g.create_custom_update_model(
                self.name(f"Update{name}"),
                vars=[own],
                var_refs=[("v", "scalar", g.VarAccessMode.READ_ONLY) if reduce else "v"],
                update_code="total = v * 0.5;" if reduce else "v *= 0.97; total = 0.5 * total + v;",
            )
            self.model.add_custom_update(
                name, group, update, {}, {"total": 0.0}, {"v": g.create_var_ref(population, "u")}
            )
        self.made.features.add("custom update")
        self.made.groups.append(group)

    def synapse_update(self, name: str, group: str, synapses: Any) -> None:
        """Add an update of each synapse: that of a weight, or a sum over the copies of a batch."""
        weight = g.create_wu_var_ref(synapses, "w")
        self.made.features.add("update of synapses")
        update = g.create_custom_update_model(
            self.name(f"Update{name}"),
            vars=["mean"],
            var_refs=["w"],
            update_code="mean += 0.3 * (w - mean); w += 0.01 * (0.1 - w);",
        )
        self.model.add_custom_update(name, group, update, {}, {"mean": 0.0}, {"w": weight})

    def record(self) -> None:
        self.made.features.add("recorded variables")
        population = self.rng.choice(self.populations)
        every, spikes = self.rng.choice([1, 1, 3]), self.maybe(0.5)
        self.made.recordings.append(self.model.record(population, ["V", "count"], 60, every=every, spikes=spikes))
