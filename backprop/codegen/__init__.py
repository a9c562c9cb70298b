"""From equations to source text."""
