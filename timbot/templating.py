"""Replies from templates: compiled at load, in a sandbox, with bounds on what they may make."""
