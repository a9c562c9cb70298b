"""Pages: one self-contained HTML file about a network, a subject, a student's work."""
