"""Quality against cumulative training cost: every learner of few steps at three budgets.

Command:  python -m mfbench run experiments/cost_to_quality.py --reuse runs/main_comparison
          in shards of one training seed each: --only 'real,null,*-t0-*', then '*-t1-*' and '*-t2-*'
Measured: 9:32, 8:44 and 7:26 for one training seed each on 2 cores that did other work too
Decides:  claim C4: what does it cost, ancestors included, to reach the quality of Self-Forcing?
"""

custom_imports = dict(imports=["baselines"])
world = dict(type="TalkingCharacter", preset="motion", train_clips=1024, seconds=5.12)
model = dict(dim=64, depth=4)
budget = dict(
    batch_size=16,
    min_chunks=4,
    unimodal_steps=250,
    joint_steps=2400,
    bidirectional_steps=1200,
    ode_steps=60,
    flops=7e12,
)
methods = [
    dict(type="MutualForcing", learning_rate=0.002, guidance=1.0),
    dict(
        type="MutualForcing",
        name="MutualForcing-budget-half",
        budget=dict(flops=3.5e12),
        learning_rate=0.002,
        guidance=1.0,
    ),
    dict(
        type="MutualForcing",
        name="MutualForcing-budget-quarter",
        budget=dict(flops=1.75e12),
        learning_rate=0.002,
        guidance=1.0,
    ),
    dict(type="ShortCutTF", learning_rate=0.001, shortcut_share=0.5),
    dict(
        type="ShortCutTF",
        name="ShortCutTF-budget-half",
        budget=dict(flops=3.5e12),
        learning_rate=0.001,
        shortcut_share=0.5,
    ),
    dict(
        type="ShortCutTF",
        name="ShortCutTF-budget-quarter",
        budget=dict(flops=1.75e12),
        learning_rate=0.001,
        shortcut_share=0.5,
    ),
    dict(type="DMDTF", learning_rate=0.0005, real_guidance=1.0),
    dict(
        type="DMDTF",
        name="DMDTF-budget-half",
        budget=dict(flops=3.5e12),
        learning_rate=0.0005,
        real_guidance=1.0,
    ),
    dict(
        type="DMDTF",
        name="DMDTF-budget-quarter",
        budget=dict(flops=1.75e12),
        learning_rate=0.0005,
        real_guidance=1.0,
    ),
    dict(type="SelfForcing", learning_rate=0.0005, real_guidance=1.0),
    dict(
        type="SelfForcing",
        name="SelfForcing-budget-more",
        budget=dict(flops=9e12),
        learning_rate=0.0005,
        real_guidance=1.0,
    ),
    dict(
        type="SelfForcing",
        name="SelfForcing-budget-less",
        budget=dict(flops=6.4e12),
        learning_rate=0.0005,
        real_guidance=1.0,
    ),
]
axes = dict(steps=[4], train_seed=[0, 1, 2], sample_seed=[0, 1])
suite = dict(prompts=64, reference=128, seconds=5.12, timing=dict(rollouts=2, seconds=2.56))
report = dict(
    baseline="SelfForcing",
    pareto=("train_flops", "kavd_lite"),
    claims=["C4"],
    pilot="../reports/steps_sweep",
)
