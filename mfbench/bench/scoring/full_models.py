"""Which models of the full tier the user brought, checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mfbench.bench.scoring.total import digest
from mfbench.metrics.full import ADAPTERS, adapter
from mfbench.metrics.full.base import Adapter, MetricInfo
from mfbench.metrics.full.packages import INSTALL, PackageMissingError, installed
from mfbench.metrics.full.weights import GivenWeights, WeightsError, read_weights


@dataclass(frozen=True)
class FullTier:
    """Weights that were given, with the adapters that they open."""

    weights: Mapping[str, GivenWeights]
    names: tuple[str, ...]

    @classmethod
    def of(cls, yaml_file: Path) -> FullTier:
        """Check everything that can be checked before hours of work.

        Raises:
            WeightsError: if a file is missing or another one; PackageMissingError: if a package is missing.
        """
        weights = read_weights(yaml_file)
        names = tuple(n for n in ADAPTERS if any(f.key in weights for f in adapter(n).weight_files))
        if not names:
            raise WeightsError(f"{yaml_file} names no weights; see `mfbench doctor`")
        for given in weights.values():
            given.check()
        for name in names:
            absent = [package for package in adapter(name).packages if not installed(package)]
            if absent:
                raise PackageMissingError(f"{name} needs {', '.join(absent)}, not installed; {INSTALL}")
        return cls(weights, names)

    def licences(self) -> list[dict[str, str]]:
        """Model, file and licences of code and weights, for the output."""
        return [
            {
                "adapter": name,
                "file": self.weights[file.key].path.name,
                "sha256": self.weights[file.key].sha256,
                "code_licence": file.code_licence,
                "weights_licence": file.weights_licence,
            }
            for name in self.names
            for file in adapter(name).weight_files
        ]

    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics."""
        return tuple(name for adapter_name in self.names for name in adapter(adapter_name).names())

    def units(self) -> dict[str, str]:
        """Units of the metrics of single films."""
        found = [info for name in self.names for info in adapter(name).metrics if not info.set_metric]
        return {info.name: info.unit for info in found}

    def protocols(self, name: str) -> tuple[str, ...]:
        """Of every metric of an adapter."""
        return (name, *(self.protocol(adapter(name), info) for info in adapter(name).metrics))

    def protocol(self, kind: type[Adapter], info: MetricInfo) -> str:
        """Of one metric."""
        files = [self.weights[file.key] for file in kind.weight_files]
        options = [(file.sha256, sorted(file.options.items())) for file in files]
        return digest(info.name, kind.version, kind.protocol, options)
