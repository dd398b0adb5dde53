"""What every register room builds on: state rows written with access decision and events, read by day."""
