"""From matrix equations to a program of assignments."""
