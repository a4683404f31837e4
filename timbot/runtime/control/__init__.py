"""What an operator holds in the hand while a bot runs: commands through a socket, what is done after a kick, and looks at
what goes wrong slowly."""
