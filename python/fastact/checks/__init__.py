"""What functions are checked against: exact values, measures of error, and the programs that apply them."""
