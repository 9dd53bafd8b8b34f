"""EventProp without a grid: leaky integrate-and-fire neurons with exponential currents, spike times to rounding.

Written from the equations (Wunderlich & Pehle 2021, Scientific Reports 11, 12829), with what they leave out: delays,
and a refractory period, whose end is an event. `tests/grad/test_eventprop_reference.py` checks it by differences.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


@dataclass
class Lif:
    """``tau_m V' = rest - V + r I``, ``tau_s I' = -I``."""

    tau_m: float = 10.0
    tau_s: float = 5.0
    rest: float = 0.0
    reset: float = 0.0
    threshold: float = 1.0
    r: float = 1.0
    refractory: float = 0.0

    def slope(self, current: Any, v: Any) -> Any:
        return (self.rest - v + self.r * current) / self.tau_m

    def flow(self, s: float, free: Any) -> tuple[float, Any, Any]:
        """Return how currents decay in a time, how V - rest does, and what of a current V gains."""
        decay_s, decay_m = np.exp(-s / self.tau_s), np.exp(-s / self.tau_m)
        gain = self.r * self.tau_s / (self.tau_s - self.tau_m) * (decay_s - decay_m)
        return float(decay_s), np.where(free, decay_m, 1.0), np.where(free, gain, 0.0)

    def moved(self, s: float, current: Array, v: Array, free: Any) -> tuple[Array, Array]:
        decay, leak, gain = self.flow(s, free)
        return decay * current, self.rest + leak * (v - self.rest) + gain * current

    def crossing(self, s: float, current: float, v: float) -> float | None:
        """Return when, in a time, V reaches the threshold from below; None where it does not."""

        def margin(x: float) -> float:
            return float(self.moved(x, np.float64(current), np.float64(v), True)[1]) - self.threshold  # type: ignore[arg-type]

        high = s
        gain = self.r * self.tau_s / (self.tau_s - self.tau_m) * current
        fast = v - self.rest - gain
        # V' is a sum of two exponentials: it is zero once at most.
        ratio = -fast * self.tau_s / (gain * self.tau_m) if gain else -1.0
        if ratio > 0.0:
            top = np.log(ratio) / (1.0 / self.tau_m - 1.0 / self.tau_s)
            if 0.0 < top < s and margin(top) > 0.0:
                high = float(top)
        if margin(high) <= 0.0 or margin(0.0) >= 0.0:
            return None
        low = 0.0
        for _ in range(200):
            middle = 0.5 * (low + high)
            if middle in (low, high):
                break
            low, high = (middle, high) if margin(middle) < 0.0 else (low, middle)
        return high


@dataclass
class Network:
    """Inputs and neurons; ``weights[i, j]`` leads from input or neuron i to neuron j, ``delays[i, j]`` [ms] as well.

    Inputs come first, then the neurons. ``measured`` are the neurons whose ``(V - aim)^2 / 2`` is integrated.
    """

    inputs: int
    weights: Array
    delays: Array
    neuron: Lif
    spikes: Sequence[tuple[float, int]]
    end: float
    measured: Sequence[int] = ()
    aim: float = 0.5
    spike_loss: Callable[[dict[int, list[float]]], tuple[float, dict[tuple[int, int], float]]] | None = None
    log: list[tuple[Any, ...]] = field(default_factory=list)
    times: dict[int, list[float]] = field(default_factory=dict)  # of the neurons' spikes

    @property
    def size(self) -> int:
        return self.weights.shape[1]

    def run(self) -> float:
        """Run forward; return the loss."""
        n, neuron = self.size, self.neuron
        self.log, self.times = [], {i: [] for i in range(n)}
        current, v, free = np.zeros(n), np.full(n, neuron.rest), np.ones(n, bool)
        waiting: list[tuple[float, int, str, Any]] = []

        def send(t: float, source: int, which: int) -> None:
            for delay in np.unique(self.delays[source][self.weights[source] != 0.0]):
                heapq.heappush(waiting, (t + delay, len(self.log) + len(waiting), "arrive", (source, which, delay)))

        for t, source in self.spikes:
            send(t, source, -1)
        heapq.heappush(waiting, (self.end, -1, "end", None))
        now, loss = 0.0, 0.0
        while True:
            until = waiting[0][0]
            found = [
                (s, i)
                for i in range(n)
                if free[i] and (s := neuron.crossing(until - now, current[i], v[i])) is not None
            ]
            step = min(found)[0] if found else until - now
            loss += self._integral(step, current, v, free)
            self.log.append(("flow", step, current.copy(), v.copy(), free.copy()))
            current, v = neuron.moved(step, current, v, free)
            now += step
            if found:
                i = min(found)[1]
                self.log.append(("spike", i, len(self.times[i]), current[i], v[i]))
                self.times[i].append(now)
                v[i] = neuron.reset
                if neuron.refractory:
                    free[i] = False
                    heapq.heappush(waiting, (now + neuron.refractory, len(self.log), "release", i))
                send(now, self.inputs + i, len(self.times[i]) - 1)
                continue
            _, _, kind, what = heapq.heappop(waiting)
            if kind == "end":
                break
            if kind == "release":
                free[what] = True
                self.log.append(("release", what, current[what], v[what]))
            else:
                source, _, delay = what
                current += np.where(self.delays[source] == delay, self.weights[source], 0.0)
                self.log.append(("arrive", what, free.copy()))
        return loss + (self.spike_loss(self.times)[0] if self.spike_loss is not None else 0.0)

    def _rate(self, v: Array) -> Array:
        chosen = np.zeros(self.size)
        chosen[list(self.measured)] = 1.0
        return chosen * (v - self.aim)

    def _integral(self, step: float, current: Array, v: Array, free: Any) -> float:
        total = 0.0
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            _, at = self.neuron.moved(0.5 * step * (node + 1.0), current, v, free)
            total += 0.25 * step * float(weight) * float((self._rate(at) * (at - self.aim)).sum())
        return total

    def gradient(self) -> Array:
        """Return the derivative of the loss of the last run by all weights, event by event backwards."""
        n, neuron = self.size, self.neuron
        lam_i, lam_v, release = np.zeros(n), np.zeros(n), np.zeros(n)
        by_time: dict[tuple[int, int], float] = {}
        if self.spike_loss is not None:
            by_time |= self.spike_loss(self.times)[1]
        found = np.zeros_like(self.weights)
        for event in reversed(self.log):
            if event[0] == "flow":
                lam_i, lam_v = self._back(*event[1:], lam_i, lam_v)
            elif event[0] == "arrive":
                (source, which, delay), free = event[1:]
                here = self.delays[source] == delay
                found[source] += np.where(here, lam_i, 0.0)
                later = lam_i / neuron.tau_s - np.where(free, lam_v * neuron.r / neuron.tau_m, 0.0)
                if which >= 0:
                    key = (source - self.inputs, which)
                    by_time[key] = by_time.get(key, 0.0) + float((self.weights[source] * later)[here].sum())
            elif event[0] == "release":
                i, current, v = event[1:]
                release[i] = -lam_v[i] * neuron.slope(current, v)
            else:
                i, which, current, v = event[1:]
                after = 0.0 if neuron.refractory else neuron.slope(current, neuron.reset)
                by = by_time.get((i, which), 0.0) - lam_v[i] * after + release[i]
                if i in self.measured:
                    by += 0.5 * (v - self.aim) ** 2 - 0.5 * (neuron.reset - self.aim) ** 2
                lam_v[i], release[i] = -by / neuron.slope(current, v), 0.0
        return found

    def _back(
        self, step: float, current: Array, v: Array, free: Any, lam_i: Array, lam_v: Array
    ) -> tuple[Array, Array]:
        decay, leak, gain = self.neuron.flow(step, free)
        new_i, new_v = decay * lam_i + gain * lam_v, leak * lam_v
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            s = 0.5 * step * (node + 1.0)
            _, at = self.neuron.moved(s, current, v, free)
            source = 0.5 * step * weight * self._rate(at)
            _, leak, gain = self.neuron.flow(s, free)
            new_i, new_v = new_i + gain * source, new_v + leak * source
        return new_i, new_v


def first_spikes(
    outputs: Sequence[int], target: int, tau: float, end: float
) -> Callable[[dict[int, list[float]]], tuple[float, dict[tuple[int, int], float]]]:
    """Return the cross-entropy of ``softmax(-first / tau)``, and its derivative by the times of first spikes."""

    def loss(times: dict[int, list[float]]) -> tuple[float, dict[tuple[int, int], float]]:
        first = np.array([times[i][0] if times[i] else end for i in outputs])
        logits = -first / tau
        p = np.exp(logits - logits.max())
        p /= p.sum()
        by = {(i, 0): ((i == target) - p[k]) / tau for k, i in enumerate(outputs) if times[i]}
        return float(-np.log(p[list(outputs).index(target)])), by

    return loss
