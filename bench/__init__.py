"""Measurements behind docs/performance.md, on generated data, each as a ratio to a baseline of the same run."""
