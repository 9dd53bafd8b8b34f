"""Objects that refuse attributes whose names are nearly right, and mappings that name the nearest key.

Python takes any attribute: ``model.sed = 5`` leaves a run unseeded. Programs may keep attributes of their own on our
objects, as PyGeNN lets them, so only names that are likely misspellings are refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, NoReturn, TypeVar

from snnlearn.calling import named_arguments
from snnlearn.errors import FixedMappingError, FrozenError, UnknownAttributeError, UnknownNameError, did_you_mean
from snnlearn.spelling import misspelt

Value = TypeVar("Value")
Class = TypeVar("Class", bound=type)

# Which of our classes has a setting of this name: the first, or what derives from it.
_CLASS_WITH: dict[str, type] = {}


class CheckedAttributes:
    """Base of classes that users set attributes of.

    A setting is a property that can be assigned, or a plain attribute that the class names as one. What cannot be
    assigned: names that are likely misspellings of a setting, settings of our other classes that have two words at
    least, and properties without a setter. What a class annotates is its own.

    There is no ``__getattr__``: Python reads all attributes of a class that has one more slowly, and suggests the
    nearest itself where such an error ends a program.

    Parameters
    ----------
    explained : mapping of str to str
        Names that a class does not have, and what to say to who reads them.
    refused : collection of str
        Those of them that cannot be assigned either.
    settings : collection of str
        The plain attributes that are settings.
    """

    _writable: ClassVar[frozenset[str]] = frozenset()
    _refused: ClassVar[tuple[str, ...]] = ()
    _plain: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(
        cls,
        explained: Mapping[str, str] | None = None,
        refused: Collection[str] = (),
        settings: Collection[str] = (),
        **options: Any,
    ) -> None:
        super().__init_subclass__(**options)
        for name, text in (explained or {}).items():
            setattr(cls, name, _Absent(name, text))
        cls._refused = (*cls._refused, *refused)
        cls._plain = (*cls._plain, *settings)
        declared = (name for base in cls.__mro__ for name in vars(base).get("__annotations__", ()))
        cls._writable = frozenset([*_members(cls), *declared, *cls._plain]).difference(_fixed(cls))
        if cls.__module__.startswith("snnlearn."):
            for name in settings_of(cls):
                if issubclass(cls, _CLASS_WITH.get(name, cls)):
                    _CLASS_WITH[name] = cls

    @classmethod
    def _why_refused(cls, name: str) -> str | None:
        """Return what to say to who assigns a name that is none of this class's, where more than the nearest helps."""
        absent = _found(cls, name)
        return absent.text if isinstance(absent, _Absent) and name in cls._refused else None

    def __setattr__(self, name: str, value: object) -> None:
        if name not in self._writable and name[:1] != "_":
            problem = _why_not_set(type(self), name)  # type: ignore[arg-type]
            if problem is not None:
                raise UnknownAttributeError(problem)
        object.__setattr__(self, name, value)

    def __dir__(self) -> list[str]:
        own, cls = vars(self), type(self)
        return [name for name in super().__dir__() if name in own or not isinstance(_found(cls, name), _Absent)]


class _Absent:
    """Stands for an attribute that a class does not have, and says why; a program may assign one of its own."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise UnknownAttributeError(f"{_name_of(owner)} has no attribute '{self.name}': {self.text}")


def _found(cls: type, name: str) -> object:
    """Return what a class or its bases have under a name, as it is; None where they have nothing."""
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)


class _Reason:
    """The text of an error for an attribute that is read and not there, made when it is looked at: most never are."""

    def __init__(self, owner: object, name: str) -> None:
        self._owner, self._name = owner, name

    def __str__(self) -> str:
        known = [] if self._name.startswith("_") else [name for name in dir(self._owner) if not name.startswith("_")]
        near = misspelt(self._name, known)
        hint = f"; did you mean '{near}'?" if near is not None else did_you_mean(self._name, known) if known else ""
        return f"{_name_of(type(self._owner))} has no attribute '{self._name}'{hint}"

    __repr__ = __str__


def _members(cls: type) -> dict[str, object]:
    """Return what a class and its bases have under public names, as it is."""
    found = {name: member for base in reversed(cls.__mro__) for name, member in vars(base).items()}
    return {n: member for n, member in found.items() if not n.startswith("_") and not isinstance(member, _Absent)}


def _fixed(cls: type) -> list[str]:
    """Return the names of a class's properties that cannot be assigned."""
    return [n for n, member in _members(cls).items() if isinstance(member, property) and member.fset is None]


