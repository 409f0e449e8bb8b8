"""What a group hands to make_ops.py."""

import dataclasses

from .build import Model


@dataclasses.dataclass
class Case:
    op: str
    model: Model
    options: dict = dataclasses.field(default_factory=dict)
    types: str = ""
    invocations: int = 2
    follow: str = ""  # the reference whose outputs are right where they differ
    why: str = ""
    twin: Model | None = None  # the same sum in another shape, where TFLM is right, and whose outputs are the golden
    saturates: str = ""  # why more than a fifth of the output may be saturated
    litert: bool = True  # keep LiteRT's outputs where they differ
