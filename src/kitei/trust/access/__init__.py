"""Who may do what: the one rule for lists, points and explanations."""
