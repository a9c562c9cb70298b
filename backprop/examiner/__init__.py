"""The examiner: judges anybody's hand-written gradient, and knows neither the theory nor the generator."""
