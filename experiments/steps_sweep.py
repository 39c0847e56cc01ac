"""Quality against denoising steps for every method: the main experiment.

Command:  python -m mfbench run experiments/steps_sweep.py     (23:27 on 2 cores, printed by the
          run that made reports/steps_sweep; the target is 30 minutes)
Decides:  whether Mutual Forcing at 2 and 4 steps beats its own teacher-forced start and the control that
          continues teacher forcing at the same cost, and how every method trades steps for quality.
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
    few_step_steps=280,
    ode_steps=60,
    self_forcing_steps=150,
)
methods = [
    dict(type="TeacherForcing"),
    dict(type="TeacherForcing", name="TeacherForcing-CFG", guidance=1.5),
    dict(type="Bidirectional"),
    dict(type="Bidirectional", name="Bidirectional-CFG", guidance=1.5),
    dict(type="ContinuedTeacherForcing"),
    dict(type="MutualForcing"),
    dict(type="SelfForcing"),
]
axes = dict(steps=[1, 2, 4, 8, 16, 50], train_seed=[0], sample_seed=[0, 1, 2])
suite = dict(
    prompts=64,
    reference=128,
    seconds=5.12,
    long_prompts=8,
    long_seconds=25.6,
    repeats=3,
    timing=dict(rollouts=2, warmup=1, seconds=2.56),
)
report = dict(baseline="TeacherForcing@50", pareto=("chunk_latency_ms", "kavd_lite"))
