"""What has happened, what was done about it, and what is still to be done: kept so that a death loses nothing."""
