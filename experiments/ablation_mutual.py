"""Mutual Forcing with one part taken away at a time, three trainings each.

Command:  python -m mfbench run experiments/ablation_mutual.py --reuse runs/main_comparison
          in shards of one training seed each: --only 'real,null,*-t0-*', then '*-t1-*' and '*-t2-*'
Measured: 11:37 and 8:58 for one training seed on 2 cores that did other work too
Decides:  claims C5 (flexible length) and C6 (history, ShortCut, DMD and weight sharing). All variants are
          paid the same FLOPs. The options that the paper leaves open are in `experiments/mutual_options.py`.
"""

custom_imports = dict(imports=["baselines"])
world = dict(type="TalkingCharacter", preset="motion", train_clips=1024, seconds=5.12)
model = dict(dim=64, depth=4)
budget = dict(batch_size=16, min_chunks=4, unimodal_steps=250, joint_steps=2400, flops=3.5e12)
methods = [
    dict(type="TeacherForcing"),
    dict(type="MutualForcing", learning_rate=0.002, guidance=1.0),
    dict(type="MutualForcing", name="real-history", history="real", learning_rate=0.002, guidance=1.0),
    dict(type="MutualForcing", name="without-ShortCut", hybrid="dmd", learning_rate=0.002, guidance=1.0),
    dict(type="MutualForcing", name="without-DMD", hybrid="shortcut", learning_rate=0.002, guidance=1.0),
    dict(type="MutualForcing", name="two-networks", shared_weights=False, learning_rate=0.002, guidance=1.0),
    dict(type="MutualForcing", name="fixed-length", flexible_length=False, learning_rate=0.002, guidance=1.0),
]
axes = dict(steps=[2, 4, 8], train_seed=[0, 1, 2], sample_seed=[0, 1])
suite = dict(prompts=64, reference=128, seconds=5.12, timing=dict(rollouts=2, seconds=2.56))
report = dict(
    baseline="MutualForcing",
    pareto=("chunk_latency_ms", "kavd_lite"),
    claims=["C5", "C6"],
    pilot="../reports/steps_sweep",
)
