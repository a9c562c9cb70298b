"""Running a program up to its training, and one iteration of it again and again."""
