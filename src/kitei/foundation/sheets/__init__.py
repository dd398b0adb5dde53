"""Sheets: Excel and CSV in and out, one description per register."""
