"""Decides which handler gets an event. It knows plugins and routes, and nothing of sockets or tasks."""
