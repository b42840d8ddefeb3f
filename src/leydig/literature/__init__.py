"""What is published beside trials: how men differ, how a man varies, what guidelines say, and what contradicts what."""
