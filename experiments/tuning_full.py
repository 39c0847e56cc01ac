"""More trials, at the full budget, of the methods that end worse than they began in `main_comparison`.

Command:  python -m mfbench run experiments/tuning_full.py --reuse runs/tuning
Measured: 24:17 on 2 cores that did other work too
Decides:  whether another learning rate or another own choice carries these methods to the end of the budget
          of `experiments/main_comparison.py`, which trials at a tenth of it (`experiments/tuning.py`) could
          not show: MeanFlow's target grows without bound, CausVid over-saturates, the GAN's critic wins,
          ErrorRecycling's flow-matching error stays high. Of each method the trial with the lowest
          `kavd_lite` at 4 steps is taken. The world is that of the tuning (seed 1), so that no test prompt is
          seen; its teachers are trained for half as long, which the budgets leave out.
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
    flops=7e12,
)
methods = [
    dict(type="TeacherForcing"),
    dict(type="ODEInit", steps=[4]),
    dict(
        type="MeanFlow",
        name="MeanFlow-power1-share0.25",
        adaptive_power=1.0,
        jump_share=0.25,
        learning_rate=0.001,
    ),
    dict(
        type="MeanFlow",
        name="MeanFlow-power1-share0.25-lr0.0003",
        adaptive_power=1.0,
        jump_share=0.25,
        learning_rate=0.0003,
    ),
    dict(type="ErrorRecycling", name="ErrorRecycling-as-tuned", context_share=0.5, learning_rate=0.001),
    dict(
        type="ErrorRecycling",
        name="ErrorRecycling-context-only",
        context_share=0.5,
        latent_share=0.0,
        learning_rate=0.001,
    ),
    dict(type="ErrorRecycling", name="ErrorRecycling-lr0.0003", context_share=0.5, learning_rate=0.0003),
    dict(type="CausVid", name="CausVid-as-tuned", learning_rate=0.0005, budget=dict(flops=4.1e12)),
    dict(type="CausVid", name="CausVid-lr0.0001", learning_rate=0.0001, budget=dict(flops=4.1e12)),
    dict(
        type="CausVid",
        name="CausVid-lr0.0001-critic0.002",
        learning_rate=0.0001,
        critic_learning_rate=0.002,
        budget=dict(flops=4.1e12),
    ),
    dict(
        type="SelfForcingGAN",
        name="SelfForcingGAN-as-tuned",
        learning_rate=0.002,
        critic_learning_rate=0.003,
        budget=dict(flops=4.1e12),
    ),
    dict(
        type="SelfForcingGAN",
        name="SelfForcingGAN-lr0.0005-critic0.0003",
        learning_rate=0.0005,
        critic_learning_rate=0.0003,
        budget=dict(flops=4.1e12),
    ),
    dict(
        type="SelfForcingGAN",
        name="SelfForcingGAN-lr0.002-critic0.0003",
        learning_rate=0.002,
        critic_learning_rate=0.0003,
        budget=dict(flops=4.1e12),
    ),
]
axes = dict(steps=[4], train_seed=[0], sample_seed=[0])
suite = dict(prompts=64, reference=128, seconds=5.12, timing=dict(rollouts=1, seconds=1.28))
report = dict(baseline="TeacherForcing@4")
