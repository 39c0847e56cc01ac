"""All methods at equal training cost, three trainings each: who learns to need few steps?

Command:  python -m mfbench run experiments/main_comparison.py
          in shards of one training seed each: --only 'real,null,*-t0-*', then '*-t1-*' and '*-t2-*'
Measured: 42:22 for training seed 0 with all timings, the common checkpoint reused; seeds 1 and 2 in two
          shards each, 23:43 and 26:34, 26:18 and 15:57; on 2 cores that did other work too
Decides:  claims C1 (few steps against 50-step samplers), C2 (against other few-step learners), C4 (training
          cost) and C7 (speed). Every method is paid the same FLOPs beyond the common checkpoint; its
          teachers, ODE pairs and critics count. Options by `experiments/tuning.py` and
          `experiments/tuning_full.py`.
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
    consistency_steps=100,
    flops=7e12,
)
methods = [
    dict(type="TeacherForcing", steps=[1, 2, 4, 8, 50]),
    dict(type="TeacherForcing", name="TeacherForcing-CFG", guidance=1.5, steps=[4, 50]),
    dict(type="ContinuedTeacherForcing"),
    dict(type="Bidirectional", steps=[50]),
    dict(type="Bidirectional", name="Bidirectional-CFG", guidance=1.5, steps=[50]),
    # also paid what the others' common checkpoint cost, because it starts from the unimodal ones
    dict(
        type="DiffusionForcing",
        budget=dict(flops=15.6e12),
        steps=[1, 2, 4, 8, 50],
        learning_rate=0.004,
        time_shift=3.0,
    ),
    dict(type="ShortCutTF", learning_rate=0.001, shortcut_share=0.5),
    dict(type="MeanFlow", learning_rate=0.001, jump_share=0.25, adaptive_power=1.0),
    dict(type="DMDTF", learning_rate=0.0005, real_guidance=1.0),
    dict(type="ODEInit", steps=[4]),  # where CausVid and the Self-Forcings start
    dict(type="CausVid", learning_rate=0.0001, critic_learning_rate=0.002, real_guidance=1.0),
    dict(type="SelfForcing", learning_rate=0.0005, real_guidance=1.0),
    dict(type="SelfForcingSiD", learning_rate=0.0005, real_guidance=1.0),
    dict(type="SelfForcingGAN", learning_rate=0.002, critic_learning_rate=0.003),
    dict(type="SelfForcingCausal", learning_rate=0.0005, real_guidance=1.0),
    dict(type="CausalConsistency"),  # where CausalForcing starts
    dict(type="CausalForcing", learning_rate=0.0005, real_guidance=1.0),
    dict(type="ErrorRecycling", learning_rate=0.001, context_share=0.5, latent_share=0.0),
    dict(type="MutualForcing", learning_rate=0.002, guidance=1.0),
    dict(
        type="MutualForcing",
        name="MutualForcing-budget-half",
        budget=dict(flops=3.5e12),
        learning_rate=0.002,
        guidance=1.0,
    ),
]
axes = dict(steps=[1, 2, 4, 8], train_seed=[0, 1, 2], sample_seed=[0, 1])
suite = dict(
    prompts=64,
    reference=128,
    seconds=5.12,
    timing=dict(
        rollouts=8,
        warmup=1,
        seconds=10.24,
        wide=dict(dim=192, depth=8),
        wide_methods=["TeacherForcing", "MutualForcing"],
    ),
)
report = dict(
    baseline="TeacherForcing@50",
    pareto=("chunk_latency_ms", "kavd_lite"),
    claims=["C1", "C2", "C4", "C7"],
    pilot="../reports/steps_sweep",
)
