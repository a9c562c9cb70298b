"""The book: chapters that derive, judge and print themselves."""
