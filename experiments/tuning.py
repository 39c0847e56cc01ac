"""Four trials of the hyper-parameters of every method: two learning rates by two values of one own choice.

Command:  python -m mfbench run experiments/tuning.py
Measured: 20:05 for 24 of the 48 trials on 2 cores that did other work too
Decides:  the options in `experiments/main_comparison.py` and the studies after it: of each method the trial
          with the lowest `kavd_lite` at 4 steps. Another world (seed 1) than theirs, so that no test prompt
          is seen; one training and one sampling seed; a tenth of their budget beyond common checkpoints,
          teachers and initialisations. `TeacherForcing` and `Bidirectional` were settled with the world.
"""

custom_imports = dict(imports=["baselines"])
world = dict(type="TalkingCharacter", preset="motion", train_clips=1024, seconds=5.12, seed=1)
model = dict(dim=64, depth=4)
budget = dict(
    batch_size=16,
    min_chunks=4,
    unimodal_steps=250,
    joint_steps=2400,
    bidirectional_steps=600,
    ode_steps=30,
    consistency_steps=60,
    flops=0.7e12,
)
methods = [
    dict(type="MutualForcing", name="MutualForcing-lr0.001-cfg1.0", learning_rate=0.001, guidance=1.0),
    dict(type="MutualForcing", name="MutualForcing-lr0.001-cfg1.5", learning_rate=0.001, guidance=1.5),
    dict(type="MutualForcing", name="MutualForcing-lr0.002-cfg1.0", learning_rate=0.002, guidance=1.0),
    dict(type="MutualForcing", name="MutualForcing-lr0.002-cfg1.5", learning_rate=0.002, guidance=1.5),
    dict(type="ShortCutTF", name="ShortCutTF-lr0.001-share0.25", learning_rate=0.001, shortcut_share=0.25),
    dict(type="ShortCutTF", name="ShortCutTF-lr0.001-share0.5", learning_rate=0.001, shortcut_share=0.5),
    dict(type="ShortCutTF", name="ShortCutTF-lr0.002-share0.25", learning_rate=0.002, shortcut_share=0.25),
    dict(type="ShortCutTF", name="ShortCutTF-lr0.002-share0.5", learning_rate=0.002, shortcut_share=0.5),
    dict(type="MeanFlow", name="MeanFlow-lr0.001-share0.25", learning_rate=0.001, jump_share=0.25),
    dict(type="MeanFlow", name="MeanFlow-lr0.001-share0.5", learning_rate=0.001, jump_share=0.5),
    dict(type="MeanFlow", name="MeanFlow-lr0.002-share0.25", learning_rate=0.002, jump_share=0.25),
    dict(type="MeanFlow", name="MeanFlow-lr0.002-share0.5", learning_rate=0.002, jump_share=0.5),
    dict(
        type="ErrorRecycling", name="ErrorRecycling-lr0.001-share0.5", learning_rate=0.001, context_share=0.5
    ),
    dict(
        type="ErrorRecycling", name="ErrorRecycling-lr0.001-share0.9", learning_rate=0.001, context_share=0.9
    ),
    dict(
        type="ErrorRecycling", name="ErrorRecycling-lr0.002-share0.5", learning_rate=0.002, context_share=0.5
    ),
    dict(
        type="ErrorRecycling", name="ErrorRecycling-lr0.002-share0.9", learning_rate=0.002, context_share=0.9
    ),
    dict(type="DMDTF", name="DMDTF-lr0.00025-cfg1.0", learning_rate=0.00025, real_guidance=1.0),
    dict(type="DMDTF", name="DMDTF-lr0.00025-cfg1.5", learning_rate=0.00025, real_guidance=1.5),
    dict(type="DMDTF", name="DMDTF-lr0.0005-cfg1.0", learning_rate=0.0005, real_guidance=1.0),
    dict(type="DMDTF", name="DMDTF-lr0.0005-cfg1.5", learning_rate=0.0005, real_guidance=1.5),
    dict(
        type="CausVid",
        name="CausVid-lr0.00025-cfg1.0",
        learning_rate=0.00025,
        real_guidance=1.0,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="CausVid",
        name="CausVid-lr0.00025-cfg1.5",
        learning_rate=0.00025,
        real_guidance=1.5,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="CausVid",
        name="CausVid-lr0.0005-cfg1.0",
        learning_rate=0.0005,
        real_guidance=1.0,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="CausVid",
        name="CausVid-lr0.0005-cfg1.5",
        learning_rate=0.0005,
        real_guidance=1.5,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="SelfForcing",
        name="SelfForcing-lr0.00025-cfg1.0",
        learning_rate=0.00025,
        real_guidance=1.0,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="SelfForcing",
        name="SelfForcing-lr0.00025-cfg1.5",
        learning_rate=0.00025,
        real_guidance=1.5,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="SelfForcing",
        name="SelfForcing-lr0.0005-cfg1.0",
        learning_rate=0.0005,
        real_guidance=1.0,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="SelfForcing",
        name="SelfForcing-lr0.0005-cfg1.5",
        learning_rate=0.0005,
        real_guidance=1.5,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="SelfForcingSiD",
        name="SelfForcingSiD-lr0.00025-cfg1.0",
        learning_rate=0.00025,
        real_guidance=1.0,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="SelfForcingSiD",
        name="SelfForcingSiD-lr0.00025-cfg1.5",
        learning_rate=0.00025,
        real_guidance=1.5,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="SelfForcingSiD",
        name="SelfForcingSiD-lr0.0005-cfg1.0",
        learning_rate=0.0005,
        real_guidance=1.0,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="SelfForcingSiD",
        name="SelfForcingSiD-lr0.0005-cfg1.5",
        learning_rate=0.0005,
        real_guidance=1.5,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="SelfForcingGAN",
        name="SelfForcingGAN-lr0.0005-critic0.001",
        learning_rate=0.0005,
        critic_learning_rate=0.001,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="SelfForcingGAN",
        name="SelfForcingGAN-lr0.0005-critic0.003",
        learning_rate=0.0005,
        critic_learning_rate=0.003,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="SelfForcingGAN",
        name="SelfForcingGAN-lr0.002-critic0.001",
        learning_rate=0.002,
        critic_learning_rate=0.001,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="SelfForcingGAN",
        name="SelfForcingGAN-lr0.002-critic0.003",
        learning_rate=0.002,
        critic_learning_rate=0.003,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="SelfForcingCausal",
        name="SelfForcingCausal-lr0.00025-cfg1.0",
        learning_rate=0.00025,
        real_guidance=1.0,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="SelfForcingCausal",
        name="SelfForcingCausal-lr0.00025-cfg1.5",
        learning_rate=0.00025,
        real_guidance=1.5,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="SelfForcingCausal",
        name="SelfForcingCausal-lr0.0005-cfg1.0",
        learning_rate=0.0005,
        real_guidance=1.0,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="SelfForcingCausal",
        name="SelfForcingCausal-lr0.0005-cfg1.5",
        learning_rate=0.0005,
        real_guidance=1.5,
        budget=dict(flops=3.6e12),
    ),
    dict(
        type="CausalForcing",
        name="CausalForcing-lr0.00025-cfg1.0",
        learning_rate=0.00025,
        real_guidance=1.0,
        budget=dict(flops=3.2e12),
    ),
    dict(
        type="CausalForcing",
        name="CausalForcing-lr0.00025-cfg1.5",
        learning_rate=0.00025,
        real_guidance=1.5,
        budget=dict(flops=3.2e12),
    ),
    dict(
        type="CausalForcing",
        name="CausalForcing-lr0.0005-cfg1.0",
        learning_rate=0.0005,
        real_guidance=1.0,
        budget=dict(flops=3.2e12),
    ),
    dict(
        type="CausalForcing",
        name="CausalForcing-lr0.0005-cfg1.5",
        learning_rate=0.0005,
        real_guidance=1.5,
        budget=dict(flops=3.2e12),
    ),
    dict(
        type="DiffusionForcing",
        name="DiffusionForcing-lr0.002-shift1.0",
        learning_rate=0.002,
        time_shift=1.0,
        budget=dict(flops=1.6e12),
    ),
    dict(
        type="DiffusionForcing",
        name="DiffusionForcing-lr0.002-shift3.0",
        learning_rate=0.002,
        time_shift=3.0,
        budget=dict(flops=1.6e12),
    ),
    dict(
        type="DiffusionForcing",
        name="DiffusionForcing-lr0.004-shift1.0",
        learning_rate=0.004,
        time_shift=1.0,
        budget=dict(flops=1.6e12),
    ),
    dict(
        type="DiffusionForcing",
        name="DiffusionForcing-lr0.004-shift3.0",
        learning_rate=0.004,
        time_shift=3.0,
        budget=dict(flops=1.6e12),
    ),
]
axes = dict(steps=[4], train_seed=[0], sample_seed=[0])
suite = dict(prompts=64, reference=128, seconds=5.12, timing=dict(rollouts=1, seconds=1.28))
report = dict(baseline="MutualForcing-lr0.001-cfg1.5@4")
