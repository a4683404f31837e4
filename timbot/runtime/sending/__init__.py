"""What the bot says: kept before it is sent, in order for each receiver, within the vendor's limits, settled when in doubt."""
