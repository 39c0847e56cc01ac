from __future__ import annotations

import pytest

from mfbench.bench.experiment import load
from mfbench.errors import UsageError


def test_loads_every_section(write):
    experiment = load(write())
    assert experiment.name == "toy"
    assert [entry.name for entry in experiment.methods] == ["ToyMethod", "Guided", "ToyChild"]
    assert experiment.methods[1].options == {"guidance": 2.0}
    assert experiment.axes.steps == (1, 4, 16)
    assert experiment.suite.prompts == 4
    assert experiment.suite.metrics == ("ToyMetric",)
    assert experiment.budget["toy_steps"] == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("suite =", "suit ="), ["toy.py:11", "'suit'", "'suite'"]),
        (("prompts=4", "promts=4"), ["toy.py:11", "'promts'", "'prompts'"]),
        (("guidance=2.0", "guidence=2.0"), ["toy.py:7", "'guidence'", "'guidance'"]),
        (("guidance=2.0", "guidance='high'"), ["toy.py:7", "methods.1.guidance", "'high'"]),
        (('type="ToyChild"', 'type="ToyChlid"'), ["toy.py:8", "'ToyChlid'", "'ToyChild'"]),
        (("toy_steps=3,", "toy_stepz=3,"), ["toy.py:4", "'toy_stepz'", "'toy_steps'"]),
        (('["ToyMetric"]', '["ToyMetrik"]'), ["'ToyMetrik'", "'ToyMetric'"]),
        (("steps=[1, 4, 16]", "steps=[0]"), ["toy.py:10", "axes.steps.0", "at least 1", "0"]),
        (("sample_seed=[0, 1]", "sample_seed=[0, 0]"), ["axes.sample_seed", "once"]),
        (("prompts=4", "prompts=-4"), ["suite.prompts", "-4"]),
        (("prompts=4", "timing=dict(rollout=2)"), ["'rollout'", "'rollouts'"]),
        (('name="Guided", ', ""), ["'ToyMethod'", "taken"]),
        (('name="Guided"', 'name="a b"'), ["'a b'"]),
        (('baseline="ToyMethod@4"', "baselin=1"), ["'baselin'", "'baseline'"]),
        (("batch_size=2", "batch_size=0"), ["budget.batch_size", "at least 2, got 0"]),
        (
            ("toy_steps=3,", "flops=1e9, evaluations=1e3,"),
            ["one currency", "evaluations and flops"],
        ),
        (("guidance=2.0", "steps=[0]"), ["toy.py:7", "methods.1.steps.0", "at least 1, got 0"]),
        (("guidance=2.0", "budget=dict(toy_stepz=3)"), ["methods.1.budget", "'toy_stepz'", "'toy_steps'"]),
        (('baseline="ToyMethod@4"', 'claims=["C9"], pilot="x"'), ["report.claims.0", "'C9'"]),
        (('baseline="ToyMethod@4"', 'claims=["C1"]'), ["pilot='../reports/NAME'"]),
        (("prompts=4", "timing=dict(wide=dict(widht=8))"), ["suite.timing.wide", "'widht'"]),
        (("batch_size=2", "batch_size=float('nan')"), ["budget.batch_size", "JSON"]),
        (("batch_size=2", "batch_size=lambda: 3"), ["toy.py:4", "a lambda"]),
        (('world = dict(type="ToyWorld")', "import os"), ["toy.py:3", "an import"]),
        (('world = dict(type="ToyWorld")', "def f(): pass"), ["toy.py:3", "a function"]),
        (('world = dict(type="ToyWorld")', ""), ["'world'", "missing"]),
        (("world = dict(", "world = dict(("), ["does not parse"]),
    ],
)
def test_mistakes_name_the_place_and_the_remedy(write, change, words):
    with pytest.raises(UsageError) as caught:
        load(write(change))
    for word in words:
        assert word in str(caught.value)


def test_set_reaches_every_level(write):
    changed = load(write(), ["suite.prompts=7", "methods.1.guidance=3.5", "axes.steps=[4]", "model.depth=2"])
    assert changed.suite.prompts == 7
    assert changed.methods[1].options == {"guidance": 3.5}
    assert changed.axes.steps == (4,)
    assert changed.model == {"depth": 2}


