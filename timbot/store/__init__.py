"""What is kept on disk: plugin state, records of jobs, counters. One small interface over SQLite."""
