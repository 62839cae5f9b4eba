"""Delivery: pace, retry, breaker, sizes and settling (pure arithmetic; time is an argument), and the one loop that sleeps."""
