"""The error of one float gradient, certified in ball arithmetic."""
