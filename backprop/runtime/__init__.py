"""Networks that run: generated code loaded, parameters as views, saved and read back."""
