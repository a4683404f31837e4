"""What the client speaks in: messages, profiles, friends, groups and events, as typed, slotted values.

Names and meanings are those of the vendor's SDK, in snake_case.
"""
