"""Every undisclosed choice of Mutual Forcing, one at a time against the defaults.

Command:  python -m mfbench run experiments/mutual_options.py
Decides:  the default of each option in `mfbench/methods/mutual_forcing.py`. 80 steps of stage 3, one
          training and one sampling seed: a screening, differences inside the intervals decide nothing.
"""

custom_imports = dict(imports=["baselines"])
world = dict(type="TalkingCharacter", preset="motion", train_clips=1024, seconds=5.12)
model = dict(dim=64, depth=4)
budget = dict(batch_size=16, min_chunks=4, unimodal_steps=250, joint_steps=2400, few_step_steps=80)
methods = [
    dict(type="MutualForcing"),
    dict(type="MutualForcing", name="history-free", history="free"),
    dict(type="MutualForcing", name="history-noise-0.4", history_noise=0.4),
    dict(type="MutualForcing", name="history-noise-1", history_noise=1.0),
    dict(type="MutualForcing", name="history-steps-2", history_steps=2),
    dict(type="MutualForcing", name="history-without-gradient", history_kv_grad=False),
    dict(type="MutualForcing", name="shortcut-share-0.25", shortcut_share=0.25),
    dict(type="MutualForcing", name="shortcut-target-m1", shortcut_target="multi", substeps=1),
    dict(type="MutualForcing", name="shortcut-target-m2", shortcut_target="multi", substeps=2),
    dict(type="MutualForcing", name="shortcut-target-m4", shortcut_target="multi", substeps=4),
    dict(type="MutualForcing", name="live-target", target_weights="live"),
    dict(type="MutualForcing", name="guidance-1", guidance=1.0),
    dict(type="MutualForcing", name="guidance-3", guidance=3.0),
    dict(type="MutualForcing", name="hybrid-weight-0.75", hybrid_weight=0.75),
    dict(type="MutualForcing", name="hybrid-weight-3", hybrid_weight=3.0),
    dict(type="MutualForcing", name="DMD-every-step", dmd_every=1),
    dict(type="MutualForcing", name="DMD-every-4th-step", dmd_every=4),
    dict(type="MutualForcing", name="DMD-gradient-all", dmd_gradient="all"),
    dict(type="MutualForcing", name="DMD-gradient-last", dmd_gradient="last"),
    dict(type="MutualForcing", name="DMD-gradient-jump", dmd_gradient="exit"),
    dict(type="MutualForcing", name="independent-times", independent_times=True),
]
axes = dict(steps=[2, 4], train_seed=[0], sample_seed=[0])
suite = dict(prompts=64, reference=128, seconds=5.12, timing=dict(rollouts=1, warmup=1, seconds=1.28))
report = dict(baseline="MutualForcing@4")
