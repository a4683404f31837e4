"""What well-known bot frameworks do in five cases in which messages get lost. `python -m benchmarks.peers` prints the table.

Each framework runs unmodified, in a process of its own, started and stopped as its documentation says. Only the far end is
ours: the request session or the socket it talks to is answered by `far_end`. Nothing here uses a network.
"""
