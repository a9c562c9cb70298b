"""What the letters of a formula are: conventions, shapes, values, derivatives by power series of balls."""
