"""The one place where secrets are taken out of what is printed: logs, frames, tracebacks."""
