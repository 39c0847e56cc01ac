"""Every stage with two methods at toy size; checks the machinery, its numbers mean nothing.

Command:  python -m mfbench run experiments/smoke.py      (target: 60 s on 2 cores)
"""

custom_imports = dict(imports=["baselines"])
world = dict(type="TalkingCharacter", preset="motion", train_clips=48, seconds=2.56)
model = dict(dim=32, depth=2)
budget = dict(batch_size=8, min_chunks=4, unimodal_steps=20, joint_steps=20, few_step_steps=10)
methods = [dict(type="TeacherForcing"), dict(type="MutualForcing")]
axes = dict(steps=[2, 4], train_seed=[0], sample_seed=[0])
suite = dict(
    prompts=8,
    reference=12,
    seconds=2.56,
    long_prompts=2,
    long_seconds=7.68,
    repeats=2,
    repeated_prompts=4,
    timing=dict(rollouts=1, warmup=1, seconds=1.28),
)
report = dict(baseline="TeacherForcing@4", pareto=("chunk_latency_ms", "kavd_lite"))
