"""Random programs in the dialect, as a person might write them; tests of several stages read them."""

from __future__ import annotations

import random
import re

TYPES = {
    **dict.fromkeys(["a", "b", "c", "d"], "scalar"),
    **dict.fromkeys(["m1", "m2"], "int"),
    **dict.fromkeys(["u", "v"], "unsigned int"),
    "far": "int64_t",
    "w": "uint64_t",
    "small": "uint8_t",
    "flag": "bool",
}
FLOATS = [name for name, kind in TYPES.items() if kind == "scalar"]
INTEGERS = ["m1", "m2", "u", "v", "far", "w", "small"]
LITERALS = ["0", "7", "3u", "0x1F", "100", "2654435761", "5000000000", "0x9E3779B97F4A7C15", "6364136223846793005u"]
PARAMETERS = {"k": "int", "h": "unsigned int", "tiny": "uint8_t", "wide": "int64_t", "on": "bool"}


class Author:
    """Writes programs in which nothing is undefined: no integer division, no shifts by variables, loops that end."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.locals = 0

    def number(self, depth: int) -> str:
        """Return an expression of floating type."""
        choice = self.rng.randrange(12 if depth else 3)
        if choice < 2:
            return self.rng.choice([*FLOATS, *FLOATS, "p", "q", "dt"])
        if choice == 2:
            return self.rng.choice(["0.5", "1e3", "2.25", ".125", "3."])
        if choice < 7:
            operator = self.rng.choice("+-*/")
            return f"({self.number(depth - 1)} {operator} {self.number(depth - 1)})"
        if choice == 7:
            return f"(-{self.number(depth - 1)})"
        if choice == 8:
            function = self.rng.choice(["fmax", "fmin", "copysign", "fmod"])
            return f"{function}({self.number(depth - 1)}, {self.number(depth - 1)})"
        if choice == 9:
            return f"{self.rng.choice(['floor', 'ceil', 'fabs', 'trunc', 'rint', 'sqrt'])}({self.number(depth - 1)})"
        if choice == 10:
            return f"({self.condition(depth - 1)} ? {self.number(depth - 1)} : {self.number(depth - 1)})"
        return f"(scalar){self.integer(depth - 1)}"

    def integer(self, depth: int) -> str:
        choice = self.rng.randrange(9 if depth else 2)
        if choice == 0:
            return self.rng.choice([*INTEGERS, *INTEGERS, *PARAMETERS, "id", "num_neurons"])
        if choice == 1:
            return self.rng.choice(LITERALS)
        if choice < 5:
            return f"({self.integer(depth - 1)} {self.rng.choice('+-*&|^')} {self.integer(depth - 1)})"
        if choice == 5:
            return f"({self.integer(depth - 1)} {self.rng.choice(['% 7', '/ 3', '% 5u'])})"
        if choice == 6:
            return f"({self.rng.choice('~-')}{self.integer(depth - 1)})"
        if choice == 7:
            return f"max((int){self.integer(depth - 1)}, (int){self.integer(depth - 1)})"
        return f"({self.condition(depth - 1)} ? {self.integer(depth - 1)} : {self.integer(depth - 1)})"

    def compared(self, depth: int) -> str:
        """Return an integer that is no constant; compilers remark on an unsigned number below 0."""
        found = self.integer(depth)
        return found if re.search(r"\b[a-z]", found) else "m1"

    def condition(self, depth: int) -> str:
        choice = self.rng.randrange(6 if depth > 0 else 1)
        if choice == 0:
            return "flag"
        if choice < 3:
            return f"({self.number(depth - 1)} {self.rng.choice(['<', '>=', '==', '!='])} {self.number(depth - 1)})"
        if choice == 3:
            return f"({self.compared(depth - 1)} {self.rng.choice(['<', '>', '=='])} {self.compared(depth - 1)})"
        if choice == 4:
            return f"!{self.condition(depth - 1)}"
        return f"({self.condition(depth - 1)} {self.rng.choice(['&&', '||'])} {self.condition(depth - 1)})"

    def statement(self, depth: int) -> str:
        choice = self.rng.randrange(11 if depth else 4)
        if choice < 2:
            return f"{self.rng.choice(FLOATS)} {self.rng.choice(['=', '+=', '-=', '*='])} {self.number(3)};"
        if choice == 2:
            return f"{self.rng.choice(INTEGERS)} {self.rng.choice(['=', '+=', '-=', '^=', '|='])} {self.integer(3)};"
        if choice == 3:
            return self.rng.choice([f"flag = {self.condition(2)};", "m1++;", "--u;", "small++;", "m2 = (m1++, u + 1);"])
        if choice < 7:
            other = f" else {{ {self.statement(depth - 1)} }}" if self.rng.random() < 0.5 else ""
            return f"if ({self.condition(2)}) {{ {self.statement(depth - 1)} {self.statement(depth - 1)} }}{other}"
        self.locals += 1
        name = f"{self.rng.choice(['i', 'n', 'x', 'begin'])}{self.locals if self.rng.random() < 0.7 else ''}"
        body = f"{self.statement(depth - 1)} {self.statement(depth - 1)}"
        if choice == 7:
            return (
                f"for (int {name} = 0; {name} < 3; {name}++) {{ {body} a += {name}; if (flag) continue; b -= {name}; }}"
            )
        if choice == 8:
            return f"{{ scalar {name} = {self.number(2)}; {body} c = {name}; }}"
        if choice == 9:
            return f"{{ int {name} = 3; while ({name} > 0) {{ {body} {name}--; if (m1 == 5) break; }} }}"
        cases = f"case 0: {self.statement(0)} case 1: {{ {body} }} break; default: {self.statement(0)}"
        return f"switch ({self.integer(1)} % 3) {{ {cases} }}"
