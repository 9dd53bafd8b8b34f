"""Encoders: how numbers become what input neurons do. Each is a frozen value that validates itself."""

from snnlearn.errors import TrainingError, did_you_mean
from snnlearn.training.encoders.current import Current
from snnlearn.training.encoders.delta import Delta
from snnlearn.training.encoders.encoded import Encoded, EncodedSpikes, EncodedValues
from snnlearn.training.encoders.encoder import Encoder
from snnlearn.training.encoders.latency import Latency
from snnlearn.training.encoders.rate import Rate
from snnlearn.training.encoders.receptive_fields import ReceptiveFields
from snnlearn.training.encoders.times import Times

BY_NAME: dict[str, Encoder] = {
    "latency": Latency(),
    "rate": Rate(),
    "regular": Rate(regular=True),
    "current": Current(),
    "receptive_fields": ReceptiveFields(),
    "times": Times(),
}
"""Encoders with their defaults, by the names that ``ArrayData(encode=...)`` takes."""


def find(encode: str | Encoder) -> Encoder:
    """Return an encoder, or the one of this name with its defaults.

    Raises
    ------
    TrainingError
        If there is none; names the nearest.
    """
    if isinstance(encode, Encoder):
        return encode
    if isinstance(encode, str) and encode in BY_NAME:
        return BY_NAME[encode]
    if encode == "delta":
        raise TrainingError(
            "the encoder 'delta' has no default threshold: encode=encoders.Delta(threshold=..., samples=...)"
        )
    if isinstance(encode, str):
        raise TrainingError(f"there is no encoder called '{encode}'{did_you_mean(encode, [*BY_NAME, 'delta'])}")
    raise TrainingError(f"encode is an encoder, such as encoders.Latency(), or its name, not {encode!r}")


__all__ = [
    "BY_NAME",
    "Current",
    "Delta",
    "Encoded",
    "EncodedSpikes",
    "EncodedValues",
    "Encoder",
    "Latency",
    "Rate",
    "ReceptiveFields",
    "Times",
    "find",
]
