"""The TIM client: usable on its own, knows nothing of bots."""
