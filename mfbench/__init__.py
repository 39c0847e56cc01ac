"""mfbench: benchmark and reference implementation for fast autoregressive audio-video generation.

Levels (a package imports only smaller numbers; `tests/test_architecture.py` walks the imports):
0 `types` `clip_spec` `registry` `provenance` `character`; 1 `data` `codecs` `flows` `models` `metrics`;
2 `methods`; 3 `training`; 4 `bench`; 5 `report`; 6 `cli`.
"""

__version__ = "0.1.0"
