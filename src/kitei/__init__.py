"""Kitei (規程): keeps an operations management regulation true."""
