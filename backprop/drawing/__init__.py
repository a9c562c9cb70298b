"""A network as a picture: its layers, units and shapes, and what one sample does in it."""
