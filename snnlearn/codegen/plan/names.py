"""Identifiers for generated source: unique, readable, and never a word of C++."""

from __future__ import annotations

import re

_CPP = """alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t class compl
    concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype default
    delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long
    mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register
    reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch template
    this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t
    while xor xor_eq linux unix"""
_CPP_WORDS = frozenset(_CPP.split())

# What the templates call things in a kernel or in the simulation; user names step aside.
_TEMPLATES = """id id_pre id_post id_syn i j s k n sim begin end random first kept oldest row rows column count dt t
    GROUP WIDTH part tile rest batch slot spike spikes connect add_synapse remove_synapse kernel d last source
    target copy number threadIdx blockIdx blockDim gridDim warpSize dim3 lane warp group inside total steps listed
    own worker shared spiked silent
    recording_row recording_words recording_timesteps first_pending block_first block_kept deferred_time flush_denormals
    std snn Simulation size_t uint8_t uint16_t uint32_t uint64_t int8_t int16_t int32_t int64_t
    M_E errno assert stdin stdout stderr args"""
SCAFFOLDING = frozenset(_TEMPLATES.split())


# How names start that the templates put together themselves, or C++ keeps for the compiler.
_TEMPLATES_OWN = re.compile(
    r"_|(tile|any_slot|newest|host|handed|snn|own|shared|gathered|launch|phase|marks)_|slot_\d"
    r"|(spikes|spiked|any|count|value)_\d+$"
)


class Names:
    """Hands out identifiers, each once."""

    def __init__(self, taken: frozenset[str] = frozenset()) -> None:
        self._taken = set(taken)

    def unique(self, wanted: str) -> str:
        """Return the wanted identifier, or one with a number behind it where that is taken."""
        shouted = wanted.isupper() and re.search("[A-Z]{2}", wanted)
        if shouted or _TEMPLATES_OWN.match(wanted) or wanted[:1].isdigit():
            # It could be a macro of the C++ library, a name kept for the compiler or one that templates put together;
            # and names of groups may start with a digit.
            wanted = f"user_{wanted.lstrip('_')}"
        name, number = wanted, 2
        while name in self._taken or name in _CPP_WORDS or name in SCAFFOLDING:
            name, number = f"{wanted}_{number}", number + 1
        self._taken.add(name)
        return name

    @property
    def taken(self) -> frozenset[str]:
        """All that has been handed out."""
        return frozenset(self._taken)
