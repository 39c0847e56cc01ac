"""Drift over rollouts ten times as long as the training clips.

Command:  python -m mfbench run experiments/long_rollout.py --reuse runs/main_comparison
          in shards of one training seed each: --only 'real,null,*-t0-*', then '*-t1-*' and '*-t2-*'
Measured: 6:31 for one training seed on 2 cores that did other work too
Decides:  claim C3: are the drift slopes of Mutual Forcing nearer to those of real clips than those of the
          distilled baselines? The trainings are those of `experiments/main_comparison.py`.
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
    dict(type="TeacherForcing", steps=[4, 50]),
    dict(type="ContinuedTeacherForcing"),
    dict(type="ShortCutTF", learning_rate=0.001, shortcut_share=0.5),
    dict(type="DMDTF", learning_rate=0.0005, real_guidance=1.0),
    dict(type="SelfForcing", learning_rate=0.0005, real_guidance=1.0),
    dict(type="ErrorRecycling", learning_rate=0.001, context_share=0.5, latent_share=0.0),
    dict(type="MutualForcing", learning_rate=0.002, guidance=1.0),
]
axes = dict(steps=[4], train_seed=[0, 1, 2], sample_seed=[0])
suite = dict(
    prompts=64,
    reference=128,
    seconds=5.12,
    long_prompts=16,
    long_seconds=51.2,
    timing=dict(rollouts=2, seconds=2.56),
)
report = dict(
    baseline="TeacherForcing@50",
    claims=["C3"],
    pilot="../reports/steps_sweep",
)
