"""From measured mismatches to a verdict, an equation and a layer."""
