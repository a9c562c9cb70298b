"""Reports for people: progress on a terminal, the folder of the demo."""
