"""What is kept on disk: plugin state, records of jobs, counters. One small interface over SQLite."""

from timbot.store.database import Database, Durability
from timbot.store.errors import StoreBroken, StoreClosed, StoreError, StoreInUse, UnstorableValue
from timbot.store.jobs import JobRecord, Jobs
from timbot.store.lane import Work
from timbot.store.state import Json, Store

__all__ = [
    "Database",
    "Durability",
    "JobRecord",
    "Jobs",
    "Json",
    "Store",
    "StoreBroken",
    "StoreClosed",
    "StoreError",
    "StoreInUse",
    "UnstorableValue",
    "Work",
]
