"""Reading a subject's own source: the values of its lines, the line that is wrong, a mend.  It never judges."""
