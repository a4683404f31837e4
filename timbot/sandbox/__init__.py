"""A local TIM server: what it keeps and decides (`domain`), and how it speaks to clients."""
