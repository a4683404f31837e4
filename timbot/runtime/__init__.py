"""Runs a bot: lanes, outgoing messages, dispatch, plugin loading, the life of a process."""
