"""From whatever somebody has to a subject that can be asked."""