@pytest.mark.parametrize(
    ("override", "word"),
    [
        ("suite.promts=7", "'prompts'"),
        ("sute.prompts=7", "'suite'"),
        ("methods.9.guidance=1", "9"),
        ("suite.prompts", "section.key=value"),
        ("axes.steps=[0]", "--set axes.steps=[0]"),
        ("0=1", "unknown name '0'"),
        ("methods.¹.guidance=1", "unknown name"),
        ("methods.x.guidance=1", "unknown name 'x'"),
        ("suite.metrics=None", "wanted a list, got None"),
        ("report.claims=5", "wanted a list, got 5"),
    ],
)
def test_set_must_hit_a_known_key(write, override, word):
    with pytest.raises(UsageError, match="--set") as caught:
        load(write(), [override])
    assert word in str(caught.value)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_files_in_other_encodings_are_refused(write, encoding):
    path = write(("[1, 4, 16]", "[1, 4, 16]  # café"))
    path.write_bytes(path.read_text().encode(encoding))
    with pytest.raises(UsageError, match="cannot be read as UTF-8"):
        load(path)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("x = __import__('os').system('touch ran') or 1", r"a call of __import__\('os'\)\.system"),
        ("x = open('ran', 'w')", "a call of open"),
        ("exit()", "a call of exit"),
        ("while True: pass", r"a statement \(While\)"),
        ("for i in [1]: x = i", r"a statement \(For\)"),
    ],
)
def test_an_experiment_is_read_and_never_run(write, tmp_path, monkeypatch, statement, what):
    monkeypatch.chdir(tmp_path)
    path = write()
    path.write_text(f"{path.read_text()}\n{statement}\n")
    with pytest.raises(UsageError, match=rf"toy\.py:14 holds {what}.* data only"):
        load(path)
    assert not (tmp_path / "ran").exists()


def test_one_error_lists_every_fault_with_its_key(write):
    path = write(("guidance=2.0", "guidance='x', rate=None"), ("prompts=4", "prompts=8.5, seconds=-1.0"))
    with pytest.raises(UsageError) as caught:
        load(path, ["axes.steps=[4.0]"])
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "methods.1.guidance",
        "methods.1.rate",
        "axes.steps.0",
        "suite.prompts",
        "suite.seconds",
    ]


def test_budget_of_every_trained_method_is_asked_for(write):
    from mfbench.bench import plan

    experiment = load(write(("toy_pretrain_steps=3, ", "")))
    with pytest.raises(UsageError, match=r"'toy_pretrain_steps'.*ToyPretrain"):
        plan.make(experiment, {})


def test_a_currency_pays_for_the_steps_left_out(write):
    from mfbench.bench import plan

    made = plan.make(load(write(("toy_pretrain_steps=3, ", "flops=1e9, "))), {})
    budgets = {s.spec.component: s.spec.fields["budget"] for s in made.stages.values() if "train" in s.kind}
    assert budgets["ToyPretrain"] == {"batch_size": 2, "min_chunks": 4, "flops": 1e9}
    assert budgets["ToyMethod"] == {"batch_size": 2, "min_chunks": 4, "optimiser_steps": 3}


def test_a_variant_has_its_own_budget_and_steps(write):
    from mfbench.bench import plan

    experiment = load(write(("guidance=2.0", "steps=[2], budget=dict(flops=2e9)")))
    made = plan.make(experiment, {})
    assert {cell.steps for cell in made.cells if cell.method == "Guided"} == {2}
    assert {cell.steps for cell in made.cells if cell.method == "ToyMethod"} == {1, 4}
    budgets = {s.label: s.spec.fields["budget"] for s in made.stages.values() if s.kind == "train"}
    assert budgets["train Guided-t0"] == {"batch_size": 2, "min_chunks": 4, "flops": 2e9}
    assert budgets["train ToyMethod-t0"] == {"batch_size": 2, "min_chunks": 4, "optimiser_steps": 3}


def test_only_named_methods_are_timed_at_the_larger_width(write):
    from mfbench.bench import plan

    timing = "prompts=4, timing=dict(wide=dict(dim=128), wide_methods=['Guided'])"
    made = plan.make(load(write(("prompts=4", timing))), {})
    plain = plan.make(load(write()), {})

    def timed(found):
        return {s.label: s.spec for s in found.stages.values() if s.kind == "time"}

    wide = {label for label, spec in timed(made).items() if "wide" in spec.fields["timing"]}
    assert wide == {"time Guided@1", "time Guided@4"}
    same = {label for label, spec in timed(made).items() if spec.id == timed(plain)[label].id}
    assert same == set(timed(made)) - wide
