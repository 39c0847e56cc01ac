"""Options: their types, and whether values are of them.

The signature of a registered class is its schema. What an option may be stands where it is declared, as
`guidance: Guidance = 1.0` or `history: Literal["free", "real"] = "free"`, and is checked before any work.
"""

from __future__ import annotations

import difflib
import inspect
import math
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from mfbench.errors import UsageError

Keys = tuple[str | int, ...]
LONGEST = 80  # characters of a value in an error
MOST = 100  # names in an error
WORDS = {  # of pydantic, and of this program
    "Input should be": "wanted",
    "Tuple should have": "wanted",
    "String should have": "wanted",
    " after validation, not 0": "",
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "greater than": "more than",
    "a valid integer": "a whole number",
    "a valid tuple": "a list",
    "a valid dictionary": "dict(...)",
    "a valid string": "text",
    "a valid boolean": "True or False",
    "a valid number": "a number",
}


def _dyadic(value: float) -> float:
    if not is_dyadic(value):
        raise ValueError("wanted 1, 1/2, 1/4 and so on, the grid of ShortCut")
    return value


def is_dyadic(value: float) -> bool:
    """Whether a number is 1 / 2^j."""
    return 0 < value <= 1 and math.frexp(value)[0] == 0.5


Count = Annotated[int, Field(ge=1, le=10**7)]
Steps = Annotated[int, Field(ge=1, le=1000)]  # of a sampler, per chunk
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Share = Annotated[float, Field(ge=0, le=1)]
SomeShare = Annotated[float, Field(gt=0, lt=1)]  # a share that leaves something to both sides
Level = Annotated[float, Field(gt=0, le=1)]  # of noise
LearningRate = Annotated[float, Field(gt=0, lt=1)]
EmaDecay = Annotated[float, Field(ge=0, lt=1)]  # 1 would keep the weights of the start
Guidance = Annotated[float, Field(ge=0, le=1000)]
Shift = Annotated[float, Field(gt=0, le=100)]  # of times, see `flows.times.shift`
Weight = Annotated[float, Field(ge=0, le=1000)]  # of a loss
JumpSize = Annotated[float, AfterValidator(_dyadic)]
JumpSizes = Annotated[tuple[JumpSize, ...], Field(min_length=1)]
StepCounts = Annotated[tuple[Steps, ...], Field(min_length=1)]


class OptionError(UsageError, ValueError):
    """An option that its class does not take."""


@dataclass(frozen=True)
class Fault:
    """A wrong value: where it stands, and what came, what was wanted, what may have been meant."""

    keys: Keys
    message: str


@cache
def schema(owner: type) -> dict[str, TypeAdapter[Any]]:
    """What each option of a class may be: the parameters of its `__init__` that have a default.

    Raises:
        OptionError: where an annotation names something that its module does not import.
    """
    parameters = inspect.signature(owner.__init__).parameters  # type: ignore[misc]
    return {
        name: _adapter(owner, name, parameter)
        for name, parameter in parameters.items()
        if parameter.default is not parameter.empty
    }


def _adapter(owner: type, name: str, parameter: inspect.Parameter) -> TypeAdapter[Any]:
    """Of the annotation; of the default's own type where there is none."""
    if parameter.annotation is parameter.empty:
        return TypeAdapter(Any if parameter.default is None else type(parameter.default))
    declared = parameter.annotation
    if isinstance(declared, str):
        module = sys.modules[_declaring(owner).__module__]
        try:
            declared = eval(declared, vars(module))  # what `typing.get_type_hints` does, one at a time
        except NameError as error:
            raise OptionError(
                f"{owner.__name__} in {module.__name__}: the type of {name} cannot be read ({error}); "
                "import what it names outside of `if TYPE_CHECKING`"
            ) from error
    return TypeAdapter(declared)


def _declaring(owner: type) -> type:
    """The class whose `__init__` this is."""
    return next(base for base in owner.__mro__ if "__init__" in vars(base))


def faults(owner: type, given: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with values for the options of a class; names that it does not know too."""
    known = schema(owner)
    found = []
    for name, value in given.items():
        if name not in known:
            found.append(Fault((name,), unknown(name, known)))
            continue
        try:
            known[name].validate_python(tuples(value), strict=True)
        except ValidationError as error:
            found += [Fault((name, *fault.keys), fault.message) for fault in told(error)]
    return found


def check(owner: type, given: Mapping[str, Any]) -> None:
    """Refuse values that a class does not take.

    Raises:
        OptionError: with all of them.
    """
    wrong = faults(owner, given)
    if wrong:
        lines = [f"{owner.__name__}.{_path(fault.keys)}: {fault.message}" for fault in wrong]
        raise OptionError("\n".join(lines))


def told(error: ValidationError) -> list[Fault]:
    """Pydantic's errors in the words of this program; what it says of names, `unknown` says better."""
    details = [item for item in error.errors(include_url=False) if item["type"] != "extra_forbidden"]
    deep = {item["loc"][:-1] for item in details if item["loc"]}  # a list without its bad items is no news
    return [
        Fault(item["loc"], _message(item))
        for item in details
        if item["type"] != "too_short" or item["loc"] not in deep
    ]


def _message(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return "is missing"
    text = detail["msg"].removeprefix("Value error, ")
    for theirs, ours in WORDS.items():
        text = text.replace(theirs, ours)
    said = f"{text}, got {shown(detail['input'])}"
    if detail["type"] != "literal_error":
        return said
    choices = re.findall(r"'([^']*)'", str(detail["ctx"]["expected"]))
    near = _nearest(str(detail["input"]), choices)
    return f"{said}; did you mean {near!r}?" if near else said


def unknown(name: str, known: Iterable[str]) -> str:
    """The message for a name that is not among the known ones."""
    names = sorted(known)
    near = _nearest(name, names)
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    hint = f"did you mean {near!r}?" if near else f"known are {', '.join(names[:MOST]) or 'none'}{more}"
    return f"unknown name {shown(name)}; {hint}"


def shown(value: object) -> str:
    """A value as an error shows it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}...{text[-LONGEST // 2 :]}"


def tuples(value: Any) -> Any:
    """Lists as tuples: experiments may write either, JSON has the first, signatures the second."""
    if isinstance(value, dict):
        return {name: tuples(item) for name, item in value.items()}
    return tuple(tuples(item) for item in value) if isinstance(value, list | tuple) else value


def _nearest(name: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)), None)


def _path(keys: Keys) -> str:
    return ".".join(map(str, keys))
