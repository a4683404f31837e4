"""What may happen to a mortal bot, as chance has it."""

from __future__ import annotations

import random

from mortal_bot import GROUPS, PEOPLE, Step

WAITS = (0.0, 0.001, 0.4, 1.0, 3.0, 20.0, 70.0, 400.0, 5000.0, 90_000.0)


def story(chance: random.Random, length: int) -> list[Step]:
    """Any steps, as chance has it."""
    return [_step(chance) for _ in range(length)]


def _step(chance: random.Random) -> Step:
    match chance.randrange(20):
        case 0 | 1 | 2:
            return ("talk", chance.choice(PEOPLE), chance.choice((1, 1, 2, 60)))
        case 3:
            return ("own", chance.choice(PEOPLE))
        case 4:
            return ("reply", chance.choice(PEOPLE))
        case 5 | 6:
            return ("group", chance.choice(GROUPS), chance.choice((1, 2, 30)))
        case 7:
            return ("reply_to_group", chance.choice(GROUPS))
        case 8:
            return ("cut", chance.choice((0, 1, 4)))
        case 9:
            return ("lose", chance.choice((0.0, 0.5, 5.0)))
        case 10:
            return ("repeat",)
        case 11:
            return ("turns", chance.randrange(60))
        case 12:
            return ("pace", chance.choice((0.0, 0.0, 0.01, 1.0)))
        case 13:
            return ("apply", chance.choice(PEOPLE))
        case 14:
            return ("die", chance.randrange(100))
        case 15:
            return ("live",)
        case 16 if chance.random() < 0.4:
            return ("renew", chance.choice(GROUPS))
        case 17:
            return ("recall", chance.choice(PEOPLE))
    return ("wait", chance.choice(WAITS))
