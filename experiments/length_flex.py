"""Clips twice as long as any in training: is a model of flexible length at home there?

Command:  python -m mfbench run experiments/length_flex.py --reuse runs/ablation_mutual
          for other lengths: --set suite.seconds=2.56
Measured: 1:45 for one training seed on 2 cores that did other work too
Decides:  claim C5 beyond the training length. `fixed-length` has only seen whole clips of 5.12 s.
"""

custom_imports = dict(imports=["baselines"])
world = dict(type="TalkingCharacter", preset="motion", train_clips=1024, seconds=5.12)
model = dict(dim=64, depth=4)
budget = dict(batch_size=16, min_chunks=4, unimodal_steps=250, joint_steps=2400, flops=3.5e12)
methods = [
    dict(type="MutualForcing", learning_rate=0.002, guidance=1.0),
    dict(type="MutualForcing", name="fixed-length", flexible_length=False, learning_rate=0.002, guidance=1.0),
]
axes = dict(steps=[4, 8], train_seed=[0, 1, 2], sample_seed=[0])
suite = dict(prompts=64, reference=128, seconds=10.24, timing=dict(rollouts=2, seconds=2.56))
report = dict(baseline="fixed-length", claims=["C5"], pilot="../reports/steps_sweep")
