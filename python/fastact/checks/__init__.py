"""Exact values, measures of error, and the programs that check functions against them."""
