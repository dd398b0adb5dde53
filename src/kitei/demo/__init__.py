"""The demo provider: a fictional company, the same for every seed and day (issue 2, part 8)."""
