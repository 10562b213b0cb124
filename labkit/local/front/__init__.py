"""The front of the local cloud: who is let in, and which service answers."""
