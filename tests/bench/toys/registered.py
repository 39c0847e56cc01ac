from mfbench.registry import METHODS, METRICS, WORLDS


@WORLDS.register_module()
class ToyWorld:
    """A world of numbers."""

    version = 1

    def __init__(self, size: int = 4, seed: int = 0) -> None:
        self.size, self.seed = size, seed


@METRICS.register_module()
class ToyMetric:
    """The first number."""

    name, version, unit, higher_is_better = "toy", 1, "", True


class Base:
    version = 1
    stage = "train"
    steps = (1, 2, 4)
    on_design = (1, 2)
    budget_key = "toy_steps"
    sampling_options = ("guidance",)


@METHODS.register_module()
class ToyPretrain(Base):
    """An ancestor."""

    stage = "pretrain"
    budget_key = "toy_pretrain_steps"


@METHODS.register_module()
class ToyMethod(Base):
    """Learns nothing."""

    parents = ("ToyPretrain",)

    def __init__(
        self, networks: object, *, rate: float = 0.5, guidance: float = 1.0, fault: str = ""
    ) -> None:
        self.rate, self.guidance, self.fault = rate, guidance, fault


@METHODS.register_module()
class ToyChild(ToyMethod):
    """Starts from ToyMethod."""

    parents = ("ToyMethod",)
    budget_key = "toy_child_steps"
