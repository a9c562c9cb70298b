"""What training adds to a gradient: the rule of a step that is named, what a step leaves out, how batches are drawn."""
