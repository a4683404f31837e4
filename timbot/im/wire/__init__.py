"""The TIM Web protocol as values: heads, commands, pushes, elements <-> bytes.

Pure functions only: no I/O, no clock, no asyncio. Written once and spoken from both ends, by the client and by the
sandbox; the judge of its truth is the vendor's own SDK, which the tests put in the other seat.
"""
