"""Bursts of requests: when they come, what the limits would let pass, and what the gateway did."""
