"""Options are what their signatures say: for every registered class, and for classes of others."""

from __future__ import annotations

import inspect
from typing import Any, Literal, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfbench import options
from mfbench.data.talking_character import PRESETS, TalkingCharacter
from mfbench.flows.samplers import Gradient
from mfbench.methods.mutual_forcing import TERMS, MutualForcing
from mfbench.models.av_transformer import SIZES, TransformerSpec
from mfbench.options import OptionError, faults, is_dyadic, unknown
from mfbench.registry import METHODS, WORLDS, import_tree
from mfbench.types import SamplerSpec

import_tree("baselines")
OWNERS = {name: METHODS.get(name) for name in METHODS.names()} | {"TalkingCharacter": TalkingCharacter}
NONSENSE = (-1, -0.5, 10**13, 1e13, "nonsense", "", None, [], [None], {}, {"a": 1}, [-1], ["x"], [[1]])
EVERY = [(name, option) for name, owner in OWNERS.items() for option in options.schema(owner)]


def default(owner: type, option: str) -> Any:
    return inspect.signature(owner.__init__).parameters[option].default  # type: ignore[misc]


@pytest.mark.parametrize(("name", "option"), EVERY)
def test_every_option_of_every_class_takes_its_default_and_no_nonsense(name: str, option: str) -> None:
    owner = OWNERS[name]
    value = default(owner, option)
    assert not faults(owner, {option: value})
    for wrong in [value for value in NONSENSE if option != "seed" or value != 10**13]:
        found = faults(owner, {option: wrong})
        assert found, f"{name}.{option} takes {wrong!r}"
        assert all(fault.keys[0] == option for fault in found)
    if isinstance(value, int):
        assert faults(owner, {option: float(value)}), f"{name}.{option} takes a float"
    if isinstance(value, int | float):
        assert faults(owner, {option: int(value) if isinstance(value, bool) else True})


@pytest.mark.parametrize(("name", "option"), EVERY)
def test_near_misses_of_words_are_refused_with_the_right_word(name: str, option: str) -> None:
    owner, value = OWNERS[name], default(OWNERS[name], option)
    if isinstance(value, str):
        for wrong in (value.upper(), f"{value} ", value[:-1], f"{value},x"):
            assert f"did you mean {value!r}?" in faults(owner, {option: wrong})[0].message or wrong.isupper()


@pytest.mark.parametrize("name", SIZES)
def test_sizes_of_the_network_are_checked_where_it_is_made(name: str) -> None:
    for wrong in (*NONSENSE, 0, 2.0, True):
        with pytest.raises(OptionError, match=name):
            TransformerSpec(**{name: wrong})
    with pytest.raises(ValueError, match="dim=30 must be heads=4 times an even number"):
        TransformerSpec(dim=30)


def test_the_registry_builds_nothing_with_wrong_options() -> None:
    with pytest.raises(OptionError, match=r"MutualForcing\.history: .* got 'fre'; did you mean 'free'"):
        METHODS.build({"type": "MutualForcing", "networks": None, "history": "fre"})
    with pytest.raises(OptionError, match="train_clips"):
        WORLDS.build({"type": "TalkingCharacter", "train_clips": 48.0})


def test_dispatches_end_in_an_error() -> None:
    with pytest.raises(ValueError, match=r"gradient policy .* got 'detach'"):
        Gradient("detach").tracks(0, 2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"solver .* got 'Heun'"):
        SamplerSpec(solver="Heun", times=(1.0, 0.0))  # type: ignore[arg-type]


def test_tables_hold_what_signatures_say() -> None:
    hints = get_type_hints(MutualForcing.__init__)
    assert set(TERMS) == set(get_args(hints["hybrid"]))
    assert set(PRESETS) == set(get_args(get_type_hints(TalkingCharacter.__init__)["preset"]))


class Plain:
    """A class of someone else."""

    def __init__(
        self, network: object, *, level: float = 0.1, count=3, name: Literal["a", "b"] = "a"
    ) -> None:
        self.network, self.level, self.count, self.name = network, level, count, name


class Hidden:
    """One whose type cannot be read."""

    def __init__(self, *, size: Nowhere = 1) -> None:
        self.size = size


def test_classes_of_others_are_checked_by_what_they_declare() -> None:
    assert not faults(Plain, {"level": 1, "count": 5, "name": "b"})
    found = faults(Plain, {"level": "x", "count": 2.5, "name": "c", "network": 1, "levle": 2})
    assert [fault.keys for fault in found] == [("level",), ("count",), ("name",), ("network",), ("levle",)]
    assert "did you mean 'level'?" in found[-1].message
    with pytest.raises(OptionError, match=r"Hidden .* type of size cannot be read .*Nowhere"):
        faults(Hidden, {"size": 1})


@given(st.integers(0, 40), st.floats(0.5, 1, exclude_min=True, exclude_max=True))
def test_jumps_are_powers_of_one_half(power: int, off: float) -> None:
    assert is_dyadic(2.0**-power)
    assert not is_dyadic(off * 2.0**-power)
    assert not is_dyadic(2.0 ** (power + 1))


def test_long_values_and_long_lists_of_names_are_cut() -> None:
    assert len(unknown("x" * 5000, ["a"])) < 300
    assert len(unknown("x", [f"name{i}" for i in range(5000)])) < 2000