def settings_of(cls: type[CheckedAttributes]) -> list[str]:
    """Return the names of a class's settings."""
    properties = [n for n, member in _members(cls).items() if isinstance(member, property) and member.fset is not None]
    return [*cls._plain, *properties]


@lru_cache(maxsize=4096)
def _why_not_set(cls: type[CheckedAttributes], name: str) -> str | None:
    """Return why an attribute may not be set that is no setting, or None where it may."""
    text, fixed = cls._why_refused(name), _fixed(cls)
    if name in fixed:
        return f"{_name_of(cls)}.{name} is read-only" + (f": {text}" if text is not None else "")
    if text is not None:
        return f"{_name_of(cls)} has no attribute '{name}': {text}"
    # Somebody's own short name may well resemble what can only be read.
    near = misspelt(name, settings_of(cls)) or misspelt(name, [known for known in fixed if "_" in known])
    if near is not None:
        return f"{_name_of(cls)} has no attribute '{name}'; did you mean '{near}'?"
    other = _CLASS_WITH.get(name)
    if other is not None and "_" in name:
        return f"{_name_of(cls)} has no attribute '{name}': it is one of {other.__name__}"
    return None


def _name_of(cls: type) -> str:
    """Return the name of the class of ours that a class is or derives from."""
    ours = [c.__name__ for c in cls.__mro__ if c.__module__.startswith("snnlearn.") and c is not CheckedAttributes]
    return ours[0] if ours else cls.__name__


def frozen(cls: Class) -> Class:
    """Have a frozen dataclass say, when somebody assigns, how to get another value, and name the nearest attribute.

    Its constructor names the nearest argument.
    """
    for name in ("__setattr__", "__delattr__"):
        setattr(cls, name, _refuse_to_set)
    return named_arguments(cls)


def suggest_attributes(cls: Class) -> Class:
    """Have a class name the nearest attribute where one is read that is not there; this makes reading slower."""
    cls.__getattr__ = _refuse_to_get  # type: ignore[attr-defined]
    return cls


def _refuse_to_set(self: object, name: str, *value: object) -> None:
    cls = type(self)
    fields: Iterable[str] = cls.__dataclass_fields__  # type: ignore[attr-defined]
    if "__dataclass_fields__" not in vars(cls) and misspelt(name, fields) is None:
        object.__setattr__(self, name, *value)  # a class of the user's that derives from ours
        return
    near = "" if name in fields else did_you_mean(name, fields)
    raise FrozenError(f"cannot assign to '{name}': a {_name_of(cls)} never changes; make another{near}")


def _refuse_to_get(self: object, name: str) -> NoReturn:
    raise UnknownAttributeError(_Reason(self, name))


class Named(dict[str, Value]):
    """A mapping of names that only the library adds to; it names the nearest where there is no such name.

    Parameters
    ----------
    items : mapping of str to value
    kind : str
        What an entry is: ``"variable"``.
    owner : str
        Whose: ``"'Output'"``.
    instead : str
        What to do rather than replace an entry.
    """

    def __init__(self, items: Mapping[str, Value], kind: str, owner: str, instead: str = "") -> None:
        super().__init__(items)
        self._kind, self._owner, self._instead = kind, owner, instead

    def __missing__(self, name: object) -> NoReturn:
        raise UnknownNameError(f"{self._owner} has no {self._kind} {name!r}{did_you_mean(str(name), self)}")

    def __setitem__(self, name: str, value: Value) -> None:
        instead = f"; {self._instead}" if self._instead else ""
        raise FixedMappingError(f"{self._owner}: nothing can be put in the place of {self._kind} {name!r}{instead}")

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise FixedMappingError(f"{self._owner}: no {self._kind} can be put in or taken out by hand")

    __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def add(self, name: str, value: Value) -> None:
        """Add an entry."""
        super().__setitem__(name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)
