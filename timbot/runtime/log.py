"""Logging: events with fields. Pretty on a terminal, one JSON object a line otherwise.

Message texts, signatures and tickets are never logged.
"""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor

Log = FilteringBoundLogger


def get_log(**fields: object) -> Log:
    """A logger that adds these fields to every event."""
    log: Log = structlog.get_logger().bind(**fields)
    return log


def configure(*, level: str = "info", stream: TextIO | None = None, pretty: bool | None = None) -> None:
    """Set up logging for the process. `pretty` None: if the stream is a terminal. Libraries' warnings are shown too."""
    out = stream or sys.stderr
    as_text = out.isatty() if pretty is None else pretty
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if as_text else "iso", utc=not as_text),
    ]
    if as_text:
        plain = structlog.dev.plain_traceback
        renderer: list[Processor] = [
            structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=0, exception_formatter=plain)
        ]
    else:
        # Without local variables: they hold what people wrote, and whatever secrets a handler works with.
        tracebacks = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
        renderer = [tracebacks, structlog.processors.JSONRenderer(ensure_ascii=False)]
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer]
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
