"""What a subject is: its functions, its parameters taken apart and named."""
