"""Lengths of time as people write them: 500ms, 10s, 5m, 1h30m."""

from __future__ import annotations

import math
import re
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

_UNITS: Final = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PATTERN: Final = r"^(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+(?:\.\d+)?s)?(?:\d+ms)?$"
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])")
_NEEDED: Final = "a length of time is needed, like 500ms, 10s, 5m or 1h30m, or a number of seconds"


def seconds(value: object) -> float:
    """The seconds of `1h30m` or of a number. Raises `ValueError` with what to write."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0:
        return float(value)
    if isinstance(value, str) and 0 < len(value) <= 32 and re.fullmatch(_PATTERN, value, re.ASCII):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value))
    raise ValueError(_NEEDED)


Duration = Annotated[
    float,
    BeforeValidator(seconds),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": _PATTERN, "minLength": 2}]}),
]
"""A length of time in seconds, written as `10s`, `1h30m` or a number of seconds."""
