"""Puts judge and explanation together: one subject, drawn networks, folders of submissions."""
