"""Delivery: pace, retry, breaker, sizes and settling, which are pure arithmetic, and the one loop that sleeps."""
