from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from mfbench.bench import jobs, plan
from mfbench.bench.experiment import load
from mfbench.bench.jobs import group
from mfbench.bench.stage import Stage, StageSpec, canonical


def made(path, *overrides):
    bodies = dict.fromkeys(
        ("data", "codec", "judge", "pretrain", "train", "generate", "score", "time"), "toys.bodies"
    )
    return plan.make(load(path, list(overrides)), {"cpu": "toy"}, bodies=bodies)


def kinds(found, kind):
    return [stage for stage in found.stages.values() if stage.kind == kind]


def test_cells_are_methods_by_legal_steps_by_seeds_and_two_anchors(write):
    found = made(write())
    assert len(found.cells) == 2 + 3 * 2 * 2
    assert {item.cell for item in found.skipped} == {"ToyMethod@16", "Guided@16", "ToyChild@16"}
    assert all("1, 2, 4" in item.reason for item in found.skipped)
    assert {cell.steps for cell in found.cells if cell.off_design} == {4}


def test_variants_of_sampling_share_their_training(write):
    found = made(write())
    assert [stage.label for stage in kinds(found, "train")] == ["train ToyMethod-t0", "train ToyChild-t0"]
    assert [stage.label for stage in kinds(found, "pretrain")] == ["pretrain ToyPretrain-t0"]
    by_name = {cell.name: cell for cell in found.cells}
    plain, guided = by_name["ToyMethod@1-t0-s0"], by_name["Guided@1-t0-s0"]
    assert plain.stages["train"] == guided.stages["train"]
    assert plain.stages["generate"] != guided.stages["generate"]
    child = by_name["ToyChild@1-t0-s0"]
    assert child.ancestors[:2] == plain.ancestors
    assert len(kinds(found, "time")) == 6
    assert len(kinds(found, "score")) == 2 + 12


def test_parents_come_before_children(write):
    found = made(write(), "axes.train_seed=[0, 3]")
    order = list(found.stages)
    for id_, stage in found.stages.items():
        assert all(order.index(parent) < order.index(id_) for parent in stage.spec.parents.values())
    assert len(kinds(found, "train")) == 4
    assert len(kinds(found, "time")) == 6  # once per method and steps


def test_ids_move_with_what_matters_and_with_nothing_else(write):
    before = made(write())
    ids = set(before.stages)

    def changed(*overrides):
        return {stage.kind for id_, stage in made(write(), *overrides).stages.items() if id_ not in ids}

    assert changed() == set()
    assert changed("methods.1.guidance=3.0") == {"generate", "score", "time"}
    assert changed("budget.toy_child_steps=9") == {"train", "generate", "score", "time"}
    assert changed("suite.prompts=9") == {"data", "judge", "generate", "score", "time"}
    assert changed("axes.sample_seed=[0, 1, 5]") == {"generate", "score"}
    assert changed("report.baseline=Guided@4") == set()
    assert changed("methods.0.rate=0.5") == set()  # the declared default, spelt out
    assert "pretrain" in changed("world.size=9")


def test_jobs_are_one_per_training_which_others_need_not_wait_behind_with_timings_alone_at_the_end(write):
    found = made(write())
    jobs = group(found, list(found.stages))
    names = [job.name.rpartition("-")[0] for job in jobs[1:-1]]
    assert jobs[0].name == "world"
    assert names == ["ToyPretrain-t0", "ToyMethod-t0", "ToyMethod-1-t0-s0", "ToyChild-t0"]
    assert [len(job.stages) for job in jobs[1:3]] == [1, 1]  # ToyChild starts from ToyMethod, not its samples
    assert jobs[-1].exclusive
    assert {stage.kind for stage in jobs[-1].stages} == {"time"}
    assert sorted(stage.id for job in jobs for stage in job.stages) == sorted(found.stages)


def test_a_training_that_all_others_wait_for_or_lead_to_uses_all_cores(write):
    wide = {
        job.name.rpartition("-")[0] for job in group(made(write()), list(made(write()).stages)) if job.wide
    }
    assert wide == {"ToyPretrain-t0", "ToyMethod-t0"}
    seeds = made(write(("train_seed=[0]", "train_seed=[0, 1]")))
    assert not any(job.wide for job in group(seeds, list(seeds.stages)))


def test_a_finished_stage_needs_no_parents(write):
    found = made(write())
    cell = next(cell for cell in found.cells if cell.name == "ToyChild@1-t0-s0")
    score = cell.stages["score"]
    train = cell.stages["train"]
    everything = found.needed([score], lambda _: False)
    rest = found.needed([score], lambda spec: spec.id == train)
    assert train in everything
    assert not {train, *cell.ancestors} & set(rest)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=6), json_values, max_size=5), st.randoms())
def test_ids_do_not_depend_on_key_order_and_survive_json(fields, random):
    items = list(fields.items())
    random.shuffle(items)
    spec = StageSpec("train", "X", (1,), fields)
    assert StageSpec("train", "X", (1,), dict(items)).id == spec.id
    assert StageSpec.from_json(json.loads(json.dumps(spec.to_json()))).id == spec.id
    assert canonical(json.loads(canonical(fields))) == canonical(fields)


@given(json_values, json_values)
def test_different_fields_have_different_ids(first, second):
    same = canonical(first) == canonical(second)
    ids = {StageSpec("train", "X", (1,), {"a": value}).id for value in (first, second)}
    assert (len(ids) == 1) == same


def test_version_kind_parents_and_code_are_part_of_the_id():
    specs = [
        StageSpec("train", "X", (1,), {}),
        StageSpec("pretrain", "X", (1,), {}),
        StageSpec("train", "X", (1, 1), {}),
        StageSpec("train", "Y", (1,), {}),
        StageSpec("train", "X", (1,), {}, {"data": "a"}),
        StageSpec("train", "X", (1,), {}, {"data": "b"}),
        StageSpec("train", "X", (1,), {}, code="c"),
    ]
    assert len({spec.id for spec in specs}) == len(specs)


def test_jobs_with_the_longest_chain_behind_them_come_first() -> None:
    """c waits for b, b for a; d waits for nothing: a, b, then the ends in their order."""

    def stage(name: str, *parents: str) -> Stage:
        roles = {p: made[p].id for p in parents}
        kinds = dict.fromkeys(parents, "train")
        return Stage(StageSpec("train", name, (1,), {}, roles, kinds), "", name)

    made: dict[str, Stage] = {}
    for name, parents in (("d", ()), ("a", ()), ("b", ("a",)), ("c", ("b",))):
        made[name] = stage(name, *parents)
    planned = [jobs.Job(name, (made[name],)) for name in ("d", "c", "b", "a")]
    assert [job.name for job in jobs.most_urgent_first(planned)] == ["a", "b", "d", "c"]
